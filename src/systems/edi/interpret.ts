/** What a received transaction set means for us: an order, an answer, a rejection, bookkeeping, or quarantine. */
import type { StockCounted } from '#capabilities/channel-messages.ts'
import type { SupplierMessage } from '#capabilities/supplier-messages.ts'
import type { Advice, Advised, UnitsOf } from './advice.ts'
import { INVENTORY_ADVICE } from './documents/846.ts'
import { ORDER_ACKNOWLEDGMENT } from './documents/855.ts'
import { SHIP_NOTICE } from './documents/856.ts'
import { RECEIPT_ADVICE } from './documents/944.ts'
import { SHIPPING_ADVICE } from './documents/945.ts'
import { ADJUSTMENT_ADVICE } from './documents/947.ts'
import type { SetAcknowledgment } from './documents/997.ts'
import { FUNCTIONAL_ACKNOWLEDGMENT, parseAcknowledgment, setStatus } from './documents/997.ts'
import type { Acknowledgment } from './documents/997.ts'
import { ELEMENTS } from './documents/elements.ts'
import { parsePurchaseOrder, PURCHASE_ORDER } from './documents/850.ts'
import type { PurchaseOrderDocument } from './documents/purchase-order.ts'
import type { Loop, StructureNode } from './documents/structure.ts'
import { element, first } from './documents/structure.ts'
import type { SegmentError } from './documents/validate.ts'
import { ELEMENT_ERRORS, SEGMENT_ERRORS, validateSet } from './documents/validate.ts'
import type { Finding } from './findings.ts'
import { finding } from './findings.ts'
import type { ItemCrosswalk, OrderMapping } from './map.ts'
import { toOrderRequest } from './map.ts'
import { toStockCounted } from './map-stock.ts'
import { toSupplyAnswered, toSupplyShipped } from './map-supplier.ts'
import { toAdjustments, toReceipts, toShipment, type WarehouseTold } from './map-warehouse.ts'
import type { PartnerGuide, PartnerGuides } from './partner-guide.ts'
import type { Group, Interchange, SetErrorCode, TransactionSet } from './x12-envelopes.ts'

export type QuarantineReason =
  | 'unknown_sender'
  | 'not_for_us'
  | 'usage_indicator'
  | 'outside_group'
  | 'order_too_large'
  | 'answer_not_agreed'
  | 'advice_unusable'
  | 'acknowledgment_unreadable'

type AdviceMessage = SupplierMessage | StockCounted

export type SetOutcome =
  | { readonly kind: 'order'; readonly document: PurchaseOrderDocument; readonly mapping: OrderMapping }
  /** Understood, but nothing can be ordered: an 855 that rejects every line. */
  | { readonly kind: 'answer'; readonly document: PurchaseOrderDocument; readonly mapping: OrderMapping }
  /** What a supplier tells of our purchase orders, or whoever keeps our goods of what is there: whole or not at all. */
  | { readonly kind: 'advice'; readonly message: AdviceMessage }
  /** What a warehouse tells of its stock and of our requests; each of it stands by itself. */
  | { readonly kind: 'warehouse'; readonly told: readonly WarehouseTold[] }
  /** Breaks the standard or the guide: our 997 says where. */
  | { readonly kind: 'rejection' }
  /** A 997 about documents of ours. */
  | { readonly kind: 'acknowledgment'; readonly acknowledgment: Acknowledgment }
  | { readonly kind: 'quarantine'; readonly reason: QuarantineReason; readonly owner: string }

export type SetReading = {
  readonly outcome: SetOutcome
  readonly findings: readonly Finding[]
  readonly guide?: PartnerGuide
  /** What our 997 says about this set; absent where we do not answer. */
  readonly acknowledgment?: SetAcknowledgment
}

/** So many findings of one kind are told for one set; nobody reads more. */
const MAX_FINDINGS = 100

/** Owner of what comes from nobody we know. */
export const UNKNOWN_SENDER_OWNER = 'edi'

const STRUCTURES: Readonly<Record<string, readonly StructureNode[]>> = {
  846: INVENTORY_ADVICE,
  850: PURCHASE_ORDER,
  855: ORDER_ACKNOWLEDGMENT,
  856: SHIP_NOTICE,
  944: RECEIPT_ADVICE,
  945: SHIPPING_ADVICE,
  947: ADJUSTMENT_ADVICE,
  997: FUNCTIONAL_ACKNOWLEDGMENT,
}

export type Received = {
  readonly interchange: Interchange
  readonly group: Group | undefined
  readonly set: TransactionSet
}

/** What is known of the items of a set. */
export type Lookups = { readonly crosswalk: ItemCrosswalk; readonly unitsOf: UnitsOf }

