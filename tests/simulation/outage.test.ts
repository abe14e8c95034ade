import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, openCluster } from './cluster.ts'
import { outage } from './outage.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await openCluster(0)
  await cluster.keepBaseline()
})
afterAll(() => cluster?.end())

test('orders that arrive while their ERP is away reach it once, within its limit, payments first', async () => {
  const plan = { hours: 1, orders: 200, callsPerMinute: 60, checks: true }
  const report = await outage(cluster, plan)
  expect(report.violations).toEqual([])
  expect(report.accepted).toBeGreaterThan(150)
  expect(report.othersPostedWithinMs).toBeLessThan(60_000)
  // A few find out every quarter of a minute whether it is back, however many wait.
  expect(report.callsInOutage).toBeLessThan(1_000)
}, 300_000)
