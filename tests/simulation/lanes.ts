/** Lanes side by side: each a process and a cluster of its own, on a core of its own where that can be had. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
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

export const openLanes = (wished: number): Promise<LaneHandle[]> =>
  Promise.all(
    Array.from({ length: Math.max(1, Math.min(wished, availableParallelism())) }, (_, core) =>
      open({ core }),
    ),
  )

type Wishes = { readonly core: number; readonly bug?: string; readonly url?: string }

async function open({ core, bug, url }: Wishes): Promise<LaneHandle> {
  const child = fork(PROGRAM, url ? [url] : [], {
    execArgv: bug ? ['--import', PLANTING] : [],
    ...(bug ? { env: { ...process.env, CROSSDOCK_PLANTED: bug } } : {}),
    serialization: 'advanced',
  })
  pin(child, core)
  const { url: cluster } = (await answerOf(child)) as { url: string }
  return {
    async run(job) {
      child.send(job)
      return (await answerOf(child)) as Finding
    },
    plant: (planted) => open({ core, bug: planted, url: cluster }),
    end: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.disconnect()
      }),
  }
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
