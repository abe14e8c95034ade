/** Purchase orders by EDI, from the partner's file to its 997, 855, 856 and 810, against the simulated systems. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { sql } from '#platform/database.ts'
import { INVOICE, parseInvoice } from '#systems/edi/documents/810.ts'
import { ORDER_ACKNOWLEDGMENT, parseOrderAcknowledgment } from '#systems/edi/documents/855.ts'
import { parseShipNotice, SHIP_NOTICE } from '#systems/edi/documents/856.ts'
import { FUNCTIONAL_ACKNOWLEDGMENT, parseAcknowledgment } from '#systems/edi/documents/997.ts'
import { matchStructure } from '#systems/edi/documents/structure.ts'
import { parsePartnerGuide, PartnerGuide } from '#systems/edi/partner-guide.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import { ediFolders, type EdiFolders, guideOf, namesIn, type Sent, sentTo } from '#tests/support/edi.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { tryAgain } from '../../src/processes/refusals.ts'
import { type House, openHouse, ownWorld } from '#tests/support/house.ts'

// the house's own, since its guides must be there before the house is
const world = ownWorld()
const shipping = world
  .orders(200)
  .filter((one) => one.door === 'edi' && one.expected === 'ships_at_once' && one.case === 'regular')
const [ships, thrice, crashed, order] = shipping as [WorldOrder, WorldOrder, WorldOrder, WorldOrder]
const foods = shipping.find((one) => one.company === 'NWF')!
const harbor = parsePartnerGuide(
  readFileSync(new URL('../../src/systems/edi/partners/harbor-foods.yaml', import.meta.url), 'utf8'),
  'harbor-foods.yaml',
)
const CRASHED = '20261102T000000Z-dead-1-crashed.edi'
const SAMPLES = new URL('../systems/edi/samples/', import.meta.url)
const COLLECTION = new URL('../../../shared/samples/x12/', import.meta.url)

const collected = (id: string, receiver: string): PartnerGuide =>
  PartnerGuide.parse({
    partner: `sample-${id}`,
    name: 'Sample',
    owner: 'edi-samples',
    company: 'NWF',
    customer: foods.customer,
    currency: 'USD',
    theirs: { qualifier: '01', id, groupId: id },
    ours: { qualifier: 'ZZ', id: receiver, groupId: receiver },
    usage: 'T',
    items: [
      { qualifier: 'VN', is: 'sku' },
      { qualifier: 'ST', is: 'sku' },
    ],
  })

let folders: EdiFolders
let house: House
beforeAll(async () => {
  folders = ediFolders([
    ...demoGuides(world),
    { ...harbor, customer: foods.customer },
    collected('000123456', 'PARTNERID'),
    collected('049351117', 'BARSAN'),
  ])
  // a file that a process took and did not put away before it was killed
  const processing = join(folders.config.inboxDirectory, '.processing')
  mkdirSync(processing, { recursive: true })
  writeFileSync(join(processing, CRASHED), toInterchange(crashed, guideOf(world, crashed)))
  house = await openHouse({ config: { edi: folders.config } })
  house.app.edi!.watch()
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

const ordersNumbered = sql(
  'test.edi_orders',
  `select id, closed_at is not null as closed from orders.sales_order where sender = $1 and customer_order = $2`,
)
const messagesLike = sql(
  'test.edi_messages',
  `select message_id as id, type, state, detail from inbox.message where source = 'edi' and message_id like $1 order by 1`,
)
const hide = sql(
  'test.edi_hide',
  `update edi.purchase_order set message_id = $2 || message_id
   where message_id = (select external_id from orders.sales_order where id = $1)`,
)
const unhide = sql(
  'test.edi_unhide',
  `update edi.purchase_order set message_id = substr(message_id, 2) where message_id like '-%'`,
)
const exceptionsLike = sql(
  'test.edi_exceptions',
  `select code, owner, state from exceptions.exception where cause like $1`,
)
const setDue = sql(
  'test.edi_due',
  `update edi.outbound set due_at = now() - interval '1 hour' where partner = $1 and type = '810'`,
)

const ordersOf = (order: WorldOrder) =>
  house.app.database.query<{ id: number; closed: boolean }>(ordersNumbered, [
    guideOf(world, order).partner,
    order.poNumber,
  ])
const messages = (like: string) =>
  house.app.database.query<{ id: string; type: string; state: string }>(messagesLike, [like])
const exceptions = (like: string) =>
  house.app.database.query<{ code: string; owner: string; state: string }>(exceptionsLike, [like])
const drop = (name: string, content: string) => dropFile(folders.config.inboxDirectory, name, content)
const archived = (name: string) =>
  namesIn(folders.config.archiveDirectory).filter((each) => each.endsWith(`-${name}`))
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 15_000 })

const rootOf = (nodes: Parameters<typeof matchStructure>[0], { set }: Sent) =>
  matchStructure(nodes, set.segments).root
const answersTo = async (order: WorldOrder, type: '855' | '856' | '810' | '997') =>
  sentTo(folders, guideOf(world, order).partner, type)

test('an 850 is acknowledged, answered, shipped and invoiced, and each document says what was ordered', async () => {
  drop('ships.edi', toInterchange(ships, guideOf(world, ships)))
  for (const type of ['855', '856', '810'] as const)
    await until(async () => (await answersTo(ships, type)).length).toBe(1)
  expect(await ordersOf(ships)).toMatchObject([{ closed: true }])

  const [ack] = await answersTo(ships, '997')
  expect(parseAcknowledgment(rootOf(FUNCTIONAL_ACKNOWLEDGMENT, ack!), ack!.component)).toMatchObject({
    functionalId: 'PO',
    controlNumber: ships.nth + 1,
    status: 'A',
    accepted: 1,
  })
  const [answer] = await answersTo(ships, '855')
  const answered = parseOrderAcknowledgment(rootOf(ORDER_ACKNOWLEDGMENT, answer!))
  expect(answered).toMatchObject({ type: 'AD', number: ships.poNumber })
  expect(answered.lines.map(({ quantity, unit }) => `${quantity} ${unit}`)).toEqual(
    ships.lines.map(({ quantity, unit }) => `${quantity} ${unit}`),
  )
  expect(
    answered.lines.flatMap(({ acknowledgments }) => acknowledgments.map(({ status }) => status)),
  ).toEqual(ships.lines.map(() => 'IA'))

  const notices = (await answersTo(ships, '856')).map((sent) => parseShipNotice(rootOf(SHIP_NOTICE, sent)))
  const items = notices.flatMap(({ orders }) =>
    orders.flatMap(({ packages }) => packages.flatMap((pack) => pack.items)),
  )
  expect(totals(items.map(({ assignedId, quantity }) => [assignedId!, Number(quantity)]))).toEqual(
    totals(ships.lines.map(({ line, quantity }) => [String(line), quantity])),
  )

  const [sent] = await answersTo(ships, '810')
  const invoice = parseInvoice(rootOf(INVOICE, sent!))
  const posted = [...house.landscape.legacyErp.truth().invoices, ...house.landscape.cloudErp.truth().invoices]
  expect(invoice.orderNumber).toBe(ships.poNumber)
  expect(JSON.stringify(posted)).toContain(invoice.number)
  const net = invoice.lines.reduce(
    (sum, { quantity, price }) => sum + Math.round(Number(quantity) * Number(price) * 100),
    0,
  )
  const tax = invoice.taxes.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  expect(invoice.totalMinor).toBe(net + tax)
}, 30_000)

const totals = (rows: readonly (readonly [string, number])[]) => {
  const sums: Record<string, number> = {}
  for (const [line, quantity] of rows) sums[line] = (sums[line] ?? 0) + quantity
  return sums
}

test('the same file three times makes one order and one set of answers', async () => {
  const content = toInterchange(thrice, guideOf(world, thrice))
  for (const name of ['one.edi', 'two.edi', 'three.edi']) drop(name, content)
  await until(
    async () => archived('one.edi').length + archived('two.edi').length + archived('three.edi').length,
  ).toBe(3)
  await until(async () => (await answersTo(thrice, '855')).length).toBe(1)
  expect(await ordersOf(thrice)).toHaveLength(1)
  expect(await answersTo(thrice, '997')).toHaveLength(1)
})

test('an order sent again under another control number is no second order, and is answered again', async () => {
  await until(async () => (await answersTo(thrice, '855')).length).toBe(1)
  drop('again.edi', toInterchange({ ...thrice, nth: 5_001 }, guideOf(world, thrice)))
  await until(async () => (await answersTo(thrice, '855')).length).toBe(2)
  expect(await ordersOf(thrice)).toHaveLength(1)
  const [first, second] = await answersTo(thrice, '855')
  expect(second!.set.segments.slice(1, -1).map(({ elements }) => elements)).toEqual(
    first!.set.segments.slice(1, -1).map(({ elements }) => elements),
  )
})

test('a file that was taken before a crash is read to its end', async () => {
  await until(async () => (await ordersOf(crashed)).length).toBe(1)
  await until(async () => archived('crashed.edi').length).toBe(1)
  expect(namesIn(join(folders.config.inboxDirectory, '.processing'))).not.toContain(CRASHED)
})

test('an order of which nothing can be ordered is answered line by line', async () => {
  const unknown = { ...order, lines: order.lines.map((line) => ({ ...line, item: '99999' })) }
  drop('unknown-items.edi', toInterchange(unknown, guideOf(world, order)))
  await until(async () => (await answersTo(order, '855')).length).toBe(1)
  const [answer] = await answersTo(order, '855')
  const { type, lines } = parseOrderAcknowledgment(rootOf(ORDER_ACKNOWLEDGMENT, answer!))
  expect(type).toBe('RD')
  expect(
    lines.flatMap(({ acknowledgments }) =>
      acknowledgments.map(({ status, reason }) => `${status} ${reason}`),
    ),
  ).toEqual(unknown.lines.map(() => 'IR items.unknown'))
  expect(await ordersOf(order)).toEqual([])
})

test('a 997 that is late opens one exception, which closes when it comes; so does a rejection when it is taken after all', async () => {
  const guide = guideOf(world, ships)
  await house.app.database.query(setDue, [guide.partner])
  const missing = () => exceptions(`edi.acknowledgment_missing:${guide.partner}`)
  await until(missing).toMatchObject([{ code: 'edi.acknowledgment_missing', owner: 'edi', state: 'open' }])
  const [invoice] = await answersTo(ships, '810')
  drop(
    'their-997.edi',
    acknowledgmentOf(
      guide,
      { group: 'IN', type: '810', control: Number(invoice!.control), status: 'A' },
      6_001,
    ),
  )
  await until(missing).toMatchObject([{ state: 'resolved' }])
  const [notice] = await answersTo(ships, '856')
  drop(
    'their-no.edi',
    acknowledgmentOf(
      guide,
      { group: 'SH', type: '856', control: Number(notice!.control), status: 'R' },
      6_002,
    ),
  )
  await until(() => exceptions(`edi.document_rejected:${guide.partner}:856`)).toMatchObject([
    { owner: 'edi', state: 'open' },
  ])
  expect(await missing()).toMatchObject([{ state: 'resolved' }])
  const control = Number(notice!.control)
  drop('their-yes.edi', acknowledgmentOf(guide, { group: 'SH', type: '856', control, status: 'A' }, 6_003))
  await until(() => exceptions(`edi.document_rejected:${guide.partner}:856`)).toMatchObject([
    { state: 'resolved' },
  ])
})

test('a 997 for what we never sent has an owner until the partner names a document of ours', async () => {
  const guide = guideOf(world, ships)
  const unmatched = () => exceptions(`edi.acknowledgment_unmatched:${guide.partner}`)
  const acknowledge = (name: string, control: number, number: number) =>
    drop(name, acknowledgmentOf(guide, { group: 'IN', type: '810', control, status: 'A' }, number))
  acknowledge('whose.edi', 900_001, 6_004)
  await until(unmatched).toMatchObject([{ owner: 'edi', state: 'open' }])
  const [invoice] = await answersTo(ships, '810')
  acknowledge('ours.edi', Number(invoice!.control), 6_005)
  await until(unmatched).toMatchObject([{ state: 'resolved' }])
  expect(await unmatched()).toHaveLength(1)
})

test('a notice and an invoice that EDI refused are sent once they are tried again, and nobody has to look any more', async () => {
  const { database } = house.app
  const hidden = { ...ships, poNumber: 'HIDDEN', nth: 5_020 }
  const sent = async (type: '855' | '810') => (await answersTo(hidden, type)).length
  const [answers, invoices] = [await sent('855'), await sent('810')]
  house.landscape.wms.faults.set({ kind: 'webhook-delay', ms: 1_500 })
  drop('hidden.edi', toInterchange(hidden, guideOf(world, hidden)))
  await until(() => sent('855')).toBe(answers + 1)
  const { id } = (await ordersOf(hidden))[0]!
  await database.query(hide, [id, '-'])
  house.landscape.wms.faults.clear()
  const refused = async () => (await listExceptions(database)).filter(({ code }) => code.endsWith('_refused'))
  const codes = async () => (await refused()).map(({ code }) => code).toSorted()
  await until(codes).toEqual(['billing.sending_refused', 'shipments.notice_refused'])
  await database.query(unhide)
  for (const exception of await refused()) {
    await database.transaction((tx) => tryAgain(tx, exception.id, { actor: 'ann', text: 'mended' }))
  }
  await until(codes).toEqual([])
  await until(() => sent('810')).toBe(invoices + 1)
  expect(await codes()).toEqual([])
}, 30_000)

test('an invoice that EDI refused is left out, or said to have come another way, and nobody has to look any more', async () => {
  const { database } = house.app
  const refused = async () => (await listExceptions(database)).filter(({ code }) => code.endsWith('_refused'))
  for (const [nth, act] of (['skip', 'complete'] as const).entries()) {
    const unseen = { ...ships, poNumber: `UNSEEN-${act}`, nth: 5_030 + nth }
    const answered = (await answersTo(unseen, '855')).length
    house.landscape.wms.faults.set({ kind: 'webhook-delay', ms: 1_500 })
    drop(`unseen-${act}.edi`, toInterchange(unseen, guideOf(world, unseen)))
    await until(async () => (await answersTo(unseen, '855')).length).toBe(answered + 1)
    const { id } = (await ordersOf(unseen))[0]!
    await database.query(hide, [id, '-'])
    house.landscape.wms.faults.clear()
    await until(async () => (await refused()).length).toBe(2)
    for (const step of ['notify', 'send']) {
      const body = JSON.stringify({
        act,
        step,
        reason: 'by mail',
        ...(act === 'complete' && { reference: 'mail' }),
      })
      const headers = { 'content-type': 'application/json', 'idempotency-key': `${act}-${step}` }
      const path = `${house.url}/experience/control-tower/v1/orders/O-${id}:override`
      expect((await fetch(path, { method: 'POST', headers, body })).status).toBe(200)
    }
    await until(async () => (await refused()).length).toBe(0)
    await database.query(unhide)
  }
}, 30_000)

type TheirWord = {
  readonly group: string
  readonly type: string
  readonly control: number
  readonly status: 'A' | 'R'
}

function acknowledgmentOf(
  guide: PartnerGuide,
  { group, type, control, status }: TheirWord,
  number: number,
): string {
  const { theirs, ours } = guide
  const isa = `ISA*00*          *00*          *${theirs.qualifier}*${theirs.id.padEnd(15)}*${ours.qualifier}*${ours.id.padEnd(15)}*261102*0915*U*00401*${String(number).padStart(9, '0')}*0*P*>~`
  const accepted = status === 'A' ? 1 : 0
  return [
    isa,
    `GS*FA*${theirs.groupId}*${ours.groupId}*20261102*0915*${number}*X*004010~`,
    `ST*997*0001~AK1*${group}*${control}~AK2*${type}*0001~AK5*${status}~AK9*${status}*1*1*${accepted}~SE*6*0001~`,
    `GE*1*${number}~IEA*1*${String(number).padStart(9, '0')}~`,
  ].join('')
}

test.each([
  ['rejected-neighbour.edi', '01:114208775/%', ['applied', 'applied']],
  ['junk-between.edi', '01:999999999/%', ['quarantined']],
  ['their-acknowledgment.edi', '01:114208775/000000309/%', ['applied']],
])('%s ends visibly', async (name, like, states) => {
  copyFileSync(new URL(name, SAMPLES), join(folders.config.inboxDirectory, name))
  await until(async () => archived(name).length).toBe(1)
  const found = await messages(like)
  expect(found.map(({ state }) => state)).toEqual(states)
  for (const message of found.filter(({ state }) => state === 'quarantined')) {
    expect(message.type).toBe('850')
    expect(await exceptions('edi.quarantined:edi:01 999999999 unknown_sender')).toMatchObject([
      { owner: 'edi', state: 'open' },
    ])
  }
})

test('a file that is no X12 goes to the reject folder with an owner, until a whole one of its name comes', async () => {
  drop('picture.edi', 'this is no purchase order')
  await until(async () => namesIn(folders.config.rejectDirectory).length).toBe(1)
  const damaged = () => exceptions('edi.file_damaged:picture.edi')
  expect(await damaged()).toMatchObject([{ owner: 'edi', state: 'open' }])
  drop('picture.edi', toInterchange({ ...ships, poNumber: 'WHOLE', nth: 5_009 }, guideOf(world, ships)))
  await until(damaged).toMatchObject([{ state: 'resolved' }])
})

test('what is still being uploaded is left alone', async () => {
  writeFileSync(join(folders.config.inboxDirectory, 'upload.edi.part'), 'ISA*')
  drop('after.edi', toInterchange({ ...ships, poNumber: 'AFTER', nth: 5_010 }, guideOf(world, ships)))
  await until(async () => archived('after.edi').length).toBe(1)
  expect(namesIn(folders.config.inboxDirectory)).toContain('upload.edi.part')
})

const samples = existsSync(COLLECTION) ? namesIn(COLLECTION.pathname) : []
if (samples.length === 0)
  console.info(`The sample collection is not at ${COLLECTION.pathname}; its test is skipped.`)

test.skipIf(samples.length === 0)(
  'every document of the sample collection ends visibly',
  async () => {
    for (const name of samples)
      copyFileSync(new URL(name, COLLECTION), join(folders.config.inboxDirectory, name))
    for (const name of samples) await until(async () => archived(name).length).toBe(1)
    const found = [...(await messages('01:000123456/%')), ...(await messages('01:049351117/%'))]
    const ends = found
      .filter(({ type }) => type === '850')
      .map(({ id, state }) => `${id.split('/')[1]} ${state}`)
    expect(ends.length).toBeGreaterThanOrEqual(4)
    expect(ends.filter((end) => end.endsWith('received'))).toEqual([])
    expect((await sentTo(folders, 'sample-049351117', '997')).length).toBeGreaterThan(0)
  },
  60_000,
)

test('none of it was a defect', () => {
  expect(house.complaints).toEqual([])
})
