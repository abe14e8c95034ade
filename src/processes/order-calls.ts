/** What order-to-cash asks of the ERP: its sales order, and what is taken back of it. */
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  type SalesOrder,
  type SalesOrderLineClosing,
} from '#capabilities/erp.ts'
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import {
  type Answered,
  type Answers,
  type AnyCall,
  call,
  type Done,
  type RefusedCall,
} from '#platform/process.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'
import {
  changeHeaders,
  type HeaderEvent,
  recordErpClosings,
  recordErpNumbers,
  type Versions,
} from '#domains/orders/operations.ts'
import type { HeaderChange } from '#domains/orders/contract.ts'
import { addressOf } from './fulfillment-facts.ts'
import { openHolds } from './holds.ts'
import type { OrderFacts } from './order-facts.ts'
import { countedIn } from './ordered-unit.ts'
import { takeRows, waits } from './order-work.ts'
import { orderNumber, type ProcessPorts } from './ports.ts'

export function postOrder(ports: ProcessPorts): AnyCall<OrderFacts> {
  return call({
    operation: createSalesOrder,
    businessKey: (facts) => orderNumber(facts.doc),
    request: salesOrderOf,
    async confirmed(tx, answered, cause) {
      takeRows(tx, answered)
      const versions = await recordErpNumbers(
        tx,
        answered.map(({ facts, answers: [first] }) => ({
          ...facts,
          number: first!.answer.number,
          effectKey: first!.effectKey,
        })),
        cause,
      )
      ports.sla.clocks.stop(
        tx,
        'order_to_erp_posting',
        answered.map(({ facts }) => facts.doc),
      )
      return carried(answered, versions, ({ facts, answers: [first] }) => ({
        order: { ...facts.order, erpNumber: first!.answer.number },
      }))
    },
    refused: refusedBy(ports, 'The ERP refused the order'),
  })
}

function salesOrderOf(facts: OrderFacts): SalesOrder {
  const { order } = facts
  return {
    company: order.company,
    number: orderNumber(order.doc),
    customer: order.customer,
    customerOrder: order.customerOrder,
    currency: order.currency,
    requestedDate: order.requestedDate ?? undefined,
    shipTo: order.shipToCode === null ? addressOf(facts.shipTo) : { code: order.shipToCode },
    lines: facts.lines
      .filter((line) => line.erpClosed < line.ordered)
      .map((line) => ({
        line: line.n,
        sku: line.sku,
        ...countedIn(line, line.ordered - line.erpClosed),
        priceMinor: line.priceMinor,
        priceUnit: line.priceUnit,
        requestedDate: line.requestedDate ?? undefined,
      })),
  }
}

/** What the facts are after a change that this process made, unless somebody else changed the order in between. */
export function carried<W extends { readonly facts: OrderFacts }>(
  works: readonly W[],
  versions: Versions,
  change: (work: W) => Partial<OrderFacts>,
): Answers<W, OrderFacts> {
  return new Map(
    works.map((work): [W, Done<OrderFacts>] => {
      const version = versions.get(work.facts.doc)!
      if (version !== work.facts.version + 1 || waits(work.facts)) return [work, 'look']
      return [work, { facts: { ...work.facts, ...change(work), version } }]
    }),
  )
}

/** A refusal by a system holds the order for a person and says so where exceptions are worked on. */
function refusedBy(ports: ProcessPorts, title: string) {
  return async (
    tx: Transaction,
    refused: readonly RefusedCall<OrderFacts>[],
    cause: Cause,
  ): Promise<Answers<RefusedCall<OrderFacts>, OrderFacts>> => {
    await openHolds(
      tx,
      ports,
      refused.map(({ facts, refusals: [first] }) => ({
        doc: facts.doc,
        company: facts.company,
        valueMinor: facts.order.totalMinor,
        currency: facts.order.currency,
        type: 'manual',
        blocks: ['postToErp', 'release'],
        reason: `${title}: ${first!.message}`,
        cause: `${first!.system}:${first!.code}`,
        title,
      })),
    )
    await changeHeaders(
      tx,
      refused.map(({ facts, refusals: [first] }) => ({
        ...facts,
        data: { code: first!.code, message: first!.message, refused: title },
      })),
      { change: 'touched', type: 'order.erp_refused' },
      cause,
    )
    return new Map(refused.map((work) => [work, 'look']))
  }
}

export function cancelErpOrder(ports: ProcessPorts): AnyCall<OrderFacts> {
  return call({
    operation: cancelSalesOrder,
    businessKey: (facts) => orderNumber(facts.doc),
    request: (facts) => ({
      company: facts.company,
      number: orderNumber(facts.doc),
      erpNumber: facts.order.erpNumber ?? '',
    }),
    confirmed: changedTo('erp cancelled', 'order.erp_cancelled', () => ({ erpCancelled: true })),
    refused: refusedBy(ports, 'The ERP will not cancel the order'),
  })
}

/** Short picks that nobody waits for, and what is cancelled of an order that ships in part. */
export function closeErpLines(ports: ProcessPorts): AnyCall<OrderFacts> {
  return call({
    operation: closeSalesOrderLine,
    businessKey: (facts) => orderNumber(facts.doc),
    request({ doc, company, order, lines }, subject): SalesOrderLineClosing {
      const { n, closed } = closingOf(subject)
      const line = lines.find((one) => one.n === n)!
      const wanted = countedIn(line, line.ordered - closed)
      return { company, number: orderNumber(doc), erpNumber: order.erpNumber!, line: n, ...wanted }
    },
    async confirmed(tx, answered, cause) {
      takeRows(tx, answered)
      const closingsOf = ({ answers }: (typeof answered)[number]) =>
        answers.map(({ subject }) => closingOf(subject))
      const versions = await recordErpClosings(
        tx,
        answered.map((work) => ({ ...work.facts, lines: closingsOf(work) })),
        cause,
      )
      return carried(answered, versions, (work) => ({ lines: closedAtErp(work.facts, closingsOf(work)) }))
    },
    refused: refusedBy(ports, 'The ERP will not close the rest of an order'),
  })
}

type LineClosing = { readonly n: number; readonly closed: Quantity }

/** A subject as `linesToCloseAtErp` names it: what it stands for never changes while its call is under way. */
function closingOf(subject: string): LineClosing {
  const [n, closed] = subject.split(':')
  return { n: Number(n), closed: parseQuantity(closed!) }
}

const closedAtErp = ({ lines }: OrderFacts, closings: readonly LineClosing[]): OrderFacts['lines'] =>
  lines.map((line) => ({
    ...line,
    erpClosed: Math.max(
      line.erpClosed,
      ...closings.flatMap(({ n, closed }) => (n === line.n ? [closed] : [])),
    ),
  }))

function changedTo<Answer>(
  change: HeaderChange,
  type: HeaderEvent,
  next: (facts: OrderFacts) => Partial<OrderFacts['order']>,
) {
  return async (
    tx: Transaction,
    answered: readonly Answered<OrderFacts, Answer>[],
    cause: Cause,
  ): Promise<Answers<Answered<OrderFacts, Answer>, OrderFacts>> => {
    takeRows(tx, answered)
    const versions = await changeHeaders(
      tx,
      answered.map(({ facts }) => facts),
      { change, type },
      cause,
    )
    return carried(answered, versions, ({ facts }) => ({ order: { ...facts.order, ...next(facts) } }))
  }
}
