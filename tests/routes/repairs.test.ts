/** The doors of repairs: a selection, its rehearsal that changes nothing, and the job that does what it has shown. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { park } from '#platform/parking.ts'
import type { JobView, SelectionView } from '../../src/experiences/control-tower/repairs-contract.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { bearer, type FrontDoor, openFrontDoor, type Reply, shipsAtOnce } from './front-door.ts'

const SELECTIONS = '/experience/control-tower/v1/repair-selections'
const JOBS = '/experience/control-tower/v1/repair-jobs'

let door: FrontDoor
let query: Query
let disconnect: () => Promise<void>
let staff: Readonly<Record<string, string>>
let reader: Readonly<Record<string, string>>
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor({ policy: { retry: { maxAttempts: 2, baseMs: 5, maxMs: 10 } } })
  door.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(door.databaseUrl))
  const scopes = ['experience.repairs:read', 'experience.repairs:write']
  staff = bearer(await door.key({ client: 'desk', scopes }))
  reader = bearer(await door.key({ client: 'screen', scopes: scopes.slice(0, 1) }))
  partner = bearer(await door.key({ client: 'portal', scopes, partner: '100101' }))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await door.end()
})

const post = (path: string, body: object, more: { headers?: object; key?: string } = {}) =>
  door.send('POST', path, {
    body,
    headers: { ...staff, ...more.headers },
    ...(more.key === undefined ? {} : { key: more.key }),
  })
const get = (path: string, headers = reader) => door.send('GET', path, { headers })
const told = ({ status, body }: Reply) => [status, body.code]
const words = { name: 'after the sync', reason: 'the customers are there', perSecond: 100 }

/** What is done to the customer and undone by a person. */
const hide = (number: string) =>
  query(`update customers.customer set number = $1 || '!' where number = $1`, [number])
const mend = (number: string) =>
  query(`update customers.customer set number = $1 where number = $1 || '!'`, [number])

const byShop = (order: WorldOrder): boolean => shipsAtOnce(order) && order.door === 'shop'
async function shopOrderParked(): Promise<{ order: WorldOrder; item: number }> {
  const order = door.next(byShop)
  await hide(order.customer)
  const placed = door.landscape.shop.place(order)
  const found = () =>
    query<{ id: number }>(
      `select id from parking.item where system = 'shop' and state = 'parked' and payload like '%' || $1 || '%'`,
      [String(placed.id)],
    )
  await expect.poll(found, { timeout: 10_000 }).toHaveLength(1)
  return { order, item: (await found())[0]!.id }
}

async function ready(id: string): Promise<SelectionView> {
  const read = async () => (await get(`${SELECTIONS}/${id}`)).body as unknown as SelectionView
  await expect.poll(async () => (await read()).state, { timeout: 10_000 }).toBe('ready')
  return read()
}
async function selected(body: object): Promise<SelectionView> {
  const reply = await post(SELECTIONS, { action: 'replay', ...body })
  expect([reply.status, reply.headers.get('location')]).toEqual([201, `${SELECTIONS}/${reply.body.id}`])
  return ready(reply.body.id)
}
const jobOf = async (id: string) => (await get(`${JOBS}/${id}`)).body as unknown as JobView
async function ended(id: string): Promise<JobView> {
  await expect.poll(async () => (await jobOf(id)).state, { timeout: 15_000 }).toMatch(/^ended/)
  return jobOf(id)
}
const started = async (selection: SelectionView): Promise<JobView> => {
  const reply = await post(JOBS, { selectionId: selection.id, count: selection.count, ...words })
  expect([reply.status, reply.headers.get('location')]).toEqual([201, `${JOBS}/${selection.id}`])
  return reply.body as unknown as JobView
}

const BOOKS = {
  orders: `select id, version from orders.sales_order order by id`,
  lines: `select order_id, n, reserved, released, shipped from orders.line order by order_id, n`,
  events: `select key, key_version from log.event order by key, key_version`,
  calls: `select * from effects.intent order by doc, step, subject`,
  desk: `select doc, version, failures, owner from desk.document order by doc`,
  stock: `select * from inventory.position order by company, item_id, location, lot`,
  movements: `select count(*) from inventory.movement`,
  parked: `select * from parking.item order by id`,
  messages: `select source, message_id, state, doc from inbox.message order by source, message_id`,
  exceptions: `select id, state, version from exceptions.exception order by id`,
  audit: `select count(*) from audit.entry where action not like 'audit.%'`,
  credit: `select * from customers.credit_account order by 1`,
}
/** Everything that a replay could change, here and at the others. */
async function books(): Promise<object> {
  const ours: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(BOOKS)) ours[name] = await query(text)
  const { legacyErp, cloudErp, wms, tax } = door.landscape
  return { ours, theirs: [legacyErp.truth(), cloudErp.truth(), wms.truth(), tax.truth()] }
}

