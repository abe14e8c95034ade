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
/** More is wanted than there is, of which some is kept for channels. */
const KEEPING = { kinds: [], stock: ['reservations'], alike: [11, 36], orders: 6, cancels: 0 } as const
const ASKING = { kinds: [], stock: ['questions'], programs: ['all'], orders: 5 } as const
const SUPPLIED = {
  kinds: [],
  stock: ['supply'],
  alike: [11, 36],
  programs: ['all'],
  drowsy: [1, 1],
  orders: 4,
  cancels: 0,
  withinMs: 60,
} as const
const SILENT = { kinds: [], stock: ['silence'], programs: ['all'], orders: 1 } as const
/** One item moves again and again while a shop is told of it. */
const TELLING = {
  places: { 'answer-slow': 'inventory_levels', 'request-late': 'inventory_levels' },
  stock: ['levels', 'counts'],
  alike: [AMPLE],
  programs: ['all'],
  orders: 6,
  withinMs: 3_000,
} as const
const FRESHNESS = 'src/processes/freshness-watch.ts'
const SOLD = 'src/domains/inventory/operations/external.ts'
const DESKS = { kinds: [], stock: ['desks'], orders: 1 } as const
/** What warehouses tell of units passes what others tell of the same. */
const MACHINES = {
  kinds: ['webhook-lost', 'webhook-delay'],
  shares: { 'webhook-lost': 0.5, 'webhook-delay': 0.5 },
  stock: ['machines'],
  orders: 1,
  peaceAfterMs: 6_000,
} as const
/** Books are compared while words of stock are on their way. */
const RECONCILING = {
  kinds: ['webhook-lost', 'webhook-delay'],
  shares: { 'webhook-lost': 0.5, 'webhook-delay': 0.5 },
  stock: ['reconciliations', 'counts'],
  orders: 2,
} as const
const TRANSFERS = { kinds: [], stock: ['transfers'], orders: 1, withinMs: 60 } as const
const CARRIED = 'src/domains/inventory/operations/transfers.ts'
const SERIALS = 'src/domains/inventory/rules/serials.ts'

