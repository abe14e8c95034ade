/** Lots over HTTP: which to take first, held and released everywhere at once, and where they went. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const INVENTORY = '/process/inventory/v1'
const SKUS = Array.from({ length: 5 }, (_, at) => String(46_001 + at))

let house: Wholesaler
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, item: { lotControlled: true } })),
    [{ number: '500001' }],
  )
  const scopes = ['process.inventory:read', 'process.lots:write']
  partner = bearer(await house.key({ client: 'dealer', partner: '500001', scopes }))
}, 60_000)
afterAll(() => house.end())

/** What can be promised is told from memory, a moment later. */
const WITHIN = { timeout: 5_000 }

const next = (): string => SKUS.shift()!

const found = (sku: string, lot: string, quantity: number, location = 'DC1') =>
  house.send('POST', `${INVENTORY}/adjustments`, {
    body: {
      company: 'NWF',
      reason: 'correction',
      reference: 'note 1',
      lines: [{ kind: 'found', sku, lot, location, quantity: String(quantity) }],
    },
  })
const act = (verb: string, sku: string, lot: string, options: { key?: string; more?: object } = {}) =>
  house.send('POST', `${INVENTORY}/lots:${verb}`, {
    ...(options.key !== undefined && { key: options.key }),
    body: { company: 'NWF', sku, lot, ...(verb === 'set' ? {} : { reason: 'recall 8' }), ...options.more },
  })
const lotsOf = async (sku: string, more = '') =>
  (await house.send('GET', `${INVENTORY}/lots?company=NWF&sku=${sku}${more}`)).body['items'] as {
    lot: string
    take?: string
    held: boolean
  }[]
const availableOf = async (sku: string) => {
  const { body } = await house.send(
    'GET',
    `/process/available-to-promise/v1/availability?company=NWF&sku=${sku}&location=DC1`,
  )
  return (body['items'] as { available: string; onHold: string }[])[0]
}
const codeOf = ({ status, body }: Reply) => [status, body.code]

test('what expires first is taken first, nothing of what is held or has expired', async () => {
  const sku = next()
  const dates = { OLD: '2020-01-01', SOON: '2090-01-01', LATER: '2091-01-01', HELD: '2089-01-01' }
  for (const lot of ['LATER', 'UNDATED', 'OLD', 'SOON', 'HELD']) await found(sku, lot, 10)
  for (const [lot, expiresOn] of Object.entries(dates)) {
    const set = await act('set', sku, lot, { more: { expiresOn } })
    expect([set.status, set.body['expiresOn']]).toEqual([200, expiresOn])
  }
  await act('hold', sku, 'HELD')
  const lots = await lotsOf(sku, '&location=DC1&quantity=25')
  expect(lots.map(({ lot, take }) => [lot, take])).toEqual([
    ['OLD', '0'],
    ['HELD', '0'],
    ['SOON', '10'],
    ['LATER', '10'],
    ['UNDATED', '5'],
  ])
})

describe('a lot that is held', () => {
  test('is for sale nowhere, once, until it is released', async () => {
    const sku = next()
    await found(sku, 'L1', 10)
    await found(sku, 'L1', 4, 'DC2')
    await found(sku, 'L2', 5)
    const held = await act('hold', sku, 'L1', { key: `hold-${sku}` })
    expect([held.status, held.body]).toEqual([
      200,
      {
        company: 'NWF',
        sku,
        lot: 'L1',
        held: true,
        moved: [
          { location: 'DC1', quantity: '10' },
          { location: 'DC2', quantity: '4' },
        ],
        atRisk: [],
        waiting: [],
        requests: [],
        unit: 'EA',
      },
    ])
    expect((await act('hold', sku, 'L1', { key: `hold-${sku}` })).body).toEqual(held.body)
    expect((await act('hold', sku, 'L1')).body['moved']).toEqual([])
    await expect.poll(() => availableOf(sku), WITHIN).toMatchObject({ available: '5', onHold: '10' })
    expect((await lotsOf(sku)).filter(({ held: is }) => is).map(({ lot }) => lot)).toEqual(['L1', 'L1'])
    expect((await act('release', sku, 'L1')).body).toMatchObject({ held: false, atRisk: [] })
    await expect.poll(() => availableOf(sku), WITHIN).toMatchObject({ available: '15', onHold: '0' })
  })

  test('names whose claims lost their stock, and tells it until it is released', async () => {
    const sku = next()
    await found(sku, 'L1', 10)
    await found(sku, 'L2', 2)
    const reserved = await house.send('POST', '/process/available-to-promise/v1/reservations', {
      body: {
        company: 'NWF',
        channel: 'portal',
        reference: 'cart',
        kind: 'firm',
        location: 'DC1',
        lines: [{ line: '1', sku, quantity: '8', unit: 'EA' }],
      },
    })
    const held = await act('hold', sku, 'L1')
    expect(held.body['atRisk']).toEqual([{ location: 'DC1', quantity: '6', documents: [reserved.body.id] }])
    await expect.poll(() => availableOf(sku), WITHIN).toMatchObject({ available: '0', onHold: '10' })
    const told = async () =>
      [
        ...(await house.openExceptions('inventory.lot_claimed')),
        ...(await house.openExceptions('inventory.unreconciled')),
      ].length
    expect(await told()).toBe(2)
    await act('release', sku, 'L1')
    expect(await told()).toBe(0)
    await expect.poll(() => availableOf(sku), WITHIN).toMatchObject({ available: '4', onHold: '0' })
    const [position] = await house.query<{ unreconciled: number }>(
      `select unreconciled from inventory.position p join items.item i on i.id = p.item_id
       where sku = $1 and location = 'DC1' and lot = ''`,
      [sku],
    )
    expect(position!.unreconciled).toBe(0)
  })
})

