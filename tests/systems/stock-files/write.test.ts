/** Feed files of what can be promised: what stands in them, read back as their readers would. */
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import type { StockFeed } from '#capabilities/channel.ts'
import { parseQuantity } from '#platform/quantity.ts'
import { feedText } from '#systems/stock-files/write.ts'

const line = (sku: string, available: string, more: object = {}): StockFeed['lines'][number] => ({
  sku,
  unit: 'EA',
  available: parseQuantity(available),
  confidence: 'normal',
  changedAt: new Date('2026-03-02T08:59:59.5Z'),
  version: 7,
  ...more,
})
const feed: StockFeed = {
  company: 'NWF',
  channel: 'shop',
  asOf: new Date('2026-03-02T09:00:00Z'),
  formula: 3,
  lines: [line('10012', '440'), line('A "B", C', '0.5', { confidence: 'careful' })],
}
const rows = [
  {
    company: 'NWF',
    channel: 'shop',
    sku: '10012',
    unit: 'EA',
    available: '440',
    confidence: 'normal',
    changed_at: '2026-03-02T08:59:59.500Z',
    version: '7',
    as_of: '2026-03-02T09:00:00.000Z',
    formula: '3',
  },
  expect.objectContaining({ sku: 'A "B", C', available: '0.5', confidence: 'careful' }),
]

test('a CSV file has a header, and every sku comes back as it was', () => {
  expect(parse(feedText('csv', feed), { columns: true })).toEqual(rows)
})

test('a file of JSON lines says the same', () => {
  const lines = feedText('jsonl', feed).trimEnd().split('\n')
  const texts = lines.map((one) =>
    Object.fromEntries(
      Object.entries(JSON.parse(one) as object).map(([name, value]) => [name, String(value)]),
    ),
  )
  expect(texts).toEqual(rows)
})

test('a channel without items is a file with a header', () => {
  expect(feedText('csv', { ...feed, lines: [] })).toBe(
    'company,channel,sku,unit,available,confidence,changed_at,version,as_of,formula\n',
  )
})
