/** How often an order's transactions go to the database and back, which is most of what they cost. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toOrderRequest } from '../../src/demo.ts'
import type { Connections } from '#platform/database.ts'
import { openHouse, type House } from '#tests/support/house.ts'

/** The statements of each journey of a transaction. */
type Journeys = string[][]

const transactions: Journeys[] = []
let silencesHeard = 0

/** What is asked in one turn of the loop travels together. */
function watched(inner: Connections): Connections {
  return {
    async acquire() {
      const session = await inner.acquire()
      const journeys: Journeys = []
      transactions.push(journeys)
      let underWay: string[] | undefined
      return {
        async execute(statement, values) {
          if (!underWay) {
            journeys.push((underWay = []))
            process.nextTick(() => (underWay = undefined))
          }
          underWay.push(statement.name)
          const answer = await session.execute(statement, values)
          if (statement.name === 'inventory.source_states') silencesHeard++
          return answer
        },
        release: (broken) => session.release(broken),
      }
    },
  }
}

const journeysWith = (statement: string): Journeys | undefined =>
  transactions.find((journeys) => journeys.some((names) => names.includes(statement)))

let house: House
beforeAll(async () => {
  house = await openHouse({ watch: watched, checks: false })
  house.app.keepUp()
}, 60_000)
afterAll(() => house.end())

test("an order's transactions go no more often to the database and back than they must", async () => {
  // Until this process has heard that nobody is silent, it asks for it in each acceptance; the watch over all asks too.
  await expect.poll(() => silencesHeard, { timeout: 10_000 }).toBeGreaterThan(1)
  transactions.length = 0
  const order = house.landscape.world
    .orders(100)
    .find((one) => one.expected === 'ships_at_once' && one.case === 'regular')!
  const response = await fetch(`${house.url}/process/order-to-cash/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
    body: JSON.stringify(toOrderRequest(order)),
  })
  expect(response.status).toBe(201)
  await expect
    .poll(() => journeysWith('billing.post')?.flat(), { timeout: 10_000 })
    .toContain('database.commit')
  const times = (statement: string): number => journeysWith(statement)!.length
  expect({
    accepted: times('orders.insert'),
    atTheErp: times('orders.set_erp_number'),
    atTheWarehouse: times('shipments.accept_fulfillments'),
    shipped: times('shipments.insert_shipments'),
    invoiced: times('billing.post'),
  }).toEqual({ accepted: 4, atTheErp: 4, atTheWarehouse: 2, shipped: 9, invoiced: 2 })
})
