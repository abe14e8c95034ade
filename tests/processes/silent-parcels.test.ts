/** Parcels of which a carrier tells nothing more: it is asked, what it saw is booked once, and who is missed is a person's. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { acceptedRequest, depotVoice, type DepotVoice } from './depot-voice.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '46002'
const DAY_MS = 86_400_000
const SILENT_AFTER_MS = 300
const MISSED_AFTER_MS = 2_000
const UNANSWERED_AFTER_MS = 3_000
const WITHIN = { timeout: 15_000 }
const ROUTE = 5

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 10_000 } }], [{ number: '500001' }], {
    tracksParcels: true,
    landscape: { pace: { pickAfterMs: DAY_MS, shipAfterMs: 0 } },
    config: {
      inbox: {
        parcelSilentAfterMs: SILENT_AFTER_MS,
        parcelMissedAfterMs: MISSED_AFTER_MS,
        parcelUnansweredAfterMs: UNANSWERED_AFTER_MS,
      },
    },
  })
  house.app.keepUp()
  depot = depotVoice(house)
}, 60_000)
afterEach(() => house.landscape.carrier.faults.clear())
afterAll(() => house.end())

const carrier = () => house.landscape.carrier
const asked = (): number => carrier().received.requests('track')
let parcels = 0
const parcel = (): string => `Q${++parcels}`

/** A shipment of these parcels; the carrier is handed those that it is to know. */
async function shipped(
  tracking: readonly string[],
  { known = tracking, by = 'SWIFT' }: { readonly known?: readonly string[]; readonly by?: string } = {},
): Promise<number> {
  for (const number of known) carrier().manifest(number, `sscc-${number}`, { city: 'Newark', country: 'US' })
  const order = await house.order({ lines: [[SKU, 6]] })
  const request = await acceptedRequest(house, order, SKU)
  const pieces = 6 / tracking.length
  const told = await depot.tell(request, 'shipment.confirmed', {
    shipment_id: `VS-${request.doc}`,
    final: true,
    carrier: by,
    shipped_at: new Date().toISOString(),
    packages: tracking.map((tracking_number) => ({
      sscc: `sscc-${tracking_number}`,
      tracking_number,
      contents: [{ line_no: 1, sku: SKU, qty: pieces, uom: 'EA', base_qty: pieces, lot: null }],
    })),
  })
  expect(told).toBe('applied')
  const [row] = await house.query<{ doc: number }>(
    'select id as doc from shipments.shipment where order_id = $1',
    [order.doc],
  )
  return row!.doc
}

const scan = (tracking: string, times = ROUTE): void => {
  for (let nth = 0; nth < times; nth++) carrier().scan(tracking)
}
/** From now on no webhook is ever repeated. */
const loseWebhooks = (): void => void carrier().faults.set({ kind: 'webhook-drop', operation: 'tracking' })

const parcelOf = async (tracking: string) =>
  (
    await house.query<Record<string, unknown>>(
      `select milestone, scan_sequence as sequence, signed_by as signed, ask_system as system, ask_at as at, missed
       from shipments.package where tracking = $1`,
      [tracking],
    )
  )[0]!
const arrives = (tracking: string) =>
  expect
    .poll(() => parcelOf(tracking), WITHIN)
    .toMatchObject({ milestone: 'delivered', sequence: ROUTE, signed: 'RECEIVING', system: null, at: null })
const typesOf = async (doc: number) =>
  (
    await house.query<{ type: string }>(
      `select type from log.event where key = $1 and type not in ('shipment.confirmed', 'shipment.channel_notified')
       order by key_version`,
      [doc],
    )
  ).map(({ type }) => type)
const statesOf = (tracking: string) =>
  house.query<{ sequence: number; state: string }>(
    `select sequence, state from inbox.message where stream = 'parcel/' || $1 order by sequence, state`,
    [tracking],
  )
/** As the order's story tells of the shipment. */
async function askedOf(doc: number): Promise<readonly object[]> {
  const [{ order }] = (await house.query<{ order: number }>(
    'select order_id as "order" from shipments.shipment where id = $1',
    [doc],
  )) as [{ order: number }]
  const { body } = await house.send('GET', `${O2C}/orders/O-${order}/story`)
  const documents = body['documents'] as { id: string; asked?: readonly object[] }[]
  return documents.find(({ id }) => id === `S-${doc}`)!.asked ?? []
}
const troubleOf = (doc: number) =>
  house.query<Record<string, unknown>>(
    `select code, title, owner, state, suggested_action <> '' as advised, value_minor > 0 as valued, facts
     from exceptions.exception e join exceptions.affected a on a.exception = e.id where a.doc = $1 order by e.id`,
    [doc],
  )

