/** An 846 of single items with lines that cannot be read: the others are booked, and somebody has each item counted again. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { thirdPartyFile, thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const [LOTS, PLAIN, TITLED] = ['47301', '47302', '47303'] as const
const NOT_COUNTED = 'inventory.items_not_counted'
const MINUTE_MS = 60_000

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([
    thirdPartyGuide({
      receives: ['846'],
      items: [
        { qualifier: 'VN', is: 'sku' },
        { qualifier: 'UP', is: 'gtin' },
      ],
    }),
  ])
  house = await openWholesaler(
    [
      { number: LOTS, stock: { DC1: 24 }, item: { lotControlled: true } },
      { number: PLAIN, stock: { DC1: 24 } },
      { number: TITLED, stock: { DC1: 24 } },
    ],
    [{ number: '500001' }],
    {
      config: {
        edi: folders.config,
        locations: [
          { code: 'DC1', company: 'NWF', type: '3pl', wms: 'threepl', timeZone: 'America/New_York' },
        ],
      },
    },
  )
  // A count that was taken before the books were opened says nothing of them.
  await house.query(`update inventory.movement set at = at - interval '1 hour' where from_bucket = 'opening'`)
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

const began = Date.now() - 20 * MINUTE_MS
let files = 0
/** Each a minute behind the one before, unless it says of when it is. */
async function count(lines: readonly string[], minute = files + 1) {
  files++
  const [day, time] = new Date(began + minute * MINUTE_MS).toISOString().split('T') as [string, string]
  const moment = `${day.replaceAll('-', '')}*${time.slice(0, 5).replace(':', '')}`
  const set = setText([`BIA*00*DD*C-${files}*${moment}`, ...lines], '846')
  const path = thirdPartyFile(folders.root, { nth: files, group: 'IB' }, set)
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}
const lot = (name: string, pieces: number, unit = 'EA') => [
  `LIN**VN*${LOTS}*LT*${name}`,
  `QTY*33*${pieces}*${unit}`,
]
const plain = (pieces: number) => [`LIN**VN*${PLAIN}`, `QTY*33*${pieces}*EA`]
const GTIN = '036000291452'
const titled = (pieces: number) => [`LIN**UP*${GTIN}`, `QTY*33*${pieces}*EA`]

const onHand = async () => {
  const rows = await house.query<{ place: string; available: number }>(
    `select i.sku || p.lot as place, p.available from inventory.position p join items.item i on i.id = p.item_id
     where p.location = 'DC1' order by 1`,
  )
  return Object.fromEntries(rows.map(({ place, available }) => [place, available]))
}
type Told = {
  readonly owner: string
  readonly title: string
  readonly facts: {
    readonly items: number
    readonly lines: { readonly line: number; readonly item: string }[]
  }
}
const told = () =>
  house.query<Told>(
    'select owner, title, facts from exceptions.exception where code = $1 and closed_at is null',
    [NOT_COUNTED],
  )
const itemsTold = async () => (await told()).flatMap(({ facts }) => facts.lines.map(({ item }) => item))

test('what can be read is booked, an item of which one lot cannot stays with all its lots, and each unread line has an owner', async () => {
  expect(await count([...lot('L1', 16), ...lot('L2', 8)])).toEqual(['applied'])
  const lines = [...lot('L1', 3), ...lot('L2', 8, 'ZZ'), ...titled(7), ...plain(20)]
  expect(await count(lines)).toEqual(['applied'])
  expect(await onHand()).toEqual({
    [LOTS]: 24,
    [`${LOTS}L1`]: 16,
    [`${LOTS}L2`]: 8,
    [PLAIN]: 20,
    [TITLED]: 24,
  })
  expect(await told()).toMatchObject([
    {
      owner: 'edi-desk',
      title: '2 items that threepl counts at DC1 could not be read: what our books have of them stays',
      facts: {
        items: 2,
        lines: [
          { line: 1, item: LOTS, reason: `Another line of ${LOTS} cannot be read.` },
          {
            line: 3,
            item: `UP ${GTIN}`,
            text: `LIN**UP*${GTIN}`,
            reason: expect.stringMatching(/^LIN03: /),
            cure: expect.stringContaining('counted again'),
          },
        ],
      },
    },
  ])
  const { body } = await house.send('GET', '/process/inventory/v1/reconciliations?company=NWF&location=DC1')
  expect(body).toMatchObject({
    items: [
      {
        matched: 0,
        adjusted: 1,
        notSaid: 0,
        unread: 3,
        unreadLines: [{ line: 1 }, { line: 2 }, { line: 3 }],
      },
      {},
    ],
  })
})

test('it waits until each of these items is counted, and a late count of before leaves nothing behind', async () => {
  expect(await count(plain(19))).toEqual(['applied'])
  expect(await itemsTold()).toEqual([LOTS, `UP ${GTIN}`])
  expect(await count([...lot('L1', 3), ...lot('L2', 8)])).toEqual(['applied'])
  expect(await onHand()).toMatchObject({ [LOTS]: 11, [`${LOTS}L1`]: 3, [PLAIN]: 19 })
  expect(await itemsTold()).toEqual([`UP ${GTIN}`])
  expect(await count([...lot('L2', 8, 'ZZ'), ...titled(5), ...plain(1)], 2)).toEqual(['applied'])
  expect(await itemsTold()).toEqual([`UP ${GTIN}`])
})

test('an id that leads to its item by now is counted by it', async () => {
  await house.query(
    `insert into items.identifier (company, scheme, value, item_id)
     select company, 'gtin', $1, id from items.item where sku = $2`,
    [GTIN.padStart(14, '0'), TITLED],
  )
  expect(await count(titled(7))).toEqual(['applied'])
  expect(await onHand()).toMatchObject({ [TITLED]: 7 })
  expect(await told()).toEqual([])
})

test('a line of a lot that leads to no item may be of any that has the lot', async () => {
  const before = await onHand()
  const nobodys = ['LIN**UP*000000000017*LT*L2', 'QTY*33*8*EA']
  expect(await count([...lot('L1', 2), ...nobodys, ...plain(18)])).toEqual(['applied'])
  expect(await onHand()).toEqual({ ...before, [PLAIN]: 18 })
  expect((await told())[0]?.facts.lines).toMatchObject([
    {
      line: 1,
      item: LOTS,
      reason: `Lot L2 of ${LOTS} is there by our books and not named, and line 2 may be of it.`,
    },
    { line: 2, item: 'UP 000000000017' },
  ])
  expect(await count([...lot('L1', 2), ...lot('L2', 8), ...nobodys])).toEqual(['applied'])
  expect(await onHand()).toMatchObject({ [LOTS]: 10, [`${LOTS}L1`]: 2, [`${LOTS}L2`]: 8 })
  expect(await itemsTold()).toEqual(['UP 000000000017'])
})

test('a count of which no line can be read waits whole for a person', async () => {
  expect(await count(lot('L1', 1, 'ZZ'))).toEqual(['quarantined'])
  expect(await onHand()).toMatchObject({ [`${LOTS}L1`]: 2 })
  expect(await itemsTold()).toEqual(['UP 000000000017'])
})
