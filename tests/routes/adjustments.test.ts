/** People put stock right over HTTP: booked or waiting for another person, refused by field, read page by page. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AdjustmentAnswer } from '#domains/inventory/contract/adjustments.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const INVENTORY = '/process/inventory/v1'
const PATH = `${INVENTORY}/adjustments`
const SKUS = Array.from({ length: 22 }, (_, at) => String(45_001 + at))
const LOTTED = '45901'
const WEIGHED = '45902'

let house: Wholesaler
let second: Readonly<Record<string, string>>
let reader: Readonly<Record<string, string>>
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, stock: { DC1: 100 } })),
      { number: LOTTED, item: { lotControlled: true } },
      { number: WEIGHED, item: { baseUnit: 'KG', priceUnit: 'KG', salesUnit: 'KG', units: [KILO] } },
    ],
    [{ number: '500001' }],
  )
  const scopes = ['read', 'write', 'approve'].map((verb) => `process.adjustments:${verb}`)
  second = bearer(await house.key({ client: 'bob', scopes }))
  reader = bearer(await house.key({ client: 'auditor', scopes: ['process.orders:read'] }))
  partner = bearer(
    await house.key({
      client: 'dealer',
      partner: '500001',
      scopes: [...scopes, 'process.inventory:read'],
    }),
  )
}, 60_000)
afterAll(() => house.end())

const KILO = { unit: 'KG', numerator: 1, denominator: 1, gtin: '' } as const
const next = (): string => SKUS.shift()!

type Adjusted = Reply & { readonly body: AdjustmentAnswer }
type Sending = Parameters<Wholesaler['send']>[2]
const adjust = async (lines: readonly object[], more: object = {}, sending: Sending = {}) =>
  (await house.send('POST', PATH, {
    ...sending,
    body: { company: 'NWF', reason: 'count', reference: 'sheet 1', ...more, lines },
  })) as Adjusted
const at = (sku: string, kind: string, quantity: string, more: object = {}) => ({
  kind,
  sku,
  location: 'DC1',
  quantity,
  ...more,
})
const decide = async ({ body }: Adjusted, verdict: string, headers = {}, sending: Sending = {}) =>
  (await house.send('POST', `${PATH}/${body.id}:${verdict}`, {
    body: { reason: 'seen with my own eyes' },
    headers,
    ...sending,
  })) as Adjusted
const positionsOf = async (sku: string, more = '') =>
  (await house.send('GET', `${INVENTORY}/positions?company=NWF&sku=${sku}${more}`)).body['items'] as {
    location: string
    available: string
    lot?: string
  }[]
const availableAt = async (sku: string, location = 'DC1') =>
  (await positionsOf(sku)).find((row) => row.location === location)?.available
const faultsOf = ({ status, body }: Reply) => [
  status,
  (body['errors'] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`),
]

const cursorOf = (body: Reply['body']): string => {
  const cursor = body['nextCursor'] as string | undefined
  return cursor === undefined ? '' : `&cursor=${cursor}`
}

describe('what is worth little', () => {
  test('is booked at once, with its difference, and stands in the ledger under its number', async () => {
    const sku = next()
    const { status, body } = await adjust([at(sku, 'counted', '8', { unit: 'CA' })])
    expect([status, body.state, body.value, body.currency]).toEqual([201, 'booked', '40.00', 'USD'])
    expect(body.lines).toMatchObject([{ quantity: '96', unit: 'EA', difference: '-4', explained: '0' }])
    expect(await availableAt(sku)).toBe('96')
    const { body: page } = await house.send('GET', `${INVENTORY}/movements?company=NWF&document=${body.id}`)
    expect(page['items']).toMatchObject([
      {
        sku,
        location: 'DC1',
        from: 'available',
        to: 'adjustment',
        quantity: '4',
        document: body.id,
        reason: 'count',
      },
    ])
  })

  test('is only told when it is tried out', async () => {
    const sku = next()
    const { status, body } = await adjust([at(sku, 'lost', '4')], { dryRun: true })
    expect([status, body.state, body.dryRun]).toEqual([200, 'booked', true])
    expect(await availableAt(sku)).toBe('100')
    expect((await house.send('GET', `${PATH}/${body.id}`)).status).toBe(404)
  })

  test('is booked once, however often it is sent under its key', async () => {
    const sku = next()
    const key = `adjust-${sku}`
    const answers = [
      await adjust([at(sku, 'lost', '4')], {}, { key }),
      await adjust([at(sku, 'lost', '4')], {}, { key }),
    ]
    expect(answers.map(({ status, body }) => [status, body.id])).toEqual([
      [201, answers[0]!.body.id],
      [201, answers[0]!.body.id],
    ])
    expect(await availableAt(sku)).toBe('96')
  })
})

describe('what is worth more than one person may change', () => {
  test('waits, is told, and is booked when another approves it', async () => {
    const sku = next()
    const waiting = await adjust([at(sku, 'found', '200')])
    expect([waiting.status, waiting.body.state, waiting.body.value]).toEqual([202, 'pending', '2000.00'])
    expect(await availableAt(sku)).toBe('100')
    const told = await house.openExceptions('inventory.adjustment_waits')
    expect(told.map(({ cause }) => cause)).toContain(`inventory.adjustment_waits:${waiting.body.id}`)
    const own = await decide(waiting, 'approve')
    expect([own.status, own.body['code' as keyof AdjustmentAnswer]]).toEqual([
      403,
      'inventory.second_person_needed',
    ])
    const approved = await decide(waiting, 'approve', second)
    expect([approved.status, approved.body.state, approved.body.decidedBy]).toEqual([200, 'booked', 'bob'])
    expect(await availableAt(sku)).toBe('300')
    expect(
      (await house.openExceptions('inventory.adjustment_waits')).map(({ cause }) => cause),
    ).not.toContain(`inventory.adjustment_waits:${waiting.body.id}`)
    const again = await decide(waiting, 'reject', second)
    expect([again.status, (again as Reply).body.code]).toEqual([409, 'inventory.adjustment_decided'])
  })

  test('changes nothing when another rejects it', async () => {
    const sku = next()
    const rejected = await decide(
      await adjust([at(sku, 'lost', '100.0', { unit: 'EA' }), at(sku, 'found', '1')]),
      'reject',
      second,
    )
    expect([rejected.status, rejected.body.state]).toEqual([200, 'rejected'])
    expect(await availableAt(sku)).toBe('100')
  })

  test('cannot be approved in the tables by whoever entered it', async () => {
    const { body } = await adjust([at(next(), 'found', '200')])
    const tamper = house.query('update inventory.adjustment set decided_by = requested_by where id = $1', [
      Number(body.id.slice(2)),
    ])
    await expect(tamper).rejects.toThrow(/decided_by_another|decided_once/)
  })

  test('is what is written off or comes back as well', async () => {
    const off = at(next(), 'moved', '90', { toStatus: 'damaged' })
    const { body } = await adjust([off, at(next(), 'returned', '11')])
    expect([body.state, body.value]).toEqual(['pending', '1010.00'])
  })

  test('is every change of an item that has no price', async () => {
    const sku = next()
    await house.query(
      'delete from pricing.price where item_id = (select id from items.item where sku = $1)',
      [sku],
    )
    const { status, body } = await adjust([at(sku, 'lost', '1')])
    expect([status, body.state, body.value]).toEqual([202, 'pending', undefined])
  })
})

describe('a line', () => {
  test.each([
    ['moved', { toStatus: 'blocked' }, { available: '97', blocked: '3' }],
    ['returned', {}, { available: '100', quarantine: '3' }],
    ['sent', { transfer: 'T-1', to: 'DC2' }, { available: '97' }],
  ])('that is %s lands in its own bucket', async (kind, more, expected) => {
    const sku = next()
    expect((await adjust([at(sku, kind, '3', more)])).status).toBe(201)
    expect((await positionsOf(sku)).find(({ location }) => location === 'DC1')).toMatchObject(expected)
  })

  test('of what was sent arrives in part, and the rest is missing', async () => {
    const sku = next()
    const transfer = `T-${sku}`
    await adjust([at(sku, 'sent', '10', { transfer, to: 'DC2' })], { reason: 'transfer' })
    await adjust(
      [
        at(sku, 'arrived', '7', { transfer, location: 'DC2' }),
        at(sku, 'missing', '3', { transfer, location: 'DC2' }),
      ],
      { reason: 'transfer' },
    )
    expect((await positionsOf(sku)).find(({ location }) => location === 'DC2')).toMatchObject({
      available: '7',
      inTransit: '0',
    })
  })

  test.each([
    [
      'an item that is not there',
      [{ ...at('nothing', 'lost', '1') }],
      ['/lines/0/sku inventory.item_unknown'],
    ],
    [
      'a unit that the item does not have',
      [at('SKU', 'lost', '1', { unit: 'DR' })],
      ['/lines/0/unit items.unit_unknown'],
    ],
    ['less than nothing', [at('SKU', 'lost', '-1')], ['/lines/0/quantity items.quantity_not_positive']],
    ['nothing that was lost', [at('SKU', 'lost', '0')], ['/lines/0/quantity items.quantity_not_positive']],
    ['a part of a piece', [at('SKU', 'lost', '1.5')], ['/lines/0/quantity items.quantity_not_whole']],
    [
      'more places than are kept',
      [at(WEIGHED, 'found', '1.00001')],
      ['/lines/0/quantity quantity.malformed'],
    ],
    [
      'a place that is not there',
      [at('SKU', 'lost', '1', { location: 'MOON' })],
      ['/lines/0/location inventory.location_unknown'],
    ],
    ['no lot of an item with lots', [at(LOTTED, 'found', '1')], ['/lines/0/lot inventory.lot_required']],
    [
      'a lot that was never there',
      [at(LOTTED, 'lost', '1', { lot: 'L9' })],
      ['/lines/0/lot inventory.lot_unknown'],
    ],
    [
      'a status that is the same',
      [at('SKU', 'moved', '1', { toStatus: 'available' })],
      ['/lines/0/toStatus inventory.adjustment_contradicts'],
    ],
    [
      'a transfer to itself without a number',
      [at('SKU', 'sent', '1', { to: 'DC1' })],
      ['/lines/0/transfer inventory.adjustment_contradicts', '/lines/0/to inventory.adjustment_contradicts'],
    ],
    [
      'a field that means nothing',
      [at('SKU', 'lost', '1', { to: 'DC2' })],
      ['/lines/0/to inventory.adjustment_contradicts'],
    ],
    [
      'two counts of one place',
      [at('SKU', 'counted', '1'), at('SKU', 'counted', '2')],
      ['/lines/1/kind inventory.adjustment_contradicts'],
    ],
  ])('that names %s is refused by field, and nothing is booked', async (_, lines, errors) => {
    const sku = SKUS[0]!
    const named = (lines as { sku: string }[]).map((line) => (line.sku === 'SKU' ? { ...line, sku } : line))
    expect(faultsOf(await adjust(named))).toEqual([422, errors])
    expect(await availableAt(sku)).toBe('100')
  })

  test('of a company that is not there, or of a partner, is refused', async () => {
    expect((await adjust([at(SKUS[0]!, 'lost', '1')], { company: 'NONE' })).body['code' as never]).toBe(
      'inventory.company_unknown',
    )
    const foreign = await adjust([at(SKUS[0]!, 'lost', '1')], {}, { headers: partner })
    expect([foreign.status, foreign.body['code' as never]]).toEqual([422, 'inventory.company_unknown'])
  })
})

describe('what is read', () => {
  test('is all adjustments page by page, and those that wait', async () => {
    const ids: string[] = []
    let cursor = ''
    do {
      const { body } = await house.send('GET', `${PATH}?company=NWF&limit=3${cursor}`)
      ids.push(...(body['items'] as { id: string }[]).map(({ id }) => id))
      cursor = cursorOf(body)
    } while (cursor !== '')
    expect(ids.length).toBeGreaterThan(6)
    expect(new Set(ids).size).toBe(ids.length)
    const { body } = await house.send('GET', `${PATH}?company=NWF&state=pending`)
    expect(new Set((body['items'] as { state: string }[]).map(({ state }) => state))).toEqual(
      new Set(['pending']),
    )
  })

  test('are positions page by page, by item or at one place, each once', async () => {
    for (const where of ['', '&location=DC1']) {
      const seen: string[] = []
      let cursor = ''
      do {
        const { body } = await house.send(
          'GET',
          `${INVENTORY}/positions?company=NWF&limit=5${where}${cursor}`,
        )
        seen.push(
          ...(body['items'] as { sku: string; location: string }[]).map(
            (row) => `${row.sku} ${row.location}`,
          ),
        )
        cursor = cursorOf(body)
      } while (cursor !== '')
      expect(seen.length).toBeGreaterThan(19)
      expect(new Set(seen).size).toBe(seen.length)
    }
  })

  test('are movements by item, place, lot and source, the newest first, page by page', async () => {
    const sku = LOTTED
    await adjust([at(sku, 'found', '5', { lot: 'L1' }), at(sku, 'found', '6', { lot: 'L2' })])
    await adjust([at(sku, 'lost', '2', { lot: 'L1' })])
    const read = async (more: string) =>
      (
        (await house.send('GET', `${INVENTORY}/movements?company=NWF&sku=${sku}${more}`)).body['items'] as {
          quantity: string
        }[]
      ).map(({ quantity }) => quantity)
    expect(await read('')).toEqual(['2', '6', '5'])
    expect(await read('&lot=L1&source=adjustment&location=DC1')).toEqual(['2', '5'])
    expect(await read('&source=wms')).toEqual([])
    const first = await house.send('GET', `${INVENTORY}/movements?company=NWF&sku=${sku}&limit=2`)
    expect(await read(`&limit=2${cursorOf(first.body)}`)).toEqual(['5'])
    expect(await positionsOf(sku, '&lot=L1')).toMatchObject([{ lot: 'L1', available: '3' }])
  })

  test.each([
    [`${INVENTORY}/movements?company=NWF`, 422, 'inventory.movements_of_nothing'],
    [`${INVENTORY}/movements?company=NWF&document=S-9`, 404, 'inventory.document_unknown'],
    [`${INVENTORY}/movements?company=NWF&document=Q`, 404, 'inventory.document_unknown'],
    [`${INVENTORY}/movements?company=NWF&document=A-9`, 404, 'inventory.document_unknown'],
    [`${INVENTORY}/positions?company=NWF&sku=nothing`, 422, 'inventory.item_unknown'],
    [`${INVENTORY}/positions?company=NWF&location=MOON`, 422, 'inventory.location_unknown'],
    [`${INVENTORY}/positions?company=NWF&cursor=x.y`, 400, 'http.cursor_invalid'],
    [`${PATH}?company=NONE`, 422, 'inventory.company_unknown'],
    [`${PATH}/A-9`, 404, 'inventory.adjustment_unknown'],
    [`${PATH}/B-9`, 404, 'inventory.adjustment_unknown'],
  ])('from %s is refused with %i', async (path, status, code) => {
    const { body, status: answered } = await house.send('GET', path)
    expect([answered, body.code]).toEqual([status, code])
  })

  test('is nothing for who has no right to it, and for partners', async () => {
    const refused = await Promise.all([
      house.send('GET', `${INVENTORY}/positions?company=NWF`, { headers: reader }),
      house.send('GET', `${PATH}?company=NWF`, { headers: reader }),
      house.send('GET', `${INVENTORY}/positions?company=NWF`, { headers: partner }),
      house.send('GET', `${INVENTORY}/movements?company=NWF&sku=${LOTTED}`, { headers: partner }),
    ])
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 422, 422])
  })
})

test('a shipment stands in the ledger under its number', async () => {
  const sku = next()
  const order = await house.order({ lines: [[sku, 5]] })
  await house.closed(order)
  const [shipment] = await house.query<{ id: number }>(
    'select id from shipments.shipment where order_id = $1',
    [order.doc],
  )
  const { body } = await house.send('GET', `${INVENTORY}/movements?company=NWF&document=S-${shipment!.id}`)
  expect(body['items']).toMatchObject([
    { sku, from: 'available', to: 'shipped', quantity: '5', document: `S-${shipment!.id}`, source: 'wms' },
  ])
})

test('what was found wakes the orders that wait for it', async () => {
  const sku = next()
  const order = await house.order({ lines: [[sku, 103]] })
  await adjust([at(sku, 'found', '3')])
  // in one request or in two, as the first one has left by then or not
  const requested = () =>
    house
      .query<{ quantity: string }>(
        `select sum(l.quantity)::text as quantity from shipments.fulfillment f
         join shipments.fulfillment_line l on l.fulfillment_id = f.id where f.order_id = $1`,
        [order.doc],
      )
      .then(([row]) => Number(row!.quantity))
  await expect.poll(requested, { timeout: 10_000 }).toBe(103)
})

test('each act is in the audit trail with its paper', async () => {
  const rows = await house.query<{ action: string; reason: string }>(
    `select action, reason from audit.entry where kind = 'adjustment' order by position`,
  )
  expect(new Set(rows.map(({ action }) => action))).toEqual(
    new Set(['inventory.adjust', 'inventory.approve_adjustment', 'inventory.reject_adjustment']),
  )
  expect(rows[0]!.reason).toBe('count: sheet 1')
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
