/** The folder of an embedded server: made once, complete or not at all, and found again at every start. */
import {
  appendFile,
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { firstSecret } from './ids.ts'
import { Misconfiguration } from './misconfiguration.ts'
import { type Account, canEnter, type Programs, runProgram } from './postgres-programs.ts'
import { renderSettings } from './postgres-settings.ts'

export const SUPERUSER = 'crossdock'

export type Folder = {
  /** What the user calls it, for messages. */
  readonly named: string
  /** The PostgreSQL data directory. */
  readonly data: string
  /** What a server writes before its own log is open. */
  readonly startLog: string
  readonly password: string
  readonly programs: Programs
  readonly durable: boolean
}

/** Where data goes that the server's account cannot reach where the user asked for it. */
const REACHABLE = '/var/lib/crossdock'
/** Inside the folder that the user asked for: where its data really is. */
const LINK = 'reachable'
const SETTINGS_FILE = 'crossdock.conf'
/** What the system takes for the path of a socket: 107 bytes on Linux, 103 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103
const LONGEST_SOCKET = '.s.PGSQL.65535'

/**
 * Opens the folder, making the cluster in it when there is none. A cluster is made beside its place and moved there
 * when it is complete: neither a kill in the middle nor a second program at the same moment leaves half of one.
 */
export async function openFolder(
  dataDirectory: string,
  programs: Programs,
  durable: boolean,
): Promise<Folder> {
  const named = resolve(dataDirectory)
  const home = await reachableHome(named, programs.account)
  const cluster = join(home, 'cluster')
  const data = join(cluster, 'data')
  if ((await versionOf(data)) === undefined) await makeCluster(home, programs, durable)
  await assertReadable(named, data, programs)
  return {
    named,
    data: await realpath(data),
    startLog: join(cluster, 'start.log'),
    password: (await readFile(join(cluster, 'password'), 'utf8')).trim(),
    programs,
    durable,
  }
}

/** Whether a server has ever been made in the folder. */
export async function hasCluster(dataDirectory: string): Promise<boolean> {
  const places = [resolve(dataDirectory), join(resolve(dataDirectory), LINK)]
  const versions = await Promise.all(places.map((home) => versionOf(join(home, 'cluster', 'data'))))
  return versions.some((version) => version !== undefined)
}

export async function writeSettings(folder: Folder, port: number): Promise<void> {
  const file = join(folder.data, SETTINGS_FILE)
  const unfinished = `${file}.${randomName()}`
  const settings = renderSettings({
    port,
    socketFolder: socketFolderOf(folder.data),
    durable: folder.durable,
  })
  await writeFile(unfinished, settings, { mode: 0o600 })
  await giveTo(folder.programs.account, unfinished)
  await rename(unfinished, file)
}

/** The data directory itself, which only its owner can enter; undefined where the path would be cut off or not be known. */
function socketFolderOf(data: string): string | undefined {
  const fits = Buffer.byteLength(join(data, LONGEST_SOCKET)) <= SOCKET_PATH_BYTES_MAX
  return fits && process.platform !== 'win32' ? data : undefined
}

async function reachableHome(named: string, account: Account): Promise<string> {
  try {
    // The account has to pass through; only the password and the data inside are closed to others.
    await mkdir(named, { recursive: true, mode: 0o711 })
  } catch (cause) {
    throw unusable(named, cause)
  }
  if (await canEnter(account, named)) return named
  const link = join(named, LINK)
  const elsewhere = join(REACHABLE, randomName())
  await symlink(elsewhere, link).catch(() => undefined)
  const home = await readlink(link)
  await mkdir(home, { recursive: true, mode: 0o711 })
  return home
}

function randomName(): string {
  return firstSecret(8)
}

async function versionOf(data: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(data, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(data, error)
  }
}

async function assertReadable(named: string, data: string, programs: Programs): Promise<void> {
  const version = await versionOf(data)
  if (version === programs.major) return
  throw new Misconfiguration({
    problem: `The data in ${named} belongs to PostgreSQL ${version ?? 'of unknown version'}.`,
    reason: `This release brings PostgreSQL ${programs.major}, which does not read it.`,
    cure: 'Dump it with the release that wrote it and restore into a new folder (--data DIR), or use that release.',
  })
}

function unusable(folder: string, cause: unknown): Misconfiguration {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const denied = code === 'EACCES' || code === 'EPERM'
  const explanation = {
    problem: `The data folder ${folder} cannot be used.`,
    reason: denied ? 'It belongs to another user of this machine.' : message,
    cure: 'Choose another folder with --data DIR, or start as the user who owns this one.',
  }
  return new Misconfiguration(explanation, cause)
}

async function makeCluster(home: string, programs: Programs, durable: boolean): Promise<void> {
  await removeUnfinished(home)
  const unfinished = join(home, `cluster.new-${process.pid}-${randomName()}`)
  const passwordFile = join(unfinished, 'password')
  try {
    await mkdir(unfinished, { mode: 0o711 })
    await giveTo(programs.account, unfinished)
    await writeFile(passwordFile, `${firstSecret(24)}\n`, { mode: 0o600 })
    await giveTo(programs.account, passwordFile)
    await runProgram(programs, 'initdb', initdbArguments(unfinished, passwordFile, durable))
    await appendFile(
      join(unfinished, 'data', 'postgresql.conf'),
      `\ninclude_if_exists = '${SETTINGS_FILE}'\n`,
    )
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true })
    const { stderr = '', message } = cause as { stderr?: string; message: string }
    const explanation = {
      problem: `No PostgreSQL cluster could be made in ${home}.`,
      reason: (stderr || message).trim(),
      cure: 'Choose a folder on a local disk with --data DIR, or set DATABASE_URL to a server of your own.',
    }
    throw new Misconfiguration(explanation, cause)
  }
  // A rename onto a folder with content fails: another program was faster, and its cluster is the one.
  await rename(unfinished, join(home, 'cluster')).catch(() => rm(unfinished, { recursive: true }))
}

function initdbArguments(cluster: string, passwordFile: string, durable: boolean): string[] {
  return [
    `--pgdata=${join(cluster, 'data')}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Code point order and Unicode case rules from PostgreSQL itself: the same on every machine, and fast.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ]
}

/** What a program left that was killed while it made a cluster. One that is still at it keeps its own. */
async function removeUnfinished(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const maker = /^cluster\.new-(\d+)-/.exec(name)?.[1]
    if (maker && !isAlive(Number(maker))) await rm(join(home, name), { recursive: true, force: true })
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function giveTo(account: Account, path: string): Promise<void> {
  if (account) await chown(path, account.uid, account.gid)
}
