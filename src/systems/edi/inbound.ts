/** A transaction set as a message of its partner: what it says in our words, or why nobody can act on it; pure. */
import { createHash } from 'node:crypto'
import type { ChannelInbound, ChannelMessage, OrderPlaced } from '#capabilities/channel-messages.ts'
import { Refusal } from '#platform/faults.ts'
import { acknowledgeable } from './documents/997.ts'
import { ORDER_PURPOSES, type OrderPurpose, type PurchaseOrderDocument } from './documents/purchase-order.ts'
import type { QuarantineReason, SetReading } from './interpret.ts'
import { customerOrderOf, type OrderMapping } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'
import type { ReceivedEvent } from './receive.ts'
import { storable } from './store.ts'

export type ReceivedSet = Extract<ReceivedEvent, { kind: 'set' }>

/** What the connector wants back when the message is decided. */
export type SetContext = { readonly reading: SetReading }

/**
 * `repeated` counts sets of the same number in the same group before this one. Of a set that breaks the standard nothing
 * was taken: it is known by its content as well, so that it may come again as it should be, under the same numbers.
 */
export function messageIdOf(received: ReceivedSet, repeated: number): string {
  const { interchange, group, set, reading } = received
  const { sender, controlNumber } = interchange
  const suffix = repeated === 0 ? '' : `.${repeated + 1}`
  const parts = [
    `${sender.qualifier}:${sender.id}`,
    controlNumber,
    group?.controlNumber ?? '-',
    set.controlNumber,
  ]
  const content = isBroken(reading) ? `/${digestOf(bodyOf(received))}` : ''
  return storable(parts.map((part) => part.slice(0, 40)).join('/') + suffix + content)
}

/** An acknowledgment is never acknowledged: what we cannot read of one is for a person. */
const isBroken = ({ outcome }: SetReading): boolean =>
  outcome.kind === 'rejection' ||
  (outcome.kind === 'quarantine' && outcome.reason === 'acknowledgment_unreadable')

const DIGEST_LENGTH = 12
const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, DIGEST_LENGTH)

export function toInbound(received: ReceivedSet, messageId: string): ChannelInbound {
  const { reading, set } = received
  const { guide } = reading
  const owner = reading.outcome.kind === 'quarantine' ? reading.outcome.owner : guide?.owner
  const named = {
    messageId,
    type: /^[A-Z0-9]{1,6}$/.test(set.type) ? set.type : 'unreadable',
    company: guide?.company,
    body: bodyOf(received),
    owner,
    context: { reading } satisfies SetContext,
  }
  const read = messageOf(received, messageId)
  return read instanceof Refusal ? { ...named, unreadable: read } : { ...named, message: read }
}

function messageOf(received: ReceivedSet, messageId: string): ChannelMessage | Refusal {
  const { outcome, guide, acknowledgment } = received.reading
  switch (outcome.kind) {
    case 'quarantine':
      return quarantined(received, outcome.reason)
    case 'rejection': {
      const { group, set } = received
      const told = guide?.acknowledgment.ours && acknowledgment && group && acknowledgeable(group)
      return told
        ? { type: 'remark', detail: { becomes: 'rejection', set: set.type } }
        : quarantined(received, 'rejection_not_told')
    }
    case 'acknowledgment': {
      const { functionalId, controlNumber, status } = outcome.acknowledgment
      return { type: 'remark', detail: { becomes: 'acknowledgment', functionalId, controlNumber, status } }
    }
    case 'advice':
      return outcome.message
    case 'warehouse':
      return { type: 'remark', detail: { becomes: 'warehouse', told: outcome.told.length } }
    case 'answer':
    case 'order':
      return orderMessage(guide!, outcome, messageId)
  }
}

type Reason = QuarantineReason | 'rejection_not_told'

const SAYS: Readonly<Record<Reason, string>> = {
  unknown_sender: 'no partner guide has this sender',
  not_for_us: 'the receiver is not ours',
  usage_indicator: 'a test document came to a production guide, or the reverse',
  outside_group: 'the transaction set stands outside of any functional group',
  order_too_large: 'the order has more lines than one order can hold',
  advice_unusable: 'a line or its place among our documents cannot be made out',
  answer_not_agreed: 'nothing of the order can be ordered, and no 855 is agreed to say so',
  acknowledgment_unreadable: 'the 997 breaks the standard',
  rejection_not_told: 'the set is rejected, and no 997 can say so',
}

