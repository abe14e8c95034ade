/** Cuts a stream of bytes into interchange headers and segments; holds one segment at a time. */
import type { Finding, FindingCode, Position } from './findings.ts'
import { finding } from './findings.ts'
import type { Delimiters } from './x12-header.ts'
import { readHeader } from './x12-header.ts'
import type { X12Limits } from './x12-limits.ts'
import { asByteText, decodeByteText, guessFormat, hasHighByte } from './x12-text.ts'

export type Segment = {
  readonly id: string
  /** By element number: elements[3] is the third; elements[0] is the identifier. Trailing empty ones are gone. */
  readonly elements: readonly string[]
  readonly at: Position
}

export type Token =
  | {
      readonly kind: 'header'
      readonly elements: readonly string[]
      readonly delimiters: Delimiters
      readonly at: Position
    }
  | { readonly kind: 'segment'; readonly segment: Segment; readonly bytes: number }
  /** A segment stood here and was dropped; whatever it belonged to is not whole. */
  | { readonly kind: 'lost'; readonly finding: Finding }
  | { readonly kind: 'finding'; readonly finding: Finding }

const HEADER_START = /(?<![A-Za-z0-9])ISA[^A-Za-z0-9 \r\n]/gi
const SEGMENT_ID = /^[A-Z][A-Z0-9]{1,2}$/
const HEADER_HERE = /^ISA[^A-Za-z0-9 \r\n]/i
/** Byte text: a no-break space is one byte in Latin-1 and two in UTF-8. Only ever looked for before a segment. */
const WHITESPACE = /(?:[ \t\r\n\u00a0]|\u00c2\u00a0)+/y

export class SegmentScanner {
  #text = ''
  /** Offset in #text of what is not consumed yet, and of where the search for a terminator goes on. */
  #cursor = 0
  #searched = 0
  /** Bytes and line breaks before #text. */
  #bytesBefore = 0
  #line = 1
  #delimiters: Delimiters | undefined
  #dropping = false
  #headers = 0
  #malformed = 0
  #gaveUp = false
  #junk: { at: Position; bytes: number } | undefined
  #opening = ''
  #noted = new Set<FindingCode>()
  #limits: X12Limits

  constructor(limits: X12Limits) {
    this.#limits = limits
  }

