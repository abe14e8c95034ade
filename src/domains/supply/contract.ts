/** The public words of supply: the purchase order line that an ERP gives, what a warehouse received, the refusals. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import { MAX_UNITS, type Quantity, units } from '#platform/quantity.ts'

const Text = (max: number) => z.string().trim().min(1).max(max)
const LINE_MAX = 2_147_483_647
/** Ten-thousandths of the item's base unit. */
const BaseQuantity = z.int().min(0).max(units(MAX_UNITS))

/** A line of a purchase order as the system that owns it gives it, of an item that we know. */
export const SupplyRecord = z
  .object({
    number: Text(40),
    line: z.int().min(1).max(LINE_MAX),
    supplier: Text(40),
    itemId: z.int(),
    sku: Text(40),
    location: Text(20),
    ordered: BaseQuantity,
    received: BaseQuantity,
    cancelled: BaseQuantity,
    expectedOn: z.iso.date().optional(),
    /** Its version: what changed later is newer, however late an earlier one is read. */
    changedAt: z.coerce.date(),
  })
  .refine(({ cancelled, ordered }) => cancelled <= ordered, {
    path: ['cancelled'],
    message: 'is more than was ordered',
  })
export type SupplyRecord = z.infer<typeof SupplyRecord>
export type GivenSupply = z.input<typeof SupplyRecord>

/** What a warehouse received of an item, and of which purchase order as far as it says. */
export type SupplyReceipt = {
  readonly company: string
  /** The source and id of the movement that it is; it counts once. */
  readonly source: string
  readonly sourceKey: string
  readonly purchaseOrder?: { readonly number: string; readonly line?: number | undefined } | undefined
  readonly itemId: number
  readonly location: string
  /** In the base unit; minus where the warehouse takes a receipt back. */
  readonly quantity: Quantity
  readonly at: Date
}

export const supplyRefusals = {
  'supply.record_invalid': {
    status: 422,
    title: 'A purchase order line cannot be used',
    cause: 'The ERP gave a line with a field that is missing, malformed or contradicts another.',
    fix: 'Correct the field named in the reason in the ERP; the next reading takes the record.',
  },
  'supply.item_unknown': {
    status: 422,
    title: 'A purchase order line is for an item we do not have',
    cause: 'The ERP gave a line of an item that it has not given, or whose record was rejected.',
    fix: 'Correct the item in the ERP; its waiting lines are taken with the next reading.',
  },
  'supply.unit_unknown': {
    status: 422,
    title: 'A purchase order line is in a unit that its item does not have',
    cause: 'The item has no conversion from this unit to its base unit.',
    fix: 'Add the unit to the item in the ERP; its waiting lines are taken with the next reading.',
  },
  'supply.quantity_not_exact': {
    status: 422,
    title: 'A quantity of a purchase order line has no exact equivalent in the base unit',
    cause: 'Converted to the base unit, it would have to be rounded.',
    fix: "Order in the item's base unit, or a quantity that converts without remainder.",
  },
  'supply.file_unreadable': {
    status: 422,
    title: 'A file of supply cannot be read',
    cause: 'It is no CSV, lacks a column that is needed or has one that there is not, or is too long.',
    fix: 'Name the columns in the first line as the README of the domain lists them; split a long file.',
  },
  'supply.told_item_unknown': {
    status: 422,
    title: 'A supplier tells of an item we do not have',
    cause: 'The item it names is none of ours, and the line it names was not read, or it names neither.',
    fix: "Map its item numbers in the partner's guide, or have the purchase order read; then replay the message.",
  },
  'supply.told_quantity_unusable': {
    status: 422,
    title: 'A supplier tells a quantity that is none of the item',
    cause: 'The item has no such unit, or the quantity would have to be rounded in its base unit.',
    fix: "Add the unit to the item in the ERP, or map it in the partner's guide; then replay the message.",
  },
  'supply.told_order_unknown': {
    status: 422,
    title: 'A supplier answers a purchase order that was not read',
    cause: 'An answer without lines is about all lines of the order, of which none is known.',
    fix: 'Have the purchase order read from the ERP, then replay the message; or discard it.',
  },
} as const satisfies Record<string, RefusalCode>
