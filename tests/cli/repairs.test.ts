/** Repairs as the person at a terminal does them: beside a running program, and without one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
let house: House
let query: Query
let disconnect: () => Promise<void>
let orders: WorldOrder[]
beforeAll(async () => {
  folder = await folderDatabase()
  const database = { url: folder.url, end: async (): Promise<void> => undefined }
  house = await openHouse({ database })
  house.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(folder.url))
  orders = house.landscape.world
    .orders(200)
    .filter((one) => one.expected === 'ships_at_once' && one.case === 'regular' && one.door === 'shop')
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
  await folder.end()
})

const repairs = (...args: string[]) => crossdock('repairs', ...args, '--data', folder.path)
const words = ['--name', 'after the sync', '--reason', 'the customers are there', '--per-second', '100']

/** What is done to the customers and undone by a person. */
const hideAll = () => query(`update customers.customer set number = number || '!'`)
const mendAll = () => query(`update customers.customer set number = rtrim(number, '!')`)

async function shopOrdersParked(many: number): Promise<WorldOrder[]> {
  const placed = orders.splice(0, many)
  await hideAll()
  for (const order of placed) house.landscape.shop.place(order)
  const parked = () => query(`select id from parking.item where system = 'shop' and state = 'parked'`)
  await expect.poll(parked, { timeout: 10_000 }).toHaveLength(many)
  return placed
}
const acceptedOf = (placed: readonly WorldOrder[]) =>
  query('select 1 from orders.sales_order where customer_order = any($1)', [
    placed.map(({ poNumber }) => poNumber),
  ])

type Selection = { id: string; state: string; count: number; rehearsal: Record<string, unknown> }
type Job = { id: string; state: string; progress: { done: number; failed: number } }

describe('beside a running program', () => {
  test('what is parked is selected, rehearsed, started by its count, and followed to its end', async () => {
    const placed = await shopOrdersParked(3)
    await mendAll()
    const shown = await repairs('select', '--system', 'shop', '--cause', 'orders')
    expect(shown).toMatchObject({ code: 0 })
    for (const part of [
      '3 would change something',
      'order.accepted new order',
      'erp.createSalesOrder',
      '--count 3',
    ])
      expect(shown.stdout).toContain(part)
    const id = /repairs start (\d+)/.exec(shown.stdout)![1]!
    const listed = rowsOf<Selection>(await repairs('show', id, '--json'))
    expect(listed).toMatchObject([{ id, state: 'ready', count: 3 }])
    expect(await acceptedOf(placed)).toEqual([])

    const wrong = await repairs('start', id, '--count', '2', ...words)
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toContain('repairs.count_differs')

    const ended = await repairs('start', id, '--count', '3', ...words)
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.stderr).toMatch(/\d of 3 items/)
    for (const part of ['after the sync: replay 3 items', 'ended', '3 × applied'])
      expect(ended.stdout).toContain(part)
    expect(await acceptedOf(placed)).toHaveLength(3)
    expect(rowsOf<Job>(await repairs('list', '--json'))).toMatchObject([
      { id, state: 'ended', progress: { done: 3, failed: 0 } },
    ])
    const audit = await query(`select actor, reason from audit.entry where action = 'repairs.started'`)
    expect(audit).toEqual([{ actor: 'cli', reason: 'after the sync: the customers are there' }])
    expect((await repairs('pause', id)).stderr).toContain('repairs.not_possible_now')
  }, 60_000)

  test('what fails is told by its exit, item by item, and is selected anew', async () => {
    const placed = await shopOrdersParked(2)
    const [selection] = rowsOf<Selection>(await repairs('select', '--system', 'shop', '--json'))
    expect(selection).toMatchObject({ rehearsal: { wouldBeRejected: 2 } })
    const failed = await repairs('start', selection!.id, '--count', '2', ...words, '--json')
    expect([failed.code, rowsOf<Job>(failed)]).toMatchObject([1, [{ state: 'ended_with_failures' }]])
    const items = rowsOf(await repairs('items', selection!.id, '--state', 'failed', '--json'))
    expect(items).toMatchObject([
      { state: 'failed', cause: { code: 'orders.customer_unknown' } },
      { state: 'failed', cause: { code: 'orders.customer_unknown' } },
    ])
    await mendAll()
    const [again] = rowsOf<Selection>(await repairs('select', '--failed-of', selection!.id, '--json'))
    expect(again).toMatchObject({ count: 2, rehearsal: { wouldChange: 2 } })
    expect(await repairs('start', again!.id, '--count', '2', ...words)).toMatchObject({ code: 0 })
    expect(await acceptedOf(placed)).toHaveLength(2)
  }, 60_000)

  test('a job is paused, made faster, aborted and resumed', async () => {
    await shopOrdersParked(1)
    const [selection] = rowsOf<Selection>(await repairs('select', '--system', 'shop', '--json'))
    const { id } = selection!
    // as a job whose process is gone
    await query(
      `update repair.job set state = 'paused', name = 'n', reason = 'r', started_by = 'x', started_at = now(), per_second = 1
       where id = $1`,
      [id],
    )
    const steered = async (...args: string[]) => rowsOf<Job>(await repairs(...args, '--json'))[0]
    expect(await steered('pace', id, '--per-second', '50')).toMatchObject({ state: 'paused', perSecond: 50 })
    expect(await steered('abort', id)).toMatchObject({ state: 'aborted' })
    await mendAll()
    expect(await steered('resume', id)).toMatchObject({ state: expect.stringMatching(/^(running|ended)$/) })
    const state = async () => (await steered('show', id))!.state
    await expect.poll(state, { timeout: 15_000 }).toBe('ended')
  }, 60_000)
})

test.each([
  [['select'], 1, /repairs\.filter_empty/],
  [['select', 'first'], 2, /not an id/],
  [['select', '--failed-after', 'yesterday'], 2, /failedAfter/],
  [['select', '--system', 'nobody'], 1, /repairs\.nothing_selected/],
  [['start', '1', '--count', 'all', '--name', 'n', '--reason', 'r'], 2, /--count is a number/],
  [['start', '1', '--count', '1', '--name', ' ', '--reason', 'r'], 2, /has a name/],
  [['start', '1', '--name', 'n'], 2, /--count/],
  [['pace', '1', '--per-second', '0'], 2, /from 1 to 500/],
  [['show', '9999'], 1, /repairs\.not_found/],
])('crossdock repairs %j ends with %i', async (args, code, hint) => {
  const ended = await repairs(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(hint)
})

test('without a running program a selection is kept, and the command says who goes on with it', async () => {
  await shopOrdersParked(1)
  await house.app.stop()
  const ended = await repairs('select', '--system', 'shop')
  expect(ended).toMatchObject({ code: 1, stdout: '' })
  expect(ended.stderr).toMatch(/0 of 1 items are rehearsed, and no program is running/)
  expect(ended.stderr).toMatch(/crossdock repairs show \d+/)
}, 30_000)
