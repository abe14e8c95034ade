/** Reads CSV files of stock: movements, or what was counted; pure. */
import { CsvError, parse } from 'csv-parse/sync'
import { z } from 'zod'
import {
  type BadLine,
  type CountLine,
  STOCK_REASONS,
  type StockFact,
  type StockFile,
  type StockReason,
  type UnreadCount,
} from '#capabilities/stock.ts'
import { badOwner, isOwnerCode } from '#domains/inventory/contract/owners.ts'
import { Refusal } from '#platform/faults.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'

const MOVEMENTS = {
  required: ['company', 'location', 'sku', 'reason', 'quantity', 'at'],
  optional: [
    'owner',
    'lot',
    'expires_on',
    'unit',
    'sequence',
    'mark',
    'purchase_order',
    'purchase_order_line',
    'transfer',
    'place',
    'serials',
  ],
} as const
const SNAPSHOT = {
  required: ['company', 'location', 'sku', 'available', 'taken_at'],
  optional: ['owner', 'lot', 'expires_on', 'quality_hold', 'damaged', 'unit', 'sequence', 'mark'],
} as const

type Row = Readonly<Record<string, string>>
type Parsed = { readonly record: Row; readonly raw: string; readonly info: { readonly lines: number } }

/** Refuses a file that has no header of ours; a line that cannot be read is named, with its field. */
export function readStockFile(text: string): StockFile {
  const rows = rowsOf(text)
  const columns = Object.keys(rows[0]?.record ?? {})
  const isSnapshot = columns.includes('available')
  assertHeader(columns, isSnapshot ? SNAPSHOT : MOVEMENTS)
  const bad: BadLine[] = []
  const unread: UnreadCount[] = []
  const lines = <Told>(read: (fields: LineReader, line: number, text: string) => Told): Told[] =>
    rows.flatMap(({ record, raw, info }) => {
      const fields = new LineReader(record)
      const text = raw.trim()
      const told = read(fields, info.lines, text)
      bad.push(...fields.problems.map((problem) => ({ line: info.lines, ...problem })))
      if (fields.problems.length === 0) return [told]
      const { company = '', location = '', sku = '' } = record
      unread.push({ line: info.lines, text, company, location, sku })
      return []
    })
  if (isSnapshot) return { kind: 'snapshot', lines: lines(countOf), bad, unread }
  return { kind: 'movements', lines: lines(factOf), bad }
}

const unreadable = (message: string): Refusal => new Refusal('inventory.file_unreadable', message)

