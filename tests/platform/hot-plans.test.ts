import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql, type Statement, statements } from '#platform/database.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const SOURCE = join(import.meta.dirname, '../../src')
/** By the room that their statements are named after. */
const PLATFORM = { desk: ['desk'], effects: ['effects'], log: ['log'], sla: ['sla-clocks', 'sla-watch'] }
const PLATFORM_ROOMS = Object.keys(PLATFORM)
const DOMAINS = ['orders', 'inventory', 'shipments', 'billing']

/** Reads that look whole and are bounded: the end of an index, or an index of what is open alone. */
const BOUNDED: Readonly<Record<string, RegExp>> = {
  'billing.last_posted': /^Index Scan on invoice$/,
  'inventory.check_doubts': /Scan on doubt(_open)?$/,
  'inventory.claims_of_items': /Scan (using reservation_pkey )?on reservation$/,
  'inventory.end_avoiding': /Scan on short_pick$/,
  'inventory.last_freshness_rules': /Scan on source_state(_pkey)?$/,
  'inventory.lock_source_states': /Scan on source_state(_pkey)?$/,
  'inventory.open_doubts': /Scan on doubt(_open)?$/,
  'inventory.source_states': /Scan on source_state(_pkey)?$/,
  'inventory.short_external': /Scan (using external_reservation_short )?on external_reservation(_short)?$/,
  'inventory.external_counted':
    /Scan (using external_reservation_leaving )?on external_reservation(_leaving)?$/,
  'inventory.running_backorder_run': /^Index (Only )?Scan on backorder_run$/,
  'inventory.waited_items': /Index (Only )?Scan on backorder(_pkey)?$/,
  'inventory.waited_locations': /Scan on backorder(_pkey)?$/,
  'inventory.waiting_companies': /Scan on backorder(_pkey)?$/,
  'inventory.waiting_orders': /Index (Only )?Scan on backorder(_pkey)?$/,
  'log.head': /^Index Only Scan on (generation|event_\d{6})$/,
  'log.read': /^Index Only Scan on generation$/,
  'orders.held_now': /^Index Only Scan on hold$/,
  'orders.list': /^Index Only Scan on hold$/,
  'orders.list_held': /^Index Only Scan on hold$/,
  'orders.list_known': /^Index Only Scan on hold$/,
}

/** What a new reading of receivables asks: it looks at everything on purpose, and seldom. */
const OCCASIONAL = new Set(['desk.of_shares', 'orders.held_on_credit'])

let house: OpenDatabase
/** Of what the files declare; other tests of this process may have loaded more. */
let declared: Set<string>
beforeAll(async () => {
  house = await openTestDatabase()
  const stores = await Promise.all(DOMAINS.map(storesOf))
  const platform = Object.values(PLATFORM).flat()
  const files = [...platform.map((file) => `platform/${file}.ts`), ...stores.flat()]
  await Promise.all(files.map((file) => import(join(SOURCE, file))))
  declared = new Set((await Promise.all(files.map(namesIn))).flat())
})
afterAll(() => house.end())

async function storesOf(domain: string): Promise<string[]> {
  const files = await readdir(join(SOURCE, 'domains', domain), { recursive: true })
  return files.filter((file) => /^(store|views).*\.ts$/.test(file)).map((file) => `domains/${domain}/${file}`)
}

async function namesIn(file: string): Promise<string[]> {
  const text = await readFile(join(SOURCE, file), 'utf8')
  return [...text.matchAll(/'(\w+\.\w+)'/g)].map(([, name]) => name!)
}

const ofRooms = (rooms: readonly string[]): readonly Statement[] =>
  statements().filter(
    ({ name }) => declared.has(name) && rooms.includes(name.split('.')[0]!) && !OCCASIONAL.has(name),
  )

async function wholeReads(checked: readonly Statement[]): Promise<Record<string, string[]>> {
  const offenders: Record<string, string[]> = {}
  for (const statement of checked) {
    const reads = await house.fullReads(statement)
    const unbounded = reads.filter((read) => !BOUNDED[statement.name]?.test(read))
    if (unbounded.length > 0) offenders[statement.name] = unbounded
  }
  return offenders
}

test('no statement of the hot path reads a whole table of a new database', async () => {
  const checked = ofRooms([...PLATFORM_ROOMS, ...DOMAINS])
  expect(new Set(checked.map(({ name }) => name.split('.')[0]))).toEqual(
    new Set([...PLATFORM_ROOMS, ...DOMAINS]),
  )
  expect(await wholeReads(checked)).toEqual({})
})

/** Turned inside out while the planner takes their table for empty, which none that keeps its rows is for long. */
const updatesByList = ({ text }: Statement): boolean => /^update[^]*from unnest/.test(text)

// A table is often analyzed when it is empty, and the planner then takes it for one of a single row until the next time.
test('nor of one that was analyzed when it was empty, but for updates by list of tables that keep their rows', async () => {
  await house.run('analyze')
  const ofDomains = ofRooms(DOMAINS).filter((statement) => !updatesByList(statement))
  expect(await wholeReads([...ofRooms(PLATFORM_ROOMS), ...ofDomains])).toEqual({})
})

test('a statement that reads a whole table is caught', async () => {
  const careless = sql(
    'test.careless',
    `update effects.intent i set detail = n.detail from unnest($1::bigint[], $2::text[]) as n(doc, detail)
     where i.doc = n.doc`,
  )
  await house.run('analyze effects.intent')
  expect(await wholeReads([careless])).toEqual({ 'test.careless': ['Index Scan on intent'] })
})

test('two texts under one statement name are refused where they are declared', () => {
  expect(sql('test.named', 'select 1')).toBe(sql('test.named', 'select 1'))
  expect(() => sql('test.named', 'select 2')).toThrow('two statements are named test.named')
})
