/** Takes a file of stock: the good lines portion by portion, each once; the others are named by line and field. */
import type {
  BadLine,
  CountedStock,
  CountLine,
  StockFile,
  StockSnapshot,
  UnreadCount,
} from '#capabilities/stock.ts'
import { notYet } from '#capabilities/told-time.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { contentHash, receiveMessages, showMessage } from '#platform/inbox.ts'
import type { Docket } from '#platform/process.ts'
import { convertQuantity, formatQuantity, type Quantity } from '#platform/quantity.ts'
import { isOwn, ownerOf } from '#domains/inventory/contract/owners.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { comesWhole, findItems } from '#domains/items/operations.ts'
import type { ReconcilePorts } from './reconciliation.ts'
import { reconcileGiven } from './reconciliation-given.ts'
import { type NamedPlace, type PlaceChange, summedUp, watched } from './stock-file-changes.ts'
import { type FeedTold, takeMovements } from './stock-feed.ts'
import { ownerRefusal } from './stock-owners.ts'
import { takeSnapshot } from './stock-snapshots.ts'

export type FilePorts = ReconcilePorts & {
  readonly hasCompany: (code: string) => boolean
  /** Each transaction is undone: the report says what would change. */
  readonly isUndone?: boolean
}
export type Waking = Pick<Docket, 'wakeAfterwards'>

export type GivenFile = {
  readonly source: string
  /** Of which the source tells. */
  readonly locations: readonly string[]
  readonly text: string
  readonly file: StockFile
  /** Of a snapshot: what its locations have beside is not there. */
  readonly whole: boolean
  readonly onProgress?: (done: number, lines: number) => void
}

export type FileReport = {
  readonly lines: number
  /** Movements that were booked, or counts that were taken. */
  readonly taken: number
  /** Told before, by this file or another. */
  readonly repeated: number
  /** Contained in a snapshot, or older than one. */
  readonly late: number
  /** Kept until what is missing before them comes. */
  readonly waiting: number
  /** Places that a snapshot found to be otherwise than the books. */
  readonly corrected: number
  /** Places that differ by more than the source is trusted with: they stay, and somebody is told. */
  readonly told: number
  /** Reports of whole counts, one for each location. */
  readonly reconciliations: readonly number[]
  readonly refused: readonly BadLine[]
  /** What would change, where nothing is written. */
  readonly changes?: readonly PlaceChange[]
}

const PORTION = 1_000

type Counted = {
  taken: number
  repeated: number
  late: number
  waiting: number
  corrected: number
  told: number
  reconciliations: number[]
}
type Standings = 'taken' | 'repeated' | 'late' | 'waiting'

/** The same file again does nothing, also where its first time was broken off: what was taken then is known. */
export async function loadStockFile(ports: FilePorts, given: GivenFile): Promise<FileReport> {
  const { file, locations } = given
  const refused: BadLine[] = [...file.bad]
  const counted: Counted = {
    taken: 0,
    repeated: 0,
    late: 0,
    waiting: 0,
    corrected: 0,
    told: 0,
    reconciliations: [],
  }
  const fed = file.lines.filter(({ line, told }) => {
    if (locations.includes(told.location)) return true
    const message = `it tells of ${locations.join(', ')}, not of ${told.location}`
    refused.push({ line, field: 'location', code: 'inventory.location_not_fed', message })
    return false
  })
  const unread = file.kind === 'snapshot' ? file.unread : []
  const changes: PlaceChange[] = []
  const load = { ...given, hash: contentHash(given.text), refused, counted, unread, changes }
  if (file.kind === 'movements') await loadMovements(ports, placeByPlace(ports, fed as MovementLine[]), load)
  else await loadCounts(ports, fed as CountLine[], load)
  const sorted = refused.toSorted((a, b) => a.line - b.line)
  const report = { lines: file.lines.length + file.bad.length, ...counted, refused: sorted }
  return ports.isUndone === true ? { ...report, reconciliations: [], changes: summedUp(changes) } : report
}

