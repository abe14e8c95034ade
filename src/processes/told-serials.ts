/** The serials that systems name of what moved and of what was shipped, as what happened to each unit. */
import type { StockFact } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import type { Bucket } from '#domains/inventory/contract.ts'
import type { Owned } from '#domains/inventory/contract/owners.ts'
import { SERIAL_BUCKETS, type SerialPlace, type SerialTold } from '#domains/inventory/contract/serials.ts'
import type { SerialSite } from '#domains/inventory/operations/serials.ts'
import type { TransferTold } from '#domains/inventory/operations/transfers.ts'
import { controlledItems } from '#domains/items/operations.ts'
import { addReferences } from '#domains/orders/operations.ts'
import type { NewShipment } from '#domains/shipments/contract.ts'
import type { NamedUnits } from './hand-books.ts'
import { reportMissingLots } from './lots.ts'
import type { ProcessPorts } from './ports.ts'
import type { SerialsDue } from './serials.ts'
import type { Books } from './warehouse-books.ts'

/** Something that was told of an item with serials. */
export type ToldUnits = {
  readonly one: Pick<StockFact, 'location' | 'owner' | 'lot' | 'reason' | 'at' | 'serials'> & {
    readonly company: string
    readonly source: string
    readonly sourceKey: string
  }
  readonly itemId: number
  /** The buckets that it moves; absent where it moves nothing. */
  readonly moves: { readonly from: Bucket; readonly to: Bucket } | undefined
  /** What it is of a transfer. */
  readonly step: TransferTold | undefined
  /** People had entered something of it. */
  readonly again: boolean
}

export const serialsOfStock = (told: readonly ToldUnits[]): SerialsDue => ({
  told: told.flatMap(serialsOf),
  sites: told.flatMap(sitesOf),
})

const sitesOf = ({ one: { company, location, owner }, itemId, step }: ToldUnits): SerialSite[] =>
  [...new Set([location, step?.to ?? location])].map((at) => ({ company, itemId, location: at, owner }))

function serialsOf({ one, itemId, moves, step, again }: ToldUnits): SerialTold[] {
  const { company, location, owner, lot = '', reason, source, sourceKey, at, serials = [] } = one
  const route = step
    ? routeOf(step)
    : moves && { from: placeOf(moves.from, { location, owner }), to: placeOf(moves.to, { location, owner }) }
  if (!route) return []
  const common = { company, itemId, lot, reason, source, sourceKey, doc: null, at, again, ...route }
  return [...new Set(serials)].map((serial) => ({ ...common, serial }))
}

const placeOf = (
  bucket: Bucket,
  { location, owner }: Owned & { readonly location: string },
): SerialPlace => ({
  bucket,
  owner,
  location: (SERIAL_BUCKETS as readonly string[]).includes(bucket) ? location : null,
})

/** Of what is in transit, the place is where it is to arrive. */
function routeOf({ act, from, to, owner, status }: TransferTold): Pick<SerialTold, 'from' | 'to'> {
  const there = { location: to, owner }
  const transit = placeOf('in_transit', there)
  if (act === 'sent') return { from: placeOf(status, { location: from!, owner }), to: transit }
  return { from: transit, to: placeOf(act === 'arrived' ? status : 'adjustment', there) }
}

type Shipped = {
  readonly shipments: readonly NewShipment[]
  readonly books: Books
}

/** Asks once which items have lots or serials: the lots that are missing are told, the serials are answered to be booked. */
export async function trackShipped(
  tx: Transaction,
  ports: ProcessPorts,
  { shipments, books }: Shipped,
): Promise<SerialsDue> {
  const named = [...shipments.flatMap(unitsOf), ...books.hand.units]
  const items = [...shipments.flatMap(({ lines }) => lines), ...named].map(({ itemId }) => itemId)
  const controlled = await controlledItems(tx, [...new Set(items)])
  if (controlled.size === 0) return { told: [], sites: [] }
  await reportMissingLots(tx, ports, shipments, controlled)
  const isTracked = ({ itemId }: { readonly itemId: number }): boolean =>
    controlled.get(itemId)?.serials === true
  const told = named.filter(isTracked).flatMap(unitsShipped)
  addReferences(
    tx,
    told.map(({ serial, shipment }) => ({
      value: serial,
      scheme: 'serial',
      doc: shipment!.id,
      orderId: shipment!.orderId,
    })),
  )
  const sites = shipments.flatMap(({ company, location, lines }) =>
    lines.filter(isTracked).map(({ itemId }) => ({ company, itemId, location })),
  )
  return { told, sites }
}

const unitsOf = ({ doc, lines, shippedAt: at, ...shipment }: NewShipment): NamedUnits[] =>
  lines.flatMap(({ itemId, lot, serials }) => {
    if (!serials) return []
    const { company, location, orderId, source, sourceKey } = shipment
    const of = { company, location, orderId, source, sourceKey, at, shipment: doc }
    return [{ ...of, itemId, lot: lot ?? '', serials }]
  })

function unitsShipped({ itemId, lot, serials, shipment, ...of }: NamedUnits): SerialTold[] {
  const { company, location, orderId, source, sourceKey, at } = of
  const common = {
    company,
    itemId,
    lot,
    reason: 'ship',
    source,
    sourceKey,
    doc: shipment,
    at,
    from: placeOf('available', { location }),
    to: placeOf('shipped', { location }),
    shipment: { id: shipment, orderId },
  }
  return [...new Set(serials)].map((serial) => ({ ...common, serial }))
}
