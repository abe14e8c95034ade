/** Fulfillment requests and shipments on a real database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NewShipment, shipmentRefusals } from '#domains/shipments/contract.ts'
import {
  changeFulfillments,
  type ConfirmedShipment,
  confirmShipments,
  findKnownShipments,
  lockRequests,
  recordNotified,
  recordWmsNumbers,
  requestCancellations,
  requestFulfillments,
  writeOffRequests,
} from '#domains/shipments/operations.ts'
import {
  changeRequestedLots,
  lotsOfRequests,
  requestedOfLots,
  requestsOfItem,
  stillRequested,
} from '#domains/shipments/operations/lots.ts'
import {
  fulfillmentsOf,
  fulfillmentsOfOrders,
  linesOfFulfillments,
  linesOfShipments,
  lockShipments,
  packagesOf,
  shipmentsOf,
  shipmentsOfOrders,
} from '#domains/shipments/views.ts'
import { catalogue } from '#platform/http-catalogue.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const COMPANY = 'NWF'
const CAUSE = { source: 'test', actor: 'test' }
const AT = new Date('2026-03-02T15:00:00Z')

let docs = 0
const newDoc = (): number => ++docs

/** A request for 10 of line 1 and 5 of line 2. */
async function newRequest(orderId = newDoc()) {
  const doc = newDoc()
  const lines = [
    { line: 1, itemId: 11, quantity: units(10) },
    { line: 2, itemId: 12, quantity: units(5) },
  ]
  const request = { doc, company: COMPANY, orderId, location: 'north', lines }
  await db.database.transaction(async (tx) => requestFulfillments(tx, [request], CAUSE))
  return { doc, company: COMPANY, orderId }
}
type Key = Awaited<ReturnType<typeof newRequest>>

const shipmentOf = ({ doc, orderId }: Key, overrides: Partial<NewShipment> = {}): NewShipment => {
  const shipment = newDoc()
  return {
    doc: shipment,
    company: COMPANY,
    orderId,
    fulfillmentId: doc,
    location: 'north',
    carrier: 'swift',
    service: null,
    shippedAt: AT,
    source: 'wms-north',
    sourceKey: `SHP-${shipment}`,
    packages: [{ sscc: '003', tracking: `T-${shipment}`, weightGrams: 1_200 }],
    lines: [line(units(4))],
    ...overrides,
  }
}

const line = (quantity: Quantity) => ({
  n: 1,
  package: 1,
  line: 1,
  itemId: 11,
  quantity,
  lot: 'L1',
  expiresOn: '2027-01-31',
  catchWeight: null,
  serials: ['SN-1', 'SN-2'],
})

type Told = Pick<ConfirmedShipment, 'quantities' | 'final'> & { readonly shipment: NewShipment }

const confirm = (key: Key, ...told: readonly Told[]) =>
  db.database.transaction(async (tx) => {
    const [fulfillment] = await lockRequests(tx, [key.doc])
    await confirmShipments(
      tx,
      told.map((row) => ({ ...row, otherLots: [], fulfillment: fulfillment! })),
      CAUSE,
    )
  })

const storyOf = async (doc: number) =>
  db.run<{ type: string; version: number; data: unknown }>(
    'select type, key_version as version, data from log.event where key = $1 order by key_version',
    [doc],
  )

const stateOf = async ({ doc }: Key) => (await fulfillmentsOf(db.database, [doc]))[0]!.state
const amountsOf = async ({ doc }: Key) =>
  (await linesOfFulfillments(db.database, [doc])).map(({ shipped, short }) => [shipped, short])

