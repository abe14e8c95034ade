/** Checks a transaction set against the standard and answers in the terms of a 997: segment, element, code, bad value. */
import type { Delimiters } from '../x12-header.ts'
import type { Segment } from '../x12-segments.ts'
import type { Element } from './elements.ts'
import { ELEMENTS } from './elements.ts'
import type { ElementUse, SyntaxNote } from './segments.ts'
import { SEGMENTS } from './segments.ts'
import type { Loop, SegmentErrorCode, StructureNode } from './structure.ts'
import { matchStructure } from './structure.ts'

/** Code of X12 data element 723, as AK403 reports it. */
export type ElementErrorCode = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '10'

export type ElementError = {
  readonly element: number
  readonly component?: number
  /** Reference number in the dictionary of data elements. */
  readonly reference?: string
  readonly code: ElementErrorCode
  readonly value?: string
}

/** What one AK3 and its AK4s say. */
export type SegmentError = {
  readonly segmentId: string
  readonly position: number
  readonly loop?: string
  readonly code: SegmentErrorCode
  readonly elements: readonly ElementError[]
}

export type Validation = {
  readonly root: Loop
  readonly errors: readonly SegmentError[]
  /** There are more errors than are told. */
  readonly more: boolean
}

/** A set of nothing but errors must not fill the memory with descriptions of them. */
const MAX_ERRORS = 1_000

export const SEGMENT_ERRORS: Readonly<Record<SegmentErrorCode, string>> = {
  1: 'unrecognized segment',
  2: 'unexpected segment',
  3: 'mandatory segment missing',
  4: 'loop occurs too often',
  5: 'segment occurs too often',
  6: 'segment not in this transaction set',
  7: 'segment out of sequence',
  8: 'segment has data element errors',
}

export const ELEMENT_ERRORS: Readonly<Record<ElementErrorCode, string>> = {
  1: 'mandatory element missing',
  2: 'conditionally required element missing',
  3: 'too many elements',
  4: 'too short',
  5: 'too long',
  6: 'invalid character',
  7: 'invalid code',
  8: 'invalid date',
  9: 'invalid time',
  10: 'excluded by another element',
}

export function validateSet(
  nodes: readonly StructureNode[],
  segments: readonly Segment[],
  delimiters: Pick<Delimiters, 'component'>,
): Validation {
  const { root, errors } = matchStructure(nodes, segments)
  const found: SegmentError[] = errors.map((error) => ({ ...error, elements: [] }))
  for (const [index, segment] of segments.entries()) {
    if (found.length >= errors.length + MAX_ERRORS) break
    const elements = validateElements(segment, delimiters.component)
    if (elements.length > 0) found.push({ segmentId: segment.id, position: index + 1, code: '8', elements })
  }
  found.sort((a, b) => a.position - b.position)
  return { root, errors: found.slice(0, MAX_ERRORS), more: found.length >= MAX_ERRORS }
}

/** The faults of one segment; of one that has no definition nothing is known, so nothing is wrong. */
export function validateElements(segment: Segment, componentSeparator: string): ElementError[] {
  const definition = SEGMENTS.get(segment.id)
  if (!definition) return []
  const errors: ElementError[] = []
  for (
    let number = 1;
    number <= Math.max(definition.elements.length, segment.elements.length - 1);
    number++
  ) {
    const use = definition.elements[number - 1]
    const value = segment.elements[number] ?? ''
    if (!use) errors.push({ element: number, code: '3', ...copyOf(value) })
    else if (use.components) errors.push(...checkComposite(use, value, number, componentSeparator))
    else errors.push(...checkElement(use, value).map((error) => ({ element: number, ...error })))
  }
  for (const note of definition.notes) errors.push(...checkNote(note, segment, definition.elements))
  return errors.sort((a, b) => a.element - b.element)
}

type Fault = Omit<ElementError, 'element' | 'component'>

const copyOf = (value: string): { value?: string } => (value === '' ? {} : { value: value.slice(0, 99) })

function checkComposite(use: ElementUse, value: string, number: number, separator: string): ElementError[] {
  if (value === '') return use.mandatory ? [{ element: number, reference: use.number, code: '1' }] : []
  const parts = separator === '' ? [value] : value.split(separator)
  const uses = use.components ?? []
  if (parts.length > uses.length)
    return [{ element: number, reference: use.number, code: '3', ...copyOf(value) }]
  return uses.flatMap((component, index) =>
    checkElement(component, parts[index] ?? '').map((fault) => ({
      element: number,
      component: index + 1,
      ...fault,
    })),
  )
}

function checkElement(use: ElementUse, value: string): Fault[] {
  const reference = use.number
  if (value === '') return use.mandatory ? [{ reference, code: '1' }] : []
  const definition = ELEMENTS.get(reference)
  const code = definition && faultOf(definition, value)
  return code ? [{ reference, code, ...copyOf(value) }] : []
}

/** Signs and decimal points do not count towards the length of a number. */
const lengthOf = (type: Element['type'], value: string): number =>
  type === 'R' || type === 'N0' || type === 'N2' ? value.replace(/[-.]/g, '').length : value.length

const PATTERNS: Readonly<Record<Element['type'], RegExp>> = {
  AN: /^[^\u0000-\u001f\u007f]*$/,
  ID: /^[A-Za-z0-9 .&'()+,/:;?!"=%@_{}<>#$[\]|-]*$/,
  DT: /^\d*$/,
  TM: /^\d*$/,
  R: /^-?(?:\d+\.?\d*|\.\d+)$/,
  N0: /^-?\d+$/,
  N2: /^-?\d+$/,
}

export function faultOf(definition: Element, value: string): ElementErrorCode | undefined {
  if (!PATTERNS[definition.type].test(value)) {
    return definition.type === 'DT' ? '8' : definition.type === 'TM' ? '9' : '6'
  }
  const length = lengthOf(definition.type, value)
  if (length < definition.min) return '4'
  if (length > definition.max) return '5'
  if (definition.codes && !definition.codes.has(value)) return '7'
  if (definition.type === 'DT' && !isDate(value)) return '8'
  if (definition.type === 'TM' && !isTime(value)) return '9'
  return undefined
}

function isDate(value: string): boolean {
  const iso = `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6, 8)}`
  const time = Date.parse(`${iso}T00:00:00Z`)
  return value.length === 8 && !Number.isNaN(time) && new Date(time).toISOString().startsWith(iso)
}

const isTime = (value: string): boolean => /^([01]\d|2[0-3])[0-5]\d([0-5]\d\d{0,2})?$/.test(value)

function checkNote(
  { kind, elements }: SyntaxNote,
  segment: Segment,
  uses: readonly ElementUse[],
): ElementError[] {
  const isThere = (number: number): boolean => (segment.elements[number] ?? '') !== ''
  const there = elements.filter(isThere)
  const absent = elements.filter((number) => !isThere(number))
  const [condition = 0, ...others] = elements
  const report = (numbers: readonly number[], code: ElementErrorCode): ElementError[] =>
    numbers.map((number) => {
      const reference = uses[number - 1]?.number
      return { element: number, ...(reference ? { reference } : {}), code }
    })
  switch (kind) {
    case 'P':
      return there.length > 0 ? report(absent, '2') : []
    case 'R':
      return there.length === 0 ? report(elements.slice(0, 1), '2') : []
    case 'E':
      return there.length > 1 ? report(there.slice(1), '10') : []
    case 'C':
      return isThere(condition)
        ? report(
            others.filter((number) => !isThere(number)),
            '2',
          )
        : []
    case 'L':
      return isThere(condition) && !others.some(isThere) ? report(others.slice(0, 1), '2') : []
  }
}