function rowsOf(text: string): Parsed[] {
  try {
    return parse(text, {
      columns: true,
      info: true,
      raw: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[]
  } catch (error) {
    throw error instanceof CsvError ? unreadable(error.message) : error
  }
}

type Header = { readonly required: readonly string[]; readonly optional: readonly string[] }

function assertHeader(columns: readonly string[], { required, optional }: Header): void {
  const missing = required.filter((name) => !columns.includes(name))
  if (missing.length > 0) throw unreadable(`the first line lacks ${missing.join(', ')}`)
  const unknown = columns.filter((name) => !required.includes(name) && !optional.includes(name))
  if (unknown.length > 0)
    throw unreadable(
      `there is no column ${unknown.join(', ')}; there are ${[...required, ...optional].join(', ')}`,
    )
}

/** The fields of a line; what is wrong with them is collected. */
class LineReader {
  readonly problems: Omit<BadLine, 'line'>[] = []
  readonly #row: Row

  constructor(row: Row) {
    this.#row = row
  }

  text(field: string): string {
    const value = this.#row[field] ?? ''
    if (value === '') this.#wrong(field, 'inventory.line_malformed', `${field} is empty`)
    return value
  }

  optional = (field: string): string | undefined => this.#row[field] || undefined

  owner(): string | undefined {
    const value = this.optional('owner')
    if (value !== undefined && !isOwnerCode(value))
      this.#wrong('owner', 'inventory.owner_invalid', badOwner(value))
    return value
  }

  quantity(field: string): Quantity {
    try {
      return parseQuantity(this.#row[field] ?? '')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#wrong(field, error.code, error.message)
      return 0
    }
  }

  notNegative(field: string): Quantity {
    if (this.optional(field) === undefined) return 0
    const quantity = this.quantity(field)
    if (quantity < 0) this.#wrong(field, 'items.quantity_not_positive', `${field} is less than nothing`)
    return quantity
  }

  /** Separated by semicolons, each once. */
  serials(): string[] | undefined {
    const given = this.optional('serials')
      ?.split(';')
      .map((serial) => serial.trim())
    const repeated = given?.find((serial, place) => given.indexOf(serial) !== place)
    if (given?.includes('')) this.#wrong('serials', 'inventory.line_malformed', 'serials has an empty one')
    if (repeated) this.#wrong('serials', 'inventory.line_malformed', `serials names ${repeated} twice`)
    return given
  }

  integer(field: string): number | undefined {
    const value = this.optional(field)
    if (value === undefined) return undefined
    if (!/^[1-9]\d{0,14}$/.test(value))
      this.#wrong(field, 'inventory.line_malformed', `${field} "${value}" is not a whole number from 1`)
    return Number(value)
  }

  instant(field: string): Date {
    const value = this.text(field)
    const at = new Date(value)
    if (
      !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(value) ||
      Number.isNaN(at.getTime())
    )
      this.#wrong(
        field,
        'inventory.line_malformed',
        `${field} "${value}" is not a time with its offset from UTC`,
      )
    return at
  }

  /** The last day on which the lot of the line may be sold. */
  expiresOn(): string | undefined {
    const value = this.optional('expires_on')
    if (value === undefined) return undefined
    if (!z.iso.date().safeParse(value).success) {
      const message = `expires_on "${value}" is not a day, such as 2027-05-31`
      this.#wrong('expires_on', 'inventory.line_malformed', message)
    } else if (this.optional('lot') === undefined) {
      const message = 'expires_on says when a lot expires: name it in the column lot'
      this.#wrong('expires_on', 'inventory.line_malformed', message)
    }
    return value
  }

  reason(): StockReason {
    const value = this.text('reason')
    const reason = STOCK_REASONS.find((known) => known === value)
    if (reason && reason !== 'status-change') return reason
    const known = STOCK_REASONS.filter((one) => one !== 'status-change').join(', ')
    this.#wrong('reason', 'inventory.line_malformed', `"${value}" is no reason; there are ${known}`)
    return 'count'
  }

  #wrong(field: string, code: string, message: string): void {
    if (!this.problems.some((problem) => problem.field === field))
      this.problems.push({ field, code, message })
  }
}

function factOf(fields: LineReader, line: number) {
  const order = fields.optional('purchase_order')
  const transfer = fields.optional('transfer')
  const told: StockFact = {
    location: fields.text('location'),
    sku: fields.text('sku'),
    owner: fields.owner(),
    lot: fields.optional('lot'),
    expiresOn: fields.expiresOn(),
    serials: fields.serials(),
    reason: fields.reason(),
    quantity: fields.quantity('quantity'),
    at: fields.instant('at'),
    sequence: fields.integer('sequence'),
    mark: fields.integer('mark'),
    purchaseOrder:
      order === undefined ? undefined : { number: order, line: fields.integer('purchase_order_line') },
    transfer: transfer === undefined ? undefined : { number: transfer, place: fields.optional('place') },
  }
  return { line, company: fields.text('company'), unit: fields.optional('unit'), told }
}

const countOf = (fields: LineReader, line: number, text: string): CountLine => ({
  line,
  text,
  company: fields.text('company'),
  unit: fields.optional('unit'),
  takenAt: fields.instant('taken_at'),
  mark: fields.integer('mark'),
  told: {
    location: fields.text('location'),
    sku: fields.text('sku'),
    owner: fields.owner(),
    lot: fields.optional('lot'),
    expiresOn: fields.expiresOn(),
    available: fields.notNegative('available'),
    qualityHold: fields.notNegative('quality_hold'),
    damaged: fields.notNegative('damaged'),
    sequence: fields.integer('sequence'),
  },
})
