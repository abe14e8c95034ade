/** What carriers tell of parcels: booked on packages, told of shipments and orders, and given to people where it must be. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { type CarrierVoice, carrierVoice } from './carrier-voice.ts'
import { acceptedRequest, depotVoice, type DepotVoice, type Request } from './depot-voice.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const DAY_MS = 86_400_000
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
let depot: DepotVoice
let tell: CarrierVoice
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 10_000 } }], [{ number: '500001' }], {
    tracksParcels: true,
    landscape: { pace: { pickAfterMs: DAY_MS, shipAfterMs: 0 } },
  })
  house.app.keepUp()
  depot = depotVoice(house)
  tell = carrierVoice(house)
}, 60_000)
afterAll(() => house.end())

let parcels = 0
const parcel = (): string => `T${++parcels}`

async function released(): Promise<[Placed, Request]> {
  const order = await house.order({ lines: [[SKU, 6]] })
  return [order, await acceptedRequest(house, order, SKU)]
}

/** What is asked for leaves in so many packages. */
async function leaves(request: Request, tracking: readonly (string | null)[]): Promise<string> {
  const pieces = 6 / tracking.length
  return depot.tell(request, 'shipment.confirmed', {
    shipment_id: `VS-${request.doc}`,
    final: true,
    carrier: 'SWIFT',
    shipped_at: new Date().toISOString(),
    packages: tracking.map((tracking_number, place) => ({
      sscc: `${request.doc}-${place}`,
      tracking_number,
      contents: [{ line_no: 1, sku: SKU, qty: pieces, uom: 'EA', base_qty: pieces, lot: null }],
    })),
  })
}

async function shipped(...tracking: (string | null)[]): Promise<Placed> {
  const [order, request] = await released()
  expect(await leaves(request, tracking)).toBe('applied')
  return order
}

const shipmentOf = async ({ doc }: Placed) =>
  (
    await house.query<{ doc: number; milestone: string | null; version: number }>(
      'select id as doc, milestone, version from shipments.shipment where order_id = $1',
      [doc],
    )
  )[0]!
const parcelOf = async (tracking: string) =>
  (
    await house.query(
      'select milestone, scan_code, scan_reason, scan_sequence, signed_by, unknown_code from shipments.package where tracking = $1',
      [tracking],
    )
  )[0]!
const eventsOf = async (order: Placed) =>
  house.query<{ type: string; data: Record<string, unknown> }>(
    `select type, data from log.event where key = $1 and type not in ('shipment.confirmed', 'shipment.channel_notified')
     order by key_version`,
    [(await shipmentOf(order)).doc],
  )
const typesOf = async (order: Placed) => (await eventsOf(order)).map(({ type }) => type)
const milestonesOf = async ({ body }: Placed): Promise<string[]> => {
  const { body: answer } = await house.send('GET', `${O2C}/orders/${body.id}/milestones`)
  return (answer['milestones'] as { milestone: string }[]).map(({ milestone }) => milestone)
}

