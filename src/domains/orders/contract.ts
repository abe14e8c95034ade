/** The public words of orders: what a caller sends, what it is told, the events, the refusals. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'

export const QuantityText = z
  .string()
  .regex(/^\d{1,11}(\.\d{1,4})?$/)
  .describe('Decimal as text, at most four places')
  .meta({ example: '12' })

export const AmountText = z
  .string()
  .regex(/^\d{1,13}(\.\d{1,4})?$/)
  .describe('Amount as decimal text in the currency of the order')
  .meta({ example: '24.90' })

export const Unit = z
  .string()
  .regex(/^[A-Z0-9]{2,3}$/)
  .describe('UN/ECE Recommendation 20 code, or a Recommendation 21 package with its X: EA, CA, KGM, XPX')
  .meta({ example: 'CA' })

/** How an order reached us. */
export const Channel = z.enum(['api', 'edi', 'shop', 'file', 'rep'])
export type Channel = z.infer<typeof Channel>

export const ShippingRule = z.enum(['ship-available', 'ship-complete', 'line-complete', 'cancel-rest'])
export type ShippingRule = z.infer<typeof ShippingRule>

export const ShipTo = z.strictObject({
  code: z.string().max(35).optional().describe("The customer's code of a known ship-to address"),
  name: z.string().max(80).optional(),
  lines: z.array(z.string().max(80)).max(4).optional(),
  city: z.string().max(60).optional(),
  region: z.string().max(35).optional(),
  postalCode: z.string().max(15).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional()
    .describe('ISO 3166-1 alpha-2'),
})
export type ShipTo = z.infer<typeof ShipTo>

export const OrderRequestLine = z.strictObject({
  line: z.string().min(1).max(20).describe("The customer's own line number; unique inside the order"),
  sku: z.string().min(1).max(40).meta({ example: 'NWF-1001' }),
  quantity: QuantityText,
  unit: Unit,
  price: AmountText.optional().describe(
    'What the customer expects to pay for one unit; ours applies when absent',
  ),
  requestedDate: z.iso
    .date()
    .optional()
    .describe('The earliest of the lines is wanted for the order, where it names no date itself'),
})
export type OrderRequestLine = z.infer<typeof OrderRequestLine>

