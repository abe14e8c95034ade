/** What must hold in the tables holds after real orders, and each invariant finds what it is about when it is broken. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkInvariants, checksOfHouse, invariantsOfHouse } from '../../src/app-invariants.ts'
import { toOrderRequest } from '../../src/demo.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import type { Queries } from '#platform/database.ts'
import { sealAll } from '#platform/audit-seals.ts'
import { formatAmount } from '#platform/money.ts'
import { BEGINNING, type Look } from '#platform/invariants.ts'
import { atRest } from '#tests/support/house-query.ts'
import { type FrontDoor, isHeld, O2C, openFrontDoor, shipsAtOnce } from '#tests/routes/front-door.ts'

const LONG_AGO = `now() - interval '16 minutes'`

/** One statement for each invariant that breaks it; $doc and the like are of what the orders of this test left behind. */
const PLANTED: Readonly<Record<string, string>> = {
  'log.versions_have_no_gap': `delete from log.event where key = (select min(key) from log.event) and key_version = 2`,
  'log.outcome_is_told_once': `
    insert into log.event (type, key, key_version, company, source, actor, correlation_id, data)
    select type, key, 1000, company, source, actor, correlation_id, data from log.event where data ? 'effectKey' limit 1`,
  'log.partitions_are_ahead': `
    do $$ begin execute format('drop table log.event_%s', to_char(now() + interval '1 month', 'YYYYMM')); end $$`,
  'desk.owners_are_alive': `update desk.document set owner = 1000000 where doc = (select min(doc) from desk.document)`,
  'desk.due_work_is_taken': `
    update desk.document set owner = null, due_at = now() - interval '6 minutes' where doc = (select min(doc) from desk.document)`,
  'desk.work_given_up_is_parked': `
    update desk.document set failures = 5, due_at = now() + interval '100 years' where doc = (select min(doc) from desk.document)`,
  'effects.calls_are_in_hands': `
    insert into effects.intent (doc, step, system, operation, business_key)
    select id, 'postToErp', 'erp', 'create order', 'O-1' from orders.sales_order where closed_at is not null limit 1`,
  'effects.settled_calls_are_gone': `
    insert into effects.intent (doc, step, subject, generation, system, operation, business_key)
    select key, split_part(data ->> 'effectKey', '/', 2), '', 1, 'erp', 'create order', 'O-1'
    from log.event where type = 'order.posted_to_erp' limit 1`,
  'effects.step_is_tried_as_it_says': `
    insert into effects.intent (doc, step, generation, system, operation, business_key)
    select doc, 'postToErp', 2, 'erp', 'create order', 'O-1' from desk.document limit 1`,
  'inbox.messages_are_decided': `
    update inbox.message set state = 'received', received_at = now() - interval '6 minutes'
    where message_id = (select min(message_id) from inbox.message)`,
  'inbox.put_aside_is_parked': `
    update inbox.message set state = 'quarantined' where message_id = (select min(message_id) from inbox.message)`,
  'inbox.stream_counts_what_was_applied': `update inbox.stream set last_sequence = 0 where last_sequence > 0`,
  'inbox.place_is_applied_once': `
    insert into inbox.message (source, message_id, type, content_hash, state, stream, sequence, body)
    select m.source, 'again-' || m.message_id, m.type, 'other', 'applied', m.stream, m.sequence, '{}' from inbox.message m
    join inbox.stream s using (source, stream) where m.state = 'applied' and s.last_sequence = m.sequence limit 1`,
  'inbox.held_wait_for_something': `
    insert into inbox.held (source, stream, sequence, message_id)
    select m.source, m.stream, m.sequence, m.message_id from inbox.message m
    join inbox.stream s using (source, stream) where s.last_sequence = m.sequence limit 1`,
  'audit.seals_follow_each_other': `update audit.seal set hash = '\\x00' where number = 1`,
  'audit.acts_are_audited': `delete from audit.entry where action = 'billing.receive_payment'`,
  'documents.version_is_last_event': `update billing.payment set version = version + 1`,
  'documents.unfinished_are_at_the_desk': `delete from desk.document where process = 'order-to-cash'`,
  'inventory.positions_are_movements': `
    update inventory.position set available = available + 1 where (item_id, location, lot) = (
      select item_id, location, '' from inventory.position where lot = '' and available > 0 limit 1)`,
  'inventory.lots_are_movements': `
    insert into inventory.position (company, item_id, location, lot, available)
    select company, item_id, location, 'NEVER-CAME', 1 from inventory.position where lot = '' limit 1`,
  'inventory.in_transit_is_transfers': `
    update inventory.position set in_transit = 1 where (item_id, location) = (
      select item_id, location from inventory.position where lot = '' limit 1)`,
  'inventory.transfers_are_balanced': `
    insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
    select company, item_id, location, 'available', 'transfer', 1, 'transfer sent', 'wms', 'T-1', now()
    from inventory.position where lot = '' limit 1`,
  'inventory.owners_are_balanced': `
    insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
    select company, item_id, location, 'available', 'owner', 1, 'ownership', 'adjustment', 'A-1/1', now()
    from inventory.position where lot = '' limit 1`,
  'inventory.doubt_is_told': `
    update inventory.position set unreconciled = -1 where (item_id, location) = (
      select item_id, location from inventory.position where lot = '' limit 1)`,
  'inventory.serials_are_where_told': `
    insert into inventory.serial (company, item_id, serial, location, bucket, told_at)
    values ('NWF', 1, 'U-1', 'DC1', 'available', now());
    insert into inventory.serial_fact (company, item_id, serial, from_bucket, from_location, to_bucket, reason, source,
      source_key, at, moved)
    values ('NWF', 1, 'U-1', 'available', 'DC1', 'shipped', 'ship', 'wms', 'S-1', now(), true)`,
  'inventory.serial_doubts_are_told': `
    insert into inventory.serial (company, item_id, serial, location, bucket, told_at, doubt, doubt_location)
    values ('NWF', 1, 'U-2', 'DC1', 'available', now(), 'elsewhere', 'DC2')`,
  'inventory.claims_are_at_the_desk': `
    delete from desk.document where doc in (select doc from inventory.backorder union select doc from inventory.reservation)`,
  'inventory.reservations_keep_what_is_open': `update inventory.channel_claim set quantity = quantity + 1`,
  'inventory.reservations_end_in_time': `
    update inventory.channel_reservation set kind = 'soft', expires_at = now() - interval '6 minutes'`,
  'inventory.partitions_are_ahead': `
    do $$ begin execute format('drop table inventory.movement_%s', to_char(now() + interval '1 month', 'YYYYMM')); end $$`,
  'inventory.claims_want_the_life_of_their_line': `update inventory.reservation set minimum_shelf_life_days = 1`,
  'inventory.reserved_is_claimed': `update inventory.reservation set quantity = quantity + 1`,
  'supply.received_is_its_receipts': `update supply.line set received = received + 1 where received > 0`,
  'supply.receipts_are_movements': `update supply.receipt set quantity = quantity + 1`,
  'orders.total_is_its_lines': `
    update orders.sales_order set total_minor = total_minor + 1 where id = (select min(id) from orders.sales_order)`,
  'orders.closed_has_nothing_open': `
    update orders.line set shipped = shipped - 1, delivered = 0, picked = 1
    where order_id = (select min(id) from orders.sales_order where closed_at is not null) and n = 1`,
  'orders.known_by_its_number': `
    delete from orders.natural_key where order_id = (select min(id) from orders.sales_order)`,
  'orders.erp_number_is_of_one_order': `
    with first as (
      select id, company, erp_number from orders.sales_order where erp_number is not null order by id limit 1)
    update orders.sales_order o set erp_number = first.erp_number from first
    where o.company = first.company and o.id <> first.id and o.erp_number is not null`,
  'orders.lines_are_their_documents': `
    update shipments.shipment_line set quantity = quantity + 1 where (shipment_id, n) = (
      select shipment_id, n from shipments.shipment_line limit 1)`,
  'shipments.delivered_with_all_parcels': `
    update shipments.package set milestone = 'delivered' where shipment_id = (
      select min(shipment_id) from shipments.package where tracking is not null)`,
  'shipments.requested_lots_are_open': `
    insert into shipments.requested_lot (fulfillment_id, line, lot, n, item_id, location, quantity)
    select fulfillment_id, line, 'L', 99, item_id, 'DC1', quantity from shipments.fulfillment_line
    where shipped = quantity limit 1`,
  'shipments.requests_take_what_they_ask_for': `
    alter table shipments.fulfillment_line drop constraint fulfillment_line_takes_what_it_asks_for;
    update shipments.fulfillment_line set short = 1 where (fulfillment_id, line) = (
      select fulfillment_id, line from shipments.fulfillment_line where shipped = quantity limit 1)`,
  'edi.documents_are_written': `
    insert into edi.outbound (key, partner, company, type, control_number, segments, content, file_name, acknowledgment, created_at)
    values ('k', 'P1', 'NWF', '855', 1, '[]', '', '1.edi', 'none', now() - interval '16 minutes')`,
  'subscriptions.dead_letters_are_told': subscribed('active') + undelivered('dead', 10, 'now()'),
  'subscriptions.stops_are_told': subscribed('stopped'),
  'subscriptions.tries_follow_their_schedule':
    subscribed('active') + undelivered('waiting', 3, `now() + interval '3 days'`),
  'subscriptions.due_is_taken':
    subscribed('active', LONG_AGO) +
    undelivered('waiting', 1, LONG_AGO) +
    'update subscription.webhook set holder = 1000000',
  'billing.shipments_are_billed': `
    set local session_replication_role = replica;
    delete from billing.invoice_line where (invoice_id, n) = (select invoice_id, n from billing.invoice_line limit 1)`,
  'billing.price_is_as_accepted': `
    set local session_replication_role = replica;
    update billing.invoice_line set price_minor = price_minor + 1 where (invoice_id, n) = (
      select invoice_id, n from billing.invoice_line limit 1)`,
  'billing.invoices_are_their_lines': `
    set local session_replication_role = replica;
    update billing.invoice_line set net_minor = net_minor + 1 where (invoice_id, n) = (
      select invoice_id, n from billing.invoice_line limit 1)`,
  'billing.paid_is_what_payments_paid': `update billing.invoice set paid_minor = paid_minor - 1 where paid_minor > 0`,
  'billing.payments_are_spent_once': `update billing.payment set applied_minor = applied_minor - 1 where applied_minor > 0`,
}