/** What is undone after each portion sees all of a place in one of them, as far as it fits. */
const placeByPlace = ({ isUndone }: FilePorts, lines: readonly MovementLine[]): readonly MovementLine[] =>
  isUndone === true
    ? [...Map.groupBy(lines, ({ told }) => `${told.location} ${ownedSku(told)}`).values()].flat()
    : lines

const ownedSku = (told: AnyLine['told']): string => `${ownerOf(told)} ${told.sku}`

type MovementLine = Extract<StockFile, { kind: 'movements' }>['lines'][number]
type Loading = GivenFile & {
  readonly hash: string
  readonly refused: BadLine[]
  readonly counted: Counted
  readonly unread: readonly UnreadCount[]
  readonly changes: PlaceChange[]
}
type AnyLine = MovementLine | CountLine

const itemsOf = (queries: Queries, lines: readonly AnyLine[]): Promise<ReadonlyMap<string, SellingItem>> =>
  findItems(
    queries,
    lines.map(({ company, told }) => ({ company, sku: told.sku })),
  )

/** The item of a line and its quantities in base units; names what is wrong. */
function inBase<Field extends string>(
  { line, company, unit, told }: AnyLine,
  items: ReadonlyMap<string, SellingItem>,
  quantities: Readonly<Record<Field, Quantity>>,
): Readonly<Record<Field, Quantity>> | BadLine {
  const item = items.get(itemKey(company, told.sku))
  if (!item) {
    const message = `${company} has no item ${told.sku}`
    return { line, field: 'sku', code: 'inventory.item_unknown', message }
  }
  const misowned = ownerRefusal(told, item)
  if (misowned) return { line, field: 'owner', code: misowned.code, message: misowned.message }
  const factor = unit === undefined ? { numerator: 1, denominator: 1 } : item.units.get(unit)
  if (!factor) {
    const message = `${told.sku} has no unit ${unit}`
    return { line, field: 'unit', code: 'items.unit_unknown', message }
  }
  const base: Partial<Record<Field, Quantity>> = {}
  for (const [field, quantity] of Object.entries(quantities) as [Field, Quantity][]) {
    const converted = convertQuantity(quantity, factor)
    if (converted === undefined) {
      const message = `${formatQuantity(quantity)} ${unit} does not convert to ${item.baseUnit}`
      return { line, field, code: 'items.quantity_not_exact', message }
    }
    if (comesWhole(item.baseUnit) && formatQuantity(converted).includes('.')) {
      const message = `${formatQuantity(converted)}: ${item.baseUnit} comes in whole numbers`
      return { line, field, code: 'items.quantity_not_whole', message }
    }
    base[field] = converted
  }
  return base as Readonly<Record<Field, Quantity>>
}

const isBad = (given: object): given is BadLine => 'code' in given

async function loadMovements(ports: FilePorts, lines: readonly MovementLine[], load: Loading): Promise<void> {
  const { source, hash, refused, counted, onProgress } = load
  for (let from = 0; from < lines.length; from += PORTION) {
    const portion = lines.slice(from, from + PORTION)
    const items = await itemsOf(ports.queries, portion)
    const numbered = new Map<FeedTold, number>()
    for (const one of portion) {
      const base = inBase(one, items, { quantity: one.told.quantity })
      if (isBad(base)) refused.push(base)
      else {
        const sourceKey = `${hash.slice(0, 16)}:${one.line}`
        numbered.set({ ...one.told, ...base, source, sourceKey, company: one.company }, one.line)
      }
    }
    await once(ports, load, { nth: from / PORTION, places: [...numbered.keys()] }, async (tx, turn) => {
      const standings = await takeMovements(tx, turn, ports, [...numbered.keys()])
      return () => {
        for (const [told, standing] of standings) {
          if (standing instanceof Refusal) refused.push(badLine(numbered.get(told)!, standing))
          else counted[(standing === 'due' ? 'taken' : standing) satisfies Standings] += 1
        }
      }
    })
    onProgress?.(Math.min(from + PORTION, lines.length), lines.length)
  }
}

