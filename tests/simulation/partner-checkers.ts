/** What EDI partners must have been told when nothing is under way: one acknowledgment, answer, notice and invoice for each. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import { elementOf, groupOf, type Heard, type Partners, type Sent } from './partners.ts'

type Ordered = { readonly number: string; readonly held: boolean }
type Billed = { readonly number: string; readonly totalMinor: number }

export async function untold(
  query: Query,
  { sent, heard }: Pick<Partners, 'sent' | 'heard'>,
): Promise<Violation[]> {
  const orders = await query<Ordered>(`
    select customer_order as number, exists (
      select from orders.hold h where h.order_id = o.id and h.status = 'open') as held
    from orders.sales_order o where channel = 'edi'`)
  const shipments = await query<{ number: string }>(`
    select 'S-' || s.id as number from shipments.shipment s join orders.sales_order o on o.id = s.order_id
    where o.channel = 'edi'`)
  const invoices = await query<Billed>(`
    select i.number, i.total_minor as "totalMinor" from billing.invoice i
    join shipments.shipment s on s.id = i.shipment_id join orders.sales_order o on o.id = s.order_id
    where o.channel = 'edi' and i.number is not null`)
  const toldOf = (type: string, what: (document: Heard) => string): string[] =>
    heard.filter((one) => one.type === type).map(what)
  const broken: Readonly<Record<string, readonly string[]>> = {
    'a control number is one document': numberedTwice(heard),
    'a purchase order is acknowledged once': sent.flatMap((order) => {
      const times = acknowledgmentsOf(order, heard).length
      return times === 1 ? [] : [`${order.poNumber}: ${times}`]
    }),
    'a purchase order is one order, or none of its lines is taken': sent.flatMap((order) =>
      ordersOf(order, orders, heard),
    ),
    'a purchase order is answered once, when it may go on': sent.flatMap((order) =>
      answersOf(order, orders, heard),
    ),
    'a shipment is told once to the partner': unequal(
      shipments.map(({ number }) => number),
      toldOf('856', (document) => elementOf(document, 'BSN', 2)),
    ),
    'an invoice is told once to the partner, to the cent': unequal(
      invoices.map(({ number, totalMinor }) => `${number} ${totalMinor}`),
      toldOf('810', (document) => `${elementOf(document, 'BIG', 2)} ${elementOf(document, 'TDS', 1)}`),
    ),
  }
  return Object.entries(broken).flatMap(([invariant, found]) =>
    found.length > 0 ? [{ invariant, found: found.join('; ') }] : [],
  )
}

const numberedTwice = (heard: readonly Heard[]): string[] =>
  [...Map.groupBy(heard, ({ partner, control }) => `${partner} ${control}`)].flatMap(([name, all]) =>
    all.length > 1 ? [`${name}: ${all.map(({ type }) => type).join(', ')}`] : [],
  )

const acknowledgmentsOf = ({ partner, control }: Sent, heard: readonly Heard[]): Heard[] =>
  heard.filter((one) => one.type === '997' && one.partner === partner && groupOf(one) === control)

/** First answers; later ones tell of changes. */
const firstAnswersTo = ({ partner, poNumber }: Sent, heard: readonly Heard[]): Heard[] =>
  heard.filter(
    (one) =>
      one.type === '855' &&
      one.partner === partner &&
      elementOf(one, 'BAK', 3) === poNumber &&
      elementOf(one, 'BAK', 1) === '00',
  )

/** Our acknowledgment says that the whole group is rejected. */
const isUnreadable = (order: Sent, heard: readonly Heard[]): boolean =>
  acknowledgmentsOf(order, heard).some((one) => elementOf(one, 'AK9', 1) === 'R')

const isRejection = (answer: Heard): boolean => elementOf(answer, 'BAK', 2) === 'RD'

function ordersOf(order: Sent, orders: readonly Ordered[], heard: readonly Heard[]): string[] {
  const times = orders.filter(({ number }) => number === order.poNumber).length
  const isRefused = isUnreadable(order, heard) || firstAnswersTo(order, heard).some(isRejection)
  return times === 1 || (times === 0 && isRefused) ? [] : [`${order.poNumber}: ${times}`]
}

function answersOf(order: Sent, orders: readonly Ordered[], heard: readonly Heard[]): string[] {
  const times = firstAnswersTo(order, heard).length
  if (isUnreadable(order, heard)) return times === 0 ? [] : [`${order.poNumber}: ${times}`]
  const isHeld = orders.some(({ number, held }) => number === order.poNumber && held)
  return times === 1 || (times === 0 && isHeld) ? [] : [`${order.poNumber}: ${times}`]
}

function unequal(ours: readonly string[], theirs: readonly string[]): string[] {
  const [known, told] = [ours.toSorted().join(', '), theirs.toSorted().join(', ')]
  return known === told ? [] : [`ours ${known}, told ${told}`]
}
