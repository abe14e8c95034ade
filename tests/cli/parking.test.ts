/** Parked work as the person at a terminal has it worked on again: beside a running program, and without one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { editPayload, park } from '#platform/parking.ts'
import { demoConfig } from '../../src/demo.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import { ediFolders, type EdiFolders, guideOf, sentTo } from '#tests/support/edi.ts'
import { type House, openHouse, ownWorld } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, crossdockFed, rowsOf } from './program.ts'

const world = ownWorld()
const regular = world.orders(200).filter((one) => one.expected === 'ships_at_once' && one.case === 'regular')
const [first, second, strange, odd, unwanted, alone] = regular.filter((one) => one.door === 'shop') as [
  WorldOrder,
  WorldOrder,
  WorldOrder,
  WorldOrder,
  WorldOrder,
  WorldOrder,
]
const [byEdi] = regular.filter((one) => one.door === 'edi') as [WorldOrder]
const [byApi] = regular.filter((one) => one.door === 'api' && one.company === 'NWF') as [WorldOrder]

let folder: FolderDatabase
let folders: EdiFolders
let house: House
let query: Query
let settings: string
let disconnect: () => Promise<void>
beforeAll(async () => {
  folder = await folderDatabase()
  folders = ediFolders(demoGuides(world))
  const database = { url: folder.url, end: async (): Promise<void> => undefined }
  house = await openHouse({
    database,
    world,
    config: { edi: folders.config },
    policy: { retry: { maxAttempts: 2, baseMs: 5, maxMs: 10 } },
  })
  house.app.keepUp()
  house.app.edi!.watch()
  ;({ query, end: disconnect } = await openQuery(folder.url))
  // JSON is YAML
  settings = join(folder.path, 'crossdock.yaml')
  writeFileSync(settings, JSON.stringify({ ...demoConfig(house.landscape), edi: folders.config }))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
  await folder.end()
  folders.remove()
})

type Told = { id: number; outcome: string; order?: string; code?: string; message?: string }

async function replay(id: number, ...args: string[]): Promise<Told & { exit: number | null }> {
  const words = ['parking', 'replay', String(id), '--reason', 'the master data is mended', '--json']
  const ended = await crossdock(...words, '--data', folder.path, ...args)
  const [told] = rowsOf<Told>(ended)
  if (!told) throw new Error(ended.stderr)
  return { ...told, exit: ended.code }
}

const type = (...words: readonly string[]) =>
  crossdock('parking', ...words, '--json', '--data', folder.path, '--config', settings)
const typeFed = (input: string, ...words: readonly string[]) =>
  crossdockFed(input, 'parking', ...words, '--json', '--data', folder.path, '--config', settings)

/** What is done to the customer and undone by a person. */
const hide = (number: string) =>
  query(`update customers.customer set number = $1 || '!' where number = $1`, [number])
const mend = (number: string) =>
  query(`update customers.customer set number = $1 where number = $1 || '!'`, [number])

async function parkedOf(system: string, customer?: string): Promise<number> {
  const found = () =>
    query<{ id: number }>(
      `select id from parking.item where state = 'parked' and system = $1 and cause_message like '%' || $2 || '%'`,
      [system, customer ?? ''],
    )
  await expect.poll(found, { timeout: 10_000 }).toHaveLength(1)
  return (await found())[0]!.id
}

const ordersOf = ({ poNumber }: WorldOrder) =>
  query<{ id: number }>('select id from orders.sales_order where customer_order = $1', [poNumber])
const exceptionsOf = (messageId: string) =>
  query(`select state from exceptions.exception where facts->>'messageId' = $1 order by id`, [messageId])
const messageOf = async (item: number) =>
  (
    await query<{ id: string; state: string; doc: number | null }>(
      `select m.message_id as id, m.state, m.doc from parking.item i
       join inbox.message m on i.key = m.source || '/' || m.message_id where i.id = $1`,
      [item],
    )
  )[0]!

