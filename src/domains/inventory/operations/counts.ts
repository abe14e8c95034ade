/** Takes snapshots: what they count takes the place of what was told before, what moved after them stays, and so do claims. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { type Books, byPlace, type Place } from '../books.ts'
import type { Movement } from '../contract.ts'
import { isCountedByAnother } from '../counted.ts'
import { holdRest } from '../held.ts'
import type { Count, CountedBelow, CountTaking, Difference, Statuses } from '../contract/feeds.ts'
import { lockBooks, writeBooks } from '../operations.ts'
import { agrees, asOf, type Correction, correctionOf, inAll, NOTHING } from '../rules/counting.ts'
import { countedAsHeld, lotKey } from '../rules/lots.ts'
import { countedByHand, leftByHand } from '../rules/by-hand.ts'
import { isOwn } from '../contract/owners.ts'
import { isContained } from '../rules/feeds.ts'
import { laterByPlace, type LaterAt, openedLater } from '../rules/later.ts'
import { ownedKey } from '../rules.ts'
import { insertMovements, makePositions } from '../store.ts'
import { selectAtPlaces, updateByHand } from '../store/by-hand.ts'
import { feedKey, lockFeeds, markAsCounted, selectMovedLater } from '../store/feeds.ts'
import { linesOf, writeFeeds } from './feeds.ts'
import { heldMeanwhile } from './held-meanwhile.ts'

type Doubtful = Pick<Place, 'itemId' | 'location' | 'owner'>

export type CountsTaken = {
  /** Places whose books were other than the count. */
  readonly corrected: readonly Difference[]
  /** Items of which lots were other than the count, be their sum right or not. */
  readonly lotsCorrected: readonly number[]
  readonly below: readonly CountedBelow[]
  /** Places where something was in doubt, or is. */
  readonly doubtful: readonly Doubtful[]
  /** A later snapshot has told of them, of this source or of another. */
  readonly superseded: number
  /** Facts that waited and are to be booked now, in order. */
  readonly due: readonly object[]
}

/** One count for each place; locks its feed first, then its position. */
export async function takeCounts(
  tx: Transaction,
  counts: readonly Count[],
  taking: CountTaking,
): Promise<CountsTaken> {
  const { source, takenAt } = taking
  const mark = taking.mark ?? null
  const sorted = counts.toSorted((a, b) => byPlace({ ...a, lot: '' }, { ...b, lot: '' }))
  const feeds = await lockFeeds(
    tx,
    sorted.map((count) => ({ ...count, source })),
  )
  const lines = await linesOf(tx, feeds)
  const lineOf = (count: Count) => lines.get(feedKey({ ...count, source }))!
  const told = { mark: taking.mark, at: takenAt }
  const fresh = sorted.filter((count) => !isContained(told, lineOf(count).contained))
  if (fresh.length === 0) return noneTaken(sorted.length)
  const correcting = await correctAll(tx, fresh, taking)
  const due: object[] = []
  for (const count of fresh) {
    if (count.sequence !== undefined) lineOf(count).goOn(count.sequence)
    due.push(...lineOf(count).release())
  }
  writeFeeds(
    tx,
    fresh.map((count) => ({
      key: { itemId: count.itemId, location: count.location, owner: count.owner, source },
      line: lineOf(count),
      repeated: 0,
      late: 0,
    })),
  )
  markAsCounted(tx, fresh, { source, mark, takenAt })
  return { ...correcting, superseded: correcting.superseded + sorted.length - fresh.length, due }
}

const noneTaken = (superseded: number): CountsTaken => ({
  corrected: [],
  lotsCorrected: [],
  below: [],
  doubtful: [],
  superseded,
  due: [],
})

