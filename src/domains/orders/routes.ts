/** The HTTP door of orders. What spans domains is handed in by app.ts. */
import { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import { backlogRefusals } from '#platform/backlog.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { etag } from '#platform/http-preconditions.ts'
import { formatAmount } from '#platform/money.ts'
import { numberRefusals } from '#platform/number-refusals.ts'
import {
  CancelAnswer,
  CancelRequest,
  HoldReleased,
  HoldReleaseRequest,
  Milestones,
  OrderSummary,
  OrderView,
  StoryAnswer,
} from './contract/answers.ts'
import { type Channel, OrderAnswer, orderRefusals, OrderRequest } from './contract.ts'
import * as example from './contract/examples.ts'
import { headersOf, isPartners, openHoldsOf, type OpenHold, type OrderHeader } from './views.ts'
import { type ListedOrder, listOrders } from './views/lists.ts'

type Known<Body> = { readonly kind: 'new' | 'known'; readonly answer: Body }

/** What a person or client asks of one order. */
export type Asked = {
  readonly doc: number
  readonly actor: string
  readonly reason: string
  readonly partner: string | undefined
  readonly ifMatch: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

type Given<Status extends number, Body> = { readonly status: Status; readonly body: Body }

export type OrderPorts = {
  readonly queries: Queries
  readonly pages: Pages
  /** Numbers as people see them. */
  readonly numbers: {
    readonly order: (doc: number) => string
    readonly hold: (id: number) => string
    /** The document behind a number; undefined when the text is no such number. */
    readonly parse: (text: string, letter: 'O' | 'H') => number | undefined
  }
  readonly submit: (order: {
    request: OrderRequest
    client: string
    partner: string | undefined
    traceId: string
    claim: Claim
  }) => Promise<Known<OrderAnswer> | Replay>
  readonly cancel: (
    asked: Asked & { readonly lines: CancelRequest['lines'] },
  ) => Promise<Given<202, CancelAnswer> | Replay>
  readonly releaseHold: (
    asked: Asked & { readonly hold: number },
  ) => Promise<Given<200, HoldReleased> | Replay>
  readonly read: (doc: number) => Promise<OrderView>
  readonly milestones: (doc: number) => Promise<Milestones>
  readonly story: (doc: number) => Promise<StoryAnswer>
  /** Orders that anybody knows by this number, the newest first. */
  readonly find: (anyId: string) => Promise<readonly number[]>
}

const BASE = '/process/order-to-cash/v1'

export function orderRoutes(ports: OrderPorts): Route[] {
  return [
    submitOrder(ports),
    listRoute(ports),
    readOrder(ports),
    storyRoute(ports),
    milestonesRoute(ports),
    cancelOrder(ports),
    releaseHold(ports),
  ]
}

const submitOrder = ({ submit }: OrderPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}/orders`,
    operationId: 'orders.submit',
    summary: 'Submit an order',
    description:
      'Validates, prices, checks credit and reserves stock at once. The answer says what became of each line. The same ' +
      'business document under a new key is answered with the order it already made, and status 200.',
    scope: 'process.orders:write',
    rateClass: 'orders',
    bodyLimitBytes: 512 * 1024,
    body: OrderRequest,
    idempotent: true,
    answers: {
      201: {
        description: 'The order was accepted, perhaps with holds or backordered lines',
        body: OrderAnswer,
      },
      200: { description: 'This business document is an order already', body: OrderAnswer },
    },
    refusals: [
      ...[orderRefusals, numberRefusals, backlogRefusals].flatMap(Object.keys),
      'inventory.reservation_ended',
    ],
    example: { body: example.request, answer: example.answer },
    async handler({ body, principal, trace, idempotency }: Request<unknown, unknown, OrderRequest, Claim>) {
      if (principal.partner !== undefined && principal.partner !== body.customer) {
        throw new Refusal('orders.customer_unknown', 'You can order for yourself only.', {}, '/customer')
      }
      const { client, partner } = principal
      const submission = { request: body, client, partner, traceId: trace.traceId, claim: idempotency }
      const result = await submit(submission)
      if ('replayed' in result) return result
      return { status: result.kind === 'new' ? 201 : 200, body: result.answer }
    },
  })

const DayOrTime = z.union([z.iso.date(), z.iso.datetime({ offset: true })])

const ListQuery = PageQuery.extend({
  company: z.string().min(1).max(12).optional(),
  customer: z.string().min(1).max(35).optional().describe("The sold-to's number"),
  state: z.enum(['open', 'held', 'closed']).optional(),
  from: DayOrTime.optional().describe('Accepted at or after this day (UTC) or time'),
  to: DayOrTime.optional().describe('Accepted before this day (UTC) or time'),
  text: z.string().min(1).max(80).optional().describe('Any number by which anybody knows the order, whole'),
})

const listRoute = ({ queries, pages, numbers }: OrderPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/orders`,
    operationId: 'orders.list',
    summary: 'List orders, newest first',
    scope: 'process.orders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListQuery,
    answers: { 200: { description: 'A page of orders', body: pageOf(OrderSummary) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { state: 'held', limit: 50 }, answer: { items: [example.summary] } },
    async handler(request) {
      const { query, principal } = request
      const after = pages.after(request)
      const cursor = after && { createdAt: String(after[0]), id: Number(after[1]) }
      const filter = {
        ...query,
        from: query.from === undefined ? undefined : new Date(query.from),
        to: query.to === undefined ? undefined : new Date(query.to),
        partner: principal.partner,
      }
      const rows = await listOrders(queries, filter, cursor, query.limit + 1)
      const page = rows.slice(0, query.limit)
      const holds = Map.groupBy(
        await openHoldsOf(
          queries,
          page.map((row) => row.id),
        ),
        (hold) => hold.doc,
      )
      const last = rows.length > query.limit ? page.at(-1) : undefined
      const items = page.map((row) => summaryOf(row, holds.get(row.id) ?? [], numbers))
      return pages.answer(request, items, last && [last.createdAt, last.id])
    },
  })

function summaryOf(
  row: ListedOrder,
  holds: readonly OpenHold[],
  numbers: OrderPorts['numbers'],
): OrderSummary {
  const { id, createdAt, totalMinor, erpNumber, requestedDate, held: _, channel, ...rest } = row
  return {
    ...rest,
    id: numbers.order(id),
    channel: channel as Channel,
    total: formatAmount(totalMinor, row.currency),
    acceptedAt: createdAt,
    ...(erpNumber === null ? {} : { erpNumber }),
    ...(requestedDate === null ? {} : { requestedDate }),
    holds: holds.map(({ id: hold, type, reason, blocks }) => ({
      id: numbers.hold(hold),
      type,
      reason,
      blocks: [...blocks],
    })),
  }
}

const OrderId = z.object({
  id: z.string().min(1).max(80).describe('Our number of the order').meta({ example: 'O-1000017' }),
})

const readOrder = (ports: OrderPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/orders/:id`,
    operationId: 'orders.read',
    summary: 'Read an order',
    description: 'The ETag is the version to send as If-Match.',
    scope: 'process.orders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: OrderId,
    answers: {
      200: { description: 'The order as it stands', body: OrderView },
      304: { description: 'Not changed since' },
    },
    refusals: ['orders.unknown'],
    example: { params: { id: 'O-1000017' }, answer: example.order },
    async handler({ params, principal }) {
      const { doc } = await ownOrder(ports, params.id, principal)
      const body = await ports.read(doc)
      return { status: 200, body, headers: { etag: etag(body.version) } }
    },
  })

const AnyNumber = z.object({
  id: z.string().min(1).max(80).describe('Any number of the order or of a document of it'),
})

const storyRoute = (ports: OrderPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/orders/:id/story`,
    operationId: 'orders.story',
    summary: 'The whole story of an order, by any of its numbers',
    description:
      'By our number, the purchase order, the ERP order, an invoice, a package or a tracking number. Of several orders ' +
      'that are known by it the newest is told; the list with "text" shows all.',
    scope: 'process.orders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: AnyNumber,
    answers: {
      200: { description: 'Lines, documents on both sides, and all that happened', body: StoryAnswer },
    },
    refusals: ['orders.unknown'],
    example: { params: { id: 'PO-88123' } },
    async handler({ params, principal }) {
      const docs = await ports.find(params.id)
      const own = new Map((await headersOf(ports.queries, docs)).map((header) => [header.doc, header]))
      const doc = docs.find((each) => own.has(each) && isPartners(own.get(each)!, principal.partner))
      if (doc === undefined) throw unknown(params.id)
      return { status: 200, body: await ports.story(doc) }
    },
  })