describe('a fulfillment request', () => {
  test('is told by its first event and read back with its lines', async () => {
    const key = await newRequest()
    const [request] = await fulfillmentsOfOrders(db.database, [key.orderId])
    expect(request).toEqual({
      ...key,
      location: 'north',
      state: 'requested',
      wmsNumber: null,
      cancelRequested: false,
      cancelReason: null,
      byHand: false,
      version: 1,
    })
    expect(await linesOfFulfillments(db.database, [key.doc])).toMatchObject([
      { line: 1, quantity: units(10), shipped: 0, short: 0 },
      { line: 2, quantity: units(5) },
    ])
    expect(await storyOf(key.doc)).toMatchObject([
      { type: 'fulfillment.requested', version: 1, data: { lines: 2 } },
    ])
  })

  test('is accepted under the number of the warehouse', async () => {
    const key = await newRequest()
    const accept = () =>
      db.database.transaction((tx) =>
        recordWmsNumbers(tx, [{ ...key, number: 'W-1', effectKey: 'k' }], CAUSE),
      )
    expect(await accept()).toEqual(new Map([[key.doc, { doc: key.doc, version: 2, state: 'accepted' }]]))
    expect((await storyOf(key.doc))[1]).toMatchObject({
      type: 'fulfillment.accepted',
      data: { number: 'W-1' },
    })
  })

  test('that is picked before its acceptance is known stays picked', async () => {
    const key = await newRequest()
    await db.database.transaction((tx) => changeFulfillments(tx, [{ ...key, data: {} }], 'picking', CAUSE))
    const late = [{ ...key, number: 'W-2', effectKey: 'k' }]
    const changed = await db.database.transaction((tx) => recordWmsNumbers(tx, late, CAUSE))
    expect(changed.get(key.doc)).toMatchObject({ state: 'picking', version: 3 })
  })

  test.each([
    ['refused', 'fulfillment.refused'],
    ['picking', 'fulfillment.picking'],
    ['packed', 'fulfillment.packed'],
    ['cancelled', 'fulfillment.cancelled'],
    ['done', 'fulfillment.shipped'],
  ] as const)('that is %s says so once as %s', async (state, type) => {
    const key = await newRequest()
    const rows = [{ ...key, data: { reason: 'test' } }]
    const versions = await db.database.transaction((tx) => changeFulfillments(tx, rows, state, CAUSE))
    expect(versions).toEqual(new Map([[key.doc, 2]]))
    expect(await stateOf(key)).toBe(state)
    expect((await storyOf(key.doc))[1]).toEqual({ type, version: 2, data: { reason: 'test' } })
  })

  test('may be asked back, and the asking given up', async () => {
    const key = await newRequest()
    const ask = (requested: boolean) =>
      db.database.transaction((tx) => requestCancellations(tx, [{ ...key, reason: 'x' }], requested, CAUSE))
    await ask(true)
    expect((await fulfillmentsOf(db.database, [key.doc]))[0]).toMatchObject({ cancelRequested: true })
    expect(await ask(false)).toEqual(new Map([[key.doc, 3]]))
    expect((await fulfillmentsOf(db.database, [key.doc]))[0]).toMatchObject({ cancelRequested: false })
    expect((await storyOf(key.doc)).map(({ type }) => type).slice(1)).toEqual([
      'fulfillment.cancel_requested',
      'fulfillment.cancel_refused',
    ])
  })

  test('that is written off is short of what did not ship, once', async () => {
    const key = await newRequest()
    await confirm(key, {
      shipment: shipmentOf(key),
      quantities: [{ line: 1, shipped: units(4), short: units(1) }],
      final: false,
    })
    const writeOff = () => db.database.transaction((tx) => writeOffRequests(tx, [key.doc]))
    const was = { released: units(5), picked: 0, packed: 0 }
    expect(await writeOff()).toEqual([
      { doc: key.doc, line: 1, itemId: 11, quantity: units(5), was },
      { doc: key.doc, line: 2, itemId: 12, quantity: units(5), was },
    ])
    expect(await amountsOf(key)).toEqual([
      [units(4), units(6)],
      [0, units(5)],
    ])
    expect(await writeOff()).toEqual([])
  })
})