describe('beside a running program', () => {
  test('a shop order that was parked for its customer becomes one order, however often it is replayed', async () => {
    await hide(first.customer)
    house.landscape.shop.place(first)
    const id = await parkedOf('shop', first.customer)
    const { id: messageId } = await messageOf(id)

    const early = await replay(id)
    expect(early).toMatchObject({
      outcome: 'parked',
      exit: 1,
      message: expect.stringContaining(first.customer),
    })
    expect(await exceptionsOf(messageId)).toEqual([{ state: 'open' }])

    await mend(first.customer)
    const told = await replay(id)
    expect(told).toMatchObject({ id, outcome: 'applied', exit: 0 })
    expect(await messageOf(id)).toMatchObject({ state: 'replayed' })
    expect(await exceptionsOf(messageId)).toEqual([{ state: 'resolved' }])
    const audit = await query(
      `select actor, reason from audit.entry where action = 'parking.replayed' and before->>'id' = $1 order by position`,
      [String(id)],
    )
    const decision = { actor: 'cli', reason: 'the master data is mended' }
    expect(audit).toEqual([decision, decision])

    expect(await replay(id)).toMatchObject({ outcome: 'refused', code: 'parking.not_parked', exit: 1 })
    expect((await ordersOf(first)).map((order) => `O-${order.id}`)).toEqual([told.order])
  })

  test('an order that came again meanwhile is not begun by its first message', async () => {
    await hide(second.customer)
    const placed = house.landscape.shop.place(second)
    const id = await parkedOf('shop', second.customer)
    await mend(second.customer)
    // the buyer of this test tells its order again, under another name
    const item = await query<{ payload: string }>('select payload from parking.item where id = $1', [id])
    await query(
      `insert into parking.item (kind, key, company, system, payload, cause_code, cause_message, context)
       select kind, 'shop/again', company, system, payload, 'test', 'again', context || '{"messageId": "again"}'
       from parking.item where id = $1`,
      [id],
    )
    expect(item[0]!.payload).toContain(String(placed.id))
    const again = (await query<{ id: number }>(`select id from parking.item where key = 'shop/again'`))[0]!.id
    expect(await replay(again)).toMatchObject({ outcome: 'applied', exit: 0 })
    expect(await replay(id)).toMatchObject({ outcome: 'duplicate', exit: 0 })
    expect(await ordersOf(second)).toHaveLength(1)
  })

  test('a message that said nothing we understand is read as it was corrected', async () => {
    const [line] = strange.lines as [WorldOrder['lines'][number]]
    house.landscape.shop.place({ ...strange, lines: [{ ...line, quantity: 1.5 }] })
    const id = await parkedOf('shop', 'quantity')
    const rows = await query<{ payload: string }>('select payload from parking.item where id = $1', [id])
    const good = rows[0]!.payload.replace(':1.5,', ':2,')
    await folder.database.transaction((tx) =>
      editPayload(tx, id, good, { actor: 'anna', reason: 'the shop confirmed the item' }),
    )
    expect(await replay(id)).toMatchObject({ outcome: 'applied', exit: 0 })
    expect(await ordersOf(strange)).toHaveLength(1)
  })

  test('a message is corrected after a look at what that changes, and not so that its door cannot read it', async () => {
    house.landscape.shop.place({ ...odd, lines: [{ ...odd.lines[0]!, quantity: 1.5 }] })
    const id = await parkedOf('shop', 'quantity')
    const [shown] = rowsOf<{ payload: string; exceptions: object[] }>(await type('show', String(id)))
    expect(shown!.exceptions).toHaveLength(1)
    const payload = (quantity: string) => shown!.payload.replace(':1.5,', `:${quantity},`)
    const edit = ['edit', String(id), '--reason', 'the shop confirmed it', '--file'] as const

    const guess = await typeFed(payload('2.5'), ...edit, '-', '--dry-run')
    expect(guess.code).toBe(3)
    expect(rowsOf(guess)).toMatchObject([{ dryRun: true, reading: { by: 'shop', readable: false } }])
    const refused = await typeFed(payload('2.5'), ...edit, '-')
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'parking.payload_unreadable' } })

    const file = join(folder.path, 'mended.json')
    writeFileSync(file, payload('2'))
    const change = { changes: [{ before: 1.5, after: 2 }], reading: { by: 'shop', readable: true } }
    expect(rowsOf(await type(...edit, file, '--dry-run'))).toMatchObject([change])
    const edits = () => query('select editor, reason from parking.edit where item = $1', [id])
    expect(await edits()).toEqual([])
    expect(rowsOf(await type(...edit, file))).toMatchObject([change])
    expect(await edits()).toEqual([{ editor: 'cli', reason: 'the shop confirmed it' }])

    const dry = await type('replay', String(id), '--reason', 'mended', '--dry-run')
    expect(rowsOf(dry)).toMatchObject([{ id, outcome: 'taken in' }])
    expect(await ordersOf(odd)).toEqual([])
    expect(await replay(id)).toMatchObject({ outcome: 'applied', exit: 0 })
    expect(await ordersOf(odd)).toHaveLength(1)
  })

  test('a message is given up with its exception; a document is not, and does not keep it', async () => {
    await hide(unwanted.customer)
    house.landscape.shop.place(unwanted)
    const id = await parkedOf('shop', unwanted.customer)
    const { id: messageId } = await messageOf(id)
    // on the desk, as else the program finds that it went on
    await query(
      `insert into desk.document (doc, process, company, due_at, failures) values (77, 'elsewhere', 'NWF', 'infinity', 1)`,
    )
    await folder.database.transaction((tx) =>
      park(tx, [
        { kind: 'document', key: '77', doc: 77, cause: { code: 'work.document_parked', message: 'x' } },
      ]),
    )
    const [document] = rowsOf<{ id: number }>(await type('list', '--kind', 'document', '--document', 'O-77'))
    const discard = ['discard', String(id), String(document!.id), '--reason', 'not meant'] as const
    expect((await type(...discard, '--dry-run')).code).toBe(4)
    expect(await messageOf(id)).toMatchObject({ state: 'parked' })
    const ended = await type(...discard)
    expect(ended.code).toBe(4)
    expect(rowsOf(ended)).toMatchObject([
      { id, outcome: 'discarded' },
      { id: document!.id, outcome: 'refused', code: 'parking.not_discardable' },
    ])
    expect(await messageOf(id)).toMatchObject({ state: 'discarded' })
    expect(await exceptionsOf(messageId)).toEqual([{ state: 'resolved' }])
    await query(`delete from parking.item where id = $1`, [document!.id])
    await query(`delete from desk.document where doc = 77`)
    await mend(unwanted.customer)
  })

  test('a purchase order by EDI is taken in and answered', async () => {
    const guide = guideOf(world, byEdi)
    await hide(byEdi.customer)
    dropFile(folders.config.inboxDirectory, 'order.edi', toInterchange(byEdi, guide))
    const id = await parkedOf('edi', byEdi.customer)
    await mend(byEdi.customer)
    expect(await replay(id)).toMatchObject({ outcome: 'applied', exit: 0 })
    expect(await ordersOf(byEdi)).toHaveLength(1)
    await expect
      .poll(async () => (await sentTo(folders, guide.partner, '855')).length, { timeout: 10_000 })
      .toBe(1)
  })

  test('stock that a warehouse received of an unknown item is booked once', async () => {
    const { item, site, company } = world.receipts[0]!
    await query(`update items.item set sku = sku || '!' where sku = $1 and company = $2`, [item, company])
    house.landscape.wms.receive(`ASN-${world.receipts[0]!.id}`)
    const id = await parkedOf('wms', item)
    await query(`update items.item set sku = $1 where sku = $1 || '!' and company = $2`, [item, company])
    expect(await replay(id)).toMatchObject({ outcome: 'applied', exit: 0 })
    const { id: messageId } = await messageOf(id)
    expect(
      await query(`select location, reason from inventory.movement where source_key = $1`, [messageId]),
    ).toEqual([{ location: site, reason: 'receipt' }])
  })

  test('a document and a call that failed too often are worked on again, and their order goes on', async () => {
    house.landscape.legacyErp.faults.set({ kind: 'server-error' })
    expect(await submit(house.url, byApi, 'call')).toMatchObject({ status: 201 })
    const call = await parkedOf('erp-foods')
    const [order] = (await ordersOf(byApi)) as [{ id: number }]
    const document = await poisoned(order.id, byApi.company)
    house.landscape.legacyErp.faults.clear()
    expect(await replay(document)).toMatchObject({ outcome: 'applied', exit: 0 })
    expect(await replay(call)).toMatchObject({ outcome: 'applied', exit: 0 })
    const isClosed = () =>
      query(`select closed_at is not null as closed from orders.sales_order where id = $1`, [order.id])
    await expect.poll(isClosed, { timeout: 10_000 }).toEqual([{ closed: true }])
  })
})

