/** The EDI connector between database and folders: what a crash, a repetition or another reader must not change. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OrderAcknowledgement } from '#capabilities/channel.ts'
import type { ChannelDecision, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Effect } from '#platform/connector.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { Outage } from '#platform/faults.ts'
import { units } from '#platform/quantity.ts'
import { createEdiConnector, type EdiConnector, type Listener } from '#systems/edi/connector.ts'
import { diskFiles } from '#systems/edi/files.ts'
import { openFolder } from '#systems/edi/folder.ts'
import type { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { fileText, guide, ORDER, setText } from './x12-text.ts'

let open: OpenDatabase
let root: string
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crossdock-edi-'))
  return () => rmSync(root, { recursive: true, force: true })
})

const folder = (name: string): string => join(root, name)
const namesIn = (name: string): string[] => {
  try {
    return readdirSync(folder(name)).sort()
  } catch {
    return []
  }
}

const opened: Occurrence[] = []

/** Each test has a partner of its own, since control numbers are a partner's. */
function connectorFor(partner: string, changes: Record<string, unknown> = {}): EdiConnector {
  const own: PartnerGuide = guide({ partner, ...changes })
  mkdirSync(folder('partners'), { recursive: true })
  writeFileSync(folder('partners/partner.json'), JSON.stringify(own))
  return createEdiConnector({
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
    openExceptions: (_tx, occurrences) => {
      opened.push(...occurrences)
      return Promise.resolve(new Map())
    },
    onError: (error) => {
      throw error
    },
  })
}

const noWarehouse = {
  hearWarehouse: () => Promise.reject(new Error('no warehouse speaks here')),
  parkWarehouse: () => Promise.reject(new Error('nothing is parked here')),
}

/** A house that takes every message as an order of its own. */
function listening(connector: EdiConnector): Listener & { readonly heard: ChannelInbound[] } {
  const heard: ChannelInbound[] = []
  return {
    ...noWarehouse,
    heard,
    async hear(inbound) {
      heard.push(inbound)
      const decision: ChannelDecision = { inbound, outcome: 'applied', doc: heard.length }
      await open.database.transaction((tx) => connector.door.decided!(tx, [decision]))
      return 'applied'
    },
    park: () => Promise.reject(new Error('nothing is parked here')),
  }
}

/** Of a number of its own, so that no other test has read its content. */
function fileOf(number: string): string {
  const path = folder(`${number}.edi`)
  writeFileSync(
    path,
    fileText([setText(ORDER.map((segment) => segment.replace('PO-1', `PO-${number}`)))]).replaceAll(
      '000000007',
      number,
    ),
  )
  return path
}

const acknowledgement = (
  externalId: string,
  changes: Partial<OrderAcknowledgement> = {},
): OrderAcknowledgement => ({
  company: 'NWF',
  order: 'O-1',
  customer: 'C-1',
  customerOrder: 'PO-1',
  externalId,
  currency: 'USD',
  outcome: 'accepted',
  turn: 1,
  lines: [
    {
      line: '1',
      sku: 'NWF-1001',
      ordered: units(10),
      reserved: units(10),
      backordered: 0,
      cancelled: 0,
      unit: 'CA',
      priceMinor: 2490,
      priceUnit: 'CA',
    },
  ],
  ...changes,
})

const effect = (key: string, request: OrderAcknowledgement): Effect => ({
  key,
  businessKey: request.order,
  request,
})
const send = async (connector: EdiConnector, ...effects: Effect[]) =>
  connector.operations['channel.acknowledge']!.send(effects, {
    signal: new AbortController().signal,
    mayStillSend: () => true,
  })

test('the same effect sent again is the same file under the same control number', async () => {
  const connector = connectorFor('sends-again')
  const house = listening(connector)
  await connector.ingest(fileOf('000000101'), house)
  const one = effect('1/acknowledge//1', acknowledgement(house.heard[0]!.messageId))
  const first = await send(connector, one)
  const again = await send(connector, one)
  expect([...again.values()]).toEqual([...first.values()])
  expect(namesIn('outbox/sends-again').filter((name) => name.startsWith('855'))).toHaveLength(1)
})

test('two documents of a partner never share a control number', async () => {
  const connector = connectorFor('two-documents')
  const house = listening(connector)
  await connector.ingest(fileOf('000000102'), house)
  const { messageId } = house.heard[0]!
  await Promise.all([
    send(connector, effect('2/acknowledge//1', acknowledgement(messageId))),
    send(connector, effect('3/acknowledge//1', acknowledgement(messageId))),
  ])
  const numbers = namesIn('outbox/two-documents').map((name) => name.slice(4, 13))
  expect(new Set(numbers).size).toBe(3)
})

