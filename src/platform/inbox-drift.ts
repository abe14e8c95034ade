/** Payload drift: a field that is new, missing or of another type is a warning before it is a failure. */
import type { Clock } from './clock.ts'
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
/** A longer path is told by its beginning: it must fit into an index, and names nest. */
const PATH_MAX = 200

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
    for (const [name, field] of Object.entries(value)) walk(field, within(path, name), sight)
  }
}

/** Names are the sender's: a dot in one is no step into it, and what the database cannot store is shown as such. */
function within(path: string, name: string): string {
  const shown = name.slice(0, PATH_MAX).replaceAll('.', '·').replaceAll('\0', '\ufffd')
  return (path === '' ? shown : `${path}.${shown}`).slice(0, PATH_MAX).toWellFormed()
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
  const known = shapes.get(samples) ?? readShape(samples)
  shapes.set(samples, known)
  return known
}

/** Samples are constants of their connectors; each is looked at once, however many houses stand in this process. */
const shapes = new WeakMap<readonly unknown[], Shape>()

function readShape(samples: readonly unknown[]): Shape {
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

/** Whether the shape has grown to hold what once departed from it. */
export function accepts(shape: Shape, { path, kind, found = '' }: Drift): boolean {
  const known = Object.hasOwn(shape, path) ? shape[path]! : undefined
  if (kind === 'missing') return known === undefined || known.endsWith('?')
  const types = known?.replace(/\?$/, '').split('|') ?? []
  return found.split('|').every((type) => types.includes(type))
}

/** What was seen of one type of message since the last report. */
export type Looked = {
  readonly type: string
  readonly shape: Shape
  /** By path and kind. */
  readonly drifts: ReadonlyMap<string, Sighting>
}
export type Sighting = Drift & { readonly messageId: string; readonly times: number }

export interface DriftWatch {
  /** Compares a message with the recorded shape of its type when its turn has come. */
  notice(message: { readonly type: string; readonly messageId: string; readonly body: string }): void
  /** What was seen since this was last asked. */
  take(): Looked[]
}

/**
 * A comparison costs a parse and a walk, so a type is compared ten times a second at most: every message where few
 * come, and where many come as much as tells a change of their release from the rule.
 */
const LOOK_EVERY_MS = 100
/** A source that makes up field names must not make up work for people without end. */
const FIELDS_TOLD_MAX = 20

export const driftKey = ({ path, kind }: Pick<Drift, 'path' | 'kind'>): string => `${path} ${kind}`

/** Types without a sample are not compared. */
export function driftWatch(samples: Readonly<Record<string, readonly unknown[]>>, clock: Clock): DriftWatch {
  const types = new Map(
    Object.entries(samples).map(([type, bodies]) => [
      type,
      {
        type,
        shape: shapeOf(bodies),
        nextLookMs: -Infinity,
        looked: false,
        drifts: new Map<string, Sighting>(),
      },
    ]),
  )
  return {
    notice({ type, messageId, body }) {
      const known = types.get(type)
      const nowMs = clock.monotonicMs()
      if (!known || nowMs < known.nextLookMs) return
      known.nextLookMs = nowMs + LOOK_EVERY_MS
      known.looked = true
      for (const drift of driftOf(known.shape, JSON.parse(body))) {
        const before = known.drifts.get(driftKey(drift))
        if (before || known.drifts.size < FIELDS_TOLD_MAX)
          known.drifts.set(driftKey(drift), { ...drift, messageId, times: (before?.times ?? 0) + 1 })
      }
    },
    take() {
      const taken = [...types.values()].filter(({ looked }) => looked)
      return taken.map((known) => {
        const { type, shape, drifts } = known
        known.drifts = new Map()
        known.looked = false
        return { type, shape, drifts }
      })
    },
  }
}

const record = sql(
  'inbox.record_drift',
  `insert into inbox.drift as d (source, type, path, kind, expected, found, message_id)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
   on conflict (source, type, path, kind) do update set last_seen_at = now(), expected = excluded.expected,
     found = excluded.found
   returning d.source, d.type, d.path, d.kind, xmax = 0 as "isNew"`,
)
const standing = sql(
  'inbox.standing_drift',
  `select source, type, path, kind, expected, found, message_id as "messageId", seen_at as "seenAt",
     last_seen_at < now() - make_interval(secs => $2::float8 / 1000) as "isQuiet"
   from inbox.drift where source = any($1::text[]) order by source, type, path, kind`,
)
const forget = sql(
  'inbox.forget_drift',
  `delete from inbox.drift d using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k(source, type, path, kind)
   where d.source = k.source and d.type = k.type and d.path = k.path and d.kind = k.kind`,
)

export type DriftName = {
  readonly source: string
  readonly type: string
  readonly path: string
  readonly kind: Drift['kind']
}
export type SeenDrift = { readonly source: string; readonly type: string; readonly sighting: Sighting }

/** Keeps each warning once for its source, type, path and kind; answers those that are new. */
export async function recordDrift(tx: Transaction, seen: readonly SeenDrift[]): Promise<DriftName[]> {
  if (seen.length === 0) return []
  const rows = seen.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  const recorded = await tx.query<DriftName & { isNew: boolean }>(record, [
    rows.map((row) => row.source),
    rows.map((row) => row.type),
    rows.map(({ sighting }) => sighting.path),
    rows.map(({ sighting }) => sighting.kind),
    rows.map(({ sighting }) => sighting.expected ?? null),
    rows.map(({ sighting }) => sighting.found ?? null),
    rows.map(({ sighting }) => sighting.messageId),
  ])
  return recorded.filter(({ isNew }) => isNew)
}
const sortKey = ({ source, type, sighting }: SeenDrift): string => `${source}/${type}/${driftKey(sighting)}`

export type StandingDrift = DriftName & {
  readonly expected: string | null
  readonly found: string | null
  /** The first message that showed it. */
  readonly messageId: string
  readonly seenAt: Date
  /** Not seen again for a while. */
  readonly isQuiet: boolean
}

/** The warnings of these sources. */
export const standingDrift = (
  queries: Queries,
  sources: readonly string[],
  quietAfterMs: number,
): Promise<StandingDrift[]> => queries.query<StandingDrift>(standing, [sources, quietAfterMs])

/** Payloads are as recorded again, or the record has grown. */
export function forgetDrift(tx: Transaction, gone: readonly DriftName[]): void {
  if (gone.length === 0) return
  tx.send(forget, [
    gone.map((row) => row.source),
    gone.map((row) => row.type),
    gone.map((row) => row.path),
    gone.map((row) => row.kind),
  ])
}
