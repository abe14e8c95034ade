/** The server process of a data folder: is it running, start it, stop it. */
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { execFile } from 'node:child_process'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from './clock.ts'
import { Misconfiguration } from './misconfiguration.ts'
import { type Folder, isAlive, writeSettings } from './postgres-folder.ts'
import { runProgram } from './postgres-programs.ts'
import type { Log } from './telemetry-log.ts'

export type Running = {
  readonly pid: number
  readonly port: number
  /** Where its socket is, if it has one. */
  readonly socketFolder: string | undefined
}

const START_TIMEOUT_S = 300
const STOP_TIMEOUT_S = 60
const START_ATTEMPTS = 3
const TAIL_LINES = 12

/**
 * The server that is running on this folder, once it is ready: waited for while it starts, recovers or stops. A pid
 * file whose process is gone, or is another program by now, is not a server.
 */
export async function findRunning(folder: Folder, clock: Clock, log: Log): Promise<Running | undefined> {
  const deadlineMs = clock.monotonicMs() + START_TIMEOUT_S * 1000
  for (;;) {
    const noted = await readPidFile(folder)
    if (!noted || !isAlive(noted.pid)) return undefined
    if (!(await isServerOf(folder, noted.pid))) {
      log.info('removing a PostgreSQL pid file: its process is another program by now', { pid: noted.pid })
      await rm(join(folder.data, 'postmaster.pid'), { force: true })
      await rm(join(folder.data, `.s.PGSQL.${noted.port}.lock`), { force: true })
      return undefined
    }
    if (noted.status === 'ready') return noted
    if (clock.monotonicMs() > deadlineMs) throw stuck(folder, noted.pid, noted.status)
    await clock.sleep(25)
  }
}

/** Starts the server, on the preferred port when that is free. Its failure shows what the server wrote. */
export async function startServer(folder: Folder, preferredPort?: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await writeSettings(folder, await freePort(attempt === 1 ? preferredPort : undefined))
    await rm(folder.startLog, { force: true })
    const args = [
      'start',
      '-D',
      folder.data,
      '-l',
      folder.startLog,
      '-w',
      '-t',
      String(START_TIMEOUT_S),
      '-s',
    ]
    const failure = await runProgram(folder.programs, 'pg_ctl', args).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!failure) return
    // Another program may have started it, or taken the port, between our look and our start.
    const noted = await readPidFile(folder)
    if (noted && (await isServerOf(folder, noted.pid))) return
    if (attempt === START_ATTEMPTS) throw await notStarted(folder, failure)
  }
}

/** Ends the server: open transactions are rolled back, everything committed is on the disk. */
export async function stopServer(folder: Folder, log: Log): Promise<void> {
  const stop = (mode: string) =>
    runProgram(folder.programs, 'pg_ctl', [
      'stop',
      '-D',
      folder.data,
      '-m',
      mode,
      '-w',
      '-t',
      String(STOP_TIMEOUT_S),
      '-s',
    ])
  try {
    await stop('fast')
  } catch (error) {
    const noted = await readPidFile(folder)
    if (!noted || !isAlive(noted.pid)) return
    log.warn('PostgreSQL did not stop in time and is stopped at once; it recovers at its next start', {
      error,
    })
    await stop('immediate')
  }
}

type Noted = Running & { readonly status: string }

/** https://www.postgresql.org/docs/current/storage-file-layout.html: pid, folder, start, port, socket, …, status. */
async function readPidFile(folder: Folder): Promise<Noted | undefined> {
  const text = await readFile(join(folder.data, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const pid = Math.abs(Number(lines[0]))
  if (!(pid > 0)) return undefined
  const socketFolder = lines[4]?.trim() || undefined
  return { pid, port: Number(lines[3]), socketFolder, status: lines[7]?.trim() ?? 'starting' }
}

/** Process numbers are used again: only a postgres that was started on this folder is its server. */
async function isServerOf(folder: Folder, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => commandByPs(pid))
  if (command === undefined) return true
  const program = basename(command.split(/\0| -D /)[0]?.trim() ?? '')
  if (!program.startsWith('postgres')) return false
  if (command.includes(folder.data)) return true
  // Started by hand from inside the folder. Unreadable means that it is somebody else's process.
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === folder.data
}

async function commandByPs(pid: number): Promise<string | undefined> {
  return promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => undefined,
  )
}

async function freePort(preferred = 0): Promise<number> {
  const probe = createServer()
  const listening = new Promise<number>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(preferred, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
  return preferred === 0 ? listening : listening.catch(() => freePort())
}

async function notStarted(folder: Folder, cause: unknown): Promise<Misconfiguration> {
  const tail = await lastWords(folder)
  const explanation = {
    problem: `PostgreSQL did not start on ${folder.named}.`,
    reason: tail || String(cause),
    cure: 'Mend what it names, choose another folder with --data DIR, or set DATABASE_URL to a server of your own.',
  }
  return new Misconfiguration(explanation, cause)
}

function stuck(folder: Folder, pid: number, status: string): Misconfiguration {
  return new Misconfiguration({
    problem: `PostgreSQL (process ${pid}) has been ${status} on ${folder.named} for ${START_TIMEOUT_S} seconds.`,
    cure: `See ${join(folder.data, 'log')}. "kill -QUIT ${pid}" ends it without loss of anything committed.`,
  })
}

/** The end of what the server wrote: on the way to its own log, and in that log when it got there. */
async function lastWords(folder: Folder): Promise<string> {
  const early = await readFile(folder.startLog, 'utf8').catch(() => '')
  const late = early.includes('logging collector') ? await newestLog(join(folder.data, 'log')) : ''
  const lines = [early, late].flatMap((text) => text.trim().split('\n').slice(-TAIL_LINES))
  return lines.filter(Boolean).join('\n  ')
}

async function newestLog(logs: string): Promise<string> {
  const files = (await readdir(logs).catch(() => [])).map((name) => join(logs, name))
  const aged = await Promise.all(files.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })))
  const newest = aged.toSorted((a, b) => b.at - a.at)[0]
  return newest ? readFile(newest.file, 'utf8') : ''
}
