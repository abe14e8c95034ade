/** The look at the invariants that comes round: by one process, told as figures and as an exception for each that is broken. */
import { type Database, type Queries, sql, type Transaction } from './database.ts'
import { closeExceptions, type Occurrence } from './exceptions.ts'
import { BEGINNING, type Check, FOUND_MAX, type Invariant, type Look, type Since } from './invariants.ts'
import type { Turns } from './reading-turns.ts'

export type InvariantWatch = {
  /** By index alone: for what has changed. */
  readonly database: Database
  /** By the planner's own choice: for everything. */
  readonly screens: Queries
  /** Each with a check of its own, so that one that takes too long keeps no other from being looked at. */
  readonly checks: ReadonlyMap<Invariant, Check>
  /** Under which the turn is taken and exceptions are opened. */
  readonly company: string
  /** Of this process; undefined while it does not work. */
  readonly turns: () => Turns | undefined
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
  /** Told at each round by every process, so that no figure outlives what it says. */
  readonly tell: (invariant: Invariant, violations: number) => void
}

const AGAIN_MS = 3_600_000
const RETRY_MS = 300_000

const states = sql(
  'invariants.states',
  `select name, violations, generation, xid::text as xid, at::text as at from invariants.state`,
)
const keep = sql(
  'invariants.keep',
  `insert into invariants.state (name, violations, generation, xid, at)
   select * from unnest($1::text[], $2::int[], $3::smallint[], $4::xid8[], $5::timestamptz[])
   on conflict (name) do update set violations = excluded.violations, looked_at = now(),
     generation = excluded.generation, xid = excluded.xid, at = excluded.at`,
)

type State = Since & { readonly name: string; readonly violations: number }

const statesOf = async (queries: Queries): Promise<ReadonlyMap<string, State>> =>
  new Map((await queries.query<State>(states)).map((state) => [state.name, state]))

/** One round: a look where it is this process's turn, then the figures. */
export async function watchInvariants(watch: InvariantWatch): Promise<void> {
  const turns = watch.turns()
  if (turns) await takeTheTurn(watch, turns)
  const known = await statesOf(watch.screens)
  for (const invariant of watch.checks.keys())
    watch.tell(invariant, known.get(invariant.name)?.violations ?? 0)
}

async function takeTheTurn(watch: InvariantWatch, turns: Turns): Promise<void> {
  const turn = { company: watch.company, source: 'invariants' }
  if (!(await turns.take(turn))) return
  let againMs = RETRY_MS
  try {
    await lookAtAll(watch)
    againMs = AGAIN_MS
  } finally {
    await turns.end(turn, againMs)
  }
}

type Looked = Look & { readonly invariant: Invariant; readonly since: Since }

/** One after the other: what is looked at has no hurry, and the house goes on meanwhile. */
async function lookAtAll(watch: InvariantWatch): Promise<void> {
  const { database, screens, checks } = watch
  const known = await statesOf(screens)
  const looked: Looked[] = []
  const failures: unknown[] = []
  for (const [invariant, check] of checks) {
    const since = known.get(invariant.name) ?? BEGINNING
    const queries = since.at === BEGINNING.at ? screens : database
    try {
      looked.push({ invariant, since, ...(await check(queries, since)) })
    } catch (failure) {
      failures.push(failure)
    }
  }
  await database.transaction((tx) => record(tx, watch, looked))
  if (failures.length > 0) throw failures[0]
}

/** One that is broken begins where it began until it holds again, so that what was found is not lost from view. */
async function record(tx: Transaction, watch: InvariantWatch, looked: readonly Looked[]): Promise<void> {
  const { company, openExceptions } = watch
  const rows = looked.map(({ invariant: { name }, since, upTo, violations }) => ({
    name,
    violations: violations[0]?.found.length ?? 0,
    ...placeOf(violations.length > 0 ? since : upTo),
  }))
  tx.send(keep, [
    rows.map(({ name }) => name),
    rows.map(({ violations }) => violations),
    rows.map(({ generation }) => generation),
    rows.map(({ xid }) => xid),
    rows.map(({ at }) => at),
  ])
  await openExceptions(
    tx,
    looked.flatMap(({ violations }) =>
      violations.map(({ invariant, found }) => ({
        company,
        cause: codeOf(invariant),
        code: codeOf(invariant),
        title: `It does not hold that ${invariant.means}`,
        suggestedAction: `${invariant.next} All of it: crossdock doctor --invariants`,
        facts: { found, isAll: found.length < FOUND_MAX },
      })),
    ),
  )
  const held = looked.filter(({ violations }) => violations.length === 0)
  await closeExceptions(
    tx,
    held.map(({ invariant }) => ({ company, cause: codeOf(invariant) })),
    'it holds again',
  )
}

const placeOf = ({ generation, xid, at }: Since): Since => ({ generation, xid, at })

/** The code of the exception, and its cause. */
const codeOf = ({ name }: Invariant): string => `invariants.${name}`
