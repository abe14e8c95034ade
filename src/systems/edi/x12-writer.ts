/** Writes interchanges: the same input gives the same bytes, and what X12 cannot carry is refused, not repaired. */
import { Refusal } from '#platform/faults.ts'
import type { ElementError } from './documents/validate.ts'
import { ELEMENT_ERRORS, validateElements } from './documents/validate.ts'
import type { Party } from './x12-envelopes.ts'
import type { Delimiters } from './x12-header.ts'
import { HEADER_WIDTHS } from './x12-header.ts'

/** A segment by element number; an inner list is a composite, undefined or '' an empty element. */
export type SegmentData = readonly [string, ...(string | readonly string[] | undefined)[]]

export type OutboundSet = {
  readonly type: string
  readonly controlNumber: string
  /** Between ST and SE. */
  readonly segments: readonly SegmentData[]
}

export type OutboundGroup = {
  /** X12 479: PR for 855, SH for 856, IN for 810, FA for 997. */
  readonly functionalId: string
  readonly sender: string
  readonly receiver: string
  readonly controlNumber: number
  readonly version: string
  readonly sets: readonly OutboundSet[]
}

export type OutboundInterchange = {
  readonly sender: Party
  readonly receiver: Party
  /** ISO date and HHMM; the same for the interchange and its groups. */
  readonly date: string
  readonly time: string
  readonly controlNumber: number
  readonly usage: 'P' | 'T'
  readonly acknowledgmentRequested: boolean
  readonly groups: readonly OutboundGroup[]
}

export type OutboundDelimiters = Delimiters & { readonly lineBreak?: boolean }

export const DEFAULT_DELIMITERS: OutboundDelimiters = { element: '*', component: '>', terminator: '~' }

/** The text of one interchange. Refuses delimiters in data and elements that break the definition of their segment. */
export function writeInterchange(
  interchange: OutboundInterchange,
  delimiters: OutboundDelimiters = DEFAULT_DELIMITERS,
): string {
  const end =
    delimiters.lineBreak && delimiters.terminator !== '\n'
      ? `${delimiters.terminator}\n`
      : delimiters.terminator
  const segments = [header(interchange, delimiters)]
  for (const group of interchange.groups) segments.push(...writeGroup(interchange, group, delimiters))
  const number = controlNumber(interchange.controlNumber, 'ISA')
  segments.push(['IEA', String(interchange.groups.length), number].join(delimiters.element))
  return segments.map((segment) => segment + end).join('')
}

function header(interchange: OutboundInterchange, delimiters: Delimiters): string {
  const { sender, receiver } = interchange
  const values = [
    '00',
    '',
    '00',
    '',
    sender.qualifier,
    sender.id,
    receiver.qualifier,
    receiver.id,
    interchange.date.replaceAll('-', '').slice(2),
    interchange.time.slice(0, 4),
    'U',
    '00401',
    controlNumber(interchange.controlNumber, 'ISA'),
    interchange.acknowledgmentRequested ? '1' : '0',
    interchange.usage,
  ]
  const padded = values.map((value, index) => {
    const width = HEADER_WIDTHS[index] as number
    checkText(value, delimiters, { segment: 'ISA', element: index + 1 })
    if (value.length > width) refuseElement('ISA', { element: index + 1, code: '5', value })
    return value.padEnd(width, ' ')
  })
  return ['ISA', ...padded, delimiters.component].join(delimiters.element)
}

function writeGroup(
  interchange: OutboundInterchange,
  group: OutboundGroup,
  delimiters: Delimiters,
): string[] {
  const number = String(Number(controlNumber(group.controlNumber, 'GS')))
  const date = interchange.date.replaceAll('-', '')
  const lines = [
    writeSegment(
      [
        'GS',
        group.functionalId,
        group.sender,
        group.receiver,
        date,
        interchange.time,
        number,
        'X',
        group.version,
      ],
      delimiters,
    ),
  ]
  for (const set of group.sets) lines.push(...writeSet(set, delimiters))
  lines.push(writeSegment(['GE', String(group.sets.length), number], delimiters))
  return lines
}

function writeSet(set: OutboundSet, delimiters: Delimiters): string[] {
  if (!/^[A-Z0-9]{4,9}$/i.test(set.controlNumber)) refuseControlNumber(set.controlNumber, 'ST')
  const lines = [
    ['ST', set.type, set.controlNumber] as const,
    ...set.segments,
    ['SE', String(set.segments.length + 2), set.controlNumber] as const,
  ]
  return lines.map((segment) => writeSegment(segment, delimiters))
}

/** One segment without its terminator; empty elements at its end and spaces at the end of elements are left out. */
export function writeSegment(segment: SegmentData, delimiters: Delimiters): string {
  const [id, ...data] = segment
  if (!/^[A-Z][A-Z0-9]{1,2}$/.test(id)) refuseElement(id, { element: 0, code: '6', value: id })
  const elements = data.map((value, index) =>
    writeElement(value ?? '', delimiters, { segment: id, element: index + 1 }),
  )
  while (elements.at(-1) === '') elements.pop()
  const whole = [id, ...elements]
  const [fault] = validateElements({ id, elements: whole, at: { byte: 0, line: 1 } }, delimiters.component)
  if (fault) refuseElement(id, fault)
  return whole.join(delimiters.element)
}

type Place = { readonly segment: string; readonly element: number }

function writeElement(value: string | readonly string[], delimiters: Delimiters, place: Place): string {
  if (typeof value === 'string') return checkText(value.replace(/ +$/, ''), delimiters, place)
  const parts = value.map((part) => checkText(part.replace(/ +$/, ''), delimiters, place))
  while (parts.at(-1) === '') parts.pop()
  return parts.join(delimiters.component)
}

function checkText(text: string, delimiters: Delimiters, { segment, element }: Place): string {
  const pointer = `/${segment}/${element}`
  for (const delimiter of [delimiters.element, delimiters.component, delimiters.terminator]) {
    if (delimiter === '' || !text.includes(delimiter)) continue
    throw new Refusal(
      'edi.delimiter_in_data',
      `${segment}${String(element).padStart(2, '0')} holds the delimiter ${JSON.stringify(delimiter)}`,
      { segment, element, delimiter, value: text },
      pointer,
    )
  }
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new Refusal(
      'edi.character_not_allowed',
      `${segment}${String(element).padStart(2, '0')} holds a control character`,
      { segment, element, value: text },
      pointer,
    )
  }
  return text
}

function refuseElement(segment: string, fault: ElementError): never {
  const name = `${segment}${String(fault.element).padStart(2, '0')}`
  throw new Refusal(
    'edi.element_invalid',
    `${name}: ${ELEMENT_ERRORS[fault.code]}${fault.value === undefined ? '' : ` (${JSON.stringify(fault.value)})`}`,
    { segment, ...fault },
    `/${segment}/${fault.element}`,
  )
}

function controlNumber(number: number, segment: 'ISA' | 'GS'): string {
  if (!Number.isInteger(number) || number < 1 || number > 999_999_999)
    refuseControlNumber(String(number), segment)
  return String(number).padStart(9, '0')
}

function refuseControlNumber(value: string, segment: string): never {
  throw new Refusal('edi.control_number_invalid', `${value} is no control number of ${segment}`, {
    segment,
    value,
  })
}
