/** The doors of parked work: what is seen of it and by whom, and what people decide on one item. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { listAudit } from '#platform/audit.ts'
import { type Parkable, park } from '#platform/parking.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { bearer, type FrontDoor, openFrontDoor, type Reply, shipsAtOnce } from './front-door.ts'

const DOOR = '/experience/control-tower/v1/parked-items'

type Headers = Readonly<Record<string, string>>
let door: FrontDoor
let query: Query
let disconnect: () => Promise<void>
let staff: Headers
let reader: Headers
let partner: Headers
beforeAll(async () => {
  // of so many customers that no two messages are of one exception
  door = await openFrontDoor({
    world: generateWorld({ seed: 'test', today: '2026-11-02', plannedOrders: 200 }),
  })
  ;({ query, end: disconnect } = await openQuery(door.databaseUrl))
  const scopes = ['experience.parking:read', 'experience.parking:write', 'experience.payloads:read']
  staff = bearer(await door.key({ client: 'desk', scopes }))
  reader = bearer(await door.key({ client: 'screen', scopes: scopes.slice(0, 1) }))
  partner = bearer(await door.key({ client: 'portal', scopes, partner: '100101' }))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await door.end()
})

type Item = { id: number; version: number; key: string; payload?: string; document?: string }

const told = ({ status, body }: Reply) => [status, body.code]
const read = (id: number, headers = staff) => door.send('GET', `${DOOR}/${id}`, { headers })
const act = (
  id: number,
  verb: string,
  body: object,
  { ask = '', headers = {}, key = '' }: { ask?: string; headers?: Headers; key?: string } = {},
) =>
  door.send('POST', `${DOOR}/${id}:${verb}${ask}`, {
    body,
    headers: { ...staff, ...headers },
    ...(key ? { key } : {}),
  })
const DRY = { ask: '?dryRun=true' }
async function list(filter = ''): Promise<Item[]> {
  const { body } = await door.send('GET', `${DOOR}?limit=200&${filter}`, { headers: reader })
  return body['items'] as Item[]
}

/** An order that the shop tells with a quantity that is none. */
async function unreadable(): Promise<{ item: Item; order: WorldOrder; mended: string }> {
  const order = door.next((one) => shipsAtOnce(one) && one.door === 'shop')
  const before = (await list('system=shop')).map(({ id }) => id)
  door.landscape.shop.place({ ...order, lines: [{ ...order.lines[0]!, quantity: 1.5 }] })
  const fresh = async () => (await list('system=shop')).filter(({ id }) => !before.includes(id))
  await vi.waitFor(async () => expect(await fresh()).toHaveLength(1), { timeout: 10_000 })
  const { id } = (await fresh())[0]!
  const item = (await read(id)).body as unknown as Item
  return { item, order, mended: item.payload!.replace(':1.5,', ':2,') }
}

let keys = 0
async function parkedAs(overrides: Partial<Parkable> = {}): Promise<Item> {
  const key = `wms/invented-${++keys}`
  const item: Parkable = {
    kind: 'message',
    key,
    company: 'NWF',
    system: 'wms',
    payload: '{}',
    cause: { code: 'shipments.line_unknown', message: 'no such line' },
    context: { source: 'wms', messageId: `invented-${keys}`, type: 'shipment.confirmed' },
    ...overrides,
  }
  await door.app.database.transaction((tx) => park(tx, [item]))
  return (await list()).find((one) => one.key === item.key)!
}

const ordersOf = async ({ poNumber }: WorldOrder) => {
  const rows = await query<{ id: number }>('select id from orders.sales_order where customer_order = $1', [
    poNumber,
  ])
  return rows.map(({ id }) => id)
}

