/** Says what would happen to a file, without doing any of it: for `crossdock edi check`. */
import type { GroupStatus } from './documents/997.ts'
import type { OrderPurpose } from './documents/purchase-order.ts'
import type { Finding } from './findings.ts'
import { finding } from './findings.ts'
import type { QuarantineReason, SetReading } from './interpret.ts'
import { customerOrderOf, type ItemCrosswalk } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { indexGuides } from './partner-guide.ts'
import type { ReceivedEvent } from './receive.ts'
import { receiveX12 } from './receive.ts'
import type { Chunks } from './x12-reader.ts'

export type SetVerdict =
  | {
      readonly becomes: 'order'
      readonly purpose: OrderPurpose
      readonly customerOrder: string
      readonly naturalKey: string
      readonly lines: number
      readonly refusedLines: number
      /** Warnings among the findings: the order is taken and held until a person has looked. */
      readonly held: boolean
    }
  | { readonly becomes: 'cancellation'; readonly customerOrder: string; readonly naturalKey: string }
  | { readonly becomes: 'answer'; readonly customerOrder: string; readonly reason: string }
  | {
      readonly becomes: 'advice'
      /** `answer` to a purchase order, `notice` of what is under way, `count` of what is there at a location. */
      readonly is: 'answer' | 'notice' | 'count'
      readonly number: string
      readonly lines: number
      /** Lines of a count that are not taken; the others are. */
      readonly unread?: number
    }
  | {
      readonly becomes: 'warehouse'
      /** Movements and shipments that it tells, and those of them that cannot be read. */
      readonly told: number
      readonly unreadable: number
    }
  | { readonly becomes: 'rejection'; readonly places: readonly string[] }
  | { readonly becomes: 'acknowledgment'; readonly group: number; readonly status: GroupStatus }
  | { readonly becomes: 'quarantine'; readonly reason: QuarantineReason; readonly owner: string }

export type SetCheck = {
  readonly type: string
  readonly controlNumber: string
  readonly segments: number
  readonly verdict: SetVerdict
  /** A, E or R of our 997; absent where we send none. */
  readonly acknowledged?: string
  readonly findings: readonly Finding[]
}
export type GroupCheck = {
  readonly functionalId: string
  readonly controlNumber: string
  readonly version: string
  readonly acknowledged?: GroupStatus
  readonly sets: readonly SetCheck[]
}
export type InterchangeCheck = {
  readonly sender: string
  readonly receiver: string
  readonly controlNumber: string
  readonly usage: string
  readonly partner?: string
  readonly groups: readonly GroupCheck[]
  /** Sets that stand outside of any group. */
  readonly strays: readonly SetCheck[]
}
export type FileCheck = {
  readonly interchanges: readonly InterchangeCheck[]
  /** About the file and its envelopes; those about a set stand at the set. */
  readonly findings: readonly Finding[]
  readonly counts: Readonly<Record<SetVerdict['becomes'], number>>
  /** No finding is an error, and every set is taken. */
  readonly clean: boolean
}

/** A hostile file must not fill the memory with findings about itself. */
const MAX_FINDINGS = 1_000

/** Without a crosswalk only ids that are SKUs themselves lead to items; another id is taken as if it were one. */
const trusting: ItemCrosswalk = (_identity, value) => value

type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] }

export async function checkFile(
  chunks: Chunks,
  guides: readonly PartnerGuide[],
  crosswalk: ItemCrosswalk = trusting,
): Promise<FileCheck> {
  const report = new FileReport()
  const lookups = () => Promise.resolve({ crosswalk, unitsOf: () => undefined })
  const receiving = { guides: indexGuides(guides), lookups }
  for await (const event of receiveX12(chunks, receiving)) report.add(event)
  return report.finish()
}

