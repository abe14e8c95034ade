/** A webhook that cannot be applied holds back what its request tells later, until a person has settled it. */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import type { WmsEvent } from '#landscape/wms/shapes.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { editPayload, type ParkedItem } from '#platform/parking.ts'
import { listParked, showParked } from '#platform/parking-views.ts'
import { replayParked } from '#platform/parking-replay.ts'
import { giveUp } from '#processes/parked-work.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

let house: House
let query: Query
let disconnect: () => Promise<void>
let orders: WorldOrder[]
beforeEach(async () => {
  house = await openHouse({ landscape: { announcePicking: true, webhookBatch: 1 } })
  house.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  orders = house.landscape.world
    .orders(200)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
})
afterEach(async () => {
  await disconnect()
  await house.end()
})

const { wms } = DEFAULT_CREDENTIALS
const anna = { actor: 'anna', reason: 'the warehouse says what it meant' }

const events = (): WmsEvent[] =>
  house.landscape.wms.truth().events.filter(({ type }) => !type.startsWith('inventory.'))
const closed = async () =>
  (await query(`select id from orders.sales_order where closed_at is not null`)).length
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 15_000 })

async function tell(...told: readonly WmsEvent[]): Promise<string[]> {
  const body = JSON.stringify({ delivery_id: 'late', sent_at: '2026-11-02T12:00:00Z', events: told })
  const at = Math.floor(Date.now() / 1_000)
  const v1 = createHmac('sha256', wms.webhookSecret).update(`${at}.${body}`).digest('hex')
  const response = await fetch(`${house.url}/system/wms/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-depot-signature': `t=${at},v1=${v1}` },
    body,
  })
  return ((await response.json()) as { messages: { outcome: string }[] }).messages.map(
    ({ outcome }) => outcome,
  )
}

/** An order of which the warehouse has shipped everything, and none of its two events has reached us. */
async function shippedUnheard(): Promise<[begun: WmsEvent, shipped: WmsEvent]> {
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 2 },
    { kind: 'server-error', operation: 'events' },
  ])
  await submit(house.url, orders[0]!, 'unheard')
  await until(async () => events().length).toBe(2)
  return events() as [WmsEvent, WmsEvent]
}

/** Under the name and place of the first event it tells a shipment of what the request never asked for. */
function impossible({ event_id, order_sequence }: WmsEvent, shipped: WmsEvent): WmsEvent {
  const otherGoods = JSON.stringify(shipped).replaceAll(/"sku":"[^"]*"/g, '"sku":"NO-SUCH"')
  return { ...(JSON.parse(otherGoods) as WmsEvent), event_id, order_sequence }
}

async function parkedOne(): Promise<ParkedItem> {
  const [item, ...others] = await listParked(house.app.database)
  expect(others).toEqual([])
  return item!
}

test('what follows a parked message of its request waits for it by name, and goes on when it is mended and replayed', async () => {
  const [begun, shipped] = await shippedUnheard()
  expect(await tell(impossible(begun, shipped))).toEqual(['parked'])
  expect(await tell(shipped)).toEqual(['waiting'])
  const { database } = house.app
  const item = await parkedOne()
  expect(item).toMatchObject({ cause: { code: 'shipments.line_unknown' }, waiting: 1 })
  expect((await showParked(database, item.id))!.waiting).toMatchObject([
    { messageId: shipped['event_id'], waitsFor: begun['event_id'], sequence: 2 },
  ])

  // replayed without being mended it is put aside again, and what waits goes on waiting
  await replayParked(database, [item.id], anna)
  await house.app.replayMessages()
  expect(await parkedOne()).toMatchObject({ poison: true, waiting: 1 })
  expect(await query(`select 1 from shipments.shipment`)).toEqual([])

  await database.transaction((tx) => editPayload(tx, item.id, JSON.stringify(begun), anna))
  await replayParked(database, [item.id], anna)
  await house.app.replayMessages()
  await until(closed).toBe(1)
  await atRest(query)
  expect(await violationsAtRest(query)).toEqual([])
  expect(await query(`select state from inbox.message where message_id = $1`, [shipped['event_id']])).toEqual(
    [{ state: 'applied' }],
  )
}, 30_000)

test('of one delivery the messages behind the parked one wait, those of other requests are applied', async () => {
  const [begun, shipped] = await shippedUnheard()
  await submit(house.url, orders[1]!, 'neighbour')
  await until(async () => events().length).toBe(4)
  await until(closed).toBe(1)
  expect(await tell(impossible(begun, shipped), shipped)).toEqual(['parked', 'waiting'])
  expect(await parkedOne()).toMatchObject({ waiting: 1 })

  await submit(house.url, orders[2]!, 'later-neighbour')
  await until(closed).toBe(2)
}, 30_000)

test('what waits for a parked message goes on when that is given up', async () => {
  const [begun, shipped] = await shippedUnheard()
  await tell(impossible(begun, shipped), shipped)
  const { id } = await parkedOne()
  await house.app.database.transaction((tx) => giveUp(tx, [id], anna))
  await until(closed).toBe(1)
  expect(await query(`select stopped_by from inbox.stream where stopped_by is not null`)).toEqual([])
  expect(await query(`select 1 from inbox.held`)).toEqual([])
}, 30_000)
