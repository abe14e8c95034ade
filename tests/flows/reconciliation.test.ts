/** Books held against what the warehouse counts: what agrees, what was missing, what is taken, what a person is told. */
import { afterEach, expect, test } from 'vitest'
import type { ReconciliationView } from '#domains/inventory/contract/reconciliations.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { type House, type HouseOptions, openHouse, ownWorld } from '#tests/support/house.ts'
import { submit } from '#tests/support/house-doors.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'

const [SITE, OWNER] = ['DC1', 'NWF']
const PATH = '/process/inventory/v1/reconciliations'

let house: House
afterEach(() => house.end())

async function open(): Promise<string> {
  house = await openHouse({ landscape: { webhookBatch: 1 } })
  house.app.keepUp()
  const { stock } = house.landscape.wms.truth()
  const plenty = stock.find(
    (row) =>
      row.site === SITE && row.owner === OWNER && row.lot === '' && row.status === 'AVAIL' && row.qty > 50,
  )
  return plenty!.sku
}

async function call(path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${house.url}${path}`, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', 'idempotency-key': `k-${Math.random()}` },
  })
  return { status: response.status, body: await response.json() }
}

const read = async (id: number) => (await call(`${PATH}/${id}`)).body as ReconciliationView

async function reconcile(more: object = {}): Promise<ReconciliationView> {
  const asked = await call(PATH, { company: OWNER, location: SITE, ...more })
  expect(asked).toMatchObject({ status: 202, body: { state: 'asked' } })
  const { id } = asked.body as ReconciliationView
  await expect.poll(async () => (await read(id)).state, { timeout: 20_000 }).not.toBe('asked')
  return read(id)
}

const count = (sku: string, delta: number): void =>
  house.landscape.wms.adjust({ site: SITE, owner: OWNER, sku, delta, reason: 'COUNT' })
const told = () => listExceptions(house.app.database, { code: 'inventory.books_differ' })
const differences = async ({ id }: ReconciliationView) =>
  ((await call(`${PATH}/${id}/differences`)).body as { items: object[] }).items

test('a last word that was lost leaves no gap: it is asked for before anything is corrected', async () => {
  const sku = await open()
  expect(await reconcile()).toMatchObject({ state: 'done', differing: 0, missingHere: 0, missingThere: 0 })
  house.landscape.wms.faults.set({ kind: 'webhook-drop', times: 1 })
  count(sku, 7)
  const shown = await reconcile({ dryRun: true })
  expect(shown).toMatchObject({ differing: 1, recovered: 0, adjusted: 0, told: 0 })
  expect(await reconcile({ dryRun: true })).toMatchObject({ differing: 1 })
  expect(await differences(shown)).toMatchObject([{ sku, kind: 'differing', outcome: 'shown' }])
  expect(await reconcile()).toMatchObject({ differing: 0, recovered: 1, adjusted: 0, told: 0 })
  expect(await told()).toEqual([])
}, 60_000)

test('lots that a count dates are dated, unless somebody has said when they expire', async () => {
  await open()
  const { query, end } = await openQuery(house.databaseUrl)
  const counted = house.landscape.world.stock.filter(
    ({ company, site, lot, quantity }) => company === OWNER && site === SITE && lot !== '' && quantity > 0,
  )
  const [known, ...others] = counted
  const body = { company: OWNER, sku: known!.item, lot: known!.lot, expiresOn: '2031-05-01' }
  expect((await call('/process/inventory/v1/lots:set', body)).status).toBe(200)
  expect(await reconcile({ dryRun: true })).toMatchObject({ state: 'done' })
  const datesOf = () =>
    query<{ lot: string; on: string }>(
      `select l.lot, l.expires_on::text as on from inventory.lot l join items.item i on i.id = l.item_id
       where i.company = '${OWNER}' and l.expires_on is not null order by i.sku, l.lot`,
    )
  expect(await datesOf()).toEqual([{ lot: known!.lot, on: '2031-05-01' }])
  expect(await reconcile()).toMatchObject({ state: 'done' })
  const dates = new Map((await datesOf()).map(({ lot, on }) => [lot, on]))
  expect(dates.get(known!.lot)).toBe('2031-05-01')
  expect(others.length).toBeGreaterThan(5)
  for (const { lot, expiresOn } of others) expect(dates.get(lot)).toBe(expiresOn)
  await end()
}, 60_000)

test('what nobody can explain is one exception with its owner, which closes when books and count agree', async () => {
  const sku = await open()
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 1 },
    { kind: 'server-error', operation: 'events' },
  ])
  count(sku, 7)
  // the source cannot be asked for what it told, so nothing is decided on
  expect(await reconcile()).toMatchObject({
    state: 'failed',
    problem: expect.stringMatching(/history of events/),
  })
  house.landscape.wms.faults.clear()
  // the books are otherwise for a reason that no message tells
  const { query, end } = await openQuery(house.databaseUrl)
  await query(
    `with moved as (
       insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
       select i.company, i.id, '${SITE}', 'adjustment', 'available', 3, 'count', 'test', 'T-1', now() - interval '1 day'
       from items.item i where i.company = '${OWNER}' and i.sku = '${sku}' returning item_id)
     update inventory.position p set available = p.available + 3 from moved m
     where p.item_id = m.item_id and p.location = '${SITE}' and p.lot = ''`,
  )
  expect(await reconcile()).toMatchObject({ differing: 1, recovered: 1, told: 1, value: expect.any(String) })
  expect(await reconcile()).toMatchObject({ differing: 1, told: 1 })
  expect(await told()).toMatchObject([
    { owner: 'inventory', facts: { items: [{ sku }], location: SITE, source: 'wms' } },
  ])
  await query(
    `with moved as (
       insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
       select i.company, i.id, '${SITE}', 'available', 'adjustment', 3, 'count', 'test', 'T-2', now() - interval '1 day'
       from items.item i where i.company = '${OWNER}' and i.sku = '${sku}' returning item_id)
     update inventory.position p set available = p.available - 3 from moved m
     where p.item_id = m.item_id and p.location = '${SITE}' and p.lot = ''`,
  )
  expect(await reconcile()).toMatchObject({ differing: 0, told: 0 })
  expect(await told()).toEqual([])
  await end()
}, 60_000)

test('a location that nobody counts, one that is none and a number that is none are refused', async () => {
  await open()
  const nobody = await call(PATH, { company: OWNER, location: SITE, source: 'shop' })
  expect(nobody).toMatchObject({ status: 422, body: { code: 'inventory.nobody_counts' } })
  const nowhere = await call(PATH, { company: OWNER, location: 'MOON' })
  expect(nowhere).toMatchObject({ status: 422, body: { code: 'inventory.location_unknown' } })
  for (const path of [`${PATH}/999`, `${PATH}/999/differences`])
    expect(await call(path)).toMatchObject({
      status: 404,
      body: { code: 'inventory.reconciliation_unknown' },
    })
  const listed = await call(`${PATH}?company=${OWNER}&location=${SITE}`)
  expect(listed).toMatchObject({ status: 200, body: { items: [] } })
}, 60_000)

test('the ERP can be asked as well, whose count is as of its own moment', async () => {
  await open()
  const found = await reconcile({ source: 'erp-foods', dryRun: true })
  expect(found).toMatchObject({ state: 'done', source: 'erp-foods' })
  expect(found.matched).toBeGreaterThan(0)
  const { body } = await call(`${PATH}?company=${OWNER}&day=${found.day}`)
  expect(body).toMatchObject({ items: [{ id: found.id, source: 'erp-foods' }] })
}, 60_000)

test('while orders are picked and after they have shipped, books and count agree to the last unit', async () => {
  house = await openHouse({
    landscape: { tellPicks: [SITE], pace: { pickAfterMs: 200, shipAfterMs: 9_000 } },
  })
  house.app.keepUp()
  const { query, end } = await openQuery(house.databaseUrl)
  const orders = house.landscape.world
    .orders(60)
    .filter(({ company, expected }) => company === OWNER && expected === 'ships_at_once')
  await Promise.all(orders.slice(0, 8).map((order, nth) => submit(house.url, order, `agree-${nth}`)))
  const meanwhile = await reconcile({ dryRun: true })
  await atRest(query)
  const after = await reconcile({ dryRun: true })
  for (const found of [meanwhile, after]) {
    expect(await differences(found)).toEqual([])
    expect(found).toMatchObject({ state: 'done', differing: 0, missingHere: 0, missingThere: 0 })
  }
  expect(after.mark).toBeGreaterThan(meanwhile.mark!)
  await end()
}, 60_000)

/** In which it is that hour now. */
function zoneWhereItIs(hour: number): string {
  const ahead = ((hour - new Date().getUTCHours() + 36) % 24) - 12
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`
}

