/** What EDI writes in the transaction that decides its messages: orders kept, answers owed, acknowledgments booked. */
import type { ChannelDoor, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Clock } from '#platform/clock.ts'
import type { Transaction } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import type { Acknowledgment } from './documents/997.ts'
import type { SetContext } from './inbound.ts'
import type { Outbox } from './outbox.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { documentOf, isToldInstead, type Replies, repliesOf, type Settled } from './replies.ts'
import {
  fallenOverdue,
  keepPurchaseOrders,
  partnersInArrears,
  recordAcknowledged,
  type SentDocument,
} from './store.ts'

export type BookPorts = {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly openExceptions: OpenExceptions
}

const contextOf = (inbound: ChannelInbound): SetContext => inbound.context as SetContext

export function ediBooks(ports: BookPorts): Required<Pick<ChannelDoor, 'answers' | 'decided'>> {
  return {
    answers: (inbound, refusal) => isToldInstead(contextOf(inbound).reading.guide, refusal),
    async decided(tx, decisions) {
      const settled = decisions.flatMap((decision): Settled[] => {
        const context = contextOf(decision.inbound)
        const { guide } = context.reading
        return guide ? [{ ...decision, context, guide }] : []
      })
      const applied = settled.filter(({ outcome }) => outcome === 'applied')
      keepOrders(tx, applied)
      const { clock, outbox } = ports
      const { drafts, unwritten } = await repliesOf(tx, settled, { now: clock.now(), check: outbox.check })
      await ports.outbox.post(tx, drafts)
      if (unwritten.length > 0) await ports.openExceptions(tx, unwritten.map(unwrittenAnswer))
      await bookAcknowledgments(tx, ports, applied)
    },
  }
}

/** What our answers will repeat, under the message by which the order is known. */
function keepOrders(tx: Transaction, settled: readonly Settled[]): void {
  keepPurchaseOrders(
    tx,
    settled.flatMap((one) => {
      const { inbound, guide, doc, known } = one
      const order = documentOf(one)
      if (!order || doc === undefined || known || inbound.message?.type !== 'order-placed') return []
      return [{ messageId: inbound.messageId, partner: guide.partner, ...order }]
    }),
  )
}

function unwrittenAnswer({ to, refusal }: Replies['unwritten'][number]): Occurrence {
  const { inbound, guide } = to
  return {
    company: guide.company,
    cause: `edi.answer_unwritten:${inbound.messageId}`,
    code: 'edi.answer_unwritten',
    title: `Our 855 for ${guide.name} cannot be written: ${refusal.message}`,
    suggestedAction:
      'Tell the partner by other means what became of its document, and correct its guide or have it correct what it sends.',
    facts: { ...refusal.facts, messageId: inbound.messageId },
    owner: guide.owner,
  }
}

// Their acknowledgments of our documents ----------------------------------------------------------------------------------

async function bookAcknowledgments(
  tx: Transaction,
  ports: BookPorts,
  settled: readonly Settled[],
): Promise<void> {
  const told = settled.flatMap(({ guide, context: { reading } }) =>
    reading.outcome.kind === 'acknowledgment'
      ? [{ guide, acknowledgment: reading.outcome.acknowledgment }]
      : [],
  )
  if (told.length === 0) return
  const rows = new Map(
    told.map(({ guide, acknowledgment }) => {
      const row = {
        partner: guide.partner,
        controlNumber: acknowledgment.controlNumber,
        status: statusOf(acknowledgment),
      }
      return [`${guide.partner} ${acknowledgment.controlNumber}`, row] as const
    }),
  )
  const meant = await recordAcknowledged(tx, [...rows.values()])
  const documents = new Map(
    meant.map((document) => [`${document.partner} ${document.controlNumber}`, document]),
  )
  const wrong: Occurrence[] = []
  const right: Cause[] = []
  for (const { guide, acknowledgment } of told) {
    const document = documents.get(`${guide.partner} ${acknowledgment.controlNumber}`)
    if (!document) {
      wrong.push(unmatched(guide, acknowledgment))
      continue
    }
    right.push(unmatchedCause(guide))
    if (statusOf(acknowledgment) === 'accepted') right.push(rejectedCause(document))
    else wrong.push(rejected(guide, document, acknowledgment))
  }
  // what is wrong in one place and right in another of the same list stays with people
  await closeExceptions(tx, right, 'the partner acknowledged a later one')
  if (wrong.length > 0) await ports.openExceptions(tx, wrong)
  await closeArrears(tx, meant)
}

