/** The functional acknowledgment (997): what we say about a group that we received, and what partners say about ours. */
import { Refusal } from '#platform/faults.ts'
import type { GroupErrorCode, SetErrorCode } from '../x12-envelopes.ts'
import type { SegmentData } from '../x12-writer.ts'
import type { Loop, SegmentErrorCode } from './structure.ts'
import { element, first, loopsOf, structure } from './structure.ts'
import type { ElementError, ElementErrorCode, SegmentError } from './validate.ts'

export const FUNCTIONAL_ACKNOWLEDGMENT = structure(`
  ST M 1; AK1 M 1
  AK2 O 999999 (
    AK3 O 999999 (; AK4 O 99; )
    AK5 M 1
  )
  AK9 M 1; SE O 1
`)

/** A accepted, E accepted with errors noted, P partially accepted (groups only), R rejected. */
export type SetStatus = 'A' | 'E' | 'R'
export type GroupStatus = SetStatus | 'P'

export type SetAcknowledgment = {
  readonly type: string
  readonly controlNumber: string
  readonly status: SetStatus
  readonly errors: readonly SetErrorCode[]
  readonly segments: readonly SegmentError[]
}

export type Acknowledgment = {
  readonly functionalId: string
  readonly controlNumber: number
  readonly status: GroupStatus
  readonly errors: readonly GroupErrorCode[]
  /** As GE01 declares, as we counted, as we accepted. */
  readonly included: number
  readonly received: number
  readonly accepted: number
  readonly sets: readonly SetAcknowledgment[]
}

/** More than this is no help to anybody; the standard lets a receiver stop reporting. */
const MAX_SEGMENTS_REPORTED = 100

/** Errors that a set is accepted with; any other rejects it. */
const TOLERATED: ReadonlySet<SetErrorCode> = new Set(['23'])

/** What becomes of a set: rejected by any fault of the standard that the guide does not tolerate. */
export function setStatus(
  errors: readonly SetErrorCode[],
  faults: { readonly refused: number; readonly tolerated: number },
): SetStatus {
  if (faults.refused > 0 || errors.some((error) => !TOLERATED.has(error))) return 'R'
  return errors.length + faults.tolerated > 0 ? 'E' : 'A'
}

/** What becomes of a group, given its own faults and its sets. */
export function groupStatus(
  errors: readonly GroupErrorCode[],
  sets: readonly SetAcknowledgment[],
): GroupStatus {
  const rejected = sets.filter(({ status }) => status === 'R').length
  if (errors.includes('1') || errors.includes('2') || (sets.length > 0 && rejected === sets.length))
    return 'R'
  if (rejected > 0) return 'P'
  return errors.length > 0 || sets.some(({ status }) => status === 'E') ? 'E' : 'A'
}

/** The segments between ST and SE. Refuses to acknowledge acknowledgments: that would never end. */
export function buildAcknowledgment(ack: Acknowledgment): SegmentData[] {
  if (ack.functionalId === 'FA') {
    throw new Refusal('edi.acknowledgment_of_acknowledgment', 'a 997 is never acknowledged', {
      controlNumber: ack.controlNumber,
    })
  }
  const segments: SegmentData[] = [['AK1', ack.functionalId, String(ack.controlNumber)]]
  for (const set of ack.sets.filter(nameable)) {
    segments.push(['AK2', set.type, set.controlNumber])
    for (const fault of set.segments.slice(0, MAX_SEGMENTS_REPORTED)) segments.push(...writeFault(fault))
    const errors = set.segments.length > 0 ? [...new Set<SetErrorCode>(['5', ...set.errors])] : set.errors
    segments.push(['AK5', set.status, ...errors.slice(0, 5)])
  }
  const counts = [ack.included, ack.received, ack.accepted].map(String)
  segments.push(['AK9', ack.status, ...counts, ...ack.errors.slice(0, 5)])
  return segments
}

