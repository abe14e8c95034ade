/** Finds the delimiters of an interchange by counting the 16 elements of its header, padded or not. */
import type { FindingCode } from './findings.ts'
import { decodeByteText } from './x12-text.ts'

export type Delimiters = {
  readonly element: string
  /** Empty when the header names none. */
  readonly component: string
  /** A line feed also stands for CR and CR LF. */
  readonly terminator: string
}

export type HeaderReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'header'
      /** By element number: elements[6] is the sender; elements[0] is the identifier. */
      readonly elements: readonly string[]
      readonly delimiters: Delimiters
      readonly length: number
      readonly notes: readonly (readonly [FindingCode, string?])[]
    }

/** Fixed widths of ISA01 to ISA16. */
export const HEADER_WIDTHS = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1] as const

/** 106 characters when well formed; the rest is room for wrapped lines and multi-byte padding. */
const HEADER_LIMIT = 1024
/** How far behind the header we look to tell a terminator from the end of a line. */
const LOOKAHEAD = 512

const malformed = (reason: string): HeaderReading => ({ kind: 'malformed', reason })
const isLineBreak = (char: string | undefined): boolean => char === '\n' || char === '\r'
const isAlphanumeric = (char: string): boolean => /[A-Za-z0-9]/.test(char)

/** Reads the header at the start of `text`; `complete` says that no more text will come. */
export function readHeader(text: string, complete: boolean): HeaderReading {
  const element = text.charAt(3)
  const separators: number[] = []
  for (let at = 3; at < text.length && at < HEADER_LIMIT && separators.length < 16; at++) {
    if (text.charAt(at) === element) separators.push(at)
  }
  const last = separators[15]
  if (last === undefined) {
    if (!complete && text.length < HEADER_LIMIT) return { kind: 'more' }
    return malformed(`ISA has ${separators.length} elements instead of 16.`)
  }
  if (!complete && text.length < last + LOOKAHEAD) return { kind: 'more' }
  const end = findEnd(text, last + 1, element)
  if (typeof end === 'string') return malformed(end)
  const clash = clashOf(element, end.component, end.terminator)
  if (clash) return malformed(clash)
  const { elements, notes } = headerElements(text, separators, end.component)
  if (end.component === '') notes.push(['header.component_separator_missing'])
  const delimiters = { element, component: end.component, terminator: end.terminator }
  return { kind: 'header', elements, delimiters, length: end.length, notes }
}

type End = { component: string; terminator: string; length: number }

/**
 * Tells component separator and terminator apart. Besides the plain case (two characters) partners send a
 * header wrapped at column 80, one without ISA16, and one that ends with its line.
 */
function findEnd(text: string, from: number, element: string): End | string {
  const nextSegment = new RegExp(`^\\s*(?:GS|TA1|IEA)\\${element}`, 'i')
  let at = from
  while (isLineBreak(text[at]) && !nextSegment.test(text.slice(at))) at++
  const component = text[at]
  if (component === undefined) return 'The file ends inside of the header.'
  if (isLineBreak(component)) return { component: '', terminator: '\n', length: at + 1 }
  const rest = text.slice(at + 1)
  const next = rest.charAt(0)
  if (next === '') return 'The file ends before the terminator of the header.'
  if (nextSegment.test(rest) && !isLineBreak(next)) {
    return { component: '', terminator: component, length: at + 1 }
  }
  if (/\s/.test(next)) return endAtLine(rest, at, component, nextSegment)
  return { component, terminator: next, length: at + 2 }
}

/** ISA16 is followed by white space: a wrapped header, a header without ISA16, or lines as terminators. */
function endAtLine(rest: string, at: number, component: string, nextSegment: RegExp): End | string {
  const wrapped = /^\s+([^\sA-Za-z0-9])/.exec(rest)
  if (wrapped && nextSegment.test(rest.slice(wrapped[0].length))) {
    return { component, terminator: wrapped[1] as string, length: at + 1 + wrapped[0].length }
  }
  const lineEnd = /^[ \t]*[\r\n]+/.exec(rest)
  if (!lineEnd) return 'The header is followed by white space instead of a terminator.'
  const nextLine = /^\s*([^\r\n]*)/.exec(rest)?.[1]?.trimEnd() ?? ''
  if (nextLine.endsWith(component)) return { component: '', terminator: component, length: at + 1 }
  return { component, terminator: '\n', length: at + 1 + lineEnd[0].length }
}

function clashOf(element: string, component: string, terminator: string): string | undefined {
  if (element === component || element === terminator || component === terminator) {
    return 'Two of the delimiters are the same character.'
  }
  for (const delimiter of [element, component, terminator]) {
    if (delimiter !== '' && (isAlphanumeric(delimiter) || delimiter === ' ')) {
      return `"${delimiter}" cannot be a delimiter.`
    }
  }
  return undefined
}

function headerElements(text: string, separators: readonly number[], component: string) {
  const elements = ['ISA']
  const notes: [FindingCode, string?][] = []
  const unpadded: string[] = []
  const tooLong: string[] = []
  const raws: string[] = []
  for (let index = 0; index < 15; index++) {
    const raw = text.slice((separators[index] as number) + 1, separators[index + 1])
    const decoded = decodeByteText(raw).text.replace(/[\r\n]+/g, '')
    const width = HEADER_WIDTHS[index] as number
    const name = `ISA${String(index + 1).padStart(2, '0')}`
    const value = decoded.replace(/[\s\u00a0]+$/, '').replace(/^[\s\u00a0]+/, '')
    if (value.length > width) tooLong.push(name)
    else if (decoded.length !== width) unpadded.push(name)
    raws.push(decoded)
    elements.push(value)
  }
  elements.push(component)
  if (/[\r\n]/.test(text.slice(0, separators[15]))) notes.push(['header.line_break'])
  if (raws.some((raw) => raw.includes('\u00a0'))) notes.push(['header.no_break_space'])
  if (unpadded.length > 0) notes.push(['header.unpadded', `(${unpadded.join(', ')})`])
  if (tooLong.length > 0) notes.push(['header.element_too_long', `(${tooLong.join(', ')})`])
  return { elements, notes }
}
