/** What the fulfillment process knows of a warehouse request. */
import type { Address } from '#capabilities/erp.ts'
import type { Transaction } from '#platform/database.ts'
import type { Begun, DocumentFacts, Process } from '#platform/process.ts'
import type { Quantity } from '#platform/quantity.ts'
import { findAddresses } from '#domains/customers/operations.ts'
import { addressKey, type CustomerAddress } from '#domains/customers/contract.ts'
import {
  headersOf,
  linesOf,
  type OrderHeader,
  type OrderLine,
  type ShipToSnapshot,
  shipTosOf,
} from '#domains/orders/views.ts'
import type { Fulfillment, LotPart, NewFulfillment, NewFulfillmentLine } from '#domains/shipments/contract.ts'
import type { Packing } from '#domains/shipments/contract/labels.ts'
import { lockRequests } from '#domains/shipments/operations.ts'
import { packingsOf } from '#domains/shipments/operations/labels.ts'
import { lotsOfRequests } from '#domains/shipments/operations/lots.ts'
import { linesOfFulfillments } from '#domains/shipments/views.ts'
import { groupBy, type OrderFacts } from './order-facts.ts'
import { lineKey } from './warehouse-books.ts'

export type FulfillmentFacts = DocumentFacts & {
  readonly request: Omit<Fulfillment, 'version'>
  readonly order: {
    readonly customer: string
    readonly customerOrder: string
    readonly requestedDate: string | null
    readonly totalMinor: number
    readonly currency: string
  }
  readonly shipTo: Address
  /** In base units. */
  readonly lines: readonly {
    readonly line: number
    readonly sku: string
    readonly quantity: Quantity
    readonly unit: string
    readonly requestedDate: string | null
    readonly lots: readonly LotPart[]
    readonly minimumExpiry: string | null
  }[]
  /** For which labels are bought. */
  readonly packings: readonly Packing[]
}

/** The warehouse has it and is not done with it. */
export const isUnderWay = ({ state }: Pick<Fulfillment, 'state'>): boolean =>
  state === 'accepted' || state === 'picking' || state === 'packed'

export async function fulfillmentFacts(
  tx: Transaction,
  docs: readonly number[],
): Promise<ReadonlyMap<number, FulfillmentFacts>> {
  const [requests, lines, lots, packed] = await Promise.all([
    lockRequests(tx, docs),
    linesOfFulfillments(tx, docs),
    lotsOfRequests(tx, docs),
    // wherever they are: no label may be bought there any more
    packingsOf(tx, docs),
  ])
  const packings = groupBy(packed, ({ doc }) => doc)
  const lotsOf = Map.groupBy(lots, ({ doc, line }) => lineKey(doc, line))
  const orders = [...new Set(requests.map((request) => request.orderId))].toSorted((a, b) => a - b)
  const [headers, orderLines] = await Promise.all([headersOf(tx, orders), linesOf(tx, orders)])
  const shipTos = await addressesOf(tx, headers)
  const headerOf = new Map(headers.map((header) => [header.doc, header]))
  const orderLinesOf = groupBy(orderLines, (line) => line.doc)
  const requestLinesOf = groupBy(lines, (line) => line.doc)
  return new Map(
    requests.map((request) => {
      const order = headerOf.get(request.orderId)!
      const wanted = requestLinesOf(request.doc).map((line) => ({
        ...line,
        lots: lotsOf.get(lineKey(line.doc, line.line)),
      }))
      return [
        request.doc,
        compose(
          request,
          { order, lines: orderLinesOf(order.doc), shipTo: shipTos.get(order.doc)! },
          { wanted, packings: packings(request.doc) },
        ),
      ]
    }),
  )
}

type OrderSide = {
  readonly order: Omit<OrderHeader, 'version'>
  readonly lines: readonly OrderLine[]
  readonly shipTo: Address
}

type RequestSide = {
  readonly wanted: readonly Pick<NewFulfillmentLine, 'line' | 'quantity' | 'lots' | 'minimumExpiry'>[]
  readonly packings?: readonly Packing[]
}

function compose(
  { version, ...request }: Fulfillment,
  { order, lines, shipTo }: OrderSide,
  { wanted, packings = [] }: RequestSide,
): FulfillmentFacts {
  const lineOf = new Map(lines.map((line) => [line.n, line]))
  const { customer, customerOrder, requestedDate, totalMinor, currency } = order
  return {
    doc: request.doc,
    company: request.company,
    correlationId: request.orderId,
    version,
    traceId: order.traceId ?? undefined,
    request,
    order: { customer, customerOrder, requestedDate, totalMinor, currency },
    shipTo,
    lines: wanted
      .map(({ line, quantity, lots = [], minimumExpiry = null }) => {
        const { sku, baseUnit: unit, requestedDate: wantedOn } = lineOf.get(line)!
        const of = { line, sku, quantity, unit, requestedDate: wantedOn }
        return { ...of, lots: lots.flatMap(named), minimumExpiry }
      })
      .toSorted((a, b) => a.line - b.line),
    packings,
  }
}

const named = ({ lot, quantity }: LotPart): LotPart[] => (lot === '' ? [] : [{ lot, quantity }])

type Addressed = Pick<OrderHeader, 'doc' | 'customerId' | 'shipToCode'>

/** Where orders go: an address of the customer, or the one that the order brought along. */
export async function addressesOf(
  tx: Transaction,
  orders: readonly Addressed[],
): Promise<ReadonlyMap<number, Address>> {
  const own = orders.filter((order) => order.shipToCode === null).map((order) => order.doc)
  const keys = orders.flatMap(({ customerId, shipToCode }) =>
    shipToCode === null ? [] : [{ customerId, code: shipToCode }],
  )
  const [known, snapshots] = await Promise.all([
    findAddresses(tx, keys),
    own.length > 0 ? shipTosOf(tx, own) : [],
  ])
  const snapshotOf = new Map(snapshots.map((row) => [row.doc, row]))
  return new Map(
    orders.map(({ doc, customerId, shipToCode }) => {
      if (shipToCode === null) return [doc, addressOf(snapshotOf.get(doc))]
      return [doc, { code: shipToCode, ...addressOf(known.get(addressKey(customerId, shipToCode))) }]
    }),
  )
}

export function addressOf(row: CustomerAddress | ShipToSnapshot | null | undefined): Address {
  if (!row) return {}
  return {
    ...(row.name === null ? {} : { name: row.name }),
    lines: row.lines,
    ...(row.city === null ? {} : { city: row.city }),
    ...(row.region === null ? {} : { region: row.region }),
    ...(row.postalCode === null ? {} : { postalCode: row.postalCode }),
    ...(row.country === null ? {} : { country: row.country }),
  }
}

/** New requests with the facts they begin with, so that nobody has to look. */
export async function beginFulfillments(
  tx: Transaction,
  process: Process,
  requests: readonly NewFulfillment[],
  orders: ReadonlyMap<number, OrderFacts>,
): Promise<ReadonlyMap<number, Begun>> {
  const shipTos = await addressesOf(
    tx,
    [...orders.values()].map((facts) => facts.order),
  )
  return new Map(
    requests.map(({ lines, ...request }) => {
      const { order, lines: orderLines } = orders.get(request.orderId)!
      const row: Fulfillment = {
        ...request,
        state: 'requested',
        wmsNumber: null,
        cancelRequested: false,
        cancelReason: null,
        byHand: false,
        version: 1,
      }
      const facts = compose(
        row,
        { order, lines: orderLines, shipTo: shipTos.get(order.doc)! },
        { wanted: lines },
      )
      return [request.doc, { process, facts }]
    }),
  )
}