describe('the list', () => {
  test('shows what still waits, the newest first, in pages without gap or repetition', async () => {
    const ids = [await parkedAs(), await parkedAs(), await parkedAs()].map(({ id }) => id)
    const seen: number[] = []
    let cursor = ''
    do {
      const page = await door.send('GET', `${DOOR}?limit=2${cursor}`, { headers: reader })
      const { items, nextCursor } = page.body as unknown as { items: Item[]; nextCursor?: string }
      seen.push(...items.map(({ id }) => id))
      cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
    } while (cursor !== '')
    expect(seen).toEqual((await list()).map(({ id }) => id))
    expect(seen).toEqual(expect.arrayContaining(ids))
    expect(seen).toEqual(seen.toSorted((a, b) => b - a))
  })

  test.each([
    ['kind=document', 'kind=effect'],
    ['document=O-77001', 'document=O-77002'],
    ['step=release', 'step=invoice'],
    ['causeCode=work.document_parked', 'causeCode=work.nothing'],
    ['company=NWF&kind=document', 'company=NWI'],
    ['poison=false&kind=document', 'poison=true'],
    ['failedFrom=2020-01-01T00:00:00Z&kind=document', 'failedBefore=2020-01-01T00:00:00Z'],
    ['state=parked&kind=document', 'state=discarded&kind=document'],
  ])('finds by %s and not by %s', async (finds, misses) => {
    const { id } = await parkedAs({
      kind: 'document',
      key: '77001',
      doc: 77_001,
      step: 'release',
      payload: null,
      cause: { code: 'work.document_parked', message: 'a defect' },
      context: { kind: 'order' },
    })
    const found = await list(finds)
    expect(found.filter((one) => one.id === id)).toMatchObject([{ document: 'O-77001' }])
    expect((await list(misses)).map((one) => one.id)).not.toContain(id)
  })

  test('is empty for a partner, and refuses a cursor of another list', async () => {
    const { body } = await door.send('GET', DOOR, { headers: partner })
    expect(body['items']).toEqual([])
    const refused = await door.send('GET', `${DOOR}?cursor=invented`, { headers: reader })
    expect(told(refused)).toEqual([400, 'http.cursor_invalid'])
  })
})

describe('one item', () => {
  test('tells its cause, its place, its payload and who looks after it, and the payload to no one else', async () => {
    const { item } = await unreadable()
    const { body, headers } = await read(item.id)
    expect(body).toMatchObject({
      kind: 'message',
      state: 'parked',
      system: 'shop',
      cause: { code: expect.any(String), message: expect.stringContaining('quantity') },
      attempts: 1,
      poison: false,
      payload: expect.stringContaining(':1.5,'),
      context: { source: 'shop' },
      edits: [],
      waitingMessages: [],
      exceptions: [{ owner: expect.any(String), title: expect.any(String) }],
    })
    const unchanged = await door.send('GET', `${DOOR}/${item.id}`, {
      headers: { ...staff, 'if-none-match': headers.get('etag')! },
    })
    expect(unchanged.status).toBe(304)
    const shown = (await read(item.id, reader)).body
    expect(shown).not.toHaveProperty('payload')
    expect(shown).toMatchObject({ sizeBytes: expect.any(Number) })
  })

  test('is not there for a partner, nor under an id that was never given', async () => {
    const { id } = await parkedAs()
    expect(told(await read(id, partner))).toEqual([404, 'parking.not_found'])
    expect(told(await read(999_999))).toEqual([404, 'parking.not_found'])
    expect(told(await act(id, 'replay', { reason: 'why' }, { headers: partner }))).toEqual([
      404,
      'parking.not_found',
    ])
  })
})

