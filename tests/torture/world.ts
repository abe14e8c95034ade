/** Whom the torture sells to, and what: the same in every process that knows the seed. */
import { generateWorld } from '#landscape/world/generate.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'

export type WorldOfRun = { readonly seed: string; readonly plannedOrders: number }

export const worldOf = ({ seed, plannedOrders }: WorldOfRun): World =>
  generateWorld({ seed, plannedOrders, today: '2026-11-02' })

/** An arrival, however often it is tried. */
export const keyOf = ({ nth }: Pick<WorldOrder, 'nth'>): string => `arrival-${nth}`

/** The business document that arrives. */
export const subjectOf = ({ company, customer, poNumber }: WorldOrder): string =>
  `${company} ${customer} ${poNumber}`
