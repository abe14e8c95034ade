/** A disk that fills up stops what would fill it further, before PostgreSQL has to stop for it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { diskRoom } from '#platform/disk-room.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'

const O2C = '/process/order-to-cash/v1/orders'
const WAIT = { timeout: 15_000 }
const clock = fakeClock(systemClock.now())
let used = 0.5
const disk = diskRoom({ clock, folders: ['/data'], spaceOf: () => Promise.resolve({ used, freeBytes: 0 }) })

let house: House
beforeAll(async () => {
  house = await openHouse({ plannedOrders: 60, disk })
}, 60_000)
afterAll(() => house.end())

/** The figure is some seconds old; the first who asks has it read. */
async function measured(share: number): Promise<void> {
  used = share
  await clock.advance(5_000)
  try {
    disk.assert()
  } catch {
    // by the figure of before
  }
  await clock.settle()
}

test('orders are answered 503 while a disk is nearly full, and what was accepted is read and goes on to its end', async () => {
  const [first, second] = house.landscape.world
    .orders(60)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
  const taken = await submit(house.url, first!, 'before')
  expect(taken.status).toBe(201)
  await measured(0.95)
  const refused = await submit(house.url, second!, 'full')
  const { retryAfterMs } = refused.body as { retryAfterMs?: number }
  expect([refused.status, retryAfterMs! > 1_000]).toEqual([503, true])
  const order = async () =>
    (await (await fetch(`${house.url}${O2C}/${taken.body.id}`)).json()) as Record<string, unknown>
  await expect.poll(async () => (await order())['stage'], WAIT).toBe('closed')
  await measured(0.5)
  expect((await submit(house.url, second!, 'after')).status).toBe(201)
})
