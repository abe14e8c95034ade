/** Programs of the house that are started anew whenever they end, as a supervisor does it. */
import { type ChildProcess, fork } from 'node:child_process'
import type { ConfigInput } from '../../src/config-schema.ts'

const MAIN = new URL('../support/program-main.ts', import.meta.url)
const AGAIN_FIRST_MS = 100
const AGAIN_MOST_MS = 2_000
/** So long orchestrators wait for a program that they have told to stop before they kill it. */
const STOP_WITHIN_MS = 30_000
const LAST_LINES = 5

export type Ended = {
  readonly what: 'a program ended by itself' | 'a program did not stop in order'
  readonly name: string
  readonly code: number | null
  readonly lines: readonly string[]
}

export type FleetOptions = {
  /** By name; each says its role. */
  readonly configs: Readonly<Record<string, Partial<ConfigInput>>>
  readonly environment: Readonly<Record<string, string>>
  /** What is started; the house. */
  readonly program?: URL
  /** How long a program that is told to stop may take. */
  readonly stopWithinMs?: number
  /** What programs log: warnings and worse. */
  readonly onLog: (name: string, text: string) => void
}

export class Fleet {
  /** Programs that were ready and ended although nobody had told them to, or otherwise than they were told to. */
  readonly ended: Ended[] = []
  /** Of those that stopped in order. */
  longestStopMs = 0
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
    for (const member of this.#members) member.thaw()
  }

  /**
   * Tells the drawn one, or the next that can be told, to stop in order; another takes its place. Answers what kills it
   * if it is still stopping; undefined when there is none.
   */
  restart(nth: number): (() => boolean) | undefined {
    for (const place of this.#members.keys()) {
      const kill = this.#members[(nth + place) % this.size]!.restart()
      if (kill) return kill
    }
    return undefined
  }

  /** For good, in order; what takes too long is killed. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()))
  }

  /** At once, when the torture itself has to end. */
  abandon(): void {
    for (const member of this.#members) member.abandon()
  }
}

type MemberParts = Omit<FleetOptions, 'configs'> & {
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
  #frozen = false
  /** When it was told to stop in order. */
  #toldMs: number | undefined
  #late: NodeJS.Timeout | undefined
  #isOver = false
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
    if (this.#toldMs !== undefined || !child?.kill('SIGSTOP')) return undefined
    this.#frozen = true
    return () => child === this.#child && this.thaw()
  }

  thaw(): void {
    this.#frozen = false
    this.#child?.kill('SIGCONT')
  }

  restart(): (() => boolean) | undefined {
    const child = this.#child
    if (!child || !this.url || this.#frozen || this.#toldMs !== undefined) return undefined
    this.#tell(child)
    return () => child === this.#child && this.signal('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#again)
    const child = this.#child
    if (!child) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    this.thaw()
    if (this.#toldMs === undefined) this.#tell(child)
    await gone
  }

  abandon(): void {
    this.#isOver = true
    clearTimeout(this.#again)
    this.signal('SIGKILL')
  }

  #tell(child: ChildProcess): void {
    this.#parts.onLog(this.#parts.name, `process ${child.pid} is told to stop\n`)
    this.#toldMs = performance.now()
    child.kill('SIGTERM')
    this.#late = setTimeout(() => child.kill('SIGKILL'), this.#parts.stopWithinMs ?? STOP_WITHIN_MS)
  }

  #start(): void {
    this.#killed = false
    this.#frozen = false
    this.#toldMs = undefined
    this.#lines = []
    const child = fork(this.#parts.program ?? MAIN, [JSON.stringify(this.#parts.config)], {
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
    clearTimeout(this.#late)
    if (!this.#killed) this.#judge(code)
    this.url = undefined
    this.#child = undefined
    if (this.#isOver) return
    const waitMs = Math.min(AGAIN_FIRST_MS * 2 ** this.#attempt++, AGAIN_MOST_MS)
    this.#again = setTimeout(() => this.#start(), waitMs)
  }

  /** Of an end that no kill has made. */
  #judge(code: number | null): void {
    const { fleet, name } = this.#parts
    const [told, lines] = [this.#toldMs, this.#lines]
    if (this.url === undefined) fleet.failedStarts++
    else if (told === undefined) fleet.ended.push({ what: 'a program ended by itself', name, code, lines })
    else if (code !== 0) fleet.ended.push({ what: 'a program did not stop in order', name, code, lines })
    else fleet.longestStopMs = Math.max(fleet.longestStopMs, Math.round(performance.now() - told))
  }
}
