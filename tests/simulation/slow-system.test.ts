import { afterAll, beforeAll, expect, test } from 'vitest'
import { benchConfig } from '../../bench/config.ts'
import { benchWorld, orderMaker } from '../../bench/world.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { openLeapingHouse } from './leaping-house.ts'

const ORDERS = 120
const EVERY_MS = 50
const ANSWERS_MS = 40
const TIMES_SLOWER = 100
/** So few documents at once that a slow system could soon have all of them. */
const ROOM = 40
const ITEMS = 40
/** Longer than the last order takes on a day on which nothing is slow. */
const DAY_MS = 45_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await openCluster(0)
  await cluster.keepBaseline()
})
afterAll(() => cluster?.end())

type Milestone = {
  readonly company: string
  readonly order: string
  readonly type: string
  readonly atMs: number
}

const world = benchWorld(ITEMS)

/** A day on which both companies order; answers what happened to the orders of each, and when. */
async function dayWith(erpAnswersMs: number): Promise<Map<string, Milestone[]>> {
  await cluster.reset()
  const house = await openLeapingHouse({
    cluster,
    world,
    config: (urls) => ({ ...benchConfig(urls, 'batch'), worker: { inFlightMax: ROOM } }),
    checks: true,
  })
  const { clock, landscape } = house
  for (const system of [landscape.cloudErp, landscape.wms])
    system.faults.set({ kind: 'latency', ms: ANSWERS_MS })
  landscape.legacyErp.faults.set({ kind: 'latency', ms: erpAnswersMs })
  const orders = orderMaker(world, 'day')
  const endMs = clock.monotonicMs() + DAY_MS
  const statuses: number[] = []
  for (let nth = 0; nth < ORDERS; nth++) {
    const { key, body } = orders(nth)
    clock.after(nth * EVERY_MS, async () => statuses.push((await house.order(key, body)).status))
  }
  await clock.run(() => clock.monotonicMs() >= endMs, DAY_MS)
  const { rows } = await cluster.side.query<Milestone>(MILESTONES)
  await house.end()
  expect(statuses).toEqual(Array(ORDERS).fill(201))
  expect(house.complaints).toEqual([])
  return Map.groupBy(rows, ({ company }) => company)
}

/** By the time of the transaction that knew. */
const MILESTONES = `
  select e.company, o.customer_order as order, e.type,
    round(1000 * extract(epoch from e.recorded_at - '2026-11-02T09:00:00Z'))::float8 as "atMs"
  from log.event e join orders.sales_order o on o.id = e.correlation_id
  order by 2, 4, 3`

const closed = (milestones: readonly Milestone[] = []): number =>
  milestones.filter(({ type }) => type === 'order.closed').length

test('orders of a company have the same milestones at the same times while the ERP of the other is 100 times slower', async () => {
  const usual = await dayWith(ANSWERS_MS)
  const slow = await dayWith(TIMES_SLOWER * ANSWERS_MS)
  expect(slow.get('NWI')).toEqual(usual.get('NWI'))
  expect(closed(usual.get('NWF')) + closed(usual.get('NWI'))).toBe(ORDERS)
  expect(slow.get('NWF')).not.toEqual(usual.get('NWF'))
}, 300_000)