/** A set whose identifier or number is malformed cannot be named in an AK2; the counts of AK9 still tell of it. */
const nameable = ({ type, controlNumber }: SetAcknowledgment): boolean =>
  /^[A-Z0-9]{3}$/.test(type) && /^[A-Z0-9]{4,9}$/.test(controlNumber)

/** Whether a group can be answered at all: it is no acknowledgment itself, and can be named in an AK1. */
export const acknowledgeable = (group: { functionalId: string; controlNumber: string }): boolean =>
  group.functionalId !== 'FA' &&
  /^[A-Z]{2}$/.test(group.functionalId) &&
  /^\d{1,9}$/.test(group.controlNumber)

function writeFault(fault: SegmentError): SegmentData[] {
  const id = /^[A-Z0-9]{2,3}$/.test(fault.segmentId) ? fault.segmentId : 'ZZZ'
  return [
    ['AK3', id, String(fault.position), fault.loop, fault.code],
    ...fault.elements.slice(0, 99).map(writeElementFault),
  ]
}

function writeElementFault({
  element: number,
  component,
  reference,
  code,
  value,
}: ElementError): SegmentData {
  const position = component ? [String(number), String(component)] : [String(number)]
  const known = reference && /^\d{1,4}$/.test(reference) ? reference : undefined
  return ['AK4', position, known, code, value && copyable(value)]
}

/** A copy of the bad value only where it is plain text: it comes from a file with other delimiters than ours. */
const copyable = (value: string): string | undefined =>
  /^[A-Za-z0-9 .,/-]{1,99}$/.test(value) ? value : undefined

export function parseAcknowledgment(root: Loop, componentSeparator: string): Acknowledgment {
  const ak1 = first(root, 'AK1')
  const ak9 = first(root, 'AK9')
  return {
    functionalId: element(ak1, 1),
    controlNumber: Number(element(ak1, 2)),
    status: acceptance(element(ak9, 1)) as GroupStatus,
    errors: codes<GroupErrorCode>(ak9?.elements.slice(5)),
    included: Number(element(ak9, 2)),
    received: Number(element(ak9, 3)),
    accepted: Number(element(ak9, 4)),
    sets: loopsOf(root, 'AK2').map((loop) => parseSet(loop, componentSeparator)),
  }
}

/** M, W and X are rejections for reasons of authentication and decryption. */
const acceptance = (code: string): string => (['A', 'E', 'P'].includes(code) ? code : 'R')
const codes = <Code extends string>(elements: readonly string[] | undefined): Code[] =>
  (elements ?? []).filter((code) => code !== '') as Code[]

function parseSet(loop: Loop, componentSeparator: string): SetAcknowledgment {
  const ak2 = first(loop, 'AK2')
  const ak5 = first(loop, 'AK5')
  return {
    type: element(ak2, 1),
    controlNumber: element(ak2, 2),
    status: acceptance(element(ak5, 1)) as SetStatus,
    errors: codes<SetErrorCode>(ak5?.elements.slice(2)),
    segments: loopsOf(loop, 'AK3').map((ak3) => parseFault(ak3, componentSeparator)),
  }
}

function parseFault(loop: Loop, componentSeparator: string): SegmentError {
  const [ak3, ...ak4s] = loop.segments
  return {
    segmentId: element(ak3, 1),
    position: Number(element(ak3, 2)),
    ...(element(ak3, 3) ? { loop: element(ak3, 3) } : {}),
    code: element(ak3, 4) as SegmentErrorCode,
    elements: ak4s.map((ak4) => {
      const position = element(ak4, 1)
      const [number = '', component] = componentSeparator ? position.split(componentSeparator) : [position]
      return {
        element: Number(number),
        ...(component ? { component: Number(component) } : {}),
        ...(element(ak4, 2) ? { reference: element(ak4, 2) } : {}),
        code: element(ak4, 3) as ElementErrorCode,
        ...(element(ak4, 4) ? { value: element(ak4, 4) } : {}),
      }
    }),
  }
}
