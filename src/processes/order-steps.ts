/** What order-to-cash does by itself: fill, release, invoice, close, and take back. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import { type Answers, type Done, type Process, type Work } from '#platform/process.ts'
import type { DeskRow } from '#platform/desk.ts'
import { changeExposure } from '#domains/customers/operations.ts'
import {
  allocateOrder,
  handOver,
  leaveQueue,
  lockFreeStock,
  releaseOrders,
  reserve,
  type ReservedLine,
  takeBack,
} from '#domains/inventory/operations.ts'
import {
  changeHeaders,
  type LinesMoved,
  lowerExposure,
  moveLines,
  worthOf,
} from '#domains/orders/operations.ts'
import { requestCancellations, requestFulfillments, writeOffRequests } from '#domains/shipments/operations.ts'
import { beginFulfillments } from './fulfillment-facts.ts'
import { draftFromShipments } from './invoicing.ts'
import type { OrderFacts } from './order-facts.ts'
import type { ProcessPorts } from './ports.ts'

type OrderWork = Work<OrderFacts>
type Deed = (
  tx: Transaction,
  works: readonly OrderWork[],
  cause: Cause,
) => Promise<Answers<OrderWork, OrderFacts>>

const lookAll = (works: readonly OrderWork[], done: Partial<Exclude<Done<OrderFacts>, 'look'>> = {}) =>
  new Map(works.map((work): [OrderWork, Done<OrderFacts>] => [work, { facts: 'look', ...done }]))

export function orderSteps(ports: ProcessPorts, children: { fulfillment: Process; invoice: Process }) {
  return {
    refuseCancel,
    reclaim,
    fillBackorders: fillBackorders(ports),
    release: release(ports, children.fulfillment),
    takeBackRelease,
    invoice: invoice(ports, children.invoice),
    close,
    cancelLines,
  } satisfies Record<string, Deed>
}

async function refuseCancel(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const orders = works.map(({ facts }) => ({ ...facts, data: { reason: 'picking has begun' } }))
  await changeHeaders(tx, orders, { change: 'cancel refused', type: 'order.cancel_refused' }, cause)
  return lookAll(works)
}

/** What a warehouse will not fill is the order's own claim again. */
async function reclaim(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const requests = works.flatMap(({ facts, subjects }) =>
    facts.fulfillments
      .filter((request) => subjects.includes(String(request.doc)))
      .map((request) => ({ facts, request })),
  )
  const lines = await writeOffRequests(
    tx,
    requests.map(({ request }) => request.doc),
  )
  const linesOf = Map.groupBy(lines, (line) => line.doc)
  const claims = requests.flatMap(({ facts, request }) =>
    (linesOf.get(request.doc) ?? []).map(({ line, itemId, quantity }) => ({
      doc: facts.doc,
      company: facts.company,
      line,
      itemId,
      quantity,
      location: request.location,
    })),
  )
  takeBack(tx, claims)
  const claimsOf = Map.groupBy(claims, (claim) => claim.doc)
  await moveLines(
    tx,
    works.map(({ facts }) => ({
      ...facts,
      data: { lines: (claimsOf.get(facts.doc) ?? []).map((claim) => claim.line) },
      lines: sumByLine(claimsOf.get(facts.doc) ?? []).map(([n, quantity]) => ({
        n,
        released: -quantity,
        reserved: quantity,
      })),
    })),
    'order.release_taken_back',
    cause,
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

/** Gives waiting lines the stock that has become free, in the order in which they are offered. */
function fillBackorders(ports: ProcessPorts): Deed {
  return async (tx, works, cause) => {
    const wanted = works.map(({ facts, subjects }) => ({
      facts,
      lines: facts.lines.filter((line) => subjects.includes(String(line.n))),
    }))
    const locations = [...new Set(works.flatMap(({ facts }) => ports.company(facts.company).locations))]
    const free = await lockFreeStock(
      tx,
      wanted.flatMap(({ lines }) => lines.map((line) => line.itemId)),
      locations,
    )
    const filled: ReservedLine[] = []
    const moved: LinesMoved[] = []
    for (const { facts, lines } of wanted) {
      const asked = lines.map((line) => ({ itemId: line.itemId, quantity: line.backordered }))
      const given = allocateOrder(free, asked, ports.company(facts.company).locations)
      const found = lines.map((line, place) => {
        const allocations = given[place]!
        const quantity = allocations.reduce((sum, allocation) => sum + allocation.quantity, 0)
        return { line, allocations, quantity }
      })
      const some = found.filter(({ quantity }) => quantity > 0)
      filled.push(
        ...some.map(({ line, allocations, quantity }) => ({
          doc: facts.doc,
          line: line.n,
          company: facts.company,
          itemId: line.itemId,
          allocations,
          backordered: line.backordered - quantity,
          waited: true,
        })),
      )
      if (some.length === 0) continue
      moved.push({
        ...facts,
        data: { lines: some.map(({ line }) => line.n) },
        lines: some.map(({ line, quantity }) => ({ n: line.n, backordered: -quantity, reserved: quantity })),
      })
    }
    reserve(tx, filled)
    await moveLines(tx, moved, 'order.allocated', cause)
    return lookAll(works)
  }
}

/** One fulfillment request for each location that holds claims of the order. */
function release(ports: ProcessPorts, fulfillment: Process): Deed {
  return async (tx, works, cause) => {
    const places = works.flatMap(({ facts, subjects }) => subjects.map((location) => ({ facts, location })))
    const ids = await ports.ids.documents(places.length)
    const requests = places.map(({ facts, location }, place) => ({
      doc: ids[place]!,
      company: facts.company,
      orderId: facts.doc,
      location,
      lines: claimsAt(facts, location),
    }))
    requestFulfillments(tx, requests, cause)
    handOver(
      tx,
      places.map(({ facts, location }) => ({ doc: facts.doc, location })),
    )
    const requestsOf = Map.groupBy(requests, (request) => request.orderId)
    const versions = await moveLines(
      tx,
      works.map((work) => releasedLines(work, requestsOf.get(work.facts.doc)!)),
      'order.released',
      cause,
    )
    const begun = await beginFulfillments(
      tx,
      fulfillment,
      requests,
      new Map(works.map(({ facts }) => [facts.doc, facts])),
    )
    return new Map(
      works.map((work): [OrderWork, Done<OrderFacts>] => {
        const mine = requestsOf.get(work.facts.doc)!
        const facts = afterRelease(work, mine, versions.get(work.facts.doc)!)
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
  const itemOf = new Map(facts.lines.map((line) => [line.n, line.itemId]))
  return facts.reservations
    .filter((claim) => claim.location === location)
    .map((claim) => ({ line: claim.line, itemId: itemOf.get(claim.line)!, quantity: claim.quantity }))
}

function releasedLines({ facts }: OrderWork, requests: readonly Request[]): LinesMoved {
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

/** Asks the warehouses to stop what they have not begun to pick. */
async function takeBackRelease(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const requests = works.flatMap(({ facts, subjects }) =>
    subjects.map((subject) => ({
      doc: Number(subject),
      company: facts.company,
      orderId: facts.doc,
      reason: 'order cancelled',
    })),
  )
  await requestCancellations(tx, requests, true, cause)
  return lookAll(works, { wakes: requests.map(wakeFulfillment) })
}

const wakeFulfillment = ({ doc, company }: { doc: number; company: string }): DeskRow => ({
  doc,
  process: 'fulfillment',
  company,
  priority: 2,
  share: 0,
})

function invoice(ports: ProcessPorts, process: Process): Deed {
  return async (tx, works, cause) => {
    const begun = await draftFromShipments(tx, ports, { process, works, cause })
    return new Map(
      works.map((work): [OrderWork, Done<OrderFacts>] => [
        work,
        { facts: { ...work.facts, unbilled: [] }, begins: begun.get(work.facts.doc) ?? [] },
      ]),
    )
  }
}

async function close(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const versions = await changeHeaders(
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

/** What is left of a cancelled order goes back to stock and out of the queue and the credit account. */
async function cancelLines(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const worth = works.map(({ facts }) => ({
    doc: facts.doc,
    customerId: facts.order.customerId,
    amountMinor: facts.lines.reduce((sum, line) => sum + worthOf(line, leftOf(line)), 0),
  }))
  changeExposure(
    tx,
    worth.map(({ customerId, amountMinor }) => ({ customerId, amountMinor: -amountMinor })),
  )
  const docs = works.map(({ facts }) => facts.doc).toSorted((a, b) => a - b)
  await releaseOrders(tx, docs)
  leaveQueue(
    tx,
    works.flatMap(({ facts }) =>
      facts.lines.flatMap(({ itemId, n, backordered }) =>
        backordered > 0 ? [{ itemId, doc: facts.doc, line: n }] : [],
      ),
    ),
  )
  lowerExposure(tx, worth)
  await moveLines(
    tx,
    works.map(({ facts }) => ({
      ...facts,
      data: {},
      lines: facts.lines
        .filter((line) => leftOf(line) > 0)
        .map((line) => ({
          n: line.n,
          cancelled: leftOf(line),
          backordered: -line.backordered,
          reserved: -line.reserved,
        })),
    })),
    'order.lines_cancelled',
    cause,
  )
  return lookAll(works)
}

const leftOf = (line: OrderFacts['lines'][number]): number => line.reserved + line.backordered
