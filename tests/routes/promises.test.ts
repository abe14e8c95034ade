/** What can be promised to each channel, why, and what is kept back; the same figures by which stock is granted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const ATP = '/process/available-to-promise/v1'
const ALLOCATIONS = '/process/inventory/v1/allocations'
const SKUS = Array.from({ length: 14 }, (_, at) => String(44_001 + at))
const SEEDED = '44100'

let house: Wholesaler
let stranger: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, stock: { DC1: 100, DC2: 10 } })),
      { number: SEEDED, stock: { DC1: 440 }, onHold: { DC1: 60 } },
    ],
    [{ number: '500001' }],
  )
  stranger = bearer(await house.key({ client: 'auditor', scopes: ['process.orders:read'] }))
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!

type Answered = Reply & { readonly body: AvailabilityAnswer }
const ask = async (items: readonly object[], more: object = {}) =>
  (await house.send('POST', `${ATP}/availability:query`, {
    body: { company: 'NWF', maxAgeMs: 0, ...more, items },
  })) as Answered

/** What each channel can be promised at DC1, where nothing else is asked about. */
async function promised(sku: string, ...channels: readonly string[]) {
  const answers = await Promise.all(channels.map((channel) => ask([{ sku }], { channel, location: 'DC1' })))
  return answers.map(({ body }) => Number(body.items[0]!.available))
}

const reserve = (sku: string, quantity: number, channel: string, more: object = {}) =>
  house.send('POST', `${ATP}/reservations`, {
    body: {
      company: 'NWF',
      channel,
      reference: 'test',
      kind: 'firm',
      location: 'DC1',
      lines: [{ line: '1', sku, quantity: String(quantity), unit: 'EA' }],
      ...more,
    },
  })

type Allocation = { name: string; kind: string; channels: string[]; quantity: string }
const allocation = (kind: string, quantity: number, ...channels: string[]): Allocation => ({
  name: channels[0] ?? kind,
  kind,
  channels,
  quantity: String(quantity),
})
const keep = (sku: string, ...allocations: readonly object[]) =>
  house.send('POST', `${ALLOCATIONS}:set`, {
    body: { company: 'NWF', reason: 'test', places: [{ sku, location: 'DC1', allocations }] },
  })
const takenOf = async (sku: string) => {
  const { body } = await house.send('GET', `${ALLOCATIONS}?company=NWF&sku=${sku}`)
  return (body['items'] as { name: string; taken: string }[]).map(({ name, taken }) => [name, taken])
}
const faultOf = ({ status, body }: Reply) => [
  status,
  body.code,
  (body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer,
]

test('of 500 on hand, 320 reserved for wholesale and 60 on quality hold, every channel can sell exactly 120', async () => {
  expect((await reserve(SEEDED, 320, 'wholesale', { class: 'wholesale' })).status).toBe(201)
  for (const channel of ['portal', 'shop', 'edi', 'wholesale']) {
    const { body } = await ask([{ sku: SEEDED, quantity: '120' }], {
      channel,
      location: 'DC1',
      explain: true,
    })
    expect(body.items[0]).toMatchObject({ available: '120', asked: { canBePromised: true } })
    expect(body.items[0]!.places[0]!.explain).toMatchObject({
      onHand: '500',
      onHold: '60',
      reservedFirm: '320',
      reservedByOrders: '0',
      steps: [
        { what: 'on hand', change: '500', leaves: '500' },
        { what: 'on hold, in quarantine, damaged or blocked', change: '-60', leaves: '440' },
        { what: 'reserved firmly by channels', change: '-320', leaves: '120' },
      ],
    })
    const more = await reserve(SEEDED, 121, channel)
    expect(faultOf(more)).toEqual([409, 'inventory.not_available', '/lines/0/quantity'])
  }
  const grants = await Promise.all(
    ['portal', 'shop', 'edi', 'pos'].map((channel) => reserve(SEEDED, 40, channel)),
  )
  expect(grants.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 201, 409])
  const order = await house.order({ lines: [[SEEDED, 1]] })
  expect(order.body).toMatchObject({ outcome: 'backordered' })
})