test('a parcel of which every webhook is lost for good is delivered by asking, as if it had been told', async () => {
  const t = parcel()
  const doc = await shipped([t])
  loseWebhooks()
  scan(t)
  await arrives(t)
  expect((await typesOf(doc)).at(-1)).toBe('shipment.delivered')
  expect((await statesOf(t)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
  expect(await troubleOf(doc)).toEqual([])
  expect(house.complaints).toEqual([])
})

test('the last scan that is lost is asked for behind those that were told, and nothing is filed twice', async () => {
  const t = parcel()
  const doc = await shipped([t])
  scan(t, 4)
  await expect.poll(() => parcelOf(t), WITHIN).toMatchObject({ milestone: 'out_for_delivery' })
  loseWebhooks()
  scan(t, 1)
  await arrives(t)
  expect((await typesOf(doc)).at(-1)).toBe('shipment.delivered')
  expect(await statesOf(t)).toHaveLength(ROUTE)
})

test('a scan that is read and told as well is booked once', async () => {
  const t = parcel()
  const doc = await shipped([t])
  scan(t, 3)
  await expect.poll(() => parcelOf(t), WITHIN).toMatchObject({ milestone: 'in_transit' })
  carrier().faults.set({ kind: 'webhook-delay', operation: 'tracking', ms: 2_000 })
  scan(t, 2)
  await arrives(t)
  await expect
    .poll(() => statesOf(t), WITHIN)
    .toMatchObject([
      { sequence: 1 },
      { sequence: 2 },
      { sequence: 3 },
      { sequence: 4 },
      { sequence: 4, state: 'superseded' },
      { sequence: 5, state: 'applied' },
      { sequence: 5, state: 'superseded' },
    ])
  expect(await typesOf(doc)).toHaveLength(new Set(await typesOf(doc)).size)
  expect(await parcelOf(t)).toMatchObject({ milestone: 'delivered', sequence: ROUTE })
})

test('what is told while it is read is booked once, whichever comes first', async () => {
  const numbers = Array.from({ length: 12 }, parcel)
  const doc = await shipped(numbers.slice(0, 6))
  const other = await shipped(numbers.slice(6))
  carrier().faults.set({ kind: 'webhook-delay', operation: 'tracking', ms: 200, jitterMs: 400 })
  for (const number of numbers) scan(number)
  for (const number of numbers) await arrives(number)
  await expect.poll(() => carrier().truth().webhooks.queued, WITHIN).toBe(0)
  for (const one of [doc, other]) {
    const told = await typesOf(one)
    expect(told.filter((type) => type === 'shipment.delivered')).toHaveLength(1)
    expect(told.at(-1)).toBe('shipment.delivered')
  }
})

test('a carrier that does not know the parcel is a person’s, until it is heard of', async () => {
  const t = parcel()
  const doc = await shipped([t], { known: [] })
  await expect
    .poll(() => troubleOf(doc), WITHIN)
    .toMatchObject([
      {
        code: 'shipments.parcel_not_known',
        title: `S-${doc} with SWIFT: a parcel is not known to its carrier`,
        owner: 'customer-service',
        state: 'open',
        advised: true,
        valued: true,
        facts: { parcels: [{ tracking: t, code: null, at: null }] },
      },
    ])
  loseWebhooks()
  carrier().manifest(t, `sscc-${t}`, {})
  scan(t)
  await arrives(t)
  expect(await troubleOf(doc)).toMatchObject([{ state: 'resolved' }])
})

test('a parcel that stays silent although its carrier is asked is a person’s, until it is heard of', async () => {
  const [t, other] = [parcel(), parcel()]
  const doc = await shipped([t, other])
  scan(t, 2)
  scan(other)
  await expect
    .poll(() => troubleOf(doc), WITHIN)
    .toMatchObject([
      {
        code: 'shipments.parcel_silent',
        title: `S-${doc} with SWIFT: a parcel has not been heard of for long`,
        owner: 'customer-service',
        state: 'open',
        facts: { parcels: [{ tracking: t, code: 'PUP' }] },
      },
    ])
  scan(t, 1)
  await expect.poll(() => troubleOf(doc), WITHIN).toMatchObject([{ state: 'resolved' }])
  expect(await parcelOf(t)).toMatchObject({ milestone: 'in_transit', missed: null })
  scan(t)
  await arrives(t)
})

test('a parcel about which its carrier does not answer is a person’s, who sees since when, until it does', async () => {
  const t = parcel()
  carrier().faults.set({ kind: 'server-error', operation: 'track', status: 500 })
  const doc = await shipped([t])
  await expect
    .poll(() => troubleOf(doc), WITHIN)
    .toMatchObject([
      {
        code: 'shipments.parcel_unanswered',
        title: `S-${doc} with SWIFT: a parcel gets no answer from its carrier`,
        owner: 'customer-service',
        state: 'open',
        advised: true,
        valued: true,
        facts: { parcels: [{ tracking: t, code: null, unansweredSince: expect.any(String) }] },
      },
    ])
  expect(await askedOf(doc)).toEqual([
    { tracking: t, at: expect.any(String), answer: 'unanswered', unansweredSince: expect.any(String) },
  ])
  carrier().faults.clear()
  await expect
    .poll(() => troubleOf(doc), WITHIN)
    .toMatchObject([{ state: 'resolved' }, { code: 'shipments.parcel_silent' }])
  expect(await askedOf(doc)).toMatchObject([{ answer: 'nothing_new', unansweredSince: null }])
  loseWebhooks()
  scan(t, 3)
  await expect.poll(() => parcelOf(t), WITHIN).toMatchObject({ milestone: 'in_transit' })
  await expect
    .poll(() => askedOf(doc), WITHIN)
    .toMatchObject([{ tracking: t, answer: expect.stringMatching(/^n/) }])
  scan(t)
  await arrives(t)
  expect(await askedOf(doc)).toEqual([])
  expect(house.complaints.splice(0)).toContainEqual(
    expect.stringContaining('carrier could not be asked about its parcels'),
  )
}, 60_000)

test('a limit of the carrier is kept: it is left alone until then, and asked about the rest', async () => {
  const numbers = Array.from({ length: 6 }, parcel)
  await shipped(numbers)
  loseWebhooks()
  carrier().faults.set({
    kind: 'rate-limit',
    operation: 'track',
    perSecond: 1,
    burst: 2,
    retryAfterSeconds: 1,
    forMs: 4_000,
  })
  const before = asked()
  for (const number of numbers) scan(number)
  for (const number of numbers) await arrives(number)
  // six that are answered, and not more refusals than the carrier asked for pauses
  expect(asked() - before).toBeLessThan(20)
  expect(house.complaints.splice(0).length).toBeGreaterThan(0)
})

test('while the carrier is away nobody is told anything of parcels, and afterwards they are found', async () => {
  const t = parcel()
  const doc = await shipped([t])
  loseWebhooks()
  carrier().faults.set({ kind: 'outage', mode: 'reset', forMs: 1_000 })
  scan(t)
  await arrives(t)
  expect(await troubleOf(doc)).toEqual([])
  expect(house.complaints.splice(0)).toContainEqual(
    expect.stringContaining('carrier could not be asked about its parcels'),
  )
}, 40_000)

test('who travels with a carrier that cannot be asked is not asked about', async () => {
  const [t, ours] = [parcel(), parcel()]
  await shipped([t], { by: 'PIGEON' })
  await shipped([ours], { by: 'Swift' })
  expect(await parcelOf(t)).toMatchObject({ system: null, at: null })
  expect(await parcelOf(ours)).toMatchObject({ system: 'carrier' })
  scan(t, 1)
  // by now it is known who carries it
  await expect.poll(() => parcelOf(t), WITHIN).toMatchObject({ system: 'carrier' })
  scan(t)
  scan(ours)
  await arrives(t)
  await arrives(ours)
})

test('nothing of all this is wrong in the books', async () => {
  expect(await violations(house.query)).toEqual([])
  expect(await house.query('select 1 from shipments.package where ask_at is not null')).toEqual([])
})