/** Stands still: what is under way has come to its end. */
async function still(): Promise<void> {
  const busy = () => query(`select doc from desk.document where owner is not null or due_at <= now()`)
  await expect.poll(busy, { timeout: 10_000 }).toEqual([])
}

describe('a rehearsal', () => {
  test('shows the order that a message would become and the calls it would cause, and changes nothing anywhere', async () => {
    const { order, item } = await shopOrderParked()
    await mend(order.customer)
    await still()
    const before = await books()
    const { rehearsal, count } = await selected({ ids: [item] })
    expect(await books()).toEqual(before)
    expect([count, rehearsal]).toMatchObject([
      1,
      { done: 1, total: 1, wouldChange: 1, wouldDoNothing: 0, wouldBeRejected: 0, callsSent: 2 },
    ])
    const [sample] = rehearsal.samples
    expect(sample).toMatchObject({ item, expected: 'change' })
    expect(sample!.changes).toContainEqual({ at: '/new order/customerOrder', after: order.poNumber })
    expect(sample!.events[0]).toBe('order.accepted new order')
    expect(sample!.calls.map(({ operation, fate }) => [operation, fate])).toEqual([
      ['erp.createSalesOrder', 'sent'],
      ['channel.acknowledge', 'sent'],
    ])
    expect(sample!.calls[0]!.key).toBe('new/postToErp//1')
  })

  test('says why a message would be put aside again', async () => {
    const { order, item } = await shopOrderParked()
    const { rehearsal } = await selected({ ids: [item] })
    expect(rehearsal).toMatchObject({
      wouldChange: 0,
      wouldBeRejected: 1,
      callsSent: 0,
      reasons: [{ expected: 'rejection', code: 'orders.customer_unknown', count: 1 }],
    })
    await mend(order.customer)
  })

  test('says that a message whose order came meanwhile would do nothing', async () => {
    const { order, item } = await shopOrderParked()
    await mend(order.customer)
    await query(
      `insert into parking.item (kind, key, company, system, payload, cause_code, cause_message, context)
       select kind, 'shop/again-' || id, company, system, payload, 'test', 'again',
         context || jsonb_build_object('messageId', 'again-' || id) from parking.item where id = $1`,
      [item],
    )
    await ended((await started(await selected({ ids: [item] }))).id)
    expect(
      await query('select 1 from orders.sales_order where customer_order = $1', [order.poNumber]),
    ).toHaveLength(1)
    const { rehearsal } = await selected({ filter: { text: `again-${item}` } })
    expect(rehearsal).toMatchObject({
      wouldDoNothing: 1,
      callsSent: 0,
      reasons: [{ expected: 'nothing', code: 'duplicate' }],
    })
  })

  test('shows where stock would move that a warehouse told of', async () => {
    const receipt = door.landscape.world.receipts[0]!
    const { item, company } = receipt
    await query(`update items.item set sku = sku || '!' where sku = $1 and company = $2`, [item, company])
    door.landscape.wms.receive(`ASN-${receipt.id}`)
    const found = () =>
      query<{ id: number }>(`select id from parking.item where system = 'wms' and state = 'parked'`)
    await expect.poll(found, { timeout: 10_000 }).toHaveLength(1)
    await query(`update items.item set sku = $1 where sku = $1 || '!' and company = $2`, [item, company])
    const [{ id } = { id: 0 }] = await found()
    const { rehearsal } = await selected({ filter: { system: 'wms' } })
    expect(rehearsal.samples[0]).toMatchObject({ item: id, expected: 'change' })
    expect(rehearsal.samples[0]!.changes.map(({ at }) => at)).toContain(
      `/stock ${receipt.site} ${item}/available`,
    )
  })

  test('of a call and of a document tells which calls would be made, sums what is at stake, and calls nobody', async () => {
    door.landscape.legacyErp.faults.set({ kind: 'server-error' })
    const order = door.next((one) => shipsAtOnce(one) && one.door === 'api' && one.company === 'NWF')
    const { body } = await door.submit(order)
    const doc = Number(body.id.slice(2))
    const parked = () =>
      query<{ id: number; key: string }>(`select id, key from parking.item where doc = $1`, [doc])
    await expect.poll(parked, { timeout: 10_000 }).toHaveLength(1)
    const [call] = await parked()
    door.landscape.legacyErp.faults.clear()
    await still()
    const before = await books()
    const selection = await selected({ filter: { order: body.id } })
    expect(await books()).toEqual(before)
    expect(selection.atStake).toEqual([{ amount: body['total'], currency: body['currency'] }])
    expect(selection.rehearsal.samples).toMatchObject([
      {
        item: call!.id,
        expected: 'change',
        calls: [
          { key: call!.key, system: 'erp-foods', fate: expect.stringMatching(/sent|looked/) as string },
        ],
      },
    ])

    await door.app.database.transaction((tx) =>
      park(tx, [
        { kind: 'document', key: body.id, company: 'NWF', doc, cause: { code: 'x', message: 'a defect' } },
      ]),
    )
    const both = await selected({ filter: { order: body.id } })
    expect([both.count, both.atStake]).toEqual([2, selection.atStake])
    await started(both)
    expect(await ended(both.id)).toMatchObject({ state: 'ended', progress: { done: 2, failed: 0 } })
    const closed = () =>
      query(`select 1 from orders.sales_order where id = $1 and closed_at is not null`, [doc])
    await expect.poll(closed, { timeout: 15_000 }).toHaveLength(1)
  })

  test('of a call that is confirmed already says that it is suppressed', async () => {
    const [row] = await query<{ doc: number }>(
      `select id as doc from orders.sales_order where erp_number is not null limit 1`,
    )
    const key = `${row!.doc}/postToErp//1`
    await door.app.database.transaction((tx) =>
      park(tx, [
        {
          kind: 'effect',
          key,
          doc: row!.doc,
          system: 'erp-foods',
          cause: { code: 'x', message: 'x' },
          context: { operation: 'erp.createSalesOrder' },
        },
      ]),
    )
    const [item] = await query<{ id: number }>(`select id from parking.item where key = $1`, [key])
    const reply = await post(SELECTIONS, { action: 'replay', ids: [item!.id] })
    const { rehearsal } = await ready(reply.body.id)
    expect(rehearsal).toMatchObject({ wouldDoNothing: 1, callsSent: 0, callsSuppressed: 1 })
    expect(rehearsal.samples[0]!.calls).toMatchObject([{ key, fate: 'suppressed' }])
  })

  test('of a discard shows what would be given up, and refuses what is owed', async () => {
    const { order, item } = await shopOrderParked()
    await mend(order.customer)
    const given = await selected({ action: 'discard', ids: [item] })
    expect(given.rehearsal.samples[0]!.changes).toEqual([
      { at: '/state', before: 'parked', after: 'discarded' },
    ])
    await started(given)
    expect(await ended(given.id)).toMatchObject({ outcomes: [{ outcome: 'discarded', count: 1 }] })
    const state = await query(`select state from parking.item where id = $1`, [item])
    expect(state).toEqual([{ state: 'discarded' }])
  })
})

