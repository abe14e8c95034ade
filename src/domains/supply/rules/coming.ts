/** How what is open of a purchase order line is to come: under way, confirmed, or as it was ordered; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { AnsweredPart } from '../contract/told.ts'

/** Nobody has said when. Later than any day. */
export const NO_DAY = 'infinity'

export type OpenLine = {
  readonly ordered: Quantity
  readonly cancelled: Quantity
  readonly received: Quantity
  readonly open: Quantity
  /** ISO date, or `NO_DAY`. */
  readonly expectedOn: string
}

/** The supplier's latest answer to a line. */
export type LineAnswer = {
  readonly parts: readonly AnsweredPart[]
  readonly refused: Quantity
  /** False where the order was given another day since: the answer's days are none to it. */
  readonly daysCount: boolean
}

export type Underway = { readonly quantity: Quantity; readonly expectedOn: string }

export type Basis = 'shipped' | 'confirmed' | 'ordered'
export type ComingPart = {
  readonly basis: Basis
  readonly quantity: Quantity
  readonly expectedOn: string
}

export type Coming = {
  readonly parts: readonly ComingPart[]
  /** Open at the ERP, and the supplier will not deliver it. */
  readonly refused: Quantity
}

/**
 * Parts and refused are together what is open. What was received is the earliest of what was shipped, and what was
 * shipped or received is the earliest of what was confirmed; what nobody has answered, or dated, is to come as ordered.
 */
export function comingOf(
  line: OpenLine,
  answer: LineAnswer | undefined,
  shipped: readonly Underway[],
): Coming {
  const parts: ComingPart[] = []
  let left = line.open
  const fill = (basis: Basis, given: readonly Underway[], done: Quantity): void => {
    let behind = done
    for (const { quantity, expectedOn } of given.toSorted(byDay)) {
      const rest = Math.max(0, quantity - behind)
      behind = Math.max(0, behind - quantity)
      const part = Math.min(rest, left)
      if (part > 0) parts.push({ basis, quantity: part, expectedOn })
      left -= part
    }
  }
  const underway = shipped.map((part) =>
    part.expectedOn === NO_DAY ? { ...part, expectedOn: line.expectedOn } : part,
  )
  fill('shipped', underway, line.received)
  const sent = shipped.reduce((sum, { quantity }) => sum + quantity, 0)
  fill('confirmed', daysOf(line, answer), Math.max(sent, line.received))
  const refused = Math.min(answer?.refused ?? 0, left)
  left -= refused
  if (left > 0) parts.push({ basis: 'ordered', quantity: left, expectedOn: line.expectedOn })
  return { parts, refused }
}

const daysOf = ({ expectedOn }: OpenLine, answer: LineAnswer | undefined): Underway[] =>
  (answer?.parts ?? []).map((part) => ({
    quantity: part.quantity,
    expectedOn: answer?.daysCount && part.expectedOn !== undefined ? (part.expectedOn ?? NO_DAY) : expectedOn,
  }))

const byDay = (a: Underway, b: Underway): number =>
  a.expectedOn < b.expectedOn ? -1 : a.expectedOn > b.expectedOn ? 1 : 0

const DAY_MS = 86_400_000

/** The day of a part that is furthest from the ordered one, where that is more than so many days. */
export function movedDay(
  { expectedOn }: OpenLine,
  { parts }: Coming,
  toleratedDays: number,
): string | undefined {
  if (expectedOn === NO_DAY) return undefined
  const away = (day: string): number => Math.abs(Date.parse(day) - Date.parse(expectedOn)) / DAY_MS
  const days = parts.flatMap((part) =>
    part.basis === 'ordered' || part.expectedOn === NO_DAY ? [] : [part.expectedOn],
  )
  return days.filter((day) => away(day) > toleratedDays).toSorted((a, b) => away(b) - away(a))[0]
}

const MILLION = 1_000_000

/** How much more (or, negative, less) the supplier says he delivers than is wanted, where that is beyond tolerance. */
export function quantityOff(
  { ordered, cancelled }: OpenLine,
  { answer, shipped, coming }: { answer: LineAnswer | undefined; shipped: Quantity; coming: Coming },
  toleratedPpm: number,
): Quantity {
  const wanted = ordered - cancelled
  const tolerated = (wanted / MILLION) * toleratedPpm
  if (coming.refused > tolerated) return -coming.refused
  const confirmed = (answer?.parts ?? []).reduce((sum, { quantity }) => sum + quantity, 0)
  const more = Math.max(confirmed, shipped) - wanted
  return more > tolerated ? more : 0
}
