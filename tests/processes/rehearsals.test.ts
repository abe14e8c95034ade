/** Rehearsals of what partners and warehouses told: what would come of it is seen, and no file, number or row stays. */
import { expect, test } from 'vitest'
import { select } from '#platform/repair-selection.ts'
import { type RepairStory, showRepair } from '#platform/repair-views.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { ediFolders, guideOf, sentTo } from '#tests/support/edi.ts'
import { type House, openHouse, ownWorld } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'
import { openQuery } from '#tests/support/house-query.ts'

const world = ownWorld()
const shipsAtOnce = world
  .orders(200)
  .filter((one) => one.expected === 'ships_at_once' && one.case === 'regular')
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 15_000 })

async function rehearsed({ app: { database } }: House, ids: readonly number[]): Promise<RepairStory> {
  const job = await database.transaction((tx) =>
    select(tx, { action: 'replay', asked: { ids }, actor: 'anna', stakeOf: async () => [] }),
  )
  const story = async () => (await showRepair(database, job))!
  await until(async () => (await story()).state).toBe('ready')
  return story()
}

async function rowsOf(query: Query, tables: readonly string[]): Promise<object[]> {
  const rows: object[] = []
  for (const table of tables) rows.push(await query(`select t::text from ${table} t order by 1`))
  return rows
}

test('a purchase order by EDI is seen as it would be accepted and answered, and no answer is written', async () => {
  const folders = ediFolders(demoGuides(world))
  const house = await openHouse({ world, config: { edi: folders.config } })
  house.app.keepUp()
  house.app.edi!.watch()
  const { query, end } = await openQuery(house.databaseUrl)
  try {
    const order = shipsAtOnce.find(({ door }) => door === 'edi')!
    const guide = guideOf(world, order)
    await query(`update customers.customer set number = number || '!' where number = $1`, [order.customer])
    dropFile(folders.config.inboxDirectory, 'order.edi', toInterchange(order, guide))
    const parked = () => query<{ id: number }>(`select id from parking.item where system = 'edi'`)
    await until(parked).toHaveLength(1)
    await until(() => query(`select 1 from edi.outbound where written_at is not null`)).toHaveLength(1)
    await query(`update customers.customer set number = rtrim(number, '!')`)

    const tables = ['edi.outbound', 'edi.control_number', 'edi.purchase_order', 'orders.sales_order']
    const before = await rowsOf(query, tables)
    const { samples } = await rehearsed(house, [(await parked())[0]!.id])
    expect(samples).toMatchObject([{ expected: 'change' }])
    const [{ sample } = { sample: undefined }] = samples
    expect(sample!.changes).toContainEqual({ at: '/new order/customerOrder', after: order.poNumber })
    expect(sample!.calls.map(({ operation }) => operation)).toContain('erp.createSalesOrder')
    expect(await rowsOf(query, tables)).toEqual(before)
    expect(await sentTo(folders, guide.partner, '855')).toEqual([])
  } finally {
    await end()
    await house.end()
    folders.remove()
  }
}, 60_000)

test('what waits behind a message that never came is seen as it would be applied without it, and goes on waiting', async () => {
  const house = await openHouse({
    world,
    landscape: { announcePicking: true, webhookBatch: 1 },
    config: { inbox: { gapAfterMs: 500 } },
  })
  house.app.keepUp()
  const { query, end } = await openQuery(house.databaseUrl)
  try {
    house.landscape.wms.faults.set([
      { kind: 'webhook-drop', times: 1 },
      { kind: 'server-error', operation: 'events' },
    ])
    const { body } = await submit(house.url, shipsAtOnce[0]!, 'gone')
    const parked = () =>
      query<{ id: number }>(`select id from parking.item where cause_code = 'inbound.message_missing'`)
    await until(parked).toHaveLength(1)
    const { samples } = await rehearsed(house, [(await parked())[0]!.id])
    expect(samples).toMatchObject([{ expected: 'change' }])
    const [{ sample } = { sample: undefined }] = samples
    expect(sample!.events).toContainEqual(expect.stringMatching(/^shipment\.confirmed new shipment/))
    expect(sample!.changes.map(({ at }) => at)).toContainEqual(
      expect.stringMatching(new RegExp(`^/${body.id}/lines/.+/shipped$`)),
    )
    expect(await query('select 1 from shipments.shipment')).toEqual([])
    expect(await query('select 1 from inbox.held')).toHaveLength(1)
  } finally {
    await end()
    await house.end()
  }
}, 60_000)
