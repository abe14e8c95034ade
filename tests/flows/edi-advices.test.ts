/** A warehouse and a supplier that speak EDI: from their files to stock, orders and what is to come, each with its 997. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { upsertItems } from '#domains/items/operations.ts'
import { FUNCTIONAL_ACKNOWLEDGMENT, parseAcknowledgment } from '#systems/edi/documents/997.ts'
import { matchStructure } from '#systems/edi/documents/structure.ts'
import { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { ediFolders, type EdiFolders, sentTo } from '#tests/support/edi.ts'
import { OLIVES } from '#tests/support/olives.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const warehouse = thirdPartyGuide({
  receives: ['944', '945', '947', '846', '997'],
  warehouse: { adjustments: { PC: 'count', QH: 'quality-hold', QR: 'quality-release' } },
})
const supplier = PartnerGuide.parse({
  partner: 'grower',
  name: 'Grower',
  owner: 'edi-desk',
  role: 'supplier',
  company: 'NWF',
  supplier: 'V1',
  currency: 'USD',
  theirs: { qualifier: 'ZZ', id: 'GROWER', groupId: 'GROWER' },
  ours: warehouse.ours,
  usage: 'P',
  receives: ['855', '856', '997'],
  sends: [],
  items: warehouse.items,
})

const NEVER_MS = 3_600_000
/** What moves of it is told by its day alone. */
const BY_DAY = '47005'

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([warehouse, supplier])
  house = await openWholesaler(
    [
      { number: '47001', stock: { DC1: 20 } },
      { number: '47002', stock: { DC1: 30 } },
      { number: '47003', stock: { DC1: 10 } },
      { number: '47004', stock: { DC1: 10 } },
      { number: BY_DAY, stock: { DC1: 10 } },
    ],
    [{ number: '500001' }],
    {
      config: { edi: folders.config },
      landscape: { pace: { pickAfterMs: NEVER_MS, shipAfterMs: NEVER_MS } },
    },
  )
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

let files = 0
/** A file with these sets; each has a control number of its own. */
function fileOf(from: string, functionalId: string, type: string, ...sets: readonly string[][]) {
  const control = String(++files).padStart(9, '0')
  return [
    `ISA*00*          *00*          *ZZ*${from.padEnd(15)}*ZZ*${'US'.padEnd(15)}*261120*0915*U*00401*${control}*0*P*>~`,
    `GS*${functionalId}*${from}*US*20261120*0915*${files}*X*004010~`,
    ...sets.map((segments, n) => setText(segments, type, `000${n + 1}`)),
    `GE*${sets.length}*${files}~IEA*1*${control}~`,
  ].join('')
}
async function handOver(name: string, content: string): Promise<string[]> {
  const path = join(folders.root, name)
  writeFileSync(path, content)
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}
const send = (...file: Parameters<typeof fileOf>) => handOver(`${files}.edi`, fileOf(...file))

/** AK9 of the last of our 997s. */
async function acknowledged(to: string): Promise<string> {
  const last = (await sentTo(folders, to, '997')).at(-1)!
  const { root } = matchStructure(FUNCTIONAL_ACKNOWLEDGMENT, last.set.segments)
  return parseAcknowledgment(root, last.component).status
}

const onHand = async (sku: string): Promise<number> =>
  (
    await house.query<{ available: number }>(
      `select sum(p.available) as available from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.location = 'DC1'`,
      [sku],
    )
  )[0]!.available
const heard = (source: string) =>
  house.query<{ id: string; state: string }>(
    'select message_id as id, state from inbox.message where source = $1 order by 1',
    [source],
  )
const requestOf = async ({ doc }: Placed): Promise<string> => {
  const found = () =>
    house.query<{ id: number }>(
      "select id from shipments.fulfillment where order_id = $1 and state = 'accepted'",
      [doc],
    )
  await expect.poll(found, { timeout: 15_000 }).toHaveLength(1)
  return `F-${(await found())[0]!.id}`
}

test('receipts and counts of a warehouse move stock once, however often they are sent', async () => {
  const before = await onHand('47001')
  const receipt = ['W17*F*20261120*R-1*P-77', 'W07*2*CA**VN*47001', 'W13*4*EA*01']
  expect(await send('THREEPL', 'RE', '944', receipt)).toEqual(['applied'])
  expect(await acknowledged('threepl')).toBe('A')
  expect(await onHand('47001')).toBe(before + 20)
  const count = ['W15*20261120*A-1', 'W19*PC*-3*EA**VN*47001']
  expect(await send('THREEPL', 'AW', '947', count)).toEqual(['applied'])
  expect(await send('THREEPL', 'AW', '947', count)).toEqual(['applied'])
  expect(await send('THREEPL', 'RE', '944', receipt)).toEqual(['applied'])
  expect(await onHand('47001')).toBe(before + 17)
  expect(await heard('threepl')).toEqual([
    { id: '944/R-1#1', state: 'applied' },
    { id: '944/R-1#1.1', state: 'applied' },
    { id: '947/A-1#1', state: 'applied' },
  ])
})

