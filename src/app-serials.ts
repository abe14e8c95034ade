/** Single units as people look for them, with the shipment, the order and the customer of what has left. */
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { type SerialAsked, serialRoutes } from '#domains/inventory/routes/serials.ts'
import type { SerialStory, SerialView } from '#domains/inventory/contract/serials.ts'
import { historyOf, listSerials, serialsNamed, tellSerial } from '#domains/inventory/views/serials.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems, findItemsById } from '#domains/items/operations.ts'
import { headersOf } from '#domains/orders/views.ts'
import { shipmentsOf } from '#domains/shipments/views.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import { adjustmentNumber, orderNumber, shipmentNumber } from './processes/ports.ts'

const numbers = {
  shipment: shipmentNumber,
  order: orderNumber,
  document: (source: string, doc: number): string =>
    source === 'adjustment' ? adjustmentNumber(doc) : shipmentNumber(doc),
}

export const serialsOf = (queries: Queries, pages: Pages, stock: AvailabilityPorts): Route[] =>
  serialRoutes({ ...stock, queries, pages, numbers, story: (asked) => serialStory(queries, asked) })

/** Refuses what nobody has told of, and what several items are named by. */
export async function serialStory(
  queries: Queries,
  { company, serial, sku: wanted }: SerialAsked,
): Promise<SerialStory> {
  const rows = await serialsNamed(queries, company, serial)
  const items = await findItemsById(
    queries,
    rows.map(({ itemId }) => itemId),
  )
  const skuOf = (itemId: number): string => items.get(itemId)!.sku
  const found = rows.filter(({ itemId }) => wanted === undefined || skuOf(itemId) === wanted)
  const [row, other] = found
  if (!row)
    throw new Refusal(
      'inventory.serial_unknown',
      `${company} has no unit ${serial}${wanted ? ` of ${wanted}` : ''}`,
    )
  if (other) {
    const skus = found.map(({ itemId }) => skuOf(itemId)).join(', ')
    throw new Refusal('inventory.serial_of_several', `${serial} is a unit of ${skus}`, {}, '/query/sku')
  }
  const [history, shipped] = await Promise.all([
    historyOf(queries, row, numbers.document),
    row.shipmentId === null ? {} : shippedTo(queries, row.shipmentId),
  ])
  return { company, ...tellSerial(row, skuOf(row.itemId), numbers), ...shipped, history }
}

async function shippedTo(queries: Queries, shipment: number): Promise<Partial<SerialStory>> {
  const [header] = await shipmentsOf(queries, [shipment])
  if (!header) return {}
  const [order] = await headersOf(queries, [header.orderId])
  return {
    customer: order!.customer,
    customerOrder: order!.customerOrder,
    shippedAt: header.shippedAt.toISOString(),
    carrier: header.carrier,
    number: header.number,
  }
}

type Listed = {
  readonly company: string
  readonly sku: string
  readonly location?: string | undefined
  readonly status?: string | undefined
  readonly owner?: string | undefined
}

/** For who looks into the database beside the running program; undefined where there is no such item. */
export async function listedSerials(
  queries: Queries,
  { company, sku, location, status, owner }: Listed,
  limit: number,
): Promise<SerialView[] | undefined> {
  const item = (await findItems(queries, [{ company, sku }])).get(itemKey(company, sku))
  if (!item) return undefined
  const filter = { company, itemId: item.id, location, bucket: status, owner }
  const rows = await listSerials(queries, filter, undefined, limit)
  return rows.map((row) => tellSerial(row, sku, numbers))
}
