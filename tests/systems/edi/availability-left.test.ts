/** What can be promised, left as a file for whoever wants it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEdiConnector, type EdiConnector } from '#systems/edi/connector.ts'
import { diskFiles } from '#systems/edi/files.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { guide } from './x12-text.ts'

let open: OpenDatabase
let root: string
let connector: EdiConnector
beforeAll(async () => {
  open = await openTestDatabase()
  root = mkdtempSync(join(tmpdir(), 'crossdock-edi-'))
  const folder = (name: string): string => join(root, name)
  mkdirSync(folder('partners'))
  const elsewhere = { qualifier: 'ZZ', id: 'ELSE', groupId: 'ELSE' }
  for (const own of [guide({ sends: ['846'] }), guide({ partner: 'other', theirs: elsewhere })])
    writeFileSync(folder(`partners/${own.partner}.json`), JSON.stringify(own))
  connector = createEdiConnector({
    instance: 'edi',
    settings: {
      inboxDirectory: folder('inbox'),
      outboxDirectory: folder('outbox'),
      archiveDirectory: folder('archive'),
      rejectDirectory: folder('reject'),
      partnersDirectory: folder('partners'),
      pollMs: 1_000,
      maxFileBytes: 100_000,
    },
    files: diskFiles,
    database: open.database,
    clock: fakeClock('2026-11-20T09:00:00Z'),
    reader: 'aa',
    findItems: () => Promise.resolve(new Map()),
    findUnits: () => Promise.resolve(new Map()),
    openExceptions: () => Promise.resolve(new Map()),
    onError: (error) => {
      throw error
    },
  })
})
afterAll(async () => {
  rmSync(root, { recursive: true, force: true })
  await open.end()
})

const availability = {
  number: 'AV-1',
  asOf: new Date('2026-11-20T09:00:00Z'),
  items: [{ sku: 'A', unit: 'EA', quantity: 120_000 }],
}

test('it is left once under its number, and waits for its 997', async () => {
  const name = await connector.tellAvailability('buyer', availability)
  expect(await connector.tellAvailability('buyer', availability)).toBe(name)
  expect(readdirSync(join(root, 'outbox/buyer'))).toEqual([name])
  const text = readFileSync(join(root, 'outbox/buyer', name), 'utf8')
  expect(text).toContain('GS*IB*SELLER*BUYER*')
  expect(text).toContain('LIN*1*VN*A~QTY*33*12*EA~')
  expect(await open.run('select type, acknowledgment from edi.outbound')).toEqual([
    { type: '846', acknowledgment: 'waiting' },
  ])
})

test('it is not left for a partner that takes no 846, nor for nobody', async () => {
  for (const partner of ['other', 'nobody'])
    await expect(connector.tellAvailability(partner, availability)).rejects.toMatchObject({
      code: 'edi.document_not_agreed',
    })
})