describe('a message that was corrected', () => {
  test('becomes its order once it is replayed, and a dry run has shown all of it and done nothing', async () => {
    const { item, order, mended } = await unreadable()
    const edit = { payload: mended, reason: 'the shop confirmed two' }
    const dry = await act(item.id, 'edit', edit, DRY)
    expect(dry.body).toMatchObject({
      dryRun: true,
      version: item.version,
      payloadChanges: [{ at: expect.stringContaining('quantity'), before: 1.5, after: 2 }],
      reading: { by: 'shop', readable: true },
      expectation: { expected: 'change', events: expect.arrayContaining([expect.stringContaining('order')]) },
    })
    expect((await read(item.id)).body).toMatchObject({ edited: false, version: item.version })

    const edited = await act(item.id, 'edit', edit, { key: 'edit-once' })
    expect(edited.body).toMatchObject({
      dryRun: false,
      edited: true,
      version: item.version + 1,
      edits: [{ by: 'desk', reason: edit.reason, changes: [{ before: 1.5, after: 2 }] }],
    })
    expect((await act(item.id, 'edit', edit, { key: 'edit-once' })).body).toEqual(edited.body)

    const replay = { reason: 'it is mended' }
    expect((await act(item.id, 'replay', replay, DRY)).body).toMatchObject({
      state: 'parked',
      expectation: { expected: 'change' },
    })
    expect(await ordersOf(order)).toEqual([])
    expect((await act(item.id, 'replay', replay)).body).toMatchObject({ state: 'replaying' })
    await door.app.replayMessages()
    expect(await ordersOf(order)).toHaveLength(1)
    expect((await read(item.id)).body).toMatchObject({
      state: 'replayed',
      outcome: 'applied',
      settledBy: 'desk',
      exceptions: [],
    })
    expect(told(await act(item.id, 'replay', replay))).toEqual([409, 'parking.not_parked'])
    const actions = (await listAudit(door.app.database, { actor: 'desk' })).map(({ action }) => action)
    expect(actions.slice(0, 2)).toEqual(['parking.replayed', 'parking.edited'])
  })

  test('so that its door cannot read it is refused, and a dry run says why', async () => {
    const { item } = await unreadable()
    const edit = { payload: item.payload!.replace(':1.5,', ':2.5,'), reason: 'a guess' }
    expect((await act(item.id, 'edit', edit, DRY)).body).toMatchObject({
      reading: { by: 'shop', readable: false, problem: expect.stringContaining('quantity') },
    })
    const refused = await act(item.id, 'edit', edit)
    expect(told(refused)).toEqual([422, 'parking.payload_unreadable'])
    expect(refused.body['errors']).toMatchObject([
      { pointer: '/payload', message: expect.stringContaining('quantity') },
    ])
    expect((await read(item.id)).body).toMatchObject({ edited: false })
  })

  test('is not overwritten by somebody who has not seen that', async () => {
    const { item, mended } = await unreadable()
    const { headers } = await read(item.id)
    const seen = { 'if-match': headers.get('etag')! }
    expect((await act(item.id, 'edit', { payload: mended, reason: 'first' }, { headers: seen })).status).toBe(
      200,
    )
    const late = await act(item.id, 'edit', { payload: mended, reason: 'late' }, { headers: seen })
    expect(told(late)).toEqual([412, 'http.precondition_failed'])
    const dry = await act(item.id, 'replay', { reason: 'late' }, { ...DRY, headers: seen })
    expect(told(dry)).toEqual([412, 'http.precondition_failed'])
  })
})

describe('giving up', () => {
  test('ends a message and its exception, and a dry run does not', async () => {
    const { item, order } = await unreadable()
    const reason = { reason: 'the customer did not mean it' }
    expect((await act(item.id, 'discard', reason, DRY)).body).toMatchObject({
      state: 'parked',
      dryRun: true,
      expectation: { expected: 'change' },
    })
    expect((await act(item.id, 'discard', reason)).body).toMatchObject({
      state: 'discarded',
      settledBy: 'desk',
      settledReason: reason.reason,
      exceptions: [],
    })
    expect(told(await act(item.id, 'discard', reason))).toEqual([409, 'parking.not_parked'])
    expect(await ordersOf(order)).toEqual([])
  })

  test('is refused for what is owed, and says so in a dry run', async () => {
    const { id } = await parkedAs({ kind: 'effect', key: '77002/postToErp//1', doc: 77_002, payload: null })
    expect((await act(id, 'discard', { reason: 'no' }, DRY)).body).toMatchObject({
      expectation: { expected: 'rejection', cause: { code: 'parking.not_discardable' } },
    })
    expect(told(await act(id, 'discard', { reason: 'no' }))).toEqual([409, 'parking.not_discardable'])
    for (const how of [{}, DRY])
      expect(told(await act(id, 'edit', { payload: '{}', reason: 'no' }, how))).toEqual([
        422,
        'parking.nothing_to_edit',
      ])
  })

  test.each(['', ' '])('needs a reason, and %j is none', async (reason) => {
    const { id } = await parkedAs()
    expect((await act(id, 'discard', { reason })).status).toBe(422)
    expect((await read(id)).body).toMatchObject({ state: 'parked' })
  })
})