describe('a job', () => {
  test('replays what was selected, tells what failed, and has that selected anew', async () => {
    const good = await shopOrderParked()
    await mend(good.order.customer)
    const bad = await shopOrderParked()
    const selection = await selected({ ids: [good.item, bad.item] })
    expect(selection).toMatchObject({
      count: 2,
      selectedBy: 'desk',
      rehearsal: { wouldChange: 1, wouldBeRejected: 1 },
    })
    const { id } = await started(selection)
    const job = await ended(id)
    expect(job).toMatchObject({
      state: 'ended_with_failures',
      name: words.name,
      startedBy: 'desk',
      progress: { done: 2, total: 2, failed: 1 },
      underWay: 0,
    })
    const failed = await get(`${JOBS}/${id}/items?state=failed`)
    expect(failed.body['items']).toMatchObject([
      { item: bad.item, outcome: 'parked again', cause: { code: 'orders.customer_unknown' } },
    ])
    await mend(bad.order.customer)
    const anew = await post(`${JOBS}/${id}:select-failed`, {})
    expect(anew.status).toBe(201)
    const second = await ready(anew.body.id)
    expect(second).toMatchObject({ count: 1, rehearsal: { wouldChange: 1 } })
    await started(second)
    expect(await ended(second.id)).toMatchObject({ state: 'ended' })
    for (const { order } of [good, bad])
      expect(
        await query('select 1 from orders.sales_order where customer_order = $1', [order.poNumber]),
      ).toHaveLength(1)
    expect(told(await post(`${JOBS}/${second.id}:select-failed`, {}))).toEqual([
      409,
      'repairs.nothing_failed',
    ])
    const list = await get(`${JOBS}?limit=1`)
    expect(list.body['items']).toMatchObject([{ id: second.id, state: 'ended' }])
    const next = await get(`${JOBS}?limit=1&cursor=${String(list.body['nextCursor'])}`)
    expect(next.body['items']).toMatchObject([{ id }])
  })

  test('is paused, paced, aborted and resumed; a second start answers the same job', async () => {
    const parked = [await shopOrderParked(), await shopOrderParked(), await shopOrderParked()]
    for (const { order } of parked) await mend(order.customer)
    const selection = await selected({ ids: parked.map(({ item }) => item) })
    // one a second: it cannot have ended before it is paused
    const start = { selectionId: selection.id, count: 3, ...words, perSecond: 1 }
    const [first, second] = [
      await post(JOBS, start, { key: 'once' }),
      await post(JOBS, start, { key: 'twice' }),
    ]
    expect([first.status, second.status, first.body.id]).toEqual([201, 201, second.body.id])
    const steer = async (verb: string, body: object = {}) =>
      (await post(`${JOBS}/${selection.id}:${verb}`, body)).body
    expect(await steer('pause')).toMatchObject({ state: 'paused' })
    expect(await steer('abort')).toMatchObject({ state: 'aborted' })
    expect(await steer('pace', { perSecond: 50 })).toMatchObject({ state: 'aborted', perSecond: 50 })
    expect(await steer('resume')).toMatchObject({ state: 'running', progress: { failed: 0 } })
    expect(await ended(selection.id)).toMatchObject({ state: 'ended', progress: { done: 3 } })
    expect(told(await post(`${JOBS}/${selection.id}:resume`, {}))).toEqual([409, 'repairs.not_possible_now'])
  })
})