export function interpretSet(
  received: Received,
  guides: PartnerGuides,
  { crosswalk, unitsOf }: Lookups,
): SetReading {
  const { interchange, group, set } = received
  const { sender } = interchange
  const guide = guides.bySender(sender.qualifier, sender.id)
  const reason = whyNotOurs(received, guide)
  if (!guide || !group || reason) {
    const owner = guide?.owner ?? UNKNOWN_SENDER_OWNER
    return {
      outcome: { kind: 'quarantine', reason: reason ?? 'unknown_sender', owner },
      findings: set.findings,
    }
  }
  const nodes =
    guide.receives.includes(set.type) && versionAgreed(group, guide) ? STRUCTURES[set.type] : undefined
  if (!nodes) return rejected(set, guide, ['1'])
  const { root, errors, more } = validateSet(nodes, set.segments, interchange.delimiters)
  const faults = [...errors, ...guideFaults(root, set, guide)]
  const tolerated = faults.map((fault) => tolerates(guide, fault))
  const findings = [
    ...set.findings,
    ...faults
      .slice(0, MAX_FINDINGS)
      .flatMap((fault, index) => faultFindings(fault, set, tolerated[index] === true)),
  ]
  const acknowledgment: SetAcknowledgment = {
    type: set.type,
    controlNumber: set.controlNumber,
    status: setStatus(set.errors, {
      refused: tolerated.filter((is) => !is).length + (more ? 1 : 0),
      tolerated: tolerated.filter((is) => is).length,
    }),
    errors: set.errors,
    segments: faults,
  }
  if (set.type === '997') return readAcknowledgment(root, { received, guide, findings, acknowledgment })
  if (acknowledgment.status === 'R')
    return { outcome: { kind: 'rejection' }, findings, guide, acknowledgment }
  const advised = { guide, crosswalk, unitsOf, group, at: set.at }
  const meaning = meaningOf(set.type, root, { advised, syntax: findings })
  return { ...meaning, guide, acknowledgment }
}

type Meaning = Pick<SetReading, 'outcome' | 'findings'>
type Understanding = { readonly advised: Advised; readonly syntax: readonly Finding[] }

function meaningOf(type: string, root: Loop, { advised, syntax }: Understanding): Meaning {
  const { guide, crosswalk } = advised
  const whole = ADVICES[type]
  if (whole) return readAdvice(whole(root, advised), syntax, guide)
  const warehouse = WAREHOUSE[type]
  if (!warehouse) return readOrder(root, syntax, guide, crosswalk)
  const told = warehouse(root, advised)
  const wrong = told.flatMap((one) => ('finding' in one ? [one.finding] : []))
  return { outcome: { kind: 'warehouse', told }, findings: [...syntax, ...wrong.slice(0, MAX_FINDINGS)] }
}

const WAREHOUSE: Readonly<Record<string, (root: Loop, advised: Advised) => WarehouseTold[]>> = {
  944: toReceipts,
  945: toShipment,
  947: toAdjustments,
}

const ADVICES: Readonly<Record<string, (root: Loop, advised: Advised) => Advice<AdviceMessage>>> = {
  846: toStockCounted,
  855: toSupplyAnswered,
  856: toSupplyShipped,
}

/** With a line that cannot be used the whole document waits: half of it would say something else. */
function readAdvice(
  { message, findings }: Advice<AdviceMessage>,
  syntax: readonly Finding[],
  { owner }: PartnerGuide,
): Meaning {
  const told = [...syntax, ...findings.slice(0, MAX_FINDINGS)]
  if (message) return { outcome: { kind: 'advice', message }, findings: told }
  return { outcome: { kind: 'quarantine', reason: 'advice_unusable', owner }, findings: told }
}

export const versionAgreed = (group: Group, guide: PartnerGuide): boolean =>
  group.version.startsWith(guide.version)

function whyNotOurs(
  { interchange, group }: Received,
  guide: PartnerGuide | undefined,
): QuarantineReason | undefined {
  if (!guide || (group && group.sender !== guide.theirs.groupId)) return 'unknown_sender'
  const { receiver } = interchange
  if (receiver.qualifier !== guide.ours.qualifier || receiver.id !== guide.ours.id) return 'not_for_us'
  if (!group) return 'outside_group'
  if (group.receiver !== guide.ours.groupId) return 'not_for_us'
  return interchange.usage === guide.usage ? undefined : 'usage_indicator'
}

function rejected(set: TransactionSet, guide: PartnerGuide, errors: readonly SetErrorCode[]): SetReading {
  const acknowledgment: SetAcknowledgment = {
    type: set.type,
    controlNumber: set.controlNumber,
    status: 'R',
    errors: [...errors, ...set.errors],
    segments: [],
  }
  const why = finding('set.syntax', set.at, `(${set.type || 'the set'} is not agreed with ${guide.partner})`)
  const answer = set.type === '997' ? {} : { acknowledgment }
  return { outcome: { kind: 'rejection' }, findings: [...set.findings, why], guide, ...answer }
}