class FileReport {
  #interchanges: Draft<InterchangeCheck>[] = []
  #findings: Finding[] = []
  #sets: SetCheck[] = []
  #counts = {
    order: 0,
    cancellation: 0,
    answer: 0,
    advice: 0,
    warehouse: 0,
    rejection: 0,
    acknowledgment: 0,
    quarantine: 0,
  }
  #errors = 0

  add(event: ReceivedEvent): void {
    const current = this.#interchanges.at(-1)
    switch (event.kind) {
      case 'finding':
        return this.#keep(event.finding)
      case 'interchange': {
        const { sender, receiver, controlNumber, usage } = event.interchange
        this.#interchanges.push({
          sender: `${sender.qualifier}:${sender.id}`,
          receiver: `${receiver.qualifier}:${receiver.id}`,
          controlNumber,
          usage,
          ...(event.guide ? { partner: event.guide.partner } : {}),
          groups: [],
          strays: [],
        })
        return
      }
      case 'set': {
        const check = checkOf(event)
        this.#counts[check.verdict.becomes]++
        this.#errors += check.findings.filter(({ severity }) => severity === 'error').length
        if (event.group) this.#sets.push(check)
        else current?.strays.push(check)
        return
      }
      case 'group-end': {
        const { functionalId, controlNumber, version } = event.group
        const acknowledged = event.acknowledgment && { acknowledged: event.acknowledgment.status }
        current?.groups.push({ functionalId, controlNumber, version, ...acknowledged, sets: this.#sets })
        this.#sets = []
        return
      }
      case 'interchange-end':
        return
    }
  }

  #keep(what: Finding): void {
    if (what.severity === 'error') this.#errors++
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(what)
    else if (this.#findings.length === MAX_FINDINGS) this.#findings.push(finding('limit.findings', what.at))
  }

  finish(): FileCheck {
    const refused = this.#counts.rejection + this.#counts.quarantine + this.#counts.answer
    return {
      interchanges: this.#interchanges,
      findings: this.#findings,
      counts: this.#counts,
      clean: this.#errors === 0 && refused === 0,
    }
  }
}

function checkOf({ set, reading }: Extract<ReceivedEvent, { kind: 'set' }>): SetCheck {
  return {
    type: set.type,
    controlNumber: set.controlNumber,
    segments: set.segments.length,
    verdict: verdictOf(reading),
    ...(reading.acknowledgment ? { acknowledged: reading.acknowledgment.status } : {}),
    findings: reading.findings,
  }
}

function verdictOf({ outcome, acknowledgment, findings }: SetReading): SetVerdict {
  switch (outcome.kind) {
    case 'order': {
      const { document, mapping } = outcome
      const { naturalKey } = mapping
      if (document.purpose === 'cancellation')
        return { becomes: 'cancellation', customerOrder: customerOrderOf(document), naturalKey }
      return {
        becomes: 'order',
        purpose: document.purpose,
        customerOrder: mapping.request?.customerOrder ?? document.number,
        naturalKey,
        lines: mapping.request?.lines.length ?? 0,
        refusedLines: mapping.refusedLines.length,
        held: mapping.findings.some(({ severity }) => severity === 'warning'),
      }
    }
    case 'answer':
      return {
        becomes: 'answer',
        customerOrder: outcome.document.number,
        reason: outcome.mapping.refusal?.message ?? '',
      }
    case 'advice':
      return adviceOf(outcome.message)
    case 'warehouse': {
      const { told } = outcome
      const unreadable = told.filter((one) => 'finding' in one).length
      return { becomes: 'warehouse', told: told.length, unreadable }
    }
    case 'rejection':
      return {
        becomes: 'rejection',
        places: acknowledgment?.segments.flatMap(placesOf) ?? findings.map(({ message }) => message),
      }
    case 'acknowledgment': {
      const { controlNumber, status } = outcome.acknowledgment
      return { becomes: 'acknowledgment', group: controlNumber, status }
    }
    case 'quarantine':
      return { becomes: 'quarantine', reason: outcome.reason, owner: outcome.owner }
  }
}

function adviceOf(message: Extract<SetReading['outcome'], { kind: 'advice' }>['message']): SetVerdict {
  switch (message.type) {
    case 'supply-answered':
      return advice('answer', message.purchaseOrder, message.lines)
    case 'supply-shipped':
      return advice('notice', message.notice, message.lines)
    case 'stock-counted':
      return {
        ...advice('count', message.snapshot.location, message.snapshot.lines),
        ...(message.unread.length > 0 && { unread: message.unread.length }),
      }
  }
}

const advice = (
  is: 'answer' | 'notice' | 'count',
  number: string,
  lines: readonly unknown[],
): SetVerdict => ({
  becomes: 'advice',
  is,
  number,
  lines: lines.length,
})

/** "N4 at 24, element 2": the segment and element as a person looks for them. */
function placesOf(fault: {
  segmentId: string
  position: number
  elements: readonly { element: number }[]
}): string[] {
  const place = `${fault.segmentId.slice(0, 3)} at ${fault.position}`
  return fault.elements.length === 0
    ? [place]
    : fault.elements.map(({ element }) => `${place}, element ${element}`)
}
