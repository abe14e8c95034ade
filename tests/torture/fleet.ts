/** Programs of the house that are started anew whenever they end, as a supervisor does it. */
import { type ChildProcess, fork } from 'node:child_process'
import type { ConfigInput } from '../../src/config-schema.ts'

const MAIN = new URL('../support/program-main.ts', import.meta.url)
const AGAIN_FIRST_MS = 100
const AGAIN_MOST_MS = 2_000
const STOP_WITHIN_MS = 15_000
const LAST_LINES = 5

export type Ended = { readonly name: string; readonly code: number | null; readonly lines: readonly string[] }

export type FleetOptions = {
  /** By name; each says its role. */
  readonly configs: Readonly<Record<string, Partial<ConfigInput>>>
  readonly environment: Readonly<Record<string, string>>
  /** What programs log: warnings and worse. */
  readonly onLog: (name: string, text: string) => void
}

export class Fleet {
  /** Programs that were ready and ended although nobody had killed them. */
  readonly ended: Ended[] = []
  /** Ends before readiness: the database was away, most likely. */
  failedStarts = 0
  readonly #members: readonly Member[]

  constructor(options: FleetOptions) {
    this.#members = Object.entries(options.configs).map(
      ([name, config]) => new Member({ name, config, fleet: this, ...options }),
    )
  }

  get size(): number {
    return this.#members.length
  }

  get ready(): boolean {
    return this.#members.every(({ url }) => url !== undefined)
  }

  /** Ports of the programs whose doors are open, or were before they were frozen. */
  get doors(): number[] {
    return this.#members.flatMap(({ url, hasDoors }) => (url && hasDoors ? [Number(new URL(url).port)] : []))
  }

  /** The drawn one, or the next that can be killed; false when there is none. */
  kill(nth: number, whileStarting: boolean): boolean {
    return [...this.#members.keys()].some((place) => {
      const member = this.#members[(nth + place) % this.size]!
      return (whileStarting || member.url !== undefined) && member.signal('SIGKILL')
    })
  }

  /** Answers what thaws it; undefined when it cannot be frozen. */
  freeze(nth: number): (() => void) | undefined {
    return this.#members[nth % this.size]!.freeze()
  }

  thawAll(): void {
    for (const member of this.#members) member.signal('SIGCONT')
  }

  /** In order; what takes too long is killed. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()))
  }

  /** At once, when the torture itself has to end. */
  abandon(): void {
    for (const member of this.#members) member.abandon()
  }
}

type MemberParts = Pick<FleetOptions, 'environment' | 'onLog'> & {
  readonly name: string
  readonly config: Partial<ConfigInput>
  readonly fleet: Fleet
}

class Member {
  /** Once it is ready. */
  url: string | undefined
  readonly hasDoors: boolean
  #child: ChildProcess | undefined
  #killed = false
  #stopping = false
  #again: NodeJS.Timeout | undefined
  #attempt = 0
  #lines: string[] = []
  readonly #parts: MemberParts

  constructor(parts: MemberParts) {
    this.#parts = parts
    this.hasDoors = parts.config.role !== 'worker'
    this.#start()
  }

  signal(signal: NodeJS.Signals): boolean {
    if (signal === 'SIGKILL' && this.#child) this.#killed = true
    return this.#child?.kill(signal) ?? false
  }

  freeze(): (() => void) | undefined {
    const child = this.#child
    if (!child?.kill('SIGSTOP')) return undefined
    return () => void child.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#again)
    const child = this.#child
    if (!child) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    await gone
    clearTimeout(late)
  }

  abandon(): void {
    this.#stopping = true
    clearTimeout(this.#again)
    this.#child?.kill('SIGKILL')
  }

  #start(): void {
    this.#killed = false
    this.#lines = []
    const child = fork(MAIN, [JSON.stringify(this.#parts.config)], {
      execArgv: [],
      env: { ...process.env, ...this.#parts.environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    child.stderr!.on('data', (chunk: Buffer) => this.#hear(String(chunk)))
    child.once('message', ({ url }: { url: string }) => {
      this.url = url
      this.#parts.onLog(this.#parts.name, `process ${child.pid} is ready\n`)
      this.#attempt = 0
    })
    child.once('exit', (code) => this.#onExit(code))
  }

  #hear(text: string): void {
    this.#parts.onLog(this.#parts.name, text)
    this.#lines = [...this.#lines, text].slice(-LAST_LINES)
  }

  #onExit(code: number | null): void {
    this.#parts.onLog(this.#parts.name, `ended with ${code ?? 'a signal'}\n`)
    const wasReady = this.url !== undefined
    this.url = undefined
    this.#child = undefined
    if (this.#stopping) return
    const { fleet, name } = this.#parts
    if (!this.#killed && !wasReady) fleet.failedStarts++
    if (!this.#killed && wasReady) fleet.ended.push({ name, code, lines: this.#lines })
    const waitMs = Math.min(AGAIN_FIRST_MS * 2 ** this.#attempt++, AGAIN_MOST_MS)
    this.#again = setTimeout(() => this.#start(), waitMs)
  }
}
