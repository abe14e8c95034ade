/** CSV files of supply: what they say in our words, and what is wrong by line and column. */
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { readSupplyFile } from '#systems/supply-files/read.ts'

const HEADER =
  'company,supplier,told_at,what,purchase_order,line,item,quantity,unit,expected_on,notice,lot,expires_on,sscc'
const file = (...lines: readonly string[]) => readSupplyFile([HEADER, ...lines].join('\n'))
const HEAD = 'NWF,V1,2026-11-20T09:00:00+01:00'

test('lines of one purchase order are one answer, those of a notice one notice', () => {
  const { told, bad } = file(
    `${HEAD},confirmed,P-1,10,,60,CA,2026-12-01,,,,`,
    `${HEAD},backordered,P-1,,A,12.5,,,,,,`,
    `${HEAD},refused,P-1,20,B,3,EA,,,,,`,
    `${HEAD},shipped,P-1,10,,40,CA,2026-11-24,N-1,L-1,2027-11-30,100360002914500014`,
    `${HEAD},shipped,P-2,,A,5,,,N-1,,,`,
    `${HEAD},withdrawn,,,,,,,N-2,,,`,
  )
  expect(bad).toEqual([])
  const common = { company: 'NWF', supplier: 'V1', at: new Date('2026-11-20T08:00:00Z') }
  expect(told).toMatchObject([
    {
      lines: [2, 3, 4],
      message: {
        ...common,
        type: 'supply-answered',
        purchaseOrder: 'P-1',
        lines: [
          { line: 10, unit: 'CA', parts: [{ quantity: units(60), expectedOn: '2026-12-01' }], refused: 0 },
          { sku: 'A', parts: [{ quantity: 125_000, expectedOn: null }] },
          { line: 20, sku: 'B', parts: [], refused: units(3) },
        ],
      },
    },
    {
      lines: [5, 6],
      message: {
        ...common,
        type: 'supply-shipped',
        notice: 'N-1',
        expectedOn: '2026-11-24',
        lines: [
          {
            purchaseOrder: 'P-1',
            line: 10,
            quantity: units(40),
            lot: 'L-1',
            expiresOn: '2027-11-30',
            sscc: '100360002914500014',
          },
          { purchaseOrder: 'P-2', sku: 'A', quantity: units(5) },
        ],
      },
    },
    { lines: [7], message: { type: 'supply-shipped', notice: 'N-2', lines: [] } },
  ])
})

test.each([
  [`${HEAD},promised,P-1,10,,60,,,,,,`, 'what', /is none of confirmed, backordered/],
  ['NWF,V1,yesterday,confirmed,P-1,10,,60,,,,,,', 'told_at', /such as 2026-11-20T09:00:00Z/],
  [`${HEAD},confirmed,P-1,0,,60,,,,,,`, 'line', /whole number from 1/],
  [`${HEAD},confirmed,P-1,10,,-60,,,,,,`, 'quantity', /no quantity above 0/],
  [`${HEAD},confirmed,P-1,10,,1.00001,,,,,,`, 'quantity', /no quantity above 0/],
  [`${HEAD},confirmed,P-1,,,60,,,,,,`, 'item', /or line is needed/],
  [`${HEAD},confirmed,,10,,60,,,,,,`, 'purchase_order', /is needed/],
  [`${HEAD},shipped,P-1,10,,60,,,,,,`, 'notice', /is needed/],
  [`${HEAD},confirmed,P-1,10,,60,,2026-02-30,,,,`, 'expected_on', /no day such as/],
  [`,V1,2026-11-20T09:00:00Z,confirmed,P-1,10,,60,,,,,,`, 'company', /is empty/],
])('a line that cannot be used is named by its column, and nothing is taken: %s', (line, field, message) => {
  const { told, bad } = file(`${HEAD},confirmed,P-9,10,,1,,,,,,`, line)
  expect(told).toEqual([])
  expect(bad).toEqual([{ line: 3, field, message: expect.stringMatching(message) }])
})

test.each([
  ['company,supplier,told_at\nNWF,V1,x', /lacks what/],
  ['company,supplier,told_at,what,color\nNWF,V1,x,y,red', /no column color; there are company/],
  ['company,supplier\n"NWF', /Quote Not Closed|quote/i],
  [
    [HEADER, ...Array.from({ length: 10_001 }, () => `${HEAD},confirmed,P-1,1,,1,,,,,,`)].join('\n'),
    /at most 10000/,
  ],
])('a file that is none of ours is refused whole', (text, message) => {
  expect(() => readSupplyFile(text)).toThrow(
    expect.objectContaining({ code: 'supply.file_unreadable', message: expect.stringMatching(message) }),
  )
})
