/** Whoever ends a simulation early loses nothing of what it found, and finds nothing of it running afterwards. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { isAlive } from '#platform/postgres-folder.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const LIMIT = { timeout: 120_000 }

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

type Simulation = {
  readonly folder: string
  /** Until what it says of its progress, or the files that it has made, are so. */
  until(isSo: (said: string) => boolean): Promise<void>
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly told: string }>
}

function start(...args: string[]): Simulation {
  const folder = passableFolder('interrupted')
  folders.push(folder)
  const child = spawn(process.execPath, [MAIN, '--lanes', '1', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  const [told, said] = [textOf(child, 'stdout'), textOf(child, 'stderr')]
  return {
    folder,
    async until(isSo) {
      while (!isSo(said())) await Promise.race([once(child.stderr, 'data'), nextLook()])
    },
    async end(signal) {
      const ended = once(child, 'close')
      child.kill(signal)
      const [code] = (await ended) as [number | null]
      return { code, told: told() }
    },
  }
}

function textOf(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = ''
  child[stream]!.on('data', (chunk: Buffer) => (text += String(chunk)))
  return () => text
}

const nextLook = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))

const pidFileIn = (folder: string): string | undefined =>
  globSync(`${folder}/crossdock-simulation-*/postgres/**/postmaster.pid`)[0]

test(
  'a simulation that is interrupted tells what it found, and leaves no server and no folder',
  LIMIT,
  async () => {
    const simulation = start('--seeds', '5000', '--short', '--json')
    await simulation.until((said) => / [1-9]\d* seeds /.test(said))
    const pid = Number(readFileSync(pidFileIn(simulation.folder)!, 'utf8').split('\n')[0])
    expect(isAlive(pid)).toBe(true)
    const { code, told } = await simulation.end('SIGINT')
    expect(code).toBe(130)
    expect(JSON.parse(told)).toMatchObject({ seeds: expect.toSatisfy((seeds: number) => seeds > 0) })
    expect(readdirSync(simulation.folder)).toEqual([])
    // Its number is given back a moment after it has ended.
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 })
  },
)

test('one that is ended while it opens its lanes leaves nothing either', LIMIT, async () => {
  const simulation = start('--planted')
  await simulation.until(() => pidFileIn(simulation.folder) !== undefined)
  const { code, told } = await simulation.end('SIGTERM')
  expect([code, told]).toEqual([143, '0 of 0 planted bugs caught\n'])
  expect(readdirSync(simulation.folder)).toEqual([])
})
