/** Which world the demo trades in: one drawn from a seed, or one that was loaded from CSV files. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openWorld } from '#landscape/world/source.ts'
import type { Clock } from '#platform/clock.ts'
import type { Config } from './config-schema.ts'
import type { WorldSource } from './demo-landscape.ts'

/** Stock and credit of a drawn world suffice for so many orders: half a day at sixty a minute. */
const PLANNED_ORDERS = 50_000

export const landscapeFolder = (dataFolder: string): string => join(dataFolder, 'landscape')
const loadedFile = (folder: string): string => join(folder, 'world.json')

/** For a landscape that begins; one that remembers goes on in its own world. */
export async function worldFor(folder: string, config: Config, clock: Clock): Promise<WorldSource> {
  const drawn = sourceOf(config.demo.seed, clock)
  const loaded = await readFile(loadedFile(folder), 'utf8').catch(() => undefined)
  return loaded === undefined ? drawn : { ...drawn, ...(JSON.parse(loaded) as { csvFolder: string }) }
}

const sourceOf = (seed: number, clock: Clock): WorldSource => ({
  seed: `demo-${seed}`,
  today: clock.now().toISOString().slice(0, 10),
  plannedOrders: PLANNED_ORDERS,
})

export type LoadedWorld = {
  readonly customers: number
  readonly items: number
  readonly prices: number
  readonly orders: number
  /** A landscape has begun there, and goes on in the world it began with. */
  readonly known: boolean
}

const MOST_ORDERS = 1_000_000

/** Reads the files once, so that their faults are found now, and keeps a copy of them. */
export async function loadDemoWorld(
  dataFolder: string,
  csvFolder: string,
  clock: Clock,
): Promise<LoadedWorld> {
  const world = await openWorld({ ...sourceOf(1, clock), csvFolder: resolve(csvFolder) })
  const folder = landscapeFolder(dataFolder)
  const copy = resolve(folder, 'world')
  await mkdir(folder, { recursive: true })
  await cp(csvFolder, copy, { recursive: true })
  await writeFile(loadedFile(folder), `${JSON.stringify({ csvFolder: copy })}\n`)
  const memories = (await readdir(folder)).filter((name) => name.endsWith('.memory'))
  return {
    customers: world.customers.length,
    items: world.items.length,
    prices: world.prices.length,
    orders: world.orders(MOST_ORDERS).length,
    known: memories.length > 0,
  }
}