describe('a door', () => {
  test('refuses what names nothing, what is unknown and what is not as it was seen', async () => {
    expect(told(await post(SELECTIONS, { action: 'replay', filter: {} }))).toEqual([
      422,
      'repairs.filter_empty',
    ])
    expect(told(await post(SELECTIONS, { action: 'replay', filter: { text: ' ' } }))).toEqual([
      422,
      'repairs.filter_empty',
    ])
    expect(told(await post(SELECTIONS, { action: 'replay', ids: [999_999] }))).toEqual([
      422,
      'repairs.nothing_selected',
    ])
    expect((await post(SELECTIONS, { action: 'replay' })).body.code).toBe('http.invalid')
    expect((await post(SELECTIONS, { action: 'burn', ids: [1] })).body.code).toBe('http.invalid')
    for (const path of [`${SELECTIONS}/99999`, `${JOBS}/99999`, `${JOBS}/99999/items`])
      expect(told(await get(path))).toEqual([404, 'repairs.not_found'])
    expect(told(await post(`${JOBS}/99999:pause`, {}))).toEqual([404, 'repairs.not_found'])
    expect(told(await post(JOBS, { selectionId: '99999', count: 1, ...words }))).toEqual([
      404,
      'repairs.not_found',
    ])
    const { order, item } = await shopOrderParked()
    const selection = await selected({ ids: [item] })
    await mend(order.customer)
    const start = { selectionId: selection.id, ...words }
    expect(told(await post(JOBS, { ...start, count: 2 }))).toEqual([422, 'repairs.count_differs'])
    expect((await post(JOBS, { ...start, count: 1, reason: ' ' })).body.code).toBe('http.invalid')
    expect(told(await get(`${JOBS}/${selection.id}`))).toEqual([404, 'repairs.not_found'])
    await query(`update repair.job set expires_at = now() - interval '1 hour' where id = $1`, [selection.id])
    expect(told(await post(JOBS, { ...start, count: 1 }))).toEqual([409, 'repairs.selection_expired'])
  })

  test('opens to its scope only, and to no partner', async () => {
    const select = (headers: object) => post(SELECTIONS, { action: 'replay', ids: [1] }, { headers })
    expect(told(await select(reader))).toEqual([403, 'access.scope_missing'])
    expect(told(await select(partner))).toEqual([404, 'repairs.not_found'])
    expect((await get(JOBS, partner)).body).toEqual({ items: [] })
    const [job] = await query<{ id: number }>(
      'select id from repair.job where started_at is not null limit 1',
    )
    for (const path of [`${JOBS}/${job!.id}`, `${JOBS}/${job!.id}/items`, `${SELECTIONS}/${job!.id}`])
      expect(told(await get(path, partner))).toEqual([404, 'repairs.not_found'])
  })
})

test('no door met a defect', () =>
  expect(door.complaints.filter((line) => /"level":50|upkeep failed/.test(line))).toEqual([]))
