/** What order-to-cash does by itself on the way forward: release, invoice, close. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import type { Done, Process } from '#platform/process.ts'
import { handOver } from '#domains/inventory/operations.ts'
import {
  changeHeaders,
  changeLockedHeaders,
  type LinesMoved,
  type LockedOrder,
  moveLockedLines,
} from '#domains/orders/operations.ts'
import { requestFulfillments } from '#domains/shipments/operations.ts'
import { fillBackorders, noteWithheld } from './backorders.ts'
import { holdWithoutCredit } from './credit.ts'
import { beginFulfillments } from './fulfillment-facts.ts'
import { expireHolds } from './holds.ts'
import { draftFromShipments } from './invoicing.ts'
import type { OrderFacts } from './order-facts.ts'
import { cancelLines, refuseCancel, takeBackRelease } from './order-undo.ts'
import { type Deed, lookAll, type OrderWork, waits } from './order-work.ts'
import type { ProcessPorts } from './ports.ts'
import { reclaim } from './reclaim.ts'
import { itemsWithLots, nameLots } from './requested-lots.ts'

export function orderSteps(ports: ProcessPorts, children: { fulfillment: Process; invoice: Process }) {
  return {
    expireHolds: takeBackUndecided,
    refuseCancel,
    reclaim: reclaim(ports),
    fillBackorders: fillBackorders(ports),
    noteWithheld,
    release: release(ports, children.fulfillment),
    takeBackRelease,
    invoice: invoice(ports, children.invoice),
    close: close(ports),
    cancelLines,
  } satisfies Record<string, Deed>
}

/** Nobody decided on a hold in time, so what the order keeps goes to others, as far as it can still be taken back. */
async function takeBackUndecided(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const reason = 'nobody decided on its hold in time'
  await expireHolds(
    tx,
    works.flatMap(({ facts: { doc }, subjects }) => subjects.map((id) => ({ doc, id: Number(id) }))),
    { actor: cause.actor, reason },
  )
  await changeHeaders(
    tx,
    works.map(({ facts: { doc, company } }) => ({ doc, company, data: { actor: cause.actor, reason } })),
    { change: 'cancel requested', type: 'order.cancel_requested' },
    cause,
  )
  const { actor, traceId } = cause
  recordAudit(
    tx,
    works.map(({ facts: { doc, company } }) => ({
      actor,
      action: 'orders.cancel',
      company,
      kind: 'order',
      doc,
      reason,
      traceId,
    })),
  )
  return lookAll(works)
}

function sumByLine(
  rows: readonly { readonly line: number; readonly quantity: number }[],
): [number, number][] {
  const sums = new Map<number, number>()
  for (const { line, quantity } of rows) sums.set(line, (sums.get(line) ?? 0) + quantity)
  return [...sums]
}

/** One fulfillment request for each location that holds claims of the order. */
function release(ports: ProcessPorts, fulfillment: Process): Deed {
  return async (tx, offered, cause) => {
    const [held, lotted] = await Promise.all([
      holdWithoutCredit(tx, ports, offered, cause),
      itemsWithLots(tx, offered),
    ])
    const works = offered.filter((work) => !held.has(work))
    if (works.length === 0) return lookAll(offered)
    const places = works.flatMap(({ facts, subjects }) => subjects.map((location) => ({ facts, location })))
    const ids = await ports.ids.documents(places.length)
    const requests = await nameLots(
      tx,
      ports,
      places.map(({ facts, location }, place) => ({
        doc: ids[place]!,
        company: facts.company,
        orderId: facts.doc,
        location,
        lines: claimsAt(facts, location),
      })),
      lotted,
    )
    requestFulfillments(tx, requests, cause)
    handOver(
      tx,
      places.map(({ facts, location }) => ({ doc: facts.doc, location })),
    )
    const requestsOf = Map.groupBy(requests, (request) => request.orderId)
    const released = works.map((work) => releasedLines(work, requestsOf.get(work.facts.doc)!))
    const versions = moveLockedLines(tx, released, 'order.released', cause)
    const orders = new Map(works.map(({ facts }) => [facts.doc, facts]))
    const begun = await beginFulfillments(tx, fulfillment, requests, orders)
    return new Map(
      offered.map((work): [OrderWork, Done<OrderFacts>] => {
        if (held.has(work)) return [work, 'look']
        const mine = requestsOf.get(work.facts.doc)!
        const facts = waits(work.facts) ? 'look' : afterRelease(work, mine, versions.get(work.facts.doc)!)
        return [work, { facts, begins: mine.map((request) => begun.get(request.doc)!) }]
      }),
    )
  }
}

type Request = {
  readonly doc: number
  readonly location: string
  readonly lines: readonly { readonly line: number; readonly quantity: number }[]
}

function claimsAt(facts: OrderFacts, location: string) {
  const lineOf = new Map(facts.lines.map((line) => [line.n, line]))
  return facts.reservations
    .filter((claim) => claim.location === location)
    .map(({ line, quantity }) => {
      const { itemId, minimumShelfLifeDays } = lineOf.get(line)!
      return { line, itemId, quantity, minimumShelfLifeDays }
    })
}

function releasedLines({ facts }: OrderWork, requests: readonly Request[]): LinesMoved & LockedOrder {
  return {
    ...facts,
    data: { fulfillments: requests.map((request) => ({ id: request.doc, location: request.location })) },
    lines: sumByLine(requests.flatMap((request) => request.lines)).map(([n, quantity]) => ({
      n,
      reserved: -quantity,
      released: quantity,
    })),
  }
}

function afterRelease(
  { facts, subjects }: OrderWork,
  requests: readonly Request[],
  version: number,
): OrderFacts {
  const released = new Map(sumByLine(requests.flatMap((request) => request.lines)))
  return {
    ...facts,
    version,
    lines: facts.lines.map((line) => {
      const quantity = released.get(line.n) ?? 0
      return quantity === 0
        ? line
        : { ...line, reserved: line.reserved - quantity, released: line.released + quantity }
    }),
    reservations: facts.reservations.filter((claim) => !subjects.includes(claim.location)),
    fulfillments: [
      ...facts.fulfillments,
      ...requests.map(({ doc, location }) => ({
        doc,
        location,
        state: 'requested' as const,
        cancelRequested: false,
      })),
    ].toSorted((a, b) => a.doc - b.doc),
  }
}

function invoice(ports: ProcessPorts, process: Process): Deed {
  return async (tx, works, cause) => {
    const begun = await draftFromShipments(tx, ports, { process, works, cause })
    return new Map(
      works.map((work): [OrderWork, Done<OrderFacts>] => [
        work,
        {
          facts: waits(work.facts) ? 'look' : { ...work.facts, unbilled: [] },
          begins: begun.get(work.facts.doc) ?? [],
        },
      ]),
    )
  }
}

const close =
  (ports: ProcessPorts): Deed =>
  async (tx, works, cause) => {
    // cancelled before it came to the ERP
    ports.sla.clocks.stop(
      tx,
      'order_to_erp_posting',
      works.flatMap(({ facts: { doc, order } }) => (order.erpNumber === null ? [doc] : [])),
    )
    const versions = changeLockedHeaders(
      tx,
      works.map(({ facts }) => facts),
      { change: 'closed', type: 'order.closed' },
      cause,
    )
    return new Map(
      works.map((work): [OrderWork, Done<OrderFacts>] => {
        const { facts } = work
        return [
          work,
          { facts: { ...facts, version: versions.get(facts.doc)!, order: { ...facts.order, closed: true } } },
        ]
      }),
    )
  }
