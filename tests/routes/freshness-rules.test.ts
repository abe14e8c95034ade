/** How fresh sources must be, as people say it over HTTP: tried out, set, told, withdrawn, and refused by field. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  FreshnessRuleChange,
  FreshnessRules,
  FreshnessRuleVersion,
} from '#domains/inventory/contract/freshness-rules.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer } from './front-door.ts'

const RULES = '/process/inventory/v1/freshness-rules'
const SKU = '44001'
/** Longer ago than any source was heard. */
const AN_HOUR_AGO = `update inventory.source_state set heard_at = now() - interval '1 hour' where source = $1`

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 100, DC2: 10 } }], [{ number: '500001' }], {
    config: { freshness: [{ source: 'wms', minutes: 120, locations: ['DC1'], rule: 'zero' }] },
  })
}, 60_000)
afterAll(() => house.end())

const WMS = { source: 'wms', flow: 'messages', reason: 'the line fails again and again' }
const CAP = { ...WMS, minutes: 30, rule: 'cap', most: '25' }
type Body = Record<string, unknown>
const post = (verb: 'set' | 'withdraw', body: Body, key?: string) =>
  house.send('POST', `${RULES}:${verb}`, { body, ...(key !== undefined && { key }) })
const changed = async (verb: 'set' | 'withdraw', body: Body) => {
  const reply = await post(verb, body)
  expect([reply.status, reply.body]).toEqual([200, expect.anything()])
  return reply.body as unknown as FreshnessRuleChange
}
const list = async () => ((await house.send('GET', RULES)).body as unknown as FreshnessRules).items
const ruleOf = async (source: string) => (await list()).find((one) => one.source === source)
const versions = async (query: string) => {
  const { status, body } = await house.send('GET', `${RULES}/versions?${query}`)
  expect(status).toBe(200)
  return body as unknown as { items: FreshnessRuleVersion[]; nextCursor?: string }
}
const placesOf = async () => {
  const body = { company: 'NWF', maxAgeMs: 0, items: [{ sku: SKU }] }
  const reply = await house.send('POST', '/process/available-to-promise/v1/availability:query', { body })
  const [item] = reply.body['items'] as { places: { location: string; available: string }[] }[]
  return item!.places.flatMap(({ location, available }) => (location === 'DC3' ? [] : [available]))
}

test('a configured rule says that it is, and that no person has changed it', async () => {
  expect(await list()).toEqual([
    {
      source: 'wms',
      flow: 'messages',
      origin: 'configured',
      version: 0,
      locations: ['DC1'],
      budgetSeconds: 7_200,
      rule: 'zero',
      state: 'unknown',
    },
  ])
})

test('a dry run says by which rule a source would be careful, before and after, and changes nothing', async () => {
  const tried = await changed('set', { ...CAP, dryRun: true })
  expect(tried).toMatchObject({
    dryRun: true,
    version: 1,
    before: { origin: 'configured', rule: 'zero', state: 'unknown' },
    after: { origin: 'set', rule: 'cap', most: '25', budgetSeconds: 1_800, state: 'heard' },
  })
  expect(await ruleOf('wms')).toMatchObject({ origin: 'configured', version: 0 })
  expect(await house.query('select from inventory.freshness_rule')).toEqual([])
})

test('what is set takes the place of what is configured and says by whom, why, since when', async () => {
  const before = await changed('set', { ...CAP, locations: ['DC2'], minutes: 90 })
  expect(before).toMatchObject({ version: 1, dryRun: false, after: { state: 'heard' } })
  await house.query(AN_HOUR_AGO, ['wms'])
  expect(await placesOf()).toEqual(['100', '10'])

  const tried = await changed('set', { ...CAP, dryRun: true })
  const careful = { rule: 'cap', state: 'silent', silentSince: expect.any(String) as unknown }
  expect(tried).toMatchObject({ before: { state: 'heard', locations: ['DC2'] }, after: careful })
  const set = await changed('set', { ...CAP, locations: ['DC1'], expectedVersion: 1 })
  expect(set).toMatchObject({ version: 2, after: careful })
  expect(await ruleOf('wms')).toMatchObject({
    ...careful,
    origin: 'set',
    version: 2,
    locations: ['DC1'],
    most: '25',
    setBy: 'local',
    reason: WMS.reason,
    since: expect.any(String) as unknown,
    configured: { rule: 'zero', budgetSeconds: 7_200, locations: ['DC1'] },
  })
  expect(await placesOf()).toEqual(['25', '10'])
  const sources = (await house.send('GET', '/process/inventory/v1/sources')).body
  expect(sources['items']).toMatchObject([{ source: 'wms', origin: 'set', rule: 'cap', state: 'silent' }])
  expect(await house.openExceptions('inventory.source_silent')).toHaveLength(1)
})

