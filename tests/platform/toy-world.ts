/** Runners of the toy business on a real database, whose statements can be stopped and whose systems answer when told. */
import { systemClock } from '#platform/clock.ts'
import type { Connector, LookUpOutcome, Recovery } from '#platform/connector.ts'
import { type Connections, createDatabase, type Database } from '#platform/database.ts'
import { restartSteps, wakeDocuments } from '#platform/desk.ts'
import { createLane, type Lane } from '#platform/lanes.ts'
import { fenceStatement, type Lease, openLease, takeOver } from '#platform/lease.ts'
import { sql } from '#platform/database.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { createRunner, type Runner, type RunnerOptions } from '#platform/runner.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { type Call, heldBinding, TestGate } from './held-system.ts'
import { pausable, type PausableConnections } from './pausable-connections.ts'
import { cancelToy, createToys, type NewToy, TABLES, toy, toyRow, writeNote } from './toy-process.ts'

export const CAUSE = { source: 'test', actor: 'tester' }
const STUCK_AFTER_MS = 50_000
/** Of fake time. */
export const POLL_MS = 10

export type ToyWorker = {
  readonly epoch: number
  readonly lease: Lease
  readonly runner: Runner
  readonly database: Database
  readonly lanes: ReadonlyMap<string, Lane>
  readonly gate: TestGate
  readonly connections: PausableConnections
  readonly errors: string[]
}

export type WorkerWishes = Partial<RunnerOptions> & { readonly openMax?: number }

type DeskState = {
  readonly version: number
  readonly owner: number | null
  readonly failures: number
  readonly dueInMs: number
}

const poisonNoted = sql('toy.poisoned', `insert into public.toy_trouble values ($1, 'poison')`)
const parkedNoted = sql(
  'toy.parked',
  `insert into public.toy_trouble select doc, 'parked' from unnest($1::bigint[]) doc`,
)

export class ToyWorld {
  clock: FakeClock = fakeClock(new Date())
  /** Every call of every runner, in order; a look-up's name ends with a question mark. */
  readonly calls: Call[] = []
  /** Answers calls at once; those for which it answers nothing stay under way. */
  reply: (operation: string, keys: readonly string[]) => LookUpOutcome | undefined = () => undefined
  readonly recovery: Record<string, Recovery> = {}
  readonly house: OpenDatabase
  readonly pool: ConnectionPool
  #workers: ToyWorker[] = []

  constructor(house: OpenDatabase) {
    this.house = house
    this.pool = openConnections({
      url: house.url,
      size: 20,
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 20_000,
      plans: 'hot',
      onError: () => undefined,
    })
  }

  /** A process with a lease of its own, not started yet. */
  async worker({ openMax = 1_000, ...wishes }: WorkerWishes = {}): Promise<ToyWorker> {
    const connections = pausable(this.pool)
    const lease = await openLease(this.pool, systemClock, 'toy')
    const database = this.databaseOf(connections, lease.epoch)
    const gate = new TestGate(this.clock, 1_000)
    const lanes = new Map(
      ['store', 'depot'].map((instance) => [
        instance,
        createLane({
          connector: this.connector(instance),
          gate,
          clock: this.clock,
          random: () => 0,
          openMax,
          callBack: (limit) => runner.callBack(instance, limit),
          mayStillSend: () => lease.valid(),
        }),
      ]),
    )
    const errors: string[] = []
    const runner = createRunner({
      database,
      clock: this.clock,
      random: () => 0.5,
      epoch: lease.epoch,
      processes: [toy],
      lanes,
      route: (_, capability) => capability,
      inFlightMax: 1_000,
      batchMax: 100,
      // Time passes only when a test says so.
      restMs: 0,
      claimPollMs: POLL_MS,
      verifyFacts: true,
      spokenLate: async () => undefined,
      parked: async (tx, effects) => tx.send(parkedNoted, [effects.map(({ facts }) => facts.doc)]),
      poisoned: async (tx, { doc }) => tx.send(poisonNoted, [doc]),
      inDoubt: (error) => void lease.release(error.message),
      onError: (message, error) => errors.push(`${message}: ${String(error)}`),
      ...wishes,
    })
    const worker = { epoch: lease.epoch, lease, runner, database, lanes, gate, connections, errors }
    this.#workers.push(worker)
    return worker
  }

