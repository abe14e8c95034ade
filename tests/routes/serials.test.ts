/** Serials over HTTP: people name units and are refused where they do not fit; where each is, and to whom it was shipped. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { watchSerials } from '#processes/serials.ts'
import { depotVoice, type DepotVoice, type Request } from '#tests/processes/depot-voice.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, O2C, type Reply } from './front-door.ts'

const INVENTORY = '/process/inventory/v1'
const SKUS = Array.from({ length: 6 }, (_, at) => String(48_001 + at))
const PLAIN = '48090'
const PRICED = '48091'
const LOTTED = '48092'
const WITHIN = { timeout: 20_000 }

let house: Wholesaler
let depot: DepotVoice
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: PLAIN, stock: { DC1: 10 } },
      { number: PRICED, item: { serialControlled: true } },
      { number: LOTTED, item: { serialControlled: true, lotControlled: true } },
      ...SKUS.map((number) => ({ number, stock: { DC1: 3 }, item: { serialControlled: true } })),
    ],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
  partner = bearer(
    await house.key({ client: 'dealer', partner: '500001', scopes: ['process.inventory:read'] }),
  )
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!

const adjust = (lines: readonly object[], more: object = {}) =>
  house.send('POST', `${INVENTORY}/adjustments`, {
    body: { company: 'NWF', reason: 'count', reference: 'sheet 9', lines, ...more },
  })
const line = (kind: string, sku: string, serials: readonly string[], more: object = {}) => ({
  kind,
  sku,
  location: 'DC1',
  quantity: String(serials.length),
  serials,
  ...more,
})
const story = (serial: string, more = '') =>
  house.send('GET', `${INVENTORY}/serials/${serial}?company=NWF${more}`)
const faultsOf = ({ status, body }: Reply) => [
  status,
  (body['errors'] as { pointer: string; code: string }[] | undefined)?.map(
    ({ pointer, code }) => `${pointer} ${code}`,
  ) ?? body.code,
]
const differing = async (sku: string) =>
  (await house.openExceptions('inventory.serials_differ')).filter(({ title }) => title.endsWith(` of ${sku}`))

/** Three units, counted with their serials. */
async function counted(): Promise<string> {
  const sku = next()
  const reply = await adjust([line('counted', sku, [`${sku}-A`, `${sku}-B`, `${sku}-C`])])
  expect(reply.status).toBe(201)
  return sku
}

test('what an ERP opens without serials is told, until a count names them', async () => {
  const [sku] = SKUS
  expect(await differing(sku!)).toMatchObject([{ title: `DC1 has 3 available and 0 serials of ${sku}` }])
  await counted()
  expect(await differing(sku!)).toEqual([])
})

