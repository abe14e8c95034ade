/** On which day each of those who wait for an item has what it waits for, in the order of the queue; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { ChannelStock, Waiter } from './channel-stock.ts'

/** What comes on a day. */
export type Coming = { readonly on: string; readonly quantity: Quantity }

export type PromiseAsked = {
  /** What each waits for, the first in the queue first. */
  readonly queue: readonly Quantity[]
  readonly free: Quantity
  readonly coming: readonly Coming[]
  readonly today: string
}

/**
 * Of each the day on which all of it is there; null where what is to come does not reach it. What was to come on a day
 * that has passed is promised to nobody.
 */
export function promiseDates({ queue, free, coming, today }: PromiseAsked): (string | null)[] {
  const due = coming.filter(({ on }) => on >= today).toSorted((a, b) => (a.on < b.on ? -1 : 1))
  let there = Math.max(0, free)
  let day = today
  let next = 0
  return queue.map((quantity) => {
    while (there < quantity && next < due.length) {
      there += due[next]!.quantity
      day = due[next]!.on
      next += 1
    }
    if (there < quantity) {
      // who comes later gets nothing that an earlier one waits for
      there = 0
      return null
    }
    there -= quantity
    return day
  })
}

export type Dating = {
  readonly itemId: number
  /** The first in the queue first. */
  readonly queue: readonly Pick<Waiter, 'channel' | 'quantity' | 'minimumShelfLifeDays'>[]
  /** Is left as it is. */
  readonly stock: ChannelStock
  readonly coming: readonly (Coming & { readonly location: string })[]
  /** From where they are served. */
  readonly locations: readonly string[]
  readonly today: string
}

/**
 * As `promiseDates`; where something of the item is kept for channels, each is given what its channel may have, and where
 * somebody wants it to live long, only what does. What comes is taken to.
 */
export function datesOf(dating: Dating): (string | null)[] {
  const { itemId, queue, stock, locations, today } = dating
  const coming = dating.coming.filter(({ location, on }) => locations.includes(location) && on >= today)
  if (stock.isShared || queue.some(({ minimumShelfLifeDays }) => typeof minimumShelfLifeDays === 'number'))
    return datesByChannel({ ...dating, coming })
  const quantities = queue.map(({ quantity }) => quantity)
  const there = locations.map((location) => Math.max(0, stock.at(undefined, itemId, location)))
  const free = there.reduce((sum, here) => sum + here, 0)
  return promiseDates({ queue: quantities, free, coming, today })
}

/** The first evening on which a line has all that it wants of what those before it leave. */
function datesByChannel({ itemId, queue, stock, coming, locations, today }: Dating): (string | null)[] {
  const waiting = queue.map(({ channel, quantity, minimumShelfLifeDays }) => {
    return { itemId, channel, quantity, minimumShelfLifeDays }
  })
  const dates: (string | null)[] = queue.map(() => null)
  for (const day of new Set([today, ...coming.map(({ on }) => on).toSorted()])) {
    const then = stock.copy()
    for (const { on, location, quantity } of coming) if (on <= day) then.receive(itemId, location, quantity)
    for (const [at, quantity] of then.setAside(waiting, locations).entries()) {
      if (quantity === queue[at]!.quantity) dates[at] ??= day
    }
    if (!dates.includes(null)) break
  }
  return dates
}

export type Promised = { readonly promisedOn: string | null; readonly slippedFrom: string | null }

/** What becomes of a promise that is now for another day: the first day that was broken is kept until it can be kept. */
export function moved(
  { promisedOn, slippedFrom }: Promised,
  on: string | null,
): Promised & { readonly slips: boolean } {
  const slips = promisedOn !== null && (on === null || on > promisedOn)
  const first = slippedFrom ?? (slips ? promisedOn : null)
  const isKept = first !== null && on !== null && on <= first
  return { promisedOn: on, slippedFrom: isKept ? null : first, slips }
}
