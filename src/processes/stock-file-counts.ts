/** What a file counts, location by location: held against the books, with the lines of it that nobody understood. */
import type { CountedStock, CountLine, StockSnapshot, UnreadCount } from '#capabilities/stock.ts'
import { notYet } from '#capabilities/told-time.ts'
import { contentHash, receiveMessages, showMessage } from '#platform/inbox.ts'
import type { UnreadLine } from '#domains/inventory/contract/reconciliations.ts'
import { isOwn, isOwnerCode, ownerOf } from '#domains/inventory/contract/owners.ts'
import { type CountHeld, type CountThatCame, reconcileGiven, within } from './reconciliation-given.ts'
import {
  type FilePorts,
  inBase,
  isBad,
  itemsOf,
  type Loading,
  ownedSku,
  PORTION,
} from './stock-file-lines.ts'
import { once } from './stock-file-portions.ts'
import { takeSnapshot } from './stock-snapshots.ts'
import { unreadLine } from './unread-counts.ts'

export async function loadCounts(ports: FilePorts, fed: readonly CountLine[], load: Loading): Promise<void> {
  const lines = fed.filter(({ line, company }) => {
    if (ports.hasCompany(company)) return true
    const message = `${company} is not configured, so that a count of it cannot be held against books`
    load.refused.push({ line, field: 'company', code: 'inventory.company_unknown', message })
    return false
  })
  const now = ports.clock.now()
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
    const { takenAt, mark } = moment
    const ahead = notYet(takenAt, now)
    if (ahead) {
      const { code, message } = ahead
      load.refused.push(...own.map(({ line }) => ({ line, field: 'taken_at', code, message })))
      continue
    }
    const scope = load.whole ? ('location' as const) : ('items' as const)
    await loadPlace(ports, own, { load, snapshot: { company, location, takenAt, mark, scope } })
    done += own.length
    load.onProgress?.(done, lines.length)
  }
}

type Place = { readonly load: Loading; readonly snapshot: Omit<StockSnapshot, 'lines'> }

