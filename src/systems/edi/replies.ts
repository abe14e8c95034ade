/** The 855s that are owed as soon as a message is decided: repetitions, rejections, holds, and what stands unchanged. */
import type { ChannelDecision, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { buildOrderAcknowledgment, type OrderAcknowledgment } from './documents/855.ts'
import type { PurchaseOrderDocument } from './documents/purchase-order.ts'
import type { SetContext } from './inbound.ts'
import type { RefusedLine } from './map.ts'
import { toHeld, toRejection, toStanding } from './map-acknowledgment.ts'
import type { Draft } from './outbox.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { type KeptOrder, lastDocuments, purchaseOrders } from './store.ts'
import { wallClock } from './wall-clock.ts'

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

export type Replies = {
  readonly drafts: readonly Draft[]
  /** Answers that X12 or the partner's delimiters cannot carry. */
  readonly unwritten: readonly { readonly to: Settled; readonly refusal: Refusal }[]
}

/** Each answer by itself: one that cannot be written keeps no message from being decided. */
export async function repliesOf(
  tx: Transaction,
  settled: readonly Settled[],
  { now, check }: { readonly now: Date; readonly check: (draft: Draft) => void },
): Promise<Replies> {
  const wanting = settled.filter(({ guide }) => guide.sends.includes('855'))
  const [last, kept] = await Promise.all([lastAnswers(tx, wanting), keptOrders(tx, wanting)])
  const drafts: Draft[] = []
  const unwritten: Replies['unwritten'][number][] = []
  for (const to of wanting) {
    const on = wallClock(now, to.guide).date
    try {
      const owed = [...repetition(to, last), ...standing(to, kept, on), ...rejection(to, on), ...hold(to, on)]
      owed.forEach(check)
      drafts.push(...owed)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      unwritten.push({ to, refusal: error })
    }
  }
  return { drafts, unwritten }
}

/** Known by the message that it answers: a message that is decided again, by a person, is not answered again. */
const draft = ({ inbound, guide }: Settled, answer: OrderAcknowledgment): Draft => ({
  key: `855/${inbound.messageId}`,
  guide,
  type: '855',
  about: inbound.messageId,
  segments: buildOrderAcknowledgment(answer),
})

const isRepeated = ({ outcome, known, externalId }: Settled): boolean =>
  outcome === 'applied' && known === true && externalId !== undefined

async function lastAnswers(tx: Transaction, settled: readonly Settled[]) {
  const about = settled.filter(isRepeated).map(({ externalId }) => externalId!)
  return about.length === 0 ? new Map<string, Draft['segments']>() : lastDocuments(tx, about, '855')
}

/** Who sends an order or a cancellation again is told again what he was told last; what was never told comes by itself. */
function repetition(settled: Settled, last: ReadonlyMap<string, Draft['segments']>): Draft[] {
  const { inbound, externalId, guide } = settled
  const segments = isRepeated(settled) ? last.get(externalId!) : undefined
  return segments
    ? [{ key: `855/${inbound.messageId}`, guide, type: '855', about: externalId!, segments }]
    : []
}

async function keptOrders(tx: Transaction, settled: readonly Settled[]) {
  const ids = settled.flatMap(({ stands }) => stands?.externalId ?? [])
  return ids.length === 0 ? new Map<string, KeptOrder>() : purchaseOrders(tx, ids)
}

/** A cancellation that comes too late: the order as it stands, in the words in which it was ordered. */
function standing(settled: Settled, kept: ReadonlyMap<string, KeptOrder>, on: string): Draft[] {
  const { stands, guide, refusal } = settled
  const order = stands && (kept.get(stands.externalId ?? '') ?? documentOf(settled))
  if (!order) return []
  const reason = refusal?.code ?? 'orders.too_late_to_cancel'
  return [draft(settled, toStanding(order, guide, { acknowledgement: stands, reason, on }))]
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