const milestonesRoute = (ports: OrderPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/orders/:id/milestones`,
    operationId: 'orders.milestones',
    summary: 'What an order has reached, and when',
    scope: 'process.orders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: OrderId,
    answers: { 200: { description: 'Milestones, oldest first', body: Milestones } },
    refusals: ['orders.unknown'],
    example: { params: { id: 'O-1000017' }, answer: example.milestones },
    async handler({ params, principal }) {
      const { doc } = await ownOrder(ports, params.id, principal)
      return { status: 200, body: await ports.milestones(doc) }
    },
  })

const cancelOrder = (ports: OrderPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}/orders/:id:cancel`,
    operationId: 'orders.cancel',
    summary: 'Cancel an order',
    description:
      'Takes back what can still be taken back, latest step first; the milestones say how it ends. With lines only so ' +
      'much of them, all or nothing. If-Match is optional: with it the order is cancelled at that version only.',
    scope: 'process.orders:write',
    rateClass: 'commands',
    bodyLimitBytes: 4 * 1024,
    params: OrderId,
    body: CancelRequest,
    idempotent: true,
    answers: { 202: { description: 'The wish is recorded and worked on', body: CancelAnswer } },
    refusals: [
      'orders.unknown',
      'orders.line_unknown',
      'orders.line_repeated',
      'orders.too_late_to_cancel',
      'items.quantity_not_exact',
      'http.precondition_failed',
    ],
    example: {
      params: { id: 'O-1000017' },
      body: { reason: 'The customer ordered twice' },
      answer: example.cancelled,
    },
    handler: (request) => ports.cancel({ ...asked(ports, request), lines: request.body.lines }),
  })