const FINDINGS_TOLD = 5

function quarantined({ interchange, set, reading }: ReceivedSet, reason: Reason): Refusal {
  const { qualifier, id } = interchange.sender
  const found = reading.findings.filter(({ code }) => code.startsWith('advice.'))
  return new Refusal(
    'edi.quarantined',
    `${qualifier} ${storable(id)}, ${storable(set.type).slice(0, 6)}: ${SAYS[reason]}`,
    {
      reason,
      about: storable(`${qualifier} ${id} ${reason}`),
      ...(found.length > 0 && {
        findings: found
          .slice(0, FINDINGS_TOLD)
          .map(({ message, at }) => storable(`line ${at.line}: ${message}`)),
      }),
    },
  )
}

type Understood = {
  readonly kind: 'order' | 'answer'
  readonly document: PurchaseOrderDocument
  readonly mapping: OrderMapping
}

function orderMessage(
  guide: PartnerGuide,
  { document, mapping }: Understood,
  externalId: string,
): ChannelMessage {
  const { company, partner: sender } = guide
  const period = periodOf(document, guide)
  if (document.purpose === 'cancellation') {
    const customerOrder = customerOrderOf(document)
    return { type: 'purchase-order-withdrawn', company, sender, customerOrder, period }
  }
  const { request: order } = mapping
  if (!order) return { type: 'remark', detail: { becomes: 'answer', reason: mapping.refusal?.code } }
  const priceTolerancePpm = Math.round(guide.tolerances.pricePercent * PPM_OF_PERCENT)
  const placed: OrderPlaced = {
    type: 'order-placed',
    company,
    sender,
    externalId,
    order,
    period,
    priceTolerancePpm,
  }
  const mismatch = mismatchOf(document.purpose, mapping)
  return mismatch === undefined ? placed : { ...placed, mismatch }
}

const PPM_OF_PERCENT = 10_000

/** The start of the order's date that tells recurring numbers apart. */
function periodOf({ date }: PurchaseOrderDocument, { naturalKey }: PartnerGuide): string {
  if (naturalKey === 'number') return ''
  return naturalKey === 'number-and-year' ? date.slice(0, 4) : date
}

const MISMATCH_MAX = 400

/** What a person must look at before the order is worked on. Only an original begins an order without a question. */
function mismatchOf(purpose: OrderPurpose, { findings }: OrderMapping): string | undefined {
  const code = Object.entries(ORDER_PURPOSES).find(([, name]) => name === purpose)?.[0]
  const questions = findings
    .filter((found) => found.severity === 'warning' && found.code.startsWith('po.'))
    .map((found) => found.message)
  if (purpose !== 'original') questions.unshift(`Sent as ${purpose} (${code}) of an order that was not here.`)
  return questions.length === 0 ? undefined : storable(questions.join(' ')).slice(0, MISMATCH_MAX)
}

/** The set in an interchange of its own, with the sender's delimiters: from it the message can be read again. */
export function bodyOf({ interchange, group, set }: Omit<ReceivedSet, 'kind' | 'reading'>): string {
  const { element, component, terminator } = interchange.delimiters
  const { sender, receiver } = interchange
  const { date, time, version, controlNumber, usage } = interchange
  const from = [sender.qualifier, sender.id]
  const to = [receiver.qualifier, receiver.id]
  const header = [
    'ISA',
    '00',
    '',
    '00',
    '',
    ...from,
    ...to,
    date,
    time,
    'U',
    version,
    controlNumber,
    '0',
    usage,
    component,
  ]
  const inside = set.segments.map(({ elements }) => elements)
  const segments = [
    header,
    ...(group ? grouped(group, inside) : inside),
    ['IEA', group ? '1' : '0', controlNumber],
  ]
  return storable(segments.map((elements) => elements.join(element) + terminator).join(''))
}

function grouped(
  group: NonNullable<ReceivedSet['group']>,
  inside: readonly (readonly string[])[],
): (readonly string[])[] {
  const { functionalId, sender, receiver, date, time, controlNumber, agency, version } = group
  const gs = ['GS', functionalId, sender, receiver, date, time, controlNumber, agency, version]
  return [gs, ...inside, ['GE', '1', controlNumber]]
}
