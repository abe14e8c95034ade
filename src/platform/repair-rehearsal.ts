/** Rehearsals of selections: what would become of each item, found out and undone, portion by portion. */
import type { Clock } from './clock.ts'
import type { Database } from './database.ts'
import { sql } from './database.ts'
import type { Facts } from './faults.ts'
import type { ParkedCause, ParkedItem } from './parking.ts'
import { PARKED_COLUMNS } from './parking.ts'
import type { PayloadChange } from './payload-changes.ts'
import { CHANGED, type RepairAction } from './repair-selection.ts'

/** What a call would come to; `suppressed`: it is confirmed already and would not be made. */
export type CallFate = 'sent' | 'sent again under its key' | 'looked up first' | 'parked again' | 'suppressed'
export type ExpectedCall = {
  readonly key: string
  readonly system: string
  readonly operation: string
  readonly fate: CallFate
}

/** What would become of an item. */
export type Expectation = {
  readonly expected: 'change' | 'nothing' | 'rejection'
  /** Why nothing, or why it would be put aside again. */
  readonly cause?: ParkedCause | undefined
  /** Field by field, of whatever it changes. */
  readonly changes: readonly PayloadChange[]
  /** What would be told of which document, in order. */
  readonly events: readonly string[]
  readonly calls: readonly ExpectedCall[]
}

/** Answers undefined while nobody can tell; an outage is thrown. */
export type Rehearse = (item: ParkedItem, action: RepairAction) => Promise<Expectation | undefined>

const SAMPLES_MAX = 20
const LEASE_S = 60
const PORTION = 50
/** A portion ends after this time, so that progress is seen. */
const PORTION_MS = 1_000

const takeLease = sql(
  'repair.lease_rehearsal',
  `update repair.job set leased_until = now() + make_interval(secs => $1)
   where id = (
     select id from repair.job where state = 'previewing' and (leased_until is null or leased_until < now())
     order by rehearsed, id limit 1 for update skip locked)
   returning id, action, rehearsed_to as "rehearsedTo", samples, leased_until::text as lease`,
)
const nextItems = sql(
  'repair.to_rehearse',
  `select r.item as "itemId", i.version = r.version as "asFrozen", ${PARKED_COLUMNS}
   from repair.item r left join parking.item i on i.id = r.item
   where r.job = $1 and r.item > $2 order by r.item limit $3`,
)
// Whoever lost the lease meanwhile writes nothing: another process has rehearsed these.
const keep = sql(
  'repair.keep_rehearsed',
  `with held as (
     update repair.job set rehearsed_to = $3, rehearsed = rehearsed + cardinality($4::bigint[]), samples = samples + $10,
       leased_until = null, state = case when $11 then 'ready' else state end
     where id = $1 and leased_until = $2::timestamptz and state = 'previewing' returning id)
   update repair.item i set expected = k.expected, expected_code = k.code, expected_message = k.message,
     sends = k.sends, suppresses = k.suppresses, sample = k.sample
   from held cross join unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $12::jsonb[])
     as k(item, expected, code, message, sends, suppresses, sample)
   where i.job = held.id and i.item = k.item`,
)
const letGo = sql(
  'repair.release_rehearsal',
  `update repair.job set leased_until = null where id = $1 and leased_until = $2::timestamptz`,
)

type Lease = {
  readonly id: number
  readonly action: RepairAction
  readonly rehearsedTo: number
  readonly samples: number
  readonly lease: string
}
type Candidate = { readonly itemId: number; readonly asFrozen: boolean } & ParkedItem
type Rehearsed = { readonly item: number; readonly expectation: Expectation }

export type RehearsalPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly rehearse: Rehearse
}

/** One portion of the selection that is least far, so that a large one keeps no small one waiting; answers whether there was one. A lease keeps others from it while it lasts. */
export async function rehearsePortion({ database, clock, rehearse }: RehearsalPorts): Promise<boolean> {
  const [lease] = await database.query<Lease>(takeLease, [LEASE_S])
  if (!lease) return false
  const items = await database.query<Candidate>(nextItems, [lease.id, lease.rehearsedTo, PORTION])
  const startedMs = clock.monotonicMs()
  const rehearsed: Rehearsed[] = []
  try {
    for (const item of items) {
      const stands = item.id !== null && item.state === 'parked' && item.asFrozen
      const expectation = stands ? await rehearse(item, lease.action) : settledMeanwhile(item)
      if (!expectation) break
      rehearsed.push({ item: item.itemId, expectation })
      if (clock.monotonicMs() - startedMs >= PORTION_MS) break
    }
  } finally {
    // also what was found out before an outage
    const isLast = rehearsed.length === items.length && items.length < PORTION
    await keepRehearsed(database, lease, { rehearsed, isLast })
  }
  return rehearsed.length > 0
}

const NOTHING = { changes: [], events: [], calls: [] }

function settledMeanwhile({ id, state }: Candidate): Expectation {
  if (id !== null && state === 'parked') return { ...NOTHING, expected: 'rejection', cause: CHANGED }
  const message = id === null ? 'it is gone' : `it is ${state} meanwhile`
  return { ...NOTHING, expected: 'nothing', cause: { code: 'parking.not_parked', message } }
}

async function keepRehearsed(
  database: Database,
  { id, lease, rehearsedTo, samples }: Lease,
  { rehearsed, isLast }: { readonly rehearsed: readonly Rehearsed[]; readonly isLast: boolean },
): Promise<void> {
  if (rehearsed.length === 0 && !isLast) {
    await database.query(letGo, [id, lease])
    return
  }
  const changing = rehearsed.filter(({ expectation: { changes, events, calls } }) =>
    [changes, events, calls].some(({ length }) => length > 0),
  )
  const shown = new Set(changing.slice(0, Math.max(0, SAMPLES_MAX - samples)))
  const expectations = rehearsed.map(({ expectation }) => expectation)
  const countCalls = (counts: (fate: CallFate) => boolean): number[] =>
    expectations.map(({ calls }) => calls.filter(({ fate }) => counts(fate)).length)
  await database.query(keep, [
    id,
    lease,
    rehearsed.at(-1)?.item ?? rehearsedTo,
    rehearsed.map(({ item }) => item),
    expectations.map(({ expected }) => expected),
    expectations.map(({ cause }) => cause?.code ?? null),
    expectations.map(({ cause }) => cause?.message ?? null),
    countCalls((fate) => fate.startsWith('sent') || fate === 'looked up first'),
    countCalls((fate) => fate === 'suppressed'),
    shown.size,
    isLast,
    rehearsed.map((one) => (shown.has(one) ? JSON.stringify(sampleOf(one.expectation)) : null)),
  ])
}

/** As it is kept beside the item. */
export type Sample = Pick<Expectation, 'changes' | 'events' | 'calls'>

const sampleOf = ({ changes, events, calls }: Expectation): Sample & Facts => ({ changes, events, calls })
