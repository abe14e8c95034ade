/** A system's door with what hears at it, for work that is the same whatever messages are about. */
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import type { StoppedStream } from '#platform/inbox-stops.ts'
import type { ParkedItem } from '#platform/parking.ts'
import type { Telling } from './message-filing.ts'

export type AnyDoor = Pick<InboundDoor<unknown>, 'restore' | 'askAgain'> & {
  /** `parked`: a person had it replayed. */
  hear(inbound: InboundMessage<unknown>, parked?: ParkedItem): Promise<unknown>
  /** Lets a stream go on without what it misses; absent where none has gaps. */
  goOn?(gap: StreamSkip, parked: ParkedItem): Promise<unknown>
  /** Lets a stream go on behind a message that was put aside and is settled; absent where none waits. */
  goOnBehind?(stop: Omit<StoppedStream, 'source'>): Promise<unknown>
}

export type StreamSkip = { readonly stream: string; readonly from: number }

/** By the name of the system. */
export type AnyDoors = ReadonlyMap<string, AnyDoor>

type Door = Pick<InboundDoor<unknown>, 'instance' | 'restore' | 'askAgain'>

export function anyDoor<Message, D extends Door>(
  door: D,
  hear: (told: Telling<D, InboundMessage<Message>>) => Promise<unknown>,
): [string, AnyDoor] {
  const askAgain = door.askAgain?.bind(door)
  return [
    door.instance,
    {
      restore: (filed) => door.restore(filed),
      ...(askAgain ? { askAgain } : {}),
      hear: (inbound, parked) => hear({ door, inbound: inbound as InboundMessage<Message>, parked }),
    },
  ]
}
