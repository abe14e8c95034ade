/** An item that tests know when all they need is one: counted in eaches, no lots, no cases. */
import type { GivenItem } from '#domains/items/contract.ts'

export const OLIVES = {
  name: 'Olives',
  status: 'active',
  baseUnit: 'EA',
  units: [],
  catchWeight: false,
  lotControlled: false,
  taxClass: 'FOOD',
  identifiers: [],
} as const satisfies Omit<GivenItem, 'sku'>
