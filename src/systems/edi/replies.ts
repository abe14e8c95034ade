/** The 855s that are owed as soon as a message is decided: repetitions, rejections, holds, and what stands unchanged. */
import type { ChannelDecision, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Transaction } from '#platform/database.ts'
import type { Refusal } from '#platform/faults.ts'
import { buildOrderAcknowledgment, type OrderAcknowledgment } from './documents/855.ts'
import type { PurchaseOrderDocument } from './documents/purchase-order.ts'
import type { SetContext } from './inbound.ts'
import type { RefusedLine } from './map.ts'
import { toHeld, toRejection, toStanding } from './map-acknowledgment.ts'
import type { Draft } from './outbox.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { lastDocuments, purchaseOrders } from './store.ts'

export type Settled = ChannelDecision & { readonly guide: PartnerGuide; readonly context: SetContext }

/** What the partner did and can mend; what is wrong with our own data is for our own people. */
const TOLD_INSTEAD: ReadonlySet<string> = new Set([
  'orders.nothing_acceptable',
  'orders.currency_mismatch',
  'orders.address_unknown',
  'orders.line_repeated',
  'orders.customer_blocked',
  'orders.credit_refused',
])

/** What a person settles with the partner, who learns at once that nothing was changed. */
const TOLD_BESIDES: ReadonlySet<string> = new Set([
  'orders.same_number_other_content',
  'orders.unknown',
  'orders.too_late_to_cancel',
])

/** Whether an 855 says everything there is to say, so that no person needs to look. */
export const isToldInstead = (guide: PartnerGuide | undefined, refusal: Refusal): boolean =>
  guide?.sends.includes('855') === true && TOLD_INSTEAD.has(refusal.code)

export function documentOf({
  context,
}: Settled): { document: PurchaseOrderDocument; refusedLines: readonly RefusedLine[] } | undefined {
  const { outcome } = context.reading
  if (outcome.kind !== 'order' && outcome.kind !== 'answer') return undefined
  return { document: outcome.document, refusedLines: outcome.mapping.refusedLines }
}

export async function repliesOf(
  tx: Transaction,
  settled: readonly Settled[],
  on: string,
): Promise<readonly Draft[]> {
  const wanting = settled.filter(({ guide }) => guide.sends.includes('855'))
  return [
    ...(await repetitions(tx, wanting)),
    ...(await standing(tx, wanting, on)),
    ...wanting.flatMap((one) => [...rejection(one, on), ...hold(one, on)]),
  ]
}

/** Known by the message that it answers: a message that is decided again, by a person, is not answered again. */
const draft = ({ inbound, guide }: Settled, answer: OrderAcknowledgment): Draft => ({
  key: `855/${inbound.messageId}`,
  guide,
  type: '855',
  about: inbound.messageId,
  segments: buildOrderAcknowledgment(answer),
})

/** Who sends an order or a cancellation again is told again what he was told last; what was never told comes by itself. */
async function repetitions(tx: Transaction, settled: readonly Settled[]): Promise<Draft[]> {
  const again = settled.filter(
    ({ outcome, known, externalId }) => outcome === 'applied' && known && externalId,
  )
  if (again.length === 0) return []
  const last = await lastDocuments(
    tx,
    again.map(({ externalId }) => externalId!),
    '855',
  )
  return again.flatMap(({ inbound, externalId, guide }): Draft[] => {
    const segments = last.get(externalId!)
    return segments
      ? [{ key: `855/${inbound.messageId}`, guide, type: '855', about: externalId!, segments }]
      : []
  })
}

/** A cancellation that comes too late: the order as it stands, in the words in which it was ordered. */
async function standing(tx: Transaction, settled: readonly Settled[], on: string): Promise<Draft[]> {
  const late = settled.filter(({ stands }) => stands !== undefined)
  if (late.length === 0) return []
  const kept = await purchaseOrders(
    tx,
    late.flatMap(({ stands }) => stands?.externalId ?? []),
  )
  return late.flatMap((one): Draft[] => {
    const order = kept.get(one.stands!.externalId ?? '') ?? documentOf(one)
    if (!order) return []
    const reason = one.refusal?.code ?? 'orders.too_late_to_cancel'
    return [draft(one, toStanding(order, one.guide, { acknowledgement: one.stands!, reason, on }))]
  })
}

/** The 855 for a document of which nothing became ours. */
function rejection(settled: Settled, on: string): Draft[] {
  const { inbound, guide, refusal, stands, context, outcome } = settled
  const order = documentOf(settled)
  if (!order || stands) return []
  if (outcome !== 'applied' && !(refusal && TOLD_BESIDES.has(refusal.code))) return []
  const { outcome: read } = context.reading
  const nothing = read.kind === 'answer' && inbound.message?.type === 'remark'
  const reason = refusal?.code ?? (nothing ? (read.mapping.refusal?.code ?? 'rejected') : undefined)
  if (reason === undefined) return []
  const refusedLines = [...order.refusedLines, ...refusedByUs(inbound, refusal)]
  const sellerOrder = refusal?.facts['order']
  const answer = { reason, on, ...(typeof sellerOrder === 'string' ? { sellerOrder } : {}) }
  return [draft(settled, toRejection({ document: order.document, refusedLines }, guide, answer))]
}

/** The reason of each line, where the refusal names lines. */
function refusedByUs(
  inbound: ChannelInbound,
  refusal: Refusal | undefined,
): { line: string; code: string }[] {
  const errors = refusal?.facts['errors']
  if (!Array.isArray(errors) || inbound.message?.type !== 'order-placed') return []
  const { lines } = inbound.message.order
  return (errors as { pointer: string; code: string }[]).flatMap(({ pointer, code }) => {
    const line = lines[Number(/^\/lines\/(\d+)$/.exec(pointer)?.[1] ?? -1)]
    return line ? [{ line: line.line, code }] : []
  })
}

/** What was sent as a change of an order that was not here waits for a person; the partner learns that it waits. */
function hold(settled: Settled, on: string): Draft[] {
  const { inbound, guide, doc, known } = settled
  const order = documentOf(settled)
  const isOriginal = order?.document.purpose === 'original'
  if (!order || isOriginal || known || doc === undefined || inbound.message?.type !== 'order-placed')
    return []
  return [draft(settled, toHeld(order, guide, on))]
}