  databaseOf(connections: Connections, epoch: number): Database {
    const fence = { statement: fenceStatement, values: [epoch] }
    return createDatabase(connections, {
      clock: this.clock,
      random: () => 0.5,
      assertLockOrder: true,
      fence,
    })
  }

  connector(instance: string): Connector {
    const bind = (name: string) => {
      const held = heldBinding(name, 100, this.calls)
      const answering =
        (ask: typeof held.send): typeof held.send =>
        (...asked) => {
          const answer = ask(...asked)
          const call = this.calls.at(-1)!
          const outcome = this.reply(call.operation, call.keys)
          if (outcome) call.answer(outcome)
          return answer
        }
      const recovery = this.recovery[name] ?? 'lookup'
      return {
        ...held,
        batchMax: 1,
        recovery,
        send: answering(held.send),
        lookUp: answering(held.lookUp as never),
      }
    }
    const names = instance === 'store' ? ['post', 'unpost'] : ['ship', 'unship']
    return {
      instance,
      operations: Object.fromEntries(names.map((name) => [`${instance}.${name}`, bind(name)])),
    }
  }

  /** Begins documents through the worker, as a door does. */
  begin({ runner }: ToyWorker, ...toys: readonly NewToy[]): Promise<void> {
    return runner.transaction(CAUSE, async (tx, turn) => {
      turn.begin(createToys(tx, toys).map((facts) => ({ process: toy, facts })))
    })
  }

  /** Puts documents on the desk that nobody owns, due now. */
  async enroll(...toys: readonly (NewToy & { priority?: number; share?: number })[]): Promise<void> {
    await this.house.database.transaction(async (tx) => {
      createToys(tx, toys)
      await wakeDocuments(
        tx,
        null,
        toys.map(({ doc, priority = 2, share = 0 }) => toyRow(doc, { priority, share })),
      )
    })
  }

  /** Another process changes what the document's facts read, and wakes it. */
  async note(doc: number, text: string): Promise<void> {
    await this.house.database.transaction(async (tx) => {
      writeNote(tx, doc, text)
      await wakeDocuments(tx, null, [toyRow(doc)])
    })
  }

  async cancel(doc: number): Promise<void> {
    await this.house.database.transaction(async (tx) => {
      cancelToy(tx, doc)
      await wakeDocuments(tx, null, [toyRow(doc)])
    })
  }

  /** A person asks for another try of what was refused. */
  async restart(doc: number): Promise<void> {
    await this.house.database.transaction(async (tx) => {
      await restartSteps(tx, [doc], 'tester')
      await wakeDocuments(tx, null, [toyRow(doc)])
    })
  }

  async done(doc: number): Promise<string[]> {
    const [row] = await this.house.run<{ done: string[] }>('select done from public.toy where doc = $1', [
      doc,
    ])
    return row?.done ?? []
  }

  /** The document's place on the desk; undefined when it left. */
  async desk(doc: number): Promise<DeskState | undefined> {
    const [row] = await this.house.run<DeskState>(
      `select version, owner, failures, (1000 * extract(epoch from due_at - now()))::float8 as "dueInMs"
       from desk.document where doc = $1`,
      [doc],
    )
    return row
  }

  intents(doc: number): Promise<{ key: string; state: string; attempts: number; dueAt: Date | null }[]> {
    return this.house.run(
      `select step || '/' || subject || '/' || generation as key, state, attempts, due_at as "dueAt"
       from effects.intent where doc = $1 order by step, subject, generation`,
      [doc],
    )
  }