test('where a lot went is found by it, the newest first, page by page', async () => {
  const sku = next()
  const [item] = await house.query<{ id: number }>('select id from items.item where sku = $1', [sku])
  const order = await house.order({ lines: [[sku, 5]] })
  await house.query(
    `insert into shipments.shipment (id, company, order_id, fulfillment_id, location, carrier, shipped_at, source, source_key)
     select 900000 + n, 'NWF', $1, 1, 'DC1', 'SWIFT', now(), 'wms', 'SH-' || n from generate_series(1, 3) n`,
    [order.doc],
  )
  await house.query(
    `insert into shipments.shipment_line (shipment_id, n, package, line, item_id, quantity, lot, expires_on)
     select 900000 + n, 1, 1, 1, $1, n, case when n = 2 then 'L2' else 'L1' end, '2090-01-01' from generate_series(1, 3) n`,
    [item!.id],
  )
  const read = async (more = '') =>
    (await house.send('GET', `${INVENTORY}/lots/L1/shipments?company=NWF&sku=${sku}&limit=1${more}`)).body
  const first = await read()
  const second = await read(`&cursor=${first['nextCursor'] as string}`)
  expect([first['items'], second['items']]).toMatchObject([
    [
      {
        shipment: 'S-900003',
        order: order.body.id,
        customer: '500001',
        quantity: '3',
        expiresOn: '2090-01-01',
      },
    ],
    [{ shipment: 'S-900001', number: 'SH-1', location: 'DC1', carrier: 'SWIFT' }],
  ])
  expect(second['nextCursor']).toBeUndefined()
})

test.each([
  ['GET', 'lots?company=NONE&sku=1', undefined, [422, 'inventory.company_unknown']],
  ['GET', 'lots?company=NWF&sku=nothing', undefined, [422, 'inventory.item_unknown']],
  ['GET', 'lots?company=NWF&sku=46001&location=MOON', undefined, [422, 'inventory.location_unknown']],
  ['GET', 'lots?company=NWF&sku=46001&quantity=0', undefined, [422, 'items.quantity_not_positive']],
  ['GET', 'lots?company=NWF&sku=46001&quantity=x', undefined, [422, 'quantity.malformed']],
  ['GET', 'lots/L1/shipments?company=NWF&sku=nothing', undefined, [422, 'inventory.item_unknown']],
  [
    'POST',
    'lots:hold',
    { company: 'NWF', sku: 'nothing', lot: 'L', reason: 'x' },
    [422, 'inventory.item_unknown'],
  ],
  [
    'POST',
    'lots:release',
    { company: 'NONE', sku: '46001', lot: 'L', reason: 'x' },
    [422, 'inventory.company_unknown'],
  ],
  [
    'POST',
    'lots:set',
    { company: 'NWF', sku: 'nothing', lot: 'L', expiresOn: '2090-01-01' },
    [422, 'inventory.item_unknown'],
  ],
] as const)('%s %s is refused', async (method, path, body, expected) => {
  const refused = await house.send(method, `${INVENTORY}/${path}`, { ...(body && { body }) })
  expect(codeOf(refused)).toEqual(expected)
})

test('a partner sees and holds none', async () => {
  const sent = { headers: partner, body: { company: 'NWF', sku: '46001', lot: 'L1', reason: 'x' } }
  const refused = await Promise.all([
    house.send('GET', `${INVENTORY}/lots?company=NWF&sku=46001`, { headers: partner }),
    house.send('POST', `${INVENTORY}/lots:hold`, sent),
  ])
  expect(refused.map(codeOf)).toEqual([
    [422, 'inventory.company_unknown'],
    [422, 'inventory.company_unknown'],
  ])
})