/** A subscription that reads from its beginning, in this state and with these of its columns. */
function subscribed(state: string, dueAt = 'now()'): string {
  const cursor = `(select coalesce(max(generation), 1) from log.generation), '9000000000'::xid8, 0`
  return `insert into subscription.webhook (id, name, url, client, owner, types, domains, companies, payload, state,
      reason, generation, xid, position, due_at)
    values ('sub_000000000000000000000001', 'Planted', 'https://x', 'c', 'o', '{}', '{}', '{}', 'thin', '${state}',
      ${state === 'active' ? 'null' : `'planted'`}, ${cursor}, ${dueAt});`
}
function undelivered(state: string, attempts: number, dueAt: string): string {
  return `insert into subscription.delivery (subscription, key, key_version, type, generation, xid, position, state,
      attempts, due_at, last_failed_at)
    values ('sub_000000000000000000000001', 1, 1, 'order.accepted', 1, '1', 1, '${state}', ${attempts}, ${dueAt}, now());`
}

let door: FrontDoor
let client: pg.Client
let look: (since?: Look['upTo']) => Promise<Look>
beforeAll(async () => {
  door = await openFrontDoor()
  client = new pg.Client({ connectionString: door.databaseUrl })
  await client.connect()
  const queries: Queries = {
    query: async ({ text }, values = []) => (await client.query(text, [...values])).rows,
  }
  look = (since) => checkInvariants(queries, since)
  await aDay()
}, 60_000)
afterAll(async () => {
  await client.end()
  await door.end()
})

