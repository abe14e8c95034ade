/** The HTTP door of inventory: what can be promised now. Which items and locations a company has is handed in. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { inventoryRefusals } from './contract.ts'
import { availableToPromise, FORMULA, positionsOf, type StockPosition } from './views.ts'

export type StockedItem = { readonly id: number; readonly baseUnit: string }

export type AvailabilityPorts = {
  readonly queries: Queries
  /** Where a company sells from; undefined when there is no such company. */
  readonly locations: (company: string) => readonly string[] | undefined
  readonly companies: () => readonly string[]
  /** By item number; what is unknown is absent. */
  readonly items: (company: string, skus: readonly string[]) => Promise<ReadonlyMap<string, StockedItem>>
}

const Decimal = z.string().describe('Decimal as text, in the unit beside it')

const Query = z.object({
  company: z.string().min(1).max(12).describe('The legal entity that sells'),
  sku: z
    .array(z.string().min(1).max(40))
    .min(1)
    .max(50)
    .describe('Item numbers; repeat the parameter, up to 50'),
  location: z
    .string()
    .min(1)
    .max(20)
    .optional()
    .describe('One location; all that the company sells from when absent'),
})
type Query = z.infer<typeof Query>

const Availability = z
  .object({
    company: z.string(),
    formula: z.string().describe('How available is computed from the figures beside it'),
    items: z.array(
      z.object({
        sku: z.string(),
        location: z.string(),
        onHand: Decimal,
        onHold: Decimal,
        reserved: Decimal,
        unreconciled: Decimal.describe('Minus what left although the books could not cover it'),
        inTransit: Decimal,
        available: Decimal,
        unit: z.string().describe("The item's base unit, UN/ECE Recommendation 20"),
        asOf: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'Availability', description: 'What can be promised now, by item and location.' })

export function inventoryRoutes(ports: AvailabilityPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/process/available-to-promise/v1/availability',
      operationId: 'availability.read',
      summary: 'What can be promised now',
      description:
        'Our books at this moment, in base units: the same figures that reservations are checked against. It promises ' +
        'nothing: only an order reserves.',
      scope: 'process.availability:read',
      rateClass: 'reads',
      bodyLimitBytes: 0,
      query: Query,
      answers: { 200: { description: 'A row for each item at each location', body: Availability } },
      refusals: Object.keys(inventoryRefusals),
      example: { query: { company: 'NWF', sku: ['10012'] }, answer: EXAMPLE },
      async handler({ query }) {
        const locations = locationsOf(ports, query)
        const items = await itemsOf(ports, query)
        const skuOf = new Map([...items].map(([sku, item]) => [item.id, { sku, unit: item.baseUnit }]))
        const rows = await positionsOf(ports.queries, query.company, [...skuOf.keys()], locations)
        return {
          status: 200,
          body: {
            company: query.company,
            formula: FORMULA,
            items: rows.map((row) => ({ ...skuOf.get(row.itemId)!, ...figuresOf(row) })),
          },
        }
      },
    }),
  ]
}

function locationsOf(
  { locations, companies }: AvailabilityPorts,
  { company, location }: Query,
): readonly string[] {
  const all = locations(company)
  if (!all) {
    const message = `there is no company ${company}; there are ${companies().join(', ')}`
    throw new Refusal('inventory.company_unknown', message, {}, '/query/company')
  }
  if (location === undefined) return all
  if (all.includes(location)) return [location]
  const message = `${company} does not sell from ${location}; it sells from ${all.join(', ')}`
  throw new Refusal('inventory.location_unknown', message, {}, '/query/location')
}

async function itemsOf(
  { items }: AvailabilityPorts,
  { company, sku: skus }: Query,
): Promise<ReadonlyMap<string, StockedItem>> {
  const found = await items(company, skus)
  const errors = skus.flatMap((sku, place) =>
    found.has(sku)
      ? []
      : [
          {
            pointer: `/query/sku/${place}`,
            code: 'inventory.item_unknown',
            message: `${company} has no item ${sku}`,
          },
        ],
  )
  if (errors.length > 0) throw new Refusal('inventory.item_unknown', errors[0]!.message, { errors })
  return found
}

function figuresOf(row: StockPosition) {
  return {
    location: row.location,
    onHand: formatQuantity(row.available + row.onHold),
    onHold: formatQuantity(row.onHold),
    reserved: formatQuantity(row.reserved),
    unreconciled: formatQuantity(row.unreconciled),
    inTransit: formatQuantity(row.inTransit),
    available: formatQuantity(availableToPromise(row)),
    asOf: row.asOf.toISOString(),
  }
}

const EXAMPLE = {
  company: 'NWF',
  formula: FORMULA,
  items: [
    {
      sku: '10012',
      location: 'CHI-1',
      onHand: '480',
      onHold: '24',
      reserved: '96',
      unreconciled: '0',
      inTransit: '0',
      available: '360',
      unit: 'EA',
      asOf: '2026-11-21T08:30:00.000Z',
    },
  ],
} satisfies z.input<typeof Availability>