/** A 997 is read as far as it can be and never answered, not even when it is broken. */
function readAcknowledgment(
  root: Loop,
  context: {
    received: Received
    guide: PartnerGuide
    findings: Finding[]
    acknowledgment: SetAcknowledgment
  },
): SetReading {
  const { received, guide, findings, acknowledgment } = context
  if (acknowledgment.status === 'R') {
    const outcome = { kind: 'quarantine', reason: 'acknowledgment_unreadable', owner: guide.owner } as const
    return { outcome, findings, guide }
  }
  const read = parseAcknowledgment(root, received.interchange.delimiters.component)
  return { outcome: { kind: 'acknowledgment', acknowledgment: read }, findings, guide }
}

function readOrder(
  root: Loop,
  syntax: readonly Finding[],
  guide: PartnerGuide,
  crosswalk: ItemCrosswalk,
): Pick<SetReading, 'outcome' | 'findings'> {
  const { document, findings: surprises } = parsePurchaseOrder(root)
  const mapping = toOrderRequest(document, guide, crosswalk)
  // a cancellation is about a number; whether its lines could be ordered does not matter
  const isCancellation = document.purpose === 'cancellation'
  const refusal = mapping.refusal ? [mapping.refusal] : []
  const findings = [
    ...syntax,
    ...surprises.slice(0, MAX_FINDINGS),
    ...(isCancellation ? [] : [...mapping.findings.slice(0, MAX_FINDINGS), ...refusal]),
  ]
  const whole = { ...mapping, findings: [...surprises, ...mapping.findings] }
  if (mapping.request || isCancellation)
    return { outcome: { kind: 'order', document, mapping: whole }, findings }
  const tooLarge = mapping.refusal?.code === 'po.too_many_lines'
  if (tooLarge || !guide.sends.includes('855')) {
    const reason = tooLarge ? 'order_too_large' : 'answer_not_agreed'
    return { outcome: { kind: 'quarantine', reason, owner: guide.owner }, findings }
  }
  return { outcome: { kind: 'answer', document, mapping: whole }, findings }
}

/** What the dictionary allows and the guide does not: a purpose that is not agreed is an invalid code of BEG01. */
function guideFaults(root: Loop, set: TransactionSet, guide: PartnerGuide): SegmentError[] {
  const beg = first(root, 'BEG')
  const purpose = element(beg, 1)
  const isAgreed = (guide.purposes as readonly string[]).includes(purpose)
  if (set.type !== '850' || !beg || isAgreed || !ELEMENTS.get('353')?.codes?.has(purpose)) return []
  return [
    {
      segmentId: 'BEG',
      position: beg.at.segment ?? 2,
      code: '8',
      elements: [{ element: 1, reference: '353', code: '7', value: purpose }],
    },
  ]
}

/**
 * A segment out of sequence and a broken dependency between elements are always tolerated: nothing is lost by
 * them, and what matters of them the business rules see. The rest is the guide's to tolerate.
 */
function tolerates(guide: PartnerGuide, fault: SegmentError): boolean {
  if (fault.code === '7') return true
  const entries = guide.tolerated.filter(({ segment }) => segment === fault.segmentId)
  if (fault.elements.length === 0) {
    return entries.some((entry) => entry.element === undefined && (entry.code ?? fault.code) === fault.code)
  }
  return fault.elements.every(
    ({ element, code }) =>
      code === '2' ||
      code === '10' ||
      entries.some((entry) => (entry.element ?? element) === element && (entry.code ?? code) === code),
  )
}

function faultFindings(fault: SegmentError, set: TransactionSet, tolerated: boolean): Finding[] {
  const code = tolerated ? 'set.syntax_tolerated' : 'set.syntax'
  const place = set.segments[fault.position - 1]?.at ?? set.at
  const at = { ...place, segment: fault.position, segmentId: fault.segmentId.slice(0, 3) }
  if (fault.elements.length === 0) {
    return [finding(code, at, `${fault.segmentId.slice(0, 20)}: ${SEGMENT_ERRORS[fault.code]}.`)]
  }
  return fault.elements.map((error) => {
    const name = `${fault.segmentId}${String(error.element).padStart(2, '0')}`
    const value = error.value === undefined ? '' : ` (${JSON.stringify(error.value)})`
    const component = error.component === undefined ? {} : { component: error.component }
    return finding(
      code,
      { ...at, element: error.element, ...component },
      `${name}: ${ELEMENT_ERRORS[error.code]}${value}.`,
    )
  })
}