async function loadPlace(ports: FilePorts, lines: readonly CountLine[], place: Place): Promise<void> {
  const { load, snapshot } = place
  const items = await itemsOf(ports.queries, lines)
  const halfRead = halfReadAt(unreadOf(load), snapshot)
  const counts: CountedStock[][] = []
  for (const own of Map.groupBy(lines, ({ told }) => ownedSku(told)).values()) {
    const { sku } = own[0]!.told
    if (halfRead.has(sku)) {
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
    if (read.some(isBad)) load.refused.push(...read.filter(isBad))
    else counts.push(read as CountedStock[])
  }
  const ours = counts.flat().filter(isOwn)
  if (ours.length > 0 || load.whole) await hold(ports, { ...place, counts: ours })
  await takeOfOthers(
    ports,
    place,
    counts.filter(([line]) => !isOwn(line!)),
  )
}

/** What is counted of others' stock is taken: our books say nothing else of it that it could be held against. */
async function takeOfOthers(
  ports: FilePorts,
  { load, snapshot }: Place,
  counts: readonly (readonly CountedStock[])[],
): Promise<void> {
  const { source, hash, counted } = load
  const { company, location } = snapshot
  const askedAt = ports.clock.now()
  for (let from = 0; from < counts.length; from += PORTION) {
    const lines = counts.slice(from, from + PORTION).flat()
    const nth = `${company}/${location}/others/${from / PORTION}`
    const places = lines.map(({ sku, owner }) => ({ company, location, sku, owner }))
    await once(ports, load, { nth, places }, async (tx, turn) => {
      const sourceKey = `${hash.slice(0, 16)}:${nth}`
      const told = { source, sourceKey, askedAt, snapshot: { ...snapshot, scope: 'items' as const, lines } }
      const { corrected, superseded } = await takeSnapshot(tx, turn, ports, told)
      const distinct = new Set(lines.map(ownedSku)).size
      return () => {
        counted.taken += distinct - superseded
        counted.late += superseded
        counted.corrected += corrected.length
      }
    })
  }
}

const unreadOf = ({ file }: Loading): readonly UnreadCount[] => (file.kind === 'snapshot' ? file.unread : [])

/** Item numbers of lines that are of the place, or may be. */
const halfReadAt = (
  unread: readonly UnreadCount[],
  { company, location }: Pick<StockSnapshot, 'company' | 'location'>,
): ReadonlySet<string> =>
  new Set(
    unread
      .filter((one) => ['', company].includes(one.company) && ['', location].includes(one.location))
      .map(({ sku }) => sku),
  )

/** Lines of a whole count that were not understood and are of the place, or may be, since they name none that there is. */
function notUnderstoodAt({ hasCompany, hasLocation }: FilePorts, { load, snapshot }: Place): UnreadLine[] {
  const { file, whole, refused } = load
  if (!whole || file.kind !== 'snapshot') return []
  const wrong = new Map(refused.map((bad) => [bad.line, bad]))
  const lines = [
    ...file.unread,
    ...file.lines
      .filter(({ told }) => isOwn(told) || !isOwnerCode(ownerOf(told)))
      .map(({ line, text, company, told: { location } }) => ({ line, text, company, location })),
  ]
  return lines
    .filter(
      ({ company, location }) =>
        (company === snapshot.company || !hasCompany(company)) &&
        (location === snapshot.location || !hasLocation(location)),
    )
    .flatMap((line) => {
      const bad = wrong.get(line.line)
      return bad ? [unreadLine(line, bad)] : []
    })
    .toSorted((a, b) => a.line - b.line)
}

const NAME_LENGTH = 12

/** Under the content of its file: once, and again where other lines of it are understood than before. */
async function hold(
  ports: FilePorts,
  { counts: lines, ...place }: Place & { readonly counts: readonly CountedStock[] },
): Promise<void> {
  const { load, snapshot } = place
  const { source, hash, whole, counted } = load
  const unread = notUnderstoodAt(ports, place)
  const nth = `${snapshot.company}/${snapshot.location}${whole ? '' : '/0'}`
  const but = unread.length > 0 ? `?${contentHash(JSON.stringify(unread)).slice(0, NAME_LENGTH)}` : ''
  const message = { source, messageId: `${hash}#${nth}${but}` }
  const isKnown = (await showMessage(ports.queries, message)) !== undefined
  if (isKnown) counted.repeated += lines.length
  if (isKnown) return
  const body = JSON.stringify({ portion: nth, lines: lines.length })
  const filed = { ...message, type: 'stock-file', contentHash: hash, body }
  const file: NonNullable<CountThatCame['file']> = (tx) => receiveMessages(tx, [filed], 'applied')
  const told: CountThatCame = {
    source,
    snapshot: { ...snapshot, lines },
    unread,
    file,
  }
  const isSmall = !whole && lines.length <= PORTION
  const held = isSmall
    ? await ports.transaction(source, (tx, turn) => reconcileGiven(within(ports, tx, turn), told))
    : await reconcileGiven(ports, told)
  // its source was heard all the same
  if (held?.id === undefined) await ports.transaction(source, file)
  note(place, lines, held)
}

/** What became of a count, in the report of its file. */
function note({ load, snapshot }: Place, lines: readonly CountedStock[], held: CountHeld | undefined): void {
  const { counted } = load
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
  const { company, location } = snapshot
  const { notSaid, unread } = held
  if (unread.length > 0) counted.notConcluded.push({ company, location, notSaid, lines: unread })
  const adjusted = held.differences.filter(({ outcome }) => outcome === 'adjusted')
  load.changes.push(
    ...adjusted.map(({ ours: before, theirs: after, ...place }) => ({ ...place, before, after })),
  )
}
