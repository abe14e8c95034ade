import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CRASH_POINTS, CRASHES, crashPoints } from './crash-points.ts'

const pointsOf = (...names: string[]): string[] =>
  Object.entries(crashPoints(names)).flatMap(([point, count]) => (count > 0 ? [`${point} ${count}`] : []))

test.each([
  ['K1', 'crash/p1/inbox.file/3'],
  ['K1', 'crash/p2/door webhook /system/wms/v1/events/0'],
  ['K2', 'crash/p1/database.commit/12'],
  ['K3', 'webhook-answer-lost//system/wms/v1/events/0'],
  ['K3', 'client-answer-lost/order-1/0'],
  ['K4', 'crash/p1/turn.versions/0'],
  ['K5', 'crash/p1/effects.intend/1'],
  ['K6', 'crash/p1/call POST erp-legacy.invalid/rfc/SD_ORDER_CREATE/0'],
  ['K7', 'crash/p3/reset POST wms-east.invalid/api/outbound_orders/0'],
  ['K7', 'request-lost/POST tax.invalid/vN/transactions/2'],
  ['K8', 'crash/p1/answer POST wms.invalid/api/outbound_orders/4'],
  ['K8', 'answer-lost/POST wms.invalid/api/outbound_orders/0'],
  ['K9', 'crash/p1/effects.settle/0'],
  ['K10', 'acknowledgement-lost/p1.1/30'],
  ['K11', 'crash/p2/notice desk/0'],
  ['K11', 'crash/p1/call POST subscriber-0.invalid/hook/1'],
  ['K12', 'crash/p1/edi.mark_written/0'],
  ['K12', 'crash/p2/answer POST subscriber-1.invalid/hook/3'],
  ['K12', 'crash/p2/subscriptions.end_turn/0'],
  ['K13', 'crash/p1/call POST wms.invalid/api/outbound_orders/OBN/cancel/0'],
  ['K13', 'crash/p1/orders.set_erp_cancelled/0'],
  ['K14', 'crash/p1/timer/400'],
  ['K15', 'crash/p2/migrations.record/17'],
  ['K15', 'crash/p1/migrations.apply/0'],
  ['K15', 'crash/p1/migrations.commit/72'],
  ['K16', 'stop/p1/orders.lines/0'],
  ['K16', 'crash-stopping/p2/database.commit/0'],
])('%s was struck by %s', (point, name) => {
  expect(pointsOf(name)).toEqual([`${point} 1`])
})

test.each([
  'crash/p1/orders.lines/7',
  'crash/p1/call GET shop.invalid/admin/api/N-N/orders.json/0',
  'stall/p1/database.commit/0',
  'board/latency',
])('%s is none of the points of the design', (name) => {
  expect(pointsOf(name)).toEqual([])
})

test('each point has its figure, and faults of one add up', () => {
  const counts = crashPoints(['crash/p1/timer/0', 'crash/p2/timer/9', 'crash/p1/database.commit/2'])
  expect(Object.keys(counts)).toEqual([...CRASH_POINTS])
  expect(counts).toMatchObject({ K1: 0, K2: 1, K14: 2 })
})

test('each statement that is a crash point is one of the product', () => {
  const src = join(import.meta.dirname, '..', '..', 'src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const product = files.map((file) => readFileSync(join(src, file), 'utf8')).join('\n')
  const isStatement = (name: string): boolean => /^(?!files\.)\w+\.\w+$/.test(name)
  const statements = Object.values(CRASHES).flat().filter(isStatement)
  expect(statements.length).toBeGreaterThan(15)
  expect(statements.filter((name) => !product.includes(`'${name}'`))).toEqual([])
})
