/** Holds with an end: an order on which nobody decides is taken back by itself, and what it kept goes to others. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '38001'
const OTHER = '38002'
const POOR = '500002'
const SECOND_IN_DAYS = 1 / 86_400

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 3 } },
      { number: OTHER, stock: { DC1: 30 } },
    ],
    [{ number: '500001' }, { number: POOR, creditLimitMinor: 100 }],
    { company: { holds: { expireAfterDays: 2 * SECOND_IN_DAYS } } },
  )
}, 60_000)
afterAll(() => house.end())

const ended = async (order: Placed) => (await house.holdsOf(order)).map(({ type, status }) => [type, status])

test('an order on whose hold nobody decides in time is cancelled; who waits for its stock gets it', async () => {
  const held = await house.order({ customer: POOR, lines: [[SKU, 3]] })
  expect(held.body).toMatchObject({ outcome: 'accepted-with-holds' })
  const waiting = await house.order({ lines: [[SKU, 2]] })
  expect(waiting.body).toMatchObject({ outcome: 'backordered' })
  await expect.poll(() => house.stageOf(held), { timeout: 15_000 }).toBe('cancelled')
  expect(await ended(held)).toEqual([['credit', 'expired']])
  expect(await house.openExceptions('orders.hold.credit')).toEqual([])
  await house.closed(waiting)
  expect(await house.lines(waiting)).toMatchObject([{ shipped: 2 }])
  const [asked] = await house.query<{ reason: string }>(
    `select data ->> 'reason' as reason from log.event where key = $1 and type = 'order.cancel_requested'`,
    [held.doc],
  )
  expect(asked).toEqual({ reason: 'nobody decided on its hold in time' })
  const audited = await house.query(
    `select action, actor, reason from audit.entry where doc = $1 order by position`,
    [held.doc],
  )
  expect(audited.at(-1)).toEqual({
    action: 'orders.cancel',
    actor: 'process',
    reason: 'nobody decided on its hold in time',
  })
})

test('a hold that is released in time ends nothing', async () => {
  const order = await house.order({ customer: POOR, lines: [[OTHER, 3]] })
  await house.releaseHold(order, 'credit')
  await house.closed(order)
  expect([await house.stageOf(order), await ended(order)]).toEqual(['closed', [['credit', 'resolved']]])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
