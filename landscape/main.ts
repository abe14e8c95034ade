/**
 * The landscape as a process of its own. It works for the program that started it, outlives it by the moment it takes
 * to write down what it knows, and goes on from there at the next start: counterparts do not die when we do.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { systemClock } from '#platform/clock.ts'
import { type Landscape, startLandscape, type SystemName } from './landscape.ts'
import { readMemory, writeMemory } from './memory-file.ts'
import { openWorld, type WorldSource } from './world/source.ts'

export type LandscapeTask = {
  /** Where it remembers. */
  readonly file: string
  /** Of a new landscape; one that remembers keeps its own, with its business date. */
  readonly world: WorldSource
  /** Preferred ports; a taken one is replaced by a free one. */
  readonly ports: Readonly<Partial<Record<SystemName, number>>>
  readonly pace: 'bench' | 'demo'
  /** Sites that tell of picks and packages before they ship. */
  readonly tellPicks: readonly string[]
  /** Dated receipts arrive after day × dayMs. */
  readonly dayMs: number
  /** The carrier scans what the warehouse ships; without it nothing is handed to it. */
  readonly scans?: { readonly everyMs: number; readonly exceptionShare: number }
}

export type LandscapeUrls = Readonly<Record<SystemName, string>>

/** What the starter is told. */
export type LandscapeNews =
  | {
      readonly kind: 'ready'
      readonly urls: LandscapeUrls
      readonly world: WorldSource
      readonly remembered: boolean
    }
  | { readonly kind: 'failed'; readonly message: string }

/** What the starter asks for. */
export type LandscapeWish =
  | { readonly kind: 'deliver'; readonly targets: Parameters<Landscape['deliverTo']>[0] }
  /** Buyers place these orders of the world's stream in the shop. */
  | { readonly kind: 'place'; readonly places: readonly number[] }
  | { readonly kind: 'stop' }

const SAVE_EVERY_MS = 30_000
const PREDECESSOR_POLL_MS = 50
const PREDECESSOR_POLLS = 200
const SYSTEMS: readonly SystemName[] = ['legacyErp', 'cloudErp', 'wms', 'shop', 'carrier', 'tax']

async function run(task: LandscapeTask): Promise<void> {
  await takeOver(`${task.file}.pid`)
  const before = await readMemory(task.file)
  const source = before?.world ?? task.world
  const world = await openWorld(source)
  const landscape = await startLandscape({
    clock: systemClock,
    seed: source.seed,
    world,
    ports: await choosePorts(task.ports),
    pace: task.pace,
    tellPicks: task.tellPicks,
    dayMs: task.dayMs,
    ...(task.scans && {
      trackShipments: true,
      scanEveryMs: task.scans.everyMs,
      exceptionShare: task.scans.exceptionShare,
    }),
    ...(before ? { memory: before.systems } : {}),
  })
  const save = (): Promise<void> => writeMemory(task.file, { world: source, systems: landscape.remember() })
  const stop = stopOnce(landscape, save, task)
  const listen = (wish: LandscapeWish): void => {
    if (wish.kind === 'deliver') landscape.deliverTo(wish.targets)
    else if (wish.kind === 'place') {
      for (const order of wish.places.flatMap((nth) => world.orders(1, nth))) landscape.shop.place(order)
    } else stop()
  }
  process.on('message', listen)
  process.on('disconnect', stop)
  process.on('SIGTERM', stop)
  saveAgain(save)
  const urls = Object.fromEntries(SYSTEMS.map((name) => [name, landscape[name].url])) as LandscapeUrls
  tell({ kind: 'ready', urls, world: source, remembered: before !== undefined })
}

/** The one before, whose starter was killed, may still be writing. */
async function takeOver(pidFile: string): Promise<void> {
  await mkdir(dirname(pidFile), { recursive: true })
  for (let poll = 0; poll < PREDECESSOR_POLLS; poll++) {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
    if (!pid || !isAlive(pid)) break
    await systemClock.sleep(PREDECESSOR_POLL_MS)
  }
  await writeFile(pidFile, String(process.pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function choosePorts(preferred: LandscapeTask['ports']): Promise<LandscapeTask['ports']> {
  const chosen = Object.entries(preferred).map(async ([name, port]) => [
    name,
    (await isFree(port)) ? port : 0,
  ])
  return Object.fromEntries(await Promise.all(chosen)) as LandscapeTask['ports']
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** A power cut costs the landscape what it learned since the last time. */
function saveAgain(save: () => Promise<void>): void {
  systemClock.after(SAVE_EVERY_MS, () => {
    void save()
      .catch((error: unknown) => process.stderr.write(`landscape: nothing was saved: ${String(error)}\n`))
      .then(() => saveAgain(save))
  })
}

function stopOnce(landscape: Landscape, save: () => Promise<void>, task: LandscapeTask): () => void {
  let stopping = false
  return () => {
    if (stopping) return
    stopping = true
    void landscape
      .stop()
      .then(save)
      .then(() => rm(`${task.file}.pid`, { force: true }))
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        process.stderr.write(`landscape: ${String(error)}\n`)
        process.exit(1)
      })
  }
}

const tell = (news: LandscapeNews): void => void process.send?.(news)

// A terminal interrupts the whole group; the starter says when to stop.
process.on('SIGINT', () => undefined)
await run(JSON.parse(process.argv[2] ?? '{}') as LandscapeTask).catch((error: unknown) => {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
  process.disconnect()
})
