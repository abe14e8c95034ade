/** What is told by a channel, and what is decided about it. */
import type { ChannelDecision, ChannelDoor, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Facts } from '#platform/faults.ts'
import type { Filed as FiledMessage, Telling } from './message-filing.ts'

export type ChannelTold = Telling<ChannelDoor, ChannelInbound>
export type Filed = FiledMessage<ChannelTold>

/** What became of a message, and what is written beside it. */
export type Decided = Omit<ChannelDecision, 'inbound'> & { readonly detail?: Facts | undefined }
