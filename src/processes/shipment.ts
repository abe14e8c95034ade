/** A shipment whose channel wants to hear of it. */
import { notifyShipment, type ShipNotice } from '#capabilities/channel.ts'
import type { Transaction } from '#platform/database.ts'
import { type Begun, call, type DocumentFacts, type Done, type Process, process } from '#platform/process.ts'
import { headersOf, linesOf, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import type { ShipmentLine } from '#domains/shipments/contract.ts'
import { recordNotified } from '#domains/shipments/operations.ts'
import {
  linesOfShipments,
  lockShipments,
  type PackageRow,
  packagesOf,
  type ShipmentHeader,
} from '#domains/shipments/views.ts'
import { groupBy } from './order-facts.ts'
import { asOrdered, countedIn } from './ordered-unit.ts'
import { orderNumber, type ProcessPorts, shipmentNumber } from './ports.ts'
import { endRefusals, refusalCause } from './refusals.ts'

export type ShipmentFacts = DocumentFacts & {
  readonly shipment: Omit<ShipmentHeader, 'version'>
  readonly order: Pick<
    OrderHeader,
    'customer' | 'customerOrder' | 'externalId' | 'sender' | 'totalMinor' | 'currency'
  >
  readonly packages: readonly (Omit<PackageRow, 'doc'> & {
    readonly lines: readonly (Pick<ShipmentLine, 'quantity' | 'lot' | 'serials'> &
      Pick<OrderLine, 'customerLine' | 'sku' | 'unit' | 'numerator' | 'denominator' | 'baseUnit'>)[]
  })[]
}

export function shipment(ports: ProcessPorts): Process {
  return process<ShipmentFacts>('shipment', {
    kind: 'shipment',
    rank: 3,
    facts: shipmentFacts,
    steps: { notify: { when: ({ shipment: { notified } }) => !notified, call: notify(ports) } },
    finished: (facts, skipped) => facts.shipment.notified || skipped('notify'),
  })
}

async function shipmentFacts(
  tx: Transaction,
  docs: readonly number[],
): Promise<ReadonlyMap<number, ShipmentFacts>> {
  const [shipments, lines, packages] = await Promise.all([
    lockShipments(tx, docs),
    linesOfShipments(tx, docs),
    packagesOf(tx, docs),
  ])
  const orders = [...new Set(shipments.map((row) => row.orderId))].toSorted((a, b) => a - b)
  const [headers, orderLines] = await Promise.all([headersOf(tx, orders), linesOf(tx, orders)])
  const headerOf = new Map(headers.map((header) => [header.doc, header]))
  const lineOf = new Map(orderLines.map((line) => [`${line.doc} ${line.n}`, line]))
  const packedOf = groupBy(lines, (line) => line.doc)
  const packagesOfShipment = groupBy(packages, (row) => row.doc)
  return new Map(
    shipments.map(({ version, ...row }) => {
      const { customer, customerOrder, externalId, sender, totalMinor, currency, traceId } = headerOf.get(
        row.orderId,
      )!
      const contents = (n: number) =>
        packedOf(row.doc)
          .filter((line) => line.package === n)
          .map(({ line, quantity, lot, serials = null }) => {
            const { customerLine, sku, unit, numerator, denominator, baseUnit } = lineOf.get(
              `${row.orderId} ${line}`,
            )!
            return { customerLine, sku, unit, numerator, denominator, baseUnit, quantity, lot, serials }
          })
      const facts: ShipmentFacts = {
        doc: row.doc,
        company: row.company,
        correlationId: row.orderId,
        version,
        traceId: traceId ?? undefined,
        shipment: row,
        order: { customer, customerOrder, externalId, sender, totalMinor, currency },
        packages: packagesOfShipment(row.doc).map(({ doc: _, ...parcel }) => ({
          ...parcel,
          lines: contents(parcel.n),
        })),
      }
      return [row.doc, facts]
    }),
  )
}

/** New shipments whose channel wants a notice. */
export async function beginShipments(
  tx: Transaction,
  process: Process,
  wanted: readonly { readonly doc: number }[],
): Promise<Begun[]> {
  if (wanted.length === 0) return []
  const docs = wanted.map(({ doc }) => doc).toSorted((a, b) => a - b)
  return [...(await shipmentFacts(tx, docs)).values()].map((facts) => ({ process, facts }))
}

const REFUSED = 'shipments.notice_refused'

const notify = (ports: ProcessPorts) =>
  call<ShipmentFacts, ShipNotice, { readonly reference?: string }>({
    operation: notifyShipment,
    location: ({ order }) => order.sender,
    businessKey: ({ doc }) => shipmentNumber(doc),
    request: ({ doc, company, shipment: row, order, packages }) => ({
      company,
      shipment: shipmentNumber(doc),
      order: orderNumber(row.orderId),
      customer: order.customer,
      customerOrder: order.customerOrder,
      externalId: order.externalId ?? undefined,
      shippedAt: row.shippedAt,
      carrier: row.carrier,
      location: row.location,
      packages: packages.map(({ sscc, tracking, weightGrams, lines }) => ({
        sscc: sscc ?? undefined,
        tracking: tracking ?? undefined,
        weightGrams: weightGrams ?? undefined,
        lines: lines.map(({ customerLine, sku, quantity, lot, serials, ...ordered }) => ({
          line: customerLine,
          sku,
          ...countedIn(ordered, quantity),
          asOrdered: asOrdered(ordered, quantity),
          lot: lot ?? undefined,
          serials: serials ?? undefined,
        })),
      })),
    }),
    async confirmed(tx, answered, cause) {
      const rows = answered.map(({ facts, answers: [first] }) => ({
        ...facts.shipment,
        reference: first!.answer.reference,
      }))
      const versions = await recordNotified(tx, rows, cause)
      await endRefusals(tx, answered, REFUSED)
      return new Map(
        answered.map((work): [typeof work, Done<ShipmentFacts>] => {
          const version = versions.get(work.facts.doc)!
          if (version !== work.facts.version + 1) return [work, 'look']
          return [
            work,
            { facts: { ...work.facts, version, shipment: { ...work.facts.shipment, notified: true } } },
          ]
        }),
      )
    },
    async refused(tx, refused) {
      await ports.openExceptions(
        tx,
        refused.map(({ facts, refusals: [first] }) => ({
          company: facts.company,
          cause: refusalCause(REFUSED, first!),
          code: REFUSED,
          title: `${first!.system} refuses ship notices: ${first!.message}`,
          suggestedAction: 'Mend the cause with the channel, then have them tried again.',
          affects: {
            doc: facts.doc,
            kind: 'shipment',
            value: { amountMinor: facts.order.totalMinor, currency: facts.order.currency },
          },
        })),
      )
      return new Map(refused.map((work): [typeof work, Done<ShipmentFacts>] => [work, { facts: work.facts }]))
    },
  })
