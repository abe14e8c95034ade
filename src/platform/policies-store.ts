/** What processes share about outside systems, in PostgreSQL: read at will, changed under the system's row lock. */
import type { BreakerState } from './breaker.ts'
import { type Database, sql, type Transaction } from './database.ts'
import type { Policy } from './policies.ts'
import {
  divide,
  type Division,
  type Grant,
  type Share,
  type SharedState,
  type Wish,
} from './policies-shares.ts'

/** How long a process may use its slots without renewing them. */
export const SLOT_LEASE_MS = 5_000

export type Asking = { readonly instance: string; readonly policy: Policy; readonly wish: Wish }

/** What a process knows after it has asked. */
export type Known = { readonly state: SharedState; readonly nowMs: number; readonly grant: Grant | undefined }

const STATE = `instance, revision, extract(epoch from paused_until)::float8 * 1000 as "pausedUntilMs",
  paused_reason as "pausedReason", breaker, extract(epoch from open_until)::float8 * 1000 as "openUntilMs",
  proven, tokens, extract(epoch from tokens_at)::float8 * 1000 as "tokensAtMs",
  extract(epoch from now())::float8 * 1000 as "nowMs"`

const declareSystems = sql(
  'policies.declare',
  `insert into policies.system (instance) select instance from unnest($1::text[]) instance order by instance
   on conflict do nothing`,
)
const readSystems = sql(
  'policies.read',
  `select ${STATE} from policies.system where instance = any($1::text[]) order by instance`,
)
const lockSystems = sql(
  'policies.lock',
  `select ${STATE} from policies.system where instance = any($1::text[]) order by instance for no key update`,
)
// The row locks above keep others from changing leases, so a lapsed one can go without meeting its holder.
const pruneLeases = sql(
  'policies.prune',
  `delete from policies.lease where instance = any($1::text[]) and expires_at <= now()`,
)
const readLeases = sql(
  'policies.leases',
  `select instance, holder, slots, probes, active, extract(epoch from waiting_since)::float8 * 1000 as "waitingSinceMs"
   from policies.lease where instance = any($1::text[]) order by instance, holder`,
)
const writeSystems = sql(
  'policies.write',
  `update policies.system s set revision = n.revision, paused_until = to_timestamp(n.paused_until / 1000),
     paused_reason = n.paused_reason, breaker = n.breaker, open_until = to_timestamp(n.open_until / 1000),
     proven = n.proven, tokens = n.tokens, tokens_at = to_timestamp(n.tokens_at / 1000),
     failing_since = case when n.breaker <> 'closed' then coalesce(s.failing_since, now()) end
   from unnest($1::text[], $2::bigint[], $3::float8[], $4::text[], $5::text[], $6::float8[], $7::int[], $8::float8[],
     $9::float8[]) n(instance, revision, paused_until, paused_reason, breaker, open_until, proven, tokens, tokens_at)
   where s.instance = n.instance`,
)
const writeLeases = sql(
  'policies.lease',
  `insert into policies.lease (instance, holder, slots, probes, active, waiting_since, expires_at)
   select instance, $2::bigint, slots, probes, active, to_timestamp(waiting_since / 1000),
     now() + lives_ms * interval '1 millisecond'
   from unnest($1::text[], $3::int[], $4::int[], $5::boolean[], $6::float8[], $7::float8[])
     n(instance, slots, probes, active, waiting_since, lives_ms)
   on conflict (instance, holder) do update set slots = excluded.slots, probes = excluded.probes,
     active = excluded.active, waiting_since = excluded.waiting_since, expires_at = excluded.expires_at`,
)
// Others should look before their second is over.
const tellOthers = sql('policies.tell', `select pg_notify('policies', '')`)

type StateRow = Omit<SharedState, 'breaker'> & {
  breaker: BreakerState
  openUntilMs: number
  proven: number
  nowMs: number
}

/** Makes a row for each configured instance; once per start. */
export async function declareInstances(database: Database, instances: readonly string[]): Promise<void> {
  await database.query(declareSystems, [instances])
}

export async function readStates(database: Database, instances: readonly string[]): Promise<Known[]> {
  const rows = await database.query<StateRow>(readSystems, [instances])
  return rows.map((row) => ({ state: stateOf(row), nowMs: row.nowMs, grant: undefined }))
}

/** Tells and asks for several systems at once: one short transaction, its size independent of the number of calls. */
export function exchangeWishes(
  database: Database,
  holder: number,
  asking: readonly Asking[],
): Promise<Known[]> {
  const instances = asking.map(({ instance }) => instance)
  return database.transaction(async (tx) => {
    const locked = tx.query<StateRow>(lockSystems, [instances])
    tx.send(pruneLeases, [instances])
    const leases = await tx.query<Share & { instance: string }>(readLeases, [instances])
    const rows = new Map((await locked).map((row) => [row.instance, row]))
    const divided = asking.map(({ instance, policy, wish }) => {
      const row = rows.get(instance)
      if (!row) throw new Error(`system ${instance} has no row in policies.system`)
      const shares = leases.filter((lease) => lease.instance === instance)
      const mine = shares.find((share) => share.holder === holder) ?? emptyShare(holder)
      const others = shares.filter((share) => share.holder !== holder)
      const division = divide({ state: stateOf(row), mine, others, wish, policy, nowMs: row.nowMs })
      return { ...division, nowMs: row.nowMs, livesMs: SLOT_LEASE_MS + policy.timeoutMs }
    })
    write(tx, holder, divided)
    return divided
  })
}

const emptyShare = (holder: number): Share => ({
  holder,
  slots: 0,
  probes: 0,
  active: false,
  waitingSinceMs: null,
})

function stateOf({ breaker, openUntilMs, proven, ...row }: StateRow): SharedState {
  return { ...row, breaker: { state: breaker, untilMs: openUntilMs, proven } }
}

function write(tx: Transaction, holder: number, divided: readonly (Division & { livesMs: number })[]): void {
  const states = divided.map(({ state }) => state)
  const shares = divided.map(({ mine }) => mine)
  const instances = states.map((state) => state.instance)
  tx.send(writeSystems, [
    instances,
    states.map((state) => state.revision),
    states.map((state) => state.pausedUntilMs),
    states.map((state) => state.pausedReason),
    states.map((state) => state.breaker.state),
    states.map((state) => state.breaker.untilMs),
    states.map((state) => state.breaker.proven),
    states.map((state) => state.tokens),
    states.map((state) => state.tokensAtMs),
  ])
  tx.send(writeLeases, [
    instances,
    holder,
    shares.map((share) => share.slots),
    shares.map((share) => share.probes),
    shares.map((share) => share.active),
    shares.map((share) => share.waitingSinceMs),
    divided.map(({ livesMs }) => livesMs),
  ])
  if (divided.some((division) => division.tellOthers)) tx.send(tellOthers)
}
