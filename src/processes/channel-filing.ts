/** A channel's message as it is filed in the inbox, and what is decided about it. */
import type { ChannelDecision, ChannelDoor, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Facts } from '#platform/faults.ts'
import { contentHash } from '#platform/inbox.ts'

/** A message at the door, with where it came from. */
export type ChannelTold = {
  readonly door: ChannelDoor
  readonly inbound: ChannelInbound
  readonly traceId?: string | undefined
}

/** What became of a message, and what is written beside it. */
export type Decided = Omit<ChannelDecision, 'inbound'> & { readonly detail?: Facts | undefined }

export type Filed = ReturnType<typeof fileOf>

export function fileOf(told: ChannelTold) {
  const { door, inbound, traceId } = told
  const { messageId, type, company, stream, sequence, takenAt, body } = inbound
  return {
    source: door.instance,
    messageId,
    type,
    company,
    contentHash: contentHash(body),
    stream,
    sequence,
    takenAt,
    body,
    receivedTrace: traceId,
    told,
  }
}
