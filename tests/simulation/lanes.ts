/** Lanes side by side: each a process and a cluster of its own, on a core of its own where that can be had. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Finding, Job } from './search.ts'

export type LaneHandle = {
  /** Runs one seed; a failing one comes back with the shortest script that still fails. */
  run(job: Job): Promise<Finding>
  /** The same lane with a bug planted into the program, in a process of its own. */
  plant(bug: string): Promise<LaneHandle>
  end(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('lane-process.ts', import.meta.url))
const PLANTING = new URL('planting.ts', import.meta.url).href

/** What is looked for on lanes, until it is done or somebody wants it to end. */
export type Search = {
  run(lanes: readonly LaneHandle[]): Promise<unknown>
  /** Prints what was found so far; answers the exit code. */
  end(): number
}

export type Lanes = {
  readonly opened: Promise<readonly LaneHandle[]>
  /** Ends them in order, also those that are being opened or at work. */
  end(): Promise<void>
}

export function startLanes(wished: number): Lanes {
  const children = new Set<ChildProcess>()
  const count = Math.max(1, Math.min(wished, availableParallelism()))
  return {
    opened: Promise.all(Array.from({ length: count }, (_, core) => open({ core, children }))),
    async end() {
      // Those with a bug came later, and stand on the clusters of the others.
      for (const child of [...children].toReversed()) await hangUp(child)
    },
  }
}

type Wishes = {
  readonly core: number
  readonly children: Set<ChildProcess>
  readonly bug?: string
  readonly url?: string
}

/**
 * What a seed makes dies with it, and a lane has one core: garbage is collected seldom and by one thread, which takes a
 * quarter less of the processor.
 */
const GARBAGE = ['--min-semi-space-size=128', '--max-semi-space-size=128', '--single-threaded-gc']

async function open({ core, children, bug, url }: Wishes): Promise<LaneHandle> {
  const child = fork(PROGRAM, url ? [url] : [], {
    execArgv: [...GARBAGE, ...(bug ? ['--import', PLANTING] : [])],
    ...(bug ? { env: { ...process.env, CROSSDOCK_PLANTED: bug } } : {}),
    serialization: 'advanced',
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  pin(child, core)
  const { url: cluster } = (await answerOf(child)) as { url: string }
  return {
    async run(job) {
      child.send(job)
      return (await answerOf(child)) as Finding
    },
    plant: (planted) => open({ core, children, bug: planted, url: cluster }),
    end: () => hangUp(child),
  }
}

/** A lane whose channel is closed ends by itself, in order. */
async function hangUp(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  if (child.connected) child.disconnect()
  await gone
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a lane ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}

/** Program and server take turns strictly: on one core a turn costs a context switch instead of a wake-up. */
function pin(child: ChildProcess, core: number): void {
  if (process.platform !== 'linux' || child.pid === undefined) return
  spawnSync('taskset', ['-a', '-p', '-c', String(core), String(child.pid)], { stdio: 'ignore' })
}