test('what is let go from hold and told before its hold ends as if both were told in order, however often they are sent', async () => {
  const stock = (sku: string) =>
    house.query<{ available: number; hold: number; doubt: number }>(
      `select p.available::float8 as available, p.quality_hold::float8 as hold, p.unreconciled::float8 as doubt
       from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
      [sku],
    )
  const adjusted = (sku: string, number: string, time: string, what: string) => [
    `W15*20261120*${number}`,
    `G62*07*20261120${sku === BY_DAY ? '' : `*W*${time}`}`,
    `W19*${what}*4*EA**VN*${sku}`,
  ]
  for (const [sku, isTurned] of [
    ['47003', false],
    ['47004', true],
    [BY_DAY, true],
  ] as const) {
    const hold = adjusted(sku, `H-${sku}`, '0800', 'QH')
    const release = adjusted(sku, `R-${sku}`, '0930', 'QR')
    const [first, second] = isTurned ? [release, hold] : [hold, release]
    await send('THREEPL', 'AW', '947', first)
    expect(await house.openExceptions('inventory.unreconciled')).toHaveLength(isTurned ? 1 : 0)
    await send('THREEPL', 'AW', '947', first)
    await send('THREEPL', 'AW', '947', second)
    await send('THREEPL', 'AW', '947', release)
    await send('THREEPL', 'AW', '947', hold)
    expect(await stock(sku)).toEqual([{ available: 10, hold: 0, doubt: 0 }])
    expect(await house.openExceptions('inventory.unreconciled')).toEqual([])
  }
})

test('an order ships by several advices, by line number or by item, and ends with the last', async () => {
  const order = await house.order({
    lines: [
      ['47001', 6],
      ['47002', 24],
    ],
  })
  const request = await requestOf(order)
  const first = [`W06*F*${request}*20261120*SH-1`, 'LX*1', 'W12*BP*24*1**CA**VN*47002', 'N9*LI*2']
  expect(await send('THREEPL', 'SW', '945', first)).toEqual(['applied'])
  await expect.poll(() => house.lines(order)).toMatchObject([{ shipped: 0 }, { shipped: 12 }])
  const rest = [
    `W06*F*${request}*20261121*SH-2`,
    'LX*1',
    'W12*CC*6*6**EA**VN*47001',
    'W12*CC*12*12**EA**VN*47002*L-9',
  ]
  expect(await send('THREEPL', 'SW', '945', rest)).toEqual(['applied'])
  await house.closed(order)
  expect(await house.lines(order)).toMatchObject([{ shipped: 6 }, { shipped: 24 }])
  expect(
    await house.query(
      "select lot from shipments.shipment_line where lot is not null and lot <> '' and shipment_id in (select id from shipments.shipment where order_id = $1)",
      [order.doc],
    ),
  ).toEqual([{ lot: 'L-9' }])
})

test('an acknowledgment that was cut is whole when it comes again under its numbers', async () => {
  const whole = fileOf('THREEPL', 'FA', '997', ['AK1*OW*77', 'AK9*A*1*1*1'])
  expect(await handOver('ack.edi', whole.slice(0, whole.indexOf('AK9*')))).toEqual(['quarantined'])
  expect(await handOver('ack.edi', whole)).toEqual(['applied'])
  expect(await house.openExceptions('inbound.content_conflict')).toEqual([])
})

test('what is cut is whole when it comes again under its name and numbers, also when its content came before', async () => {
  const before = await onHand('47001')
  const whole = fileOf('THREEPL', 'AW', '947', ['W15*20261120*A-9', 'W19*PC*2*EA**VN*47001'])
  expect(await handOver('cut.edi', whole.slice(0, whole.indexOf('SE*')))).toEqual(['applied'])
  expect(await acknowledged('threepl')).toBe('R')
  expect(await house.openExceptions('edi.file_damaged')).toHaveLength(1)
  expect(await handOver('copy.edi', whole)).toEqual(['applied'])
  expect(await acknowledged('threepl')).toBe('A')
  expect(await house.openExceptions('inbound.content_conflict')).toEqual([])
  expect(await onHand('47001')).toBe(before + 2)
  expect(await house.openExceptions('edi.file_damaged')).toHaveLength(1)
  expect(await handOver('cut.edi', whole)).toEqual([])
  expect(await house.openExceptions('edi.file_damaged')).toEqual([])
})

test('what a warehouse tells of what we do not have is put aside line by line, with an owner', async () => {
  const lines = ['W17*F*20261120*R-2', 'W07*1*EA**VN*nothing', 'W07*1*QQ**VN*47001', 'W07*1*EA**VN*47001']
  expect(await send('THREEPL', 'RE', '944', lines)).toEqual(['applied'])
  const shipment = ['W06*F*F-999*20261120*SH-3', 'LX*1', 'W12*CC*1*1**EA**VN*47001']
  expect(await send('THREEPL', 'SW', '945', shipment)).toEqual(['applied'])
  expect((await heard('threepl')).filter(({ id }) => /R-2|SH-3/.test(id))).toEqual([
    { id: '944/R-2#1', state: 'parked' },
    { id: '944/R-2#2', state: 'quarantined' },
    { id: '944/R-2#3', state: 'applied' },
    { id: '945/SH-3/F-999#1', state: 'parked' },
  ])
  for (const code of ['inventory.item_unknown', 'edi.advice_unreadable', 'shipments.fulfillment_unknown'])
    expect(await house.openExceptions(code)).toHaveLength(1)
})

test('a line that was put aside is rehearsed and replayed once we have its item, in the unit that it is told in', async () => {
  const item = { ...OLIVES, sku: 'nothing' }
  const reading = { company: 'NWF', source: 'erp', asOf: new Date() }
  await house.app.database.transaction((tx) => upsertItems(tx, reading, [item]))
  const [parked] = await house.query<{ id: number }>(
    "select id from parking.item where system = 'threepl' and cause_code = 'inventory.item_unknown'",
  )
  const path = `/experience/control-tower/v1/parked-items/${parked!.id}:replay`
  const body = { reason: 'the item is there now' }
  const rehearsed = await house.send('POST', `${path}?dryRun=true`, { body })
  expect(rehearsed).toMatchObject({
    status: 200,
    body: {
      dryRun: true,
      expectation: { changes: [{ at: '/stock DC1 nothing/available', before: '0', after: '1' }] },
    },
  })
  expect(await heard('threepl')).toContainEqual({ id: '944/R-2#1', state: 'parked' })
  expect(await house.send('POST', path, { body })).toMatchObject({ status: 200 })
  await house.app.replayMessages()
  expect(await heard('threepl')).toContainEqual({ id: '944/R-2#1', state: 'replayed' })
  expect(await onHand('nothing')).toBe(1)
  expect(await house.openExceptions('inventory.item_unknown')).toEqual([])
})

const MINUTE_MS = 60_000

test('a count takes the place of what was told before it, and one of before or of a time to come changes nothing', async () => {
  const count = (day: string, time: string, pieces: number) => [
    `BIA*00*DD*S-${day}*${day}*${time}`,
    'LIN**VN*47001',
    `QTY*33*${pieces}*EA`,
    'LIN**VN*unheard',
    'QTY*33*1*EA',
  ]
  // rounded to minutes, and later than all that was told: as far ahead as clocks may be
  const [day, time] = new Date(Date.now() + 4 * MINUTE_MS).toISOString().split('T') as [string, string]
  const now = [day.replaceAll('-', ''), time.slice(0, 5).replace(':', '')] as const
  const before = await onHand('47001')
  expect(await send('THREEPL', 'IB', '846', count('20991120', '0100', 12))).toEqual(['parked'])
  const adjusted = ['W15*20991120*A-2', 'W19*PC*-3*EA**VN*47001']
  expect(await send('THREEPL', 'AW', '947', adjusted)).toEqual(['applied'])
  expect(await heard('threepl')).toContainEqual({ id: '947/A-2#1', state: 'parked' })
  expect(await onHand('47001')).toBe(before)
  expect(await house.openExceptions('inventory.time_ahead')).toHaveLength(2)
  expect(await send('THREEPL', 'IB', '846', count(...now, 77))).toEqual(['applied'])
  expect(await onHand('47001')).toBe(77)
  expect(await send('THREEPL', 'IB', '846', count('20261119', '0100', 5))).toEqual(['applied'])
  expect(await onHand('47001')).toBe(77)
  expect(
    await house.query<{ detail: object }>(
      "select detail from inbox.message where source = 'edi' and type = '846' and state = 'applied' order by received_at",
    ),
  ).toMatchObject([
    { detail: { corrected: 1, superseded: 0, unknown: ['unheard'] } },
    { detail: { corrected: 0, told: 0, superseded: 1 } },
  ])
})

test("a supplier's answer counts on its purchase order, and one of no order of ours waits for a person", async () => {
  const [line] = await house.query<{ id: number }>("select id from items.item where sku = '47001'")
  await house.query(
    `insert into supply.line (company, source, as_of, number, line, supplier, item_id, sku, location, ordered, told_received,
       carried, cancelled, expected_on, changed_at)
     values ('NWF', 'erp', now(), 'P-500', 10, 'V1', $1, '47001', 'DC1', 48, 0, 0, 0, '2999-01-01', now())`,
    [line!.id],
  )
  const answer = (number: string, item: string) => [
    `BAK*00*AC*${number}*20261101****SO-1*20261120`,
    `PO1*A*4*CA***VN*${item}`,
    'ACK*IA*3*CA*067*29990201',
    'ACK*IR*1*CA',
  ]
  expect(await send('GROWER', 'PR', '855', answer('P-500', '47001'), answer('P-501', 'unheard'))).toEqual([
    'applied',
    'parked',
  ])
  expect(await acknowledged('grower')).toBe('A')
  const { body } = await house.send('GET', '/process/inventory/v1/supply?company=NWF&item=47001')
  expect(body['items']).toMatchObject([
    {
      purchaseOrder: 'P-500',
      coming: [{ basis: 'confirmed', quantity: '36', expectedOn: '2999-02-01' }],
      refused: '12',
    },
  ])
  expect(await house.openExceptions('supply.told_item_unknown')).toMatchObject([
    { title: expect.stringContaining('unheard') },
  ])
})