describe('a line of an adjustment', () => {
  let sku: string
  beforeAll(async () => {
    sku = await counted()
  })

  const a = () => `${sku}-A`
  test.each<[string, () => object[], string[]]>([
    [
      'without its serials',
      () => [{ kind: 'lost', sku, location: 'DC1', quantity: '1' }],
      ['/lines/0/serials inventory.serials_required'],
    ],
    [
      'with fewer than its quantity',
      () => [line('lost', sku, [a()], { quantity: '2' })],
      ['/lines/0/serials inventory.serials_required'],
    ],
    [
      'with one twice',
      () => [line('lost', sku, [a(), a()])],
      ['/lines/0/serials/1 inventory.serial_repeated'],
    ],
    [
      'with one that two lines name',
      () => [line('lost', sku, [a()]), line('moved', sku, [a()], { toStatus: 'damaged' })],
      ['/lines/1/serials/0 inventory.serial_repeated'],
    ],
    [
      'of an item that has none',
      () => [line('lost', PLAIN, ['X'])],
      ['/lines/0/serials inventory.serials_not_kept'],
    ],
    [
      'that takes one which is in another status',
      () => [line('moved', sku, [a()], { status: 'damaged', toStatus: 'available' })],
      ['/lines/0/serials/0 inventory.serial_not_there'],
    ],
    [
      'that takes one which nobody told of',
      () => [line('lost', sku, [a(), 'never'])],
      ['/lines/0/serials/1 inventory.serial_not_there'],
    ],
    [
      'that finds one which is there',
      () => [line('found', sku, [a()])],
      ['/lines/0/serials/0 inventory.serial_has_place'],
    ],
    [
      'that finds one which is elsewhere',
      () => [line('found', sku, [a()], { location: 'DC2' })],
      ['/lines/0/serials/0 inventory.serial_has_place'],
    ],
  ])('%s is refused by field', async (_, lines, errors) => {
    expect(faultsOf(await adjust(lines()))).toEqual([422, errors])
  })

  test('moves its units, also between two places, and a dry run moves none', async () => {
    const [, b, c] = ['A', 'B', 'C'].map((name) => `${sku}-${name}`)
    const sent = line('sent', sku, [b!], { transfer: 'T-48', to: 'DC2' })
    expect((await adjust([sent], { dryRun: true })).body['lines']).toMatchObject([{ serials: [b] }])
    expect((await story(b!)).body).toMatchObject({ state: 'here', location: 'DC1', status: 'available' })
    await adjust([sent, line('moved', sku, [c!], { toStatus: 'damaged' })])
    expect((await story(b!)).body).toMatchObject({ state: 'in_transit', location: 'DC2' })
    expect((await story(c!)).body).toMatchObject({ state: 'here', status: 'damaged' })
    await adjust([line('arrived', sku, [b!], { location: 'DC2', transfer: 'T-48' })])
    const list = async (more: string) =>
      (await house.send('GET', `${INVENTORY}/serials?company=NWF&sku=${sku}${more}`)).body
    const first = await list('&limit=2')
    expect([
      first['items'],
      (await list(`&limit=2&cursor=${first['nextCursor'] as string}`))['items'],
    ]).toMatchObject([
      [
        { serial: a(), location: 'DC1' },
        { serial: c, status: 'damaged' },
      ],
      [{ serial: b, location: 'DC2' }],
    ])
    expect((await list('&location=DC1&status=damaged'))['items']).toMatchObject([{ serial: c }])
    expect(await differing(sku)).toEqual([])
  })

  test('of a count makes the others that are known there lost', async () => {
    await adjust([line('counted', sku, [`${sku}-D`])])
    expect((await story(a())).body).toMatchObject({ state: 'gone' })
    expect((await story(`${sku}-D`)).body).toMatchObject({ state: 'here', location: 'DC1' })
    expect(await differing(sku)).toEqual([])
  })
})