const FIELD_OF: Readonly<Record<string, string>> = {
  'inventory.item_unknown': 'sku',
  'inventory.time_ahead': 'at',
}

const badLine = (line: number, { code, message }: Refusal): BadLine => ({
  line,
  field: FIELD_OF[code] ?? 'reason',
  code,
  message,
})

type Portion = { readonly nth: number | string; readonly places: readonly NamedPlace[] }

/** Files the portion under the content of its file: one that was taken before is known. */
async function once(
  { transaction, isUndone }: FilePorts,
  { source, hash, counted, changes }: Loading,
  { nth, places }: Portion,
  work: (tx: Transaction, turn: Waking) => Promise<() => void>,
): Promise<void> {
  const lines = places.length
  if (lines === 0) return
  const note = await transaction(source, async (tx, turn) => {
    const messageId = `${hash}#${nth}`
    const body = JSON.stringify({ portion: nth, lines })
    const message = { source, messageId, type: 'stock-file', contentHash: hash, body }
    const verdicts = await receiveMessages(tx, [message], 'applied')
    if (verdicts.get(message) !== 'new') return undefined
    if (isUndone !== true) return work(tx, turn)
    const seen = await watched(tx, places, () => work(tx, turn))
    return () => {
      changes.push(...seen.changes)
      seen.answer()
    }
  })
  if (note) note()
  else counted.repeated += lines
}

async function loadCounts(ports: FilePorts, lines: readonly CountLine[], load: Loading): Promise<void> {
  const askedAt = ports.clock.now()
  const places = Map.groupBy(lines, ({ company, told }) => JSON.stringify([company, told.location]))
  let done = 0
  for (const [place, own] of places) {
    const [company, location] = JSON.parse(place) as [string, string]
    const moment = own[0]!
    const other = own.find(
      ({ takenAt, mark }) => takenAt.getTime() !== moment.takenAt.getTime() || mark !== moment.mark,
    )
    if (other) {
      const message = `line ${moment.line} tells of ${location} at another moment`
      load.refused.push({ line: other.line, field: 'taken_at', code: 'inventory.snapshot_split', message })
      continue
    }
    if (load.whole && !ports.hasCompany(company)) {
      const message = `${company} is not configured, so that a whole count of it cannot be held against books`
      const code = 'inventory.company_unknown'
      load.refused.push(...own.map(({ line }) => ({ line, field: 'company', code, message })))
      continue
    }
    const { takenAt, mark } = moment
    const ahead = notYet(takenAt, askedAt)
    if (ahead) {
      const { code, message } = ahead
      load.refused.push(...own.map(({ line }) => ({ line, field: 'taken_at', code, message })))
      continue
    }
    const snapshot = { company, location, takenAt, mark, scope: 'items' as const }
    await loadPlace(ports, own, { load, snapshot, askedAt })
    done += own.length
    load.onProgress?.(done, lines.length)
  }
}

type Place = {
  readonly load: Loading
  readonly snapshot: Omit<StockSnapshot, 'lines'>
  readonly askedAt: Date
}

