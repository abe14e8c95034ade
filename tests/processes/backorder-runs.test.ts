/** Backorder runs: shown first, then done exactly so; what was released is never touched, and each move says why. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { BackorderRules } from '#domains/inventory/contract/backorder-runs.ts'
import { units } from '#platform/quantity.ts'
import { planned as planOf, workOnRuns } from '#processes/backorder-runs.ts'
import { Care } from '#processes/care.ts'
import { bearer, O2C, type Reply } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const RUNS = '/process/inventory/v1/backorder-runs'
const SKUS = Array.from({ length: 8 }, (_, at) => String(47_001 + at))
const [CAPPED, BLIND, SHARED, ASKED] = ['47101', '47102', '47103', '47106']
const LOTTED = ['47104', '47105']
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, stock: { DC1: 10 } })),
      ...[CAPPED, BLIND, ASKED].map((number) => ({ number, stock: { DC2: 10 } })),
      { number: SHARED, stock: { DC1: 10 } },
      ...LOTTED.map((number) => ({ number, item: { lotControlled: true } })),
    ],
    [
      { number: '500001' },
      { number: '500002', creditBlocked: true },
      { number: '500003' },
      { number: '500004', shelfLifeDays: 60 },
    ],
    { config: { freshness: [{ source: 'wms', minutes: 30, locations: ['DC2'], rule: 'cap', most: 4 }] } },
  )
}, 60_000)
afterAll(() => house.end())

const CAP = {
  ...({ source: 'wms', flow: 'messages', budgetMs: 1_800_000, locations: ['DC2'] } as const),
  rule: { kind: 'cap', quantity: units(4) },
} as const
const SELLING = { locations: ['DC1', 'DC2', 'DC3'], timeZone: 'America/New_York' }
const next = () => SKUS.shift()!
/** Held on credit, so that what it keeps is not released. */
const held = (sku: string, quantity: number) => house.order({ customer: '500002', lines: [[sku, quantity]] })
const wants = (sku: string, quantity: number, more: object = {}) =>
  house.order({ customer: '500003', lines: [[sku, quantity]], ...more })

const RULES = {
  segments: [
    { class: 'win', when: { customers: ['500003'] } },
    { class: 'lose', when: { customers: ['500002'] } },
  ],
}
const plan = (sku: string, more: object = {}) =>
  house.send('POST', RUNS, { body: { dryRun: true, company: 'NWF', items: [sku], rules: RULES, ...more } })
type Run = { readonly body: { readonly id?: unknown } }
const start = ({ body: { id } }: Run, key?: string) =>
  house.send('POST', RUNS, {
    body: { dryRun: false, run: id, reason: 'the big one' },
    ...(key ? { key } : {}),
  })
const read = async ({ body: { id } }: Run, query = '') =>
  (await house.send('GET', `${RUNS}/${id}${query}`)).body
