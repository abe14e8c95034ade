/** Several workers that share policies through a real PostgreSQL whose clock is the test's. */
import pg from 'pg'
import { type Connections, createDatabase, sql } from '#platform/database.ts'
import { openPolicies, type Policies } from '#platform/policies-exchange.ts'
import type { SystemGate } from '#platform/policies-gate.ts'
import { Policy } from '#platform/policies.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import type { z } from 'zod'
import { type FakeClock, fakeClock } from '#tests/support/clock.ts'
import { testDatabase } from '#tests/support/database.ts'

export type Worker = { readonly policies: Policies; readonly gate: SystemGate; readonly errors: unknown[] }

export interface PoliciesWorld {
  readonly clock: FakeClock
  /** Statements sent so far. */
  readonly statements: number
  /** While true PostgreSQL cannot be reached. */
  down: boolean
  /** A worker that knows one system, `erp`, under this policy. */
  worker(policy: z.input<typeof Policy>, holder?: number): Promise<Worker>
  /** Passes notifications on to the workers from now on. */
  notify(): Promise<void>
  /** Lets all that was asked of PostgreSQL be answered. */
  quiet(): Promise<void>
  /** Lets time pass in steps, each with PostgreSQL quiet. */
  pass(ms: number, eachStep?: () => void, stepMs?: number): Promise<void>
  query<Row>(text: string): Promise<Row[]>
  end(): Promise<void>
}

// Times in the statements of the house are `now()`; a function of that name in front of the built-in one shadows it.
const SHADOW = `create function public.now() returns timestamptz stable language sql
  as $$ select current_setting('test.now')::timestamptz $$`
const SET_NOW = sql('test.set_now', `select set_config('test.now', $1, false)`)

export async function policiesWorld(clock = fakeClock()): Promise<PoliciesWorld> {
  const { url, end } = await testDatabase()
  const side = new pg.Client({ connectionString: url })
  await side.connect()
  await side.query(SHADOW)
  await side.query(`alter database ${new URL(url).pathname.slice(1)} set search_path = public, pg_catalog`)
  const pool = openConnections({
    url,
    size: 6,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 20_000,
    plans: 'hot',
    onError: () => undefined,
  })
  const workers: Worker[] = []
  const wire = { statements: 0, busy: 0, down: false }
  const connections = observed(pool, clock, wire)

  async function quiet(): Promise<void> {
    await clock.until(() => wire.busy === 0, 'quiet')
    await clock.settle()
    if (wire.busy > 0) await quiet()
  }

  return {
    clock,
    get statements() {
      return wire.statements
    },
    get down() {
      return wire.down
    },
    set down(down) {
      wire.down = down
    },
    async worker(policy, holder = workers.length + 1) {
      const errors: unknown[] = []
      const policies = openPolicies({
        database: createDatabase(connections, { clock, random: () => 0.5, assertLockOrder: true }),
        clock,
        random: () => 0.5,
        holder,
        workers: () => workers.length,
        policies: { erp: Policy.parse(policy) },
        onError: (error) => errors.push(error),
      })
      const worker = { policies, gate: policies.gate('erp'), errors }
      workers.push(worker)
      await policies.refresh()
      return worker
    },
    async notify() {
      side.on('notification', () => workers.forEach((worker) => worker.policies.noticed()))
      await side.query('listen policies')
    },
    quiet,
    async pass(ms, eachStep = () => undefined, stepMs = 5) {
      for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
        eachStep()
        await clock.advance(stepMs)
        await quiet()
      }
    },
    query: async <Row>(text: string) => (await side.query(text)).rows as Row[],
    async end() {
      await side.end()
      await pool.end()
      await end()
    },
  }
}

type Wire = { statements: number; busy: number; down: boolean }

/** Counts what is sent, and tells each session the time before it is used. */
function observed(pool: ConnectionPool, clock: FakeClock, wire: Wire): Connections {
  return {
    async acquire() {
      if (wire.down) throw new Error('PostgreSQL cannot be reached')
      wire.busy += 1
      const connection = await pool.acquire()
      await connection.execute(SET_NOW, [clock.now().toISOString()])
      return {
        execute(statement, values) {
          wire.statements += 1
          return connection.execute(statement, values)
        },
        release(broken) {
          wire.busy -= 1
          connection.release(broken)
        },
      }
    },
  }
}
