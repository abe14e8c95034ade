/** Lots that requests to warehouses name, and what becomes of orders and requests whose lot is held. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C, type Reply } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { depotVoice, type DepotVoice, type Request } from './depot-voice.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const INVENTORY = '/process/inventory/v1'
const SKUS = Array.from({ length: 10 }, (_, at) => String(48_001 + at))
const RARE = '48100'
const CHOOSY = '500002'
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler(
    [...SKUS.map((number) => ({ number, item: { lotControlled: true } })), { number: RARE }],
    [{ number: '500001' }, { number: CHOOSY, shelfLifeDays: 60 }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!
async function found(
  sku: string,
  lots: Readonly<Record<string, readonly [quantity: number, expiresOn: string]>>,
) {
  for (const [lot, [quantity, expiresOn]] of Object.entries(lots)) {
    const line = { kind: 'found', sku, lot, location: 'DC1', quantity: String(quantity) }
    const body = { company: 'NWF', reason: 'correction', reference: 'note 1', lines: [line] }
    expect((await house.send('POST', `${INVENTORY}/adjustments`, { body })).status).toBe(201)
    await act('set', sku, lot, { expiresOn })
  }
}
const act = (verb: string, sku: string, lot: string, more: object = { reason: 'recall 8' }): Promise<Reply> =>
  house.send('POST', `${INVENTORY}/lots:${verb}`, { body: { company: 'NWF', sku, lot, ...more } })

/** What the warehouse has of an order, the latest request last. */
const theirs = async ({ doc }: Placed) => {
  const requests = await house.query<{ doc: number }>(
    'select id as doc from shipments.fulfillment where order_id = $1 order by id',
    [doc],
  )
  return requests.flatMap(({ doc: request }) =>
    house.landscape.wms
      .truth()
      .orders.filter(({ external_ref }) => external_ref === `F-${request}`)
      .map(({ status, lines }) => ({
        request: `F-${request}`,
        status,
        lots: lines.map(({ lot, qty }) => [lot, qty]),
      })),
  )
}
async function released(sku: string, quantity: number): Promise<[Placed, Request]> {
  const order = await house.order({ lines: [[sku, quantity]] })
  const requests = () =>
    house.query<Request & { state: string }>(
      `select id as doc, location, state, $2::text as sku from shipments.fulfillment where order_id = $1`,
      [order.doc, sku],
    )
  await expect.poll(requests, WITHIN).toMatchObject([{ state: 'accepted' }])
  return [order, (await requests())[0]!]
}
/** Keeps its stock and asks no warehouse for it, since it wants to be shipped whole. */
const keeping = async (sku: string, quantity: number): Promise<Placed> =>
  house.order({
    shippingRule: 'ship-complete',
    lines: [
      [sku, quantity],
      [RARE, 1],
    ],
  })

const ships = (request: Request, quantity: number, lot: string) =>
  depot.tell(request, 'shipment.confirmed', {
    shipment_id: `LS${request.doc}`,
    final: true,
    carrier: 'SWIFT',
    shipped_at: new Date().toISOString(),
    packages: [
      { contents: [{ line_no: 1, sku: request.sku, qty: quantity, uom: 'EA', base_qty: quantity, lot }] },
    ],
  })
const storyOf = async ({ body }: Placed): Promise<string> => {
  const { body: story } = await house.send('GET', `${O2C}/orders/${body.id}/story`)
  return (story['entries'] as { title: string }[]).map(({ title }) => title).join('\n')
}
const lotOf = async (sku: string, lot: string) =>
  (
    await house.query<{ available: number; onHold: number; unreconciled: number }>(
      `select available, quality_hold as "onHold", unreconciled from inventory.position p
       join items.item i on i.id = p.item_id where sku = $1 and location = 'DC1' and lot = $2`,
      [sku, lot],
    )
  )[0]!
const told = async (code: string, sku: string) =>
  (await house.openExceptions(code)).filter(({ title }) => title.includes(sku))

