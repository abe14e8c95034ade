/** A 945 or 947 that tells the day alone, beside counts of that day: what left is out of stock once, and never sold again. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { thirdPartyFile, thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const SKU = '47401'
const [LOST, HELD, GONE, DOUBTED] = ['47402', '47403', '47404', '47405']
const COUNTED = Array.from({ length: 9 }, (_, nth) => `4741${nth}`)
const WITHIN = { timeout: 15_000 }
const SECOND_MS = 1_000

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([
    thirdPartyGuide({
      receives: ['945', '947', '846', '997'],
      stock: { 33: 'available', QH: 'qualityHold' },
      warehouse: { adjustments: { PC: 'count', QH: 'quality-hold', QR: 'quality-release' } },
    }),
  ])
  house = await openWholesaler(
    [SKU, LOST, HELD, GONE, DOUBTED, ...COUNTED].map((number) => ({ number, stock: { DC1: 24 } })),
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

type Written = { readonly day: string; readonly time: string }
/** As the clock of the warehouse shows it, which keeps to UTC. */
function momentOf(ms: number): Written {
  const [day, time] = new Date(ms).toISOString().split('T') as [string, string]
  return { day: day.replaceAll('-', ''), time: time.slice(0, 8).replaceAll(':', '') }
}

let files = 0
const GROUPS = { 945: 'SW', 947: 'AW', 846: 'IB' } as const
async function send(type: keyof typeof GROUPS, { day, time }: Written, segments: readonly string[]) {
  const set = setText([...segments], String(type))
  const path = thirdPartyFile(folders.root, { nth: ++files, group: GROUPS[type], day, time }, set)
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}
const count = (at: Written, pieces: number, ...skus: readonly string[]) =>
  send(846, at, [
    `BIA*00*DD*C-${files}*${at.day}*${at.time}`,
    ...(skus.length > 0 ? skus : [SKU]).flatMap((sku) => [`LIN**VN*${sku}`, `QTY*33*${pieces}*EA`]),
  ])
const ship = (at: Written, request: string, pieces: number) =>
  send(945, at, [`W06*F*${request}*${at.day}*SH-${files}`, 'LX*1', `W12*CC**${pieces}**EA**VN*${SKU}`])
const adjust = (at: Written, sku: string, change: string) =>
  send(947, at, [`W15*${at.day}*A-${files}`, `W19*${change}*EA**VN*${sku}`])

async function requestOf({ doc }: Placed): Promise<string> {
  const found = () =>
    house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and state = 'accepted'`,
      [doc],
    )
  await expect.poll(found, WITHIN).toHaveLength(1)
  return `F-${(await found())[0]!.id}`
}
const stock = async (sku = SKU) =>
  (
    await house.query<{ available: number; reserved: number }>(
      `select p.available::int as available, p.reserved::int as reserved from inventory.position p
       join items.item i on i.id = p.item_id where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
      [sku],
    )
  )[0]

test('what is lost or put aside behind a count of its day that is read later is no longer for sale', async () => {
  const counted = Date.now() - 60 * SECOND_MS
  const after = momentOf(counted + 3 * SECOND_MS)
  expect(await adjust(after, LOST, 'PC*-2')).toEqual(['applied'])
  expect(await adjust(after, HELD, 'QH*2')).toEqual(['applied'])
  expect(await count(momentOf(counted), 24, LOST, HELD)).toEqual(['applied'])
  expect(await stock(LOST)).toEqual({ available: 22, reserved: 0 })
  expect(await stock(HELD)).toEqual({ available: 22, reserved: 0 })
})

test('what was lost before the count of its day is in that count', async () => {
  const counted = Date.now() - 30 * SECOND_MS
  expect(await adjust(momentOf(counted - 3 * SECOND_MS), GONE, 'PC*-2')).toEqual(['applied'])
  expect(await count(momentOf(counted), 22, GONE)).toEqual(['applied'])
  expect(await stock(GONE)).toEqual({ available: 22, reserved: 0 })
})

type Adjustment = {
  readonly name: string
  readonly change: string
  /** Beside its day. */
  readonly time?: Written
}
const adjustAs = (written: Written, sku: string, { name, change, time }: Adjustment) =>
  send(947, written, [
    `W15*${written.day}*${name}`,
    ...(time ? [`G62*07*${time.day}*W*${time.time}`] : []),
    `W19*${change}*EA**VN*${sku}`,
  ])
