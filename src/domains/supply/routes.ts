/** The HTTP door of supply: what is to come. Which items and locations a company has is handed in. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages, type Position } from '#platform/http-cursor.ts'
import { tellComing, toldOf } from './views/coming.ts'
import { listSupply, type SupplyPlace, tellSupply } from './views.ts'

export type SupplyPorts = {
  readonly queries: Queries
  readonly pages: Pages
  /** Of a company; undefined when there is no such company. */
  readonly locations: (company: string) => readonly string[] | undefined
  readonly companies: () => readonly string[]
  /** By item number; what is unknown is absent. */
  readonly items: (company: string, skus: readonly string[]) => Promise<ReadonlyMap<string, { id: number }>>
}

const Decimal = z.string().describe("Decimal as text, in the item's base unit")

const Query = PageQuery.extend({
  company: z.string().min(1).max(12).describe('The legal entity that buys'),
  item: z.string().min(1).max(40).optional().describe('An item number of the company'),
  location: z.string().min(1).max(20).optional().describe('Where it is to come to'),
  expectedBefore: z.iso.date().optional().describe('Only what is to come before that day'),
})
type Query = z.infer<typeof Query>

const Supply = z
  .object({
    purchaseOrder: z.string(),
    line: z.int(),
    supplier: z.string().describe('As the ERP numbers it'),
    item: z.string(),
    location: z.string(),
    ordered: Decimal,
    received: Decimal.describe('By the ERP or by the warehouse, whichever knows of more'),
    cancelled: Decimal,
    open: Decimal.describe('What is still to come; never less than nothing'),
    expectedOn: z.iso
      .date()
      .optional()
      .describe('Absent where nobody has said; a day that has passed is late'),
    coming: z
      .array(
        z.object({
          basis: z
            .enum(['shipped', 'confirmed', 'ordered'])
            .describe("Under way, by the supplier's answer, or as it was ordered"),
          quantity: Decimal,
          expectedOn: z.iso.date().optional().describe('Absent where nobody has said'),
        }),
      )
      .describe('How what is open is to come; the days that count are these'),
    refused: Decimal.optional().describe('Open at the ERP, and the supplier will not deliver it'),
    answeredAt: z.iso.datetime().optional().describe('When the supplier answered last'),
    source: z.string().describe('The system that says so'),
    changedAt: z.iso.datetime().describe('When it was changed there'),
    asOf: z.iso.datetime().describe('When that was read'),
  })
  .meta({ id: 'Supply', description: 'A line of a purchase order of which something is still to come.' })

export const supplyRoutes = (ports: SupplyPorts): Route[] => [
  route({
    method: 'GET',
    path: '/process/inventory/v1/supply',
    operationId: 'supply.list',
    summary: 'What is to come, what is due first before the rest',
    description:
      'Lines of purchase orders as their ERP tells them, less what warehouses received, and how their suppliers say ' +
      'that they come. A line of which nothing more is to come is not in the list.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Query,
    answers: { 200: { description: 'A page of lines', body: pageOf(Supply) } },
    refusals: [
      'http.cursor_invalid',
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
    ],
    example: { query: { company: 'NWF', item: '10012', limit: 50 }, answer: { items: [EXAMPLE] } },
    async handler(request) {
      const { limit } = request.query
      const filter = await filterOf(ports, request.query)
      const rows = await listSupply(ports.queries, filter, {
        after: placeOf(ports.pages.after(request)),
        limit: limit + 1,
      })
      const page = rows.slice(0, limit)
      const told = await toldOf(ports.queries, page)
      const last = rows.length > limit ? page.at(-1) : undefined
      return ports.pages.answer(
        request,
        page.map((line) => ({ ...tellSupply(line), ...tellComing(told.get(line)!) })),
        last && [last.expectedOn ?? '', last.number, last.line],
      )
    },
  }),
]

function placeOf(position: Position | undefined): SupplyPlace | undefined {
  if (!position) return undefined
  const [expectedOn, number, line] = position
  return { expectedOn: String(expectedOn) || null, number: String(number), line: Number(line) }
}

async function filterOf(ports: SupplyPorts, { company, item, location, expectedBefore }: Query) {
  const locations = ports.locations(company)
  if (!locations) {
    const message = `there is no company ${company}; there are ${ports.companies().join(', ')}`
    throw new Refusal('inventory.company_unknown', message, {}, '/query/company')
  }
  if (location !== undefined && !locations.includes(location)) {
    const message = `${company} has no location ${location}; it has ${locations.join(', ')}`
    throw new Refusal('inventory.location_unknown', message, {}, '/query/location')
  }
  const itemId = item === undefined ? undefined : (await ports.items(company, [item])).get(item)?.id
  if (item !== undefined && itemId === undefined)
    throw new Refusal('inventory.item_unknown', `${company} has no item ${item}`, {}, '/query/item')
  return { company, itemId, location, expectedBefore }
}

const EXAMPLE = {
  purchaseOrder: '4500000017',
  line: 10,
  supplier: 'V10001',
  item: '10012',
  location: 'DC1',
  ordered: '480',
  received: '120',
  cancelled: '0',
  open: '360',
  expectedOn: '2026-11-24',
  coming: [
    { basis: 'shipped', quantity: '240', expectedOn: '2026-11-23' },
    { basis: 'confirmed', quantity: '120', expectedOn: '2026-12-01' },
  ],
  answeredAt: '2026-11-20T15:30:00.000Z',
  source: 'erp-legacy',
  changedAt: '2026-11-20T14:05:00.000Z',
  asOf: '2026-11-20T14:08:12.310Z',
} as const satisfies z.input<typeof Supply>
