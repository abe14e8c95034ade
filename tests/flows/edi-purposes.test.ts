/** What an 850 of each purpose does to an order that is here, gone or unknown, and the 855 that its partner gets. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { sql } from '#platform/database.ts'
import { ORDER_ACKNOWLEDGMENT, parseOrderAcknowledgment } from '#systems/edi/documents/855.ts'
import { matchStructure } from '#systems/edi/documents/structure.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import { ediFolders, type EdiFolders, guideOf, sentTo } from '#tests/support/edi.ts'
import { type House, openHouse } from '#tests/support/house.ts'

const SHIP_AFTER_MS = 1_500

const world = generateWorld({ seed: 'purposes', today: '2026-11-02', plannedOrders: 400 })
const regular = world.orders(400).filter((one) => one.door === 'edi' && one.case === 'regular')
const [shipped, picked, unknown, ...others] = regular.filter((one) => one.expected === 'ships_at_once') as [
  WorldOrder,
  WorldOrder,
  WorldOrder,
  ...WorldOrder[],
]
const inStock = new Set(world.stock.map(({ item }) => item))
const lenient = others[3]!
const strict = others.slice(4).find(({ customer }) => customer !== lenient.customer)!
const waiting = regular.find(({ lines }) => lines.every(({ item }) => !inStock.has(item)))!

let folders: EdiFolders
let house: House
beforeAll(async () => {
  folders = ediFolders(
    demoGuides(world).map((guide) =>
      guide.partner === guideOf(world, lenient).partner
        ? { ...guide, tolerances: { pricePercent: 4, pastDays: 0 } }
        : guide,
    ),
  )
  house = await openHouse({
    world,
    config: { edi: folders.config },
    landscape: { pace: { pickAfterMs: 0, shipAfterMs: SHIP_AFTER_MS } },
  })
  house.app.edi!.watch()
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

const ordersNumbered = sql(
  'test.purpose_orders',
  `select id, closed_at is not null as closed, cancel_requested_at is not null as cancelled
   from orders.sales_order where sender = $1 and customer_order = $2`,
)
const exceptionsLike = sql(
  'test.purpose_exceptions',
  `select code, owner, state from exceptions.exception where cause like $1`,
)
const holdsOf = sql(
  'test.purpose_holds',
  `select id, type from orders.hold where order_id = $1 and status = 'open'`,
)

const ordersOf = (order: WorldOrder) =>
  house.app.database.query<{ id: number; closed: boolean; cancelled: boolean }>(ordersNumbered, [
    guideOf(world, order).partner,
    order.poNumber,
  ])
const exceptions = (like: string) => house.app.database.query(exceptionsLike, [like])
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 20_000 })

let drops = 0
/** The order again, under a control number of its own. */
function send(order: WorldOrder, purpose = '00', changes: Partial<WorldOrder> = {}): void {
  const nth = 10_000 + ++drops
  const text = toInterchange({ ...order, ...changes, nth }, guideOf(world, order))
  const isAsked = text.replace(/BEG(.)00/, `BEG$1${purpose}`)
  dropFile(folders.config.inboxDirectory, `${purpose}-${nth}.edi`, isAsked)
}

async function answersTo(order: WorldOrder) {
  const sent = await sentTo(folders, guideOf(world, order).partner, '855')
  return sent
    .map(({ set }) => parseOrderAcknowledgment(matchStructure(ORDER_ACKNOWLEDGMENT, set.segments).root))
    .filter(({ number }) => number === order.poNumber)
}

/** Purpose and type, then what is said of each line. */
const said = async (order: WorldOrder): Promise<string[]> =>
  (await answersTo(order)).map(({ purpose, type, lines }) => {
    const statuses = lines.flatMap(({ acknowledgments }) =>
      acknowledgments.map(({ status, reason }) => [status, reason].filter(Boolean).join(' ')),
    )
    return [purpose, type, ...new Set(statuses)].join(' ')
  })
const notes = async (order: WorldOrder): Promise<string | undefined> =>
  (await answersTo(order)).at(-1)?.notes.join(' ')