const statusOf = ({ status }: Acknowledgment): 'accepted' | 'rejected' =>
  status === 'A' || status === 'E' ? 'accepted' : 'rejected'

const unmatchedCause = ({ company, partner }: PartnerGuide): Cause => ({
  company,
  cause: `edi.acknowledgment_unmatched:${partner}`,
})

const rejectedCause = ({ company, partner, type }: SentDocument): Cause => ({
  company,
  cause: `edi.document_rejected:${partner}:${type}`,
})

function unmatched(guide: PartnerGuide, { functionalId, controlNumber }: Acknowledgment): Occurrence {
  return {
    ...unmatchedCause(guide),
    code: 'edi.acknowledgment_unmatched',
    title: `${guide.name} acknowledges a document that we did not send`,
    suggestedAction:
      'Compare the control number with the documents we sent; the partner may have mixed up senders.',
    facts: { functionalId, controlNumber },
    owner: guide.owner,
  }
}

function rejected(guide: PartnerGuide, document: SentDocument, { sets }: Acknowledgment): Occurrence {
  const faults = sets.flatMap(({ errors, segments }) => [
    ...errors.map((error) => `AK5 ${error}`),
    ...segments.map(({ segmentId, position, elements }) => {
      const places = elements.map(({ element, code }) => `element ${element} code ${code}`)
      return [`${segmentId} at ${position}`, ...places].join(', ')
    }),
  ])
  return {
    ...rejectedCause(document),
    code: 'edi.document_rejected',
    title: `${guide.name} rejects our ${document.type}`,
    suggestedAction:
      "Correct the partner's guide or the data at the places named, then send the document again.",
    facts: { fileName: document.fileName, faults: faults.slice(0, 20) },
    severity: 'high',
    owner: guide.owner,
  }
}

const missingCause = ({ company, partner }: Pick<SentDocument, 'company' | 'partner'>) => ({
  company,
  cause: `edi.acknowledgment_missing:${partner}`,
})

/** The exception goes when the partner owes us nothing that is due. */
async function closeArrears(tx: Transaction, acknowledged: readonly SentDocument[]): Promise<void> {
  const partners = [...new Set(acknowledged.map(({ partner }) => partner))]
  if (partners.length === 0) return
  const arrears = await partnersInArrears(tx, partners)
  const clear = acknowledged.filter(({ partner }) => !arrears.has(partner))
  await closeExceptions(tx, clear.map(missingCause), 'the 997 came')
}

/** Opens one exception for each partner whose 997 is later than its guide allows. */
export async function reportOverdue(
  tx: Transaction,
  { clock, openExceptions }: Pick<BookPorts, 'clock' | 'openExceptions'>,
  guides: readonly PartnerGuide[],
): Promise<void> {
  const overdue = await fallenOverdue(tx, clock.now())
  if (overdue.length === 0) return
  const byName = new Map(guides.map((guide) => [guide.partner, guide]))
  await openExceptions(
    tx,
    overdue.map((document) => {
      const guide = byName.get(document.partner)
      return {
        ...missingCause(document),
        code: 'edi.acknowledgment_missing',
        title: `${guide?.name ?? document.partner} has not acknowledged our documents in time`,
        suggestedAction:
          'Ask the partner whether the documents arrived; leave them in its folder again if they did not.',
        facts: { fileName: document.fileName, type: document.type },
        owner: guide?.owner,
      }
    }),
  )
}