async function done(planned: Run) {
  const started = await start(planned)
  expect(started.status).toBe(202)
  const { worker } = house.app
  while (
    await workOnRuns({
      runner: worker.runner(),
      ports: { clock: systemClock, company: () => SELLING, care: new Care([CAP], systemClock) },
    })
  );
  await expect.poll(async () => ((await read(planned))['run'] as { state: string }).state).toBe('ended')
  return read(planned)
}
const faultOf = ({ status, body }: Reply) => [
  status,
  body.code,
  (body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer,
]
const eventsOf = ({ doc }: Placed, type: string) =>
  house.query<{ data: object }>('select data from log.event where key = $1 and type = $2', [doc, type])

test('a dry run shows who gains, who loses, how much and until when, and changes nothing', async () => {
  const sku = next()
  const loser = await held(sku, 10)
  const winner = await wants(sku, 6)
  const planned = await plan(sku)
  expect(planned.status).toBe(201)
  const { run, items } = await read(planned)
  expect(run).toMatchObject({ state: 'planned', changes: { planned: 2, applied: 0, changed: 0 } })
  expect(items).toMatchObject([
    {
      order: loser.body.id,
      class: 'lose',
      location: 'DC1',
      quantity: '-6',
      reserved: '10',
      backordered: '0',
    },
    { order: winner.body.id, class: 'win', location: 'DC1', quantity: '6', reserved: '0', backordered: '6' },
  ])
  const [lost, won] = items as { expectedBefore?: string; expectedAfter?: string }[]
  expect([lost!.expectedAfter, won!.expectedBefore]).toEqual([undefined, undefined])
  expect(lost!.expectedBefore).toBe(won!.expectedAfter)
  expect(await house.lines(loser)).toMatchObject([{ reserved: 10, backordered: 0 }])
  expect(await house.lines(winner)).toMatchObject([{ reserved: 0, backordered: 6 }])
})

test('a run does what was shown, tells each order why, and is done once', async () => {
  const sku = next()
  const loser = await held(sku, 10)
  const winner = await wants(sku, 6)
  const planned = await plan(sku)
  const { run, items } = await done(planned)
  expect(run).toMatchObject({ reason: 'the big one', changes: { planned: 0, applied: 2, changed: 0 } })
  expect(items).toMatchObject([{ state: 'applied' }, { state: 'applied' }])
  await house.closed(winner)
  expect(await house.lines(loser)).toMatchObject([{ reserved: 4, backordered: 6 }])
  const data = { run: planned.body.id, reason: 'the big one', lines: [1] }
  expect(await eventsOf(loser, 'order.allocation_lost')).toEqual([{ data }])
  expect(await eventsOf(winner, 'order.allocated')).toEqual([{ data }])
  expect(faultOf(await start(planned))).toEqual([409, 'inventory.backorder_run_started', '/run'])
  const story = await house.send('GET', `${O2C}/orders/${loser.body.id}/story`)
  const titles = (story.body['entries'] as { title: string }[]).map(({ title }) => title)
  expect(titles).toContain(`Backorder run ${planned.body.id} took stock from 1 line: the big one`)
  const turn = await house.query('select turn from orders.sales_order where id = $1', [loser.doc])
  expect(turn).toEqual([{ turn: 2 }])
})

test('where something changed since it was shown nothing of the item is moved, and what changed is said', async () => {
  const sku = next()
  const loser = await held(sku, 10)
  const winner = await wants(sku, 6)
  const planned = await plan(sku)
  await house.send('POST', `${O2C}/orders/${loser.body.id}:cancel`, { body: { reason: 'changed plans' } })
  await house.closed(winner)
  const { run, items } = await done(planned)
  expect(run).toMatchObject({ changes: { planned: 0, applied: 0, changed: 2 } })
  expect(items).toMatchObject([
    { state: 'changed', changed: `line 1 of ${loser.body.id} is taken back or closed` },
    { state: 'changed' },
  ])
})

test('what a warehouse was asked for is not taken, whoever keeps it', async () => {
  const sku = next()
  const released = await house.order({ customer: '500001', lines: [[sku, 10]] })
  await wants(sku, 6)
  const rules = { segments: RULES.segments.slice(0, 1), otherwise: 'lose' }
  await house.closed(released)
  const { items } = await read(await plan(sku, { rules }))
  expect(items).toEqual([])
})

test('runs are listed, their changes page by page, and started once under their key', async () => {
  const sku = next()
  await held(sku, 10)
  await wants(sku, 6)
  const planned = await plan(sku)
  const first = await read(planned, '?limit=1')
  expect(first['items']).toHaveLength(1)
  const rest = await read(planned, `?limit=1&cursor=${first['nextCursor'] as string}`)
  expect(rest['items']).toMatchObject([{ class: 'win' }])
  expect(rest['nextCursor']).toBeUndefined()
  const listed = (await house.send('GET', `${RUNS}?company=NWF&limit=1`)).body
  expect(listed['items']).toMatchObject([{ id: planned.body.id }])
  expect(listed['nextCursor']).toBeDefined()
  const once = await start(planned, 'start-once')
  expect((await start(planned, 'start-once')).body).toEqual(once.body)
  const audited = await house.query(
    `select actor from audit.entry where action = 'inventory.start_backorder_run' and after = $1`,
    [{ run: planned.body.id }],
  )
  expect(audited).toHaveLength(1)
})

describe('of a customer who wants goods to live long', () => {
  const INVENTORY = '/process/inventory/v1'
  const dated = (sku: string, lot: string, days: number) => {
    const expiresOn = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
    return house.send('POST', `${INVENTORY}/lots:set`, { body: { company: 'NWF', sku, lot, expiresOn } })
  }
  async function found(sku: string, lot: string, days: number, quantity: string) {
    await dated(sku, lot, days)
    const lines = [{ kind: 'found', sku, lot, location: 'DC1', quantity }]
    const body = { company: 'NWF', reason: 'correction', reference: 'note 1', lines }
    expect((await house.send('POST', `${INVENTORY}/adjustments`, { body })).status).toBe(201)
  }
  /** Of 10 pieces 4 live for long; who takes any keeps them all. */
  async function waitsForLife(sku: string) {
    await found(sku, 'OLD', 10, '6')
    await found(sku, 'FRESH', 400, '4')
    const loser = await held(sku, 10)
    const winner = await wants(sku, 6, { customer: '500004' })
    expect(await house.lines(winner)).toMatchObject([{ reserved: 0, backordered: 6 }])
    const rules = { segments: [{ class: 'win', when: { customers: ['500004'] } }], otherwise: 'lose' }
    return { loser, winner, planned: await plan(sku, { rules }) }
  }

  test('a line is ranked like any other, and given what others keep of lots that live long enough', async () => {
    const [sku] = LOTTED as [string]
    const { loser, winner, planned } = await waitsForLife(sku)
    expect((await read(planned))['items']).toMatchObject([
      { order: loser.body.id, quantity: '-4' },
      { order: winner.body.id, quantity: '4' },
    ])
    expect((await done(planned)).run).toMatchObject({ changes: { applied: 2, changed: 0 } })
    const kept = await house.query(
      `select doc, quantity, minimum_shelf_life_days as days from inventory.reservation r
       join items.item i on i.id = r.item_id where i.sku = $1
       union all select b.doc, -b.quantity, b.minimum_shelf_life_days from inventory.backorder b
       join items.item i on i.id = b.item_id where i.sku = $1 order by doc, quantity`,
      [sku],
    )
    expect(kept).toEqual(
      expect.arrayContaining([
        { doc: loser.doc, quantity: 6, days: null },
        { doc: loser.doc, quantity: -4, days: null },
        { doc: winner.doc, quantity: -2, days: 60 },
      ]),
    )
    await expect
      .poll(() =>
        house.query(
          `select lot, quantity from shipments.requested_lot r join shipments.fulfillment f on f.id = r.fulfillment_id
           where f.order_id = $1`,
          [winner.doc],
        ),
      )
      .toEqual([{ lot: 'FRESH', quantity: 4 }])
  })

  test('nothing is moved where lots have become too old since it was shown', async () => {
    const sku = LOTTED[1]!
    const { planned } = await waitsForLife(sku)
    await dated(sku, 'FRESH', 50)
    const { run, items } = await done(planned)
    expect(run).toMatchObject({ changes: { applied: 0, changed: 2 } })
    const why = 'DC1 has less for api that lives for 60 days than was counted on'
    expect(items).toMatchObject([{ changed: why }, { changed: why }])
  })
})

describe('while the source of a place is silent', () => {
  const silence = (since: string) =>
    house.query(
      `insert into inventory.source_state (source, flow, doc, version, heard_at, silent_since)
       values ('wms', 'messages', 1, 1, now(), ${since})
       on conflict (source, flow) do update set silent_since = excluded.silent_since`,
    )
  afterEach(() => silence('null'))

  test('a run gives no more of it than its rule leaves, says so before, and marks what it gives', async () => {
    const loser = await held(CAPPED, 10)
    const winner = await wants(CAPPED, 6)
    await silence('now()')
    const planned = await plan(CAPPED)
    const { run, items } = await read(planned)
    const silent = { source: 'wms', flow: 'messages', rule: 'cap', locations: ['DC2'], items: [CAPPED] }
    expect(run).toMatchObject({ careful: [silent] })
    expect(items).toMatchObject([
      { quantity: '-4' },
      { order: winner.body.id, quantity: '4' },
      { order: winner.body.id, quantity: '2', location: 'DC2', state: 'withheld' },
    ])
    expect((await done(planned)).run).toMatchObject({ changes: { applied: 2, changed: 0, withheld: 1 } })
    expect(await house.lines(loser)).toMatchObject([{ reserved: 6, backordered: 4 }])
    const marked = 'select doc, location, quantity, outcome from inventory.doubt'
    expect(await house.query(marked)).toEqual([
      { doc: winner.doc, location: 'DC2', quantity: 4, outcome: null },
    ])
    await expect.poll(() => house.lines(winner)).toMatchObject([{ released: 4, backordered: 2 }])
    // the cap is for all that is promised until it is heard again, which the watch thinks it was
    await silence('now()')
    const again = await read(await plan(CAPPED))
    expect([again['items'], again['run']]).toMatchObject([
      [{ state: 'withheld', quantity: '2' }],
      { careful: [silent] },
    ])
  })

  test('of a place about which a person is to be asked each line is told what it does not gain, and why', async () => {
    await held(ASKED, 10)
    const winner = await wants(ASKED, 6)
    await silence(`timestamptz '2026-11-02T08:00:00Z'`)
    const asking = { ...CAP, rule: { kind: 'ask' } } as const
    const ports = {
      clock: systemClock,
      care: new Care([asking], systemClock),
      findCompany: () => ({ code: 'NWF', ...SELLING }),
    }
    const request = { dryRun: true, company: 'NWF', items: [ASKED], rules: BackorderRules.parse(RULES) }
    const runner = house.app.worker.runner()
    const id = await runner.transaction({ source: 'test', actor: 'ann' }, async (tx) =>
      (await planOf(tx, ports, { request, actor: 'ann' }))(tx),
    )
    const { run, items } = await read({ body: { id } })
    expect(run).toMatchObject({
      changes: { planned: 0, withheld: 1 },
      careful: [{ rule: 'ask', items: [ASKED] }],
    })
    const withheld =
      'wms has told nothing of stock since 2026-11-02T08:00:00.000Z: a person has to look before anything of DC2 is given (ask)'
    expect(items).toMatchObject([
      { order: winner.body.id, line: 1, location: 'DC2', quantity: '6', state: 'withheld', withheld },
    ])
    expect((await done({ body: { id } })).run).toMatchObject({ changes: { applied: 0, withheld: 1 } })
    expect(await house.lines(winner)).toMatchObject([{ reserved: 0, backordered: 6 }])
  })

  test('a run that was planned before gives nothing of the item, and says for whom', async () => {
    await held(BLIND, 10)
    await wants(BLIND, 6)
    const planned = await plan(BLIND)
    expect((await read(planned))['run']).not.toHaveProperty('careful')
    await silence('now()')
    const { run, items } = await done(planned)
    expect(run).toMatchObject({ changes: { applied: 0, changed: 2 } })
    const why = 'DC2 has less for api than was counted on while wms is silent'
    expect(items).toMatchObject([{ changed: why }, { changed: why }])
  })
})

test('a run gives a channel nothing that is kept for another, and counts what it gives of its own', async () => {
  const keep = { name: 'rep', kind: 'minimum', channels: ['rep'], quantity: '4' }
  const places = [{ sku: SHARED, location: 'DC1', allocations: [keep] }]
  const allocations = '/process/inventory/v1/allocations'
  await house.send('POST', `${allocations}:set`, { body: { company: 'NWF', reason: 'reps', places } })
  const [some, more] = [await held(SHARED, 4), await held(SHARED, 2)]
  const other = await wants(SHARED, 2)
  const own = await wants(SHARED, 8, { channel: 'rep', shippingRule: 'line-complete' })
  const { items } = await done(await plan(SHARED))
  expect(items).toMatchObject([
    { order: more.body.id, quantity: '-2' },
    { order: other.body.id, quantity: '2' },
    { order: some.body.id, quantity: '-4' },
    { order: own.body.id, quantity: '8', state: 'applied' },
  ])
  expect((await house.send('GET', `${allocations}?company=NWF&sku=${SHARED}`)).body).toMatchObject({
    items: [{ taken: '4' }],
  })
})

test.each([
  [{ dryRun: true, rules: RULES }, 422, 'inventory.backorder_run_incomplete', '/company'],
  [{ dryRun: true, company: 'NWF' }, 422, 'inventory.backorder_run_incomplete', '/rules'],
  [{ dryRun: true, company: 'NWF', rules: RULES, run: 1 }, 422, 'inventory.backorder_run_incomplete', '/run'],
  [{ dryRun: true, company: 'NOPE', rules: RULES }, 422, 'inventory.company_unknown', '/company'],
  [
    { dryRun: true, company: 'NWF', rules: RULES, items: ['nope'] },
    422,
    'inventory.item_unknown',
    '/items/0',
  ],
  [
    { dryRun: true, company: 'NWF', rules: RULES, locations: ['DC9'] },
    422,
    'inventory.location_unknown',
    '/locations/0',
  ],
  [{ dryRun: false, reason: 'why not' }, 422, 'inventory.backorder_run_incomplete', '/run'],
  [{ dryRun: false, run: 1 }, 422, 'inventory.backorder_run_incomplete', '/reason'],
  [{ dryRun: false, run: 999_999, reason: 'why not' }, 404, 'inventory.backorder_run_unknown', '/run'],
])('%j is refused', async (body, status, code, pointer) => {
  expect(faultOf(await house.send('POST', RUNS, { body }))).toEqual([status, code, pointer])
})

test('more lines than a run can look at are refused', async () => {
  const sku = next()
  await house.query(
    `insert into inventory.backorder (item_id, doc, line, company, quantity)
     select i.id, 9000000 + n, 1, 'NWF', 1 from items.item i, generate_series(1, 20001) n where i.sku = $1`,
    [sku],
  )
  expect(faultOf(await plan(sku))).toEqual([422, 'inventory.backorder_run_too_large', '/items'])
  await house.query('delete from inventory.backorder where doc > 9000000')
})

test('what there is not is not found, and who may not is turned away', async () => {
  expect((await house.send('GET', `${RUNS}/999999`)).body.code).toBe('inventory.backorder_run_unknown')
  expect((await house.send('GET', `${RUNS}?company=NOPE`)).body.code).toBe('inventory.company_unknown')
  const headers = bearer(await house.key({ client: 'auditor', scopes: ['process.orders:read'] }))
  const asked = [
    house.send('GET', `${RUNS}?company=NWF`, { headers }),
    house.send('GET', `${RUNS}/1`, { headers }),
    house.send('POST', RUNS, { headers, body: { dryRun: true, company: 'NWF', rules: RULES } }),
  ]
  for (const { status } of await Promise.all(asked)) expect(status).toBe(403)
})

test('the books agree and nobody complains', async () => {
  expect(
    await house.query(
      `select l.order_id from orders.line l where l.backordered <> coalesce(
         (select b.quantity from inventory.backorder b where b.doc = l.order_id and b.line = l.n), 0)`,
    ),
  ).toEqual([])
  expect(house.complaints).toEqual([])
})