describe('a request to a warehouse', () => {
  test('names the lots that expire first, each as far as no other request is for it', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2090-01-01'], L2: [10, '2089-01-01'], L3: [5, '2020-01-01'] })
    const [first] = await released(sku, 15)
    expect(await theirs(first)).toMatchObject([
      {
        lots: [
          ['L2', 10],
          ['L1', 5],
        ],
      },
    ])
    const [second] = await released(sku, 8)
    expect(await theirs(second)).toMatchObject([
      {
        lots: [
          ['L1', 5],
          [null, 3],
        ],
      },
    ])
    expect(await storyOf(first)).toContain('DC1 was asked to ship 1 line, from lots L2, L1')
  })

  test('that ships from another lot is booked as it left, and that differs for all to see', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'], L2: [10, '2090-01-01'] })
    const [order, request] = await released(sku, 6)
    expect(await ships(request, 6, 'L2')).toBe('applied')
    expect([await lotOf(sku, 'L1'), await lotOf(sku, 'L2')]).toMatchObject([
      { available: 10 },
      { available: 4 },
    ])
    expect(await told('shipments.lot_differs', sku)).toHaveLength(1)
    expect(await storyOf(order)).toContain('from lot L2, where lot L1 was asked for')
    const [, again] = await released(sku, 6)
    expect(await ships(again, 6, 'L1')).toBe('applied')
    expect(
      await house.query('select lot from shipments.requested_lot where fulfillment_id = $1', [again.doc]),
    ).toEqual([])
  })
})

