/** Starts what the benchmark runs against, each part in a process of its own, and reads what each has used. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace } from '#landscape/wms/store.ts'
import { undoable } from './undoing.ts'

/** How long each system takes for an answer. */
export type AnswerTimesMs = Readonly<Record<'legacyErp' | 'cloudErp' | 'wms', number>>

export type LandscapeMessage =
  | { kind: 'deliver'; to: string; pace: Pace }
  | { kind: 'answer-after'; ms: AnswerTimesMs }
  | { kind: 'usage' }
export type Usage = { cpu: { user: number; system: number }; rss: number; owned?: number }
type Ready = { kind: 'ready'; url?: string; urls?: Record<string, string> }

export type Part = {
  readonly ready: Ready
  tell(message: object): void
  usage(): Promise<Usage>
  /** Asks it to stop in order. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Runs a file of this folder; resolves when it says that it is ready. */
export async function startPart(file: string, parameter?: object): Promise<Part> {
  const profile = process.env['BENCH_PROFILE']
  const child = fork(new URL(file, import.meta.url), parameter ? [JSON.stringify(parameter)] : [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [
      ...process.execArgv.filter((flag) => /^--(heap|max-semi|v8)/.test(flag)),
      ...(profile && file.startsWith('./app') ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []),
    ],
  })
  const gone = once(child, 'exit')
  const kill = undoable(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const ready = await nextMessage<Ready>(child, 'ready')
  return {
    ready,
    tell: (message) => void child.send(message),
    usage() {
      const answer = nextMessage<Usage & { kind: string }>(child, 'usage')
      child.send({ kind: 'usage' })
      return answer
    },
    async stop() {
      if (child.connected) child.send({ kind: 'stop' })
      await Promise.race([gone, sleep(STOP_MS)])
      await kill()
    },
    kill,
  }
}

const STOP_MS = 10_000

function nextMessage<T extends { kind: string }>(child: ChildProcess, kind: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a part of the benchmark ended with ${code}`))
    child.once('exit', onExit)
    const onMessage = (message: T): void => {
      if (message.kind !== kind) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message)
    }
    child.on('message', onMessage)
  })
}

const TICKS_PER_SECOND = 100

/** CPU seconds of PostgreSQL and all its children, living and ended; undefined where there is no /proc. */
export function postgresCpuSeconds(postmaster: number): number | undefined {
  try {
    let ticks = 0
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const stat = statOf(pid)
      if (!stat || (Number(pid) !== postmaster && stat.parent !== postmaster)) continue
      ticks += stat.own + (Number(pid) === postmaster ? stat.children : 0)
    }
    return ticks / TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

function statOf(pid: string): { parent: number; own: number; children: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return { parent: fields[1]!, own: fields[11]! + fields[12]!, children: fields[13]! + fields[14]! }
  } catch {
    return undefined
  }
}
