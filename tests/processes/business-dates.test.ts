/** What has a date has that of its company, whatever day it is elsewhere. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { localDate } from '#platform/time-zone.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const TAXED = '47001'
const TODAY_ONLY = '47002'
const now = systemClock.now()
/** A place where it is another day than in Greenwich now. */
const ZONE = now.getUTCHours() < 12 ? 'Etc/GMT+12' : 'Pacific/Kiritimati'
const today = localDate(now, ZONE)

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [TAXED, TODAY_ONLY].map((number) => ({ number, stock: { DC1: 30 } })),
    [{ number: '500001' }],
    { company: { timeZone: ZONE } },
  )
  await house.query(
    `update pricing.price set valid_from = $1::date, valid_to = $1::date
     where item_id = (select id from items.item where sku = $2)`,
    [today, TODAY_ONLY],
  )
}, 60_000)
afterAll(() => house.end())

test('tax is determined for the day on which the goods left their company', async () => {
  const order = await house.order({ lines: [[TAXED, 1]] })
  await house.closed(order)
  const dates = () => house.landscape.tax.truth().transactions.map(({ date }) => date)
  await expect.poll(dates, { timeout: 10_000 }).toEqual([today])
})

test('a price of that day alone is the price of an order that names no date', async () => {
  expect(today).not.toBe(now.toISOString().slice(0, 10))
  expect((await house.order({ lines: [[TODAY_ONLY, 1]] })).body).toMatchObject({ outcome: 'accepted' })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
