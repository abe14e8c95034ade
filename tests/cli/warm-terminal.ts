/** Runs one command after the other, each as a process of its own would, without loading the program anew for each. */
import type { EventEmitter } from 'node:events'
import { setTimeout as passing } from 'node:timers/promises'

const CLI = new URL('../../src/cli.ts', import.meta.url)
const LOOK_MS = 2
const STREAMS = ['stdout', 'stderr'] as const

let nth = 0
/** What keeps this process alive while it waits for a command, its streams included. */
let idle: readonly string[] | undefined

process.on('message', (args: readonly string[]) => void run(args).then((ended) => process.send!(ended)))
process.on('disconnect', () => process.exit())

async function run(args: readonly string[]) {
  const said = { stdout: '', stderr: '' }
  const undo = [...STREAMS.map((name) => hear(name, (text) => (said[name] += text))), forgetListeners()]
  idle ??= process.getActiveResourcesInfo()
  process.argv = [process.execPath, CLI.pathname, ...args]
  process.exitCode = undefined
  try {
    nth += 1
    await import(`${CLI.href}?${nth}`)
  } catch (error) {
    process.exitCode = 1
    said.stderr += error instanceof Error ? error.stack : String(error)
  }
  await nothingLeft()
  undo.forEach((each) => each())
  return { code: process.exitCode ?? 0, ...said }
}

function hear(name: (typeof STREAMS)[number], heard: (text: string) => void): () => void {
  const stream = process[name]
  const { write } = stream
  stream.write = (text: string | Uint8Array): boolean => {
    heard(typeof text === 'string' ? text : new TextDecoder().decode(text))
    return true
  }
  return () => void (stream.write = write)
}

/** A command that leaves something open would not end. */
async function nothingLeft(): Promise<void> {
  const before = Map.groupBy(idle ?? [], (kind) => kind)
  const isLeft = (): boolean =>
    [...Map.groupBy(process.getActiveResourcesInfo(), (kind) => kind)].some(
      ([kind, all]) => all.length > (before.get(kind)?.length ?? 0),
    )
  while (isLeft()) await passing(LOOK_MS)
}

/** Of signals and streams, which would end with their process. */
function forgetListeners(): () => void {
  const heard: readonly (readonly [EventEmitter, string])[] = [
    [process, 'SIGINT'],
    [process, 'SIGTERM'],
    [process.stdout, 'error'],
  ]
  const before = heard.map(([emitter, event]) => new Set(emitter.listeners(event)))
  return () => {
    for (const [place, [emitter, event]] of heard.entries())
      for (const listener of emitter.listeners(event))
        if (!before[place]!.has(listener)) emitter.off(event, listener as () => void)
  }
}
