/** A source that tells a test's own facts, shipments and snapshots of an item, in its own numbering. */
import type { Count, Fact, Standing, Statuses } from '#domains/inventory/contract/feeds.ts'
import {
  allocateOrder,
  lockChannelStock,
  move,
  reserve,
  ship,
  type StockChange,
} from '#domains/inventory/operations.ts'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { placeFacts } from '#domains/inventory/operations/feeds.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { AT, COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const SOURCE = 'wms-test'
/** Tells of the same place. */
export const OTHER_SOURCE = 'files-test'
const minutes = (count: number): Date => new Date(AT.getTime() + count * 60_000)

type Moved = Pick<StockChange, 'from' | 'to' | 'quantity'> & { readonly lot?: string }
type Numbered = { readonly sequence?: number; readonly mark: number; readonly source?: string }

const changeOf = (
  itemId: number,
  { lot = '', ...moved }: Moved,
  { mark, source = SOURCE }: Numbered,
): StockChange => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  lot,
  reason: 'receipt',
  source,
  sourceKey: `M-${mark}`,
  at: minutes(mark),
  mark,
  isTold: true,
  ...moved,
})

export const factOf = (itemId: number, moved: Moved, told: Numbered): Fact => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  source: told.source ?? SOURCE,
  sequence: told.sequence,
  mark: told.mark,
  at: minutes(told.mark),
  payload: changeOf(itemId, moved, told),
})

/** What waited was kept as JSON. */
const bookable = (due: readonly object[]): StockChange[] =>
  due.map((payload) => ({ ...(payload as StockChange), at: new Date((payload as StockChange).at) }))

export const tell = (db: OpenDatabase, ...facts: readonly Fact[]): Promise<Standing[]> =>
  db.database.transaction(async (tx) => {
    const { standings, due } = await placeFacts(tx, facts)
    if (due.length > 0) await move(tx, bookable(due))
    return facts.map((fact) => standings.get(fact)!)
  })

type Counted = Partial<Statuses> & {
  readonly sequence?: number
  readonly mark: number
  readonly source?: string
  readonly lot?: string
}

const countOf = (itemId: number, { sequence, lot = '', source: _, ...statuses }: Counted): Count => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  sequence,
  lots: new Map([[lot, { available: 0, qualityHold: 0, damaged: 0, ...statuses }]]),
})

export const take = (db: OpenDatabase, itemId: number, counted: Counted) =>
  db.database.transaction(async (tx) => {
    const { mark, source = SOURCE } = counted
    const taking = { source, sourceKey: `S-${mark}`, mark, takenAt: minutes(mark), askedAt: AT }
    const taken = await takeCounts(tx, [countOf(itemId, counted)], taking)
    if (taken.due.length > 0) await move(tx, bookable(taken.due))
    return taken
  })

export const received = (quantity: number): Moved => ({
  from: 'supplier',
  to: 'available',
  quantity: units(quantity),
})

type Left = {
  readonly mark: number
  readonly claimEnds?: number
  readonly short?: number
  readonly source?: string
}

export const leave = (
  db: OpenDatabase,
  itemId: number,
  quantity: number,
  { mark, claimEnds = 0, short = 0, source = SOURCE }: Left,
) =>
  db.database.transaction((tx) =>
    ship(tx, [
      {
        company: COMPANY,
        itemId,
        location: NORTH,
        lot: '',
        quantity: units(quantity),
        claimEnds: units(claimEnds),
        short: units(short),
        source,
        sourceKey: `SH-${mark}`,
        doc: 7,
        at: minutes(mark),
        mark,
        isTold: true,
      },
    ]),
  )

/** Reserves what is free of it, so much at most. */
export const claim = (db: OpenDatabase, doc: number, itemId: number, quantity: Quantity): Promise<void> =>
  db.database.transaction(async (tx) => {
    const { rest: free } = await lockChannelStock(tx, [itemId], [NORTH])
    const [allocations = []] = allocateOrder(free, [{ itemId, quantity }], [NORTH])
    const line = { doc, line: 1, company: COMPANY, channel: 'api', itemId }
    reserve(tx, [{ ...line, allocations, backordered: 0, waited: false }])
  })
