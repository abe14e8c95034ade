/** A program outside that has events sent to an address: what it asked for, what came of that, and how it fares. */
import type { Letter } from './network.ts'

export const SUBSCRIPTIONS = '/experience/events/v1/subscriptions'

/** What a subscriber asks for, as the door takes it. */
export type Wanted = {
  readonly types?: readonly string[]
  readonly domains?: readonly string[]
  readonly companies?: readonly string[]
}

export type HeardEvent = {
  readonly id: string
  readonly type: string
  readonly partitionkey: string
  readonly sequence: string
  readonly company: string
}

/** A message that was taken, in the order of coming. */
export type Taken = {
  readonly event: HeardEvent
  readonly body: string
  /** How often it had been tried by then, this time included. */
  readonly tries: number
}

export type Subscriber = {
  readonly name: string
  readonly wanted: Wanted
  /** Since it was made. */
  subscription?: { readonly id: string; readonly cursor: string }
  readonly taken: Taken[]
  /** Messages that nobody could believe. */
  readonly amiss: string[]
  /** All that programs of ours began to send to it. */
  readonly letters: Letter[]
  /** Events that it does not take, whenever they come. */
  readonly refused: Set<string>
  isGone: boolean
}
