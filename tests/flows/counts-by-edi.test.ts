/** A warehouse that speaks EDI alone counts: its 846 is a report, is taken within its tolerance, and is told beyond it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReconciliationView } from '#domains/inventory/contract/reconciliations.ts'
import { ediFolders, type EdiFolders, sentTo } from '#tests/support/edi.ts'
import { thirdPartyFile, thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const PARTNER = 'threepl'
const PATH = '/process/inventory/v1/reconciliations'

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([
    thirdPartyGuide({
      receives: ['846'],
      wholeCounts: true,
    }),
  ])
  const goods = ['47201', '47202', '47203'].map((number) => ({ number, stock: { DC1: 40 } }))
  house = await openWholesaler(goods, [{ number: '500001' }], {
    config: {
      edi: folders.config,
      locations: [
        { code: 'DC1', company: 'NWF', type: '3pl', wms: PARTNER, timeZone: 'America/New_York' },
        { code: 'DC2', type: 'warehouse', wms: 'wms', timeZone: 'America/New_York' },
      ],
      feeds: { [PARTNER]: { locations: ['DC1'], tolerance: { units: 2 } } },
    },
  })
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

let files = 0
async function count(...lines: readonly (readonly [sku: string, pieces: number, unit?: string])[]) {
  files++
  const [day, time] = new Date(Date.now() + files * 1_000).toISOString().split('T') as [string, string]
  const moment = `${day.replaceAll('-', '')}*${time.slice(0, 8).replaceAll(':', '')}`
  const loops = lines.flatMap(([sku, pieces, unit = 'EA']) => [`LIN**VN*${sku}`, `QTY*33*${pieces}*${unit}`])
  const set = setText([`BIA*00*DD*C-${files}*${moment}`, ...loops], '846')
  const path = thirdPartyFile(folders.root, { nth: files, group: 'IB' }, set)
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}
const last = async () => {
  const { body } = await house.send('GET', `${PATH}?company=NWF&location=DC1`)
  return (body as unknown as { items: ReconciliationView[] }).items[0]!
}
const onHand = async () => {
  const rows = await house.query<{ sku: string; available: number }>(
    `select i.sku, p.available from inventory.position p join items.item i on i.id = p.item_id
     where p.location = 'DC1' and p.lot = '' order by i.sku`,
  )
  return Object.fromEntries(rows.map(({ sku, available }) => [sku, available]))
}

test('its count is the proof of the day: what it leaves out and what is far off is told together, the rest is taken', async () => {
  expect(await count(['47201', 39], ['47202', 30])).toEqual(['applied'])
  expect(await last()).toMatchObject({
    source: PARTNER,
    askedBy: PARTNER,
    dryRun: false,
    state: 'done',
    differing: 2,
    missingThere: 1,
    adjusted: 1,
    told: 2,
  })
  expect(await onHand()).toEqual({ 47201: 39, 47202: 40, 47203: 40 })
  expect(await house.openExceptions('inventory.books_differ')).toMatchObject([
    { title: 'threepl counts less than our books of 2 items at DC1' },
  ])
  const { body } = await house.send('GET', `${PATH}/${(await last()).id}/differences`)
  expect(body).toMatchObject({
    items: [
      { sku: '47201', kind: 'differing', outcome: 'adjusted' },
      { sku: '47202', kind: 'differing', outcome: 'told' },
      { sku: '47203', kind: 'missing_there', outcome: 'told' },
    ],
  })
})

test('one that agrees closes what was told', async () => {
  expect(await count(['47201', 39], ['47202', 40], ['47203', 40])).toEqual(['applied'])
  expect(await last()).toMatchObject({ matched: 3, told: 0 })
  expect(await house.openExceptions('inventory.books_differ')).toEqual([])
})

test('with an item that we do not have it says nothing of what it leaves out, until it comes whole', async () => {
  const agreed = [
    ['47201', 39],
    ['47202', 40],
  ] as const
  expect(await count(...agreed, ['4720E', 40])).toEqual(['applied'])
  expect(await last()).toMatchObject({
    whole: false,
    matched: 2,
    missingThere: 0,
    notSaid: 1,
    unread: 1,
    unreadLines: [{ line: 3, text: 'LIN**VN*4720E', reason: 'NWF has no item 4720E' }],
  })
  expect(await onHand()).toMatchObject({ 47203: 40 })
  expect(await house.openExceptions('inventory.count_not_concluded')).toHaveLength(1)
  expect(await count(...agreed, ['47203', 39])).toEqual(['applied'])
  expect(await last()).toMatchObject({ whole: true, notSaid: 0, adjusted: 1 })
  expect(await house.openExceptions('inventory.count_not_concluded')).toEqual([])
})

test('with a line that cannot be read its others are taken, the line has an owner, and of what it leaves out it says nothing', async () => {
  expect(await count(['47201', 38], ['47202', 40, 'ZZ'])).toEqual(['applied'])
  const [answer] = (await sentTo(folders, PARTNER, '997')).slice(-1)
  expect(answer!.set.segments.filter(({ id }) => id === 'AK5')).toMatchObject([{ elements: ['AK5', 'A'] }])
  const report = await last()
  expect(report).toMatchObject({ whole: false, adjusted: 1, missingThere: 0, notSaid: 2, unread: 1 })
  expect(report.unreadLines).toEqual([
    {
      line: 2,
      item: '47202',
      text: 'LIN**VN*47202 QTY*33*40*ZZ',
      reason: 'QTY03: The unit of the line is not in the guide. (ZZ)',
      cure: expect.stringMatching(/^Add the unit to the guide's `units`/),
    },
  ])
  expect(await onHand()).toEqual({ 47201: 38, 47202: 40, 47203: 39 })
  expect(
    await house.query(
      "select owner, facts->'lines' as lines from exceptions.exception where code = $1 and closed_at is null",
      ['inventory.count_not_concluded'],
    ),
  ).toEqual([{ owner: 'edi-desk', lines: report.unreadLines }])
  expect(await house.openExceptions('edi.quarantined')).toEqual([])
  expect(await count(['47201', 38], ['47202', 41])).toEqual(['applied'])
  expect(await last()).toMatchObject({ whole: true, missingThere: 1, adjusted: 1, told: 1 })
  expect(await house.openExceptions('inventory.count_not_concluded')).toEqual([])
})

test('nobody can ask it', async () => {
  const { status, body } = await house.send('POST', PATH, { body: { company: 'NWF', location: 'DC1' } })
  expect({ status, body }).toMatchObject({ status: 422, body: { code: 'inventory.nobody_counts' } })
  expect(JSON.stringify(body)).toContain('have it send its 846')
})
