/** One exception for what differs for one reason: it lists its items, and ends with the last of them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteMissedCounts } from '#domains/inventory/operations/reconciliations.ts'
import { lastReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { assignExceptions, resolveExceptions } from '#platform/exceptions-work.ts'
import { reconcileGiven } from '../../src/processes/reconciliation-given.ts'
import { COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import { counted, type Counting, openCounting } from './counting.ts'

const SKUS = ['a', 'b', 'c', 'd']

let counting: Counting
beforeAll(async () => {
  counting = await openCounting(SKUS)
  await counting.price({ a: 100, b: 900, c: 100, d: 100 })
  await counting.receive({ a: 10, b: 10, c: 10, d: 10 })
})
afterAll(() => counting.db.end())

type Figures = readonly [a: number, b: number, c: number, d: number]

/** Of the four items, or of the first alone; ten of each are in the books. */
function count(figures: Figures, scope: 'location' | 'items' = 'location', sequence?: number) {
  const all = figures.map((available, index) => ({ ...counted(SKUS[index]!, available), sequence }))
  const lines = scope === 'items' ? all.slice(0, 1) : all
  const snapshot = { company: COMPANY, location: NORTH, takenAt: new Date(), scope, lines }
  return reconcileGiven(counting.portsWith({ units: 0, percent: 0 }), { source: 'threepl', snapshot })
}

const open = () => counting.told()
const told = async () =>
  (await open())
    .map(({ id, facts }) => ({ id, skus: (facts['items'] as { sku: string }[]).map(({ sku }) => sku) }))
    .toSorted((one, other) => one.id - other.id)

test('items that differ to the same side are one exception with figures and value, and those to the other another', async () => {
  await count([8, 9, 10, 13])
  expect(await open()).toMatchObject([
    {
      owner: 'inventory',
      severity: 'high',
      title: `threepl counts less than our books of 2 items at ${NORTH}`,
      facts: {
        value: '11.00 USD',
        count: 2,
        items: [
          { sku: 'b', ours: { available: '10' }, theirs: { available: '9' }, value: '9.00 USD' },
          { sku: 'a', ours: { available: '10' }, theirs: { available: '8' }, value: '2.00 USD' },
        ],
      },
    },
    { title: `threepl counts 13 of d at ${NORTH}, our books say 10` },
  ])
})

test('what differs since a later count is told apart, and the earlier one keeps who has it and until when', async () => {
  const [first, more] = await open()
  await counting.db.database.transaction((tx) =>
    assignExceptions(tx, [first!.id], { assignee: 'anna' }, { actor: 'anna' }),
  )
  await count([7, 9, 6, 13])
  const [same, ...others] = (await open()).toSorted((a, b) => a.id - b.id)
  expect(same).toMatchObject({
    id: first!.id,
    assignee: 'anna',
    dueAt: first!.dueAt,
    facts: { value: '12.00 USD', items: [{ sku: 'b' }, { sku: 'a', theirs: { available: '7' } }] },
  })
  expect(others).toMatchObject([{ id: more!.id }, { facts: { items: [{ sku: 'c' }] } }])
})

test('a count of single items explains these alone, and an exception ends with its last item', async () => {
  await count([10, 0, 0, 0], 'items')
  expect((await told()).map(({ skus }) => skus)).toEqual([['b'], ['d'], ['c']])
  await count([10, 10, 6, 13])
  expect((await told()).map(({ skus }) => skus)).toEqual([['d'], ['c']])
  const closed = await listExceptions(counting.db.database, { code: 'inventory.books_differ', closed: true })
  expect(closed).toMatchObject([
    { closedBy: 'crossdock', resolution: 'nothing differs for this reason any more' },
  ])
})

test("what a person won't fix is not told again, and what differs anew is", async () => {
  const [, c] = await told()
  await counting.db.database.transaction((tx) =>
    resolveExceptions(tx, [c!.id], 'wont_fix', { actor: 'anna', text: 'breakage' }),
  )
  await count([9, 10, 6, 13])
  expect((await told()).map(({ skus }) => skus)).toEqual([['d'], ['a']])
})

test('what is less one day and more the next has another cause', async () => {
  await count([11, 10, 6, 13])
  expect(await open()).toMatchObject([
    { title: expect.stringContaining('13 of d') },
    { title: expect.stringContaining('11 of a') },
  ])
})

test('items of which its source counted facts that it never told miss the same words', async () => {
  await count([12, 7, 10, 10], 'location', 5)
  expect(await open()).toMatchObject([
    {
      title: `threepl counts what it never told of 2 items at ${NORTH}`,
      facts: { reason: 'untold', count: 2 },
    },
  ])
})

test('every statement of reconciliations goes by index', async () => {
  const { db } = counting
  await lastReconciliations(db.database, [{ company: COMPANY, location: NORTH }])
  await noteMissedCounts(db.database, [])
  const ours = [...db.statements()].filter(([name]) =>
    /difference|reconciliation|count_held|books_opened|miss_counts/.test(name),
  )
  expect(ours.length).toBeGreaterThanOrEqual(9)
  for (const [name, statement] of ours) expect([name, await db.fullReads(statement)]).toEqual([name, []])
})