const split = async (sku: string) => {
  const [row] = await house.query<{ available: number; hold: number; moved: number }>(
    `select p.available::int as available, p.quality_hold::int as hold,
       (select count(*)::int from inventory.movement m where m.item_id = i.id and m.lot = '' and m.source_key like '947/%') as moved
     from inventory.position p join items.item i on i.id = p.item_id
     where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
    [sku],
  )
  return row
}
const BEFORE = -3 * SECOND_MS
const BEHIND = 3 * SECOND_MS
const CAME = 6 * SECOND_MS

/** As the warehouse has them at its count, which is read first: 24, of which some were lost, are on hold, or were found. */
test.each(
  [
    {
      what: 'lost',
      when: 'a time before the count',
      change: 'PC*-2',
      at: BEFORE,
      written: CAME,
      counted: [22, 0],
      there: [22, 0],
    },
    {
      what: 'lost',
      when: 'its day alone, written before the count',
      change: 'PC*-2',
      written: BEFORE,
      counted: [22, 0],
      there: [22, 0],
    },
    {
      what: 'lost',
      when: 'a time behind the count',
      change: 'PC*-2',
      at: BEHIND,
      written: CAME,
      counted: [24, 0],
      there: [22, 0],
    },
    {
      what: 'lost',
      when: 'its day alone, written behind the count',
      change: 'PC*-2',
      written: BEHIND,
      counted: [24, 0],
      there: [22, 0],
    },
    {
      what: 'on hold',
      when: 'a time before the count',
      change: 'QH*2',
      at: BEFORE,
      written: CAME,
      counted: [22, 2],
      there: [22, 2],
    },
    {
      what: 'on hold',
      when: 'its day alone, written before the count',
      change: 'QH*2',
      written: BEFORE,
      counted: [22, 2],
      there: [22, 2],
    },
    {
      what: 'let go',
      when: 'its day alone, written behind the count',
      change: 'QR*2',
      written: BEHIND,
      counted: [24, 0],
      there: [24, 0],
    },
    {
      what: 'found',
      when: 'its day alone, written behind the count',
      change: 'PC*5',
      written: BEHIND,
      counted: [29, 0],
      there: [29, 0],
    },
    {
      what: 'found',
      when: 'a time behind the count',
      change: 'PC*5',
      at: BEHIND,
      written: CAME,
      counted: [24, 0],
      there: [29, 0],
    },
  ].map((one, nth) => ({ ...one, nth })),
)(
  'what was $what and is told with $when, behind a count that was read first, is booked once at most, however often it is sent',
  async ({ change, at, written, counted: [available, hold], there, nth }) => {
    const sku = COUNTED[nth]!
    const countedAt = Date.now() - 20 * SECOND_MS
    const asCounted = momentOf(countedAt)
    expect(
      await send(846, asCounted, [
        `BIA*00*DD*F-${nth}*${asCounted.day}*${asCounted.time}`,
        `LIN**VN*${sku}`,
        `QTY*33*${available}*EA`,
        `QTY*QH*${hold}*EA`,
      ]),
    ).toEqual(['applied'])
    const told = { name: `B-${nth}`, change, ...(at !== undefined && { time: momentOf(countedAt + at) }) }
    for (let time = 0; time < 2; time++)
      expect(await adjustAs(momentOf(countedAt + written), sku, told)).toEqual(['applied'])
    const isIn = there[0] === available
    expect(await split(sku)).toEqual({ available: there[0], hold: there[1], moved: isIn ? 0 : 1 })
  },
)

test('what was lost on a day that its count may have without it is not for sale until the next count', async () => {
  const countedAt = Date.now() - 20 * SECOND_MS
  const told = { name: 'B-day', change: 'PC*-2' }
  expect(await count(momentOf(countedAt), 22, DOUBTED)).toEqual(['applied'])
  expect(await adjustAs(momentOf(countedAt + BEHIND), DOUBTED, told)).toEqual(['applied'])
  expect(await split(DOUBTED)).toEqual({ available: 20, hold: 0, moved: 1 })
  expect(await count(momentOf(countedAt + CAME), 22, DOUBTED)).toEqual(['applied'])
  expect(await adjustAs(momentOf(countedAt + 2 * CAME), DOUBTED, told)).toEqual(['applied'])
  expect(await split(DOUBTED)).toEqual({ available: 22, hold: 0, moved: 1 })
})

test('what leaves after the count of its day is taken from what was counted', async () => {
  const order = await house.order({ lines: [[SKU, 5]] })
  const request = await requestOf(order)
  const now = Date.now()
  expect(await count(momentOf(now - 3 * SECOND_MS), 24)).toEqual(['applied'])
  expect(await ship(momentOf(now), request, 5)).toEqual(['applied'])
  await house.closed(order)
  expect(await stock()).toEqual({ available: 19, reserved: 0 })
})

test('what was told before the count of its day is in that count', async () => {
  const order = await house.order({ lines: [[SKU, 4]] })
  const request = await requestOf(order)
  const now = Date.now()
  expect(await count(momentOf(now), 15)).toEqual(['applied'])
  expect(await ship(momentOf(now - 3 * SECOND_MS), request, 4)).toEqual(['applied'])
  await house.closed(order)
  expect(await stock()).toEqual({ available: 15, reserved: 0 })
})

test('a day that has not come yet is for a person', async () => {
  const order = await house.order({ lines: [[SKU, 1]] })
  await send(945, momentOf(Date.now()), [
    `W06*F*${await requestOf(order)}*20991120*SH-9`,
    'LX*1',
    `W12*CC**1**EA**VN*${SKU}`,
  ])
  expect(await house.openExceptions('inventory.time_ahead')).toHaveLength(1)
})
