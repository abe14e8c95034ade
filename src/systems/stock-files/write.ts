/** Writes feed files of what can be promised, as CSV or a JSON object a line; pure. */
import type { StockFeed } from '#capabilities/channel.ts'
import { formatQuantity } from '#platform/quantity.ts'

export type FeedFormat = 'csv' | 'jsonl'

type Row = Readonly<Record<string, string | number>>

const COLUMNS = [
  'company',
  'channel',
  'sku',
  'unit',
  'available',
  'confidence',
  'changed_at',
  'version',
  'as_of',
  'formula',
] as const

/** Both formats say the same. */
export function feedText(format: FeedFormat, feed: StockFeed): string {
  const rows = rowsOf(feed)
  const lines =
    format === 'csv'
      ? [COLUMNS.join(','), ...rows.map((row) => COLUMNS.map((name) => field(row[name]!)).join(','))]
      : rows.map((row) => JSON.stringify(row))
  return lines.map((line) => `${line}\n`).join('')
}

const rowsOf = ({ company, channel, asOf, formula, lines }: StockFeed): Row[] =>
  lines.map(({ sku, unit, available, confidence, changedAt, version }) => ({
    company,
    channel,
    sku,
    unit,
    available: formatQuantity(available),
    confidence,
    changed_at: changedAt.toISOString(),
    version,
    as_of: asOf.toISOString(),
    formula,
  }))

/** RFC 4180. */
const field = (value: string | number): string =>
  /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)
