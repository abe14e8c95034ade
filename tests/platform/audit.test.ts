import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ensureAuditPartitions, listAudit, recordAudit, type AuditRow } from '#platform/audit.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
beforeEach(() => house.run('truncate audit.entry'))

const row = (overrides: Partial<AuditRow> = {}): AuditRow => ({
  actor: 'user:ann',
  action: 'orders.cancelled',
  ...overrides,
})
const record = (...rows: AuditRow[]) => house.database.transaction(async (tx) => recordAudit(tx, rows))

test('a row keeps who, what, where, why, before and after', async () => {
  const full = row({
    company: 'north',
    kind: 'order',
    doc: 12,
    reason: 'the customer called',
    before: { stage: 'released' },
    after: { stage: 'cancelled' },
    traceId: 'a'.repeat(32),
  })
  await record(full, row({ actor: 'order-to-cash' }))
  expect(await listAudit(house.database, { actor: 'user:ann' })).toMatchObject([full])
  expect(await listAudit(house.database)).toMatchObject([
    { actor: 'order-to-cash', doc: null, before: null },
    full,
  ])
})

test('a row carries the transaction of the change and is lost with it', async () => {
  await house.database.transaction(async (tx) => {
    await tx.query({
      name: 'test.mark',
      text: 'create table if not exists public.mark as select pg_current_xact_id() xid',
    })
    recordAudit(tx, [row()])
  })
  expect(await house.run('select 1 as same from audit.entry join public.mark using (xid)')).toHaveLength(1)
  const failing = house.database.transaction(async (tx) => {
    recordAudit(tx, [row({ action: 'lost' })])
    await Promise.reject(new Error('the business said no'))
  })
  await expect(failing).rejects.toThrow('the business said no')
  expect(await listAudit(house.database, { action: 'lost' })).toEqual([])
})

test('entries are listed newest first and page by position', async () => {
  await record(row({ doc: 1 }), row({ doc: 2 }), row({ doc: 3 }))
  const [newest, second] = await listAudit(house.database, { limit: 2 })
  expect([newest?.doc, second?.doc]).toEqual([3, 2])
  expect(await listAudit(house.database, { before: second!.position })).toMatchObject([{ doc: 1 }])
  expect(await listAudit(house.database, { doc: 2, company: 'south' })).toEqual([])
})

test('partitions are made ahead, once', async () => {
  expect(await ensureAuditPartitions(house.database, 3)).toBe(0)
  expect(await ensureAuditPartitions(house.database, 15)).toBe(12)
  expect(await ensureAuditPartitions(house.database, 15)).toBe(0)
})