test('an order that waits is cancelled by a 01, which is answered by deleted lines, as often as it is asked', async () => {
  send(waiting)
  await until(() => said(waiting)).toEqual(['00 AC IB'])
  send(waiting, '01')
  await until(() => ordersOf(waiting)).toMatchObject([{ cancelled: true, closed: true }])
  await until(() => said(waiting)).toHaveLength(2)
  expect((await said(waiting))[1]).toBe('11 AC ID')
  expect(await notes(waiting)).toMatch(/^Order O-\d+ is cancelled\.$/)
  send(waiting, '01')
  await until(() => said(waiting)).toHaveLength(3)
  expect((await said(waiting))[2]).toBe('11 AC ID')
  expect(await exceptions('orders.too_late_to_cancel:%')).toEqual([])
})

const linesSaid = async (order: WorldOrder) =>
  (await answersTo(order))
    .at(-1)
    ?.lines.map(({ acknowledgments }) =>
      acknowledgments.map(({ status, quantity }) => `${status} ${quantity}`).join(' '),
    )

test('lines that are taken back one by one are told as deleted each time, beside what still waits', async () => {
  const [first] = waiting.lines
  const all = first!.quantity
  const lines = [1, 2].map((line) => ({ ...first!, line }))
  const parts = { ...waiting, poNumber: 'IN-PARTS', lines }
  send(parts)
  await until(() => linesSaid(parts)).toEqual([`IB ${all}`, `IB ${all}`])
  const [{ id } = { id: 0 }] = await ordersOf(parts)
  const cancel = async (asked: { line: string; quantity?: string }) => {
    const answer = await fetch(`${house.url}/process/order-to-cash/v1/orders/O-${id}:cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `cancel-${JSON.stringify(asked)}` },
      body: JSON.stringify({ reason: 'ordered too much', lines: [asked] }),
    })
    expect(answer.status).toBe(202)
  }
  await cancel({ line: '1' })
  await until(() => linesSaid(parts)).toEqual([`ID ${all}`, `IB ${all}`])
  expect(await notes(parts)).toMatch(/^Lines of order O-\d+ were cancelled\./)
  await cancel({ line: '2', quantity: '1' })
  await until(() => linesSaid(parts)).toEqual([`ID ${all}`, `IB ${all - 1} ID 1`])
  await cancel({ line: '2' })
  await until(() => linesSaid(parts)).toEqual([`ID ${all}`, `ID ${all}`])
  expect(await notes(parts)).toMatch(/^Order O-\d+ is cancelled\.$/)
  expect((await said(parts)).map((answer) => answer.slice(0, 5))).toEqual([
    '00 AC',
    '11 AC',
    '11 AC',
    '11 AC',
  ])
  await until(() => ordersOf(parts)).toMatchObject([{ closed: true, cancelled: false }])
})

test('a cancellation that comes when picking has begun is answered by the order as it stands', async () => {
  send(picked)
  await until(async () => (await said(picked)).length).toBe(1)
  send(picked, '01')
  await until(async () => (await said(picked)).length).toBe(2)
  expect((await said(picked))[1]).toBe('11 AD IA')
  expect(await notes(picked)).toMatch(/^Too late to cancel\. Order O-\d+ stands/)
  expect(await ordersOf(picked)).toMatchObject([{ cancelled: false }])
})

test('a cancellation of what was shipped is answered by what was shipped, and is for a person', async () => {
  send(shipped)
  await until(() => ordersOf(shipped)).toMatchObject([{ closed: true }])
  send(shipped, '01')
  await until(async () => (await said(shipped)).length).toBe(2)
  expect(await said(shipped)).toEqual(['00 AD IA', '11 AD AC orders.too_late_to_cancel'])
  expect((await answersTo(shipped))[1]!.lines).toHaveLength(shipped.lines.length)
  expect(await notes(shipped)).toMatch(/^Too late to cancel\. Order O-\d+ stands/)
  expect(await exceptions('orders.too_late_to_cancel:%')).toMatchObject([{ owner: 'edi', state: 'open' }])
  expect(await ordersOf(shipped)).toMatchObject([{ cancelled: false }])
})

test('a cancellation of what is not here is answered line by line, and is for a person', async () => {
  send(unknown, '01')
  await until(() => said(unknown)).toEqual(['11 RD IR orders.unknown'])
  expect(await notes(unknown)).toBe('No order of this number is here. Nothing was cancelled.')
  expect(await exceptions('orders.unknown:%')).toMatchObject([{ owner: 'edi', state: 'open' }])
})

test.each(['00', '05', '06', '07'])(
  'a %s with the content of an order that is here changes nothing, and is answered as that was',
  async (purpose) => {
    const [first] = await said(shipped)
    const before = (await said(shipped)).length
    send(shipped, purpose)
    await until(async () => (await said(shipped)).length).toBe(before + 1)
    expect((await said(shipped)).at(-1)).toBe(first)
    expect(await ordersOf(shipped)).toHaveLength(1)
  },
)

test.each(['00', '05', '06', '07'])(
  'a %s with the number of an order that is here and other content is rejected by line, and is for a person',
  async (purpose) => {
    const before = (await said(shipped)).length
    send(shipped, purpose, { lines: shipped.lines.map((line) => ({ ...line, quantity: line.quantity + 1 })) })
    await until(async () => (await said(shipped)).length).toBe(before + 1)
    const [known] = await ordersOf(shipped)
    const id = known!.id
    const answer = (await answersTo(shipped)).at(-1)!
    expect(answer).toMatchObject({ purpose: '11', type: 'RD', sellerOrder: `O-${id}` })
    expect(answer.notes[0]).toContain(`order O-${id} already, with other content. That order stands`)
    expect((await said(shipped)).at(-1)).toBe('11 RD IR same_number_other_content')
    const open = await exceptions(`orders.same_number_other_content:%`)
    expect(open.length).toBeGreaterThan(0)
    expect(open).toMatchObject(open.map(() => ({ owner: 'edi', state: 'open' })))
  },
)

test.each(['05', '06', '07'].map((purpose, place) => [purpose, others[place]!] as const))(
  'a %s of an order that was not here is told to wait, and is answered when a person lets it go on',
  async (purpose, order) => {
    send(order, purpose)
    await until(() => said(order)).toEqual(['11 AH IH orders.unknown'])
    const [held] = await ordersOf(order)
    const id = held!.id
    const [hold] = await house.app.database.query<{ id: number; type: string }>(holdsOf, [id])
    expect(hold).toMatchObject({ type: 'edi_mismatch' })
    const released = await fetch(
      `${house.url}/process/order-to-cash/v1/orders/O-${id}/holds/H-${hold!.id}:release`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `release-${purpose}` },
        body: JSON.stringify({ reason: 'they want it' }),
      },
    )
    expect(released.status).toBeLessThan(300)
    await until(async () => (await said(order)).length).toBe(2)
    expect((await said(order))[1]).toMatch(/^00 A[CD] /)
  },
)

const OURS_AND = (percent: number) => (order: WorldOrder) => ({
  lines: order.lines.map((line) => ({
    ...line,
    priceMinor: Math.round(line.priceMinor * (1 + percent / 100)),
  })),
})

test('prices are off by as much as the guide of the partner says before anybody has to look', async () => {
  send(lenient, '00', OURS_AND(3.5)(lenient))
  await until(async () => (await said(lenient)).length).toBe(1)
  expect(await said(lenient)).toEqual(['00 AC IP'])
  send(lenient, '00', { ...OURS_AND(4.5)(lenient), poNumber: 'DEARER' })
  send(strict, '00', OURS_AND(3.5)(strict))
  for (const order of [{ ...lenient, poNumber: 'DEARER' }, strict]) {
    await until(() => ordersOf(order)).toHaveLength(1)
    const [held] = await ordersOf(order)
    expect(await house.app.database.query(holdsOf, [held!.id])).toMatchObject([{ type: 'price_review' }])
  }
})

test('none of it was a defect', () => {
  expect(house.complaints).toEqual([])
})