const HoldId = OrderId.extend({ holdId: z.string().min(1).max(40).meta({ example: 'H-1000020' }) })

const releaseHold = (ports: OrderPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}/orders/:id/holds/:holdId:release`,
    operationId: 'orders.release_hold',
    summary: 'Release a hold',
    description:
      'What it stopped goes on, what was refused is tried again, and its exception closes. If-Match is optional.',
    scope: 'process.holds:release',
    rateClass: 'commands',
    bodyLimitBytes: 4 * 1024,
    params: HoldId,
    body: HoldReleaseRequest,
    idempotent: true,
    answers: { 200: { description: 'The hold is released', body: HoldReleased } },
    refusals: ['orders.unknown', 'orders.hold_unknown', 'http.precondition_failed'],
    example: {
      params: { id: 'O-1000017', holdId: 'H-1000020' },
      body: { reason: 'Paid this morning, see wire 4711' },
      answer: example.holdReleased,
    },
    handler(request) {
      const { holdId } = request.params
      const hold = ports.numbers.parse(holdId, 'H')
      if (hold === undefined)
        throw new Refusal('orders.hold_unknown', `"${holdId}" is not the number of a hold`)
      return ports.releaseHold({ ...asked(ports, request), hold })
    },
  })

/** The order behind our own number, if the caller may see it. */
async function ownOrder(
  { queries, numbers }: OrderPorts,
  id: string,
  { partner }: Principal,
): Promise<OrderHeader> {
  const doc = numbers.parse(id, 'O')
  const [header] = doc === undefined ? [] : await headersOf(queries, [doc])
  if (!header || !isPartners(header, partner)) throw unknown(id)
  return header
}

/** Any number leads to the story, ours alone to the order. */
const unknown = (id: string): Refusal =>
  new Refusal('orders.unknown', `no order is known as ${id}`, {
    search: `${BASE}/orders?text=${encodeURIComponent(id)}`,
  })

type Asking = Request<{ readonly id: string }, unknown, { readonly reason: string }, Claim>

function asked(
  { numbers }: OrderPorts,
  { params, body, principal, ifMatch, trace, idempotency }: Asking,
): Asked {
  const doc = numbers.parse(params.id, 'O')
  if (doc === undefined) throw unknown(params.id)
  return {
    doc,
    actor: principal.client,
    reason: body.reason,
    partner: principal.partner,
    ifMatch,
    traceId: trace.traceId,
    claim: idempotency,
  }
}
