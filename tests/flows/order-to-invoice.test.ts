/** One order over the API, from its submission to the posted invoice, against the simulated systems. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toOrderRequest } from '../../src/demo.ts'
import { openHouse, type House } from '#tests/support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
}, 60_000)
afterAll(() => house.end())

test('an order that ships at once ends as a posted invoice, once at every system', async () => {
  const order = house.landscape.world
    .orders(100)
    .find((one) => one.expected === 'ships_at_once' && one.case === 'regular')!
  const response = await fetch(`${house.url}/process/order-to-cash/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'first-order' },
    body: JSON.stringify(toOrderRequest(order)),
  })
  const answer = (await response.json()) as { id: string; outcome: string }
  expect(answer).toMatchObject({ outcome: 'accepted' })
  expect(response.status).toBe(201)
  await expect
    .poll(
      () =>
        house.landscape.legacyErp.truth().invoices.length + house.landscape.cloudErp.truth().invoices.length,
      { timeout: 10_000 },
    )
    .toBe(1)
  expect(house.complaints).toEqual([])
}, 30_000)
