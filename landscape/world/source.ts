/** Where a world comes from: drawn from a seed, or read from a folder of CSV files. The same source is the same world. */
import { loadCsvWorld } from './csv.ts'
import { generateWorld } from './generate.ts'
import type { World } from './world.ts'

export type WorldSource = {
  readonly seed: string
  /** Business date, ISO. */
  readonly today: string
  readonly plannedOrders: number
  readonly csvFolder?: string
}

/** What the demo has beside what every world has. */
const MORE = { machines: 4, longLifeCustomers: 6 }

export function openWorld({ csvFolder, seed, today, plannedOrders }: WorldSource): Promise<World> {
  if (csvFolder !== undefined) return loadCsvWorld(csvFolder, { seed, today })
  return Promise.resolve(generateWorld({ seed, today, plannedOrders, ...MORE }))
}
