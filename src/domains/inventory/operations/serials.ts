/** Takes what is told of serials: each is in one place only, and what contradicts that, or the quantity of a place, is answered. */
import type { Queries, Transaction } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import type { Bucket } from '../contract.ts'
import type { AdjustedLine, Adjustment } from '../contract/adjustments.ts'
import { isOwn, ownerOf } from '../contract/owners.ts'
import type { SerialKey, SerialPlace, SerialRow, SerialTold } from '../contract/serials.ts'
import { lotKey } from '../rules/lots.ts'
import {
  differingBuckets,
  isExplained,
  misfitOf,
  recounted,
  type SaidOfSerial,
  type SerialCount,
  stepSerial,
  unnamed,
  withoutDoubt,
} from '../rules/serials.ts'
import { selectHeld } from '../store/lots.ts'
import {
  countSerials,
  insertSerialFacts,
  lockSerials,
  selectDoubted,
  selectPresent,
  selectSerials,
  type SerialFact,
  type SerialSite,
  updateSerials,
} from '../store/serials.ts'

export type { SerialCount, SerialSite }
export { differingBuckets }

// NUL cannot be stored, so no two units share a key.
const keyOf = ({ company, itemId, serial }: SerialKey): string =>
  `${String(itemId).padStart(12, '0')} ${serial}\0${company}`
const siteKey = ({ company, itemId, location, ...of }: SerialSite): string =>
  `${company}\0${itemId}\0${location}\0${ownerOf(of)}`

export type SerialChange = { readonly before: SerialRow; readonly after: SerialRow }
export type SerialsTaken = {
  readonly changes: readonly SerialChange[]
  /** Of every place that is asked about or touched, as it is now. */
  readonly counts: readonly SerialCount[]
}

/**
 * In the order of the list, after the quantities of the same are booked: positions are locked before serials. Answers the
 * places beside them too, of which more or fewer units may be named than are there.
 */
export async function takeSerials(
  tx: Transaction,
  told: readonly SerialTold[],
  sites: readonly SerialSite[],
): Promise<SerialsTaken> {
  const due = await onHold(tx, told)
  const rows = await lockRows(tx, due)
  const counts = new Map(
    (
      await countSerials(
        tx,
        distinctSites([...sites, ...due.flatMap(sitesOfTold), ...[...rows.values()].flatMap(siteOf)]),
      )
    ).map((count) => [siteKey(count), count]),
  )
  const first = new Map(rows)
  const facts: SerialFact[] = []
  for (const one of due) {
    const before = rows.get(keyOf(one))!
    const step = stepSerial(before, one)
    if (step === 'known') continue
    rows.set(keyOf(one), { ...before, ...step.after })
    facts.push({ ...one, moved: step.moved })
    recount(counts, before, step.after)
  }
  const changed = [...new Set(facts.map(keyOf))]
  const changes = changed.map((key) => ({
    before: first.get(key)!,
    after: explained(rows.get(key)!, first.get(key)!, counts),
  }))
  updateSerials(
    tx,
    changes.map(({ after }) => after),
  )
  insertSerialFacts(tx, facts)
  return { changes, counts: [...counts.values()] }
}

function recount(counts: Map<string, SerialCount>, before: SerialRow, after: SerialPlace): void {
  const { company, itemId } = before
  for (const site of distinctSites(sitesAt({ company, itemId }, [before, after])))
    counts.set(siteKey(site), recounted(counts.get(siteKey(site))!, before, after))
}

/** What of a held lot comes for sale is on hold from the same moment; of others nothing is for sale. */
async function onHold(tx: Transaction, told: readonly SerialTold[]): Promise<readonly SerialTold[]> {
  const held = await selectHeld(
    tx,
    told.filter(({ lot, to }) => lot !== '' && isForSale(to)),
  )
  if (held.size === 0) return told
  return told.map((one) =>
    isForSale(one.to) && held.has(lotKey(one))
      ? { ...one, to: { ...one.to, bucket: 'quality_hold' as const } }
      : one,
  )
}

const isForSale = (to: SerialPlace): boolean => to.bucket === 'available' && isOwn(to)

