/** Whom the torture sells to, and what: the same in every process that knows the seed. */
import { generateWorld } from '#landscape/world/generate.ts'
import type { World } from '#landscape/world/world.ts'

export type WorldOfRun = { readonly seed: string; readonly plannedOrders: number }

export const worldOf = ({ seed, plannedOrders }: WorldOfRun): World =>
  generateWorld({ seed, plannedOrders, today: '2026-11-02' })
