/** A webhook of the warehouse that never came: the house asks for it, else a person is told, until it comes. */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import type { WmsEvent } from '#landscape/wms/shapes.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { editPayload } from '#platform/parking.ts'
import { listParked } from '#platform/parking-views.ts'
import { fatesOf, replayParked } from '#platform/parking-replay.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const GAP_AFTER_MS = 2_000

let house: House
let query: Query
let disconnect: () => Promise<void>
let order: WorldOrder
beforeEach(async () => {
  house = await openHouse({
    landscape: { announcePicking: true, webhookBatch: 1 },
    config: { inbox: { gapAfterMs: GAP_AFTER_MS } },
  })
  house.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  order = house.landscape.world.orders(200).find((one) => one.expected === 'ships_at_once')!
})
afterEach(async () => {
  await disconnect()
  await house.end()
})

const { wms } = DEFAULT_CREDENTIALS

/** The events of the order's one request as the warehouse has them. */
const events = (): WmsEvent[] =>
  house.landscape.wms.truth().events.filter(({ type }) => !type.startsWith('inventory.'))
const asked = (): number => house.landscape.wms.received.report().operations['events']?.requests ?? 0
const missing = () =>
  listExceptions(house.app.database, { code: 'inbound.message_missing' }).then((open) =>
    open.map(({ owner, severity, affected, stake, facts, suggestedAction, title }) => ({
      owner,
      severity,
      affected,
      stake,
      facts,
      suggestedAction,
      title,
    })),
  )
const everTold = () =>
  query(`select state from exceptions.exception where code = 'inbound.message_missing' order by id`)
const isClosed = async (): Promise<boolean> =>
  (await query(`select id from orders.sales_order where closed_at is not null`)).length === 1
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 15_000 })

async function tell(event: WmsEvent): Promise<string> {
  const body = JSON.stringify({ delivery_id: 'late', sent_at: '2026-11-02T12:00:00Z', events: [event] })
  const at = Math.floor(Date.now() / 1_000)
  const v1 = createHmac('sha256', wms.webhookSecret).update(`${at}.${body}`).digest('hex')
  const response = await fetch(`${house.url}/system/wms/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-depot-signature': `t=${at},v1=${v1}` },
    body,
  })
  return ((await response.json()) as { messages: { outcome: string }[] }).messages[0]!.outcome
}

async function restsInOrder(): Promise<void> {
  await until(isClosed).toBe(true)
  await atRest(query)
  expect(await violationsAtRest(query)).toEqual([])
}

test('what a lost webhook said is asked for and applied, and nobody is bothered', async () => {
  house.landscape.wms.faults.set({ kind: 'webhook-drop', times: 1 })
  await submit(house.url, order, 'lost')
  await restsInOrder()
  const [lost, shipped] = events() as [WmsEvent, WmsEvent]
  expect([lost.type, shipped.type]).toEqual(['order.picking_started', 'shipment.confirmed'])
  expect(asked()).toBeGreaterThan(0)
  expect(await everTold()).toEqual([])
  // and the webhook that was lost comes at last
  expect(await tell(lost)).toBe('duplicate')
})

test('a gap that the warehouse does not fill is one exception on its order, which closes when the message comes', async () => {
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 1 },
    { kind: 'server-error', operation: 'events' },
  ])
  await submit(house.url, order, 'lost')
  await until(missing).toHaveLength(1)
  const [told] = await missing()
  const [lost] = events() as [WmsEvent]
  const request = String(lost['external_ref'])
  const [{ totalMinor, currency }] = (await query<{ totalMinor: number; currency: string }>(
    `select total_minor as "totalMinor", currency from orders.sales_order`,
  )) as [{ totalMinor: number; currency: string }]
  expect(told).toMatchObject({
    owner: 'integration',
    severity: 'high',
    affected: 1,
    stake: [{ amountMinor: totalMinor, currency }],
    facts: { source: 'wms', stream: `fulfillment/${request}`, from: 1, to: 1, waiting: 1 },
    suggestedAction: expect.stringContaining(`message 1 of fulfillment/${request}`),
  })
  expect(await isClosed()).toBe(false)
  // asked again and again, told once
  await until(async () => asked()).toBeGreaterThan(2)
  expect(await everTold()).toEqual([{ state: 'open' }])

  expect(await tell(lost)).toBe('applied')
  await restsInOrder()
  await until(everTold).toEqual([{ state: 'resolved' }])
  expect(await listParked(house.app.database)).toEqual([])
  expect(house.complaints.filter((line) => !line.includes('could not be asked for'))).toEqual([])
}, 30_000)

test('a gap that closes on its own way is neither asked for nor told', async () => {
  house.landscape.wms.faults.set({ kind: 'webhook-delay', ms: GAP_AFTER_MS / 4, times: 1 })
  await submit(house.url, order, 'late')
  await until(async () => (await query(`select 1 from inbox.held`)).length).toBe(1)
  await restsInOrder()
  expect(asked()).toBe(0)
  expect(await everTold()).toEqual([])
})

test('what waits for an event that could not be read is applied after its replay, and all of its trouble ends', async () => {
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 2 },
    { kind: 'server-error', operation: 'events' },
  ])
  await submit(house.url, order, 'unreadable')
  await until(async () => events().length).toBe(2)
  const [begun, shipped] = events() as [WmsEvent, WmsEvent]
  expect(await tell({ ...begun, type: 'order.teleported' })).toBe('quarantined')
  expect(await tell(shipped)).toBe('waiting')
  await until(missing).toHaveLength(1)

  const [parked] = (await query<{ id: number }>(
    `select id from parking.item where cause_code = 'inbound.message_unreadable'`,
  )) as [{ id: number }]
  const anna = { actor: 'anna', reason: 'the warehouse says that picking began' }
  const { database } = house.app
  await database.transaction((tx) => editPayload(tx, parked.id, JSON.stringify(begun), anna))
  await replayParked(database, [parked.id], anna)
  await Promise.all([house.app.replayMessages(), house.app.replayMessages()])

  expect(await fatesOf(database, [parked.id])).toMatchObject([{ state: 'replayed', outcome: 'applied' }])
  expect(await query(`select actor from log.event where type = 'shipment.confirmed'`)).toEqual([
    { actor: 'anna' },
  ])
  await restsInOrder()
  const open = () => query(`select code from exceptions.exception where closed_at is null`)
  await until(open).toEqual([])
}, 30_000)

test('what waits for a message that will never come goes on without it when a person says so', async () => {
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 1 },
    { kind: 'server-error', operation: 'events' },
  ])
  await submit(house.url, order, 'gone')
  await until(missing).toHaveLength(1)
  const [parked] = await listParked(house.app.database)
  expect(parked).toMatchObject({ system: 'wms', cause: { code: 'inbound.message_missing' } })
  const decision = { actor: 'anna', reason: 'picking needs no word' }
  await replayParked(house.app.database, [parked!.id], decision)
  await house.app.replayMessages()

  const [fate] = await fatesOf(house.app.database, [parked!.id])
  expect(fate).toMatchObject({ state: 'replayed', outcome: 'applied' })
  await restsInOrder()
  await until(everTold).toEqual([{ state: 'resolved' }])
  expect(await query(`select actor, reason from audit.entry where action = 'inbox.gap_skipped'`)).toEqual([
    decision,
  ])
  // it comes after all
  const [lost] = events() as [WmsEvent]
  expect(await tell(lost)).toBe('superseded')
}, 30_000)
