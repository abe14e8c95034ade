/** Puts segments into their envelopes (interchange, group, transaction set) and checks control numbers and counts. */
import type { Finding, FindingCode, Position } from './findings.ts'
import { finding } from './findings.ts'
import type { Delimiters } from './x12-header.ts'
import type { X12Limits } from './x12-limits.ts'
import type { Segment, Token } from './x12-segments.ts'

export type Party = { readonly qualifier: string; readonly id: string }

export type Interchange = {
  readonly sender: Party
  readonly receiver: Party
  /** YYMMDD and HHMM, as sent. */
  readonly date: string
  readonly time: string
  readonly version: string
  readonly controlNumber: string
  readonly acknowledgmentRequested: boolean
  /** P production, T test, I information. */
  readonly usage: string
  readonly delimiters: Delimiters
  readonly at: Position
}

export type Group = {
  readonly functionalId: string
  readonly sender: string
  readonly receiver: string
  readonly date: string
  readonly time: string
  readonly controlNumber: string
  readonly agency: string
  readonly version: string
  readonly at: Position
}

/** Code of X12 data element 718, as AK502 to AK506 report it. */
export type SetErrorCode = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '23'
/** Code of X12 data element 716, as AK905 to AK909 report it. */
export type GroupErrorCode = '1' | '2' | '3' | '4' | '5' | '6'

export type TransactionSet = {
  readonly type: string
  readonly controlNumber: string
  /** From ST to SE; a segment's ordinal in the set is its index + 1. */
  readonly segments: readonly Segment[]
  readonly errors: readonly SetErrorCode[]
  readonly findings: readonly Finding[]
  readonly at: Position
}

export type X12Event =
  | { readonly kind: 'interchange'; readonly interchange: Interchange }
  | { readonly kind: 'group'; readonly interchange: Interchange; readonly group: Group }
  | {
      readonly kind: 'set'
      readonly interchange: Interchange
      readonly group: Group | undefined
      readonly set: TransactionSet
    }
  | {
      readonly kind: 'group-end'
      readonly interchange: Interchange
      readonly group: Group
      /** GE01 as declared, and how many sets were really there. */
      readonly declared: number | undefined
      readonly counted: number
      readonly errors: readonly GroupErrorCode[]
    }
  | { readonly kind: 'interchange-end'; readonly interchange: Interchange; readonly groups: number }
  | { readonly kind: 'finding'; readonly finding: Finding }

type OpenGroup = { group: Group; counted: number; controlNumbers: Set<string> }
type OpenSet = {
  segments: Segment[]
  findings: Finding[]
  errors: Set<SetErrorCode>
  bytes: number
  full: boolean
}

const digits = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined)
const sameNumber = (one: string, other: string): boolean =>
  one === other || (digits(one) !== undefined && digits(one) === digits(other))
const elementOf = (segment: Segment, number: number): string => segment.elements[number] ?? ''

export class EnvelopeReader {
  #limits: X12Limits
  #interchange: Interchange | undefined
  #groups = 0
  #group: OpenGroup | undefined
  #set: OpenSet | undefined

  constructor(limits: X12Limits) {
    this.#limits = limits
  }

  *accept(token: Token): Generator<X12Event> {
    switch (token.kind) {
      case 'header':
        return yield* this.#openInterchange(token)
      case 'segment':
        return yield* this.#segment(token.segment, token.bytes)
      case 'lost':
        this.#set?.errors.add('5')
        return yield* this.#report(token.finding)
      case 'finding':
        return yield* this.#report(token.finding)
    }
  }

  *end(): Generator<X12Event> {
    yield* this.#closeInterchange(undefined)
  }

