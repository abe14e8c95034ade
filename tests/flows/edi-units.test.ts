/** Lines by the case that leave in parts of one, are sold by weight or wanted on a day of their own, in a partner's documents. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { INVOICE, parseInvoice } from '#systems/edi/documents/810.ts'
import { ORDER_ACKNOWLEDGMENT, parseOrderAcknowledgment } from '#systems/edi/documents/855.ts'
import { parseShipNotice, SHIP_NOTICE } from '#systems/edi/documents/856.ts'
import { matchStructure } from '#systems/edi/documents/structure.ts'
import { demoGuides, dropFile, partnerOf, toInterchange } from '../../src/demo-edi.ts'
import { ediFolders, type EdiFolders, sentTo } from '#tests/support/edi.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import { CATCH_WEIGHT, smallWorld } from '#tests/processes/wholesaler.ts'

const [HALVED, WEIGHED] = ['45001', '45002']
const BUYER = { number: '500001', door: 'edi', ediId: '4155571234' } as const
const PIECES_OF_A_CASE = 12

const world = smallWorld(
  [
    { number: HALVED, stock: { DC1: 12, DC2: 12 } },
    { number: WEIGHED, stock: { DC1: 40 }, priceMinor: 840, item: CATCH_WEIGHT },
  ],
  [BUYER],
)

let folders: EdiFolders
let house: House
beforeAll(async () => {
  folders = ediFolders(demoGuides(world))
  house = await openHouse({ world, config: { edi: folders.config } })
  house.app.edi!.watch()
}, 60_000)
afterAll(async () => {
  await house.end()
  folders.remove()
})

let orders = 0
function send(
  line: Pick<WorldOrder['lines'][number], 'item' | 'quantity' | 'priceMinor' | 'priceUnit'>,
  wantedOn?: string,
): void {
  const nth = ++orders
  const order: WorldOrder = {
    nth,
    company: 'NWF',
    door: 'edi',
    customer: BUYER.number,
    poNumber: `PO-${nth}`,
    orderedOn: '2026-11-02',
    requestedOn: '2026-11-07',
    shipTo: '01',
    currency: 'USD',
    lines: [{ ...line, line: 1, unit: 'CA' }],
    case: 'regular',
    repeats: undefined,
    expected: 'ships_at_once',
  }
  const text = toInterchange(order, demoGuides(world)[0]!)
  const dated = text.replace(/^(PO1.*)$/m, `$1\nDTM*002*${wantedOn}~`).replace('SE*8*', 'SE*9*')
  dropFile(folders.config.inboxDirectory, `${nth}.edi`, wantedOn ? dated : text)
}

type Type = '855' | '856' | '810'
/** What the partner has of the order that was sent last, once there are so many. */
async function answers(type: Type, count = 1) {
  const of = async () => {
    const sent = await sentTo(folders, partnerOf(BUYER), type)
    return sent.filter(({ set }) => set.segments.some(({ elements }) => elements.includes(`PO-${orders}`)))
  }
  await expect.poll(of, { timeout: 15_000 }).toHaveLength(count)
  return of()
}
const invoices = async (count?: number) =>
  (await answers('810', count)).map(({ set }) => parseInvoice(matchStructure(INVOICE, set.segments).root))
const packed = async (count?: number) =>
  (await answers('856', count)).flatMap(({ set }) =>
    parseShipNotice(matchStructure(SHIP_NOTICE, set.segments).root).orders.flatMap(({ packages }) =>
      packages.flatMap(({ items }) => items),
    ),
  )
const counts = (rows: readonly { quantity: string; unit: string }[]) =>
  rows.map(({ quantity, unit }) => `${quantity} ${unit}`).sort()

test('a part of a case is counted in pieces by the ship notice as by the invoice', async () => {
  // the pick finds half a case, the rest comes from the other place
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1, adjust: false })
  send({ item: HALVED, quantity: 1, priceMinor: 1_000 * PIECES_OF_A_CASE, priceUnit: 'CA' })
  const billed = (await invoices(2)).flatMap(({ lines }) => lines)
  expect(counts(billed)).toEqual(['6 EA', '6 EA'])
  expect(counts(await packed(2))).toEqual(counts(billed))
}, 30_000)

test('goods that are ordered by the case and sold by the kilogram are priced by the kilogram in 855 and 810', async () => {
  send({ item: WEIGHED, quantity: 2, priceMinor: 840, priceUnit: 'KG' })
  const [answer] = await answers('855')
  const { lines } = parseOrderAcknowledgment(matchStructure(ORDER_ACKNOWLEDGMENT, answer!.set.segments).root)
  expect(lines).toMatchObject([
    { quantity: '2', unit: 'CA', price: '8.4', priceBasis: 'PK', acknowledgments: [{ status: 'IA' }] },
  ])
  const [invoice] = await invoices()
  expect(invoice!.lines).toMatchObject([{ unit: 'KG', price: '8.4', shipped: { quantity: '2', unit: 'CA' } }])
  expect(counts(await packed())).toEqual(['2 CA'])
}, 30_000)

test('a line that is wanted on a day of its own is scheduled for it in the 855', async () => {
  send({ item: WEIGHED, quantity: 1, priceMinor: 840, priceUnit: 'KG' }, '20261120')
  const [answer] = await answers('855')
  const { lines } = parseOrderAcknowledgment(matchStructure(ORDER_ACKNOWLEDGMENT, answer!.set.segments).root)
  expect(lines[0]!.acknowledgments).toMatchObject([
    { status: 'IA', date: { qualifier: '067', date: '2026-11-20' } },
  ])
}, 30_000)

test('none of it was a defect', () => expect(house.complaints).toEqual([]))
