/** Takes a file of stock: the good lines portion by portion, each once; the others are named by line and field. */
import type { BadLine, CountLine } from '#capabilities/stock.ts'
import { Refusal } from '#platform/faults.ts'
import { contentHash } from '#platform/inbox.ts'
import { type PlaceChange, summedUp } from './stock-file-changes.ts'
import { loadCounts } from './stock-file-counts.ts'
import {
  type Counted,
  type FilePorts,
  type GivenFile,
  inBase,
  isBad,
  itemsOf,
  type Loading,
  type MovementLine,
  type NotConcluded,
  ownedSku,
  PORTION,
} from './stock-file-lines.ts'
import { once } from './stock-file-portions.ts'
import { type FeedTold, takeMovements } from './stock-feed.ts'

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
  /** Reports of counts, one for each location. */
  readonly reconciliations: readonly number[]
  /** Places of a whole count of which it cannot be said what is gone. */
  readonly notConcluded: readonly NotConcluded[]
  readonly refused: readonly BadLine[]
  /** What would change, where nothing is written. */
  readonly changes?: readonly PlaceChange[]
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
    notConcluded: [],
  }
  const fed = file.lines.filter(({ line, told }) => {
    if (locations.includes(told.location)) return true
    const message = `it tells of ${locations.join(', ')}, not of ${told.location}`
    refused.push({ line, field: 'location', code: 'inventory.location_not_fed', message })
    return false
  })
  const changes: PlaceChange[] = []
  const load = { ...given, hash: contentHash(given.text), refused, counted, changes }
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
