/** What clerks of both ERPs sell: read, kept, explained and listed; it ends there when it ends here, and ours count once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkInvariants } from '../../src/app-invariants.ts'
import { BEGINNING } from '#platform/invariants.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type FrontDoor, openFrontDoor, shipsAtOnce } from '#tests/routes/front-door.ts'

const PATH = '/process/inventory/v1/external-reservations'

let house: FrontDoor
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  house = await openFrontDoor()
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
})

async function readAgain(): Promise<void> {
  await query('update reading.turn set due_at = now()')
  expect((await house.app.sync(() => undefined)).failures).toEqual([])
}

/** An item of which there is plenty at the place. */
function plenty(company: 'NWF' | 'NWI') {
  const { world } = house.landscape
  const row = world.stock.find((one) => {
    const item = world.items.find(({ number, company: of }) => number === one.item && of === one.company)!
    return (
      one.company === company &&
      one.status === 'available' &&
      one.quantity > 100 &&
      !item.discontinued &&
      !item.catchWeight
    )
  })!
  const customer = world.customers.find((one) => one.company === company)!
  const item = world.items.find(({ number, company: of }) => number === row.item && of === company)!
  return { site: row.site, item: item.number, unit: item.baseUnit, customer: customer.number }
}

async function placeOf(company: string, sku: string, site: string) {
  const { body } = await house.send('POST', '/process/available-to-promise/v1/availability:query', {
    body: { company, explain: true, maxAgeMs: 0, items: [{ sku }] },
  })
  const [answer] = body['items'] as {
    places: { location: string; available: string; explain: Record<string, string> }[]
  }[]
  return answer!.places.find(({ location }) => location === site)!
}
const list = async (company: string, sku?: string) => {
  const { status, body } = await house.send('GET', `${PATH}?company=${company}${sku ? `&sku=${sku}` : ''}`)
  expect(status).toBe(200)
  return body['items'] as Record<string, string>[]
}

test.each(['NWF', 'NWI'] as const)(
  'what clerks of %s sell lowers what is promised until it is cancelled',
  async (company) => {
    const erp = company === 'NWF' ? house.landscape.legacyErp : house.landscape.cloudErp
    const { site, item, unit, customer } = plenty(company)
    const before = await placeOf(company, item, site)
    const lines = [{ item, unit, quantity: 7, site }]
    const number = erp.clerks.key({ customer, reference: 'by phone', lines })
    await readAgain()
    const after = await placeOf(company, item, site)
    expect(Number(after.available)).toBe(Number(before.available) - 7)
    expect(after.explain).toMatchObject({
      reservedExternally: '7',
      reservedByOrders: before.explain['reservedByOrders'],
    })
    expect(after.explain['steps']).toContainEqual(
      expect.objectContaining({ what: 'sold by other systems', change: '-7' }),
    )
    expect(await list(company, item)).toMatchObject([
      { document: number, owner: customer, reference: 'by phone', kind: 'order', wanted: '7', claimed: '7' },
    ])

    erp.clerks.cancel(number)
    await readAgain()
    expect((await placeOf(company, item, site)).available).toBe(before.available)
    expect(await list(company, item)).toEqual([])
  },
)

test('what is sold over the counter is kept until it is taken away', async () => {
  const { site, item, unit, customer } = plenty('NWF')
  const { clerks } = house.landscape.legacyErp
  const number = clerks.key({ customer, kind: 'counter', lines: [{ item, unit, quantity: 3, site }] })
  await readAgain()
  expect(await list('NWF', item)).toMatchObject([{ document: number, kind: 'counter', claimed: '3' }])
  clerks.deliver(number, '2026-11-02')
  await readAgain()
  expect(await list('NWF', item)).toEqual([])
})

test('orders of ours that both ERPs keep stock for are claimed once', async () => {
  for (let sent = 0; sent < 6; sent++) await house.submit(house.next(shipsAtOnce))
  await atRest(query)
  expect(house.landscape.legacyErp.truth().orders.length).toBeGreaterThan(0)
  await readAgain()
  expect([...(await list('NWF')), ...(await list('NWI'))]).toEqual([])
  expect((await checkInvariants(house.app.database, BEGINNING)).violations).toEqual([])
})

test('a company that is none and a foreign cursor are refused', async () => {
  expect(await house.send('GET', `${PATH}?company=NONE`)).toMatchObject({
    status: 422,
    body: { code: 'inventory.company_unknown' },
  })
  expect(await house.send('GET', `${PATH}?company=NWF&cursor=abc`)).toMatchObject({
    body: { code: 'http.cursor_invalid' },
  })
})