/** Orders that ship, of which one is paid, and orders that are held and that wait for stock. */
async function aDay(): Promise<void> {
  const shipped = [1, 2, 3, 4].map(() => door.next((order) => shipsAtOnce(order) && order.company === 'NWF'))
  const others = [door.next(isHeld), door.next(({ expected }) => expected === 'fills_later')]
  const answers = []
  for (const order of [...shipped, ...others]) answers.push(await door.submit(order))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  const query = async <Row extends object>(text: string): Promise<Row[]> => (await client.query(text)).rows
  await atRest(query)
  await reserve(toOrderRequest(shipped[0]!))
  const [bill] = await invoicesOfOrders(door.app.database, [Number(answers[0]!.body.id.slice(2))])
  const { company, customer, currency } = shipped[0]!
  const amount = formatAmount(bill!.totalMinor!, currency)
  const invoices = [{ number: bill!.number, amount }]
  const body = { company, customer, currency, reference: 'paid', amount, invoices }
  expect((await door.send('POST', `${O2C}/payments`, { body })).status).toBe(201)
  await atRest(query)
  await sealUntil(1)
  expect((await door.submit(door.next(shipsAtOnce))).status).toBe(201)
  await receiveBesides(others[1]!)
  await atRest(query)
  await sealUntil(2)
}

/** Entries wait for their seal while anybody on this server has a transaction open that is older. */
async function sealUntil(count: number): Promise<void> {
  const enough = async (): Promise<void> => {
    await sealAll(door.app.database)
    expect((await client.query('select from audit.seal')).rowCount).toBeGreaterThanOrEqual(count)
  }
  await vi.waitFor(enough, { timeout: 20_000 })
}