  /** A finding belongs to the open set, else it stands on its own. */
  *#report(what: Finding): Generator<X12Event> {
    const set = this.#set
    if (!set) return yield { kind: 'finding', finding: what }
    const { findingsPerSet } = this.#limits
    if (set.findings.length < findingsPerSet) {
      set.findings.push({ ...what, at: { ...what.at, segment: set.segments.length + 1 } })
    } else if (set.findings.length === findingsPerSet) set.findings.push(finding('limit.findings', what.at))
  }

  *#openInterchange(token: Extract<Token, { kind: 'header' }>): Generator<X12Event> {
    yield* this.#closeInterchange(undefined)
    const isa = (number: number): string => token.elements[number] ?? ''
    this.#groups = 0
    this.#interchange = {
      sender: { qualifier: isa(5), id: isa(6) },
      receiver: { qualifier: isa(7), id: isa(8) },
      date: isa(9),
      time: isa(10),
      version: isa(12),
      controlNumber: isa(13),
      acknowledgmentRequested: isa(14) === '1',
      usage: isa(15),
      delimiters: token.delimiters,
      at: token.at,
    }
    yield { kind: 'interchange', interchange: this.#interchange }
  }

  *#segment(segment: Segment, bytes: number): Generator<X12Event> {
    switch (segment.id) {
      case 'GS':
        return yield* this.#openGroup(segment)
      case 'ST':
        return yield* this.#openSet(segment)
      case 'SE':
        if (this.#set) return yield* this.#closeSet(segment)
        return yield* this.#outside(segment)
      case 'GE':
        if (this.#group) return yield* this.#closeGroup(segment)
        return yield* this.#outside(segment)
      case 'IEA':
        return yield* this.#closeInterchange(segment)
      case 'TA1':
        if (this.#set) return this.#keep(segment, bytes)
        return yield { kind: 'finding', finding: finding('interchange.acknowledgment_received', segment.at) }
      default:
        if (this.#set) return this.#keep(segment, bytes)
        return yield* this.#outside(segment)
    }
  }

  *#outside(segment: Segment): Generator<X12Event> {
    yield {
      kind: 'finding',
      finding: finding('envelope.segment_outside', segment.at, `(${segment.id.slice(0, 3)})`),
    }
  }

  #keep(segment: Segment, bytes: number): void {
    const set = this.#set as OpenSet
    set.bytes += bytes
    if (set.full) return
    if (set.segments.length >= this.#limits.segmentsPerSet || set.bytes > this.#limits.bytesPerSet) {
      set.full = true
      set.errors.add('5')
      set.findings.push(finding('limit.set_size', segment.at))
      return
    }
    set.segments.push({ ...segment, at: { ...segment.at, segment: set.segments.length + 1 } })
  }

  *#openGroup(segment: Segment): Generator<X12Event> {
    if (this.#set) yield* this.#closeSet(undefined)
    if (this.#group) yield* this.#closeGroup(undefined)
    const gs = (number: number): string => elementOf(segment, number)
    const group: Group = {
      functionalId: gs(1),
      sender: gs(2),
      receiver: gs(3),
      date: gs(4),
      time: gs(5),
      controlNumber: gs(6),
      agency: gs(7),
      version: gs(8),
      at: segment.at,
    }
    this.#groups++
    this.#group = { group, counted: 0, controlNumbers: new Set() }
    yield { kind: 'group', interchange: this.#interchange as Interchange, group }
  }

  *#openSet(segment: Segment): Generator<X12Event> {
    if (this.#set) yield* this.#closeSet(undefined)
    this.#set = { segments: [], findings: [], errors: new Set(), bytes: 0, full: false }
    this.#keep(segment, 0)
    if (!this.#group) this.#flag('set.outside_group', segment.at)
    if (!/^\d{3}$/.test(elementOf(segment, 1))) this.#flag('set.identifier_malformed', segment.at, '6')
    const controlNumber = elementOf(segment, 2)
    if (!/^[^\s]{4,9}$/.test(controlNumber)) this.#flag('set.control_number_malformed', segment.at, '7')
    if (!this.#group) return
    this.#group.counted++
    if (this.#group.controlNumbers.has(controlNumber)) {
      this.#flag('set.control_number_repeated', segment.at, '23', `(${controlNumber.slice(0, 9)})`)
    }
    this.#group.controlNumbers.add(controlNumber)
  }

  /** Notes a fault of the open set, as a finding and as the code that a 997 reports. */
  #flag(code: FindingCode, at: Position, error?: SetErrorCode, detail?: string): void {
    const set = this.#set as OpenSet
    set.findings.push(finding(code, { ...at, segment: set.segments.length }, detail))
    if (error) set.errors.add(error)
  }

  *#closeSet(trailer: Segment | undefined): Generator<X12Event> {
    const set = this.#set as OpenSet
    const header = set.segments[0] as Segment
    const counted = set.segments.length + 1
    if (!trailer) this.#flag('set.trailer_missing', header.at, '2')
    else {
      const place = { ...trailer.at, segment: counted }
      if (digits(elementOf(trailer, 1)) !== counted && !set.full) {
        this.#flag(
          'set.segment_count_mismatch',
          place,
          '4',
          `(SE01 says ${elementOf(trailer, 1).slice(0, 10)}, read ${counted})`,
        )
      }
      if (elementOf(trailer, 2) !== elementOf(header, 2))
        this.#flag('set.control_number_mismatch', place, '3')
      set.segments.push({ ...trailer, at: place })
    }
    this.#set = undefined
    yield {
      kind: 'set',
      interchange: this.#interchange as Interchange,
      group: this.#group?.group,
      set: {
        type: elementOf(header, 1),
        controlNumber: elementOf(header, 2),
        segments: set.segments,
        errors: [...set.errors].sort((a, b) => Number(a) - Number(b)),
        findings: set.findings,
        at: header.at,
      },
    }
  }

  *#closeGroup(trailer: Segment | undefined): Generator<X12Event> {
    if (this.#set) yield* this.#closeSet(undefined)
    const { group, counted } = this.#group as OpenGroup
    const errors: GroupErrorCode[] = []
    const at = trailer?.at ?? group.at
    const declared = trailer ? digits(elementOf(trailer, 1)) : undefined
    if (!trailer) {
      errors.push('3')
      yield { kind: 'finding', finding: finding('group.trailer_missing', at) }
    } else {
      if (!sameNumber(elementOf(trailer, 2), group.controlNumber)) {
        errors.push('4')
        yield { kind: 'finding', finding: finding('group.control_number_mismatch', at) }
      }
      if (declared !== counted) {
        errors.push('5')
        yield { kind: 'finding', finding: finding('group.set_count_mismatch', at, `(read ${counted})`) }
      }
    }
    if (!/^\d{1,9}$/.test(group.controlNumber)) errors.push('6')
    this.#group = undefined
    yield {
      kind: 'group-end',
      interchange: this.#interchange as Interchange,
      group,
      declared,
      counted,
      errors,
    }
  }

  *#closeInterchange(trailer: Segment | undefined): Generator<X12Event> {
    const interchange = this.#interchange
    if (!interchange) return
    if (this.#set) yield* this.#closeSet(undefined)
    if (this.#group) yield* this.#closeGroup(undefined)
    if (!trailer) yield { kind: 'finding', finding: finding('interchange.trailer_missing', interchange.at) }
    else {
      if (!sameNumber(elementOf(trailer, 2), interchange.controlNumber)) {
        const detail = `(${interchange.controlNumber} and ${elementOf(trailer, 2).slice(0, 9)})`
        yield { kind: 'finding', finding: finding('interchange.control_number_mismatch', trailer.at, detail) }
      }
      if (digits(elementOf(trailer, 1)) !== this.#groups) {
        yield {
          kind: 'finding',
          finding: finding('interchange.group_count_mismatch', trailer.at, `(read ${this.#groups})`),
        }
      }
    }
    this.#interchange = undefined
    yield { kind: 'interchange-end', interchange, groups: this.#groups }
  }
}