  async troubles(): Promise<string[]> {
    const rows = await this.house.run<{ doc: number; trouble: string }>(
      'select doc, trouble from public.toy_trouble order by doc',
    )
    return rows.map(({ doc, trouble }) => `${trouble} ${doc}`)
  }

  /** Waits for what needs no time to pass. */
  until(condition: () => boolean | Promise<boolean>, what?: string): Promise<void> {
    return this.clock.until(condition, what)
  }

  /** Waits while polls go by. */
  async polled(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
    const stuckAtMs = systemClock.monotonicMs() + STUCK_AFTER_MS
    while (!(await condition())) {
      if (systemClock.monotonicMs() > stuckAtMs) throw new Error(`${what} did not come true`)
      await this.timePasses(POLL_MS)
    }
  }

  /** Time passes for the clock and for whoever sleeps in the database alike. */
  async timePasses(ms: number): Promise<void> {
    // First for the clock: what comes back too early would be put to sleep for its whole time again.
    await this.clock.advance(ms)
    await this.house.run(
      `update desk.document set due_at = due_at - make_interval(secs => $1::float8) where doc = any(array(
         select doc from desk.document where owner is null and due_at < now() + interval '1 year'
         for update skip locked))`,
      [ms / 1_000],
    )
    await this.house.run(
      `update public.toy set ring_at = ring_at - make_interval(secs => $1::float8) where ring_at is not null`,
      [ms / 1_000],
    )
  }

  /** The call with this key, once it has been made; with `nth`, that often. */
  async called(key: string, nth = 1): Promise<Call> {
    const made = (): Call[] => this.calls.filter(({ keys }) => keys.includes(key))
    await this.polled(() => made().length >= nth, `call ${nth} of ${key}`)
    return made()[nth - 1]!
  }

  asleep = async (doc: number): Promise<boolean> => {
    const row = await this.desk(doc)
    return row !== undefined && row.owner === null && row.dueInMs > 0
  }

  left = async (doc: number): Promise<boolean> => (await this.desk(doc)) === undefined

  /** Ends the session that holds the lease, as the death of the process does. */
  async kill(worker: ToyWorker): Promise<void> {
    for (const lane of worker.lanes.values()) lane.stop()
    await this.endSession(worker.epoch)
  }

  async endSession(epoch: number): Promise<void> {
    await this.house.run(`select pg_terminate_backend(pid) from (${LOCK_HOLDERS}) l where epoch = $1`, [
      epoch,
    ])
    await this.until(async () => !(await this.leased()).includes(epoch), 'the end of the session')
  }

  async leased(): Promise<number[]> {
    return (await this.house.run<{ epoch: number }>(LOCK_HOLDERS)).map(({ epoch }) => epoch)
  }

  /** Ends the runners of a test and forgets its documents. */
  async reset(): Promise<void> {
    for (const { runner, lanes, lease } of this.#workers.splice(0)) {
      for (const lane of lanes.values()) lane.stop()
      await runner.stop('forget')
      await lease.release()
    }
    await this.until(async () => (await this.leased()).length === 0, 'the end of the leases')
    // Also waits for what they still had under way.
    await takeOver(this.house.database, 0)
    await this.house.run(
      'truncate public.toy, public.toy_note, public.toy_trouble, desk.document, desk.step, effects.intent, effects.held',
    )
    this.clock = fakeClock(new Date())
    this.calls.length = 0
    this.reply = () => undefined
    for (const name of Object.keys(this.recovery)) delete this.recovery[name]
  }

  async end(): Promise<void> {
    await this.pool.end()
    await this.house.end()
  }
}

const LOCK_HOLDERS = `select pid, objid::int8 as epoch from pg_locks where locktype = 'advisory' and classid = 1
  and granted and database = (select oid from pg_database where datname = current_database())`

export async function openToyWorld(): Promise<ToyWorld> {
  const house = await openTestDatabase()
  for (const table of TABLES) await house.run(table)
  return new ToyWorld(house)
}
