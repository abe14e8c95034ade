/** The demo's trading partners: a guide for each customer who orders by EDI, and their purchase orders as files. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAmount } from '#platform/money.ts'
import type { World } from './demo.ts'
import { PartnerGuide } from './systems/edi/partner-guide.ts'
import { type SegmentData, writeInterchange } from './systems/edi/x12-writer.ts'

type Order = ReturnType<World['orders']>[number]
type Customer = World['customers'][number]

const OURS = { NWF: 'NORTHWAYFOODS', NWI: 'NORTHWAYIND' } as const

/** Partners take turns in how they write, as partners do. */
const STYLES = [
  { element: '*', component: '>', terminator: '~', lineBreak: true },
  { element: '|', component: '^', terminator: '~', lineBreak: false },
  { element: '*', component: ':', terminator: '\n', lineBreak: false },
] as const

export const partnerOf = (customer: Pick<Customer, 'number'>): string =>
  `customer-${customer.number.toLowerCase()}`

export function demoGuides(world: World): PartnerGuide[] {
  const partners = world.customers.filter(({ door }) => door === 'edi')
  return partners.map((customer, place) =>
    PartnerGuide.parse({
      partner: partnerOf(customer),
      name: customer.name,
      company: customer.company,
      customer: customer.number,
      currency: customer.currency,
      theirs: { qualifier: '12', id: customer.ediId, groupId: customer.ediId },
      ours: { qualifier: 'ZZ', id: OURS[customer.company], groupId: OURS[customer.company] },
      usage: 'P',
      delimiters: STYLES[place % STYLES.length],
      units: { CA: 'CA', BX: 'BX' },
      items: [{ qualifier: 'VN', is: 'sku' }],
      carriers: { SWIFT: 'SWFT' },
      hierarchy: place % 2 === 0 ? 'SOPI' : 'SOI',
    }),
  )
}

export function writeDemoGuides(world: World, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const guide of demoGuides(world)) {
    writeFileSync(join(folder, `${guide.partner}.json`), `${JSON.stringify(guide, undefined, 2)}\n`)
  }
}

/** An order of the world as its customer would write it; what the world calls a duplicate is sent under a new number. */
export function toInterchange(order: Order, guide: PartnerGuide): string {
  const { theirs, ours } = guide
  const controlNumber = order.nth + 1
  const segments: SegmentData[] = [
    ['BEG', '00', 'SA', order.poNumber, '', order.orderedOn.replaceAll('-', '')],
    ['CUR', 'BY', order.currency],
    ['DTM', '002', order.requestedOn.replaceAll('-', '')],
    ['N1', 'ST', '', '92', order.shipTo],
    ...order.lines.map((line): SegmentData => {
      const price = formatAmount(line.priceMinor, order.currency)
      const basis = line.priceUnit === 'KG' ? 'PK' : 'PE'
      return ['PO1', String(line.line), String(line.quantity), line.unit, price, basis, 'VN', line.item]
    }),
    ['CTT', String(order.lines.length)],
  ]
  return writeInterchange(
    {
      sender: { qualifier: theirs.qualifier, id: theirs.id },
      receiver: { qualifier: ours.qualifier, id: ours.id },
      date: order.orderedOn,
      time: '0915',
      controlNumber,
      usage: guide.usage,
      acknowledgmentRequested: false,
      groups: [
        {
          functionalId: 'PO',
          sender: theirs.groupId,
          receiver: ours.groupId,
          controlNumber,
          version: guide.version,
          sets: [{ type: '850', controlNumber: '0001', segments }],
        },
      ],
    },
    guide.delimiters,
  )
}

/** Leaves a file where the house watches, under a name that it takes only when the file is whole. */
export function dropFile(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true })
  const unfinished = join(folder, `${name}.part`)
  writeFileSync(unfinished, content)
  renameSync(unfinished, join(folder, name))
}
