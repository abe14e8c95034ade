/** A backorder run is planned from several readings, between which others go on: what moved meanwhile is left out of it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { BackorderRules } from '#domains/inventory/contract/backorder-runs.ts'
import { planMoves } from '#processes/backorder-plan.ts'
import { Care } from '#processes/care.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const [SKU, MISSING] = ['47201', '47202']
const RULES = {
  segments: [
    { class: 'win', when: { customers: ['500003'] } },
    { class: 'lose', when: { customers: ['500002'] } },
  ],
}

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [{ number: SKU, stock: { DC1: 10 } }, { number: MISSING }],
    [{ number: '500002', creditBlocked: true }, { number: '500003' }],
  )
}, 60_000)
afterAll(() => house.end())

/** Does this before the lines of the orders are read, once. */
function before(act: () => Promise<unknown>): Queries {
  let pending: Promise<unknown> | undefined
  return {
    async query(statement, values) {
      if (statement.name === 'orders.lines') await (pending ??= act())
      return house.app.database.query(statement, values)
    },
  }
}

test('a line that is served while a run is planned gains nothing by it', async () => {
  const held = (quantity: number) => house.order({ customer: '500002', lines: [[SKU, quantity]] })
  const [leaving] = [await held(6), await held(4)]
  const winner = await house.order({
    customer: '500003',
    shippingRule: 'ship-complete',
    lines: [
      [SKU, 6],
      [MISSING, 1],
    ],
  })
  const ports = {
    clock: systemClock,
    care: new Care([], systemClock),
    company: { code: 'NWF', locations: ['DC1'], timeZone: 'UTC' },
  }
  const asked = { items: [SKU], rules: BackorderRules.parse(RULES) }
  const { moves } = await planMoves(house.app.database, ports, asked)
  expect(moves.map(({ quantity }) => quantity).toSorted((a, b) => a - b)).toEqual([-4, -2, 6].map(units))

  const serve = async (): Promise<void> => {
    const body = { reason: 'changed plans' }
    await house.send('POST', `${O2C}/orders/${leaving.body.id}:cancel`, { body })
    await expect.poll(() => house.lines(winner)).toMatchObject([{ reserved: 6 }, { backordered: 1 }])
  }
  expect((await planMoves(before(serve), ports, asked)).moves).toEqual([])
})
