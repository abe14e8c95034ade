/** Orders are served as their company's profile says, with a record of what was decided, also after a short pick. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bearer, O2C, type Reply } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const PROFILES = '/process/inventory/v1/sourcing-profiles'
const PREVIEW = '/process/available-to-promise/v1/sourcing:preview'
const SKUS = Array.from({ length: 16 }, (_, at) => String(45_001 + at))
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 17, DC2: 20 } })),
    [{ number: '500001' }],
  )
}, 60_000)
beforeEach(() => house.landscape.wms.faults.clear())
afterAll(() => house.end())

const next = () => SKUS.shift()!

const RULES = { network: ['DC1', 'DC2'], strategies: ['single-location'], maxSplits: 5 }
const profile = (rules: object, more: object = {}) =>
  house.send('POST', PROFILES, {
    body: { company: 'NWF', name: 'all', rules: { ...RULES, ...rules }, reason: 'test', ...more },
  })
const noProfile = () => profile({}, { inUse: false })

const preview = (sku: string, quantity: number, more: object = {}) =>
  house.send('POST', PREVIEW, {
    body: { company: 'NWF', lines: [{ line: '1', sku, quantity: String(quantity) }], ...more },
  })

type Decision = {
  cause: string
  profile?: { name: string; version: number }
  lines: { line: string; wanted: string; given: { location: string; quantity: string }[] }[]
  candidates: { locations: string[]; verdict: string; why: string }[]
}
const COMPARE = '/process/available-to-promise/v1/sourcing:compare'
const EVER = { from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' }
const compare = (body: object, options: object = {}) =>
  house.send('POST', COMPARE, { body: { company: 'NWF', ...EVER, ...body }, ...options })

const givenIn = ({ lines }: Decision) =>
  lines.flatMap(({ given }) => given.map(({ location, quantity }) => [location, quantity]))
const decisionsOf = async ({ body }: Placed) => {
  const path = `/process/inventory/v1/sourcing-decisions?order=${body.id}`
  return (await house.send('GET', path)).body['decisions'] as Decision[]
}
async function requestsOf(order: Placed) {
  await house.closed(order)
  return house.query<{ location: string }>(
    'select location from shipments.fulfillment where order_id = $1 order by id',
    [order.doc],
  )
}
const faultOf = ({ status, body }: Reply) => [
  status,
  body.code,
  (body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer,
]

test('without a profile a line is split between places at whole ordered units alone, and nothing is recorded', async () => {
  const sku = next()
  const order = await house.order({ lines: [[sku, 2, 'CA']] })
  await house.closed(order)
  expect(
    await house.query(
      `select f.location, l.quantity from shipments.fulfillment f join shipments.fulfillment_line l on l.fulfillment_id = f.id
       where f.order_id = $1 order by f.location`,
      [order.doc],
    ),
  ).toEqual([
    { location: 'DC1', quantity: 12 },
    { location: 'DC2', quantity: 12 },
  ])
  expect(await decisionsOf(order)).toEqual([])
  const rest = await house.order({ lines: [[sku, 1, 'CA']] })
  expect(rest.body).toMatchObject({ outcome: 'backordered' })
})

test('with a profile its network and strategies decide, and the order says by which version and why', async () => {
  const sku = next()
  const made = await profile({ network: ['DC2', 'DC1'] })
  expect(made.status).toBe(201)
  const order = await house.order({ lines: [[sku, 5]] })
  expect(await requestsOf(order)).toEqual([{ location: 'DC2' }])
  const [decision] = await decisionsOf(order)
  expect(decision).toMatchObject({
    cause: 'accepted',
    profile: { name: 'all', version: made.body['version'] },
    candidates: [
      { locations: ['DC2'], verdict: 'chosen' },
      { locations: ['DC1'], verdict: 'beaten', why: 'the order of the network' },
      { locations: ['DC3'], verdict: 'refused', why: 'is not in the network of the profile' },
    ],
  })
  const story = await house.send('GET', `${O2C}/orders/${order.body.id}/story`)
  expect(story.body['sourcing']).toEqual([decision])
  await noProfile()
  const after = await house.order({ lines: [[sku, 5]] })
  expect(await requestsOf(after)).toEqual([{ location: 'DC1' }])
  expect(await decisionsOf(after)).toEqual([])
})

test('an order that may not be split waits for what one place lacks, and is filled from elsewhere once that has shipped', async () => {
  const sku = next()
  await profile({ maxSplits: 0 })
  const order = await house.order({ lines: [[sku, 30]] })
  await noProfile()
  expect(order.body['lines']).toMatchObject([{ reserved: '20', backordered: '10' }])
  await house.closed(order)
  const decisions = await decisionsOf(order)
  expect(decisions.map(({ cause }) => cause)).toEqual(['accepted', 'waited'])
  expect(decisions.map(givenIn)).toEqual([[['DC2', '20']], [['DC1', '10']]])
  expect(decisions[0]!.candidates.at(-2)).toMatchObject({ verdict: 'refused', why: 'more than 0 splits' })
})

test('what a pick was short of comes from elsewhere, never from the place that just had none', async () => {
  const sku = next()
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1, adjust: false })
  const order = await house.order({ lines: [[sku, 5]] })
  expect((await requestsOf(order)).map(({ location }) => location)).toEqual(['DC1', 'DC2'])
  const [decision] = await decisionsOf(order)
  expect(decision).toMatchObject({ cause: 'short' })
  expect(decision!.profile).toBeUndefined()
  expect(givenIn(decision!).map(([location]) => location)).toEqual(['DC2'])
  expect(decision!.candidates.find(({ locations }) => locations.join() === 'DC1')).toMatchObject({
    verdict: 'refused',
    why: 'a pick found too little there, and nobody has counted since',
  })
})

test('where nobody else has it, the line waits until the place is counted', async () => {
  const sku = next()
  house.count('DC2', sku, -20)
  await expect.poll(async () => (await preview(sku, 17)).body['looked']).toBe(3)
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1, adjust: false })
  const order = await house.order({ lines: [[sku, 5]] })
  await expect.poll(() => house.lines(order), { timeout: 10_000 }).not.toMatchObject([{ released: 5 }])
  await expect
    .poll(async () => (await house.lines(order))[0]!.backordered, { timeout: 10_000 })
    .toBeGreaterThan(0)
  expect(await decisionsOf(order)).toEqual([])
  house.count('DC1', sku, 1)
  expect(await requestsOf(order)).toEqual([{ location: 'DC1' }, { location: 'DC1' }])
})

test('a preview reserves nothing, and tries rules that nobody has made yet', async () => {
  const sku = next()
  const plain = await preview(sku, 25)
  expect(plain.status).toBe(200)
  expect(givenIn(plain.body as unknown as Decision)).toEqual([
    ['DC1', '17'],
    ['DC2', '8'],
  ])
  const tried = await preview(sku, 25, { rules: { ...RULES, maxSplits: 0 } })
  expect(givenIn(tried.body as unknown as Decision)).toEqual([['DC2', '20']])
  const near = { nearest: [{ shipTo: 'DE', locations: ['DC2'] }], strategies: ['nearest'] }
  const nearest = await preview(sku, 5, { shipTo: 'DE', rules: { ...RULES, ...near } })
  expect(givenIn(nearest.body as unknown as Decision)).toEqual([['DC2', '5']])
  const order = await house.order({ lines: [[sku, 37]] })
  expect(order.body).toMatchObject({ outcome: 'accepted' })
})

describe('rules that are tried against past orders', () => {
  const costs = [
    { location: 'DC1', perShipment: '7', perLine: '0' },
    { location: 'DC2', perShipment: '4', perLine: '0.5' },
  ]
  const draft = { ...RULES, network: ['DC2', 'DC1'], costs, strategies: ['lowest-cost'] }

  test('tell what they would have decided on what was free then, with both sides and why, and change nothing', async () => {
    const [split, sku] = [next(), next()]
    const { id } = (await profile({}, { name: 'past' })).body as unknown as { id: number }
    const [both, one] = [
      await house.order({ lines: [[split, 25]] }),
      await house.order({ lines: [[sku, 5]] }),
    ]
    await profile({}, { name: 'past', inUse: false })
    for (const order of [both, one]) await house.closed(order)
    const asked = { decidedBy: 'past', rules: { ...draft, maxSplits: 0 } }
    const books = () =>
      house.query('select count(*)::int, sum(xmin::text::bigint) as touched from inventory.position')
    const before = await books()
    const { status, body } = await compare(asked)
    expect([status, body]).toMatchObject([
      200,
      {
        decisions: { compared: 2, same: 0, changed: 2, notComparable: 0 },
        before: { splits: 1, cost: '18.50' },
        after: { splits: 0, cost: '9.00' },
        costed: 2,
        sample: [
          {
            order: both.body.id,
            before: {
              given: [
                { location: 'DC1', quantity: '17' },
                { location: 'DC2', quantity: '8' },
              ],
              splits: 1,
              cost: '11.50',
            },
            after: { given: [{ location: 'DC2', quantity: '20' }], splits: 0, cost: '4.50' },
            whyNotBefore: 'more than 0 splits',
          },
          {
            order: one.body.id,
            before: { given: [{ location: 'DC1', quantity: '5' }], cost: '7.00' },
            after: { given: [{ location: 'DC2', quantity: '5' }], cost: '4.50' },
            why: 'before the next by lowest-cost: 450 against 700',
            whyNotBefore: 'lowest-cost: 450 against 700',
          },
        ],
      },
    ])
    expect((await compare(asked)).body).toEqual(body)
    expect(await books()).toEqual(before)
    expect((await compare({ decidedBy: 'past', profile: id })).body).toMatchObject({
      decisions: { compared: 2, same: 2, changed: 0 },
      sample: [],
    })
    const lots = { ...draft, strategies: ['oldest-lot'] }
    expect((await compare({ ...asked, rules: lots })).body).toMatchObject({
      decisions: { compared: 0, notComparable: 2 },
      sample: [],
    })
  })

  test('are tried against so many orders, and then behind these', async () => {
    const all = (await compare({ rules: draft, orders: 2_000 })).body as unknown as {
      orders: number
      next?: string
    }
    expect(all.next).toBeUndefined()
    let [orders, compared] = [0, 0]
    for (let after: string | undefined; ;) {
      const { body } = await compare({ rules: draft, orders: 3, sample: 0, ...(after && { after }) })
      const part = body as unknown as { orders: number; decisions: { compared: number }; next?: string }
      expect(part.orders).toBeLessThanOrEqual(3)
      orders += part.orders
      compared += part.decisions.compared
      after = part.next
      if (after === undefined) break
    }
    const whole = all as unknown as { decisions: { compared: number } }
    expect([orders, compared]).toEqual([all.orders, whole.decisions.compared])
  })

  test.each([
    [{}, 422, 'inventory.comparison_unclear', '/rules'],
    [{ rules: RULES, profile: 1 }, 422, 'inventory.comparison_unclear', '/rules'],
    [{ rules: RULES, until: EVER.from }, 422, 'inventory.period_empty', '/until'],
    [{ rules: RULES, after: 'O-1' }, 404, 'inventory.order_unknown', '/after'],
    [{ rules: RULES, orders: 2_001 }, 422, 'http.invalid', '/orders'],
    [{ rules: RULES, company: 'NOPE' }, 422, 'inventory.company_unknown', '/company'],
    [{ profile: 999_999 }, 404, 'inventory.sourcing_profile_unknown', '/profile'],
    [{ rules: { ...RULES, network: ['DC9'] } }, 422, 'inventory.location_unknown', '/rules/network/0'],
    [
      { rules: { ...RULES, network: ['DC1', 'DC1'] } },
      422,
      'inventory.sourcing_contradicts',
      '/rules/network',
    ],
    [{ rules: { ...RULES, minSplitLine: '1.005' } }, 422, 'money.malformed', '/rules/minSplitLine'],
  ])('are refused with %j', async (body, status, code, pointer) => {
    expect(faultOf(await compare(body))).toEqual([status, code, pointer])
  })
})

test('the most exact profile that has begun decides', async () => {
  const sku = next()
  await profile({ network: ['DC2'] }, { name: 'wide' })
  await profile({ network: ['DC1'] }, { name: 'of-api', channel: 'api' })
  await profile({ network: ['DC2'] }, { name: 'of-shop', channel: 'shop' })
  const later = await profile(
    { network: ['DC2'] },
    { name: 'of-api', channel: 'api', effectiveFrom: '2099-01-01T00:00:00Z' },
  )
  expect(later.status).toBe(201)
  expect((await preview(sku, 1)).body['profile']).toMatchObject({ name: 'of-api', version: 1 })
  expect((await preview(sku, 1, { channel: 'edi' })).body['profile']).toMatchObject({ name: 'wide' })
  for (const name of ['wide', 'of-api', 'of-shop']) await profile({}, { name, inUse: false })
  expect((await preview(sku, 1)).body['profile']).toBeUndefined()
})

test('versions are listed and read, made once under their key, and never change', async () => {
  const body = { company: 'NWF', name: 'kept', rules: RULES, reason: 'kept as it is', inUse: false }
  const first = await house.send('POST', PROFILES, { body, key: 'kept-1' })
  const again = await house.send('POST', PROFILES, { body, key: 'kept-1' })
  expect(again.body).toEqual(first.body)
  await house.send('POST', PROFILES, { body })
  const pageOf = async (query: string) =>
    (await house.send('GET', `${PROFILES}?company=NWF&name=kept${query}`)).body
  const page = await pageOf('&limit=1')
  expect(page['items']).toEqual([first.body])
  const rest = await pageOf(`&limit=1&cursor=${String(page['nextCursor'])}`)
  expect(rest['items']).toMatchObject([{ version: 2 }])
  expect((await house.send('GET', `${PROFILES}/${first.body.id}`)).body).toEqual(first.body)
  await expect(
    house.query(`update inventory.sourcing_profile set rules = '{}' where name = 'kept'`),
  ).rejects.toThrow(/immutable/)
  expect(
    await house.query(
      `select actor from audit.entry where action = 'inventory.add_sourcing_version' and reason = $1`,
      [body.reason],
    ),
  ).toHaveLength(2)
})

test.each([
  [{ network: ['DC9'] }, {}, 'inventory.location_unknown', '/rules/network/0'],
  [{ network: ['DC1', 'DC1'] }, {}, 'inventory.sourcing_contradicts', '/rules/network'],
  [{ strategies: ['nearest', 'nearest'] }, {}, 'inventory.sourcing_contradicts', '/rules/strategies'],
  [
    { nearest: [{ shipTo: 'US', locations: ['DC3'] }] },
    {},
    'inventory.sourcing_contradicts',
    '/rules/nearest/0',
  ],
  [
    { costs: [{ location: 'DC1', perShipment: '1.005' }] },
    {},
    'money.malformed',
    '/rules/costs/0/perShipment',
  ],
  [{}, { effectiveFrom: '2020-01-01T00:00:00Z' }, 'inventory.effective_in_past', '/effectiveFrom'],
  [{}, { company: 'NOPE' }, 'inventory.company_unknown', '/company'],
])('a version with %j %j is refused', async (rules, more, code, pointer) => {
  expect(faultOf(await profile(rules, more))).toEqual([422, code, pointer])
})

test.each([
  [{ company: 'NOPE' }, 'inventory.company_unknown', '/company'],
  [{ customer: 'nobody' }, 'orders.customer_unknown', '/customer'],
  [{ rules: { ...RULES, network: ['DC9'] } }, 'inventory.location_unknown', '/rules/network/0'],
  [{ lines: [{ line: '1', sku: 'nope', quantity: '1' }] }, 'inventory.item_unknown', '/lines/0/sku'],
  [{ lines: [{ line: '1', sku: '45001', quantity: '1.00001' }] }, 'quantity.malformed', '/lines/0/quantity'],
  [
    { lines: [{ line: '1', sku: '45001', quantity: '-1' }] },
    'items.quantity_not_positive',
    '/lines/0/quantity',
  ],
  [
    { lines: [{ line: '1', sku: '45001', quantity: '1', value: '1.005' }] },
    'money.malformed',
    '/lines/0/value',
  ],
  [
    {
      lines: [
        { line: '1', sku: '45001', quantity: '1' },
        { line: '1', sku: '45001', quantity: '1' },
      ],
    },
    'orders.line_repeated',
    '/lines/1/line',
  ],
])('a preview of %j is refused', async (more, code, pointer) => {
  expect(faultOf(await preview('45001', 1, more))).toEqual([422, code, pointer])
})

test('what there is not is not found, and who may not is turned away', async () => {
  expect(faultOf(await house.send('GET', `${PROFILES}/999999`))[1]).toBe('inventory.sourcing_profile_unknown')
  expect(faultOf(await house.send('GET', `${PROFILES}?company=NOPE`))[1]).toBe('inventory.company_unknown')
  const decisions = '/process/inventory/v1/sourcing-decisions?order=O-1'
  expect(faultOf(await house.send('GET', decisions))).toEqual([
    404,
    'inventory.order_unknown',
    '/query/order',
  ])
  const headers = bearer(await house.key({ client: 'auditor', scopes: ['process.orders:read'] }))
  const asked = [
    house.send('GET', `${PROFILES}?company=NWF`, { headers }),
    house.send('GET', decisions, { headers }),
    house.send('POST', PROFILES, {
      headers,
      body: { company: 'NWF', name: 'x', rules: RULES, reason: 'test' },
    }),
    house.send('POST', PREVIEW, {
      headers,
      body: { company: 'NWF', lines: [{ line: '1', sku: '45001', quantity: '1' }] },
    }),
  ]
  for (const { status } of await Promise.all(asked)) expect(status).toBe(403)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
