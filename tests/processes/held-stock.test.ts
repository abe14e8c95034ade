/** Stock on quality hold from the first day: counted, never sold, and sold once the warehouse lets it go. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ourStock, theirStock } from '#tests/support/house-books.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const FOOD = { number: '33001', company: 'NWF', stock: { DC1: 10 }, onHold: { DC1: 5, DC2: 3 } } as const
const PART = {
  number: '43001',
  company: 'NWI',
  stock: { DC1: 10 },
  onHold: { DC1: 5, DC3: 3 },
} as const
const GROCER = { number: '500001', company: 'NWF' } as const
const WORKSHOP = { number: 'C50001', company: 'NWI' } as const
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([FOOD, PART], [GROCER, WORKSHOP])
}, 60_000)
afterAll(() => house.end())

describe.each([
  ['the legacy ERP', FOOD, GROCER, 'DC2'],
  ['the cloud ERP', PART, WORKSHOP, 'DC3'],
] as const)('of %s', (_, { number: sku, company }, { number: customer }, second) => {
  const path = `/process/available-to-promise/v1/availability?company=${company}&sku=${sku}&maxAgeMs=0`
  const available = async () => {
    const rows = (await house.send('GET', path)).body['items'] as { onHand: string }[]
    return rows.filter(({ onHand }) => onHand !== '0')
  }

  test('availability tells it apart, and promises nothing of it', async () => {
    expect(await available()).toMatchObject([
      { location: 'DC1', onHand: '15', onHold: '5', available: '10' },
      { location: second, onHand: '3', onHold: '3', available: '0' },
    ])
  })

  test('an order gets what is for sale and waits for the rest, until the warehouse releases it', async () => {
    const order = await house.order({ company, customer, lines: [[sku, 12]] })
    expect(order.body['outcome']).toBe('partially-allocated')
    await expect
      .poll(() => house.lines(order), { timeout: 10_000 })
      .toMatchObject([{ shipped: 10, backordered: 2 }])
    house.landscape.wms.adjust({ site: second, owner: company, sku, delta: -2, reason: 'RELEASE' })
    await house.closed(order)
    expect(await available()).toMatchObject([
      { location: 'DC1', onHand: '5', onHold: '5', available: '0' },
      { location: second, onHand: '1', onHold: '1', available: '0' },
    ])
  })
})

test('at the end our books and the shelves agree, status by status', async () => {
  expect(await ourStock(house.query)).toEqual(theirStock(house.landscape))
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
