/** The HTTP door of inventory: what can be promised now. Which items and locations a company has is handed in. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { MAX_AGE_MS, MaxAgeMs } from './contract/availability.ts'
import { Careful } from './contract/freshness.ts'
import { confidenceIn, FORMULA, type Promisable } from './views/promising.ts'

export type StockedItem = { readonly id: number; readonly baseUnit: string }

export type AvailabilityPorts = {
  readonly queries: Queries
  /** Where a company sells from; undefined when there is no such company. */
  readonly locations: (company: string) => readonly string[] | undefined
  readonly companies: () => readonly string[]
  /** By item number; what is unknown is absent. */
  readonly items: (company: string, skus: readonly string[]) => Promise<ReadonlyMap<string, StockedItem>>
  /** Items by number, as far as there are such, and what can be promised of each at all of its locations. */
  readonly stock: (question: {
    company: string
    skus: readonly string[]
    locations: readonly string[]
    channel: string | undefined
    maxAgeMs: number
  }) => Promise<{
    readonly items: ReadonlyMap<string, StockedItem>
    readonly rows: ReadonlyMap<number, readonly Promisable[]>
    readonly asOf: Date
  }>
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
  channel: z
    .string()
    .min(1)
    .max(32)
    .optional()
    .describe('Counts what is kept for it; without one only what is kept for nobody'),
  maxAgeMs: MaxAgeMs.default(MAX_AGE_MS),
})
type Query = z.infer<typeof Query>

const Availability = z
  .object({
    company: z.string(),
    formula: z.string().describe('How available is computed from the figures beside it'),
    formulaVersion: z.int(),
    items: z.array(
      z.object({
        sku: z.string(),
        location: z.string(),
        onHand: Decimal,
        onHold: Decimal,
        reserved: Decimal,
        unreconciled: Decimal.describe('Minus what left although the books could not cover it'),
        inTransit: Decimal,
        safetyStock: Decimal,
        keptForOthers: Decimal.describe('Allocated to other channels and not taken yet'),
        keptForChannel: Decimal.describe('Allocated to this channel and not taken yet'),
        waiting: Decimal.describe('What orders wait for and would be given here'),
        available: Decimal,
        confidence: z.enum(['normal', 'careful', 'ask']),
        careful: Careful.optional(),
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
        'Our books as of a moment ago, in base units: the same figures that reservations are checked against. It promises ' +
        'nothing: only an order reserves.',
      scope: 'process.availability:read',
      rateClass: 'availability',
      bodyLimitBytes: 0,
      query: Query,
      answers: { 200: { description: 'A row for each item at each location', body: Availability } },
      refusals: ['inventory.company_unknown', 'inventory.item_unknown', 'inventory.location_unknown'],
      example: { query: { company: 'NWF', sku: ['10012'] }, answer: EXAMPLE },
      async handler({ query }) {
        const here = locationsOf(ports, query)
        const { company, channel, sku: skus, maxAgeMs } = query
        const locations = ports.locations(company)!
        const { items, rows, asOf } = await ports.stock({ company, skus, locations, channel, maxAgeMs })
        refuseUnknown(items, query)
        return {
          status: 200,
          body: {
            company,
            formula: FORMULA.text,
            formulaVersion: FORMULA.version,
            items: [...items].flatMap(([sku, { id, baseUnit: unit }]) =>
              rows
                .get(id)!
                .filter(({ location }) => here.includes(location))
                .map((row) => ({ sku, unit, ...figuresOf(row), asOf: asOf.toISOString() })),
            ),
          },
        }
      },
    }),
  ]
}

/** Those that are asked about; refuses a company or location that there is not. */
export function locationsOf(
  { locations, companies }: AvailabilityPorts,
  { company, location }: Pick<Query, 'company' | 'location'>,
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

/** By item number; refuses those that the company does not have. */
export async function itemsOf(
  { items }: AvailabilityPorts,
  { company, sku: skus }: Pick<Query, 'company' | 'sku'>,
): Promise<ReadonlyMap<string, StockedItem>> {
  const found = await items(company, skus)
  refuseUnknown(found, { company, sku: skus })
  return found
}

function refuseUnknown(
  found: ReadonlyMap<string, StockedItem>,
  { company, sku: skus }: Pick<Query, 'company' | 'sku'>,
): void {
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
}

function figuresOf(row: Promisable) {
  return {
    location: row.location,
    onHand: formatQuantity(row.onHand),
    onHold: formatQuantity(row.onHold),
    reserved: formatQuantity(row.reserved),
    unreconciled: formatQuantity(row.unreconciled),
    inTransit: formatQuantity(row.inTransit),
    safetyStock: formatQuantity(row.safetyStock),
    keptForOthers: formatQuantity(row.keptForOthers),
    keptForChannel: formatQuantity(row.keptForChannel),
    waiting: formatQuantity(row.waiting),
    available: formatQuantity(row.available),
    confidence: confidenceIn(row),
    ...(row.careful && { careful: row.careful }),
  }
}

const EXAMPLE = {
  company: 'NWF',
  formula: FORMULA.text,
  formulaVersion: FORMULA.version,
  items: [
    {
      sku: '10012',
      location: 'CHI-1',
      onHand: '480',
      onHold: '24',
      reserved: '96',
      unreconciled: '0',
      inTransit: '0',
      safetyStock: '0',
      keptForOthers: '0',
      keptForChannel: '0',
      waiting: '0',
      available: '360',
      confidence: 'normal',
      unit: 'EA',
      asOf: '2026-11-21T08:30:00.000Z',
    },
  ],
} satisfies z.input<typeof Availability>