describe('a shipment', () => {
  test('is read back with packages and lines, and moves its request on', async () => {
    const key = await newRequest()
    const shipment = shipmentOf(key)
    await confirm(key, { shipment, quantities: [{ line: 1, shipped: units(4), short: 0 }], final: false })
    expect(await shipmentsOfOrders(db.database, [key.orderId])).toMatchObject([
      {
        doc: shipment.doc,
        number: shipment.sourceKey,
        carrier: 'swift',
        shippedAt: AT,
        notified: false,
        version: 1,
      },
    ])
    expect(await packagesOf(db.database, [shipment.doc])).toEqual([
      { doc: shipment.doc, n: 1, sscc: '003', tracking: `T-${shipment.doc}`, weightGrams: 1_200 },
    ])
    expect(await linesOfShipments(db.database, [shipment.doc])).toEqual([
      { ...line(units(4)), doc: shipment.doc },
    ])
    expect(await storyOf(shipment.doc)).toMatchObject([{ type: 'shipment.confirmed', version: 1 }])
    expect(await stateOf(key)).toBe('picking')
    expect(await amountsOf(key)).toEqual([
      [units(4), 0],
      [0, 0],
    ])
  })

  test('of the same number from the same warehouse is one, also when both come at once', async () => {
    const key = await newRequest()
    const shipment = shipmentOf(key)
    const told = { quantities: [{ line: 1, shipped: units(4), short: 0 }], final: false }
    const attempts = await Promise.allSettled([
      confirm(key, { ...told, shipment }),
      confirm(key, { ...told, shipment: { ...shipment, doc: newDoc() } }),
    ])
    expect(attempts.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(attempts.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: '23505' } })
    expect(await amountsOf(key)).toEqual([
      [units(4), 0],
      [0, 0],
    ])
    const elsewhere = shipmentOf(key, { source: 'wms-south', sourceKey: shipment.sourceKey })
    await confirm(key, { ...told, shipment: elsewhere })
    const known = await findKnownShipments(db.database, 'wms-south', [shipment.sourceKey, 'SHP-UNKNOWN'])
    expect([...known]).toEqual([[shipment.sourceKey, elsewhere.doc]])
  })

  test('and another of the same request in one list add up, and the final one ends it wherever it stands', async () => {
    const key = await newRequest()
    const [first, second] = [shipmentOf(key), shipmentOf(key)]
    await confirm(
      key,
      { shipment: second, quantities: [{ line: 1, shipped: units(3), short: units(3) }], final: true },
      {
        shipment: first,
        quantities: [
          { line: 1, shipped: units(4), short: 0 },
          { line: 2, shipped: units(5), short: 0 },
        ],
        final: false,
      },
    )
    expect(await amountsOf(key)).toEqual([
      [units(7), units(3)],
      [units(5), 0],
    ])
    expect(await stateOf(key)).toBe('done')
    expect((await storyOf(key.doc)).slice(1)).toEqual([
      { type: 'fulfillment.shipped', version: 2, data: { shipments: [second.sourceKey, first.sourceKey] } },
    ])
  })

  test('that the channel knows of says so', async () => {
    const key = await newRequest()
    const shipment = shipmentOf(key)
    await confirm(key, { shipment, quantities: [], final: true })
    const notify = (reference: string | undefined) =>
      db.database.transaction((tx) => recordNotified(tx, [{ ...key, doc: shipment.doc, reference }], CAUSE))
    expect(await notify('856-1')).toEqual(new Map([[shipment.doc, 2]]))
    await notify(undefined)
    expect(await shipmentsOf(db.database, [shipment.doc])).toMatchObject([{ notified: true, version: 3 }])
    expect(await storyOf(shipment.doc)).toMatchObject([
      {},
      { type: 'shipment.channel_notified', data: { reference: '856-1' } },
      { data: {} },
    ])
    expect(await db.database.transaction((tx) => lockShipments(tx, [shipment.doc]))).toHaveLength(1)
  })

  test('with a line of nothing is not written', async () => {
    const key = await newRequest()
    const told = { shipment: shipmentOf(key, { lines: [line(0)] }), quantities: [], final: false }
    await expect(confirm(key, told)).rejects.toMatchObject({ code: '23514' })
  })
})

test('no list at all changes nothing', async () => {
  await db.database.transaction(async (tx) => {
    requestFulfillments(tx, [], CAUSE)
    await confirmShipments(tx, [], CAUSE)
    expect(await changeFulfillments(tx, [], 'done', CAUSE)).toEqual(new Map())
    expect(await requestCancellations(tx, [], true, CAUSE)).toEqual(new Map())
    expect(await writeOffRequests(tx, [])).toEqual([])
  })
})

test('every refusal of shipments has a title, a cause and a way out', () => {
  expect([...catalogue(shipmentRefusals).keys()]).toEqual(Object.keys(shipmentRefusals))
})

test('the lots that a request is for are known by item and place as far as they are open, and end with it', async () => {
  const [doc, orderId] = [newDoc(), newDoc()]
  const lots = [
    { lot: 'L1', quantity: units(6) },
    { lot: '', quantity: units(4) },
  ]
  const lines = [{ line: 1, itemId: 21, quantity: units(10), lots }]
  const request = { doc, company: COMPANY, orderId, location: 'north', lines }
  await db.database.transaction(async (tx) => requestFulfillments(tx, [request], CAUSE))
  const asked = await lotsOfRequests(db.database, [doc])
  expect(asked.map(({ lot, quantity }) => [lot, quantity])).toEqual([
    ['L1', units(6)],
    ['', units(4)],
  ])
  await db.database.transaction(async (tx) =>
    changeRequestedLots(tx, [{ doc, line: 1 }], stillRequested(asked, units(7))),
  )
  expect(await requestedOfLots(db.database, [21], ['north', 'south'])).toEqual([
    { itemId: 21, location: 'north', lot: 'L1', quantity: units(3) },
  ])
  expect(await requestsOfItem(db.database, 21, ['north'])).toMatchObject([
    { doc, orderId, lot: 'L1', quantity: units(3), state: 'requested', cancelRequested: false },
    { doc, lot: '', quantity: units(4) },
  ])
  await db.database.transaction((tx) => writeOffRequests(tx, [doc]))
  expect(await lotsOfRequests(db.database, [doc])).toEqual([])
})

test('every statement of shipments goes by index, also on tables analyzed while empty', async () => {
  await db.run('analyze')
  const ours = [...db.statements()].filter(([name]) => name.startsWith('shipments.'))
  expect(ours.length).toBeGreaterThanOrEqual(18)
  const reads = await Promise.all(ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const))
  expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
})
