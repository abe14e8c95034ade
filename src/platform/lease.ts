/**
 * A process's lease on its work: an epoch, a session lock held for as long as it lives, a heartbeat. Whoever finds the
 * lock free declares the epoch dead, after which nothing of it can commit, and gives its documents back to the desk.
 */
import type { Clock } from './clock.ts'
import type { Connection, Connections, Database, Queries, Transaction } from './database.ts'
import { sql, sqlState } from './database.ts'

/** How long without a heartbeat before others may end the process's session and take over. */
export const LEASE_MS = 10_000
const HEARTBEAT_MS = 1_000
/** How long a process believes in a heartbeat of its own: less than others do. */
const BELIEF_MS = 8_000
/** An answer that was longer on its way does not tell well what time it is. */
const TIMELY_MS = 500

// The row must not be visible before the lock is held, or a takeover would declare a newborn dead.
const open = sql(
  'lease.open',
  `with node as (insert into desk.node (name) values ($1) returning epoch)
   select epoch, now() as now, (select count(*)::int + 1 from desk.node where not dead) as workers, pg_advisory_lock(1, epoch::int)::text as locked from node`,
)
const beat = sql(
  'lease.beat',
  `update desk.node set heartbeat_at = now() where epoch = $1 and not dead
   returning now() as now, (select count(*)::int from desk.node where not dead) as workers`,
)
export const fenceStatement = sql('lease.fence', 'select desk.fence($1) as xid')

export type Lease = {
  readonly epoch: number
  /** How many processes hold one, this one among them, as of the last heartbeat. */
  readonly workers: number
  /** False once others may have taken over: then nothing may be sent any more. */
  valid(): boolean
  /** Resolves when the lease is lost: the process must forget what it owns and start with a new epoch. */
  readonly lost: Promise<string>
  /** Gives it up; `reason` is what `lost` says. */
  release(reason?: string): Promise<void>
}

/** `onTime` hears what time it is at the database, at the start and with every heartbeat. */
export async function openLease(
  connections: Connections,
  clock: Clock,
  name: string,
  onTime: (now: Date) => void = () => undefined,
): Promise<Lease> {
  const connection = await connections.acquire()
  let lastBeatMs = clock.monotonicMs()
  const { epoch, now, ...taken } = await takeEpoch(connection, name)
  let { workers } = taken
  onTime(now)
  let cancel: () => void = () => undefined
  let ended = false
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>()

  function end(reason: string): void {
    if (ended) return
    ended = true
    cancel()
    connection.release(true)
    lose(reason)
  }

  async function heartbeat(): Promise<void> {
    const startedMs = clock.monotonicMs()
    // A session that is cut off from its server notices nothing by itself.
    cancel = clock.after(BELIEF_MS - HEARTBEAT_MS, () => end('the database leaves a heartbeat unanswered'))
    try {
      const { rows } = await connection.execute(beat, [epoch])
      const [beaten] = rows as Beaten[]
      if (!beaten) return end('this process was declared dead')
      workers = beaten.workers
      if (clock.monotonicMs() - startedMs <= TIMELY_MS) onTime(beaten.now)
    } catch (error) {
      return end(`the session that holds the lease is gone: ${String(error)}`)
    }
    if (ended) return
    lastBeatMs = startedMs
    cancel()
    schedule()
  }

  function schedule(): void {
    cancel = clock.after(HEARTBEAT_MS, () => void heartbeat())
  }

  schedule()
  return {
    epoch,
    get workers() {
      return workers
    },
    valid: () => !ended && clock.monotonicMs() - lastBeatMs < BELIEF_MS,
    lost,
    async release(reason = 'released') {
      end(reason)
    },
  }
}

type Beaten = { readonly now: Date; readonly workers: number }
type Taken = Beaten & { readonly epoch: number }

async function takeEpoch(connection: Connection, name: string): Promise<Taken> {
  try {
    const { rows } = await connection.execute(open, [name])
    return rows[0] as Taken
  } catch (error) {
    connection.release(true)
    throw error
  }
}

const HELD = `exists (
     select from pg_locks l where l.locktype = 'advisory' and l.classid = 1 and l.objsubid = 2
       and l.objid = n.epoch::bigint::oid and l.granted
       and l.database = (select oid from pg_database where datname = current_database()))`
/** Those whose session is gone, or silent for so long that it has to be ended. */
const others = sql(
  'lease.others',
  `select epoch, stale from desk.node n
   cross join lateral (select heartbeat_at < now() - make_interval(secs => $2::float8) as stale) s
   where not dead and epoch <> $1 and (stale or not ${HELD}) order by epoch`,
)
const endSession = sql(
  'lease.end_session',
  `select pg_terminate_backend(pid) from pg_locks
   where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
     and classid = 1 and objid = $1::bigint::oid and objsubid = 2 and granted`,
)
const tryLock = sql('lease.try_lock', 'select pg_try_advisory_xact_lock(1, $1::bigint::int) as free')
// Waits for the dead process's open transactions; afterwards its fence refuses every new one.
const fenceOff = sql('lease.fence_off', 'select pg_advisory_xact_lock(2, $1::bigint::int)')
const bury = sql(
  'lease.bury',
  'update desk.node set dead = true where epoch = $1 and not dead returning epoch',
)
const giveBack = sql(
  'lease.give_back',
  `update desk.document set owner = null, due_at = now() where owner = $1`,
)
const forget = sql(
  'lease.forget',
  `delete from desk.node where dead and heartbeat_at < now() - interval '7 days'`,
)

const LOCK_NOT_AVAILABLE = '55P03'

/** Takes over from every process that is gone; answers their epochs. Run at start and each second. */
export async function takeOver(database: Database, epoch: number): Promise<number[]> {
  const nodes = await database.query<{ epoch: number; stale: boolean }>(others, [epoch, LEASE_MS / 1000])
  const taken: number[] = []
  for (const node of nodes) {
    if (node.stale) await database.query(endSession, [node.epoch])
    if (await declareDead(database, node.epoch)) taken.push(node.epoch)
  }
  if (taken.length > 0) await database.query(forget)
  return taken
}

async function declareDead(database: Database, epoch: number): Promise<boolean> {
  try {
    return await database.transaction((tx) => buryWithin(tx, epoch))
  } catch (error) {
    // A transaction of the dead is still open; its idle timeout ends it, and the other dead need not wait for that.
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return false
    throw error
  }
}

async function buryWithin(tx: Transaction, epoch: number): Promise<boolean> {
  const [lock] = await tx.query<{ free: boolean }>(tryLock, [epoch])
  if (!lock?.free) return false
  await tx.query(fenceOff, [epoch])
  const buried = await tx.query(bury, [epoch])
  if (buried.length === 0) return false
  tx.send(giveBack, [epoch])
  return true
}

// A session that ended has no lock any more; one that is cut off from its process has no fresh heartbeat.
const living = sql(
  'lease.living',
  `select exists (
     select from desk.node n
     where not n.dead and n.heartbeat_at > now() - make_interval(secs => $1::float8) and ${HELD}) as living`,
)

/** Whether a process works on this database at this moment, on whatever machine. */
export async function somebodyWorks(queries: Queries): Promise<boolean> {
  const [row] = await queries.query<{ living: boolean }>(living, [LEASE_MS / 1000])
  return row!.living
}
