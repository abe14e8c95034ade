/** The door of what is to come: purchase orders as the ERP tells them, less what the warehouse received. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findItems } from '#domains/items/operations.ts'
import { upsertSupply } from '#domains/supply/operations.ts'
import { listSupply } from '#domains/supply/views.ts'
import { bearer, type FrontDoor, openFrontDoor } from './front-door.ts'

const PATH = '/process/inventory/v1/supply'

type Line = {
  purchaseOrder: string
  line: number
  item: string
  location: string
  ordered: string
  received: string
  open: string
  expectedOn?: string
}

let door: FrontDoor
let stranger: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor()
  stranger = bearer(await door.key({ client: 'portal', scopes: ['process.orders:read'] }))
  await vi.waitUntil(async () => (await ask('company=NWF&limit=1')).length > 0, { timeout: 10_000 })
}, 60_000)
afterAll(() => door.end())

const read = (query: string) => door.send('GET', `${PATH}?${query}`)
const ask = async (query: string): Promise<Line[]> => (await read(query)).body['items'] as Line[]
const purchases = () => door.landscape.world.receipts.filter(({ company }) => company === 'NWF')

test('every open line is told once, page by page, what is due first before the rest', async () => {
  const lines: Line[] = []
  for (let cursor = ''; ;) {
    const { body } = await read(`company=NWF&limit=7${cursor}`)
    const { items, nextCursor } = body as unknown as { items: Line[]; nextCursor?: string }
    lines.push(...items)
    if (nextCursor === undefined) break
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`
  }
  expect(lines.map(({ purchaseOrder }) => purchaseOrder).toSorted()).toEqual(
    purchases()
      .map(({ id }) => id)
      .toSorted(),
  )
  const days = lines.map(({ expectedOn }) => Date.parse(expectedOn!))
  expect(days).toEqual(days.toSorted((a, b) => a - b))
})

test('what comes is found by item, place and day', async () => {
  const [wanted] = purchases()
  const query = `company=NWF&item=${wanted!.item}&location=${wanted!.site}`
  const ofItem = purchases().filter(({ item }) => item === wanted!.item)
  expect((await ask(query)).map(({ purchaseOrder }) => purchaseOrder)).toEqual(ofItem.map(({ id }) => id))
  const before = await ask(`${query}&expectedBefore=${ofItem.at(-1)!.expectedOn}`)
  expect(before.map(({ purchaseOrder }) => purchaseOrder)).not.toContain(ofItem.at(-1)!.id)
})

test('a receipt at the warehouse is stock, and that much less to come', async () => {
  const { id, item, quantity } = purchases()[0]!
  const mine = async () =>
    (await ask(`company=NWF&item=${item}`)).filter(({ purchaseOrder }) => purchaseOrder === id)
  expect(await mine()).toMatchObject([
    { line: 10, ordered: String(quantity), received: '0', open: String(quantity) },
  ])
  door.landscape.legacyErp.changePurchase(id, { quantity: quantity + 5 })
  door.landscape.wms.receive(`ASN-${id}`)
  await vi.waitFor(async () => expect(await mine()).toEqual([]), { timeout: 10_000 })
  const path = `/process/available-to-promise/v1/availability?company=NWF&sku=${item}&maxAgeMs=0`
  const stock = (await door.send('GET', path)).body['items'] as { onHand: string }[]
  expect(stock.map(({ onHand }) => onHand)).toContain(String(quantity))
})

test.each([
  ['company=NOPE', 'inventory.company_unknown', '/query/company'],
  ['company=NWF&item=nope', 'inventory.item_unknown', '/query/item'],
  ['company=NWF&location=nope', 'inventory.location_unknown', '/query/location'],
])('%s is refused with %s', async (query, code, pointer) => {
  const refused = await read(query)
  expect([refused.status, refused.body.code]).toEqual([422, code])
  expect(refused.body['errors']).toMatchObject([{ pointer }])
})

test('a day that is none, a cursor of another list, and a caller without the scope are refused', async () => {
  expect((await read('company=NWF&expectedBefore=tomorrow')).body.code).toBe('http.invalid')
  const { nextCursor } = (await read('company=NWF&limit=1')).body as { nextCursor?: string }
  const other = await read(`company=NWI&limit=1&cursor=${encodeURIComponent(nextCursor!)}`)
  expect(other.body.code).toBe('http.cursor_invalid')
  expect((await door.send('GET', `${PATH}?company=NWF`, { headers: stranger })).status).toBe(403)
})

test('of a line that is late the running house tells those who buy', async () => {
  const { id } = purchases().at(-1)!
  await door.app.database.transaction(async (tx) => {
    const lines = await listSupply(tx, { company: 'NWF' }, { limit: 500 })
    const line = lines.find(({ number }) => number === id)!
    const [item] = (await findItems(tx, [{ company: 'NWF', sku: line.sku }])).values()
    const changedAt = new Date(line.changedAt.getTime() + 1_000)
    const broken = { ...line, itemId: item!.id, expectedOn: '2020-01-31', changedAt }
    await upsertSupply(tx, { company: 'NWF', source: line.source, asOf: line.asOf }, [broken])
  })
  door.app.keepUp()
  const path = '/experience/control-tower/v1/exceptions?code=supply.late'
  const told = async () => (await door.send('GET', path)).body['items']
  await vi.waitUntil(async () => ((await told()) as unknown[]).length > 0, { timeout: 10_000 })
  expect(await told()).toMatchObject([{ code: 'supply.late', owner: 'purchasing', company: 'NWF' }])
})
