/** The claim of one program on an embedded server: a lock in the server itself, so it ends with the program. */
import { Client, type DatabaseError } from 'pg'
import type { Clock } from './clock.ts'
import { Misconfiguration } from './misconfiguration.ts'
import { type Folder, SUPERUSER } from './postgres-folder.ts'
import type { Running } from './postgres-process.ts'

export const DATABASE = 'crossdock'

/** `crossdock` in ASCII, first four letters: the class of our advisory locks that guard the whole server. */
const LOCK = [0x63726f73, 1] as const
const RETRY_MS = 25
/** A killed program holds its lock until the server has noticed that the connection is closed. */
const CLAIM_TIMEOUT_MS = 3_000
/** SQLSTATE class 57P: shut down by an administrator, by a crash, or not accepting connections yet. */
const SERVER_GOES = '57P'
const WRONG_PASSWORD = '28P01'

export type Claim = {
  readonly client: Client
  /** Settles when the connection ends, for whatever reason: the claim is gone with it. */
  readonly lost: Promise<void>
}

/** By TCP. */
function addressOf(folder: Folder, port: number, database: string): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(folder.password)}@127.0.0.1:${port}/${database}`
}

/** By the server's socket where it has one, otherwise by TCP. */
export function urlOf(folder: Folder, { port, socketFolder }: Running): string {
  const address = addressOf(folder, port, DATABASE)
  return socketFolder === undefined ? address : `${address}?host=${encodeURIComponent(socketFolder)}`
}

/** Claims the server for this program. Undefined: the server went away meanwhile. Refused while another lives. */
export async function claim(folder: Folder, port: number, clock: Clock): Promise<Claim | undefined> {
  const deadlineMs = clock.monotonicMs() + CLAIM_TIMEOUT_MS
  const connected = await connect(folder, port)
  if (!connected) return undefined
  const { client } = connected
  try {
    while (!(await tryLock(client))) {
      if (clock.monotonicMs() > deadlineMs) throw alreadyInUse(folder, await holderOf(client))
      await clock.sleep(RETRY_MS)
    }
    return connected
  } catch (error) {
    await client.end().catch(() => undefined)
    if (error instanceof Misconfiguration || !isGone(error)) throw error
    return undefined
  }
}

async function connect(folder: Folder, port: number): Promise<Claim | undefined> {
  const client = new Client({
    connectionString: addressOf(folder, port, 'postgres'),
    application_name: `crossdock process ${process.pid}`,
    keepAlive: true,
  })
  const lost = new Promise<void>((resolve) => {
    client.once('end', () => resolve())
    client.on('error', () => resolve())
  })
  try {
    await client.connect()
    return { client, lost }
  } catch (error) {
    if (isGone(error)) return undefined
    if ((error as DatabaseError).code !== WRONG_PASSWORD) throw error
    const explanation = {
      problem: `The server of ${folder.named} does not take the password kept in that folder.`,
      reason: `The file "password" or the password of the role ${SUPERUSER} was changed.`,
      cure: 'Restore that file, or set DATABASE_URL with the right password.',
    }
    throw new Misconfiguration(explanation, error)
  }
}

/** Refused or cut connections, and a server that is starting, stopping or recovering. */
function isGone(error: unknown): boolean {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code.startsWith(SERVER_GOES)) return true
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code) || message.startsWith('Connection terminated')
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1, $2) as held', [
    ...LOCK,
  ])
  return rows[0]?.held === true
}

/** The name under which the holder has connected; it carries its process number. */
async function holderOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.classid = $1 and l.objid = $2 and l.granted`,
    [...LOCK],
  )
  return rows[0]?.name ?? 'unknown'
}

function alreadyInUse(folder: Folder, holder: string): Misconfiguration {
  return new Misconfiguration({
    problem: `The data folder ${folder.named} is in use by another program (${holder}).`,
    reason: 'An embedded server belongs to the one program that started it.',
    cure: 'Stop that program, choose another folder with --data DIR, or run both on one DATABASE_URL.',
  })
}