describe('what is kept back', () => {
  test('as safety stock is promised to nobody', async () => {
    const sku = next()
    expect((await keep(sku, allocation('safety', 30))).status).toBe(200)
    expect(await promised(sku, 'shop', 'api')).toEqual([70, 70])
    expect((await reserve(sku, 71, 'shop')).status).toBe(409)
    expect((await reserve(sku, 70, 'shop')).status).toBe(201)
    expect(await promised(sku, 'shop')).toEqual([0])
  })

  test('for one channel at least is there for it when the others have taken all they can', async () => {
    const sku = next()
    await keep(sku, allocation('minimum', 40, 'shop'))
    expect(await promised(sku, 'shop', 'portal')).toEqual([100, 60])
    expect((await reserve(sku, 61, 'portal')).status).toBe(409)
    expect((await reserve(sku, 60, 'portal')).status).toBe(201)
    expect(await promised(sku, 'shop', 'portal')).toEqual([40, 0])
    expect((await reserve(sku, 40, 'shop')).status).toBe(201)
    expect(await takenOf(sku)).toEqual([['shop', '40']])
  })

  test('behind a wall is all that its channel gets', async () => {
    const sku = next()
    await keep(sku, allocation('wall', 25, 'shop'))
    expect(await promised(sku, 'shop', 'portal')).toEqual([25, 75])
    expect((await reserve(sku, 26, 'shop')).status).toBe(409)
    const { body } = await ask([{ sku }], { channel: 'shop', location: 'DC1', explain: true })
    expect(body.items[0]!.places[0]!.explain!.steps.at(-1)).toEqual({
      what: 'beyond the wall of the channel',
      change: '-75',
      leaves: '25',
    })
  })

  test('in a pool is shared by its channels', async () => {
    const sku = next()
    await keep(sku, allocation('pool', 50, 'shop', 'pos'))
    await reserve(sku, 50, 'portal')
    expect(await promised(sku, 'shop', 'pos', 'portal')).toEqual([50, 50, 0])
    expect((await reserve(sku, 30, 'shop')).status).toBe(201)
    expect(await promised(sku, 'shop', 'pos', 'portal')).toEqual([20, 20, 0])
  })

  test('within a pool is for some of its channels first, who share what is left of it with the others', async () => {
    const sku = next()
    const pool = { ...allocation('pool', 60, 'shop', 'pos', 'rep'), name: 'retail' }
    const within = (kind: string, quantity: number, channel: string) => ({
      ...allocation(kind, quantity, channel),
      within: 'retail',
    })
    await keep(sku, within('minimum', 20, 'shop'), within('wall', 10, 'rep'), pool)
    await reserve(sku, 35, 'portal')
    expect(await promised(sku, 'shop', 'pos', 'rep', 'portal')).toEqual([55, 35, 10, 5])
    const { id } = (await reserve(sku, 30, 'shop')).body
    expect(await takenOf(sku)).toEqual([
      ['rep', '0'],
      ['retail', '30'],
      ['shop', '20'],
    ])
    expect(await promised(sku, 'shop', 'pos', 'rep', 'portal')).toEqual([25, 25, 10, 5])
    const release = (quantity: number) =>
      house.send('POST', `${ATP}/reservations/${id}:release`, {
        body: { lines: [{ line: '1', quantity: String(quantity) }] },
      })
    await release(5)
    expect(await promised(sku, 'shop', 'pos', 'rep', 'portal')).toEqual([30, 25, 10, 5])
    await release(25)
    expect(await takenOf(sku)).toEqual([
      ['rep', '0'],
      ['retail', '0'],
      ['shop', '0'],
    ])
    const { body } = await ask([{ sku }], { channel: 'rep', location: 'DC1', explain: true })
    expect(body.items[0]!.places[0]!.explain!.steps.at(-1)).toMatchObject({
      what: 'beyond the wall of the channel',
      leaves: '10',
    })
  })

  test('returns to its channel when what was granted of it is given back', async () => {
    const sku = next()
    await keep(sku, allocation('minimum', 40, 'shop'))
    const { id } = (await reserve(sku, 50, 'shop')).body
    expect(await takenOf(sku)).toEqual([['shop', '40']])
    const act = (verb: string, body: object) =>
      house.send('POST', `${ATP}/reservations/${id}:${verb}`, { body })
    await act('split', { reference: 'other', lines: [{ line: '1', quantity: '15' }] })
    await act('release', { lines: [{ line: '1', quantity: '20' }] })
    expect(await takenOf(sku)).toEqual([['shop', '20']])
    expect(await promised(sku, 'shop', 'portal')).toEqual([70, 50])
  })

  test('is used up by an order of its channel, and kept from an order of another, also from one that waits', async () => {
    const sku = next()
    await keep(sku, allocation('minimum', 100, 'shop'), allocation('safety', 0))
    await house.send('POST', `${ALLOCATIONS}:set`, {
      body: {
        company: 'NWF',
        reason: 'test',
        places: [{ sku, location: 'DC2', allocations: [allocation('safety', 10)] }],
      },
    })
    const other = await house.order({ lines: [[sku, 5]] })
    expect(other.body).toMatchObject({ outcome: 'backordered' })
    expect(await promised(sku, 'shop')).toEqual([100])
    await keep(sku, allocation('minimum', 97, 'shop'))
    await expect.poll(() => house.lines(other), { timeout: 10_000 }).toMatchObject([{ backordered: 2 }])
    await keep(sku, allocation('minimum', 90, 'api'))
    await house.closed(other)
    const own = await house.order({ lines: [[sku, 60]] })
    expect(own.body).toMatchObject({ outcome: 'accepted' })
    expect(await takenOf(sku)).toMatchObject([
      ['api', '62'],
      ['safety', '0'],
    ])
  })

  test('counts from nothing again when it is set anew, and what is given back later is for everybody', async () => {
    const sku = next()
    await keep(sku, allocation('minimum', 40, 'shop'))
    const { id } = (await reserve(sku, 40, 'shop')).body
    await keep(sku, allocation('minimum', 40, 'shop'))
    expect(await takenOf(sku)).toEqual([['shop', '0']])
    await house.send('POST', `${ATP}/reservations/${id}:release`, { body: {} })
    expect(await takenOf(sku)).toEqual([['shop', '0']])
    expect(await promised(sku, 'shop', 'portal')).toEqual([100, 60])
  })

  test('is set once under its key, with its audit row', async () => {
    const sku = next()
    const body = {
      company: 'NWF',
      reason: 'promotion',
      places: [{ sku, location: 'DC1', allocations: [allocation('safety', 3)] }],
    }
    const first = await house.send('POST', `${ALLOCATIONS}:set`, { body, key: 'set-once' })
    const again = await house.send('POST', `${ALLOCATIONS}:set`, { body, key: 'set-once' })
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(
      await house.query(
        `select actor, reason from audit.entry where action = 'inventory.set_allocations' and reason = 'promotion'`,
      ),
    ).toHaveLength(1)
  })

  test.each([
    [
      [allocation('safety', 1, 'shop')],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/channels',
    ],
    [
      [allocation('wall', 1, 'a', 'b')],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/channels',
    ],
    [[allocation('pool', 1)], 'inventory.allocation_contradicts', '/places/0/allocations/0/channels'],
    [
      [allocation('wall', 1, 'a'), allocation('minimum', 1, 'a')],
      'inventory.allocation_contradicts',
      '/places/0/allocations/1/name',
    ],
    [
      [allocation('wall', 1, 'a'), { ...allocation('pool', 1, 'b', 'a'), name: 'p' }],
      'inventory.allocation_contradicts',
      '/places/0/allocations/1/channels',
    ],
    [
      [{ ...allocation('minimum', 1, 'a'), within: 'p' }],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/within',
    ],
    [
      [
        { ...allocation('minimum', 1, 'a'), within: 'p' },
        { ...allocation('pool', 9, 'b', 'c'), name: 'p' },
      ],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/within',
    ],
    [
      [
        { ...allocation('pool', 1, 'a', 'b'), name: 'q', within: 'p' },
        { ...allocation('pool', 1, 'a', 'b'), name: 'p', within: 'q' },
      ],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/within',
    ],
    [
      [
        { ...allocation('pool', 9, 'a', 'b'), name: 'p' },
        { ...allocation('safety', 1), within: 'p' },
      ],
      'inventory.allocation_contradicts',
      '/places/0/allocations/1/within',
    ],
    [
      [
        { ...allocation('pool', 9, 'a', 'b'), name: 'p' },
        { ...allocation('minimum', 10, 'a'), within: 'p' },
      ],
      'inventory.allocation_contradicts',
      '/places/0/allocations/0/quantity',
    ],
    [[allocation('safety', -1)], 'items.quantity_not_positive', '/places/0/allocations/0/quantity'],
    [[allocation('safety', 1.5)], 'items.quantity_not_whole', '/places/0/allocations/0/quantity'],
    [[allocation('safety', 1.00001)], 'quantity.malformed', '/places/0/allocations/0/quantity'],
  ])('that contradicts itself is refused: %j', async (allocations, code, pointer) => {
    expect(faultOf(await keep(SKUS.at(-1)!, ...allocations))).toEqual([422, code, pointer])
  })

  test.each([
    [{ sku: 'nope', location: 'DC1' }, 'inventory.item_unknown', '/places/0/sku'],
    [{ sku: SKUS.at(-1)!, location: 'nope' }, 'inventory.location_unknown', '/places/0/location'],
  ])('at %j is refused', async (place, code, pointer) => {
    const body = { company: 'NWF', reason: 'x', places: [{ ...place, allocations: [] }] }
    expect(faultOf(await house.send('POST', `${ALLOCATIONS}:set`, { body }))).toEqual([422, code, pointer])
  })

  test('twice at one place is refused, and so is who may not set it', async () => {
    const place = { sku: SKUS.at(-1)!, location: 'DC1', allocations: [] }
    const body = { company: 'NWF', reason: 'x', places: [place, place] }
    expect(faultOf(await house.send('POST', `${ALLOCATIONS}:set`, { body }))).toEqual([
      422,
      'inventory.allocation_contradicts',
      '/places/1',
    ])
    expect((await house.send('POST', `${ALLOCATIONS}:set`, { body, headers: stranger })).status).toBe(403)
    expect((await house.send('GET', `${ALLOCATIONS}?company=NWF&sku=x`, { headers: stranger })).status).toBe(
      403,
    )
  })
})

