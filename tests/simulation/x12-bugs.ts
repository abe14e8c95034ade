/** Bugs of what is told by X12: twice, late, in part, or by the day alone. */
import type { Bug } from './bug.ts'

const DAY = { kinds: [], stock: ['x12'], orders: 1 } as const
const UNREAD_LINES = { ...DAY, kinds: ['line-bad'], shares: { 'line-bad': 1 } } as const
const MAPPED = 'src/systems/edi/map-warehouse.ts'

export const X12_BUGS: readonly Bug[] = [
  {
    name: 'what a warehouse tells again under another control number is new',
    file: 'src/systems/edi/warehouse-inbound.ts',
    find: 'messageId: storable(told.key).slice(0, KEY_MAX),',
    replace: 'messageId: storable(`${told.key} of ${received.interchange.controlNumber}`),',
    world: { ...DAY, kinds: ['file-lost'], shares: { 'file-lost': 0.8 }, places: { 'file-lost': '997 of' } },
  },
  {
    name: 'an 846 that is late takes the place of a newer one',
    file: 'src/domains/inventory/rules/feeds.ts',
    find: 'return contained.at !== null && at <= contained.at',
    replace: 'return contained.at !== null && at < contained.at && at > contained.at',
    world: { ...DAY, kinds: ['file-late'], shares: { 'file-late': 0.5 } },
  },
  {
    name: 'an 846 is of the beginning of its day',
    file: 'src/systems/edi/map-stock.ts',
    find: 'const takenAt = instantOf(x12Date(date), time, advised.guide)',
    replace: 'const takenAt = instantOf(x12Date(date), time.slice(9), advised.guide)',
    world: { ...DAY, orders: 6, cancels: 0 },
  },
  {
    name: 'a 944 is of the beginning of its day',
    file: MAPPED,
    find: "time: document.time ?? ''",
    replace: "time: ''",
    world: DAY,
  },
  {
    name: 'a 945 ends its request though more follows',
    file: MAPPED,
    find: 'final: !statuses.some((status) => warehouse.moreFollows.includes(status)),',
    replace: 'final: statuses.length >= 0 || warehouse.moreFollows.length > 99,',
    world: { ...DAY, orders: 6, cancels: 0 },
  },
  {
    name: 'what was cut stands in the way of the whole',
    file: 'src/systems/edi/inbound.ts',
    find: 'isBroken(reading) ? `/',
    replace: 'isBroken(reading) && false ? `/',
    world: { ...DAY, kinds: ['file-cut'], shares: { 'file-cut': 0.6 } },
  },
  {
    name: 'of an item of which a line cannot be read the other lots are all that is there',
    file: 'src/systems/edi/map-stock.ts',
    find: 'const taken = read.filter(({ counted }) => !halfRead.has(counted.sku))',
    replace: 'const taken = read.filter(({ counted }) => counted.sku !== "" || halfRead.has(counted.sku))',
    world: UNREAD_LINES,
  },
  {
    name: 'a line of single items that cannot be read is told to nobody',
    file: 'src/processes/reconciliation-given.ts',
    find: "const left = scope === 'items' ? ofItems : []",
    replace: "const left = scope === 'location' ? ofItems : []",
    world: UNREAD_LINES,
  },
]