const DAILY = 'daily-reconciliations'
type Config = NonNullable<HouseOptions['config']>

async function openAtHour(hour: number, openedDaysAgo: number, config: Config = {}) {
  const company = { timeZone: zoneWhereItIs(hour) }
  house = await openHouse({ company, config })
  const { query, end } = await openQuery(house.databaseUrl)
  await query(`update inventory.position set since = now() - make_interval(days => ${openedDaysAgo})`)
  const hasLooked = () =>
    expect
      .poll(
        () =>
          query(`select from reading.turn where source = '${DAILY}' and due_at > now() and holder is null`),
        { timeout: 15_000 },
      )
      .toHaveLength(1)
  house.app.keepUp()
  await hasLooked()
  const proofs = () =>
    query<{ location: string; state: string; asked_by: string; times: number }>(
      `select location, state, asked_by, count(*)::int as times from inventory.reconciliation
       where company = '${OWNER}' and not dry_run group by 1, 2, 3 order by 1`,
    )
  return { company, query, end, hasLooked, proofs }
}

const PARTNER = thirdPartyGuide({
  company: OWNER,
  location: '3PL',
  receives: ['846'],
})

/** The sites of the world, after a place that an EDI partner runs. */
const behindPartner = (folders: EdiFolders): Config => ({
  edi: folders.config,
  locations: [
    { code: '3PL', company: OWNER, type: '3pl', wms: PARTNER.partner, timeZone: 'America/New_York' },
    ...ownWorld().sites.map(({ code, timeZone }) => ({
      code,
      type: 'warehouse' as const,
      wms: 'wms',
      timeZone,
    })),
  ],
})