describe('the answer', () => {
  test('sums places, says how old the books and the formula are, and explains only when asked', async () => {
    const sku = next()
    const { status, body } = await ask([{ sku, quantity: '9', unit: 'CA' }])
    expect(status).toBe(200)
    expect(body.formula.version).toBe(4)
    expect(Math.abs(Date.parse(body.asOf) - Date.now())).toBeLessThan(60_000)
    expect(body.items[0]).toMatchObject({ available: '110', unit: 'EA' })
    expect(body.items[0]!.asked).toEqual({ quantity: '9', unit: 'CA', canBePromised: true })
    expect(
      body.items[0]!.places.map(({ location, available, explain }) => [location, available, explain]),
    ).toEqual([
      ['DC1', '100', undefined],
      ['DC2', '10', undefined],
      ['DC3', '0', undefined],
    ])
    for (const { ageSeconds } of body.items[0]!.places) expect(ageSeconds).toBeLessThan(300)
    const tooMuch = await ask([{ sku, quantity: '10', unit: 'CA' }])
    expect(tooMuch.body.items[0]!.asked!.canBePromised).toBe(false)
  })

  test('is for 500 items at once, in the order of the question', async () => {
    const [first, second] = [next(), next()]
    const items = Array.from({ length: 500 }, (_, at) => ({ sku: at % 2 ? first : second }))
    const { body } = await ask(items)
    expect(body.items.map(({ sku }) => sku)).toEqual(items.map(({ sku }) => sku))
  })

  test.each([
    [[{ sku: 'nope' }], {}, 'inventory.item_unknown', '/items/0/sku'],
    [[{ sku: SEEDED, quantity: '1', unit: 'KGM' }], {}, 'items.unit_unknown', '/items/0/unit'],
    [[{ sku: SEEDED, quantity: '-1' }], {}, 'items.quantity_not_positive', '/items/0/quantity'],
    [[{ sku: SEEDED, quantity: '1.5' }], {}, 'items.quantity_not_whole', '/items/0/quantity'],
    [[{ sku: SEEDED, quantity: '1.00001' }], {}, 'quantity.malformed', '/items/0/quantity'],
    [[{ sku: SEEDED }], { company: 'NOPE' }, 'inventory.company_unknown', '/company'],
    [[{ sku: SEEDED }], { location: 'NOPE' }, 'inventory.location_unknown', '/location'],
    [[{ sku: SEEDED }], { locationGroup: 'NOPE' }, 'inventory.location_group_unknown', '/locationGroup'],
    [Array.from({ length: 501 }, () => ({ sku: SEEDED })), {}, 'inventory.too_many_items', '/items'],
  ])('to a wrong question is a refusal of its field', async (items, more, code, pointer) => {
    expect(faultOf(await ask(items, more))).toEqual([422, code, pointer])
  })
})