describe('a parcel that is scanned', () => {
  test('is told from scan to scan as the way of its shipment and order, with the proof of its delivery', async () => {
    const t = parcel()
    const order = await shipped(t)
    for (const [place, status] of ['MAN', 'PUP', 'ARR', 'OFD', 'DLV'].entries())
      expect(await tell(t, status, { sequence: place + 1 })).toBe('applied')
    expect(await parcelOf(t)).toMatchObject({ milestone: 'delivered', scan_code: 'DLV', signed_by: 'J. DOE' })
    expect(await eventsOf(order)).toMatchObject([
      { type: 'shipment.in_transit', data: { tracking: [t], place: 'Newark, US' } },
      { type: 'shipment.out_for_delivery' },
      {
        type: 'shipment.delivered',
        data: { proof: [{ tracking: t, at: '2026-11-27T08:05:00.000Z', signedBy: 'J. DOE' }] },
      },
    ])
    expect(await milestonesOf(order)).toEqual(
      expect.arrayContaining(['in_transit', 'out_for_delivery', 'delivered']),
    )
    const { body: story } = await house.send('GET', `${O2C}/orders/${order.body.id}/story`)
    expect(story['documents']).toContainEqual(
      expect.objectContaining({
        kind: 'shipment',
        state: 'delivered',
        parcels: [expect.objectContaining({ tracking: t, milestone: 'delivered', signedBy: 'J. DOE' })],
      }),
    )
    expect(story['entries']).toContainEqual(
      expect.objectContaining({ title: 'Delivered, signed for by J. DOE' }),
    )
  })

  test('is not moved by a duplicate, an older scan or one that came again under another name', async () => {
    const t = parcel()
    const order = await shipped(t)
    expect(await tell(t, 'OFD', { id: 'W1', sequence: 4 })).toBe('applied')
    const { version } = await shipmentOf(order)
    expect(await tell(t, 'OFD', { id: 'W1', sequence: 4 })).toBe('duplicate')
    expect(await tell(t, 'OFD', { sequence: 4 })).toBe('superseded')
    expect(await tell(t, 'ARR', { sequence: 3 })).toBe('superseded')
    expect(await tell(t, 'EXC', { sequence: 2, reason: 'LOST' })).toBe('superseded')
    expect(await parcelOf(t)).toMatchObject({ milestone: 'out_for_delivery', scan_sequence: 4 })
    expect(await shipmentOf(order)).toMatchObject({ milestone: 'out_for_delivery', version })
    expect(await typesOf(order)).toEqual(['shipment.out_for_delivery'])
    const superseded = await house.query(
      `select count(*)::int as n from inbox.message where stream = 'parcel/' || $1 and state = 'superseded'`,
      [t],
    )
    expect(superseded).toEqual([{ n: 3 }])
  })

  test('stays delivered until the carrier corrects it', async () => {
    const t = parcel()
    const order = await shipped(t)
    await tell(t, 'DLV', { sequence: 5 })
    await tell(t, 'OFD', { sequence: 4 })
    expect(await parcelOf(t)).toMatchObject({ milestone: 'delivered' })
    await tell(t, 'ARR', { sequence: 6 })
    expect(await parcelOf(t)).toMatchObject({ milestone: 'in_transit', signed_by: null })
    expect(await milestonesOf(order)).not.toContain('delivered')
    await tell(t, 'DLV', { sequence: 7 })
    expect(await typesOf(order)).toEqual(['shipment.delivered', 'shipment.in_transit', 'shipment.delivered'])
    expect(await milestonesOf(order)).toContain('delivered')
  })

  test('of several is a partial delivery until the last arrives, and what has no number is not waited for', async () => {
    const [a, b] = [parcel(), parcel()]
    const order = await shipped(a, b, null)
    await tell(a, 'DLV', { sequence: 5 })
    expect(await shipmentOf(order)).toMatchObject({ milestone: 'partially_delivered' })
    expect(await milestonesOf(order)).toContain('partially_delivered')
    expect(await milestonesOf(order)).not.toContain('delivered')
    await tell(b, 'DLV', { sequence: 5, signed_by: 'R. ROE' })
    expect(await eventsOf(order)).toMatchObject([
      { type: 'shipment.partially_delivered', data: { delivered: 1, parcels: 2 } },
      { type: 'shipment.delivered', data: { proof: [{ signedBy: 'J. DOE' }, { signedBy: 'R. ROE' }] } },
    ])
    expect(await milestonesOf(order)).toContain('delivered')
  })

  test('is told by its number in many scans at once as one after another', async () => {
    const t = parcel()
    const order = await shipped(t)
    const outcomes = await Promise.all(
      ['DLV', 'MAN', 'OFD', 'PUP', 'ARR'].map((status) =>
        tell(t, status, { sequence: ['MAN', 'PUP', 'ARR', 'OFD', 'DLV'].indexOf(status) + 1 }),
      ),
    )
    expect(outcomes).toContain('applied')
    expect(await parcelOf(t)).toMatchObject({ milestone: 'delivered', scan_sequence: 5 })
    expect((await typesOf(order)).at(-1)).toBe('shipment.delivered')
  })

  test('of pieces under one number is the piece that the carrier means', async () => {
    const t = parcel()
    const order = await shipped(t, t)
    const { doc } = (
      await house.query<{ doc: number }>(
        'select fulfillment_id as doc from shipments.shipment where order_id = $1',
        [order.doc],
      )
    )[0]!
    await tell(t, 'DLV', { sequence: 5, reference: `${doc}-1` })
    expect(await shipmentOf(order)).toMatchObject({ milestone: 'partially_delivered' })
    await tell(t, 'DLV', { sequence: 6 })
    expect(await shipmentOf(order)).toMatchObject({ milestone: 'delivered' })
  })
})