async function lockRows(tx: Transaction, told: readonly SerialTold[]): Promise<Map<string, SerialRow>> {
  if (told.length === 0) return new Map()
  const keys = new Map(told.map((one) => [keyOf(one), one]))
  const sorted = [...keys.keys()].toSorted()
  tx.locking('serial', sorted)
  const rows = await lockSerials(
    tx,
    sorted.map((key) => keys.get(key)!),
  )
  return new Map(rows.map((row) => [keyOf(row), row]))
}

const sitesOfTold = ({ from, to, ...of }: SerialTold): SerialSite[] => sitesAt(of, [from, to])

const siteOf = (row: SerialRow): SerialSite[] => sitesAt(row, [row, doubtedAt(row)])

type Among = Pick<SerialPlace, 'location' | 'owner'>

const sitesAt = (
  { company, itemId }: Pick<SerialKey, 'company' | 'itemId'>,
  places: readonly Among[],
): SerialSite[] =>
  places.flatMap(({ location, owner }) => (location === null ? [] : [{ company, itemId, location, owner }]))

const doubtedAt = ({ doubtLocation, doubtOwner }: SerialRow): Among => ({
  location: doubtLocation,
  owner: doubtOwner,
})

/** The stock that has to explain a unit that is in doubt. */
const siteInDoubt = (row: SerialRow): SerialSite => sitesAt(row, [doubtedAt(row)])[0]!

const distinctSites = (sites: readonly SerialSite[]): SerialSite[] => [
  ...new Map(sites.map((site) => [siteKey(site), site])).values(),
]

/** A doubt that is new and that its place explains already is none. */
function explained(after: SerialRow, before: SerialRow, counts: ReadonlyMap<string, SerialCount>): SerialRow {
  if (after.doubtLocation === null || hasSameDoubt(after, before)) return after
  const count = counts.get(siteKey(siteInDoubt(after)))
  return count && isExplained(after, count) ? { ...after, ...withoutDoubt(after) } : after
}

const hasSameDoubt = (a: SerialRow, b: SerialRow): boolean =>
  a.doubt === b.doubt && a.doubtLocation === b.doubtLocation && a.doubtOwner === b.doubtOwner

/** Doubts whose places explain them by now; ended, as far as nothing more was told of the serial meanwhile. */
export async function settleSerials(tx: Transaction, doubted: readonly SerialRow[]): Promise<SerialRow[]> {
  const sorted = doubted.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  tx.locking('serial', sorted.map(keyOf))
  const rows = (await lockSerials(tx, sorted)).filter(({ doubt }) => doubt !== null)
  const counts = await countSerials(tx, distinctSites(rows.map(siteInDoubt)))
  const byPlace = new Map(counts.map((count) => [siteKey(count), count]))
  const settled = rows.filter((row) => isExplained(row, byPlace.get(siteKey(siteInDoubt(row)))!))
  updateSerials(
    tx,
    settled.map((row) => ({ ...row, ...withoutDoubt(row) })),
  )
  return settled
}

/** What people are about to say of a unit. */
export type SerialSaid = SerialKey & SaidOfSerial
export type Misfit = {
  readonly said: SerialSaid
  readonly misfit: 'not-there' | 'has-place'
  /** As it is known; undefined: nobody has told of it. */
  readonly known: SerialRow | undefined
}

/** What does not fit what is known. Of units that nobody had named, one may be named where it is taken. */
export async function misfitsAmong(queries: Queries, said: readonly SerialSaid[]): Promise<Misfit[]> {
  if (said.length === 0) return []
  const rows = new Map((await selectSerials(queries, said)).map((row) => [keyOf(row), row]))
  const found = said.flatMap((one): Misfit[] => {
    const known = rows.get(keyOf(one))
    const misfit = misfitOf(known, one)
    return misfit ? [{ said: one, misfit, known }] : []
  })
  const unheard = found.filter(({ misfit, known }) => misfit === 'not-there' && known === undefined)
  const counts = await countSerials(queries, distinctSites(unheard.map((one) => one.said)))
  const left = new Map(counts.map((count) => [siteKey(count), { count, used: 0 }]))
  return found.filter((one) => {
    if (!unheard.includes(one)) return true
    const site = left.get(siteKey(one.said))!
    site.used += units(1)
    return site.used > unnamed(site.count, one.said.kind === 'missing' ? 'in_transit' : one.said.status)
  })
}

