/** Supply that does not go as ordered: one owned exception for each cause, which closes by itself when it is gone. */
import { placeReceipts } from '#domains/supply/operations.ts'
import { placeTold } from '#domains/supply/operations/told.ts'
import {
  type ExceededLine,
  type SupplyTroubles,
  troublesOf,
  type UnplacedReceipts,
} from '#domains/supply/views.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { factsOf, occurrence, toldOccurrences } from './supply-told.ts'

export type SupplyWatch = {
  readonly database: Database
  readonly clock: Clock
  readonly companies: readonly { readonly code: string; readonly timeZone: string }[]
  readonly openExceptions: OpenExceptions
}

/** By the code of an exception: what is said when it closes. */
const GONE = {
  'supply.late': 'it was received, moved or cancelled',
  'supply.date_differs': 'the order has the day that its supplier gives',
  'supply.quantity_differs': 'the order wants what its supplier delivers',
  'supply.told_unknown': 'the order was read',
  'supply.over_received': 'the purchase order wants what was received',
  'supply.order_unknown': 'the receipt is counted on its purchase order',
  'supply.taken_back': 'what was taken back had come',
  'supply.order_unnamed': 'the receipts have a purchase order',
} as const
type Code = keyof typeof GONE
const CODES = Object.keys(GONE) as Code[]

const PORTION = 200
/** In which what an ERP has ordered is read twice. */
const READ_WITHIN_MS = 10 * 60_000

/**
 * One look: places receipts whose order has come to be known, then makes the open exceptions what is wrong now. It
 * remembers nothing, so that a look that was broken off is made good by the next.
 */
export async function watchSupply(watch: SupplyWatch): Promise<void> {
  const { database, clock, companies, openExceptions } = watch
  while ((await database.transaction((tx) => placeReceipts(tx, PORTION))) === PORTION);
  await database.transaction(async (tx) => placeTold(tx))
  const now = clock.now()
  const today = new Map(companies.map(({ code, timeZone }) => [code, localDate(now, timeZone)]))
  const toldBy = new Date(now.getTime() - READ_WITHIN_MS)
  const wrong = occurrencesOf(await troublesOf(database, today, toldBy), today)
  const known = await openCausesOf(database, [...today.keys()], CODES)
  const knownKeys = new Set(known.map(keyOf))
  const wrongKeys = new Set(wrong.map(keyOf))
  for (const portion of portions(wrong.filter((one) => !knownKeys.has(keyOf(one)))))
    await database.transaction((tx) => openExceptions(tx, portion))
  const gone = known.filter((one) => !wrongKeys.has(keyOf(one)))
  for (const [code, causes] of Map.groupBy(gone, (one) => one.code as Code)) {
    for (const portion of portions(causes))
      await database.transaction((tx) => closeExceptions(tx, portion, GONE[code]))
  }
}

const keyOf = ({ company, cause }: Cause): string => `${company}\0${cause}`

function* portions<T>(all: readonly T[]): Generator<T[]> {
  for (let from = 0; from < all.length; from += PORTION) yield all.slice(from, from + PORTION)
}

const occurrencesOf = (
  { exceeded, unplaced, ...told }: SupplyTroubles,
  today: ReadonlyMap<string, string>,
): Occurrence[] => [...toldOccurrences(told, today), ...exceeded.map(exceededOf), ...unplaced.map(unplacedOf)]

function unplacedOf(receipts: UnplacedReceipts): Occurrence {
  if (receipts.quantity < 0) return takenBackOf(receipts)
  return receipts.number === '' ? unnamedOf(receipts) : unknownOf(receipts)
}

const exceededOf = (line: ExceededLine): Occurrence =>
  occurrence('supply.over_received', `${line.number}:${line.line}`, {
    company: line.company,
    title: `${line.location} received more of purchase order ${line.number}, line ${line.line}, than it wants`,
    suggestedAction:
      "Count it, and agree with the supplier: raise the purchase order in the ERP, or send the rest back. Won't fix when it is kept as it is.",
    facts: { ...factsOf(line), ordered: formatQuantity(line.ordered), excess: formatQuantity(line.excess) },
  })

const unknownOf = ({ company, number, items, since }: UnplacedReceipts): Occurrence =>
  occurrence('supply.order_unknown', number, {
    company,
    title: `Goods came for purchase order ${number}, which does not have them`,
    suggestedAction:
      "Correct the purchase order in the ERP, or its number at the warehouse. Won't fix when the goods are stock without an order.",
    facts: { purchaseOrder: number, items, since: since.toISOString() },
  })

const takenBackOf = ({ company, number, location, items, since, quantity }: UnplacedReceipts): Occurrence =>
  occurrence('supply.taken_back', number || (location ?? ''), {
    company,
    title: `More was taken back of ${number || `what ${location} received`} than had come`,
    suggestedAction:
      "Ask the warehouse which receipt it took back, and have its purchase order named. Won't fix when it was right.",
    facts: { purchaseOrder: number, items, since: since.toISOString(), quantity: formatQuantity(quantity) },
  })

const unnamedOf = ({ company, location, items, since }: UnplacedReceipts): Occurrence =>
  occurrence('supply.order_unnamed', location ?? '', {
    company,
    title: `${location} receives goods without naming a purchase order`,
    suggestedAction:
      "Have the warehouse name the purchase order: what is on order stays too high until then. Won't fix when that place is not supplied by orders.",
    facts: { location, items, since: since.toISOString() },
  })
