/** What a warehouse's documents share: ids in segments of their own, dates in G62, references in N9. */
import type { Segment } from '../x12-segments.ts'
import type { SegmentData } from '../x12-writer.ts'
import { isoDate, type ProductId, productIds, x12Date } from './parts.ts'
import { all, element, first, type Loop } from './structure.ts'

/** X12 235: a case by its U.P.C., which stands in an element of its own. */
const CASE_CODE = 'UA'

/** First element of the case code, and of the pairs of qualifier and id. */
export const WAREHOUSE_IDS: Readonly<Record<string, { readonly caseCode: number; readonly pairs: number }>> =
  {
    W01: { caseCode: 3, pairs: 4 },
    W07: { caseCode: 3, pairs: 4 },
    W12: { caseCode: 6, pairs: 7 },
    W19: { caseCode: 4, pairs: 5 },
  }

/** One pair, and the case code. The second pair stands behind the lot, and repeats what the first says. */
export function warehouseIds(segment: Segment): ProductId[] {
  const { caseCode, pairs } = WAREHOUSE_IDS[segment.id]!
  const code = element(segment, caseCode)
  const named = productIds({ ...segment, elements: segment.elements.slice(0, pairs + 2) }, pairs)
  return code === '' ? named : [...named, { qualifier: CASE_CODE, value: code }]
}

/** The elements of the case code and of the first pair. */
export function writeWarehouseIds(ids: readonly ProductId[]): string[] {
  const named = ids.find(({ qualifier }) => qualifier !== CASE_CODE)
  const code = ids.find(({ qualifier }) => qualifier === CASE_CODE)
  return [code?.value ?? '', named?.qualifier ?? '', named?.value ?? '']
}

/** N902 by its qualifier. */
export const referenceIn = (loop: Loop, qualifier: string): string | undefined =>
  all(loop, 'N9')
    .filter((n9) => element(n9, 1) === qualifier)
    .map((n9) => element(n9, 2))
    .find((value) => value !== '')

/** Serial numbers, X12 128: a unit each. */
const SERIAL = 'SE'

export function serialsIn(loop: Loop): string[] | undefined {
  const named = all(loop, 'N9')
    .filter((n9) => element(n9, 1) === SERIAL)
    .map((n9) => element(n9, 2))
    .filter((value) => value !== '')
  return named.length > 0 ? named : undefined
}

export const writeSerials = (serials: readonly string[] = []): SegmentData[] =>
  serials.map((serial) => ['N9', SERIAL, serial])

export const writeReference = (qualifier: string, value: string | undefined): SegmentData[] =>
  value === undefined ? [] : [['N9', qualifier, value]]

/** CCYYMMDD and its time, as G62 has them. */
export type Moment = { readonly date: string; readonly time: string }

export function momentIn(loop: Loop, qualifier: string): Moment | undefined {
  const g62 = all(loop, 'G62').find((one) => element(one, 1) === qualifier)
  return g62 && { date: element(g62, 2), time: element(g62, 4) }
}

/** Expiration, X12 432. */
export const EXPIRES = '36'

/** ISO date. */
export const dayIn = (loop: Loop, qualifier: string): string | undefined =>
  momentIn(loop, qualifier)?.date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')

export const writeMoment = (qualifier: string, { date, time }: Moment): SegmentData => [
  'G62',
  qualifier,
  x12Date(date),
  ...(time === '' ? [] : ['W', time]),
]

export const dateOf = (segment: Segment | undefined, number: number): string =>
  isoDate(element(segment, number))

export const momentOfDate = (date: string): Moment => ({ date: x12Date(date), time: '' })

/** Of a line: its lot in the segment, else by reference. */
export const lotIn = (loop: Loop, segment: Segment, number: number): string | undefined =>
  element(segment, number) || referenceIn(loop, 'LT')

/** A loop as its segments stand in the document. */
export const segmentsOf = (loop: Loop): Segment[] => [...loop.segments, ...loop.loops.flatMap(segmentsOf)]

export const markIn = (loop: Loop, qualifier: string): string | undefined =>
  all(loop, 'MAN')
    .filter((man) => element(man, 1) === qualifier)
    .map((man) => element(man, 2))
    .find((value) => value !== '')

export const only = (loop: Loop, id: string): Segment => first(loop, id)!