test('each day the books of each place are held against its count, once, or it is said that none came', async () => {
  const folders = ediFolders([PARTNER])
  const config = behindPartner(folders)
  const { company, query, end, hasLooked, proofs } = await openAtHour(12, 3, config)
  const made = house.landscape.world.sites
    .map(({ code: location }) => ({ location, state: 'done', asked_by: 'crossdock', times: 1 }))
    .toSorted((a, b) => (a.location < b.location ? -1 : 1))
  await expect.poll(proofs, { timeout: 20_000 }).toEqual(made)
  // what the partner keeps for us was not counted yesterday, and nobody can ask it
  await query(
    `insert into inventory.position (company, item_id, location, lot, owner, since)
     select company, id, '3PL', '', 'own', now() - interval '3 days' from items.item where company = '${OWNER}' limit 1`,
  )
  await query(`update reading.turn set due_at = now() where source = '${DAILY}'`)
  const beside = await openHouse({ beside: house, company, config })
  beside.app.keepUp()
  await hasLooked()
  const missing = { location: '3PL', state: 'failed', asked_by: 'crossdock', times: 1 }
  expect(await proofs()).toEqual([missing, ...made])
  const { body } = await call(`${PATH}?company=${OWNER}&location=3PL`)
  const problem = expect.stringMatching(/^no count of 3PL came on .*; threepl, which runs it, .* 846/)
  expect(body).toMatchObject({ items: [{ source: PARTNER.partner, problem }] })
  await beside.end()
  await end()
  folders.remove()
}, 60_000)

test.each([
  ['before its time', 1, 3],
  ['of a place whose books were opened later that day', 12, 0],
])(
  'no proof is made by itself %s',
  async (_, hour, openedDaysAgo) => {
    const { end, proofs } = await openAtHour(hour, openedDaysAgo)
    expect(await proofs()).toEqual([])
    await end()
  },
  60_000,
)