export const OrderRequest = z.strictObject({
  company: z.string().min(1).max(12).describe('The legal entity that sells').meta({ example: 'NWF' }),
  customer: z.string().min(1).max(35).describe("The sold-to's number").meta({ example: 'C-1007' }),
  customerOrder: z
    .string()
    .min(1)
    .max(35)
    .describe("The customer's purchase order number")
    .meta({ example: 'PO-88123' }),
  orderDate: z.iso.date().optional().describe('Tells recurring purchase order numbers apart'),
  channel: Channel.default('api'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .describe("ISO 4217; the customer's own when absent"),
  requestedDate: z.iso.date().optional(),
  shipTo: ShipTo.optional().describe("The customer's default address when absent"),
  shippingRule: ShippingRule.optional(),
  reservationId: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe("A channel's reservation: what it keeps of the items becomes the order's own")
    .meta({ example: 'R-1000060' }),
  note: z.string().max(500).optional(),
  lines: z.array(OrderRequestLine).min(1).max(1000),
})
/** A purchase order in canonical words, whatever door it came through. */
export type OrderRequest = z.infer<typeof OrderRequest>

/** What becomes of an order at capture. */
export const Outcome = z.enum([
  'accepted',
  'accepted-with-holds',
  'partially-allocated',
  'backordered',
  'rejected',
])
export type Outcome = z.infer<typeof Outcome>

/** What becomes of one line at capture. */
export const LineOutcome = z.enum(['reserved', 'partially-reserved', 'backordered', 'rejected'])
export type LineOutcome = z.infer<typeof LineOutcome>

export const HoldType = z.enum([
  'credit',
  'price_review',
  'address',
  'tax_jurisdiction',
  'fraud',
  'compliance',
  'inventory',
  'duplicate_suspect',
  'customer_request',
  'payment',
  'edi_mismatch',
  'margin_floor',
  'manual',
])
export type HoldType = z.infer<typeof HoldType>

/** Which steps a hold of a type stops until somebody releases it, and whose desk it lies on. */
export const HOLDS: Readonly<
  Record<HoldType, { readonly blocks: readonly string[]; readonly owner: string }>
> = {
  credit: { blocks: ['postToErp', 'release'], owner: 'credit' },
  price_review: { blocks: ['postToErp', 'release'], owner: 'pricing' },
  address: { blocks: ['release'], owner: 'customer-service' },
  tax_jurisdiction: { blocks: ['release'], owner: 'tax' },
  fraud: { blocks: ['postToErp', 'release'], owner: 'credit' },
  compliance: { blocks: ['release'], owner: 'compliance' },
  inventory: { blocks: ['release'], owner: 'inventory' },
  duplicate_suspect: { blocks: ['postToErp', 'release'], owner: 'customer-service' },
  customer_request: { blocks: ['release'], owner: 'customer-service' },
  payment: { blocks: ['release'], owner: 'credit' },
  edi_mismatch: { blocks: ['postToErp', 'release'], owner: 'edi' },
  margin_floor: { blocks: ['postToErp', 'release'], owner: 'pricing' },
  manual: { blocks: ['release'], owner: 'customer-service' },
}

export const AcceptedLine = z.object({
  line: z.string(),
  sku: z.string(),
  outcome: LineOutcome,
  quantity: QuantityText,
  unit: Unit,
  reserved: QuantityText,
  backordered: QuantityText,
  price: AmountText.optional(),
  priceUnit: Unit.optional().describe('What the price is for: of goods sold by weight the kilogram'),
  reason: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** The answer to a captured order; the same for every repetition of it. */
export const OrderAnswer = z.object({
  id: z.string().meta({ example: 'O-1000017' }),
  customerOrder: z.string(),
  outcome: Outcome,
  currency: z.string(),
  total: AmountText,
  holds: z.array(
    z.object({ id: z.string(), type: HoldType, reason: z.string(), blocks: z.array(z.string()) }),
  ),
  lines: z.array(AcceptedLine),
})
export type OrderAnswer = z.infer<typeof OrderAnswer>

/** The ways in which an order's header changes, each with an event of its own. */
export type HeaderChange =
  | 'touched'
  | 'closed'
  | 'cancel requested'
  | 'cancel refused'
  | 'lines cancelled'
  | 'promise slipped'
  | 'erp cancelled'

export const orderRefusals = {
  'orders.unknown': {
    status: 404,
    title: 'There is no such order',
    cause: 'No order has this number, or it belongs to another partner.',
    fix: 'Search by any number you know: the purchase order, the ERP order, a tracking number.',
  },
  'orders.customer_unknown': {
    status: 422,
    title: 'The customer is not known',
    cause: 'The selling company has no customer with this number in its ERP.',
    fix: "Send the sold-to's number as the ERP knows it, or have the customer created there.",
  },
  'orders.customer_blocked': {
    status: 422,
    title: 'The customer is blocked',
    cause: 'The ERP marks this customer as blocked for orders.',
    fix: 'Ask the credit or sales department to lift the block, then send the order again.',
  },
  'orders.currency_mismatch': {
    status: 422,
    title: "The currency is not the customer's",
    cause: 'The order names another currency than the one agreed with the customer.',
    fix: "Send the order in the customer's currency, or leave the currency out.",
  },
  'orders.address_unknown': {
    status: 422,
    title: 'The ship-to address is not known',
    cause: 'The order names an address code that the customer does not have.',
    fix: "Use one of the customer's address codes, or send the whole address.",
  },
  'orders.nothing_acceptable': {
    status: 422,
    title: 'No line of the order can be accepted',
    cause: 'Every line was rejected; the errors name the reason for each.',
    fix: 'Correct the lines and send the order again under a new idempotency key.',
  },
  'orders.line_repeated': {
    status: 422,
    title: 'A line number stands twice',
    cause: "Two lines of the order carry the same customer's line number.",
    fix: 'Number the lines so that each is unique inside the order.',
  },
  'orders.same_number_other_content': {
    status: 409,
    title: 'The purchase order number is taken by another order',
    cause: 'An order of this customer with the same number, sender and period has other content.',
    fix: 'Send a change of that order, or use another purchase order number.',
  },
  'orders.item_discontinued': {
    status: 422,
    title: 'The item is discontinued',
    cause: 'The item is no longer sold.',
    fix: 'Order its successor, or leave the line out.',
  },
  'orders.credit_refused': {
    status: 422,
    title: 'The order cannot be taken on credit',
    cause: "The customer's credit could not be verified, and the company's rule refuses such orders.",
    fix: 'Send the order again once the ERP answers, or ask the credit department.',
  },
  'orders.line_unknown': {
    status: 422,
    title: 'The order has no such line',
    cause: "No line of the order carries this customer's line number.",
    fix: 'Read the order; its lines are listed there under the numbers that they came with.',
  },
  'orders.reservation_unknown': {
    status: 422,
    title: 'The order names a reservation that there is not',
    cause: 'The selling company has no reservation with this number, or it belongs to somebody else.',
    fix: 'Send the number of an open reservation of yours, or leave it out.',
  },
  'orders.hold_unknown': {
    status: 404,
    title: 'There is no such open hold',
    cause: 'The order has no open hold with this number; it may have been released already.',
    fix: 'Read the order again; its holds are listed there.',
  },
  'orders.too_late_to_cancel': {
    status: 409,
    title: 'So much can no longer be cancelled',
    cause: 'It is shipped, cancelled or closed; of a single line, also what a warehouse has been asked for.',
    fix: 'Cancel less of the line or the whole order, or ask for a return instead.',
  },
} as const satisfies Record<string, RefusalCode>