async function correctAll(tx: Transaction, told: readonly Count[], taking: CountTaking) {
  const { source, takenAt, askedAt } = taking
  const made = makePositions(
    tx,
    told.map((count) => ({ ...count, lot: '' })),
  )
  const since = { source, mark: taking.mark ?? null, takenAt, askedAt }
  const [books, held, moved, entered] = await Promise.all([
    lockBooks(
      tx,
      told.map((count) => ({ ...count, lot: '' })),
    ),
    heldMeanwhile(tx, told.filter(isOwn).flatMap(lotsOf), made),
    selectMovedLater(tx, told, since),
    selectAtPlaces(tx, told.filter(isOwn)),
  ])
  const opened = openedLater(moved)
  const current = told.filter(
    (count) =>
      !opened.has(ownedKey(count)) && !isCountedByAnother(books, { ...count, lot: '', source, at: takenAt }),
  )
  const counts = current.map((count) => (isOwn(count) ? countedAsHeld(count, held) : count))
  const later = laterByPlace([...moved, ...leftByHand(entered, takenAt)], held)
  updateByHand(tx, countedByHand(entered, takenAt))
  const movements: Movement[] = []
  const corrected: Difference[] = []
  const lotsCorrected: number[] = []
  const below: CountedBelow[] = []
  const doubtful: Doubtful[] = []
  for (const count of counts) {
    const place: Place = { ...count, lot: '' }
    const before = books.at(place, '')
    const theirs = inAll(count)
    const ours = asOf(before, later(place, undefined))
    const correcting = correct(books, count, { later, taking })
    movements.push(...correcting)
    const { company, itemId, location, owner } = count
    if (correcting.some(({ lot }) => lot !== '')) lotsCorrected.push(itemId)
    if (!agrees(ours, theirs)) corrected.push({ company, itemId, location, owner, ours, theirs })
    const after = books.at(place, '')
    if (before.unreconciled !== 0 || after.unreconciled !== 0) doubtful.push({ itemId, location, owner })
    const there = after.available + after.unreconciled
    if (there < after.reserved)
      below.push({ company, itemId, location, counted: there, reserved: after.reserved })
  }
  holdRests(books, current.filter(isOwn), held)
  writeBooks(tx, books)
  insertMovements(tx, movements)
  return { corrected, lotsCorrected, below, doubtful, superseded: told.length - current.length }
}

/** Of lots that we hold all is on hold that their source does not hold itself. */
function holdRests(books: Books, told: readonly Count[], held: ReadonlySet<string>): void {
  for (const count of told) {
    for (const [lot, { qualityHold }] of count.lots)
      if (held.has(lotKey({ itemId: count.itemId, lot }))) holdRest(books, { ...count, lot }, qualityHold)
  }
}

const lotsOf = ({ lots, ...count }: Count) =>
  [...lots.keys()].flatMap((lot) => (lot === '' ? [] : [{ ...count, lot }]))

const BUCKET_OF = {
  available: 'available',
  qualityHold: 'quality_hold',
  damaged: 'damaged',
  unreconciled: 'unreconciled',
} as const
const FIELDS = Object.keys(BUCKET_OF) as (keyof Correction)[]

type Correcting = { readonly later: LaterAt; readonly taking: CountTaking }

/** Makes the whole and its lots what was counted; answers the movements that do it, lot by lot and then what is left. */
function correct(books: Books, count: Count, { later, taking }: Correcting): Movement[] {
  const place: Place = { ...count, lot: '' }
  const left: Record<keyof Correction, Quantity> = {
    ...correctionOf(books.at(place, ''), inAll(count), later(place, undefined)),
  }
  books.change(place, '', left)
  const movements: Movement[] = []
  for (const lot of lotsToCorrect(books, count)) {
    const counted: Statuses = count.lots.get(lot) ?? NOTHING
    const change = correctionOf(books.at(place, lot), counted, later(place, lot))
    books.change(place, lot, change)
    movements.push(...movementsOf({ ...place, lot }, change, taking))
    for (const field of FIELDS) left[field] -= change[field]
  }
  return [...movements, ...movementsOf(place, left, taking)]
}

/** Where a source tells no lots, ours stay as they are. */
function lotsToCorrect(books: Books, count: Count): readonly string[] {
  const told = [...count.lots.keys()].filter((lot) => lot !== '')
  const known = books.lotsAt(count)
  const isByLot = told.length > 0 || agrees(inAll(count), NOTHING)
  return isByLot ? [...new Set([...told, ...known])].toSorted() : []
}

function movementsOf(
  place: Place,
  change: Correction,
  { source, sourceKey, takenAt, mark }: CountTaking,
): Movement[] {
  const { company, itemId, location, lot, owner } = place
  const common = {
    company,
    itemId,
    location,
    lot,
    owner,
    reason: 'snapshot',
    source,
    sourceKey,
    doc: null,
    at: takenAt,
    mark,
  }
  return FIELDS.flatMap((field): Movement[] => {
    const quantity = change[field]
    if (quantity === 0) return []
    const bucket = BUCKET_OF[field]
    return quantity > 0
      ? [{ ...common, from: 'adjustment', to: bucket, quantity }]
      : [{ ...common, from: bucket, to: 'adjustment', quantity: -quantity }]
  })
}