export const countSerialsAt = countSerials
export const doubtedSerials = selectDoubted

export const serialsAt = selectPresent

/** Where a line of an adjustment takes its units from, and where it puts them. */
function routeOf({ kind, location, place, status, toStatus, owner, toOwner }: AdjustedLine): {
  readonly from: SerialPlace
  readonly to: SerialPlace
} {
  const here = { bucket: status, location, owner }
  const transit = { bucket: 'in_transit', location, owner } as const
  const outside = (bucket: Bucket): SerialPlace => ({ bucket, location: null, owner })
  switch (kind) {
    case 'counted':
      return { from: here, to: here }
    case 'found':
      return { from: outside('adjustment'), to: here }
    case 'lost':
      return { from: here, to: outside('adjustment') }
    case 'moved':
      return { from: here, to: { ...here, bucket: toStatus! } }
    case 'returned':
      return { from: outside('shipped'), to: { ...here, bucket: 'quarantine' } }
    case 'sent':
      return { from: here, to: { ...transit, location: place! } }
    case 'arrived':
      return { from: transit, to: here }
    case 'missing':
      return { from: transit, to: outside('adjustment') }
    case 'handed-over':
      return { from: here, to: { ...here, owner: toOwner! } }
  }
}

/**
 * What an adjustment says of single units. Of a count: those that it names are there, and others that are known there are
 * not; what has moved since it was entered is left as it is.
 */
export async function serialsAdjusted(
  queries: Queries,
  { id: doc, company, reason, requestedAt, lines }: Adjustment,
  { number, at }: { readonly number: string; readonly at: Date },
): Promise<SerialTold[]> {
  const counted = lines.filter(({ kind }) => kind === 'counted')
  const known = await knownOf(queries, company, counted)
  return lines.flatMap((line) => {
    const { itemId, lot, n } = line
    const common = {
      company,
      itemId,
      lot,
      reason,
      source: 'adjustment',
      sourceKey: `${number}/${n}`,
      doc,
      at,
    }
    const each = (serials: readonly string[], kind = line.kind): SerialTold[] =>
      serials.map((serial) => ({ ...common, serial, ...routeOf({ ...line, kind }) }))
    if (line.kind !== 'counted') return each(line.serials)
    const { confirmed, found, lost } = countedAs(line, known, requestedAt)
    return [...each(confirmed), ...each(found, 'found'), ...each(lost, 'lost')]
  })
}

/** What is known at the places that were counted, and of the units that were. */
async function knownOf(
  queries: Queries,
  company: string,
  counted: readonly AdjustedLine[],
): Promise<readonly SerialRow[]> {
  if (counted.length === 0) return []
  const sites = counted.map(({ itemId, location, owner }) => ({ company, itemId, location, owner }))
  const [here, named] = await Promise.all([
    selectPresent(queries, distinctSites(sites)),
    selectSerials(
      queries,
      counted.flatMap(({ itemId, serials }) => serials.map((serial) => ({ company, itemId, serial }))),
    ),
  ])
  return [...new Map([...here, ...named].map((row) => [keyOf(row), row])).values()]
}

function countedAs(
  { itemId, location, lot, owner, status, serials }: AdjustedLine,
  known: readonly SerialRow[],
  since: Date,
): Readonly<Record<'confirmed' | 'found' | 'lost', string[]>> {
  const mine = known.filter((row) => row.itemId === itemId)
  const isIn = (row: SerialRow): boolean =>
    row.location === location &&
    row.owner === owner &&
    row.bucket === status &&
    (lot === '' || row.lot === lot)
  const here = new Set(mine.filter(isIn).map(({ serial }) => serial))
  const moved = new Set(
    mine.filter(({ toldAt }) => toldAt !== null && toldAt > since).map(({ serial }) => serial),
  )
  const counted = new Set(serials)
  return {
    confirmed: serials.filter((serial) => here.has(serial)),
    found: serials.filter((serial) => !here.has(serial) && !moved.has(serial)),
    lost: [...here].filter((serial) => !counted.has(serial) && !moved.has(serial)),
  }
}
