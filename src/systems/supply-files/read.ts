/** Reads CSV files of what suppliers answer and ship, in our words; pure. */
import { CsvError, parse } from 'csv-parse/sync'
import { z } from 'zod'
import type { SupplierMessage } from '#capabilities/supplier-messages.ts'
import { Refusal } from '#platform/faults.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'

const LINES_MAX = 10_000
/** A file says nothing of how far it may be off: people are told of any difference. */
const EXACT = { days: 0, ppm: 0 }
const SENDER = 'file'

const long = (max: number): string => `has more than ${max} characters`
const Text = (max: number) => z.string().min(1, 'is empty').max(max, long(max))
const Empty = <T>(text: z.ZodType<string>, read: (text: string) => T) =>
  text.transform((value) => (value === '' ? undefined : read(value))).optional()
const Optional = (max: number) => Empty(z.string().max(max, long(max)), (value) => value)
const Day = Empty(
  z
    .string()
    .refine((value) => value === '' || z.iso.date().safeParse(value).success, 'is no day such as 2026-12-01'),
  (value) => value,
)

const WHAT = ['confirmed', 'backordered', 'refused', 'shipped', 'withdrawn'] as const

const Line = z.strictObject({
  company: Text(12),
  supplier: Text(40),
  told_at: z.iso.datetime({
    offset: true,
    message: 'is no time with its offset, such as 2026-11-20T09:00:00Z',
  }),
  what: z.enum(WHAT, `is none of ${WHAT.join(', ')}`),
  purchase_order: Optional(40),
  line: Empty(z.string().regex(/^([1-9]\d{0,8})?$/, 'is no whole number from 1'), Number),
  item: Optional(40),
  quantity: Optional(20),
  unit: Optional(3),
  expected_on: Day,
  notice: Optional(40),
  lot: Optional(40),
  expires_on: Day,
  sscc: Optional(18),
})
type Line = z.infer<typeof Line>

const COLUMNS = Object.keys(Line.shape)
const NEEDED = ['company', 'supplier', 'told_at', 'what']

/** What keeps a line from being used, by the name of its column. */
export type BadLine = { readonly line: number; readonly field: string; readonly message: string }

/** A message with the lines of the file that say it. */
export type ToldByFile = { readonly message: SupplierMessage; readonly lines: readonly number[] }

export type SupplyFile = { readonly told: readonly ToldByFile[]; readonly bad: readonly BadLine[] }

type Numbered = Line & { readonly at: number; readonly amount: Quantity }
type Parsed = { readonly record: Record<string, string>; readonly info: { readonly lines: number } }

/** Lines of one time, supplier and purchase order are one answer; of one notice one notice. Refuses a file without our header. */
export function readSupplyFile(text: string): SupplyFile {
  const rows = rowsOf(text)
  assertHeader(Object.keys(rows[0]?.record ?? {}))
  if (rows.length > LINES_MAX)
    throw unreadable(`the file has ${rows.length} lines; at most ${LINES_MAX} are read at once`)
  const bad: BadLine[] = []
  const lines = rows.flatMap(({ record, info: { lines: at } }): Numbered[] => {
    const read = Line.safeParse(record)
    if (!read.success) {
      for (const { path, message } of read.error.issues)
        bad.push({ line: at, field: String(path[0]), message })
      return []
    }
    const problems = problemsOf(read.data)
    bad.push(...problems.map((problem) => ({ line: at, ...problem })))
    return problems.length > 0 ? [] : [{ ...read.data, at, amount: parseQuantity(read.data.quantity ?? '0') }]
  })
  return { told: bad.length > 0 ? [] : messagesOf(lines), bad }
}

const unreadable = (message: string): Refusal => new Refusal('supply.file_unreadable', message)

function rowsOf(text: string): Parsed[] {
  try {
    const options = { columns: true, info: true, bom: true, trim: true, skip_empty_lines: true } as const
    return parse(text, options) as unknown as Parsed[]
  } catch (error) {
    throw error instanceof CsvError ? unreadable(error.message) : error
  }
}

function assertHeader(columns: readonly string[]): void {
  const missing = NEEDED.filter((name) => !columns.includes(name))
  if (missing.length > 0) throw unreadable(`the first line lacks ${missing.join(', ')}`)
  const unknown = columns.filter((name) => !COLUMNS.includes(name))
  if (unknown.length > 0)
    throw unreadable(`there is no column ${unknown.join(', ')}; there are ${COLUMNS.join(', ')}`)
}

/** What a line lacks for what it says. */
function problemsOf(line: Line): Omit<BadLine, 'line'>[] {
  const { what } = line
  const problems: Omit<BadLine, 'line'>[] = []
  const needs = (field: keyof Line, is: boolean, message = `is needed where what is ${what}`): void => {
    if (!is) problems.push({ field, message })
  }
  if (what === 'shipped' || what === 'withdrawn') needs('notice', line.notice !== undefined)
  if (what === 'withdrawn') return problems
  needs('purchase_order', line.purchase_order !== undefined)
  needs('item', line.item !== undefined || line.line !== undefined, 'or line is needed')
  needs('quantity', isCount(line.quantity), 'is no quantity above 0 with at most 4 places')
  return problems
}

function isCount(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,11}(\.\d{1,4})?$/.test(text) && parseQuantity(text) > 0
}

const isNotice = ({ what }: Line): boolean => what === 'shipped' || what === 'withdrawn'

function messagesOf(lines: readonly Numbered[]): ToldByFile[] {
  const groups = Map.groupBy(lines, (line) =>
    JSON.stringify([
      line.company,
      line.supplier,
      line.told_at,
      isNotice(line) ? ['notice', line.notice] : ['order', line.purchase_order],
    ]),
  )
  return [...groups.values()].map((group) => ({
    message: isNotice(group[0]!) ? noticeOf(group) : answerOf(group),
    lines: group.map(({ at }) => at),
  }))
}

const headOf = ([first]: readonly Numbered[]) => ({
  company: first!.company,
  sender: SENDER,
  supplier: first!.supplier,
  at: new Date(first!.told_at),
  tolerance: EXACT,
})

const answerOf = (group: readonly Numbered[]): SupplierMessage => ({
  type: 'supply-answered',
  ...headOf(group),
  purchaseOrder: group[0]!.purchase_order!,
  lines: group.map(({ what, line, item: sku, unit, amount, expected_on: day }) => {
    if (what === 'refused') return { line, sku, unit, parts: [], refused: amount }
    const expectedOn = day ?? (what === 'backordered' ? null : undefined)
    return { line, sku, unit, parts: [{ quantity: amount, expectedOn }], refused: 0 }
  }),
})

const noticeOf = (group: readonly Numbered[]): SupplierMessage => ({
  type: 'supply-shipped',
  ...headOf(group),
  notice: group[0]!.notice!,
  expectedOn: group.find((line) => line.expected_on !== undefined)?.expected_on,
  lines: group
    .filter(({ what }) => what === 'shipped')
    .map(({ purchase_order: number, line, item: sku, unit, amount, lot, expires_on: expiresOn, sscc }) => ({
      purchaseOrder: number!,
      line,
      sku,
      unit,
      quantity: amount,
      lot,
      expiresOn,
      sscc,
    })),
})
