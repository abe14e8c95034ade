/** A 945 that comes behind the last one of its request: what was short is taken back as far as its order still wants it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violations } from '#tests/support/books-rules.ts'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const PARTNER = 'threepl'
const WITHIN = { timeout: 15_000 }
const NEVER_MS = 3_600_000
const [WAITS, TOGETHER, AGAIN, MORE, TWO] = ['47301', '47302', '47303', '47304', '47305'] as const

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([thirdPartyGuide({ receives: ['945', '997'] })])
  house = await openWholesaler(
    [WAITS, TOGETHER, AGAIN, MORE, TWO].map((number) => ({ number, stock: { DC1: 24 } })),
    [{ number: '500001' }],
    {
      config: {
        edi: folders.config,
        locations: [
          { code: 'DC1', company: 'NWF', type: '3pl', wms: PARTNER, timeZone: 'America/New_York' },
          { code: 'DC2', type: 'warehouse', wms: 'wms', timeZone: 'America/New_York' },
        ],
      },
      landscape: { pace: { pickAfterMs: NEVER_MS, shipAfterMs: NEVER_MS } },
    },
  )
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

let files = 0
async function send(...sets: readonly (readonly string[])[]) {
  const control = String(++files).padStart(9, '0')
  const path = join(folders.root, `${control}.edi`)
  writeFileSync(
    path,
    [
      `ISA*00*          *00*          *ZZ*${'THREEPL'.padEnd(15)}*ZZ*${'US'.padEnd(15)}*261120*0915*U*00401*${control}*0*P*>~`,
      `GS*SW*THREEPL*US*20261120*0915*${files}*X*004010~`,
      ...sets.map((segments, n) => setText([...segments], '945', `000${n + 1}`)),
      `GE*${sets.length}*${files}~IEA*1*${control}~`,
    ].join(''),
  )
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}

/** BP: more follows; CC: that was all. */
const part = (
  request: string,
  shipment: string,
  status: 'BP' | 'CC',
  ...lines: [sku: string, quantity: number][]
) => [
  `W06*F*${request}*20261120*${shipment}`,
  'LX*1',
  ...lines.map(([sku, quantity]) => `W12*${status}*24*${quantity}**EA**VN*${sku}`),
]
async function requestOf({ doc }: Placed, location = 'DC1'): Promise<string> {
  const found = () =>
    house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and location = $2 and state = 'accepted'`,
      [doc, location],
    )
  await expect.poll(found, WITHIN).toHaveLength(1)
  return `F-${(await found())[0]!.id}`
}
const parked = () => house.openExceptions('shipments.shipped_after_end')
const stockAt = async (sku: string, location = 'DC1') =>
  (
    await house.query<object>(
      `select p.available::int as available, p.reserved::int as reserved, p.unreconciled::int as doubt
       from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.location = $2 and p.lot = ''`,
      [sku, location],
    )
  )[0]
const billed = ({ doc }: Placed) =>
  house.query<{ quantity: number }>(
    `select l.quantity::int as quantity from billing.invoice_line l join billing.invoice i on i.id = l.invoice_id
     where i.order_id = $1 order by i.id`,
    [doc],
  )
const agree = async () => expect(await violations(house.query)).toEqual([])

test('a part that is told behind the last one is shipped and billed, and nothing is short any more', async () => {
  const order = await house.order({ lines: [[WAITS, 24]] })
  const request = await requestOf(order)
  await send(part(request, 'SH-2', 'CC', [WAITS, 10]))
  await expect.poll(() => house.lines(order), WITHIN).toMatchObject([{ shipped: 10, backordered: 14 }])
  const late = part(request, 'SH-1', 'BP', [WAITS, 14])
  expect(await send(late)).toEqual(['applied'])
  await house.closed(order)
  expect(await house.lines(order)).toMatchObject([{ shipped: 24, backordered: 0 }])
  expect(await stockAt(WAITS)).toEqual({ available: 0, reserved: 0, doubt: 0 })
  expect(new Set((await billed(order)).map(({ quantity }) => quantity))).toEqual(new Set([10, 14]))
  await send(late)
  expect(await house.lines(order)).toMatchObject([{ shipped: 24 }])
  expect(await parked()).toEqual([])
  expect(await house.openExceptions('inventory.unreconciled')).toEqual([])
  await agree()
})

test('it is so for several lines in one file, and what is still missing stays short', async () => {
  const order = await house.order({
    lines: [
      [TOGETHER, 12],
      [TWO, 12],
    ],
  })
  const request = await requestOf(order)
  const sets = [
    part(request, 'SH-12', 'CC', [TOGETHER, 2], [TWO, 12]),
    part(request, 'SH-11', 'BP', [TOGETHER, 4]),
    part(request, 'SH-10', 'BP', [TOGETHER, 3]),
  ]
  expect(await send(...sets)).toEqual(['applied', 'applied', 'applied'])
  await expect
    .poll(() => house.lines(order), WITHIN)
    .toMatchObject([
      { shipped: 9, backordered: 3 },
      { shipped: 12, backordered: 0 },
    ])
  expect(await stockAt(TOGETHER)).toEqual({ available: 12, reserved: 0, doubt: 3 })
  await agree()
})

test('more than was short is put aside, says by how much, and moves nothing', async () => {
  const order = await house.order({ lines: [[MORE, 12]] })
  const request = await requestOf(order)
  await send(part(request, 'SH-22', 'CC', [MORE, 8]))
  await expect.poll(() => house.lines(order), WITHIN).toMatchObject([{ shipped: 8, backordered: 4 }])
  await send(part(request, 'SH-21', 'BP', [MORE, 5]))
  expect(await parked()).toMatchObject([
    { title: `${PARTNER}: 5 of line 1 left after ${request} had ended, which was short of 4` },
  ])
  expect(await house.lines(order)).toMatchObject([{ shipped: 8, backordered: 4 }])
  await agree()
})

test('what is to be sent again elsewhere is stopped first, and the part is booked when it is replayed', async () => {
  const order = await house.order({ lines: [[AGAIN, 24]] })
  const request = await requestOf(order)
  await send(part(request, 'SH-32', 'CC', [AGAIN, 20]))
  await expect.poll(() => house.lines(order), WITHIN).toMatchObject([{ shipped: 20, backordered: 4 }])
  house.count('DC2', AGAIN, 4)
  const again = await requestOf(order, 'DC2')
  const before = await parked()
  await send(part(request, 'SH-31', 'BP', [AGAIN, 4]))
  const told = (await parked()).filter(({ cause }) => before.every((one) => one.cause !== cause))
  expect(told).toMatchObject([
    {
      title: `${PARTNER}: 4 of line 1 left after ${request} had ended, and ${again} is to send 4 of it again`,
    },
  ])
  expect(await house.holdsOf(order)).toMatchObject([{ type: 'inventory', status: 'open' }])
  const stateOf = async () =>
    (
      await house.query<{ state: string }>('select state from shipments.fulfillment where id = $1', [
        Number(again.slice(2)),
      ])
    )[0]!.state
  await expect.poll(stateOf, WITHIN).toBe('cancelled')
  const [item] = await house.query<{ id: number }>(
    `select id from parking.item where system = $1 and key like '%SH-31%'`,
    [PARTNER],
  )
  const path = `/experience/control-tower/v1/parked-items/${item!.id}:replay`
  expect(await house.send('POST', path, { body: { reason: 'the other has stopped' } })).toMatchObject({
    status: 200,
  })
  await house.app.replayMessages()
  expect((await house.lines(order))[0]).toMatchObject({
    shipped: 24,
    backordered: 0,
    reserved: 0,
    released: 0,
  })
  expect(await parked()).toHaveLength(before.length)
  expect(await stockAt(AGAIN, 'DC2')).toEqual({ available: 4, reserved: 0, doubt: 0 })
  expect((await house.releaseHold(order, 'inventory')).status).toBeLessThan(300)
  await house.closed(order)
  await agree()
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