describe('a lot that is held', () => {
  test('lets orders wait again that no warehouse was asked for, stops those that were, and serves both when it is released', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'], L2: [2, '2090-01-01'] })
    const [asked, request] = await released(sku, 6)
    const kept = await keeping(sku, 6)
    const held = await act('hold', sku, 'L1')
    expect(held.body).toMatchObject({
      waiting: [{ order: kept.body.id, line: '1', location: 'DC1', quantity: '6' }],
      requests: [
        { request: `F-${request.doc}`, order: asked.body.id, location: 'DC1', quantity: '6', stops: true },
      ],
    })
    await expect
      .poll(() => theirs(asked), WITHIN)
      .toMatchObject([{ status: 'CANCELLED' }, { lots: [['L2', 2]] }])
    expect(await house.lines(asked)).toMatchObject([{ released: 2, backordered: 4, reserved: 0 }])
    expect((await house.lines(kept))[0]).toMatchObject({ reserved: 0, backordered: 6 })
    expect(await storyOf(kept)).toContain(
      'Lot L1 is held: stock of 1 line is lost, which waits again: recall 8',
    )
    expect(await storyOf(asked)).toContain('Lot L1 is held: DC1 was asked to stop: recall 8')
    expect([await told('inventory.lot_claimed', sku), await violations(house.query)]).toEqual([[], []])
    expect(await lotOf(sku, '')).toEqual({ available: 2, onHold: 10, unreconciled: 0 })
    await act('release', sku, 'L1')
    await expect.poll(() => house.lines(asked), WITHIN).toMatchObject([{ released: 6, backordered: 0 }])
    await expect.poll(() => house.lines(kept), WITHIN).toMatchObject([{ reserved: 6, backordered: 0 }, {}])
    expect(await violations(house.query)).toEqual([])
  })

  test('leaves orders that other lots cover as they are, and has those asked anew that named it', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'], L2: [20, '2090-01-01'] })
    const [asked] = await released(sku, 6)
    const kept = await keeping(sku, 6)
    expect((await act('hold', sku, 'L1')).body).toMatchObject({ waiting: [], atRisk: [] })
    await expect
      .poll(() => theirs(asked), WITHIN)
      .toMatchObject([{ status: 'CANCELLED' }, { lots: [['L2', 6]] }])
    expect((await house.lines(kept))[0]).toMatchObject({ reserved: 6, backordered: 0 })
  })

  test('lets an order wait too that claimed its stock while the hold waited for another', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'] })
    const first = await keeping(sku, 4)
    await house.query('begin')
    await house.query('select from orders.sales_order where id = $1 for update', [first.doc])
    const holding = act('hold', sku, 'L1')
    const waiting = async () => {
      await house.query('select pg_stat_clear_snapshot()')
      return house.query(
        'select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)) limit 1',
      )
    }
    await expect.poll(waiting, WITHIN).toHaveLength(1)
    const second = await keeping(sku, 6)
    await house.query('commit')
    const { body } = await holding
    expect([body['atRisk'], (body['waiting'] as { order: string }[]).map(({ order }) => order)]).toEqual([
      [],
      [second.body.id, first.body.id],
    ])
    expect(await violations(house.query)).toEqual([])
  })

  test('that is picked already is for a person, and what leaves of it nonetheless is told as critical', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'] })
    const [order, request] = await released(sku, 6)
    await depot.tell(request, 'order.picking_started')
    expect((await act('hold', sku, 'L1')).body['requests']).toMatchObject([
      { request: `F-${request.doc}`, order: order.body.id, stops: false },
    ])
    expect(await told('inventory.lot_at_warehouse', sku)).toHaveLength(1)
    expect(await told('inventory.lot_claimed', sku)).toHaveLength(1)
    expect(await ships(request, 6, 'L1')).toBe('applied')
    expect([await lotOf(sku, 'L1'), await lotOf(sku, '')]).toMatchObject([
      { available: 0, onHold: 4, unreconciled: 0 },
      { available: 0, onHold: 4, unreconciled: 0 },
    ])
    const severity = await house.query(
      `select severity from exceptions.exception where code = 'shipments.held_lot_shipped' and title like $1`,
      [`%${sku}%`],
    )
    expect(severity).toEqual([{ severity: 'critical' }])
    await act('release', sku, 'L1')
    for (const code of ['lot_at_warehouse', 'lot_claimed'])
      expect(await told(`inventory.${code}`, sku)).toEqual([])
    expect(await told('shipments.held_lot_shipped', sku)).toEqual([])
    expect(await violations(house.query)).toEqual([])
  })

  test('that a paper did not name and the warehouse shipped is told as critical too', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'], L2: [10, '2090-01-01'] })
    const [, request] = await released(sku, 6)
    const paper = { company: 'NWF', kind: 'shipped', request: `F-${request.doc}`, reference: 'note 8' }
    const lines = [{ line: 1, quantity: '6', lot: 'L1' }]
    const entered = await house.send('POST', `${INVENTORY}/by-hand`, {
      body: { ...paper, at: '2026-11-20T16:10:00Z', final: true, lines },
    })
    expect(entered.status).toBe(201)
    await act('hold', sku, 'L2')
    await ships(request, 6, 'L2')
    expect([await lotOf(sku, 'L1'), await lotOf(sku, 'L2')]).toMatchObject([{ available: 10 }, { onHold: 4 }])
    expect(await told('shipments.held_lot_shipped', sku)).toHaveLength(1)
    expect(await violations(house.query)).toEqual([])
  })

  test('that the warehouse has begun to pick when it is asked to stop is told with the order', async () => {
    const sku = next()
    await found(sku, { L1: [10, '2089-01-01'] })
    const [, request] = await released(sku, 6)
    house.landscape.wms.faults.set({ kind: 'server-error', status: 409, operation: 'cancelOrder', times: 1 })
    await act('hold', sku, 'L1')
    await expect.poll(() => told('inventory.lot_at_warehouse', sku), WITHIN).toHaveLength(1)
    expect(request.doc).toBeGreaterThan(0)
  })
})

test('what a shipment says of its lot serves who waits for goods that live long', async () => {
  const sku = next()
  const line = { kind: 'found', sku, lot: 'L1', location: 'DC1', quantity: '10' }
  const body = { company: 'NWF', reason: 'correction', reference: 'note 1', lines: [line] }
  expect((await house.send('POST', `${INVENTORY}/adjustments`, { body })).status).toBe(201)
  const waiting = await house.order({ customer: CHOOSY, lines: [[sku, 6]] })
  expect(await house.lines(waiting)).toMatchObject([{ backordered: 6 }])
  const [, request] = await released(sku, 2)
  await depot.shipped(request, { 1: 2 }, true, { lot: 'L1', expires_on: '2090-01-01' })
  await expect.poll(() => house.lines(waiting), WITHIN).toMatchObject([{ backordered: 0 }])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
