/** Bugs of labels that are bought for what a warehouse has packed: paid twice, forgotten, or void under a parcel. */
import type { Bug } from './bug.ts'

const LABELS = 'src/processes/labels.ts'
/** The place of an order that ships from the site that waits for labels. */
const THERE = 13
const DAY = {
  kinds: [],
  stock: ['labels'],
  alike: [THERE],
  orders: 2,
  cancels: 0,
  programs: ['all'],
} as const
/** The warehouse loses patience before it is given what the carrier has sold. */
const LATE = {
  ...DAY,
  kinds: ['request-lost'],
  shares: { 'request-lost': 0.8 },
  places: { 'request-lost': 'packings' },
} as const

export const LABEL_BUGS: readonly Bug[] = [
  {
    name: 'a label whose answer is lost is bought again as another',
    file: 'src/systems/carrier-swift/connector.ts',
    find: 'translate: toSwiftShipment,',
    replace:
      'translate: (request) => toSwiftShipment({ ...request, shipment: `${request.shipment}/${options.clock.now().getTime()}` }),',
    world: {
      ...DAY,
      kinds: ['answer-lost'],
      shares: { 'answer-lost': 0.5 },
      places: { 'answer-lost': 'carrier' },
    },
  },
  {
    name: 'a label that comes after the goods have left is not voided',
    file: LABELS,
    find: `bought: 'orphaned',`,
    replace: `bought: 'dropped',`,
    world: LATE,
  },
  {
    name: 'what is packed anew leaves the label of before as it is',
    file: LABELS,
    find: `given: 'orphaned',`,
    replace: `given: 'dropped',`,
    world: { ...DAY, orders: 12 },
  },
  {
    name: 'a label under which goods have left is voided',
    file: 'src/processes/labels-told.ts',
    find: `if (state !== 'used' && isUsed)`,
    replace: `if (state === 'bought' && isUsed)`,
    world: DAY,
  },
  {
    name: 'a label that was given to the warehouse while its shipment was booked counts as unused',
    file: LABELS,
    find: `  await lockRequests(tx, docs)\n`,
    replace: '',
    world: {
      ...DAY,
      kinds: ['stall'],
      shares: { stall: 0.6 },
      places: { stall: 'shipments.set_packing_states' },
      programs: ['all', 'all'],
      orders: 4,
    },
  },
]
