/** A warehouse that speaks EDI alone: an order goes to it by 940, comes back by 945, and is billed; one is taken back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SHIPPING_ORDER } from '#systems/edi/documents/940.ts'
import { matchStructure } from '#systems/edi/documents/structure.ts'
import { ediFolders, type EdiFolders, type Sent, sentTo } from '#tests/support/edi.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'
import { setText } from '../systems/edi/x12-text.ts'

const SKU = '47101'
const PARTNER = 'threepl'
const WITHIN = { timeout: 15_000 }

let folders: EdiFolders
let house: Wholesaler
beforeAll(async () => {
  folders = ediFolders([
    thirdPartyGuide({
      receives: ['944', '945', '947', '846', '997'],
      warehouse: { cancellations: true },
    }),
  ])
  house = await openWholesaler([{ number: SKU, stock: { DC1: 40 } }], [{ number: '500001' }], {
    config: {
      edi: folders.config,
      locations: [
        { code: 'DC1', company: 'NWF', type: '3pl', wms: PARTNER, timeZone: 'America/New_York' },
        { code: 'DC2', type: 'warehouse', wms: 'wms', timeZone: 'America/New_York' },
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

let files = 0
async function send(functionalId: string, type: string, segments: readonly string[]) {
  const control = String(++files).padStart(9, '0')
  const path = join(folders.root, `${control}.edi`)
  writeFileSync(
    path,
    [
      `ISA*00*          *00*          *ZZ*${'THREEPL'.padEnd(15)}*ZZ*${'US'.padEnd(15)}*261120*0915*U*00401*${control}*0*P*>~`,
      `GS*${functionalId}*THREEPL*US*20261120*0915*${files}*X*004010~`,
      setText(segments, type),
      `GE*1*${files}~IEA*1*${control}~`,
    ].join(''),
  )
  return (await house.app.edi!.ingest(path)).sets.map(({ outcome }) => outcome)
}

/** What was left for the warehouse of that request, by its status. */
async function asked(request: string): Promise<Map<string, Sent>> {
  const sent = await sentTo(folders, PARTNER, '940')
  const mine = sent.filter(({ set }) => set.segments.some(({ elements }) => elements[2] === request))
  return new Map(mine.map((one) => [one.set.segments.find(({ id }) => id === 'W05')!.elements[1]!, one]))
}
async function requestOf({ doc }: Placed): Promise<string> {
  const found = () =>
    house.query<{ id: number }>(
      `select id from shipments.fulfillment where order_id = $1 and location = 'DC1' and state = 'accepted'`,
      [doc],
    )
  await expect.poll(found, WITHIN).toHaveLength(1)
  return `F-${(await found())[0]!.id}`
}
const stock = async () =>
  (
    await house.query<{ available: number; reserved: number }>(
      `select p.available, p.reserved from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
      [SKU],
    )
  )[0]!
const invoicesOf = ({ doc }: Placed) =>
  house.query<{ state: string }>('select state from billing.invoice where order_id = $1', [doc])

test('an order goes out by 940, is acknowledged, ships by 945 and is billed', async () => {
  const order = await house.order({ customerOrder: 'PO-940', lines: [[SKU, 12]] })
  const request = await requestOf(order)
  const document = (await asked(request)).get('N')!
  const { root } = matchStructure(SHIPPING_ORDER, document.set.segments)
  expect(root.loops.map(({ id }) => id)).toEqual(['N1', 'N1', 'LX'])
  expect(document.set.segments.map(({ elements }) => elements.join('*'))).toEqual(
    expect.arrayContaining([
      `W05*N*${request}*PO-940`,
      `N9*VN*${order.body.id}`,
      `W01*12*EA**VN*${SKU}`,
      'N9*LI*1',
      'W76*12',
    ]),
  )
  expect(document.group).toBe('OW')
  const number = Number(document.control)
  const accepted = [`AK1*OW*${number}`, 'AK2*940*0001', 'AK5*A', 'AK9*A*1*1*1']
  expect(await send('FA', '997', accepted)).toEqual(['applied'])
  expect(
    await house.query('select acknowledgment from edi.outbound where type = $1 and control_number = $2', [
      '940',
      number,
    ]),
  ).toEqual([{ acknowledgment: 'accepted' }])

  const shipped = [`W06*F*${request}*20261120*SH-1`, 'LX*1', `W12*CC*12*12**EA**VN*${SKU}`, 'N9*LI*1']
  expect(await send('SW', '945', shipped)).toEqual(['applied'])
  await house.closed(order)
  expect(await house.lines(order)).toMatchObject([{ shipped: 12 }])
  expect(await invoicesOf(order)).toHaveLength(1)
  expect(house.landscape.legacyErp.truth().invoices).toHaveLength(1)
  expect(await stock()).toEqual({ available: 28, reserved: 0 })
})

test('an order that is cancelled is taken back by a 940, and what leaves nevertheless waits for a person', async () => {
  const order = await house.order({ lines: [[SKU, 10]] })
  const request = await requestOf(order)
  const { status } = await house.send('POST', `${O2C}/orders/${order.body.id}:cancel`, {
    body: { reason: 'ordered twice' },
  })
  expect(status).toBe(202)
  await house.closed(order)
  expect(await house.stageOf(order)).toBe('cancelled')
  expect([...(await asked(request)).keys()]).toEqual(['N', 'F'])
  expect(await stock()).toEqual({ available: 28, reserved: 0 })

  const shipped = [`W06*F*${request}*20261121*SH-2`, 'LX*1', `W12*CC*10*10**EA**VN*${SKU}`]
  expect(await send('SW', '945', shipped)).toEqual(['applied'])
  expect(await house.openExceptions('shipments.request_taken_back')).toHaveLength(1)
  expect(await stock()).toEqual({ available: 28, reserved: 0 })
  const nothing = [`W06*F*${request}*20261121*SH-3`, 'LX*1', `W12*CC*10*0**EA**VN*${SKU}`]
  expect(await send('SW', '945', nothing)).toEqual(['applied'])
  expect(await house.openExceptions('shipments.request_taken_back')).toHaveLength(1)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
