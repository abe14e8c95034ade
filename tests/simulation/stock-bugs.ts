/** Bugs of stock, of what is kept for channels and of what is told about it. */
import type { Bug } from './bug.ts'

const FEED = 'src/domains/inventory/rules/feeds.ts'
/** The place of an order of which there is enough for everybody. */
const AMPLE = 13
/** The first words of places are lost, so that they are counted, and the answer is slow enough for more to happen. */
const SNAPSHOTS = {
  kinds: ['webhook-drop', 'answer-slow'],
  shares: { 'webhook-drop': 0.5, 'answer-slow': 0.5 },
  places: { 'answer-slow': 'snapshot' },
  systems: ['wms', 'eastWms'],
  stock: ['counts'],
  alike: [AMPLE],
  orders: 12,
  cancels: 0,
  withinMs: 14_000,
  peaceAfterMs: 18_000,
} as const
const RESERVING = { kinds: [], stock: ['reservations'], orders: 2 } as const
const ASKING = { kinds: [], stock: ['questions'], programs: ['all'], orders: 5 } as const

export const STOCK_BUGS: readonly Bug[] = [
  {
    name: 'a snapshot takes the place of what moved after it',
    file: 'src/domains/inventory/operations/counts.ts',
    find: 'laterByPlace([...moved, ...leftByHand(entered, takenAt)])',
    replace: 'laterByPlace(leftByHand(entered, takenAt))',
    world: SNAPSHOTS,
  },
  {
    name: 'a stock event that a snapshot contains is booked again',
    file: FEED,
    find: `return 'late'`,
    replace: `return 'due'`,
    // What is lost at first is told again when faults have ended, long after its place was counted.
    world: {
      kinds: ['webhook-lost'],
      shares: { 'webhook-lost': 0.5 },
      stock: ['counts'],
      orders: 1,
      peaceAfterMs: 15_000,
    },
  },
  {
    name: 'a gap of stock events is passed over',
    file: FEED,
    find: 'if (sequence > this.last + 1) {',
    replace: 'if (sequence > this.last + 99) {',
    world: { kinds: ['webhook-delay'], shares: { 'webhook-delay': 0.5 }, stock: ['counts'], orders: 1 },
  },
  {
    name: 'soft reservations are never ended',
    file: 'src/processes/reservation-expiry.ts',
    find: 'if (!(await isAnyDue(queries))) return ended',
    replace: 'if (await isAnyDue(queries)) return ended',
    world: RESERVING,
  },
  {
    name: 'a reservation that ends keeps its stock',
    file: 'src/domains/inventory/operations/reservations.ts',
    find: '  await freeClaims(tx, freed)\n',
    replace: '',
    world: RESERVING,
  },
  {
    name: 'what an order takes of a reservation is claimed twice',
    file: 'src/processes/order-reservations.ts',
    find: `await takeAway(tx, taken, 'committed', cause)`,
    replace: `await takeAway(tx, taken.slice(1), 'committed', cause)`,
    world: RESERVING,
  },
  {
    name: 'a hold leaves a lot for sale at its first place',
    file: 'src/domains/inventory/operations/lots.ts',
    find: '.filter((row) => row.lot === lot.lot && row.available > 0)',
    replace: '.filter((row) => row.lot === lot.lot && row.location > positions[0]!.location)',
    world: { kinds: [], stock: ['lots'], orders: 1 },
  },
  {
    name: 'who enters an adjustment approves it',
    file: 'src/processes/adjustment-commands.ts',
    find: 'if (requestedBy !== actor) return',
    replace: 'if (requestedBy) return',
    world: { kinds: [], stock: ['adjustments'], orders: 1 },
  },
  {
    name: 'a copy of stock in memory misses a change',
    file: 'src/platform/memory-copy.ts',
    find: 'of touched.get(this.topic) ?? []) if (this.#entries.has(key))',
    replace: 'of touched.get(this.topic) ?? []) if (!this.#entries.has(key))',
    world: ASKING,
  },
]