test('a document that X12 cannot carry is refused alone', async () => {
  const connector = connectorFor('refuses', { units: { CA: 'CA' } })
  const house = listening(connector)
  await connector.ingest(fileOf('000000103'), house)
  const { messageId } = house.heard[0]!
  const bad = effect('4/acknowledge//1', acknowledgement(messageId, { order: 'O*1' }))
  const good = effect('5/acknowledge//1', acknowledgement(messageId))
  const stranger = effect('6/acknowledge//1', acknowledgement('nobody/1'))
  const outcomes = await send(connector, bad, good, stranger)
  expect(outcomes.get(bad)).toMatchObject({ kind: 'refused', code: 'edi.delimiter_in_data' })
  expect(outcomes.get(good)).toMatchObject({ kind: 'confirmed' })
  expect(outcomes.get(stranger)).toMatchObject({ kind: 'refused', code: 'connector.reference_missing' })
})

test('an order whose answer our delimiters cannot carry is kept, and its owner tells the partner', async () => {
  const connector = connectorFor('carries-not', { delimiters: { element: '|' } })
  const path = folder('carries-not.edi')
  const segments = ORDER.map((segment) => segment.replace('BEG*00', 'BEG*05').replace('NWF-1001', 'NWF|1001'))
  writeFileSync(path, fileText([setText(segments)]).replaceAll('000000007', '000000114'))
  expect(await connector.ingest(path, listening(connector))).toMatchObject({ sets: [{ outcome: 'applied' }] })
  expect(opened).toMatchObject([
    { code: 'edi.answer_unwritten', owner: 'edi-desk', facts: { segment: 'PO1', delimiter: '|' } },
  ])
  expect(namesIn('outbox/carries-not').map((name) => name.slice(0, 3))).toEqual(['997'])
})

test('an order of a partner whose guide is gone is answered by nobody, and says why', async () => {
  const connector = connectorFor('leaves')
  const house = listening(connector)
  await connector.ingest(fileOf('000000113'), house)
  const one = effect('7/acknowledge//1', acknowledgement(house.heard[0]!.messageId))
  const outcomes = await send(connectorFor('stays'), one)
  expect(outcomes.get(one)).toMatchObject({ kind: 'refused', code: 'edi.partner_unknown' })
})

test('a document that was committed and not written before a crash is written later, as it was', async () => {
  const connector = connectorFor('crashes')
  const house = listening(connector)
  await connector.ingest(fileOf('000000104'), house)
  const [name] = namesIn('outbox/crashes')
  const before = readFileSync(folder(`outbox/crashes/${name}`), 'utf8')
  rmSync(folder('outbox'), { recursive: true })
  await open.run(`update edi.outbound set written_at = null where partner = 'crashes'`)
  await connector.ingest(fileOf('000000105'), house)
  expect(readFileSync(folder(`outbox/crashes/${name}`), 'utf8')).toBe(before)
})

test('an outage leaves the file unread; read again it gives the same messages and one 997', async () => {
  const connector = connectorFor('outage')
  const house = listening(connector)
  const path = fileOf('000000106')
  const away: Listener = { ...house, hear: () => Promise.reject(new Outage('database', 'away')) }
  await expect(connector.ingest(path, away)).rejects.toThrow('away')
  expect(namesIn('outbox/outage')).toEqual([])
  await connector.ingest(path, house)
  expect(await connector.ingest(path, house)).toMatchObject({ state: 'known' })
  expect(namesIn('outbox/outage')).toHaveLength(1)
})

test('a set that no attempt can take is kept for a person while its neighbour is heard', async () => {
  const connector = connectorFor('poison')
  const house = listening(connector)
  const parked: string[] = []
  const path = folder('poison.edi')
  const sets = ['A', 'B'].map((name, place) =>
    setText(
      ORDER.map((segment) => segment.replace('PO-1', `POISON-${name}`)),
      '850',
      `000${place + 1}`,
    ),
  )
  writeFileSync(path, fileText(sets).replaceAll('000000007', '000000107'))
  const report = await connector.ingest(path, {
    ...noWarehouse,
    hear: (inbound) =>
      inbound.messageId.endsWith('/0001') ? Promise.reject(new TypeError('a defect')) : house.hear(inbound),
    park: async (inbound) => void parked.push(inbound.messageId),
  })
  expect(report.sets.map(({ outcome }) => outcome)).toEqual(['parked', 'applied'])
  expect(parked).toEqual(['ZZ:BUYER/000000107/7/0001'])
})

test('two sets of one number in one group are two messages', async () => {
  const connector = connectorFor('repeats')
  const house = listening(connector)
  const path = folder('repeats.edi')
  const sets = ['A', 'B'].map((name) =>
    setText(ORDER.map((segment) => segment.replace('PO-1', `TWICE-${name}`))),
  )
  writeFileSync(path, fileText(sets).replaceAll('000000007', '000000108'))
  await connector.ingest(path, house)
  expect(house.heard.map(({ messageId }) => messageId)).toEqual([
    'ZZ:BUYER/000000108/7/0001',
    'ZZ:BUYER/000000108/7/0001.2',
  ])
})

