/** Runs a program on the project's own Node 24, whichever Node the shell has, as if it had been started directly. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SetupError, ensureInstalled } from './install.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const MEMORY = [
  // Garbage is collected when what lives has doubled; by itself Node lets it pile up to four times that on a large machine.
  '--heap-growing-percent=100',
  // What is young has half as much room as by itself: that is a quarter of all memory.
  '--max-semi-space-size=16',
  // By one thread beside the program: with more of them a small machine does nothing else for a tenth of a second.
  '--v8-pool-size=1',
]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
/** Ctrl-C arrives twice, from the terminal and from npm, within this time; a person needs longer to press again. */
const SAME_PRESS_MS = 300

/** Installs what is missing, then runs `program` (a path within the project) and ends as it ends. */
export async function runOnProjectNode(program, args) {
  try {
    await ensureInstalled(root)
    await start(program, args)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`crossdock: ${error.message}\n`)
    process.exitCode = 1
  }
}

/**
 * The program gets a process group of its own, so that a signal reaches it once and through here only. Should this
 * process be killed, the program notices on its channel and stops by itself: nothing is left running.
 */
function start(program, args) {
  const node = nodeBinary()
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const child = spawn(node, [...MEMORY, '--import', leash, resolve(root, program), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: process.platform !== 'win32',
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, PATH: path },
  })
  passSignals(child)
  stopWhenOrphaned(child)
  return new Promise((resolveEnd, reject) => {
    child.on('error', (error) => reject(new SetupError(`${node} does not run here: ${error.message}`)))
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal]
      resolveEnd()
    })
  })
}

/** Sources are stripped and compiled once, not at each command: half of what a short one costs. */
const compileCache = join(root, 'node_modules', '.cache', 'crossdock-compiled')

const leash = pathToFileURL(join(root, 'scripts', 'leash.mjs')).href

function nodeBinary() {
  const folder = join(root, 'node_modules', 'node', 'bin')
  return [join(folder, 'node.exe'), join(folder, 'node')].find((path) => existsSync(path)) ?? process.execPath
}

function passSignals(child) {
  for (const signal of SIGNALS) {
    let passedAt = Number.NEGATIVE_INFINITY
    process.on(signal, () => {
      if (performance.now() - passedAt < SAME_PRESS_MS) return
      passedAt = performance.now()
      child.kill(signal)
    })
  }
}

/** npx puts a shell between itself and us, which dies of a signal without passing it on; its death then says stop. */
function stopWhenOrphaned(child) {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 200)
  watch.unref()
}
