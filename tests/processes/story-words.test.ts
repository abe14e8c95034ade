/** What a story says of each event. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { titleOf } from '#processes/story-words.ts'

const src = join(import.meta.dirname, '..', '..', 'src')

/** Events of documents as the operations of domains name them. */
async function toldEvents(): Promise<string[]> {
  const files = await readdir(join(src, 'domains'), { recursive: true })
  const operations = files.filter((file) => /operations(\/[^/]+)?\.ts$/.test(file))
  const texts = await Promise.all(operations.map((file) => readFile(join(src, 'domains', file), 'utf8')))
  const found = texts.join('\n').matchAll(/'((?:order|fulfillment|shipment|invoice)\.[a-z_]+)'/g)
  return [...new Set([...found].map(([, type]) => type!))].toSorted()
}

test('every event that a document of an order can have is told in words of its own', async () => {
  const types = await toldEvents()
  expect(types.length).toBeGreaterThan(20)
  const unnamed = types.filter((type) => titleOf({ type, data: {} }, 'USD') === type.replaceAll(/[._]/g, ' '))
  expect(unnamed).toEqual([])
})

test('an event that nobody has words for is named as the log names it', () => {
  expect(titleOf({ type: 'order.sent_to_mars', data: {} }, 'USD')).toBe('order sent to mars')
})

test.each([
  [
    'order.accepted',
    { customerOrder: 'PO-1', customer: '4711', lines: 2, totalMinor: 1_050, allocation: 'backordered' },
    'Order PO-1 of customer 4711 accepted, 2 lines worth 10.50 USD, waiting for stock',
  ],
  ['order.lines_closed_at_erp', { lines: [1] }, 'The ERP expects less of 1 line'],
  ['order.erp_refused', { message: 'gone' }, 'The ERP refused the order: gone'],
  [
    'order.erp_refused',
    { message: 'it is invoiced', refused: 'The ERP will not cancel the order' },
    'The ERP will not cancel the order: it is invoiced',
  ],
  ['order.allocated', { lines: [1] }, 'Stock arrived for 1 line that waited for it'],
  ['order.released', { fulfillments: [{ location: 'DC1' }, { location: 'DC3' }] }, 'Released to DC1 and DC3'],
  ['order.picked', { lines: [1] }, '1 line picked'],
  ['order.picked', { lines: [1, 2], lots: ['L1', 'L2'] }, '2 lines picked, lots L1, L2'],
  ['order.picked_short', { short: [1] }, 'The warehouse did not find all of 1 line'],
  [
    'shipment.confirmed',
    { lines: 1, location: 'DC1', carrier: 'SWIFT', tracking: ['SW1', 'SW2'] },
    '1 line left DC1 with SWIFT: SW1, SW2',
  ],
  [
    'invoice.partially_paid',
    { payment: 9, amountMinor: 100, openMinor: 50 },
    '1.00 USD paid by P-9, 0.50 USD still due',
  ],
  [
    'invoice.payment_reversed',
    { payment: 9, openMinor: 150, reason: 'no funds' },
    'P-9 was taken back, 1.50 USD is due again: no funds',
  ],
])('%s of %j', (type, data, title) => {
  expect(titleOf({ type, data }, 'USD')).toBe(title)
})
