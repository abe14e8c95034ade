/** What several documents share: parties, references, dates, allowances, product ids; read and written alike. */
import type { Segment } from '../x12-segments.ts'
import type { SegmentData } from '../x12-writer.ts'
import type { Loop } from './structure.ts'
import { all, element, first } from './structure.ts'

export type Reference = { readonly qualifier: string; readonly value: string; readonly description?: string }
export type ProductId = { readonly qualifier: string; readonly value: string }
/** `date` is ISO (2026-11-20), `time` as sent (HHMM or HHMMSS). */
export type QualifiedDate = { readonly qualifier: string; readonly date: string; readonly time?: string }
export type Contact = {
  readonly role: string
  readonly name?: string
  readonly numbers: readonly { readonly qualifier: string; readonly value: string }[]
}

export type DocumentParty = {
  /** X12 98: ST ship-to, BT bill-to, BY buyer, SU supplier, VN vendor, SF ship-from … */
  readonly role: string
  readonly name?: string
  readonly id?: { readonly qualifier: string; readonly value: string }
  readonly lines: readonly string[]
  readonly city?: string
  readonly region?: string
  readonly postalCode?: string
  readonly country?: string
  readonly references: readonly Reference[]
  readonly contacts: readonly Contact[]
}

export type Allowance = {
  readonly kind: 'allowance' | 'charge' | 'none'
  /** X12 1300: C310 discount, D240 freight … */
  readonly code?: string
  /** Decimal text in units of the currency; SAC05 carries hundredths. */
  readonly amount?: string
  readonly percent?: string
  readonly rate?: string
  readonly description?: string
}

/** Leaves out what is empty, so that a document says only what was said. */
export function present<T extends Record<string, unknown>>(fields: T): Present<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined),
  ) as Present<T>
}
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** An element that may be empty. */
export const optional = (segment: Segment | undefined, number: number): string | undefined =>
  element(segment, number) || undefined

/** CCYYMMDD to ISO; text that is no date stays as it is and is the validation's business. */
export const isoDate = (text: string): string =>
  /^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}` : text
export const x12Date = (iso: string): string => iso.replaceAll('-', '')

/** An N2 element (hundredths without a point) as decimal text. */
export function fromHundredths(text: string): string {
  const sign = text.startsWith('-') ? '-' : ''
  const digits = text.replace('-', '').padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/^0+(?=\d)/, '')
  return `${sign}${whole}.${digits.slice(-2)}`
}

/** Pairs of qualifier and value from element `from` on. */
export function productIds(segment: Segment, from: number): ProductId[] {
  const ids: ProductId[] = []
  for (let number = from; number + 1 < segment.elements.length; number += 2) {
    const qualifier = element(segment, number)
    const value = element(segment, number + 1)
    if (qualifier !== '' && value !== '') ids.push({ qualifier, value })
  }
  return ids
}

export const references = (loop: Loop): Reference[] => all(loop, 'REF').map(reference)

export function reference(segment: Segment): Reference {
  return present({
    qualifier: element(segment, 1),
    value: element(segment, 2),
    description: optional(segment, 3),
  }) as Reference
}

export function qualifiedDates(loop: Loop): QualifiedDate[] {
  return all(loop, 'DTM')
    .filter((segment) => element(segment, 2) !== '')
    .map(
      (segment) =>
        present({
          qualifier: element(segment, 1),
          date: isoDate(element(segment, 2)),
          time: optional(segment, 3),
        }) as QualifiedDate,
    )
}

export const contacts = (loop: Loop): Contact[] => all(loop, 'PER').map(contact)

function contact(segment: Segment): Contact {
  const numbers = [3, 5, 7]
    .map((number) => ({ qualifier: element(segment, number), value: element(segment, number + 1) }))
    .filter(({ value }) => value !== '')
  return {
    ...present({ role: element(segment, 1), name: optional(segment, 2) }),
    role: element(segment, 1),
    numbers,
  }
}

export function party(loop: Loop): DocumentParty {
  const n1 = first(loop, 'N1')
  const n4 = first(loop, 'N4')
  const street = [...all(loop, 'N2'), ...all(loop, 'N3')]
  const id = element(n1, 4)
  return {
    ...present({
      name: optional(n1, 2),
      city: optional(n4, 1),
      region: optional(n4, 2),
      postalCode: optional(n4, 3),
      country: optional(n4, 4),
    }),
    role: element(n1, 1),
    ...(id ? { id: { qualifier: element(n1, 3), value: id } } : {}),
    lines: street.flatMap((segment) => segment.elements.slice(1)).filter((line) => line !== ''),
    references: references(loop),
    contacts: contacts(loop),
  }
}

const ALLOWANCE_KINDS: Readonly<Record<string, Allowance['kind']>> = { A: 'allowance', C: 'charge' }

export function allowances(loop: Loop): Allowance[] {
  const own = all(loop, 'SAC')
  const inner = loop.loops
    .filter((inside) => inside.id === 'SAC')
    .flatMap((inside) => inside.segments.slice(0, 1))
  return [...own, ...inner].map((segment) => {
    const amount = element(segment, 5)
    return {
      kind: ALLOWANCE_KINDS[element(segment, 1)] ?? 'none',
      ...present({
        code: optional(segment, 2),
        amount: amount ? fromHundredths(amount) : undefined,
        percent: optional(segment, 7),
        rate: optional(segment, 8),
        description: optional(segment, 15),
      }),
    }
  })
}

export const writeReferences = (list: readonly Reference[]): SegmentData[] =>
  list.map(({ qualifier, value, description }) => ['REF', qualifier, value, description])

export const writeDates = (list: readonly QualifiedDate[]): SegmentData[] =>
  list.map(({ qualifier, date, time }) => ['DTM', qualifier, x12Date(date), time])

export const writeProductIds = (ids: readonly ProductId[]): string[] =>
  ids.flatMap(({ qualifier, value }) => [qualifier, value])

export function writeParty(who: DocumentParty): SegmentData[] {
  const segments: SegmentData[] = [['N1', who.role, who.name, who.id?.qualifier, who.id?.value]]
  for (let line = 0; line < who.lines.length; line += 2)
    segments.push(['N3', who.lines[line], who.lines[line + 1]])
  if (who.city ?? who.region ?? who.postalCode ?? who.country) {
    segments.push(['N4', who.city, who.region, who.postalCode, who.country])
  }
  segments.push(...writeReferences(who.references))
  for (const { role, name, numbers } of who.contacts) {
    segments.push(['PER', role, name, ...numbers.flatMap(({ qualifier, value }) => [qualifier, value])])
  }
  return segments
}
