/** Bugs of goods of other owners. */
import type { Bug } from './bug.ts'

const KEEPING = { kinds: [], stock: ['owners'], orders: 1 } as const
const FILES = { kinds: [], stock: ['files'], orders: 1 } as const

export const OWNER_BUGS: readonly Bug[] = [
  {
    name: 'goods of others are promised',
    file: 'src/domains/inventory/views/availability.ts',
    find: `lot = '' and owner = 'own' order by item_id, location`,
    replace: `lot = '' order by item_id, location`,
    world: KEEPING,
  },
  {
    name: 'goods that a file tells of another owner are booked as ours',
    file: 'src/systems/stock-files/read.ts',
    find: `const value = this.optional('owner')`,
    replace: `const value = this.optional('owner') && undefined`,
    world: FILES,
  },
  {
    name: 'what is handed over stays with who had it',
    file: 'src/domains/inventory/operations/adjustments.ts',
    find: `{ lot, quantity, from: 'owner', to: status, owner: line.toOwner! }`,
    replace: `{ lot, quantity, from: 'owner', to: status }`,
    world: KEEPING,
  },
]
