/** Bugs of goods of other owners. */
import type { Bug } from './bug.ts'

const KEEPING = { kinds: [], stock: ['owners'], orders: 1 } as const
const X12 = { kinds: [], stock: ['x12'], orders: 1 } as const
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
    name: 'what a file counts of another owner is left out',
    file: 'src/processes/stock-file-counts.ts',
    find: 'counts.filter(([line]) => !isOwn(line!)),',
    replace: 'counts.filter(([line]) => isOwn(line!) && !isOwn(line!)),',
    world: FILES,
  },
  {
    name: 'goods that X12 tells of another owner are booked as ours',
    file: 'src/systems/edi/map-warehouse.ts',
    find: 'const owner = ownerIn(root, advised)',
    replace: 'const owner = ownerIn(root, advised) && undefined',
    world: X12,
  },
  {
    name: "an 846 of another owner's goods counts ours",
    file: 'src/systems/edi/map-stock.ts',
    find: 'assertOurs(root, advised)',
    replace: 'void root',
    world: X12,
  },
  {
    name: 'what is handed over stays with who had it',
    file: 'src/domains/inventory/operations/adjustments.ts',
    find: `{ lot, quantity, from: 'owner', to: status, owner: line.toOwner! }`,
    replace: `{ lot, quantity, from: 'owner', to: status }`,
    world: KEEPING,
  },
]
