/** Stock of other owners at the terminal: told by file, shown beside ours, handed over; whole counts of ours leave it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FeedFolder, feedFolder } from './feed-folder.ts'
import { rowsOf } from './program.ts'

let feed: FeedFolder
beforeAll(async () => {
  feed = await feedFolder(['10', '11'], ['12'])
  const lines = [MOVES, `NWF,CHI-1,10,,receipt,30,${at},1`, `NWF,CHI-1,10,ACME,receipt,2,${at},1`]
  await feed.load('before.csv', lines)
})
afterAll(() => feed.end())

const MOVES = 'company,location,sku,owner,reason,quantity,at,sequence'
const COUNTS = 'company,location,sku,owner,available,taken_at'
const at = '2026-11-02T08:00:00Z'
const later = '2026-11-02T09:00:00Z'
const place = { company: 'NWF', location: 'CHI-1' }
const statuses = (available: string) => ({ available, qualityHold: '0', damaged: '0' })

type Shown = { readonly owner: string; readonly onHand: string; readonly available: string }
const shown = async (sku: string, ...more: string[]) =>
  rowsOf<Shown>(await feed.run('show', sku, '--location', 'CHI-1', '--json', ...more)).map(
    ({ owner, onHand, available }) => `${owner} ${onHand} ${available}`,
  )

test('a file tells of each owner in an order of his own, and says before whose stock would change', async () => {
  const lines = [
    MOVES,
    `NWF,CHI-1,10,ACME,count,10,${at},2`,
    `NWF,CHI-1,10,own,count,-1,${at},2`,
    `NWF,CHI-1,10,ACME,receipt,2,${at},1`,
  ]
  const { report } = await feed.load('moves.csv', lines, '--dry-run')
  expect(report).toMatchObject({
    taken: 2,
    repeated: 1,
    changes: [
      { ...place, sku: '10', owner: 'ACME', before: statuses('2'), after: statuses('12') },
      { ...place, sku: '10', before: statuses('30'), after: statuses('29') },
    ],
  })
  expect(await shown('10')).toEqual(['own 30 30', 'ACME 2 0'])
  await feed.load('moves.csv', lines)
  expect(await shown('10')).toEqual(['own 29 29', 'ACME 12 0'])
  expect(await shown('10', '--owner', 'ACME', '--location', 'CHI-1')).toEqual(['ACME 12 0'])
}, 60_000)

test('an owner that is no code, or that a field contradicts, is refused by line and field', async () => {
  const columns = `${MOVES},purchase_order`
  const lines = [
    columns,
    `NWF,CHI-1,11,A B,receipt,1,${at},1,`,
    `NWF,CHI-1,11,OWN,receipt,1,${at},1,`,
    `NWF,CHI-1,11,ACME,receipt,1,${at},1,4500000017`,
  ]
  const { code, report } = await feed.load('bad.csv', lines)
  expect(code).toBe(4)
  const cure = expect.stringMatching(/1 to 20 letters.*our own stock is own/) as string
  expect(report).toMatchObject({
    taken: 0,
    refused: [
      { line: 2, field: 'owner', code: 'inventory.owner_invalid', message: cure },
      { line: 3, field: 'owner', code: 'inventory.owner_invalid', message: cure },
      { line: 4, field: 'owner', code: 'inventory.owner_contradicts' },
    ],
  })
  const counts = await feed.load('bad-counts.csv', [COUNTS, `NWF,CHI-1,11,A B,1,${later}`])
  expect(counts.report).toMatchObject({ refused: [{ line: 2, field: 'owner' }] })
}, 60_000)

test('a whole count is held against our books alone, and counts what it names of others', async () => {
  const lines = [
    COUNTS,
    `NWF,CHI-1,10,own,28,${later}`,
    `NWF,CHI-1,10,ACME,11,${later}`,
    `NWF,CHI-1,11,BETA,7,${later}`,
  ]
  const { report } = await feed.load('all.whole.csv', lines, '--whole')
  expect(report).toMatchObject({ taken: 3, corrected: 3, told: 0, refused: [] })
  expect(await shown('10')).toEqual(['own 28 28', 'ACME 11 0'])
  expect(await shown('11')).toEqual(['own 0 0', 'BETA 7 0'])
  const ours = await feed.load('ours.whole.csv', [COUNTS, `NWF,CHI-1,10,,28,2026-11-02T10:00:00Z`], '--whole')
  expect(ours.report).toMatchObject({ taken: 1, corrected: 0 })
  expect(await shown('11')).toEqual(['own 0 0', 'BETA 7 0'])
}, 60_000)

test('a whole count with an owner that is no code leaves that item as it is, whomever it meant', async () => {
  await feed.load('five.csv', [COUNTS, `NWF,CHI-1,11,,5,2026-11-02T10:30:00Z`])
  const lines = [COUNTS, `NWF,CHI-1,10,,28,2026-11-02T11:00:00Z`, `NWF,CHI-1,11,OWN,5,2026-11-02T11:00:00Z`]
  const { report } = await feed.load('typo.whole.csv', lines, '--whole')
  expect(report).toMatchObject({ refused: [{ line: 3, field: 'owner' }], taken: 1, corrected: 0 })
  expect(await shown('11')).toEqual(['own 5 5', 'BETA 7 0'])
}, 60_000)

test('units of another owner are told by file and shown as his, and one that is ours is in doubt', async () => {
  const columns = `${MOVES},serials`
  const row = (owner: string, quantity: number, nth: number, serials: string) =>
    `NWF,CHI-1,12,${owner},receipt,${quantity},${at},${nth},${serials}`
  const first = [columns, row('', 1, 1, 'SN-1'), row('ACME', 2, 1, 'SN-2;SN-3')]
  expect((await feed.load('units.csv', first)).report).toMatchObject({ taken: 2, refused: [] })
  const whose = async (...more: string[]) =>
    rowsOf<{ serial: string; owner: string }>(await feed.run('serials', '12', '--json', ...more)).map(
      ({ serial, owner }) => `${serial} ${owner}`,
    )
  expect(await whose()).toEqual(['SN-1 own', 'SN-2 ACME', 'SN-3 ACME'])
  expect(await whose('--owner', 'ACME')).toEqual(['SN-2 ACME', 'SN-3 ACME'])
  await feed.load('units-2.csv', [columns, row('ACME', 1, 2, 'SN-1')])
  expect((await feed.run('serials', '12')).stdout).toMatch(/SN-1 .* elsewhere: CHI-1\n/)
  expect((await feed.run('serial', 'SN-1')).stdout).toMatch(
    /SN-1 of 12 is available of ACME at CHI-1\n.*elsewhere\): CHI-1 has to explain it/,
  )
}, 60_000)

test('it is taken over at the terminal, told with both owners, and shown as ours', async () => {
  const words = ['adjust', 'handed-over', '10', '--location', 'CHI-1', '--quantity', '4', '--owner', 'ACME']
  const paper = ['--reason', 'ownership', '--reference', 'call-off 7']
  const taken = await feed.run(...words, '--to-owner', 'own', ...paper)
  expect(taken).toMatchObject({ code: 0, stderr: '' })
  expect(taken.stdout).toContain('handed-over 4 EA of 10 of ACME to own at CHI-1')
  // an item without a price is changed by two persons
  const [number] = /^A-\d+/.exec(taken.stdout)!
  const decided = await feed.run('decide', number, '--approve', '--reason', 'used', '--by', 'bob')
  expect(decided).toMatchObject({ code: 0, stderr: '' })
  expect(await shown('10')).toEqual(['own 32 32', 'ACME 7 0'])
  const listed = await feed.run('show', '10', '--location', 'CHI-1')
  expect(listed.stdout).toMatch(/OWNER\n.*CHI-1 .* own\n.*CHI-1 .* 0 EA .* ACME/)
  expect((await feed.run(...words, ...paper)).stderr).toContain('toOwner')
}, 60_000)
