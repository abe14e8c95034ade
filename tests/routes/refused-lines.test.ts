/** What is wrong with an item, unit, quantity, day or number of lines is refused alike at every door of stock: by field, with a cure. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { houseCatalogue } from '../../src/app-catalogue.ts'
import { CATCH_WEIGHT, openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'

const SKU = '47201'
const WEIGHED = '47202'
const PROMISE = '/process/available-to-promise/v1'
const INVENTORY = '/process/inventory/v1'

let house: Wholesaler
/** Of the item that can be asked for by weight, as its only line. */
let request: string
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 100 } },
      { number: WEIGHED, stock: { DC1: 100 }, item: { units: CATCH_WEIGHT.units! } },
    ],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  const order = await house.order({ lines: [[WEIGHED, 6]] })
  request = await vi.waitFor(async () => {
    const [row] = await house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and state = 'accepted'`,
      [order.doc],
    )
    return `F-${row!.id}`
  })
}, 60_000)
afterAll(() => house.end())

type Line = { readonly sku: string; readonly quantity: string; readonly unit?: string }
type Door = {
  readonly path: string
  readonly list: string
  readonly most: number
  /** Everything beside the lines. */
  readonly head: () => object
  readonly lineOf: (line: Line, at: number) => object
  readonly unknownItem: string
  /** A day or time that has passed. */
  readonly past?: readonly [field: string, value: string, code: string]
}

const head = () => ({ company: 'NWF' })
const numbered = (line: Line, at: number) => ({ line: String(at + 1), ...line })
const DOORS: Readonly<Record<string, Door>> = {
  availability: {
    path: `${PROMISE}/availability:query`,
    list: 'items',
    most: 500,
    head,
    lineOf: (line) => line,
    unknownItem: '0/sku inventory.item_unknown',
    past: ['date', '2026-01-02', 'inventory.date_past'],
  },
  reservations: {
    path: `${PROMISE}/reservations`,
    list: 'lines',
    most: 500,
    head: () => ({ ...head(), channel: 'portal', reference: 'cart-1', kind: 'soft' }),
    lineOf: (line, at) => ({ unit: 'EA', ...numbered(line, at) }),
    unknownItem: '0/sku items.unknown',
    past: ['expiresAt', '2026-01-02T08:00:00Z', 'inventory.expiry_not_ahead'],
  },
  'the sourcing preview': {
    path: `${PROMISE}/sourcing:preview`,
    list: 'lines',
    most: 200,
    head,
    lineOf: numbered,
    unknownItem: '0/sku inventory.item_unknown',
  },
  adjustments: {
    path: `${INVENTORY}/adjustments`,
    list: 'lines',
    most: 500,
    head: () => ({ ...head(), reason: 'count', reference: 'sheet 1' }),
    lineOf: (line) => ({ kind: 'found', location: 'DC1', ...line }),
    unknownItem: '0/sku inventory.item_unknown',
  },
  'papers by hand': {
    path: `${INVENTORY}/by-hand`,
    list: 'lines',
    most: 500,
    head: () => ({
      ...head(),
      kind: 'shipped',
      request,
      reference: 'note 1',
      at: '2026-11-20T16:10:00Z',
    }),
    lineOf: ({ sku, ...line }) => ({ ...line, line: sku === 'nope' ? 9 : 1 }),
    unknownItem: '0/line inventory.request_line_unknown',
  },
}

async function refused(door: Door, lines: readonly Line[], more: object = {}) {
  const body = { ...door.head(), ...more, [door.list]: lines.map(door.lineOf) }
  const answer = await house.send('POST', door.path, { body })
  const errors = (answer.body['errors'] ?? []) as { pointer: string; code: string; message: string }[]
  for (const { code, message } of errors)
    expect(code.startsWith('http.') ? message : houseCatalogue.get(code)?.fix).toMatch(/\w{3,}/)
  return { status: answer.status, code: answer.body.code, errors }
}

describe.each(Object.entries(DOORS))('at %s', (_, door) => {
  test('all lines that are wrong are told at once, each by its field and with a cure', async () => {
    const lines = [
      { sku: 'nope', quantity: '1' },
      { sku: SKU, quantity: '1', unit: 'DR' },
      { sku: WEIGHED, quantity: '1', unit: 'KGM' },
      { sku: SKU, quantity: '-1' },
      { sku: SKU, quantity: '1.5' },
      { sku: SKU, quantity: '1.00001' },
    ]
    const { status, code, errors } = await refused(door, lines)
    expect([status, ...errors.map((error) => `${error.pointer} ${error.code}`)]).toEqual([
      422,
      `/${door.list}/${door.unknownItem}`,
      `/${door.list}/1/unit items.unit_unknown`,
      `/${door.list}/2/quantity items.quantity_not_exact`,
      `/${door.list}/3/quantity items.quantity_not_positive`,
      `/${door.list}/4/quantity items.quantity_not_whole`,
      `/${door.list}/5/quantity quantity.malformed`,
    ])
    expect(code).toBe(errors[0]!.code)
  })

  test('what is no number is refused by its field, in words', async () => {
    const { status, code, errors } = await refused(door, [{ sku: SKU, quantity: '1,5' }])
    expect([status, code, errors.map(({ pointer }) => pointer)]).toEqual([
      422,
      'http.invalid',
      [`/${door.list}/0/quantity`],
    ])
    expect(errors[0]!.message).toMatch(/does not have the right form: send Decimal as text/)
  })

  test('more lines than are taken at once are refused, with how many are', async () => {
    const many = Array.from({ length: door.most + 1 }, () => ({ sku: SKU, quantity: '1' }))
    const { status, code, errors } = await refused(door, many)
    expect([status, code, errors.map(({ pointer }) => pointer)]).toEqual([
      422,
      door.list === 'items' ? 'inventory.too_many_items' : 'http.invalid',
      [`/${door.list}`],
    ])
    expect(errors[0]!.message).toContain(String(door.most))
  })

  test.runIf(door.past)('what has passed is refused', async () => {
    const [field, value, code] = door.past!
    const { status, errors } = await refused(door, [{ sku: SKU, quantity: '1' }], { [field]: value })
    expect([status, errors]).toMatchObject([422, [{ pointer: `/${field}`, code }]])
  })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
