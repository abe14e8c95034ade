/** The command line as a user meets it: a child process, what it prints, and how it ends. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { passableFolder } from '#tests/support/passable-folder.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const TERMINAL = fileURLToPath(new URL('warm-terminal.ts', import.meta.url))

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Colors off, and nothing of the environment that would configure the program. */
const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
const environment = { PATH, HOME, NODE_COMPILE_CACHE, NO_COLOR: '1' }

/** In a process of its own, from its start to its end. */
export const crossdockAfresh = (...args: string[]): Promise<Ended> => run(args, '')

/** In a process of its own, with this on its standard input. */
export const crossdockFed = (input: string, ...args: string[]): Promise<Ended> => run(args, input)

async function run(args: readonly string[], input: string): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], { env: environment })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: await stdout, stderr: await stderr }
}

let terminal: ChildProcess | undefined
let free: Promise<unknown> = Promise.resolve()

/** In a process that has the program loaded and runs what is typed one after the other. */
export function crossdock(...args: string[]): Promise<Ended> {
  const ended = free.then(() => type(args))
  free = ended.catch(() => undefined)
  return ended
}

async function type(args: readonly string[]): Promise<Ended> {
  terminal ??= fork(TERMINAL, {
    execArgv: [],
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const answered = new AbortController()
  const { signal } = answered
  const gone = once(terminal, 'exit', { signal }).then(([code]) => {
    terminal = undefined
    throw new Error(`the terminal ended with ${code} at crossdock ${args.join(' ')}`)
  })
  gone.catch(() => undefined)
  terminal.send(args)
  const [ended] = (await Promise.race([once(terminal, 'message', { signal }), gone])) as [Ended]
  answered.abort()
  return ended
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** Each line of NDJSON. */
export const rowsOf = <Row>({ stdout }: Ended): Row[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)

export type Figures = {
  readonly url: string
  readonly accepted: number
  readonly invoiced: number
  readonly shipped: number
}

/** A running program, which tells its figures every few seconds. */
export class Up {
  readonly child: ChildProcess
  figures: Figures | undefined
  stderr = ''
  readonly #closed: Promise<[number | null]>

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [CLI, 'up', '--json', ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stderr!.on('data', (chunk) => (this.stderr += String(chunk)))
    createInterface({ input: this.child.stdout! }).on(
      'line',
      (line) => (this.figures = JSON.parse(line) as Figures),
    )
    this.#closed = once(this.child, 'close') as Promise<[number | null]>
  }

  /** The figures when they satisfy; polls, since the program tells them by itself. */
  async when(satisfied: (figures: Figures) => boolean, timeout = 30_000): Promise<Figures> {
    await vi.waitFor(
      () => {
        const said = `${JSON.stringify(this.figures)}\n${this.stderr}`
        if (this.child.exitCode !== null) throw new Error(`the program has ended: ${said}`)
        if (!this.figures || !satisfied(this.figures)) throw new Error(`not yet: ${said}`)
      },
      { timeout, interval: 100 },
    )
    return this.figures!
  }

  async ended(): Promise<number | null> {
    return (await this.#closed)[0]
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signal('SIGINT')
    return this.ended()
  }
}

export function dataFolder(): { readonly path: string; remove(): void } {
  const path = passableFolder('cli')
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export type RunningNote = { readonly pid: number; readonly url: string; readonly ediInbox: string }

export const noteIn = (folder: string): RunningNote =>
  JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as RunningNote

/** Processes whose command line names the folder: servers and landscapes that belong to it. */
export async function processesOf(folder: string): Promise<string[]> {
  const listing = spawn('ps', ['-eo', 'pid=,args='], { stdio: ['ignore', 'pipe', 'ignore'] })
  const lines = (await textOf(listing.stdout)).split('\n')
  return lines.filter((line) => line.includes(folder))
}
