/** Customers who want goods to live for so many days after they ship, from their order to the warehouse. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { localDate } from '#platform/time-zone.ts'
import { watchShelfLives } from '#processes/shelf-life-watch.ts'
import { bearer, O2C, type Reply } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { depotVoice, type DepotVoice } from './depot-voice.ts'
import { openWholesaler, type Placed, type Wanted, type Wholesaler } from './wholesaler.ts'

const INVENTORY = '/process/inventory/v1'
const SKUS = Array.from({ length: 17 }, (_, at) => String(49_001 + at))
const RARE = '49100'
const PLAIN = '49200'
const WITHIN = { timeout: 10_000 }
/** Who wants nothing, 60 days and 20 days. */
const [ANY, LONG, SHORT] = ['500001', '500002', '500003'] as const

const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
/** Does for nobody who asks; for who wants 20 days; for all. */
const [OLD, MIDDLE, FRESH] = [dayIn(10), dayIn(40), dayIn(400)]

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, item: { lotControlled: true } })),
      { number: RARE },
      { number: PLAIN, stock: { DC1: 10 } },
    ],
    [{ number: ANY }, { number: LONG, shelfLifeDays: 60 }, { number: SHORT, shelfLifeDays: 20 }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!
const look = () =>
  watchShelfLives({
    database: house.app.database,
    runner: () => house.app.worker.runner(),
    ports: {
      clock: systemClock,
      company: () => ({ timeZone: 'America/New_York', locations: ['DC1', 'DC2'] }),
    },
    locations: ['DC1', 'DC2'],
  })
const act = (verb: string, sku: string, lot: string, more: object): Promise<Reply> =>
  house.send('POST', `${INVENTORY}/lots:${verb}`, { body: { company: 'NWF', sku, lot, ...more } })
async function found(sku: string, lot: string, quantity: number, expiresOn?: string): Promise<void> {
  if (expiresOn) await act('set', sku, lot, { expiresOn })
  const line = { kind: 'found', sku, lot, location: 'DC1', quantity: String(quantity) }
  const body = { company: 'NWF', reason: 'correction', reference: 'note 1', lines: [line] }
  expect((await house.send('POST', `${INVENTORY}/adjustments`, { body })).status).toBe(201)
}

const order = (
  customer: string,
  sku: string,
  quantity: number,
  more: Partial<Wanted> = {},
): Promise<Placed> => house.order({ customer, lines: [[sku, quantity]], ...more })
/** Keeps its stock and asks no warehouse for it, since it wants to be shipped whole. */
const keeping = (customer: string, sku: string, quantity: number): Promise<Placed> =>
  house.order({
    customer,
    shippingRule: 'ship-complete',
    lines: [
      [sku, quantity],
      [RARE, 1],
    ],
  })
const given = ({ body }: Placed) => {
  const [line] = body['lines'] as { reserved: string; backordered: string; reason?: object }[]
  return [Number(line!.reserved), Number(line!.backordered)]
}
const reasonOf = ({ body }: Placed) =>
  (body['lines'] as { reason?: { code: string; message: string } }[])[0]!.reason
const openOf = async (placed: Placed) => {
  const [line] = await house.lines(placed)
  return [line!.reserved + line!.released, line!.backordered]
}
type Asked = { doc: number; state: string; minimum: string | null; lots: [string, number][] }
const requestsOf = ({ doc }: Placed): Promise<Asked[]> =>
  house.query<Asked>(
    `select f.id as doc, f.state, l.minimum_expiry::text as minimum,
       (select json_agg(json_build_array(r.lot, r.quantity) order by r.n) from shipments.requested_lot r
        where r.fulfillment_id = f.id and r.line = l.line) as lots
     from shipments.fulfillment f join shipments.fulfillment_line l on l.fulfillment_id = f.id
     where order_id = $1 order by f.id, l.line`,
    [doc],
  )
const atWarehouse = (request: number) =>
  house.landscape.wms.truth().orders.find(({ external_ref }) => external_ref === `F-${request}`)?.lines
const told = async (sku: string) =>
  (await house.openExceptions('shipments.shelf_life_short')).filter(({ title }) => title.includes(sku))

describe('a customer who wants goods to live for 60 days', () => {
  test('is given and sent lots that do, and the warehouse is told the first day on which they may expire', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'FRESH', 10, FRESH)
    const before = localDate(new Date(), 'America/New_York')
    const placed = await order(LONG, sku, 6)
    expect(given(placed)).toEqual([6, 0])
    await expect
      .poll(() => requestsOf(placed), WITHIN)
      .toMatchObject([{ state: 'accepted', lots: [['FRESH', 6]] }])
    const [request] = await requestsOf(placed)
    const after = localDate(new Date(), 'America/New_York')
    const days = [before, after].map((day) =>
      new Date(Date.parse(day) + 60 * 86_400_000).toISOString().slice(0, 10),
    )
    expect(days).toContain(request!.minimum)
    expect(atWarehouse(request!.doc)).toMatchObject([{ lot: 'FRESH', qty: 6, min_expiry: request!.minimum }])
    const { body } = await house.send('GET', `${O2C}/orders/${placed.body.id}`)
    expect(body['lines']).toMatchObject([{ minimumShelfLifeDays: 60 }])
  })

  test('waits for lots that do while others are sold what is there, is told why, and is served when they come', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'FRESH', 4, FRESH)
    const placed = await order(LONG, sku, 6)
    expect(given(placed)).toEqual([4, 2])
    const { body: queue } = await house.send('GET', `${INVENTORY}/waiting?company=NWF`)
    const waits = (queue['items'] as { sku: string; shelfLife: number }[]).filter((one) => one.sku === sku)
    expect(waits).toMatchObject([{ lines: 1, quantity: '2', shelfLife: 1 }])
    expect(reasonOf(placed)).toMatchObject({
      code: 'inventory.shelf_life_short',
      message: expect.stringContaining('DC1'),
    })
    const other = await order(ANY, sku, 8)
    expect([given(other), reasonOf(other)]).toEqual([[8, 0], undefined])
    const late = await order(LONG, sku, 1)
    expect(given(late)).toEqual([0, 1])
    await found(sku, 'NEW', 2, FRESH)
    await expect.poll(() => openOf(placed), WITHIN).toEqual([6, 0])
    expect(await openOf(late)).toEqual([0, 1])
    await found(sku, 'NEWER', 1, FRESH)
    await expect.poll(() => openOf(late), WITHIN).toEqual([1, 0])
  })

  test('is served as soon as somebody says that a lot lives long enough', async () => {
    const sku = next()
    await found(sku, 'L1', 5)
    const placed = await order(LONG, sku, 5)
    expect(given(placed)).toEqual([0, 5])
    await act('set', sku, 'L1', { expiresOn: FRESH })
    await expect.poll(() => openOf(placed), WITHIN).toEqual([5, 0])
  })

  test('waits behind nobody who takes any lot, and holds up nobody who does', async () => {
    const sku = next()
    const first = await order(LONG, sku, 5)
    const second = await order(ANY, sku, 5)
    const third = await order(LONG, sku, 5)
    expect([given(first), given(second), given(third)]).toEqual([
      [0, 5],
      [0, 5],
      [0, 5],
    ])
    await found(sku, 'OLD', 5, OLD)
    await expect.poll(() => openOf(second), WITHIN).toEqual([5, 0])
    expect([await openOf(first), await openOf(third)]).toEqual([
      [0, 5],
      [0, 5],
    ])
    await found(sku, 'FRESH', 7, FRESH)
    await expect.poll(() => openOf(third), WITHIN).toEqual([2, 3])
    expect(await openOf(first)).toEqual([5, 0])
  })

  test('shares lots with who wants 20 days so that both are served whatever they are sent', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'MIDDLE', 10, MIDDLE)
    await found(sku, 'FRESH', 10, FRESH)
    const kept = await keeping(SHORT, sku, 12)
    expect(given(kept)).toEqual([12, 0])
    const long = await keeping(LONG, sku, 10)
    expect(given(long)).toEqual([8, 2])
    const short = await order(SHORT, sku, 1)
    expect(given(short)).toEqual([0, 1])
    const other = await order(ANY, sku, 10)
    await expect.poll(() => requestsOf(other), WITHIN).toMatchObject([{ lots: [['OLD', 10]] }])
    const [claims] = await house.query(
      `select sum(quantity) filter (where minimum_shelf_life_days = 60) as long,
         sum(quantity) filter (where minimum_shelf_life_days = 20) as short
       from inventory.reservation r join items.item i on i.id = r.item_id where sku = $1`,
      [sku],
    )
    expect(claims).toEqual({ long: 8, short: 12 })
  })

  test('keeps what lives long beside who takes any lot, also where it is asked for later', async () => {
    const sku = next()
    await found(sku, 'FRESH', 10, FRESH)
    await found(sku, 'UNDATED', 10)
    const kept = await keeping(LONG, sku, 8)
    expect(given(kept)).toEqual([8, 0])
    const other = await order(ANY, sku, 12)
    await expect
      .poll(() => requestsOf(other), WITHIN)
      .toMatchObject([
        {
          minimum: null,
          lots: [
            ['FRESH', 2],
            ['UNDATED', 10],
          ],
        },
      ])
  })

  test('waits again when the lot that lives long is held, and whoever takes any lot keeps his', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'FRESH', 10, FRESH)
    const long = await keeping(LONG, sku, 8)
    const other = await keeping(ANY, sku, 10)
    expect([given(long), given(other)]).toEqual([
      [8, 0],
      [10, 0],
    ])
    const { body } = await act('hold', sku, 'FRESH', { reason: 'recall 8' })
    expect(body).toMatchObject({ atRisk: [], waiting: [{ order: long.body.id, quantity: '8' }] })
    expect([await openOf(long), await openOf(other)]).toEqual([
      [0, 8],
      [10, 0],
    ])
    await act('release', sku, 'FRESH', { reason: 'tested' })
    await expect.poll(() => openOf(long), WITHIN).toEqual([8, 0])
  })

  test('waits again for what has become too old while it was kept, the latest order first, and whoever takes any has it', async () => {
    const sku = next()
    await found(sku, 'FRESH', 6, FRESH)
    await found(sku, 'AGED', 6, FRESH)
    const [first, second] = [await keeping(LONG, sku, 5), await keeping(LONG, sku, 5)]
    const other = await order(ANY, sku, 5)
    await look()
    expect([await openOf(second), await openOf(other)].flat()).toEqual([5, 0, 2, 3])
    await expect.poll(() => requestsOf(other), WITHIN).toHaveLength(1)
    await act('set', sku, 'AGED', { expiresOn: dayIn(50) })
    await Promise.all([look(), look()])
    // two of FRESH are with who takes any
    expect([await openOf(first), await openOf(second)].flat()).toEqual([4, 1, 0, 5])
    await expect.poll(() => openOf(other), WITHIN).toEqual([5, 0])
    const { body } = await house.send('GET', `${O2C}/orders/${second.body.id}/story`)
    expect((body['entries'] as { title: string }[]).map(({ title }) => title)).toContain(
      'Stock of 1 line has become too old for the customer, who waits for lots that live longer',
    )
    await found(sku, 'NEW', 6, FRESH)
    await expect.poll(() => openOf(second), WITHIN).toEqual([5, 0])
    await look()
    expect(await openOf(second)).toEqual([5, 0])
  })

  test('is told what it can be promised, by the arithmetic by which it is given', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'FRESH', 10, FRESH)
    await keeping(LONG, sku, 4)
    const ask = (more: object, headers?: Readonly<Record<string, string>>) =>
      house.send('POST', '/process/available-to-promise/v1/availability:query', {
        ...(headers && { headers }),
        body: { company: 'NWF', maxAgeMs: 0, items: [{ sku }, { sku: PLAIN }], ...more },
      })
    const figures = ({ body }: Reply) =>
      (body['items'] as { available: string }[]).map(({ available }) => available)
    const all = await ask({})
    const some = await ask({ customer: LONG, explain: true })
    expect([figures(all)[0], figures(some)[0]]).toEqual(['16', '6'])
    expect(figures(some)[1]).toBe(figures(all)[1])
    expect(figures(await ask({ customer: ANY }))).toEqual(figures(all))
    expect(some.body).toMatchObject({ customer: LONG, minimumShelfLifeDays: 60 })
    const [{ places }] = some.body['items'] as [{ places: { explain: { steps: object[] } }[] }]
    expect(places[0]!.explain.steps.at(-1)).toEqual({
      what: 'not known to live for 60 days',
      change: '-10',
      leaves: '6',
    })
    const preview = await house.send('POST', '/process/available-to-promise/v1/sourcing:preview', {
      body: {
        company: 'NWF',
        channel: 'api',
        customer: LONG,
        lines: [{ line: '1', sku, quantity: '7', unit: 'EA' }],
      },
    })
    expect(JSON.stringify(preview.body)).toContain('"quantity":"6"')
    expect(given(await order(LONG, sku, 7))).toEqual([6, 1])
    const partner = bearer(
      await house.key({ client: 'other', partner: ANY, scopes: ['process.availability:read'] }),
    )
    const foreign = await ask({ customer: LONG }, partner)
    expect([foreign.status, foreign.body['code']]).toEqual([422, 'orders.customer_unknown'])
    const unknown = await ask({ customer: '599999' })
    expect([unknown.status, unknown.body['code'], unknown.body['errors']]).toEqual([
      422,
      'orders.customer_unknown',
      [expect.objectContaining({ pointer: '/customer' })],
    ])
  })

  test('keeps what has come for a request that was made while nothing lived long enough', async () => {
    const sku = next()
    await found(sku, 'FRESH', 5, FRESH)
    const rest = next()
    const kept = await house.order({
      customer: LONG,
      shippingRule: 'ship-complete',
      lines: [
        [sku, 5],
        [rest, 1],
      ],
    })
    expect(given(kept)).toEqual([5, 0])
    await act('set', sku, 'FRESH', { expiresOn: OLD })
    await found(rest, 'FRESH', 1, FRESH)
    await expect
      .poll(() => requestsOf(kept), WITHIN)
      .toMatchObject([{ lots: [['', 5]] }, { lots: [['FRESH', 1]] }])
    await found(sku, 'NEW', 7, FRESH)
    expect(given(await order(LONG, sku, 6))).toEqual([2, 4])
  })

  test('that waits after a short pick waits for lots that live long, not for what is there', async () => {
    const sku = next()
    await found(sku, 'FRESH', 5, FRESH)
    const placed = await order(LONG, sku, 5)
    await expect.poll(() => requestsOf(placed), WITHIN).toMatchObject([{ state: 'accepted' }])
    const [request] = await requestsOf(placed)
    expect(await depot.nothingFound({ doc: request!.doc, location: 'DC1', sku })).toBe('applied')
    const queue = await house.query(
      'select quantity, minimum_shelf_life_days as days from inventory.backorder where doc = $1',
      [placed.doc],
    )
    expect(queue).toEqual([{ quantity: 5, days: 60 }])
  })

  test('is never promised more of them than there are, whoever orders at once', async () => {
    const sku = next()
    await found(sku, 'OLD', 20, OLD)
    await found(sku, 'FRESH', 10, FRESH)
    const placed = await Promise.all(Array.from({ length: 8 }, () => order(LONG, sku, 3)))
    const sum = (at: number) => placed.reduce((total, one) => total + given(one)[at]!, 0)
    expect([sum(0), sum(1)]).toEqual([10, 14])
  })

  test('is given any stock of an item that has no lots', async () => {
    const placed = await order(LONG, PLAIN, 3)
    expect(given(placed)).toEqual([3, 0])
    await expect.poll(() => requestsOf(placed), WITHIN).toMatchObject([{ minimum: null, lots: null }])
  })

  test('that is shipped a lot which does not live so long has it told once, on its order, and is billed', async () => {
    const sku = next()
    await found(sku, 'OLD', 10, OLD)
    await found(sku, 'FRESH', 10, FRESH)
    const placed = await order(LONG, sku, 4)
    await expect.poll(() => requestsOf(placed), WITHIN).toMatchObject([{ state: 'accepted' }])
    const [request] = await requestsOf(placed)
    const ships = (shipment: string, quantity: number, final: boolean) =>
      depot.tell({ doc: request!.doc, location: 'DC1', sku }, 'shipment.confirmed', {
        shipment_id: shipment,
        final,
        carrier: 'SWIFT',
        shipped_at: new Date().toISOString(),
        packages: [
          { contents: [{ line_no: 1, sku, qty: quantity, uom: 'EA', base_qty: quantity, lot: 'OLD' }] },
        ],
      })
    expect(await ships('SL1', 1, false)).toBe('applied')
    expect(await told(sku)).toEqual([
      {
        cause: expect.stringContaining('shipments.shelf_life_short'),
        title: `Lot OLD of ${sku} left DC1 for ${placed.body.id} and does not live long enough`,
      },
    ])
    expect(await ships('SL2', 3, true)).toBe('applied')
    expect(await told(sku)).toHaveLength(1)
    expect(await house.lines(placed)).toMatchObject([{ shipped: 4 }])
    const [{ owner }] = (await house.query(
      `select owner from exceptions.exception where code = 'shipments.shelf_life_short' and title like $1`,
      [`%${sku}%`],
    )) as [{ owner: string }]
    expect(owner).toBe('customer-service')
  })
})

test('all books agree, and nobody complains', async () => {
  expect(await violations(house.query)).toEqual([])
  expect(house.complaints).toEqual([])
})
