/** A 945 or 947 that tells the day alone, beside counts of that day: what left is out of stock once, and never sold again. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const SKU = '47401'
const [LOST, HELD, GONE] = ['47402', '47403', '47404']
const WITHIN = { timeout: 15_000 }
const SECOND_MS = 1_000

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([
    thirdPartyGuide({
      receives: ['945', '947', '846', '997'],
      warehouse: { adjustments: { PC: 'count', QH: 'quality-hold' } },
    }),
  ])
  house = await openWholesaler(
    [SKU, LOST, HELD, GONE].map((number) => ({ number, stock: { DC1: 24 } })),
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
  const control = String(++files).padStart(9, '0')
  const path = join(folders.root, `${control}.edi`)
  writeFileSync(
    path,
    [
      `ISA*00*          *00*          *ZZ*${'THREEPL'.padEnd(15)}*ZZ*${'US'.padEnd(15)}*${day.slice(2)}*${time.slice(0, 4)}*U*00401*${control}*0*P*>~`,
      `GS*${GROUPS[type]}*THREEPL*US*${day}*${time}*${files}*X*004010~`,
      setText([...segments], String(type)),
      `GE*1*${files}~IEA*1*${control}~`,
    ].join(''),
  )
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
