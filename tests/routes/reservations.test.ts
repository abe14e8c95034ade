/** The doors of reservations: granted whole or in part, changed, given back; refused by field. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReservationAnswer } from '#domains/inventory/contract/reservations.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const PATH = '/process/available-to-promise/v1/reservations'
const SKUS = Array.from({ length: 24 }, (_, at) => String(41_001 + at))

const place = (code: string, ...groups: string[]) => ({
  code,
  type: 'warehouse' as const,
  wms: 'wms',
  timeZone: 'America/New_York',
  groups,
})
const CASES = '45900'
const LOCATIONS = [place('DC1'), place('DC2', 'south'), place('DC3', 'south')]

let house: Wholesaler
let partner: Readonly<Record<string, string>>
let stranger: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, stock: { DC1: 10, DC2: 5 } })),
      { number: CASES, stock: { DC1: 30, DC2: 20 } },
    ],
    [{ number: '500001' }],
    { config: { locations: LOCATIONS } },
  )
  const scopes = ['process.reservations:read', 'process.reservations:write']
  partner = bearer(await house.key({ client: 'dealer', scopes, partner: '500001' }))
  stranger = bearer(await house.key({ client: 'auditor', scopes: ['process.reservations:read'] }))
}, 60_000)
afterAll(() => house.end())

type Line = readonly [sku: string, quantity: string, unit?: string]

const bodyOf = (lines: readonly Line[], more: object = {}) => ({
  company: 'NWF',
  channel: 'portal',
  reference: 'cart-1',
  kind: 'firm',
  ...more,
  lines: lines.map(([sku, quantity, unit = 'EA'], place) => ({
    line: String(place + 1),
    sku,
    quantity,
    unit,
  })),
})

type Options = Parameters<Wholesaler['send']>[2]
type Reserved = Reply & { readonly body: ReservationAnswer }

const reserve = async (lines: readonly Line[], more: object = {}, options: Options = {}) =>
  (await house.send('POST', PATH, { body: bodyOf(lines, more), ...options })) as Reserved
const act = async (of: Reserved, verb: string, body: object = {}, options: Options = {}) =>
  (await house.send('POST', `${PATH}/${of.body.id}:${verb}`, { body, ...options })) as Reserved
const read = async ({ body }: Reserved, headers = {}) =>
  (await house.send('GET', `${PATH}/${body.id}`, { headers })) as Reserved
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
const faultOf = ({ status, body }: Reply) => [
  status,
  body.code,
  (body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer,
]
const codeOf = (reply: Reply) => faultOf(reply).slice(0, 2)
const next = (): string => SKUS.shift()!
const placesOf = ({ body }: Reserved) => body.lines.map(({ places }) => places)

async function reservedAt(sku: string): Promise<number> {
  const [row] = await house.query<{ reserved: number }>(
    `select sum(p.reserved)::float8 as reserved from inventory.position p join items.item i on i.id = p.item_id
     where i.sku = $1 and p.lot = ''`,
    [sku],
  )
  return row!.reserved
}

describe('a reservation', () => {
  test('says line by line what is kept and where, and its stock can be promised no more', async () => {
    const [first, second] = [next(), next()]
    const made = await reserve([
      [first, '12', 'EA'],
      [second, '12'],
    ])
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ state: 'open', kind: 'firm', version: 1 })
    expect(made.body.lines[0]).toMatchObject({ requested: '12', unit: 'EA', granted: '12', baseUnit: 'EA' })
    expect(placesOf(made)).toEqual([
      [
        { location: 'DC1', open: '10' },
        { location: 'DC2', open: '2' },
      ],
      [
        { location: 'DC1', open: '10' },
        { location: 'DC2', open: '2' },
      ],
    ])
    expect([await reservedAt(first), await reservedAt(second)]).toEqual([12, 12])
    expect((await read(made)).body).toEqual(made.body)
  })

  test('is split between places at whole units of what was asked for, as an order is', async () => {
    const refused = await reserve([[CASES, '4', 'CA']])
    expect(faultOf(refused)).toEqual([409, 'inventory.not_available', '/lines/0/quantity'])
    expect(JSON.stringify(refused.body)).toContain('no places have so much of it in whole CA')
    const made = await reserve([[CASES, '4', 'CA']], { mode: 'what_is_available' })
    expect(made.body.lines[0]).toMatchObject({ requested: '4', unit: 'CA', granted: '36', baseUnit: 'EA' })
    expect(placesOf(made)).toEqual([
      [
        { location: 'DC1', open: '24' },
        { location: 'DC2', open: '12' },
      ],
    ])
    const rest = await reserve([[CASES, '14', 'EA']])
    expect(placesOf(rest)).toEqual([
      [
        { location: 'DC1', open: '6' },
        { location: 'DC2', open: '8' },
      ],
    ])
  })

  test('of more than there is is refused whole, and says what there is; or takes what there is', async () => {
    const [plenty, scarce] = [next(), next()]
    const lines = [
      [plenty, '1'],
      [scarce, '10'],
      [scarce, '6'],
    ] as const
    const refused = await reserve(lines)
    expect(faultOf(refused)).toEqual([409, 'inventory.not_available', '/lines/1/quantity'])
    expect(JSON.stringify(refused.body)).toContain('15 EA of')
    expect([await reservedAt(plenty), await reservedAt(scarce)]).toEqual([0, 0])
    const made = await reserve(lines, { mode: 'what_is_available' })
    expect(made.body.lines.map(({ granted }) => granted)).toEqual(['1', '10', '5'])
    const none = await reserve([[scarce, '1']], { mode: 'what_is_available' })
    expect(faultOf(none)).toEqual([409, 'inventory.not_available', '/lines/0/quantity'])
  })

  test('is made once under its key, and again under another', async () => {
    const sku = next()
    const first = await reserve([[sku, '2']], {}, { key: 'once' })
    const repeated = await reserve([[sku, '2']], {}, { key: 'once' })
    expect(repeated.headers.get('idempotency-replayed')).toBe('true')
    expect(repeated.body).toEqual(first.body)
    expect(await reservedAt(sku)).toBe(2)
    expect(codeOf(await reserve([[sku, '3']], {}, { key: 'once' }))).toEqual([
      422,
      'http.idempotency_key_reused',
    ])
  })

  test('takes from the location it names alone', async () => {
    const sku = next()
    const made = await reserve([[sku, '5']], { location: 'DC2' })
    expect(placesOf(made)).toEqual([[{ location: 'DC2', open: '5' }]])
    expect(codeOf(await reserve([[sku, '1']], { location: 'DC2' }))).toEqual([409, 'inventory.not_available'])
  })

  test('takes from the locations of the group it names alone', async () => {
    const sku = next()
    const made = await reserve([[sku, '9']], { locationGroup: 'south', mode: 'what_is_available' })
    expect(placesOf(made)).toEqual([[{ location: 'DC2', open: '5' }]])
  })

  test('gets nothing of what an order waits for', async () => {
    const sku = next()
    const waiting = await house.order({ shippingRule: 'line-complete', lines: [[sku, 20]] })
    expect(waiting.body).toMatchObject({ outcome: 'backordered' })
    expect(codeOf(await reserve([[sku, '1']]))).toEqual([409, 'inventory.not_available'])
  })
})

describe('what is asked of a reservation', () => {
  test('a soft one is extended and made firm, after which it does not expire', async () => {
    const soft = await reserve([[next(), '3']], { kind: 'soft' })
    expect(Date.parse(soft.body.expiresAt!)).toBeGreaterThan(Date.now())
    const until = inMinutes(60)
    const extended = await act(soft, 'extend', { expiresAt: until })
    expect(extended.body).toMatchObject({ expiresAt: until, version: 2 })
    const firm = await act(soft, 'commit')
    expect(firm.body).toMatchObject({ kind: 'firm', version: 3 })
    expect(firm.body.expiresAt).toBeUndefined()
    expect((await act(soft, 'commit')).body.version).toBe(3)
    expect(faultOf(await act(soft, 'extend', { expiresAt: until }))).toEqual([
      422,
      'inventory.firm_does_not_expire',
      '/expiresAt',
    ])
  })

  test('it is transferred to another channel and reference', async () => {
    const made = await reserve([[next(), '3']])
    const moved = await act(made, 'transfer', { channel: 'field', reference: 'quote-9' })
    expect(moved.body).toMatchObject({ channel: 'field', reference: 'quote-9', state: 'open' })
    expect((await read(made)).body).toEqual(moved.body)
  })

  test('a part that is split off has its own number and keeps its stock', async () => {
    const sku = next()
    const made = await reserve([[sku, '12']])
    const answer = await act(made, 'split', { reference: 'cart-2', lines: [{ line: '1', quantity: '11' }] })
    const { kept, split } = answer.body as unknown as { kept: ReservationAnswer; split: ReservationAnswer }
    expect(kept.lines[0]).toMatchObject({ granted: '1', open: '1', places: [{ location: 'DC2', open: '1' }] })
    expect(split).toMatchObject({ reference: 'cart-2', channel: 'portal', version: 1 })
    expect(split.lines[0]).toMatchObject({ granted: '11', open: '11' })
    expect(await reservedAt(sku)).toBe(12)
    expect((await read({ ...answer, body: split } as Reserved)).body).toEqual(split)
  })

  test('it is given back in part, then whole, and keeps nothing after that', async () => {
    const sku = next()
    const made = await reserve([
      [sku, '8'],
      [sku, '4'],
    ])
    const part = await act(made, 'release', { lines: [{ line: '1', quantity: '3' }] })
    expect(part.body.lines[0]).toMatchObject({ granted: '8', open: '5', released: '3' })
    expect(await reservedAt(sku)).toBe(9)
    const rest = await act(made, 'release', {}, { key: 'the-rest' })
    expect(rest.body).toMatchObject({ state: 'ended', lines: [{ released: '8' }, { released: '4' }] })
    expect((await act(made, 'release', {}, { key: 'the-rest' })).body).toEqual(rest.body)
    expect(await reservedAt(sku)).toBe(0)
    expect((await read(made)).body.endedAt).toBeDefined()
    for (const verb of ['release', 'commit', 'transfer']) {
      expect(codeOf(await act(made, verb))).toEqual([409, 'inventory.reservation_ended'])
    }
  })

  test('what is given back goes to the order that waits for it', async () => {
    const sku = next()
    const made = await reserve([[sku, '15']])
    const waiting = await house.order({ lines: [[sku, 4]] })
    expect(waiting.body).toMatchObject({ outcome: 'backordered' })
    await act(made, 'release', { lines: [{ line: '1', quantity: '5' }] })
    await house.closed(waiting)
    expect(await reservedAt(sku)).toBe(10)
  })

  test('each change is told to subscribers in its order, and stands in the audit trail', async () => {
    const made = await reserve([[next(), '4']], { kind: 'soft' })
    await act(made, 'extend', { expiresAt: inMinutes(30) })
    await act(made, 'commit')
    await act(made, 'release')
    const doc = Number(made.body.id.slice(2))
    type Told = { type: string; subject: string; sequence: string }
    const tellings = async () => {
      const { body } = await house.send('GET', '/experience/events/v1/events?domains=inventory&limit=200')
      return (body['items'] as Told[]).filter(({ subject }) => subject === made.body.id)
    }
    await expect.poll(async () => (await tellings()).length, { timeout: 10_000 }).toBe(4)
    expect(
      (await tellings()).map(({ type, sequence }) => [type.split('.').at(-2), Number(sequence)]),
    ).toEqual([
      ['granted', 1],
      ['extended', 2],
      ['firmed', 3],
      ['released', 4],
    ])
    const acts = await house.query<{ action: string }>(
      'select action from audit.entry where doc = $1 order by position',
      [doc],
    )
    expect(acts.map(({ action }) => action)).toEqual([
      'inventory.reserve',
      'inventory.extend_reservation',
      'inventory.commit_reservation',
      'inventory.release_reservation',
    ])
  })

  test('it is acted on at the version that If-Match names only', async () => {
    const made = await reserve([[next(), '1']])
    const tag = (await read(made)).headers.get('etag')!
    expect((await act(made, 'transfer', { reference: 'x' }, { headers: { 'if-match': tag } })).status).toBe(
      200,
    )
    const stale = await act(made, 'release', {}, { headers: { 'if-match': tag } })
    expect(codeOf(stale)).toEqual([412, 'http.precondition_failed'])
  })

  test.each([
    ['9', '1', 'inventory.line_unknown', '/lines/0/line'],
    ['1', '4', 'inventory.more_than_open', '/lines/0/quantity'],
    ['1', '0', 'items.quantity_not_positive', '/lines/0/quantity'],
    ['1', '-1', 'items.quantity_not_positive', '/lines/0/quantity'],
    ['1', '1.5', 'items.quantity_not_whole', '/lines/0/quantity'],
    ['1', '1.00001', 'quantity.malformed', '/lines/0/quantity'],
  ])('line %s with %s is refused with %s', async (line, quantity, code, pointer) => {
    const made = await reserve([[SKUS.at(-1)!, '3']])
    const refused = await act(made, 'release', { lines: [{ line, quantity }] })
    expect(faultOf(refused).slice(1)).toEqual([code, pointer])
    await act(made, 'release')
  })
})

test('a list goes by channel, item and state, page by page, the newest first', async () => {
  const sku = next()
  const made = []
  for (const reference of ['a', 'b', 'c']) {
    made.push(await reserve([[sku, '1']], { channel: 'listed', reference }))
  }
  await act(made[1]!, 'release')
  type Page = { items: ReservationAnswer[]; nextCursor?: string }
  const list = async (query: string) =>
    (await house.send('GET', `${PATH}?channel=listed&${query}`)).body as unknown as Page
  const references = ({ items }: Page) => items.map(({ reference }) => reference)
  expect(references(await list(`sku=${sku}`))).toEqual(['c', 'b', 'a'])
  expect(references(await list('state=open'))).toEqual(['c', 'a'])
  expect(references(await list('state=ended'))).toEqual(['b'])
  expect(references(await list('sku=nothing'))).toEqual([])
  const first = await list('limit=2')
  expect(references(await list(`limit=2&cursor=${first.nextCursor!}`))).toEqual(['a'])
})

describe('refused by its field is', () => {
  test.each([
    [{ company: 'NOPE' }, [['41001', '1']], 'inventory.company_unknown', '/company'],
    [{ location: 'nope' }, [['41001', '1']], 'inventory.location_unknown', '/location'],
    [{ locationGroup: 'nope' }, [['41001', '1']], 'inventory.location_group_unknown', '/locationGroup'],
    [
      { location: 'DC1', locationGroup: 'x' },
      [['41001', '1']],
      'inventory.places_contradict',
      '/locationGroup',
    ],
    [{ expiresAt: inMinutes(5) }, [['41001', '1']], 'inventory.firm_does_not_expire', '/expiresAt'],
    [
      { kind: 'soft', expiresAt: inMinutes(-1) },
      [['41001', '1']],
      'inventory.expiry_not_ahead',
      '/expiresAt',
    ],
    [
      { kind: 'soft', expiresAt: inMinutes(9_999) },
      [['41001', '1']],
      'inventory.expiry_too_far',
      '/expiresAt',
    ],
    [
      {},
      [
        ['41001', '1'],
        ['nope', '1'],
      ],
      'items.unknown',
      '/lines/1/sku',
    ],
    [{}, [['41001', '1', 'KGM']], 'items.unit_unknown', '/lines/0/unit'],
    [{}, [['41001', '-1']], 'items.quantity_not_positive', '/lines/0/quantity'],
    [{}, [['41001', '1.5']], 'items.quantity_not_whole', '/lines/0/quantity'],
    [{}, [['41001', '1.00001']], 'quantity.malformed', '/lines/0/quantity'],
  ] as [object, Line[], string, string][])('%j with %j: %s', async (more, lines, code, pointer) => {
    expect(faultOf(await reserve(lines, more))).toEqual([422, code, pointer])
  })

  test('a line number that stands twice', async () => {
    const { lines, ...body } = bodyOf([[SKUS.at(-1)!, '1']])
    const twice = await house.send('POST', PATH, { body: { ...body, lines: [...lines, ...lines] } })
    expect(faultOf(twice)).toEqual([422, 'inventory.line_repeated', '/lines/1/line'])
  })
})

test('nobody sees or touches what another has reserved, and who may only read changes nothing', async () => {
  const made = await reserve([[next(), '2']])
  const own = await reserve([[SKUS.at(-2)!, '1']], {}, { headers: partner })
  expect(own.status).toBe(201)
  expect((await read(own, partner)).status).toBe(200)
  expect(codeOf(await read(made, partner))).toEqual([404, 'inventory.reservation_unknown'])
  expect(codeOf(await act(made, 'release', {}, { headers: partner }))).toEqual([
    404,
    'inventory.reservation_unknown',
  ])
  const { body } = await house.send('GET', PATH, { headers: partner })
  expect((body['items'] as ReservationAnswer[]).map(({ id }) => id)).toEqual([own.body.id])
  expect((await read(made, stranger)).status).toBe(200)
  expect((await act(made, 'release', {}, { headers: stranger })).status).toBe(403)
  for (const id of ['O-1', 'R-1', 'x']) {
    expect(codeOf(await house.send('GET', `${PATH}/${id}`))).toEqual([404, 'inventory.reservation_unknown'])
  }
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
