/** The door of what people enter for a warehouse that is away: refused by field, nothing booked. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const PATH = '/process/inventory/v1/by-hand'
const SKU = '47101'
const LOTTED = '47102'

let house: Wholesaler
let request: string
let lotted: string
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 100 } },
      { number: LOTTED, stock: { DC1: 100 }, item: { lotControlled: true } },
    ],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  request = await released(SKU)
  lotted = await released(LOTTED)
}, 60_000)
afterAll(() => house.end())

async function released(sku: string): Promise<string> {
  const order = await house.order({ lines: [[sku, 6]] })
  return vi.waitFor(async () => {
    const [row] = await house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and state = 'accepted'`,
      [order.doc],
    )
    return `F-${row!.id}`
  })
}

const enter = (of: string, lines: readonly object[], more: object = {}, sending: object = {}) =>
  house.send('POST', PATH, {
    ...sending,
    body: {
      company: 'NWF',
      kind: 'shipped',
      request: of,
      reference: 'note 1',
      at: '2026-11-20T16:10:00Z',
      lines,
      ...more,
    },
  })
const left = (quantity: number, more: object = {}) => ({ line: 1, quantity: String(quantity), ...more })
const entered = async (): Promise<unknown> => (await house.send('GET', `${PATH}?company=NWF`)).body['items']
const faultsOf = ({ status, body }: Reply) => [
  status,
  (body['errors'] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`),
]

describe('a paper', () => {
  test.each([
    [
      'a line that is not there',
      [left(1, { line: 9 })],
      {},
      ['/lines/0/line inventory.request_line_unknown'],
    ],
    ['more than is open', [left(4), left(3)], {}, ['/lines/1/quantity inventory.more_than_requested']],
    [
      'a unit that the item does not have',
      [left(1, { unit: 'DR' })],
      {},
      ['/lines/0/unit items.unit_unknown'],
    ],
    ['less than nothing', [left(-1)], {}, ['/lines/0/quantity items.quantity_not_positive']],
    ['a part of a piece', [left(1.5)], {}, ['/lines/0/quantity items.quantity_not_whole']],
    [
      'a label that does not check',
      [left(1)],
      { sscc: '0'.repeat(17) + '1' },
      ['/sscc inventory.sscc_invalid'],
    ],
    ['nothing', [], {}, ['/lines inventory.hand_line_contradicts']],
    ['a time that has not come', [left(1)], { at: '2099-11-20T16:10:00Z' }, ['/at inventory.time_ahead']],
    [
      'what a shipment lacks',
      [left(1, { short: true })],
      {},
      ['/lines/0/short inventory.hand_line_contradicts'],
    ],
    [
      'of a pick what only a shipment knows',
      [left(1, { catchWeight: '1.5', expiresOn: '2027-01-01' })],
      { kind: 'picked', final: true },
      [
        '/final inventory.hand_line_contradicts',
        '/lines/0/catchWeight inventory.hand_line_contradicts',
        '/lines/0/expiresOn inventory.hand_line_contradicts',
      ],
    ],
  ])('that says %s is refused by field, and nothing is booked', async (_, lines, more, errors) => {
    expect(faultsOf(await enter(request, lines, more))).toEqual([422, errors])
    expect(await entered()).toEqual([])
  })

  test('that names no lot of an item with lots is refused by field', async () => {
    expect(faultsOf(await enter(lotted, [left(1)]))).toEqual([422, ['/lines/0/lot inventory.lot_required']])
  })

  test('of a request or company that is not there, and of a partner, is refused', async () => {
    const partner = bearer(
      await house.key({
        client: 'dealer',
        partner: '500001',
        scopes: ['process.adjustments:write', 'process.adjustments:read'],
      }),
    )
    const codes = await Promise.all([
      enter('F-9', [left(1)]),
      enter(request, [left(1)], { request: 'X' }),
      enter(request, [left(1)], { company: 'NONE' }),
      enter(request, [left(1)], {}, { headers: partner }),
      house.send('GET', `${PATH}?company=NONE`),
      house.send('GET', `${PATH}?company=NWF&cursor=x.y`),
      house.send('GET', `${PATH}?company=NWF`, { headers: partner }),
    ])
    expect(codes.map(({ body }) => body.code)).toEqual([
      'inventory.request_unknown',
      'inventory.request_unknown',
      'inventory.company_unknown',
      'inventory.company_unknown',
      'inventory.company_unknown',
      'http.cursor_invalid',
      'inventory.company_unknown',
    ])
  })
})

test('of two papers entered at once that leave no room for each other, one is refused by field', async () => {
  const requests = await Promise.all(Array.from({ length: 5 }, () => released(SKU)))
  const pairs = await Promise.all(
    requests.map((of) =>
      Promise.all(['note 2', 'note 3'].map((reference) => enter(of, [left(4)], { reference }))),
    ),
  )
  for (const pair of pairs) {
    const [booked, refused] = pair.toSorted((a, b) => a.status - b.status)
    expect(booked!.status).toBe(201)
    expect(faultsOf(refused!)).toEqual([422, ['/lines/0/quantity inventory.more_than_requested']])
  }
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