/** Of a purchase order that the waiting order is not filled from. */
async function receiveBesides({ lines }: WorldOrder): Promise<void> {
  const { wms, world } = door.landscape
  const wanted = new Set(lines.map(({ item }) => item))
  const receipt = world.receipts.find(({ company, item }) => company === 'NWF' && !wanted.has(item))!
  wms.receive(`ASN-${receipt.id}`)
  await vi.waitFor(async () => {
    const told = await client.query('select from supply.line where number = $1 and received > 0', [
      receipt.id,
    ])
    expect(told.rowCount).toBe(1)
  })
}

/** Keeps for a channel what an order asked for. */
async function reserve({ company, lines }: ReturnType<typeof toOrderRequest>): Promise<void> {
  const asked = lines.map(({ line, sku, quantity, unit }) => ({ line, sku, quantity, unit }))
  const body = { company, channel: 'portal', reference: 'cart', kind: 'soft', lines: asked }
  const path = '/process/available-to-promise/v1/reservations'
  expect((await door.send('POST', path, { body })).status).toBe(201)
}

/** Does it, looks, and takes it back. */
async function lookAfter(planting: string): Promise<Look> {
  await client.query('begin')
  try {
    await client.query(planting)
    return await look()
  } finally {
    await client.query('rollback')
  }
}

const namesOf = ({ violations }: Look): string[] => violations.map(({ invariant }) => invariant.name)

test('all of them hold after a day of orders', async () => {
  expect((await look()).violations).toEqual([])
})

test('each of them has something planted', () => {
  expect(Object.keys(PLANTED).toSorted()).toEqual(
    invariantsOfHouse()
      .map(({ name }) => name)
      .toSorted(),
  )
})

describe('of what is planted', () => {
  test.each(Object.entries(PLANTED))('%s finds it', async (name, planting) => {
    const found = await lookAfter(planting)
    expect(namesOf(found)).toContain(name)
    for (const { found: places } of found.violations) expect(places.every((place) => place !== '')).toBe(true)
  })
})

test('a look takes no transaction id, so that nobody waits for it', async () => {
  await client.query('begin')
  await look()
  const { rows } = await client.query('select pg_current_xact_id_if_assigned() as xid')
  await client.query('rollback')
  expect(rows).toEqual([{ xid: null }])
})

test('a look from where the last one ended sees what has changed since, and only that', async () => {
  const planted = `update orders.sales_order set total_minor = total_minor + 1`
  const { upTo } = await look()
  expect(namesOf(await look(upTo))).toEqual([])
  expect((await door.submit(door.next(shipsAtOnce))).status).toBe(201)
  await client.query('begin')
  await client.query(planted)
  const [all, recent] = [await look(BEGINNING), await look(upTo)]
  await client.query('rollback')
  const placesIn = ({ violations }: Look) =>
    violations.flatMap(({ invariant, found }) =>
      invariant.name === 'orders.total_is_its_lines' ? found : [],
    )
  expect(placesIn(recent)).toHaveLength(1)
  expect(placesIn(all).length).toBeGreaterThan(5)
})

/** Work under way, what is few however long the house lives, and what is read from its newest on. */
const SMALL = new Set(
  'document node intent clock held generation position reservation channel_claim external_reservation backorder seal webhook delivery'.split(
    ' ',
  ),
)

type PlanNode = {
  readonly 'Node Type': string
  readonly 'One-Time Filter'?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

/** Tables that are read whole, but for what only a look from the beginning reads. */
function readWhole(node: PlanNode): string[] {
  if (node['One-Time Filter']) return []
  const below = (node.Plans ?? []).flatMap(readWhole)
  const isWhole =
    node['Node Type'] === 'Seq Scan' || (node['Node Type'].startsWith('Index') && !node['Index Cond'])
  return isWhole ? [node['Relation Name'] ?? '', ...below] : below
}

test('a look that is not from the beginning reads no table whole that grows with time', async () => {
  const found: Record<string, string[]> = {}
  await client.query('begin')
  await client.query(
    'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off; set local plan_cache_mode = force_generic_plan',
  )
  for (const [{ name }, check] of checksOfHouse) {
    const explain: Queries = {
      async query<Row>({ text }: { text: string }) {
        await client.query(`prepare looked as ${text}`)
        const plan = await client.query('explain (format json) execute looked(0, null, null)')
        await client.query('deallocate looked')
        const whole = readWhole(plan.rows[0]['QUERY PLAN'][0].Plan).filter((table) => !SMALL.has(table))
        if (whole.length > 0) found[name] = whole
        return [{}] as Row[]
      },
    }
    await check(explain)
  }
  await client.query('rollback')
  expect(found).toEqual({})
})