async function loadPlace(ports: FilePorts, lines: readonly CountLine[], place: Place): Promise<void> {
  const { load, snapshot } = place
  const items = await itemsOf(ports.queries, lines)
  const unread = unreadAt(load.unread, snapshot)
  // items that the count may tell of and of which it is not known what
  const unknown = new Set(unread)
  const counts: CountedStock[][] = []
  for (const own of Map.groupBy(lines, ({ told }) => ownedSku(told)).values()) {
    const { sku } = own[0]!.told
    if (unread.has(sku)) {
      const message = `another line of ${sku} cannot be read`
      const code = 'inventory.line_malformed'
      load.refused.push(...own.map(({ line }) => ({ line, field: 'sku', code, message })))
      continue
    }
    const read = own.map((one) => {
      const { available, qualityHold, damaged } = one.told
      const base = inBase(one, items, { available, qualityHold, damaged })
      return isBad(base) ? base : { ...one.told, ...base }
    })
    // of an item all lines or none: half of its lots would be a count of the others as well
    if (!read.some(isBad)) counts.push(read as CountedStock[])
    else {
      load.refused.push(...read.filter(isBad))
      if (isOwn(own[0]!.told)) unknown.add(sku)
    }
  }
  if (load.whole) await holdWhole(ports, { ...place, lines: counts.flat().filter(isOwn), unread: unknown })
  const given = load.whole ? counts.filter(([line]) => !isOwn(line!)) : counts
  for (let from = 0; from < given.length; from += PORTION) {
    const portion = given.slice(from, from + PORTION)
    const nth = `${snapshot.company}/${snapshot.location}/${from / PORTION}`
    await countPortion(ports, { ...place, nth, lines: portion.flat() })
  }
}

/** Item numbers of lines that are of the place, or may be. */
const unreadAt = (
  unread: readonly UnreadCount[],
  { company, location }: Pick<StockSnapshot, 'company' | 'location'>,
): ReadonlySet<string> =>
  new Set(
    unread
      .filter((one) => ['', company].includes(one.company) && ['', location].includes(one.location))
      .map(({ sku }) => sku),
  )

type Counting = Place & { readonly nth: string; readonly lines: readonly CountedStock[] }

async function countPortion(
  ports: FilePorts,
  { load, snapshot, askedAt, nth, lines }: Counting,
): Promise<void> {
  const { source, hash, counted } = load
  const { company, location } = snapshot
  const named = lines.map(({ sku, owner }) => ({ company, location, sku, owner }))
  await once(ports, load, { nth, places: named }, async (tx, turn) => {
    const told = {
      source,
      sourceKey: `${hash.slice(0, 16)}:${nth}`,
      askedAt,
      snapshot: { ...snapshot, lines },
    }
    const { corrected, superseded } = await takeSnapshot(tx, turn, ports, told)
    const places = new Set(lines.map(ownedSku)).size
    return () => {
      counted.taken += places - superseded
      counted.late += superseded
      counted.corrected += corrected.length
    }
  })
}

type Whole = Place & { readonly lines: readonly CountedStock[]; readonly unread: ReadonlySet<string> }

/** What a location has beside is not there, unless a line of nobody knows what may be of it. */
async function holdWhole(ports: FilePorts, { load, snapshot, lines, unread }: Whole): Promise<void> {
  const { source, hash, counted } = load
  const nth = `${snapshot.company}/${snapshot.location}`
  const message = { source, messageId: `${hash}#${nth}` }
  if (lines.length === 0) return
  if (await showMessage(ports.queries, message)) {
    counted.repeated += lines.length
    return
  }
  const body = JSON.stringify({ portion: nth, lines: lines.length })
  const filed = { ...message, type: 'stock-file', contentHash: hash, body }
  const scope = unread.has('') ? 'items' : 'location'
  const held = await reconcileGiven(ports, {
    source,
    snapshot: { ...snapshot, scope, lines },
    unread,
    file: (tx) => receiveMessages(tx, [filed], 'applied'),
  })
  if (!held) {
    counted.late += new Set(lines.map(({ sku }) => sku)).size
    return
  }
  const told = held.differences.filter(({ outcome }) => outcome === 'told').length
  counted.taken += held.matched + held.differences.length - told
  counted.late += held.superseded
  counted.corrected += held.differences.length - told
  counted.told += told
  if (held.id !== undefined) counted.reconciliations.push(held.id)
  const adjusted = held.differences.filter(({ outcome }) => outcome === 'adjusted')
  load.changes.push(
    ...adjusted.map(({ ours: before, theirs: after, ...place }) => ({ ...place, before, after })),
  )
}