async function released(sku: string, pieces: number): Promise<Request & { readonly order: string }> {
  const order = await house.order({ lines: [[sku, pieces]] })
  const doc = await vi.waitFor(async () => {
    const [row] = await house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and state = 'accepted'`,
      [order.doc],
    )
    return row!.id
  }, WITHIN)
  return { doc, location: 'DC1', sku, order: order.body.id }
}

const ships = (request: Request, serials: readonly string[], quantity = serials.length) =>
  depot.tell(request, 'shipment.confirmed', {
    shipment_id: `VN${request.doc}`,
    final: true,
    carrier: 'SWIFT',
    shipped_at: new Date().toISOString(),
    packages: [
      {
        contents: [
          { line_no: 1, sku: request.sku, qty: quantity, uom: 'EA', base_qty: quantity, lot: null, serials },
        ],
      },
    ],
  })

test('what a warehouse ships by serial is found by it, with order and customer', async () => {
  const sku = await counted()
  const request = await released(sku, 2)
  expect(await ships(request, [`${sku}-A`, `${sku}-C`])).toBe('applied')
  const { body } = await story(`${sku}-A`)
  expect(body).toMatchObject({
    sku,
    state: 'shipped',
    order: request.order,
    customer: '500001',
    carrier: 'SWIFT',
    number: `VN${request.doc}`,
    history: [
      { from: 'available', fromLocation: 'DC1', to: 'shipped', source: 'wms', document: body['shipment'] },
      { to: 'available', source: 'adjustment', reason: 'count' },
    ],
  })
  expect(await differing(sku)).toEqual([])
  const told = (await house.send('GET', `${O2C}/orders/${sku}-A/story`)).body
  expect(told['order']).toMatchObject({ id: request.order })
  const shipment = (
    told['documents'] as { id: string; references: { value: string; scheme: string }[] }[]
  ).find(({ id }) => id === body['shipment'])
  const serials = shipment!.references.filter(({ scheme }) => scheme === 'serial').map(({ value }) => value)
  expect(serials.toSorted()).toEqual([`${sku}-A`, `${sku}-C`])
  const [line] = await house.query('select serials from shipments.shipment_line where shipment_id = $1', [
    Number((body['shipment'] as string).slice(2)),
  ])
  expect(line).toEqual({ serials: [`${sku}-A`, `${sku}-C`] })
})

test('a unit that left where it never was is booked, and told', async () => {
  const sku = await counted()
  const request = await released(sku, 1)
  expect(await ships(request, [`${sku}-ZZ`])).toBe('applied')
  expect((await story(`${sku}-ZZ`)).body).toMatchObject({
    state: 'shipped',
    doubt: { kind: 'never-here', location: 'DC1' },
  })
  const told = await house.openExceptions('inventory.serial_never_here')
  expect(told.map(({ title }) => title)).toEqual([`${sku}-ZZ of ${sku} left DC1, where it had not come`])
  expect(await differing(sku)).toHaveLength(1)
  expect((await adjust([line('counted', sku, [`${sku}-A`, `${sku}-B`])])).status).toBe(201)
  expect(await differing(sku)).toEqual([])
  await watchSerials({ database: house.app.database, companies: ['NWF'] })
  expect(await house.openExceptions('inventory.serial_never_here')).toEqual([])
  expect(await differing(sku)).toEqual([])
})

test('a paper names the units that left, and the warehouse tells of the same later', async () => {
  const sku = await counted()
  const request = await released(sku, 2)
  const enter = (serials: readonly string[] | undefined, more: object = {}) =>
    house.send('POST', `${INVENTORY}/by-hand`, {
      body: {
        company: 'NWF',
        kind: 'shipped',
        request: `F-${request.doc}`,
        reference: 'note 48',
        at: new Date().toISOString(),
        final: true,
        lines: [{ line: 1, quantity: '2', serials }],
        ...more,
      },
    })
  expect(faultsOf(await enter(undefined))).toEqual([422, ['/lines/0/serials inventory.serials_required']])
  expect(faultsOf(await enter([`${sku}-A`, 'never']))).toEqual([
    422,
    ['/lines/0/serials/1 inventory.serial_not_there'],
  ])
  const picked = { kind: 'picked', final: undefined }
  expect(faultsOf(await enter([`${sku}-A`, `${sku}-B`], picked))).toEqual([
    422,
    ['/lines/0/serials inventory.hand_line_contradicts'],
  ])
  const entered = await enter([`${sku}-A`, `${sku}-B`])
  expect([entered.status, entered.body['lines']]).toMatchObject([
    201,
    [{ serials: [`${sku}-A`, `${sku}-B`] }],
  ])
  await ships(request, [`${sku}-A`, `${sku}-B`])
  const { body } = await story(`${sku}-B`)
  expect(body).toMatchObject({ state: 'shipped', order: request.order, shipment: entered.body['document'] })
  expect((body['history'] as object[]).length).toBe(2)
  expect(await differing(sku)).toEqual([])
})

test.each([
  ['serials/none?company=NWF', [404, 'inventory.serial_unknown']],
  ['serials/none?company=NONE', [422, 'inventory.company_unknown']],
  ['serials/none?company=NWF&sku=nothing', [422, 'inventory.item_unknown']],
  ['serials?company=NWF&sku=nothing', [422, 'inventory.item_unknown']],
  [`serials?company=NWF&sku=${PLAIN}&location=MOON`, [422, 'inventory.location_unknown']],
  [`serials?company=NWF&sku=${PLAIN}&cursor=x`, [400, 'http.cursor_invalid']],
] as const)('%s is refused', async (path, expected) => {
  const refused = await house.send('GET', `${INVENTORY}/${path}`)
  expect([refused.status, refused.body.code]).toEqual(expected)
})

test('units of a lot that is held are on hold with it, and for sale when it is released', async () => {
  const [first, other] = [`${LOTTED}-1`, `${LOTTED}-2`]
  await adjust([line('found', LOTTED, [first], { lot: 'L1' }), line('found', LOTTED, [other], { lot: 'L2' })])
  const move = (verb: string) =>
    house.send('POST', `${INVENTORY}/lots:${verb}`, {
      body: { company: 'NWF', sku: LOTTED, lot: 'L1', reason: 'recall 48' },
    })
  const statuses = async () =>
    (await Promise.all([story(first), story(other)])).map(({ body }) => [body['status'], body['lot']])
  await move('hold')
  expect(await statuses()).toEqual([
    ['quality_hold', 'L1'],
    ['available', 'L2'],
  ])
  expect(await differing(LOTTED)).toEqual([])
  const wrong = line('moved', LOTTED, [other], { lot: 'L1', toStatus: 'damaged' })
  expect(faultsOf(await adjust([wrong]))).toEqual([422, ['/lines/0/serials/0 inventory.serial_not_there']])
  await move('release')
  expect((await statuses())[0]).toEqual(['available', 'L1'])
  expect(await differing(LOTTED)).toEqual([])
})

test('what waits for another person moves its units when it is approved, except those that moved meanwhile', async () => {
  const second = bearer(
    await house.key({ client: 'bob', scopes: ['process.adjustments:approve', 'process.adjustments:write'] }),
  )
  const many = Array.from({ length: 120 }, (_, nth) => `${PRICED}-${nth}`)
  const waiting = await adjust([line('counted', PRICED, many)])
  expect([waiting.status, waiting.body['state']]).toEqual([202, 'pending'])
  expect((await story(many[0]!)).status).toBe(404)
  expect((await adjust([line('found', PRICED, [many[1]!], { location: 'DC2' })])).status).toBe(201)
  const approved = await house.send('POST', `${INVENTORY}/adjustments/${waiting.body.id}:approve`, {
    headers: second,
    body: { reason: 'counted again' },
  })
  expect([approved.status, approved.body['state']]).toEqual([200, 'booked'])
  expect((await story(many[0]!)).body).toMatchObject({ state: 'here', location: 'DC1' })
  expect((await story(many[1]!)).body).toMatchObject({ state: 'here', location: 'DC2' })
  expect((await differing(PRICED)).map(({ title }) => title)).toEqual([
    `DC1 has 120 available and 119 serials of ${PRICED}`,
  ])
})

test('a serial of two items names one when its item is named', async () => {
  const [first, second] = [next(), PLAIN]
  await adjust([line('counted', first, ['DUP', `${first}-2`, `${first}-3`])])
  await house.query(
    `insert into inventory.serial (company, item_id, serial, location, bucket, told_at)
     select company, id, 'DUP', 'DC1', 'available', now() from items.item where sku = $1`,
    [second],
  )
  expect(faultsOf(await story('DUP'))).toEqual([422, ['/query/sku inventory.serial_of_several']])
  expect((await story('DUP', `&sku=${first}`)).body).toMatchObject({ sku: first })
})

test('a partner sees none', async () => {
  const refused = await house.send('GET', `${INVENTORY}/serials/DUP?company=NWF`, { headers: partner })
  expect([refused.status, refused.body.code]).toEqual([422, 'inventory.company_unknown'])
})
