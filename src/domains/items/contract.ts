/** The public words of items: what selling one needs, its units, the record its ERP gives, the refusals. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import type { UnitFactor } from '#platform/quantity.ts'

const Text = (max: number) => z.string().trim().min(1).max(max)
const Unit = z.string().regex(/^[A-Z0-9]{2,3}$/, 'is not a UN/ECE unit code')
const Factor = z.int().min(1)

/** An item as the system that owns it gives it; a unit's factor is how many base units one of it is. */
export const ItemRecord = z
  .object({
    sku: Text(40),
    name: Text(200),
    status: z.enum(['active', 'discontinued', 'blocked']),
    baseUnit: Unit,
    units: z
      .array(z.object({ unit: Unit, factor: z.object({ numerator: Factor, denominator: Factor }) }))
      .max(100)
      .readonly(),
    catchWeight: z.boolean(),
    lotControlled: z.boolean(),
    serialControlled: z.boolean().default(false),
    taxClass: Text(40),
    identifiers: z
      .array(z.object({ scheme: Text(20), value: Text(80) }))
      .max(100)
      .readonly(),
  })
  .refine(({ units }) => new Set(units.map(({ unit }) => unit)).size === units.length, {
    path: ['units'],
    message: 'a unit stands twice',
  })
  .refine(
    ({ units, baseUnit }) =>
      units.every(({ unit, factor }) => unit !== baseUnit || factor.numerator === factor.denominator),
    { path: ['units'], message: 'the base unit is not one of itself' },
  )
export type ItemRecord = z.infer<typeof ItemRecord>
export type GivenItem = z.input<typeof ItemRecord>

/** What selling an item needs. */
export type SellingItem = {
  readonly id: number
  readonly company: string
  readonly sku: string
  readonly name: string
  readonly status: 'active' | 'discontinued' | 'blocked'
  /** Stock is counted in it. */
  readonly baseUnit: string
  /** Sold by piece, priced and invoiced by its actual weight. */
  readonly catchWeight: boolean
  readonly lotControlled: boolean
  /** Each unit is known by a serial of its own. */
  readonly serialControlled: boolean
  readonly taxClass: string
  /** How many base units one of each unit is; the base unit itself is among them. */
  readonly units: ReadonlyMap<string, UnitFactor>
  readonly asOf: Date
}

/** A number under which others know an item: a GTIN, a UPC, a supplier's part number. */
export type ItemIdentifier = { readonly company: string; readonly scheme: string; readonly value: string }

// NUL cannot be stored, so no two pairs share a key.
export const itemKey = (company: string, sku: string): string => `${company}\0${sku}`
export const identifierKey = ({ company, scheme, value }: ItemIdentifier): string =>
  `${company}\0${scheme}\0${value}`

export const itemRefusals = {
  'items.unknown': {
    status: 422,
    title: 'The item is not known',
    cause: 'The selling company has no item with this number.',
    fix: "Send the company's item number, or have the item created in its ERP.",
  },
  'items.blocked': {
    status: 422,
    title: 'The item is blocked',
    cause: 'The ERP marks this item as blocked for sale.',
    fix: 'Leave the line out, or ask the sales department for a substitute.',
  },
  'items.unit_unknown': {
    status: 422,
    title: 'The item is not sold in this unit',
    cause: 'The item has no conversion from this unit to its base unit.',
    fix: "Use one of the item's units, which the facts of the refusal list.",
  },
  'items.quantity_not_positive': {
    status: 422,
    title: 'The quantity is not more than zero',
    cause: 'The line orders nothing.',
    fix: 'Send a quantity above zero, or leave the line out.',
  },
  'items.quantity_not_whole': {
    status: 422,
    title: 'The quantity must be a whole number',
    cause: 'The unit counts pieces or packages, of which there are no fractions.',
    fix: 'Send a whole number of this unit, or order in a smaller unit.',
  },
  'items.quantity_not_exact': {
    status: 422,
    title: 'The quantity has no exact equivalent in the base unit',
    cause:
      'Converted to the base unit, the quantity would have to be rounded, to four places or to whole pieces.',
    fix: "Order in the item's base unit, or a quantity that converts without remainder.",
  },
  'items.record_invalid': {
    status: 422,
    title: 'An item record cannot be used',
    cause: 'The ERP gave an item with a field that is missing, malformed or contradicts another.',
    fix: 'Correct the field named in the reason in the ERP; the next reading takes the record.',
  },
  'items.base_unit_changed': {
    status: 409,
    title: 'The base unit of an item has changed',
    cause:
      'Stock and open orders of the item are counted in the base unit we know; they would change their meaning.',
    fix: 'Restore the base unit in the ERP, or create the item anew under another number.',
  },
} as const satisfies Record<string, RefusalCode>
