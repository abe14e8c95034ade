/** Bugs of what carriers tell of parcels: late, early, over, or never. */
import type { Bug } from './bug.ts'

const DAY = { kinds: ['webhook-delay'], stock: ['parcels'], orders: 4, cancels: 0 } as const
const LOST = {
  ...DAY,
  kinds: ['webhook-drop'],
  shares: { 'webhook-drop': 0.4 },
  systems: ['carrier'],
} as const

export const PARCEL_BUGS: readonly Bug[] = [
  {
    name: 'a late scan overwrites a newer one',
    file: 'src/domains/shipments/rules/tracking.ts',
    find: 'if (parcel.last && !isLater(scan, parcel.last)) return undefined',
    replace: 'if (parcel.last && !isLater(scan, parcel.last) && scan.sequence < 0) return undefined',
    world: { ...DAY, systems: ['carrier'] },
  },
  {
    name: 'a scan before its shipment is forgotten',
    file: 'src/processes/tracking.ts',
    find: 'keepEarlyScans(tx, early, ports.clock.now())',
    replace: 'keepEarlyScans(tx, early.slice(early.length), ports.clock.now())',
    world: { ...DAY, shares: { 'webhook-delay': 1 }, systems: ['wms', 'eastWms'] },
  },
  {
    name: 'trouble of a parcel outlives it',
    file: 'src/processes/tracking-trouble.ts',
    find: '[...before.values()].filter(({ cause }) => !after.has(cause))',
    replace: "[...before.values()].filter(({ cause }) => !after.has(cause) && cause === '')",
    world: { ...DAY, kinds: [] },
  },
  {
    name: 'a parcel of which nothing was ever heard is not asked about',
    file: 'src/processes/warehouse-booking.ts',
    find: 'awaitScans(tx, askingOf(ports, shipments))',
    replace: 'awaitScans(tx, askingOf(ports, shipments.slice(shipments.length)))',
    world: { ...LOST, shares: { 'webhook-drop': 0.9 } },
  },
  {
    name: 'a parcel that was heard of once is not asked about any more',
    file: 'src/processes/tracking.ts',
    find: '(source) => (canAsk(source) ? askingFirst(source, { now, afterMs }) : null)',
    replace: "(source) => (canAsk(source) && source === '' ? askingFirst(source, { now, afterMs }) : null)",
    world: LOST,
  },
]
