/** What people enter from paper while a warehouse is away, and the warehouse's own word on it, in whatever order both come. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HandView } from '#domains/inventory/contract/by-hand.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { watchByHand } from '#processes/by-hand-watch.ts'
import { OWNERSHIP } from '#processes/trouble.ts'
import { depotVoice, type DepotVoice, type Request } from './depot-voice.ts'
import { CATCH_WEIGHT, openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const PATH = '/process/inventory/v1/by-hand'
const SKU = '47101'
const LOTTED = '47102'
const WEIGHED = '47103'
const RARE = Array.from({ length: 40 }, (_, at) => String(47_301 + at))
const AT = '2026-11-20T16:10:00Z'
const DAY_MS = 86_400_000
const ALWAYS = { addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 10_000 } },
      { number: LOTTED, stock: { DC1: 1_000 }, item: { lotControlled: true } },
      { number: WEIGHED, stock: { DC1: 100 }, item: CATCH_WEIGHT },
      ...RARE.map((number) => ({ number, stock: { DC1: 20 } })),
    ],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: DAY_MS, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
}, 60_000)
afterAll(() => house.end())

async function released(sku = SKU, quantity = 6): Promise<[Placed, Request]> {
  const order = await house.order({ lines: [[sku, quantity]] })
  const requests = () =>
    house.query<Request & { state: string }>(
      `select id as doc, location, state, $2::text as sku from shipments.fulfillment where order_id = $1 order by id`,
      [order.doc, sku],
    )
  await expect.poll(requests, WITHIN).toMatchObject([{ state: 'accepted' }])
  return [order, (await requests())[0]!]
}

let papers = 0
type Entered = Parameters<Wholesaler['send']>[2]
const enter = (request: Request, lines: readonly object[], more: object = {}, sending: Entered = {}) =>
  house.send('POST', PATH, {
    ...sending,
    body: {
      company: 'NWF',
      kind: 'shipped',
      request: `F-${request.doc}`,
      reference: `DN ${++papers}`,
      at: AT,
      lines,
      ...more,
    },
  })
const left = (quantity: number, more: object = {}) => ({ line: 1, quantity: String(quantity), ...more })

const shippedOf = async ({ doc }: Placed): Promise<number[]> =>
  (
    await house.query<{ quantity: number }>(
      `select l.quantity from shipments.shipment s join shipments.shipment_line l on l.shipment_id = s.id
       where order_id = $1 order by s.id, l.n`,
      [doc],
    )
  ).map(({ quantity }) => quantity)
const stockOf = async (sku: string, lot = '') =>
  (
    await house.query<{ there: number; unreconciled: number }>(
      `select available + unreconciled as there, unreconciled from inventory.position p
       join items.item i on i.id = p.item_id where sku = $1 and location = 'DC1' and lot = $2`,
      [sku, lot],
    )
  )[0]!
const invoicesOf = ({ doc }: Placed) =>
  house.query<{ number: string | null }>('select number from billing.invoice where order_id = $1', [doc])
const found = (...lines: readonly { sku: string; quantity: string; location: string; lot?: string }[]) =>
  house.send('POST', '/process/inventory/v1/adjustments', {
    body: {
      company: 'NWF',
      reason: 'correction',
      reference: 'x',
      lines: lines.map((line) => ({ kind: 'found', ...line })),
    },
  })
const storyOf = async ({ body }: Placed): Promise<string[]> => {
  const { body: story } = await house.send('GET', `${O2C}/orders/${body.id}/story`)
  return (story['entries'] as { title: string }[]).map(({ title }) => title)
}
const listed = async (state = 'all'): Promise<HandView[]> =>
  (await house.send('GET', `${PATH}?company=NWF&state=${state}&limit=200`)).body['items'] as HandView[]
const rowsOf = async (request: Request) =>
  (await listed())
    .filter((row) => row.request === `F-${request.doc}`)
    .map(({ open, outcome }) => [open, outcome])
const differing = async (request: Request) =>
  (await house.openExceptions('shipments.by_hand_differs')).filter(({ cause }) =>
    cause.endsWith(`:F-${request.doc}`),
  )
describe('a shipment by paper', () => {
  test('ships the lines and is billed, with its paper in the story and in the audit trail', async () => {
    const [order, request] = await released()
    const before = await stockOf(SKU)
    const entered = await enter(request, [left(6)], {
      reference: 'note 7',
      note: 'the line is dead',
      sscc: '006141410000123452',
      final: true,
    })
    expect([entered.status, entered.body['order']]).toEqual([201, order.body.id])
    await house.closed(order)
    expect(await shippedOf(order)).toEqual([6])
    expect((await stockOf(SKU)).there).toBe(before.there - 6)
    expect(await house.query('select from shipments.package where sscc is not null')).toHaveLength(1)
    const invoices = () => house.query('select from billing.invoice where order_id = $1', [order.doc])
    await expect.poll(invoices, WITHIN).toHaveLength(1)
    expect(await storyOf(order)).toContain(
      '“Ship the request” was completed by hand with note 7: the line is dead',
    )
    const [row] = await house.query<{ action: string; reason: string }>(
      'select action, reason from audit.entry where doc = $1',
      [request.doc],
    )
    expect(row).toEqual({ action: 'inventory.shipped_by_hand', reason: 'note 7: the line is dead' })
    expect(await violations(house.query)).toEqual([])
  })

  test('that the warehouse tells the same of, whole or in parts, is known and books nothing twice', async () => {
    const [order, request] = await released()
    await enter(request, [left(6)], { final: true })
    await house.closed(order)
    const before = await stockOf(SKU)
    expect(await depot.shipped(request, { 1: 4 }, false)).toBe('superseded')
    expect(await rowsOf(request)).toEqual([['2', undefined]])
    expect(await depot.shipped(request, { 1: 2 })).toBe('superseded')
    expect(await rowsOf(request)).toEqual([['0', 'known']])
    expect([await shippedOf(order), await stockOf(SKU)]).toEqual([[6], before])
    expect(await differing(request)).toEqual([])
    expect(await storyOf(order)).toContain(
      'The system confirms what was entered by hand of “Ship the request”',
    )
    expect(await violations(house.query)).toEqual([])
  })

  test('of which the warehouse ships less is told with both sides, and stock follows the warehouse once', async () => {
    const [order, request] = await released()
    await enter(request, [left(6)], { final: true })
    await house.closed(order)
    const { there, unreconciled } = await stockOf(SKU)
    await depot.shipped(request, { 1: 4 })
    expect(await stockOf(SKU)).toEqual({ there: there + 2, unreconciled: unreconciled + 2 })
    const [told] = await differing(request)
    expect(told!.title).toMatch(/line 1: 4, where people entered .*line 1: 6$/)
    const action = await house.query(
      `select owner, suggested_action as action, a.value_minor as worth from exceptions.exception e
       join exceptions.affected a on a.exception = e.id where cause = $1`,
      [told!.cause],
    )
    const billed = /2 of line 1 of S-\d+ never left, and invoice \S+ bills it at 20\.00 USD net/
    expect(action).toEqual([
      { owner: 'customer-service', action: expect.stringMatching(billed), worth: 2_000 },
    ])
    expect([await shippedOf(order), await rowsOf(request)]).toEqual([[6], [['0', 'differs']]])
    expect(await violations(house.query)).toEqual([])
  })

  test('of which the warehouse ships more leaves the rest to be shipped, and it is told', async () => {
    const [order, request] = await released()
    await enter(request, [left(4)])
    expect(await depot.shipped(request, { 1: 6 })).toBe('applied')
    await house.closed(order)
    expect(await shippedOf(order)).toEqual([4, 2])
    expect(await differing(request)).toHaveLength(1)
    expect(await violations(house.query)).toEqual([])
  })

  test('of goods by weight leaves a rest that weighs whole grams, as the ERP bills it', async () => {
    const [order, request] = await released(WEIGHED, 3)
    await enter(request, [left(2, { catchWeight: '6.7' })])
    await depot.shipped(request, { 1: 3 }, true, { catch_weight_kg: 10.001 })
    await house.closed(order)
    const posted = `select l.catch_weight as kg from billing.invoice i join billing.invoice_line l on l.invoice_id = i.id
      where order_id = $1 and posted_at is not null order by 1`
    const weights = [{ kg: 3.334 }, { kg: 6.7 }]
    await expect.poll(() => house.query(posted, [order.doc]), WITHIN).toEqual(weights)
  })

  test('whose rest the paper called short and the warehouse shipped leaves stock once, is shipped and billed, and waits no more', async () => {
    const sku = RARE.shift()!
    const [order, request] = await released(sku, 20)
    await enter(request, [left(17)], { final: true })
    expect(await stockOf(sku)).toEqual({ there: 3, unreconciled: 3 })
    expect(await house.lines(order)).toMatchObject([{ shipped: 17, backordered: 3 }])
    await depot.shipped(request, { 1: 20 })
    expect(await stockOf(sku)).toEqual({ there: 0, unreconciled: 0 })
    await house.closed(order)
    expect([await shippedOf(order), await house.lines(order)]).toMatchObject([
      [17, 3],
      [{ shipped: 20, backordered: 0, reserved: 0 }],
    ])
    await expect.poll(() => invoicesOf(order), WITHIN).toHaveLength(2)
    expect(await house.query('select from inventory.backorder where doc = $1', [order.doc])).toEqual([])
    expect(await differing(request)).toHaveLength(1)
    expect(await violations(house.query)).toEqual([])
  })

  test('whose rest is kept elsewhere by now is not sent from there, once the warehouse shipped it after all', async () => {
    const sku = RARE.shift()!
    const [order, request] = await released(sku, 20)
    await house.query(
      `insert into orders.hold (id, order_id, company, type, reason, blocks, raised_by, owner)
       values ($1, $2, 'NWF', 'manual', 'wait', '{release}', 'test', 'customer-service')`,
      [800_000 + order.doc, order.doc],
    )
    await enter(request, [left(17)], { final: true })
    await found({ sku, quantity: '5', location: 'DC2' })
    await expect.poll(() => house.lines(order), WITHIN).toMatchObject([{ reserved: 3, backordered: 0 }])
    await depot.shipped(request, { 1: 20 })
    expect([await shippedOf(order), await house.lines(order)]).toMatchObject([
      [17, 3],
      [{ shipped: 20, backordered: 0, reserved: 0 }],
    ])
    expect(await house.query('select from inventory.reservation where doc = $1', [order.doc])).toEqual([])
    expect([await stockOf(sku), await violations(house.query)]).toEqual([{ there: 0, unreconciled: 0 }, []])
  })

  test('whose rest was asked for elsewhere meanwhile has that stopped, and the order waits for a person', async () => {
    const sku = RARE.shift()!
    const [order, request] = await released(sku, 20)
    await enter(request, [left(17)], { final: true })
    await found({ sku, quantity: '5', location: 'DC2' })
    const states = async () =>
      (
        await house.query<{ state: string }>(
          'select state from shipments.fulfillment where order_id = $1 order by id',
          [order.doc],
        )
      ).map(({ state }) => state)
    await expect.poll(states, WITHIN).toEqual(['done', 'accepted'])
    await depot.shipped(request, { 1: 20 })
    await expect.poll(states, WITHIN).toEqual(['done', 'cancelled'])
    await expect
      .poll(() => house.lines(order), WITHIN)
      .toMatchObject([{ shipped: 17, reserved: 3, released: 0 }])
    expect(await house.holdsOf(order)).toMatchObject([{ type: 'inventory', status: 'open' }])
    expect(await house.openExceptions('orders.hold.inventory')).toHaveLength(1)
    const cancelled = await house.send('POST', `${O2C}/orders/${order.body.id}:cancel`, {
      body: { reason: 'it has left', lines: [{ line: '1', quantity: '3' }] },
    })
    expect(cancelled.status).toBeLessThan(300)
    await house.closed(order)
    expect([await shippedOf(order), await violations(house.query)]).toEqual([[17], []])
  })

  test('of another lot than the warehouse tells leaves the lot that the warehouse names', async () => {
    await found(...['L1', 'L2'].map((lot) => ({ sku: LOTTED, location: 'DC1', quantity: '10', lot })))
    const [, request] = await released(LOTTED)
    await enter(request, [left(6, { lot: 'L1' })], { final: true })
    expect([(await stockOf(LOTTED, 'L1')).there, (await stockOf(LOTTED, 'L2')).there]).toEqual([4, 10])
    await depot.shipped(request, { 1: 6 }, true, { lot: 'L2' })
    expect([(await stockOf(LOTTED, 'L1')).there, (await stockOf(LOTTED, 'L2')).there]).toEqual([10, 4])
    expect(await differing(request)).toHaveLength(1)
    expect(await violations(house.query)).toEqual([])
  })

  test('is known when its warehouse repeats the same shipment under another message', async () => {
    const [order, request] = await released()
    await enter(request, [left(3)])
    const contents = [{ line_no: 1, sku: SKU, qty: 3, uom: 'EA', base_qty: 3, lot: null }]
    const head = { shipment_id: `VR${request.doc}`, final: false, carrier: 'SWIFT' }
    const facts = { ...head, shipped_at: new Date().toISOString(), packages: [{ contents }] }
    for (let again = 0; again < 2; again += 1)
      expect(await depot.tell(request, 'shipment.confirmed', facts)).toBe('superseded')
    expect(await shippedOf(order)).toEqual([3])
  })

  test('that was tried out has changed nothing, and that is sent again is answered the same', async () => {
    const [order, request] = await released()
    const tried = await enter(request, [left(6)], { dryRun: true })
    expect([tried.status, tried.body['dryRun'], await shippedOf(order)]).toEqual([200, true, []])
    const sent = { reference: 'twice' }
    const key = `hand-${request.doc}`
    const [first, second] = [
      await enter(request, [left(2)], sent, { key }),
      await enter(request, [left(2)], sent, { key }),
    ]
    expect([first.status, second.body]).toEqual([201, first.body])
    expect((await enter(request, [left(2)], sent)).body.code).toBe('inventory.paper_known')
    expect(await shippedOf(order)).toEqual([2])
  })

  test('that the warehouse has told of itself is refused, unless it left besides', async () => {
    const [order, request] = await released()
    await depot.shipped(request, { 1: 2 }, false)
    expect((await enter(request, [left(2)])).body.code).toBe('inventory.told_by_warehouse')
    expect((await enter(request, [left(2)], { further: true })).status).toBe(201)
    expect(await shippedOf(order)).toEqual([2, 2])
  })
})

describe('a pick by paper', () => {
  test('moves the order on, and the same from the warehouse is known', async () => {
    const [order, request] = await released()
    expect((await enter(request, [left(6)], { kind: 'picked' })).status).toBe(201)
    expect(await house.stageOf(order)).toBe('in_fulfillment')
    await depot.picked(request, { 1: 6 })
    expect(await rowsOf(request)).toEqual([['0', 'known']])
    expect(await differing(request)).toEqual([])
    await depot.shipped(request, { 1: 6 })
    await house.closed(order)
    expect(await shippedOf(order)).toEqual([6])
  })

  test('of which its warehouse tells the shipment alone ends with that', async () => {
    const [, request] = await released()
    await enter(request, [left(6)], { kind: 'picked' })
    await depot.shipped(request, { 1: 6 })
    expect(await rowsOf(request)).toEqual([['0', 'known']])
  })

  test('of which the warehouse tells otherwise is told, and its shipment settles what was short once', async () => {
    const sku = RARE.shift()!
    const [order, request] = await released(sku, 20)
    await enter(request, [left(18), left(2, { short: true })], { kind: 'picked' })
    expect(await house.lines(order)).toMatchObject([{ backordered: 2 }])
    await depot.picked(request, { 1: 20 })
    expect(await differing(request)).toHaveLength(1)
    await depot.shipped(request, { 1: 20 })
    expect(await stockOf(sku)).toEqual({ there: 0, unreconciled: 0 })
    expect(await violations(house.query)).toEqual([])
  })
})

test('of papers and words of the warehouse in any order, each shipment leaves stock once and ships once', async () => {
  const steps = fc.array(
    fc.record({ by: fc.constantFrom('paper', 'wms'), quantity: fc.integer({ min: 1, max: 4 }) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (told) => {
      const [order, request] = await released(SKU, 20)
      const before = await stockOf(SKU)
      const sums = { paper: 0, wms: 0 }
      for (const { by, quantity } of told) {
        if (by === 'wms') await depot.shipped(request, { 1: quantity }, false)
        else expect((await enter(request, [left(quantity)], { further: true })).status).toBe(201)
        sums[by] += quantity
      }
      const gone = before.there - (await stockOf(SKU)).there
      const shipped = (await shippedOf(order)).reduce((sum, quantity) => sum + quantity, 0)
      expect(gone).toBe(shipped)
      expect(shipped).toBeGreaterThanOrEqual(Math.max(sums.paper, sums.wms))
      expect(shipped).toBeLessThanOrEqual(sums.paper + sums.wms)
      await depot.shipped(request, {})
      const open = (await listed('open')).filter((row) => row.request === `F-${request.doc}`)
      expect(open).toEqual([])
      expect(before.there - (await stockOf(SKU)).there).toBeLessThanOrEqual(shipped)
      expect(await violations(house.query)).toEqual([])
    }),
    { numRuns: 8 },
  )
}, 60_000)

test('what the warehouse does not tell of for a day is told, until a person settles it', async () => {
  const [, request] = await released()
  const { body } = await enter(request, [left(6)], { final: true })
  const document = body['document'] as string
  await house.query(`update inventory.by_hand set entered_at = now() - interval '25 hours' where doc = $1`, [
    Number(document.slice(2)),
  ])
  const untold = async () =>
    (await house.openExceptions('inventory.by_hand_untold')).filter(({ cause }) => cause.endsWith(document))
  await watchByHand({
    database: house.app.database,
    clock: { now: () => new Date() },
    openExceptions: exceptionOpener({ ...OWNERSHIP, calendarOf: () => ALWAYS }),
  })
  expect(await untold()).toHaveLength(1)
  const settled = await house.send('POST', `${PATH}/${document}:settle`, {
    body: { reason: 'it burnt down' },
  })
  expect([settled.status, settled.body['settled']]).toEqual([200, 1])
  expect(await untold()).toEqual([])
  const again = await house.send('POST', `${PATH}/${document}:settle`, { body: { reason: 'again' } })
  expect([again.status, again.body.code]).toEqual([404, 'inventory.by_hand_unknown'])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
