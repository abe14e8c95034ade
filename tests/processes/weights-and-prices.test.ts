/** Goods sold by weight whose ERP or warehouse leaves something out: what is billed is still what was agreed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CATCH_WEIGHT, openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const [BY_PIECE, UNWEIGHED] = ['42001', '42002']
const PIECE_MINOR = 2_499
const KILOGRAM_MINOR = 1_733
const KILOGRAMS_OF_A_PIECE = 2.5

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      {
        number: BY_PIECE,
        priceMinor: PIECE_MINOR,
        stock: { DC1: 40 },
        item: { ...CATCH_WEIGHT, priceUnit: 'EA' },
      },
      {
        number: UNWEIGHED,
        priceMinor: KILOGRAM_MINOR,
        stock: { DC1: 40 },
        item: { ...CATCH_WEIGHT, catchWeight: false },
      },
    ],
    [{ number: '500001' }],
  )
  // the warehouse weighs nothing of it, since it does not know that it is sold by weight
  await house.query('update items.item set catch_weight = true where sku = $1', [UNWEIGHED])
}, 60_000)
afterAll(() => house.end())

type Sums = { ordered: number; invoiced: number; number: string }

async function sumsOf(order: Placed): Promise<Sums> {
  const posted = () =>
    house.query<Sums>(
      `select o.total_minor as ordered, i.net_minor as invoiced, i.number
       from orders.sales_order o join billing.invoice i on i.order_id = o.id
       where o.id = $1 and i.posted_at is not null`,
      [order.doc],
    )
  await expect.poll(posted, { timeout: 10_000 }).toHaveLength(1)
  return (await posted())[0]!
}

const netAtErp = (invoice: string) =>
  house.landscape.legacyErp.truth().invoices.find(({ number }) => number === invoice)?.netMinor

test('a price for a piece is charged for each piece, whatever it weighs', async () => {
  const order = await house.order({ lines: [[BY_PIECE, 2, 'CA']] })
  const { ordered, invoiced, number } = await sumsOf(order)
  expect([ordered, invoiced]).toEqual([8 * PIECE_MINOR, 8 * PIECE_MINOR])
  expect(netAtErp(number)).toBe(invoiced)
})

test('what left unweighed is charged by what it weighs nominally, and somebody is asked to weigh', async () => {
  const order = await house.order({ lines: [[UNWEIGHED, 7]] })
  const { ordered, invoiced, number } = await sumsOf(order)
  const nominal = Math.round(7 * KILOGRAMS_OF_A_PIECE * KILOGRAM_MINOR)
  expect([ordered, invoiced]).toEqual([nominal, nominal])
  expect(netAtErp(number)).toBe(invoiced)
  expect(await house.openExceptions('billing.weight_missing')).toMatchObject([
    { cause: `billing.weight_missing:DC1:${UNWEIGHED}` },
  ])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
