/** Payload drift: a field that is new, missing or of another type is a warning before it is a failure. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

/** Field paths (`lines[].quantity`) with their JSON types (`number|string`); a trailing `?` marks an optional field. */
export type Shape = Readonly<Record<string, string>>

export type Drift = {
  readonly path: string
  readonly kind: 'new' | 'missing' | 'retyped'
  readonly expected?: string
  readonly found?: string
}

/** Where a look at a payload stops: beyond it drift is not looked for, so that a look has a price limit. */
const FIELDS_MAX = 2_000
const ELEMENTS_MAX = 20

/** What was seen: types by path, how often each path, and how often it was an object that could hold fields. */
type Sight = {
  readonly types: Map<string, Set<string>>
  readonly counts: Map<string, number>
  readonly objects: Map<string, number>
  fields: number
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function walk(value: unknown, path: string, sight: Sight): void {
  if (sight.fields++ >= FIELDS_MAX) return
  const type = jsonType(value)
  const types = sight.types.get(path)
  if (types) types.add(type)
  else sight.types.set(path, new Set([type]))
  count(sight.counts, path)
  if (Array.isArray(value)) {
    for (const element of value.slice(0, ELEMENTS_MAX)) walk(element, `${path}[]`, sight)
  } else if (value !== null && typeof value === 'object') {
    count(sight.objects, path)
    for (const [name, field] of Object.entries(value))
      walk(field, path === '' ? name : `${path}.${name}`, sight)
  }
}

function count(counts: Map<string, number>, path: string): void {
  counts.set(path, (counts.get(path) ?? 0) + 1)
}

function look(payloads: readonly unknown[]): Sight {
  const sight: Sight = { types: new Map(), counts: new Map(), objects: new Map(), fields: 0 }
  for (const payload of payloads) {
    sight.fields = 0
    walk(payload, '', sight)
  }
  return sight
}

/** `a.b` is inside `a`, the elements `a[]` inside `a`; the whole payload is inside nothing. */
function parentOf(path: string): string | undefined {
  if (path === '') return undefined
  if (path.endsWith('[]')) return path.slice(0, -2)
  const dot = path.lastIndexOf('.')
  return dot < 0 ? '' : path.slice(0, dot)
}

/** Fewer sightings than objects that should hold it: somewhere the field is left out. Arrays may always be empty. */
function isLeftOut(sight: Sight, path: string): boolean {
  const parent = parentOf(path)
  if (parent === undefined || path.endsWith('[]')) return false
  return (sight.counts.get(path) ?? 0) < (sight.objects.get(parent) ?? 0)
}

/** The shape that recorded samples have together; a field that one of them leaves out is optional. */
export function shapeOf(samples: readonly unknown[]): Shape {
  const sight = look(samples)
  const paths = [...sight.types.keys()].sort()
  return Object.fromEntries(
    paths.map((path) => {
      const types = [...(sight.types.get(path) ?? [])].sort().join('|')
      return [path, isLeftOut(sight, path) ? `${types}?` : types]
    }),
  )
}

/** How a payload departs from the shape. Inside a new field nothing more is reported, nor inside a missing one. */
export function driftOf(shape: Shape, payload: unknown): Drift[] {
  const sight = look([payload])
  const drifts: Drift[] = []
  for (const [path, found] of sight.types) {
    const known = Object.hasOwn(shape, path) ? shape[path] : undefined
    const parent = parentOf(path)
    if (known === undefined) {
      if (parent === undefined || Object.hasOwn(shape, parent))
        drifts.push({ path, kind: 'new', found: [...found].join('|') })
      continue
    }
    const expected = known.replace(/\?$/, '')
    const other = [...found].filter((type) => !expected.split('|').includes(type))
    if (other.length > 0) drifts.push({ path, kind: 'retyped', expected, found: other.join('|') })
  }
  if (sight.fields > FIELDS_MAX) return drifts
  for (const [path, expected] of Object.entries(shape)) {
    const isMissing = !expected.endsWith('?') && isLeftOut(sight, path)
    if (isMissing) drifts.push({ path, kind: 'missing', expected })
  }
  return drifts
}

export type Sampling = { readonly first: number; readonly every: number }

export interface DriftWatch {
  /** Compares the payload if its turn has come; answers nothing for most. A type without a shape is not compared. */
  inspect(type: string, payload: unknown): Drift[]
}

/** Looks at the first payloads of each type since the start, and then at every thousandth. */
export function driftWatch(
  shapes: Readonly<Record<string, Shape>>,
  sampling: Sampling = { first: 20, every: 1_000 },
): DriftWatch {
  const seen = new Map<string, number>()
  return {
    inspect(type, payload) {
      const shape = Object.hasOwn(shapes, type) ? shapes[type] : undefined
      if (!shape) return []
      const count = (seen.get(type) ?? 0) + 1
      seen.set(type, count)
      return count <= sampling.first || count % sampling.every === 0 ? driftOf(shape, payload) : []
    },
  }
}

const record = sql(
  'inbox.record_drift',
  `insert into inbox.drift (source, type, path, kind, expected, found, message_id)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
   on conflict do nothing`,
)
const listDrift = sql(
  'inbox.list_drift',
  `select source, type, path, kind, expected, found, message_id as "messageId", seen_at as "seenAt" from inbox.drift
   where $1::text is null or source = $1 order by seen_at desc, source, type, path, kind limit $2`,
)

export type SeenDrift = {
  readonly source: string
  readonly type: string
  readonly messageId: string
  readonly drift: Drift
}

/** Keeps each warning once for its source, type, path and kind. */
export function recordDrift(tx: Transaction, seen: readonly SeenDrift[]): void {
  if (seen.length === 0) return
  const rows = seen.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  tx.send(record, [
    rows.map((row) => row.source),
    rows.map((row) => row.type),
    rows.map((row) => row.drift.path),
    rows.map((row) => row.drift.kind),
    rows.map((row) => row.drift.expected ?? null),
    rows.map((row) => row.drift.found ?? null),
    rows.map((row) => row.messageId),
  ])
}
const sortKey = ({ source, type, drift }: SeenDrift): string =>
  `${source}/${type}/${drift.path}/${drift.kind}`

export type DriftWarning = Drift & {
  readonly source: string
  readonly type: string
  readonly messageId: string
  readonly seenAt: Date
}

/** The warnings so far, newest first. */
export function driftWarnings(queries: Queries, source?: string, limit = 200): Promise<DriftWarning[]> {
  return queries.query<DriftWarning>(listDrift, [source ?? null, limit])
}
