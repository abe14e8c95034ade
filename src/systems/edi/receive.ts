/** From a stream of bytes to what each transaction set means, and to our 997 for each group. Knows no database. */
import type { Acknowledgment, SetAcknowledgment } from './documents/997.ts'
import { acknowledgeable, groupStatus } from './documents/997.ts'
import type { Finding } from './findings.ts'
import type { Lookups, SetReading } from './interpret.ts'
import { interpretSet, versionAgreed } from './interpret.ts'
import type { PartnerGuide, PartnerGuides } from './partner-guide.ts'
import type { Group, GroupErrorCode, Interchange, TransactionSet, X12Event } from './x12-envelopes.ts'
import type { X12Limits } from './x12-limits.ts'
import type { Chunks } from './x12-reader.ts'
import { readX12 } from './x12-reader.ts'

export type ReceivedEvent =
  | { readonly kind: 'interchange'; readonly interchange: Interchange; readonly guide?: PartnerGuide }
  | {
      readonly kind: 'set'
      readonly interchange: Interchange
      readonly group: Group | undefined
      readonly set: TransactionSet
      readonly reading: SetReading
    }
  | {
      readonly kind: 'group-end'
      readonly interchange: Interchange
      readonly group: Group
      readonly sets: number
      readonly guide?: PartnerGuide
      /** The content of our 997, where the group can and shall be answered. */
      readonly acknowledgment?: Acknowledgment
    }
  | { readonly kind: 'interchange-end'; readonly interchange: Interchange; readonly groups: number }
  | { readonly kind: 'finding'; readonly finding: Finding }

export type Receiving = {
  readonly guides: PartnerGuides
  /** For the items of one set. */
  readonly lookups: (set: TransactionSet, guide: PartnerGuide | undefined) => Promise<Lookups>
  readonly limits?: X12Limits
}

export async function* receiveX12(chunks: Chunks, receiving: Receiving): AsyncGenerator<ReceivedEvent> {
  let answers: SetAcknowledgment[] = []
  let silent = false
  for await (const event of readX12(chunks, receiving.limits)) {
    if (event.kind === 'interchange') yield { ...event, ...guideOf(event.interchange, receiving) }
    else if (event.kind === 'group') {
      answers = []
      silent = false
    } else if (event.kind === 'set') {
      const { guide } = guideOf(event.interchange, receiving)
      const reading = interpretSet(event, receiving.guides, await receiving.lookups(event.set, guide))
      if (reading.acknowledgment) answers.push(reading.acknowledgment)
      else silent = true
      yield { ...event, reading }
    } else if (event.kind === 'group-end') yield groupEnd(event, silent ? [] : answers, receiving)
    else yield event
  }
}

function guideOf(interchange: Interchange, { guides }: Receiving): { guide?: PartnerGuide } {
  const guide = guides.bySender(interchange.sender.qualifier, interchange.sender.id)
  return guide ? { guide } : {}
}

/** Nothing is acknowledged to a sender whose documents we did not take: they went to quarantine, and to a person. */
function groupEnd(
  event: Extract<X12Event, { kind: 'group-end' }>,
  sets: readonly SetAcknowledgment[],
  receiving: Receiving,
): ReceivedEvent {
  const { interchange, group, counted, declared } = event
  const known = guideOf(interchange, receiving)
  const { guide } = known
  const end = { kind: 'group-end', interchange, group, sets: counted, ...known } as const
  if (!guide?.acknowledgment.ours || sets.length === 0 || !acknowledgeable(group)) return end
  const errors: GroupErrorCode[] = versionAgreed(group, guide) ? [...event.errors] : ['2', ...event.errors]
  const acknowledgment: Acknowledgment = {
    functionalId: group.functionalId,
    controlNumber: Number(group.controlNumber),
    status: groupStatus(errors, sets),
    errors,
    included: Math.min(declared ?? counted, 999_999),
    received: counted,
    accepted: sets.filter(({ status }) => status !== 'R').length,
    sets,
  }
  return { ...end, acknowledgment }
}
