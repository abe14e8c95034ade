/** What suppliers told of lines of purchase orders, and how what is open of them is to come by that. */
import { type Queries, sql } from '#platform/database.ts'
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import { type Coming, comingOf, type LineAnswer, movedDay, NO_DAY, quantityOff } from '../rules/coming.ts'

export type LineKey = { readonly company: string; readonly number: string; readonly line: number }
const keyOf = ({ company, number, line }: LineKey): string => `${company}\0${number}\0${line}`

const answers = sql(
  'supply.answers',
  `select k.*, a.parts, a.refused, a.tolerated_days as "toleratedDays", a.tolerated_ppm as "toleratedPpm",
     a.told_at as "toldAt", a.source, a.told_at >= l.dated_at as "daysCount"
   from unnest($1::text[], $2::text[], $3::int[]) as k(company, number, line)
   cross join lateral (
     select dated_at from supply.line where company = k.company and number = k.number and line = k.line offset 0) l
   cross join lateral (
     select * from supply.answer where company = k.company and number = k.number and line = k.line
     order by told_at desc limit 1) a`,
)
const shipped = sql(
  'supply.underway',
  `select k.*, s.supplier, s.notice, s.quantity, s.expected_on::text as "expectedOn", s.lot,
     s.expires_on::text as "expiresOn", s.sscc, s.tolerated_days as "toleratedDays"
   from unnest($1::text[], $2::text[], $3::int[]) as k(company, number, line)
   cross join lateral (
     select * from supply.shipped where company = k.company and number = k.number and line = k.line
     order by expected_on, notice, n offset 0) s`,
)

type AnswerRow = LineKey & {
  readonly parts: readonly { readonly quantity: string; readonly expectedOn?: string | null }[]
  readonly refused: Quantity
  readonly toleratedDays: number
  readonly toleratedPpm: number
  readonly toldAt: Date
  readonly source: string
  readonly daysCount: boolean
}

export type ShippedPart = LineKey & {
  readonly supplier: string
  readonly notice: string
  readonly quantity: Quantity
  readonly expectedOn: string
  readonly lot: string | null
  readonly expiresOn: string | null
  readonly sscc: string | null
  readonly toleratedDays: number
}

export type Answered = LineAnswer & Pick<AnswerRow, 'toleratedDays' | 'toleratedPpm' | 'toldAt' | 'source'>

/** What is told of a line: its supplier's latest answer, and all that he ever shipped of it. */
export type ToldOfLine = {
  readonly answer: Answered | undefined
  readonly shipped: readonly ShippedPart[]
  readonly coming: Coming
  /** The day that is further from the ordered one than is tolerated; undefined where none is. */
  readonly moved: string | undefined
  /** How much more he delivers than is wanted, or, negative, less; 0 where that is tolerated. */
  readonly off: Quantity
}

type Line = LineKey & {
  readonly ordered: Quantity
  readonly cancelled: Quantity
  readonly received: Quantity
  readonly open: Quantity
  readonly expectedOn: string | null
}

/** Of each of these lines how it is to come. */
export async function toldOf<T extends Line>(
  queries: Queries,
  lines: readonly T[],
): Promise<ReadonlyMap<T, ToldOfLine>> {
  if (lines.length === 0) return new Map()
  const keys = [
    lines.map(({ company }) => company),
    lines.map(({ number }) => number),
    lines.map(({ line }) => line),
  ]
  const [answerRows, shippedRows] = await Promise.all([
    queries.query<AnswerRow>(answers, keys),
    queries.query<ShippedPart>(shipped, keys),
  ])
  const answerOf = new Map(answerRows.map((row) => [keyOf(row), answered(row)]))
  const shippedOf = Map.groupBy(shippedRows, keyOf)
  return new Map(
    lines.map((line) => [line, told(line, answerOf.get(keyOf(line)), shippedOf.get(keyOf(line)) ?? [])]),
  )
}

function told(line: Line, answer: Answered | undefined, parts: readonly ShippedPart[]): ToldOfLine {
  const open = { ...line, expectedOn: line.expectedOn ?? NO_DAY }
  const coming = comingOf(open, answer, parts)
  const sent = parts.reduce((sum, { quantity }) => sum + quantity, 0)
  const days = Math.max(answer?.toleratedDays ?? 0, ...parts.map(({ toleratedDays }) => toleratedDays))
  return {
    answer,
    shipped: parts,
    coming,
    moved: movedDay(open, coming, days),
    off: quantityOff(open, { answer, shipped: sent, coming }, answer?.toleratedPpm ?? 0),
  }
}

const answered = ({ parts, ...row }: AnswerRow): Answered => ({
  ...row,
  parts: parts.map((part) => ({ ...part, quantity: parseQuantity(part.quantity) })),
})

const ofOrders = sql(
  'supply.lines_of_orders',
  `select l.* from unnest($1::text[], $2::text[]) as k(company, number)
   cross join lateral (
     select company, number, line, item_id as "itemId", sku, ordered, cancelled from supply.line
     where company = k.company and number = k.number order by line offset 0) l`,
)

export type OrderedLine = LineKey & {
  readonly itemId: number
  readonly sku: string
  readonly ordered: Quantity
  readonly cancelled: Quantity
}

/** All lines of these purchase orders; of one that was not read none. */
export const linesOfOrders = (
  queries: Queries,
  orders: readonly { readonly company: string; readonly number: string }[],
): Promise<OrderedLine[]> =>
  orders.length === 0
    ? Promise.resolve([])
    : queries.query<OrderedLine>(ofOrders, [
        orders.map(({ company }) => company),
        orders.map(({ number }) => number),
      ])

/** As programs and people outside read it. */
export const tellComing = ({ answer, coming }: ToldOfLine) => ({
  coming: coming.parts.map(({ basis, quantity, expectedOn }) => ({
    basis,
    quantity: formatQuantity(quantity),
    ...(expectedOn !== NO_DAY && { expectedOn }),
  })),
  ...(coming.refused > 0 && { refused: formatQuantity(coming.refused) }),
  ...(answer && { answeredAt: answer.toldAt.toISOString() }),
})
