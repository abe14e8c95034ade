/** CSV files of stock: what they say, and which line and field cannot be read. */
import { describe, expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { readStockFile } from '#systems/stock-files/read.ts'

const MOVES =
  'company,location,sku,lot,reason,quantity,unit,at,sequence,mark,purchase_order,purchase_order_line'
const GOOD = 'NWF,CHI-1,10012,L1,receipt,12.5,CA,2026-11-02T08:00:00Z,1,40,4500000017,10'

test('a file of movements is read line by line, in any order of its columns', () => {
  expect(readStockFile(`\uFEFF${MOVES}\r\n${GOOD}\r\n\r\n`)).toEqual({
    kind: 'movements',
    bad: [],
    lines: [
      {
        line: 2,
        company: 'NWF',
        unit: 'CA',
        told: {
          location: 'CHI-1',
          sku: '10012',
          lot: 'L1',
          reason: 'receipt',
          quantity: units(12.5),
          at: new Date('2026-11-02T08:00:00Z'),
          sequence: 1,
          mark: 40,
          purchaseOrder: { number: '4500000017', line: 10 },
          transfer: undefined,
        },
      },
    ],
  })
  const turned =
    'at,quantity,reason,sku,location,company\n2026-11-02T08:00:00+01:00,-3,count,10012,CHI-1,NWF\n'
  expect(readStockFile(turned).lines).toMatchObject([
    { unit: undefined, told: { quantity: units(-3), at: new Date('2026-11-02T07:00:00Z') } },
  ])
})

test('a movement names its units, separated by semicolons, each once', () => {
  const line = (serials: string) => `company,location,sku,reason,quantity,at,serials
NWF,CHI-1,10012,receipt,2,2026-11-02T08:00:00Z,${serials}
`
  expect(readStockFile(line('S1; S2'))).toMatchObject({
    bad: [],
    lines: [{ told: { serials: ['S1', 'S2'] } }],
  })
  for (const bad of ['S1;S1', 'S1;;S2'])
    expect(readStockFile(line(bad)).bad).toMatchObject([
      { field: 'serials', code: 'inventory.line_malformed' },
    ])
})

describe('a line of either kind says when its lot expires', () => {
  const at = '2026-11-02T08:00:00Z'
  test.each([
    ['movement', `sku,reason,quantity,at`, `10012,receipt,2,${at}`],
    ['count', `sku,available,taken_at`, `10012,2,${at}`],
  ])('a %s: as a day, and of a lot that it names', (_, columns, fields) => {
    const read = (lot: string, day: string) =>
      readStockFile(`company,location,${columns},lot,expires_on\nNWF,CHI-1,${fields},${lot},${day}\n`)
    const [good] = read('L1', '2027-05-31').lines
    expect(good!.told).toMatchObject({ lot: 'L1', expiresOn: '2027-05-31' })
    expect(read('L1', '').bad).toEqual([])
    const bad = [read('L1', '2027-02-30'), read('L1', '31.5.2027'), read('', '2027-05-31')]
    const problem = { line: 2, field: 'expires_on', code: 'inventory.line_malformed' }
    expect(bad.map((file) => [file.lines.length, ...file.bad])).toEqual([
      [0, { ...problem, message: 'expires_on "2027-02-30" is not a day, such as 2027-05-31' }],
      [0, { ...problem, message: 'expires_on "31.5.2027" is not a day, such as 2027-05-31' }],
      [0, { ...problem, message: 'expires_on says when a lot expires: name it in the column lot' }],
    ])
  })
})

test('a file of what was counted is a snapshot', () => {
  const text =
    'company,location,sku,available,quality_hold,taken_at,sequence\nNWF,CHI-1,10012,7,,2026-11-02T08:00:00Z,3\n'
  expect(readStockFile(text)).toMatchObject({
    kind: 'snapshot',
    bad: [],
    lines: [
      {
        takenAt: new Date('2026-11-02T08:00:00Z'),
        mark: undefined,
        told: { available: units(7), qualityHold: 0, damaged: 0, sequence: 3 },
      },
    ],
  })
})

describe('a line that cannot be read is named with its field, and its neighbours are read', () => {
  test.each([
    ['sku', 'inventory.line_malformed', GOOD.replace('10012', '')],
    ['reason', 'inventory.line_malformed', GOOD.replace('receipt', 'magic')],
    ['quantity', 'quantity.malformed', GOOD.replace('12.5', '1.23456')],
    ['at', 'inventory.line_malformed', GOOD.replace('2026-11-02T08:00:00Z', '2/11/2026')],
    ['sequence', 'inventory.line_malformed', GOOD.replace(',1,40', ',0,40')],
  ])('%s', (field, code, line) => {
    const { lines, bad } = readStockFile([MOVES, GOOD, line, GOOD].join('\n'))
    expect(lines.map((one) => one.line)).toEqual([2, 4])
    expect(bad).toMatchObject([{ line: 3, field, code }])
  })

  test('less than nothing was counted', () => {
    const text = 'company,location,sku,available,taken_at\nNWF,CHI-1,10012,-1,2026-11-02T08:00:00Z\n'
    expect(readStockFile(text).bad).toMatchObject([
      { line: 2, field: 'available', code: 'items.quantity_not_positive' },
    ])
  })
})

test.each([
  ['it lacks a column', 'company,location,sku\nNWF,CHI-1,10012\n', /lacks reason, quantity, at/],
  ['it has one that nobody knows', `${MOVES},colour\n${GOOD},red\n`, /no column colour/],
  ['a line has too many fields', `${MOVES}\n${GOOD},more\n`, /Invalid Record Length/],
  ['it is empty', '', /lacks company/],
])('a file is refused when %s', (_, text, why) => {
  expect(() => readStockFile(text)).toThrow(why)
  expect(() => readStockFile(text)).toThrow(
    expect.objectContaining({ code: 'inventory.file_unreadable' }) as Error,
  )
})