test('it is an event of the source, and stands in the audit trail with what was before', async () => {
  const [event] = await house.query<{ data: object }>(
    `select data from log.event where type = 'source.rule_set' order by key_version desc`,
  )
  const held = { rule: 'cap', most: '25', locations: ['DC1'], budgetSeconds: 1_800 }
  expect(event!.data).toEqual({
    source: 'wms',
    flow: 'messages',
    ruleVersion: 2,
    ...held,
    reason: WMS.reason,
    setBy: 'local',
  })
  const [entry] = await house.query(
    `select actor, reason, before, after from audit.entry where action = 'inventory.set_freshness_rule' order by position desc`,
  )
  expect(entry).toMatchObject({
    reason: WMS.reason,
    before: { version: 1, locations: ['DC2'] },
    after: { version: 2, ...held },
  })
  const told = await house.send('GET', '/experience/events/v1/events?types=source.rule_set')
  expect(told.body['items']).toHaveLength(2)
})

test('a repeated command does nothing twice, and one decided on another version is refused', async () => {
  const [first, again] = [await post('set', CAP, 'once'), await post('set', CAP, 'once')]
  expect(again.body).toEqual(first.body)
  expect(first.body).toMatchObject({ version: 3 })
  for (const [verb, body] of [
    ['set', CAP],
    ['set', { ...CAP, dryRun: true }],
    ['withdraw', WMS],
  ] as const) {
    const refused = await post(verb, { ...body, expectedVersion: 2 })
    expect([refused.status, refused.body.code]).toEqual([409, 'inventory.freshness_rule_changed'])
    expect(refused.body['errors']).toMatchObject([{ pointer: '/expectedVersion' }])
  }
  expect(await ruleOf('wms')).toMatchObject({ version: 3 })
})

test('two that set at once make two versions, one after the other', async () => {
  const both = await Promise.all([post('set', CAP), post('set', CAP)])
  expect(new Set(both.map(({ status, body }) => `${status} ${String(body['version'])}`))).toEqual(
    new Set(['200 4', '200 5']),
  )
  const seen = await Promise.all([4, 5].map(() => post('set', { ...CAP, expectedVersion: 5 })))
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([200, 409]))
})

test('who owns the silence is told by which rule it is careful now', async () => {
  await changed('set', { ...CAP, rule: 'ask', most: undefined })
  const facts = 'select facts from exceptions.exception where closed_at is null and code = $1'
  const told = await house.query(facts, ['inventory.source_silent'])
  expect(told).toMatchObject([{ facts: { source: 'wms', rule: 'ask' } }])
})

test('withdrawn, what is configured holds again; what was said stays, the newest first', async () => {
  const tried = await changed('withdraw', { ...WMS, dryRun: true })
  expect(tried).toMatchObject({ before: { origin: 'set' }, after: { origin: 'configured', state: 'heard' } })
  expect(await ruleOf('wms')).toMatchObject({ origin: 'set' })
  expect(await changed('withdraw', WMS)).toMatchObject({
    version: 8,
    after: { rule: 'zero', state: 'heard' },
  })
  const now = await ruleOf('wms')
  expect(now).toMatchObject({ origin: 'configured', version: 8, rule: 'zero', state: 'heard' })
  expect(now).not.toHaveProperty('setBy')
  expect(await placesOf()).toEqual(['100', '10'])
  expect(await house.openExceptions('inventory.source_silent')).toEqual([])

  const page = await versions('source=wms&flow=messages&limit=2')
  expect(page.items).toMatchObject([
    { version: 8, withdrawn: true },
    { version: 7, withdrawn: false, rule: 'ask', setBy: 'local' },
  ])
  const rest = await versions(`source=wms&flow=messages&limit=50&cursor=${page.nextCursor}`)
  expect(rest.items.map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1])
  const again = await post('withdraw', WMS)
  expect([again.status, again.body.code]).toEqual([409, 'inventory.freshness_rule_not_set'])
})

