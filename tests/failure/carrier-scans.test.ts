/** A carrier's webhooks that come twice, in another order, late or stale: what counts is where it saw a parcel last. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Fault } from '#landscape/faults.ts'
import { toTracking } from '#systems/carrier-swift/map.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { inParallel, submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const COUNT = 40
const WITHIN = { timeout: 30_000, interval: 100 }

let house: House
let query: Query
let disconnect: () => Promise<void>
beforeEach(async () => {
  house = await openHouse({
    plannedOrders: COUNT,
    tracksParcels: true,
    landscape: { trackShipments: true, scanEveryMs: 60, exceptionShare: 0.4 },
    config: { worker: { claimPollMs: 50 } },
  })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  house.app.keepUp()
}, 60_000)
afterEach(async () => {
  await disconnect()
  await house.end()
})

async function ship(): Promise<void> {
  const orders = house.landscape.world.orders(COUNT).filter((one) => one.expected === 'ships_at_once')
  await inParallel(orders, 16, async (order) => {
    expect(await submit(house.url, order, `arrival-${order.nth}`)).toMatchObject({ status: 201 })
  })
  await atRest(query)
}

/** All parcels have arrived, and everything that the carrier had to say of them was answered. */
async function carried(): Promise<void> {
  await vi.waitFor(() => {
    const { parcels, webhooks } = house.landscape.carrier.truth()
    expect(parcels.length).toBeGreaterThan(20)
    expect(parcels.every(({ scans }) => scans.at(-1)?.status === 'DLV')).toBe(true)
    expect(webhooks.queued).toBe(0)
  }, WITHIN)
  await vi.waitFor(async () => expect(await query('select 1 from shipments.early_scan')).toEqual([]), WITHIN)
}

const theirs = (): unknown[] =>
  house.landscape.carrier
    .truth()
    .parcels.map(({ tracking_number, scans: [...scans] }) => {
      const last = scans.at(-1)!
      const { milestone, at, sequence, signedBy } = toTracking({
        ...last,
        type: 'tracking.updated',
        tracking_number,
      })
      return { tracking: tracking_number, milestone, at, sequence, signedBy }
    })
    .toSorted((a, b) => (a.tracking < b.tracking ? -1 : 1))

const ours = (): Promise<unknown[]> =>
  query(
    `select tracking, milestone, scanned_at as at, scan_sequence as sequence, signed_by as "signedBy"
     from shipments.package where tracking is not null order by tracking collate "C"`,
  )

const FAULTS: Readonly<Record<string, Fault[]>> = {
  'come three times': [{ kind: 'webhook-duplicate', copies: 2 }],
  'overtake each other': [{ kind: 'webhook-reorder', window: 12 }],
  'come again when later ones have passed them': [{ kind: 'webhook-stale', ms: 150 }],
  'do all of it at once': [
    { kind: 'webhook-duplicate', share: 0.5 },
    { kind: 'webhook-stale', ms: 100, share: 0.5 },
    { kind: 'webhook-delay', ms: 20, jitterMs: 300, share: 0.5 },
    { kind: 'webhook-reorder', window: 8 },
  ],
}

test.each(Object.entries(FAULTS))(
  'scans that %s end in the carrier’s last words',
  async (_, faults) => {
    house.landscape.carrier.faults.set(faults)
    await ship()
    await carried()
    expect(house.landscape.carrier.faults.list().every(({ struck }) => struck > 0)).toBe(true)
    expect(await ours()).toEqual(theirs())
    expect(
      await query(`select id from shipments.shipment where milestone is distinct from 'delivered'`),
    ).toEqual([])
    expect(
      await query(
        `select code from exceptions.exception where code like 'shipments.%' and closed_at is null`,
      ),
    ).toEqual([])
    expect(await violationsAtRest(query)).toEqual([])
    expect(house.complaints).toEqual([])
  },
  90_000,
)