  *push(chunk: Uint8Array | string): Generator<Token> {
    const text = asByteText(chunk)
    this.#text += text
    if (this.#opening.length < 200) this.#opening += text.slice(0, 200)
    yield* this.#drain(false)
  }

  /** The stream has ended: what is left is a last segment, or junk, or the whole file was none of ours. */
  *end(): Generator<Token> {
    yield* this.#drain(true)
    if (this.#headers > 0) return yield* this.#reportJunk()
    const at = { byte: 0, line: 1 }
    if (this.#opening.trim() === '') yield { kind: 'finding', finding: finding('file.empty', at) }
    else yield { kind: 'finding', finding: finding('file.not_x12', at, guessFormat(this.#opening)) }
  }

  *#drain(complete: boolean): Generator<Token> {
    let progress = !this.#gaveUp
    while (progress && !this.#gaveUp) {
      const before = this.#cursor
      if (this.#delimiters) yield* this.#nextSegment(this.#delimiters, complete)
      else yield* this.#nextHeader(complete)
      progress = this.#cursor > before
    }
    if (this.#gaveUp) this.#cursor = this.#text.length
    this.#text = this.#text.slice(this.#cursor)
    this.#bytesBefore += this.#cursor
    this.#searched = Math.max(0, this.#searched - this.#cursor)
    this.#cursor = 0
  }

  /** Where reading has come to. */
  get position(): Position {
    return this.#position()
  }

  #position(at = this.#cursor): Position {
    return { byte: this.#bytesBefore + at, line: this.#line }
  }

  /** Moves the cursor on and counts the lines passed over. */
  #consume(to: number): void {
    for (
      let at = this.#text.indexOf('\n', this.#cursor);
      at !== -1 && at < to;
      at = this.#text.indexOf('\n', at + 1)
    ) {
      this.#line++
    }
    this.#cursor = to
  }

  *#nextHeader(complete: boolean): Generator<Token> {
    if (this.#bytesBefore + this.#cursor === 0 && this.#text.startsWith('\u00ef\u00bb\u00bf')) {
      yield { kind: 'finding', finding: finding('file.byte_order_mark', this.#position()) }
      this.#consume(3)
    }
    HEADER_START.lastIndex = this.#cursor
    const start = HEADER_START.exec(this.#text)?.index
    if (start === undefined) {
      // The last characters may be the beginning of a header, or the character before one.
      const keep = complete ? 0 : 4
      this.#passOver(Math.max(this.#cursor, this.#text.length - keep))
      return
    }
    const reading = readHeader(this.#text.slice(start, start + 2048), complete)
    if (reading.kind === 'more') return this.#passOver(start)
    this.#passOver(start)
    if (reading.kind === 'malformed') {
      return yield* this.#malformedHeader(start, reading.reason)
    }
    yield* this.#reportJunk()
    const at = this.#position()
    this.#consume(start + reading.length)
    this.#searched = this.#cursor
    this.#delimiters = reading.delimiters
    this.#headers++
    this.#noted.clear()
    yield { kind: 'header', elements: reading.elements, delimiters: reading.delimiters, at }
    for (const [code, detail] of reading.notes) yield { kind: 'finding', finding: finding(code, at, detail) }
  }

  *#malformedHeader(start: number, reason: string): Generator<Token> {
    yield { kind: 'finding', finding: finding('header.malformed', this.#position(), reason) }
    this.#passOver(start + 3)
    if (++this.#malformed < this.#limits.malformedHeaders) return
    this.#gaveUp = true
    yield { kind: 'finding', finding: finding('limit.headers', this.#position()) }
  }

  #passOver(to: number): void {
    const passed = this.#text.slice(this.#cursor, to)
    const start = passed.search(/[^\s\u00a0\u00c2\u001a\0]/)
    const bytes = passed.replace(/[\s\u00a0\u00c2\u001a\0]+/g, '').length
    if (bytes > 0) {
      this.#junk ??= { at: this.#position(this.#cursor + start), bytes: 0 }
      this.#junk.bytes += bytes
    }
    this.#consume(to)
  }

  *#reportJunk(): Generator<Token> {
    if (!this.#junk) return
    yield {
      kind: 'finding',
      finding: finding('file.junk', this.#junk.at, `(${this.#junk.bytes} characters)`),
    }
    this.#junk = undefined
  }

  *#nextSegment(delimiters: Delimiters, complete: boolean): Generator<Token> {
    if (!this.#dropping) yield* this.#skipWhitespace(delimiters)
    if (this.#cursor === this.#text.length) return
    const rest = this.#text.length - this.#cursor
    if (!this.#dropping && rest < 4 && !complete) return
    if (!this.#dropping && HEADER_HERE.test(this.#text.slice(this.#cursor, this.#cursor + 4))) {
      const reading = readHeader(this.#text.slice(this.#cursor, this.#cursor + 2048), complete)
      if (reading.kind === 'more') return
      if (reading.kind === 'header') {
        this.#delimiters = undefined
        return yield* this.#nextHeader(complete)
      }
    }
    const end = this.#findTerminator(delimiters.terminator)
    if (end === -1 && complete) return yield* this.#lastSegment(delimiters)
    if (end === -1 || end - this.#cursor > this.#limits.segmentBytes) return yield* this.#dropLong(end)
    if (this.#dropping) {
      this.#dropping = false
      return this.#step(end + 1)
    }
    yield* this.#cut(this.#text.slice(this.#cursor, end), delimiters)
    this.#step(end + 1)
  }

  #step(to: number): void {
    this.#consume(to)
    this.#searched = to
  }

  #findTerminator(terminator: string): number {
    const from = Math.max(this.#searched, this.#cursor)
    const at = this.#text.indexOf(terminator, from)
    if (terminator !== '\n') {
      this.#searched = at === -1 ? this.#text.length : at
      return at
    }
    const carriageReturn = this.#text.indexOf('\r', from)
    const first = at === -1 ? carriageReturn : carriageReturn === -1 ? at : Math.min(at, carriageReturn)
    this.#searched = first === -1 ? this.#text.length : first
    return first
  }

  /** The segment in hand is too long: say so once, then forget everything up to its terminator. */
  *#dropLong(end: number): Generator<Token> {
    const length = (end === -1 ? this.#text.length : end) - this.#cursor
    if (length <= this.#limits.segmentBytes && !this.#dropping) return
    if (!this.#dropping) {
      const detail = `(more than ${this.#limits.segmentBytes} bytes)`
      yield { kind: 'lost', finding: finding('limit.segment_length', this.#position(), detail) }
    }
    this.#dropping = end === -1
    this.#step(end === -1 ? this.#text.length : end + 1)
  }

  *#lastSegment(delimiters: Delimiters): Generator<Token> {
    const raw = this.#text.slice(this.#cursor).replace(/[ \t\r\n\u001a\0]+$/, '')
    if (raw !== '' && !this.#dropping && raw.length <= this.#limits.segmentBytes) {
      if (delimiters.terminator !== '\n') {
        yield { kind: 'finding', finding: finding('file.final_terminator_missing', this.#position()) }
      }
      yield* this.#cut(raw, delimiters)
    } else if (raw !== '' && !this.#dropping) {
      yield { kind: 'lost', finding: finding('limit.segment_length', this.#position()) }
    }
    this.#step(this.#text.length)
  }

  *#skipWhitespace(delimiters: Delimiters): Generator<Token> {
    WHITESPACE.lastIndex = this.#cursor
    const skipped = WHITESPACE.exec(this.#text)?.[0]
    if (!skipped) return
    const position = this.#position()
    const at = this.#cursor + skipped.length
    this.#step(at)
    if (/[\r\n]/.test(skipped) && delimiters.terminator !== '\n')
      yield* this.#note('segment.line_breaks', position)
    if (at < this.#text.length && /[ \t]$/.test(skipped)) yield* this.#note('segment.indented', position)
  }

  /** Tolerated habits are reported once an interchange, at their first place. */
  *#note(code: FindingCode, at: Position): Generator<Token> {
    if (this.#noted.has(code)) return
    this.#noted.add(code)
    yield { kind: 'finding', finding: finding(code, at) }
  }

  /** One terminated piece is one segment, or several when a terminator was left out at the end of a line. */
  *#cut(raw: string, delimiters: Delimiters): Generator<Token> {
    if (!/[\r\n]/.test(raw)) return yield* this.#segment(raw, delimiters, this.#position())
    const boundary = new RegExp(
      `(?<![\\s\\${delimiters.element}])[ \\t]*[\\r\\n]+[ \\t]*(?=[A-Z][A-Z0-9]{1,2}\\${delimiters.element})`,
    )
    let rest = raw
    let line = this.#line
    let byte = this.#bytesBefore + this.#cursor
    for (;;) {
      const match = boundary.exec(rest)
      const piece = match ? rest.slice(0, match.index) : rest
      const at = { byte, line }
      if (/[\r\n]/.test(piece)) yield* this.#note('segment.line_break_inside', at)
      if (match) yield { kind: 'finding', finding: finding('segment.terminator_missing', at) }
      yield* this.#segment(piece.replace(/[\r\n]+/g, ''), delimiters, at)
      if (!match) return
      const taken = rest.slice(0, match.index + match[0].length)
      line += taken.split('\n').length - 1
      byte += taken.length
      rest = rest.slice(taken.length)
    }
  }

  *#segment(raw: string, delimiters: Delimiters, place: Position): Generator<Token> {
    const text = raw.replace(/[ \t]+$/, '')
    if (text === '') return
    if (text.length < raw.length) yield* this.#note('segment.trailing_whitespace', place)
    const elements = text.split(delimiters.element)
    if (elements.length - 1 > this.#limits.elementsPerSegment) {
      const detail = `(${elements.length - 1} of at most ${this.#limits.elementsPerSegment})`
      yield { kind: 'lost', finding: finding('limit.elements', place, detail) }
      return
    }
    if (hasHighByte(text)) yield* this.#decode(elements, place)
    yield* this.#tidy(elements, text, delimiters, place)
    const id = elements[0] as string
    const at = { ...place, segmentId: id.slice(0, 3) }
    if (!SEGMENT_ID.test(id)) {
      const detail = `("${id.slice(0, 20)}")`
      yield { kind: 'finding', finding: finding('segment.identifier_malformed', at, detail) }
    }
    if (id === 'IEA') this.#delimiters = undefined
    yield { kind: 'segment', segment: { id, elements, at }, bytes: raw.length }
  }

  *#decode(elements: string[], at: Position): Generator<Token> {
    for (const [index, element] of elements.entries()) {
      if (!hasHighByte(element)) continue
      const { text, encoding } = decodeByteText(element)
      elements[index] = text
      if (encoding !== 'utf-8') yield* this.#note('file.encoding_mixed', at)
    }
  }

  /** Takes off what carries no meaning in X12: lower-case identifiers, trailing spaces, trailing empty elements. */
  *#tidy(elements: string[], text: string, delimiters: Delimiters, at: Position): Generator<Token> {
    const id = elements[0] as string
    if (/[a-z]/.test(id)) {
      elements[0] = id.toUpperCase()
      yield* this.#note('segment.lower_case', at)
    }
    if (text.includes(` ${delimiters.element}`)) {
      for (const [index, element] of elements.entries()) elements[index] = element.replace(/ +$/, '')
      yield* this.#note('element.trailing_spaces', at)
    }
    if (elements.length > 1 && elements.at(-1) === '') {
      while (elements.length > 1 && elements.at(-1) === '') elements.pop()
      yield* this.#note('segment.trailing_separators', at)
    }
  }
}