test('a rule can be set where none is configured, and without it nothing is left of its silence', async () => {
  const buffer = { minutes: 30, rule: 'buffer', least: '12.5', factor: 2 }
  const everywhere = await changed('set', { ...WMS, ...buffer, flow: 'readings', dryRun: true })
  expect(everywhere.after!.locations).toEqual(['DC1', 'DC2', 'DC3'])
  const tax = { ...WMS, source: 'tax', flow: 'readings' }
  await changed('set', { ...tax, ...buffer, locations: ['DC1', 'DC2'] })
  await house.query(AN_HOUR_AGO, ['tax'])
  expect(await changed('set', { ...tax, ...buffer, locations: ['DC1', 'DC2'] })).toMatchObject({
    after: { state: 'silent', least: '12.5', factor: 2 },
  })
  expect(await placesOf()).toEqual(['87.5', '0'])
  const { after } = await changed('withdraw', tax)
  expect(after).toBeUndefined()
  expect(await placesOf()).toEqual(['100', '10'])
  expect(await house.openExceptions('inventory.source_silent')).toEqual([])
  expect(await house.query('select from inventory.source_state where silent_since is not null')).toEqual([])
  expect((await list()).map(({ flow }) => flow)).toEqual(['messages'])
})

test.each([
  [{ source: 'nobody' }, '/source', 'inventory.freshness_source_unknown'],
  [{ flow: 'rumours' }, '/flow', 'http.field_invalid'],
  [{ minutes: -1 }, '/minutes', 'http.field_invalid'],
  [{ minutes: 0 }, '/minutes', 'http.field_invalid'],
  [{ minutes: 20_000 }, '/minutes', 'http.field_invalid'],
  [{ rule: 'hope' }, '/rule', 'http.field_invalid'],
  [{ rule: 'buffer', most: undefined, factor: 1 }, '/least', 'inventory.freshness_contradicts'],
  [{ rule: 'buffer', most: undefined, least: '5' }, '/factor', 'inventory.freshness_contradicts'],
  [{ most: undefined }, '/most', 'inventory.freshness_contradicts'],
  [{ rule: 'zero' }, '/most', 'inventory.freshness_contradicts'],
  [{ most: '-3' }, '/most', 'http.field_invalid'],
  [{ locations: ['DC1', 'MOON'] }, '/locations/1', 'inventory.freshness_nowhere'],
  [{ source: 'shop' }, '/locations', 'inventory.freshness_nowhere'],
  [{ reason: '' }, '/reason', 'http.field_invalid'],
])('%j is refused at %s', async (wrong, pointer, code) => {
  for (const dryRun of [true, false]) {
    const { status, body } = await post('set', { ...CAP, ...wrong, dryRun })
    expect([status < 500, body['errors']]).toEqual([true, [expect.objectContaining({ pointer, code })]])
  }
})

test('all that is wrong is told at once', async () => {
  const { body } = await post('set', { ...CAP, source: 'nobody', rule: 'buffer' })
  const errors = body['errors'] as { pointer: string; message: string }[]
  expect(errors.map(({ pointer }) => pointer)).toEqual(['/source', '/least', '/factor', '/most'])
  expect(errors[1]!.message).toBe('least is missing: a buffer needs it')
  const elsewhere = await post('set', { ...CAP, locations: ['DC1', 'MOON'] })
  expect(elsewhere.body['errors']).toMatchObject([{ message: 'MOON must be one of the locations' }])
})

test('who may read may not set', async () => {
  const headers = bearer(await house.key({ client: 'auditor', scopes: ['process.freshness:read'] }))
  expect((await house.send('GET', RULES, { headers })).status).toBe(200)
  expect((await house.send('POST', `${RULES}:set`, { headers, body: CAP })).status).toBe(403)
})
