/** The house in a process of its own, which a test may kill or stop as the world does. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ConfigInput } from '../../src/config-schema.ts'

const MAIN = new URL('./program-main.ts', import.meta.url)

export type Program = {
  readonly url: string
  readonly pid: number
  /** What it wrote to its log: warnings and worse. */
  readonly complaints: string[]
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Resolves when it has loaded its master data and every door is open. */
export async function startProgram(config: Partial<ConfigInput>): Promise<Program> {
  const child = fork(MAIN, [JSON.stringify(config)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const complaints: string[] = []
  child.stderr!.on('data', (chunk: Buffer) => complaints.push(String(chunk)))
  const { url } = await ready(child, complaints)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return {
    url,
    complaints,
    pid: child.pid!,
    signal: (signal) => void child.kill(signal),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

function ready(child: ChildProcess, complaints: readonly string[]): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as { url: string }))
    child.once('exit', (code) => reject(new Error(`the program ended with ${code}: ${complaints.join('')}`)))
  })
}

const [FIRST_PORT, PORTS] = [20_000, 12_000]

/** A port that nobody is given by chance while the program that listens on it is down. */
export async function steadyPort(): Promise<number> {
  for (
    let port = FIRST_PORT + (process.pid % PORTS);
    ;
    port = FIRST_PORT + ((port + 7 - FIRST_PORT) % PORTS)
  ) {
    const probe = createServer()
    const listening = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!listening) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}
