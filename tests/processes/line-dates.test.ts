/** A line that is wanted on a day of its own: the ERP, the warehouse and whoever reads the order know of it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const FOODS = '500001'
const INDUSTRIAL = '500002'
const OTHER = '46002'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 30 } },
      { number: OTHER, company: 'NWI', stock: { DC1: 30 } },
    ],
    [{ number: FOODS }, { number: INDUSTRIAL, company: 'NWI' }],
  )
}, 60_000)
afterAll(() => house.end())

test.each([
  ['NWF', FOODS, SKU],
  ['NWI', INDUSTRIAL, OTHER],
] as const)(
  'the day on which a line of %s is wanted goes along to ERP and warehouse',
  async (company, customer, sku) => {
    const line = { sku, quantity: '1', unit: 'EA' }
    const body = {
      company,
      customer,
      customerOrder: `DATED-${company}`,
      requestedDate: '2026-11-10',
      lines: [
        { ...line, line: '1' },
        { ...line, line: '2', requestedDate: '2026-11-20' },
      ],
    }
    const { body: placed } = await house.send('POST', `${O2C}/orders`, { body })
    const { legacyErp, cloudErp, wms } = house.landscape
    const atErp = () =>
      [...legacyErp.truth().orders, ...cloudErp.truth().orders].find(
        ({ reference }) => reference === placed.id,
      )
    await expect.poll(atErp, { timeout: 10_000 }).toBeDefined()
    expect(atErp()!.lines.map(({ requestedOn }) => requestedOn)).toEqual(['', '2026-11-20'])
    const atWarehouse = () =>
      wms.truth().orders.find(({ customer_ref }) => customer_ref === body.customerOrder)
    await expect.poll(atWarehouse, { timeout: 10_000 }).toBeDefined()
    expect(atWarehouse()!.lines.map(({ ship_by }) => ship_by)).toEqual([null, '2026-11-20'])
    const { body: read } = await house.send('GET', `${O2C}/orders/${placed.id}`)
    expect(read['lines']).toMatchObject([{ line: '1' }, { line: '2', requestedDate: '2026-11-20' }])
    expect((read['lines'] as object[])[0]).not.toHaveProperty('requestedDate')
  },
)

test('nobody complains', () => expect(house.complaints).toEqual([]))