test('a message that was filed is read again as it was', async () => {
  const connector = connectorFor('restores')
  const house = listening(connector)
  await connector.ingest(fileOf('000000109'), house)
  const [filed] = house.heard
  expect(await connector.door.restore(filed!)).toMatchObject({
    messageId: filed!.messageId,
    body: filed!.body,
    message: filed!.message,
  })
})

test('a file above the limit is rejected without being read', async () => {
  const connector = connectorFor('large')
  const path = folder('large.edi')
  writeFileSync(path, 'x'.repeat(100_001))
  const report = await connector.ingest(path, listening(connector))
  expect(report).toMatchObject({ state: 'rejected', findings: [{ code: 'limit.file_size' }] })
})

test('NUL characters in a file stop nothing', async () => {
  const connector = connectorFor('nul')
  const house = listening(connector)
  const path = folder('nul.edi')
  writeFileSync(
    path,
    fileText([setText([...ORDER.slice(0, 1), 'MSG*a\0b', ...ORDER.slice(1)])]).replaceAll(
      '000000007',
      '000000110',
    ),
  )
  expect(await connector.ingest(path, house)).toMatchObject({ state: 'read', sets: [{ outcome: 'applied' }] })
})

const watched = (reader: string, clock = fakeClock('2026-11-20T09:00:00Z')) =>
  openFolder({
    inboxDirectory: folder('inbox'),
    archiveDirectory: folder('archive'),
    rejectDirectory: folder('reject'),
    files: diskFiles,
    clock,
    reader,
    abandonedAfterMs: 10_000,
  })

test('a file is taken when two looks see it alike, and by one reader alone', async () => {
  const [one, other] = [watched('aa'), watched('bb')]
  mkdirSync(folder('inbox'))
  writeFileSync(folder('inbox/orders.edi'), 'ISA')
  expect(await one.claim()).toEqual([])
  expect(await other.claim()).toEqual([])
  writeFileSync(folder('inbox/orders.edi'), 'ISA*00')
  utimesSync(folder('inbox/orders.edi'), 1, 2)
  expect(await one.claim()).toEqual([])
  expect(await one.claim()).toHaveLength(1)
  expect(await other.claim()).toEqual([])
})

/** A reader that has taken the one file there is. */
async function taking(reader: string) {
  const one = watched(reader)
  mkdirSync(folder('inbox'))
  writeFileSync(folder('inbox/orders-12.edi'), 'ISA')
  await one.beat()
  await one.claim()
  const [claimed] = await one.claim()
  return { one, claimed: claimed! }
}

test('a taken file is its reader’s for as long as that shows that it lives', async () => {
  const clock = fakeClock('2026-11-20T09:00:00Z')
  const { one, claimed } = await taking('aa')
  const other = watched('bb', clock)
  for (let seconds = 0; seconds < 30; seconds += 5) {
    expect(await other.leftovers()).toEqual([])
    await clock.advance(5_000)
    utimesSync(folder('inbox/.processing/.aa'), 1, seconds)
  }
  expect(await one.leftovers()).toEqual([claimed])
})

test('a taken file is anybody’s once its reader gives no sign of life, and one takes it', async () => {
  const clock = fakeClock('2026-11-20T09:00:00Z')
  const { one, claimed } = await taking('aa')
  const [other, third] = [watched('bb', clock), watched('cc', clock)]
  for (const reader of [other, third]) {
    await reader.beat()
    expect(await reader.leftovers()).toEqual([])
  }
  await clock.advance(9_999)
  expect(await other.leftovers()).toEqual([])
  await clock.advance(1)
  const found = [...(await other.leftovers()), ...(await third.leftovers())]
  expect(found.map(({ name }) => name)).toEqual(['20261120T090010Z-bb-1-orders-12.edi'])
  // who was only slow finds nothing to put away
  await one.putAway(claimed, 'archive')
  expect(namesIn('archive')).toEqual([])
  await other.putAway(found[0]!, 'archive')
  expect(namesIn('archive')).toEqual(['20261120T090010Z-bb-1-orders-12.edi'])
  expect(namesIn('inbox/.processing')).toEqual(['.bb', '.cc'])
})

test('what a reader leaves behind when it stops is taken at once', async () => {
  const { one } = await taking('aa')
  await one.leave()
  expect(await watched('bb').leftovers()).toHaveLength(1)
})

test('unfinished uploads are left alone', async () => {
  const reader = watched('aa')
  mkdirSync(folder('inbox'))
  for (const name of ['.hidden', 'a.part', 'b.TMP', 'c.filepart', 'd.edi'])
    writeFileSync(folder(`inbox/${name}`), 'ISA')
  await reader.claim()
  expect((await reader.claim()).map(({ name }) => name.split('-').at(-1))).toEqual(['d.edi'])
})
