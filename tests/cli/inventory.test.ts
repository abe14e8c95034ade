/** Stock at the terminal: what is where, what can be promised of it, and how that comes about. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { move } from '#domains/inventory/operations.ts'
import { setExpiry } from '#domains/inventory/operations/lots.ts'
import { addProfileVersion, recordDecisions, sourceFrom } from '#domains/inventory/operations/sourcing.ts'
import { takeSerials } from '#domains/inventory/operations/serials.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { sql } from '#platform/database.ts'
import { DAY_MS } from '#platform/time-zone.ts'
import { units } from '#platform/quantity.ts'
import { stockKey } from '#domains/inventory/rules.ts'
import { AT, change } from '#tests/domains/inventory/stock.ts'
import { newCustomer, order, write } from '#tests/domains/orders/order-fixtures.ts'
import { openQuery } from '#tests/support/house-query.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { OLIVES } from '#tests/support/olives.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

const SKU = '10012'
let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
  const { database } = folder
  const asOf = new Date('2026-11-02T06:00:00Z')
  await database.transaction((tx) =>
    upsertItems(tx, { source: 'erp', company: 'NWF', asOf }, [
      { ...OLIVES, sku: SKU },
      { ...OLIVES, sku: 'never-stocked' },
      { ...OLIVES, sku: 'with-lots' },
    ]),
  )
  const [row] = await database.query<{ id: number }>(
    sql('test.item_of_terminal', 'select id from items.item where sku = $1'),
    [SKU],
  )
  const at = (overrides: object) => change(row!.id, { location: 'CHI-1', ...overrides })
  await database.transaction((tx) =>
    move(tx, [
      at({ quantity: units(500) }),
      at({ from: 'available', to: 'quality_hold', quantity: units(60) }),
    ]),
  )
})
afterAll(() => folder.end())

const inventory = (...args: string[]) => crossdock('inventory', ...args, '--data', folder.path)

test('an item is shown place by place, as a table and as JSON', async () => {
  const shown = await inventory('show', SKU, '--company', 'NWF')
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/CHI-1 +500 +60 .*440 EA/)
  const [row] = rowsOf(await inventory('show', SKU, '--company', 'NWF', '--json'))
  expect(row).toMatchObject({ location: 'CHI-1', onHand: '500', onHold: '60', available: '440' })
}, 60_000)

test('what can be promised is explained step by step', async () => {
  const told = await inventory('explain', SKU, '--company', 'NWF', '--channel', 'shop')
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toContain(`440 EA of ${SKU} can be promised by NWF for shop`)
  expect(told.stdout).toMatch(
    /500 {2}on hand +500\n +-60 {2}on hold, in quarantine, damaged or blocked +440\n/,
  )
}, 60_000)

test('a silence lowers what the terminal shows as it lowers what is answered over HTTP', async () => {
  const { path } = folder
  const settings = join(path, 'silent.json')
  const place = { type: 'warehouse', timeZone: 'UTC', wms: 'wms' }
  const rule = { source: 'wms', minutes: 30, locations: ['CHI-1'] }
  const config = {
    companies: [{ code: 'NWF', name: 'NWF', country: 'US', currency: 'USD', timeZone: 'UTC', erp: 'erp' }],
    systems: {
      erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
      wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' },
    },
    locations: [
      { ...place, code: 'CHI-1' },
      { ...place, code: 'CHI-2', groups: ['south'] },
    ],
    freshness: [
      { ...rule, rule: 'buffer', least: 100, factor: 2 },
      { ...rule, flow: 'readings', rule: 'cap', most: 50 },
      { ...rule, source: 'erp', rule: 'zero' },
    ],
  }
  writeFileSync(settings, JSON.stringify(config))
  const asked = (...args: string[]) => inventory(...args, '--config', settings)
  const heard = rowsOf(await asked('show', SKU, '--json'))
  expect(heard).toMatchObject([
    { location: 'CHI-1', available: '440', confidence: 'normal' },
    { location: 'CHI-2', available: '0', confidence: 'normal' },
  ])
  const { query, end } = await openQuery(folder.url)
  await query(
    `insert into inventory.source_state (source, flow, doc, version, heard_at, silent_since)
     values ('wms', 'messages', 1, 1, now() - interval '1 hour', '2026-11-02T08:00:00Z'),
       ('wms', 'readings', 2, 1, now(), null)`,
  )
  const shown = await asked('show', SKU)
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/AVAILABLE +CONFIDENCE.*\n.*CHI-1 +500 .* 340 EA +careful /)
  const told = await asked('explain', SKU)
  expect(told.stdout).toContain('CHI-1  340 EA')
  expect(told.stdout).toContain('confidence: careful')
  expect(told.stdout).toContain(
    '100 EA held back by the rule "buffer": wms (messages) is silent, too long since 2026-11-02T08:00:00.000Z',
  )
  expect(told.stdout).toMatch(/-100 {2}held back while wms is silent \(buffer\) +340\n/)
  const sources = await asked('sources', '--json')
  expect(rowsOf(sources)).toMatchObject([
    {
      source: 'wms',
      rule: 'buffer',
      least: '100',
      factor: 2,
      state: 'silent',
      ageSeconds: expect.any(Number),
    },
    { flow: 'readings', rule: 'cap', most: '50', state: 'heard' },
    { source: 'erp', rule: 'zero', state: 'unknown' },
  ])
  const listed = await asked('sources')
  expect(listed.stdout).toMatch(
    /wms +messages +CHI-1 +1800 s +\d+ s +buffer: 100 less, and 2 times what would have sold +since 2026-11-02 08:00\n/,
  )
  expect(listed.stdout).toMatch(/readings .* cap: 50 at most +no\n.*never +zero +no\n/)
  await query('delete from inventory.source_state')
  await end()

  const nothing = { available: '0', dates: [{ available: '0' }] }
  expect(rowsOf(await asked('explain', 'never-stocked', '--json'))).toMatchObject([
    { items: [{ sku: 'never-stocked', available: '0', places: [nothing, nothing] }] },
  ])
  const later = await asked('show', SKU, '--location-group', 'south', '--date', '2999-01-01', '--json')
  expect(rowsOf(later)).toMatchObject([{ location: 'CHI-2', dates: [{ date: '2999-01-01' }] }])
  for (const [args, code, words] of [
    [['--date', '2026-01-02'], 1, /2026-01-02 has passed/],
    [['--date', 'tomorrow'], 2, /"tomorrow" is no day/],
    [['--location-group', 'north'], 1, /no group of locations north; there are: south/],
    [['--location', 'CHI-1', '--location-group', 'south'], 1, /both CHI-1 and the group south/],
  ] as const) {
    const ended = await asked('show', SKU, ...args)
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(words)])
  }
}, 60_000)

test('of what has lots, a customer who wants goods to live long is told what an order of his would be given', async () => {
  const { database, url } = folder
  const { query, end } = await openQuery(url)
  await newCustomer({ database, run: query } as unknown as OpenDatabase, 'C-60')
  await query(`update customers.customer set minimum_shelf_life_days = 60 where number = 'C-60'`)
  const [item] = await query<{ id: number }>(
    `update items.item set lot_controlled = true where sku = 'with-lots' returning id`,
  )
  await end()
  const lots = [
    { lot: 'OLD', days: 50, quantity: units(5) },
    { lot: 'FRESH', days: 62, quantity: units(7) },
  ]
  await database.transaction(async (tx) => {
    for (const { lot, days } of lots) {
      const day = new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)
      setExpiry(tx, { company: 'NWF', itemId: item!.id, lot }, day)
    }
    await move(
      tx,
      lots.map(({ lot, quantity }) => change(item!.id, { location: 'CHI-1', lot, quantity })),
    )
  })
  const asked = ['with-lots', '--company', 'NWF', '--customer', 'C-60']
  const told = await inventory('explain', ...asked)
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toContain(
    '7 EA of with-lots can be promised by NWF without a channel to customer C-60 (what has lots is to live for 60 days)',
  )
  expect(told.stdout).toMatch(/-5 {2}not known to live for 60 days +7\n/)
  const [row] = rowsOf(await inventory('show', ...asked, '--json'))
  expect(row).toMatchObject({ customer: 'C-60', minimumShelfLifeDays: 60, onHand: '12', available: '7' })
}, 60_000)

test('a unit is found by its serial, with its history, and a place lists those that it has', async () => {
  const { database } = folder
  const [item] = await database.query<{ id: number }>(
    sql('test.item_of_units', 'select id from items.item where sku = $1'),
    [SKU],
  )
  const common = { company: 'NWF', itemId: item!.id, lot: 'L1', source: 'wms', doc: null, at: AT }
  const came = {
    ...common,
    reason: 'receipt',
    sourceKey: 'E1',
    from: { bucket: 'supplier', location: null },
    to: { bucket: 'available', location: 'CHI-1' },
  } as const
  await database.transaction((tx) =>
    takeSerials(
      tx,
      ['SN-1', 'SN-2'].map((serial) => ({ ...came, serial })),
      [],
    ),
  )
  const unit = await inventory('serial', 'SN-1', '--company', 'NWF')
  expect(unit).toMatchObject({ code: 0, stderr: '' })
  expect(unit.stdout).toMatch(/SN-1 of 10012 is available at CHI-1, lot L1\n.*supplier → available at CHI-1/)
  const listed = await inventory('serials', SKU, '--company', 'NWF', '--location', 'CHI-1', '--json')
  expect(rowsOf(listed)).toMatchObject([{ serial: 'SN-1' }, { serial: 'SN-2', status: 'available' }])
}, 60_000)

test.each([
  [['show', 'nothing', '--company', 'NWF'], 1, /NWF has no item nothing that could be anywhere/],
  [['explain', 'never-stocked', '--company', 'NWF'], 1, /only places with a stock position are known/],
  [['show', SKU], 2, /--company NWF/],
  [['serial', 'SN-9', '--company', 'NWF'], 1, /NWF has no unit SN-9/],
  [['serials', 'nothing', '--company', 'NWF'], 1, /no item nothing/],
  [['explain', SKU, '--company', 'NWF', '--location', 'MOON'], 1, /MOON/],
  [
    ['explain', SKU, '--company', 'NWF', '--customer', '5'],
    1,
    /NWF has no customer 5\n.*\n  customer: .*\n.*number as the ERP/,
  ],
  [['show', SKU, '--customer', '5'], 2, /Whose stock is it\?\n.*--company/],
])('%j ends with %i and says why', async (args, code, why) => {
  const ended = await inventory(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(why)
})

const RULES = { network: ['DC1', 'DC2'], strategies: ['single-location' as const], maxSplits: 1 }
const rules = { ...RULES, tieBreakers: [], minSplitOrder: '0', minSplitLine: '0', nearest: [], costs: [] }

test('rules are tried against past orders, as a table and as JSON', async () => {
  const { database, path } = folder
  const { query, end } = await openQuery(folder.url)
  const past = order(await newCustomer({ database, run: query } as unknown as OpenDatabase, 'C-1'), {
    doc: 7_100_001,
  })
  await write({ database } as OpenDatabase, past)
  await end()
  await database.transaction(async (tx) => {
    const made = { company: 'NWF', channel: null, customerGroup: null, effectiveFrom: null, inUse: true }
    const profile = await addProfileVersion(tx, {
      ...made,
      name: 'past',
      rules,
      reason: 'test',
      madeBy: 'ann',
    })
    const { decision } = sourceFrom({
      rules,
      currency: 'USD',
      lines: [{ line: '1', sku: SKU, itemId: 1, quantity: units(5), part: 1, valueMinor: 500 }],
      free: new Map([
        [stockKey(1, 'DC1'), units(9)],
        [stockKey(1, 'DC2'), units(9)],
      ]),
      locations: RULES.network,
    })
    recordDecisions(tx, [{ doc: past.doc, cause: 'accepted', profile, shipTo: 'US-IL', decision }])
  })
  const [settings, draft, torn] = ['crossdock.yaml', 'draft.json', 'torn.json'].map((name) =>
    join(path, name),
  ) as [string, string, string]
  const place = { type: 'warehouse', timeZone: 'UTC', wms: 'wms' }
  const config = {
    companies: [{ code: 'NWF', name: 'NWF', country: 'US', currency: 'USD', timeZone: 'UTC', erp: 'erp' }],
    systems: {
      erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
      wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' },
    },
    locations: RULES.network.map((code) => ({ ...place, code })),
  }
  writeFileSync(settings, JSON.stringify(config))
  writeFileSync(torn, '{')
  writeFileSync(draft, JSON.stringify({ ...RULES, network: ['DC2'] }))
  const compare = (...args: string[]) => inventory('sourcing', 'compare', '--config', settings, ...args)
  const told = await compare('--rules', draft, '--from', '2020-01-01', '--decided-by', 'past')
  expect([told.code, told.stderr]).toEqual([
    0,
    expect.stringContaining('1 orders: 1 of 1 decisions would differ, 0 cannot be compared.'),
  ])
  expect(told.stdout).toMatch(/O-7100001 +accepted +US-IL +DC1 5 +DC2 5/)
  const [json] = rowsOf<{ decisions: object }>(await compare('--rules', draft, '--sample', '0', '--json'))
  expect(json).toMatchObject({ decisions: { compared: 1, changed: 1 }, sample: [] })
  const wrong: [string[], number, RegExp][] = [
    [['--rules', 'nowhere.json'], 2, /cannot be read/],
    [['--rules', torn], 2, /is no JSON/],
    [['--rules', settings], 2, /--rules, network/],
    [['--rules', draft, '--orders', 'many'], 2, /--orders/],
    [['--rules', draft, '--from', 'yesterday'], 2, /--from/],
    [[], 1, /no rules to try/],
    [['--rules', draft, '--company', 'NOPE'], 1, /no company NOPE/],
  ]
  for (const [args, code, words] of wrong) {
    const ended = await compare(...args)
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(words)])
  }
}, 60_000)