describe('a scan that comes before its shipment', () => {
  test('waits, and is booked when the shipment comes, with what came later', async () => {
    const t = parcel()
    const [order, request] = await released()
    expect(await tell(t, 'OFD', { sequence: 4 })).toBe('waiting')
    expect(await tell(t, 'ARR', { sequence: 3 })).toBe('waiting')
    expect(await leaves(request, [t])).toBe('applied')
    await expect
      .poll(() => parcelOf(t), WITHIN)
      .toMatchObject({ milestone: 'out_for_delivery', scan_sequence: 4 })
    expect(await typesOf(order)).toEqual(['shipment.out_for_delivery'])
    expect(await house.query('select 1 from shipments.early_scan where tracking = $1', [t])).toEqual([])
  })

  test('is looked at at once when its shipment is booked, however long its pause is by then', async () => {
    const t = parcel()
    const [, request] = await released()
    await tell(t, 'PUP', { sequence: 2 })
    await house.query(
      `update shipments.early_scan set due_at = now() + interval '1 hour' where tracking = $1`,
      [t],
    )
    await leaves(request, [t])
    await expect.poll(() => parcelOf(t), WITHIN).toMatchObject({ milestone: 'picked_up' })
  })

  test('is not lost where no shipment comes, and somebody is told after a day, until one comes', async () => {
    const t = parcel()
    const [, request] = await released()
    await tell(t, 'PUP', { sequence: 2 })
    await house.query(
      `update shipments.early_scan set told_at = told_at - interval '2 days', due_at = now() where tracking = $1`,
      [t],
    )
    const unclaimed = () => house.openExceptions('shipments.parcel_unclaimed')
    await expect
      .poll(unclaimed, WITHIN)
      .toMatchObject([{ title: 'carrier tells of parcels that no shipment has' }])
    await leaves(request, [t])
    await expect.poll(unclaimed, WITHIN).toEqual([])
    expect(await parcelOf(t)).toMatchObject({ milestone: 'picked_up' })
  })
})