export const STOCK_BUGS: readonly Bug[] = [
  {
    name: 'a snapshot takes the place of what moved after it',
    file: 'src/domains/inventory/operations/counts.ts',
    find: 'laterByPlace([...moved, ...leftByHand(entered, takenAt)], held)',
    replace: 'laterByPlace(leftByHand(entered, takenAt), held)',
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
    name: 'who waits is given nothing of what is kept for its channel',
    file: 'src/domains/inventory/operations/queue.ts',
    find: 'return stock.for(channel, [line], locations)',
    replace: "return stock.for('', [line], locations)",
    world: KEEPING,
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
    find: 'if (this.#entries.has(key) || this.#loading.has(key))',
    replace: 'if (!this.#entries.has(key))',
    world: ASKING,
  },
  {
    name: 'copies in memory miss what commits late',
    file: 'src/platform/touches.ts',
    find: 'pg_snapshot_xmin(n.snapshot)::text as low',
    replace: 'pg_snapshot_xmax(n.snapshot)::text as low',
    world: {
      ...ASKING,
      kinds: ['stall'],
      shares: { stall: 0.1 },
      places: { stall: 'database.commit' },
      programs: ['all', 'all'],
    },
  },
  {
    name: 'stock that an ERP keeps for an order of ours is claimed twice',
    file: 'src/processes/external-orders.ts',
    find: 'reference === undefined || !ours.has(reference)',
    replace: 'reference === undefined || ours.size >= 0',
    world: { kinds: [], stock: ['sales'], orders: 4, cancels: 0 },
  },
  {
    name: 'what left of an order of others is taken from it twice',
    file: SOLD,
    find: 'const ordered = record.wanted + record.shipped',
    replace: 'const ordered = record.wanted',
    world: DESKS,
  },
  {
    name: 'what leaves for an order of others stays claimed',
    file: SOLD,
    find: 'claimEnds: before.claimed - after.claimed',
    replace: 'claimEnds: 0 * (before.claimed - after.claimed)',
    world: DESKS,
  },
  {
    name: 'what an ERP has a warehouse ship is claimed for both',
    file: 'src/processes/external-orders.ts',
    find: '    ...(await soldByErp(tx, ports, reading, records)),\n',
    replace: '',
    world: DESKS,
  },
  {
    name: 'what a warehouse ships is claimed again when it is read of its ERP',
    file: 'src/processes/external-orders.ts',
    find: 'hasShipped: ports.erpOf(reading.company) === reading.source',
    replace: 'hasShipped: ports.erpOf(reading.company) === undefined',
    world: DESKS,
  },
  {
    name: 'a difference that is over stays with who was told of it',
    file: 'src/processes/reconciliation-told.ts',
    find: 'closeExceptions(tx, over,',
    replace: 'closeExceptions(tx, over.slice(99),',
    world: RECONCILING,
  },
  {
    name: 'what arrives before it was told to be sent is under way for ever',
    file: 'src/domains/inventory/rules/transfers.ts',
    find: 'const late = Math.min(quantity, before.ahead)',
    replace: 'const late = 0 * Math.min(quantity, before.ahead)',
    world: TRANSFERS,
  },
  {
    name: 'what arrives forgets its lot',
    file: CARRIED,
    find: '  lot,\n  reason: `transfer ${act}`,',
    replace: "  lot: act === 'arrived' ? '' : lot,\n  reason: `transfer ${act}`,",
    world: TRANSFERS,
  },
  {
    name: 'the lots of a transfer are counted as one',
    file: CARRIED,
    find: "[company, number, itemId, lot, to, ownerOf(of)].join('\\0')",
    replace: "[company, number, itemId, lot && 'any', to, ownerOf(of)].join('\\0')",
    world: TRANSFERS,
  },
  {
    name: 'what is told late of a unit moves it back',
    file: SERIALS,
    find: 'const isLate = before.toldAt !== null && told.at < before.toldAt',
    replace: 'const isLate = before.toldAt !== null && told.at < before.toldAt && told.at > before.toldAt',
    world: MACHINES,
  },
  {
    name: 'a unit that comes back explains how it left',
    file: SERIALS,
    find: `const cameBefore = bucket === 'shipped' || toldAt === null || at <= toldAt`,
    replace: `const cameBefore = bucket === 'shipped' || toldAt === null || at !== toldAt`,
    world: { stock: ['machines'], orders: 1, programs: ['all'] },
  },
  {
    name: 'a shipment takes its units out of nothing',
    file: 'src/processes/told-serials.ts',
    find: 'const told = named.filter(isTracked).flatMap(unitsShipped)',
    replace: 'const told = named.filter(isTracked).slice(1).flatMap(unitsShipped)',
    world: MACHINES,
  },
  {
    name: 'an ERP is asked for changes by the clock of who asks',
    file: 'src/systems/erp-legacy/connector.ts',
    find: 'legacyTime(secondBefore(gateway.timeThere(changedSince)))',
    replace: 'legacyTime(changedSince)',
    world: { kinds: ['erp-behind'], shares: { 'erp-behind': 1 }, stock: ['supply'], orders: 1 },
  },
  {
    name: 'a promise stays as it is when supply moves',
    file: 'src/processes/promise-watch.ts',
    find: 'line.promisedOn === next.promisedOn &&',
    replace: '(line.promisedOn !== null || next.promisedOn === null) &&',
    world: SUPPLIED,
  },
  {
    name: 'an order is not told that its promise moves',
    file: 'src/processes/promise-watch.ts',
    find: `    await tell(tx, rest, of, 'touched')\n`,
    replace: '',
    world: SUPPLIED,
  },
  {
    name: 'what its supplier will not deliver is promised',
    file: 'src/domains/supply/rules/coming.ts',
    find: 'const refused = Math.min(answer?.refused ?? 0, left)',
    replace: 'const refused = 0 * Math.min(answer?.refused ?? 0, left)',
    world: SUPPLIED,
  },
  {
    name: 'an older answer of a supplier takes the place of a newer',
    file: 'src/domains/supply/store/told.ts',
    find: 'where a.told_at < excluded.told_at or',
    replace: 'where a.told_at <> excluded.told_at or',
    world: { kinds: ['file-late'], shares: { 'file-late': 0.5 }, stock: ['supply'], orders: 1 },
  },
  {
    name: 'nobody notices that a source is silent',
    file: FRESHNESS,
    find: 'last.getTime() > rule.budgetMs',
    replace: 'last.getTime() > 99 * rule.budgetMs',
    world: SILENT,
  },
  {
    name: 'what is promised of a silent place is not marked',
    file: 'src/processes/reservation-door.ts',
    find: '  if (care) markDoubts(tx, granted.flatMap(care.doubtsOf))\n',
    replace: '',
    world: SILENT,
  },
  {
    name: 'what was promised of a silent place stays marked',
    file: FRESHNESS,
    find: 'const checked = await checkPromises(tx, places)',
    replace: 'const checked = places.length > 0 ? await checkPromises(tx, places) : []',
    world: SILENT,
  },
  {
    name: 'a silence that is over stays with who was told of it',
    file: FRESHNESS,
    find: `change === 'heard again' ? causeOf`,
    replace: `change === 'heard again' && rule.budgetMs < 0 ? causeOf`,
    world: SILENT,
  },
  {
    name: 'a level that changes while it is told is not told again',
    file: 'src/domains/inventory/store/untold.ts',
    find: ' and u.item_id = k.item_id and u.raised = k.raised`',
    replace: ' and u.item_id = k.item_id`',
    world: { ...TELLING, kinds: ['answer-slow'], shares: { 'answer-slow': 0.6 } },
  },
  {
    name: 'a shop is not told as of when a level is',
    file: 'src/systems/shop-hosted/map.ts',
    find: '    as_of: asOf.toISOString(),\n',
    replace: '    ...({} as { as_of: string }),\n',
    world: { ...TELLING, kinds: ['request-late'], shares: { 'request-late': 0.6 } },
  },
]
