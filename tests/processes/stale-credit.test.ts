/** Credit figures of an ERP that answers never get too old to decide on; those of a silent one do, and say so. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '35001'
const BUYER = '500001'
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 50 } }], [{ number: BUYER }])
}, 60_000)
afterAll(async () => {
  house.landscape.legacyErp.faults.clear()
  await house.end()
})

const agesBy = (hours: number) =>
  house.query(`update customers.credit_account set receivables_as_of = now() - make_interval(hours => $1)`, [
    hours,
  ])
const areFresh = async () => {
  const [row] = await house.query<{ fresh: boolean }>(
    `select min(receivables_as_of) > now() - interval '1 hour' as fresh from customers.credit_account`,
  )
  return row!.fresh
}
const readAgain = async () => {
  await house.query('update reading.turn set due_at = now()')
  return house.app.sync(() => undefined)
}
const order = () => house.order({ customer: BUYER, lines: [[SKU, 1]] })
const holdOf = async (placed: Awaited<ReturnType<typeof order>>) => (await house.holdsOf(placed))[0]?.reason

test('figures that nobody has confirmed for longer than the company allows hold an order', async () => {
  await agesBy(25)
  expect(await holdOf(await order())).toMatch(/too old to decide on/)
})

test('they are read anew before they are too old, although the customer has not changed', async () => {
  await agesBy(13)
  expect(await readAgain()).toMatchObject({ failures: [] })
  expect(await areFresh()).toBe(true)
  expect(await holdOf(await order())).toBeUndefined()
})

test('they are read anew once in that time, also where one of them stays as old as it is', async () => {
  await agesBy(13)
  await readAgain()
  expect(await areFresh()).toBe(false)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