describe('a parcel in trouble', () => {
  test.each([
    ['REFUSED', 'refused', 'high'],
    ['DAMAGED', 'damaged', 'high'],
    ['LOST', 'lost', 'high'],
    ['WEATHER', 'delayed', 'normal'],
    ['ALIENS', 'exception', 'normal'],
  ])('that is %s is one exception of its shipment, until it moves on', async (reason, kind, severity) => {
    const [a, b] = [parcel(), parcel()]
    const order = await shipped(a, b)
    const { doc } = await shipmentOf(order)
    const open = () =>
      house.query(
        `select code, severity, owner, suggested_action <> '' as advised, value_minor > 0 as valued, state
         from exceptions.exception e join exceptions.affected a on a.exception = e.id where a.doc = $1 order by e.id`,
        [doc],
      )
    await tell(a, 'EXC', { sequence: 4, reason })
    await tell(b, 'EXC', { sequence: 4, reason })
    await tell(a, 'EXC', { sequence: 5, reason })
    const expected = {
      code: `shipments.parcel_${kind}`,
      severity,
      owner: 'customer-service',
      advised: true,
      valued: true,
    }
    expect(await open()).toEqual([{ ...expected, state: 'open' }])
    await tell(a, 'OFD', { sequence: 6 })
    expect(await open()).toEqual([{ ...expected, state: 'open' }])
    await tell(b, 'DLV', { sequence: 6 })
    expect(await open()).toEqual([{ ...expected, state: 'resolved' }])
    expect(await milestonesOf(order)).toContain('in_transit')
  })

  test('with a code that nobody knows keeps the code, is told once for all, and is over with the next scan', async () => {
    const [a, b] = [parcel(), parcel()]
    const order = await shipped(a)
    await shipped(b)
    await tell(a, 'ARR', { sequence: 3 })
    expect(await tell(a, 'XYZ', { sequence: 4 })).toBe('applied')
    await tell(b, 'XYZ', { sequence: 1 })
    expect(await parcelOf(a)).toMatchObject({ milestone: 'in_transit', unknown_code: 'XYZ' })
    const { body: story } = await house.send('GET', `${O2C}/orders/${order.body.id}/story`)
    expect(story['documents']).toContainEqual(
      expect.objectContaining({ parcels: [expect.objectContaining({ milestone: 'unknown', code: 'XYZ' })] }),
    )
    const unknown = () => house.openExceptions('shipments.scan_code_unknown')
    expect(await unknown()).toHaveLength(1)
    await tell(a, 'OFD', { sequence: 5 })
    expect(await unknown()).toHaveLength(1)
    await tell(b, 'PUP', { sequence: 2 })
    expect(await unknown()).toEqual([])
    expect(await typesOf(order)).toEqual(['shipment.in_transit', 'shipment.out_for_delivery'])
  })
})

describe('a message of the carrier', () => {
  test('that says nothing we understand is quarantined, and booked when it is replayed', async () => {
    const t = parcel()
    await shipped(t)
    expect(await tell(t, 'PUP', { id: 'Q1', occurred_at: 'yesterday' })).toBe('quarantined')
    expect(await house.openExceptions('inbound.message_unreadable')).toHaveLength(1)
    const [item] = await house.query<{ id: number }>(
      `update parking.item set payload = replace(payload, 'yesterday', '2026-11-27T08:00:00Z')
       where key = 'carrier/Q1' returning id`,
    )
    const path = `/experience/control-tower/v1/parked-items/${item!.id}:replay`
    const body = { reason: 'the time is known' }
    expect((await house.send('POST', `${path}?dryRun=true`, { body })).body).toMatchObject({
      expectation: { expected: 'change', events: [expect.stringContaining('shipment.in_transit')] },
    })
    expect(await parcelOf(t)).toMatchObject({ milestone: null })
    expect((await house.send('POST', path, { body })).status).toBe(200)
    await house.app.replayMessages()
    expect(await parcelOf(t)).toMatchObject({ milestone: 'picked_up' })
    expect(await house.openExceptions('inbound.message_unreadable')).toEqual([])
  })

  test('that is known with other content is a conflict, and changes nothing', async () => {
    const t = parcel()
    await shipped(t)
    expect(await tell(t, 'PUP', { id: 'C1', sequence: 2 })).toBe('applied')
    expect(await tell(t, 'DLV', { id: 'C1', sequence: 5 })).toBe('conflict')
    expect(await parcelOf(t)).toMatchObject({ milestone: 'picked_up' })
  })
})

test('nothing of all this is wrong in the books', async () => {
  expect(await violations(house.query)).toEqual([])
})

test('where no carrier is configured nothing is asked about scans', { timeout: 60_000 }, async () => {
  const plain = await openWholesaler([{ number: SKU, stock: { DC1: 100 } }], [{ number: '500001' }])
  try {
    plain.app.keepUp()
    await plain.query('drop table shipments.early_scan')
    await plain.closed(await plain.order({ lines: [[SKU, 6]] }))
    expect(plain.complaints).toEqual([])
  } finally {
    await plain.end()
  }
})