/** As the runner leaves a document that failed again and again. */
async function poisoned(doc: number, company: string): Promise<number> {
  const cause = { code: 'work.document_parked', message: 'a defect' }
  await query(`update desk.document set failures = 5, due_at = now() + interval '100 years' where doc = $1`, [
    doc,
  ])
  await folder.database.transaction((tx) =>
    park(tx, [{ kind: 'document', key: String(doc), company, doc, cause }]),
  )
  const [item] = await query<{ id: number }>('select id from parking.item where key = $1', [String(doc)])
  return item!.id
}

describe('without a running program', () => {
  test('the command takes a message in by doors of its own, or says that it has none for it', async () => {
    await hide(alone.customer)
    house.landscape.shop.place(alone)
    const id = await parkedOf('shop', alone.customer)
    await mend(alone.customer)
    await house.app.stop()

    expect(await replay(id)).toMatchObject({
      outcome: 'parked',
      code: 'work.door_missing',
      message: expect.stringContaining('shop'),
      exit: 1,
    })
    expect(await ordersOf(alone)).toEqual([])

    expect(await replay(id, '--config', settings)).toMatchObject({ outcome: 'applied', exit: 0 })
    const [order] = (await ordersOf(alone)) as [{ id: number }]
    const due = await query(`select owner, due_at <= now() as due from desk.document where doc = $1`, [
      order.id,
    ])
    expect(due).toEqual([{ owner: null, due: true }])
  }, 30_000)
})
