/** What the doors of orders answer to those who read: a row of the list, an order in full, its story and milestones. */
import { z } from 'zod'
import { SourcingDecision } from '#domains/inventory/contract/sourcing.ts'
import { AmountText, Channel, HoldType, QuantityText, ShippingRule, Unit } from '../contract.ts'

const Time = z.iso.datetime()
const Currency = z.string().describe('ISO 4217')
const OrderNumber = z.string().meta({ example: 'O-1000017' })

export const Hold = z
  .object({
    id: z.string().meta({ example: 'H-1000020' }),
    type: HoldType,
    reason: z.string(),
    blocks: z.array(z.string()).describe('The steps that wait until somebody releases it'),
  })
  .meta({ id: 'Hold' })

/** A row of the list. */
export const OrderSummary = z.object({
  id: OrderNumber,
  company: z.string(),
  customer: z.string(),
  customerOrder: z.string(),
  channel: Channel,
  stage: z.string().describe('How far it has come, derived from its lines').meta({ example: 'released' }),
  currency: Currency,
  total: AmountText,
  lineCount: z.int(),
  erpNumber: z.string().optional().describe("The ERP's own number of the order"),
  requestedDate: z.iso.date().optional(),
  acceptedAt: Time,
  holds: z.array(Hold),
})
export type OrderSummary = z.infer<typeof OrderSummary>

const OrderViewLine = z.object({
  line: z.string(),
  sku: z.string(),
  quantity: QuantityText,
  unit: Unit,
  price: AmountText,
  priceUnit: Unit,
  net: AmountText,
  requestedDate: z.iso.date().optional().describe("The line's own; the order's counts when absent"),
  minimumShelfLifeDays: z
    .int()
    .optional()
    .describe('So many days what is shipped of it must live; what of it waits may wait for lots that do'),
  rejection: z.string().optional().describe('The code of why nothing of it can be sold'),
  baseUnit: Unit.describe('The unit of the quantities that follow; together they are what was ordered'),
  ordered: QuantityText,
  cancelled: QuantityText,
  open: QuantityText,
  backordered: QuantityText,
  reserved: QuantityText,
  released: QuantityText,
  picked: QuantityText,
  packed: QuantityText,
  shipped: QuantityText,
})

const Withheld = z
  .object({ source: z.string(), since: Time })
  .describe('What waits is withheld since this source of stock is silent, and filled when it is heard')

export const OrderView = z
  .object({
    id: OrderNumber,
    version: z.int().describe('Raised by each change; the ETag says it too'),
    company: z.string(),
    customer: z.string(),
    customerOrder: z.string(),
    channel: Channel,
    stage: z.string(),
    orderDate: z.iso.date().optional(),
    requestedDate: z.iso.date().optional(),
    shippingRule: ShippingRule,
    shipTo: z.string().optional().describe("The customer's code of the ship-to address"),
    currency: Currency,
    total: AmountText,
    erpNumber: z.string().optional(),
    cancelRequested: z.boolean(),
    holds: z.array(Hold),
    lines: z.array(OrderViewLine.extend({ withheld: Withheld.optional() })),
    numbers: z
      .array(z.object({ scheme: z.string(), value: z.string() }))
      .describe('Every number by which anybody knows the order or a document of it'),
  })
  .meta({ id: 'Order' })
export type OrderView = z.infer<typeof OrderView>

export const Milestones = z
  .object({
    order: OrderNumber,
    milestones: z.array(
      z.object({
        milestone: z.string().meta({ example: 'shipped' }),
        at: Time,
        source: z.string().describe('The door or system the fact came from'),
        document: z.string().describe('The document it happened to').meta({ example: 'S-1000031' }),
        event: z.string().meta({ example: 'shipment.confirmed' }),
      }),
    ),
  })
  .meta({ id: 'Milestones' })
export type Milestones = z.infer<typeof Milestones>

const StoryDocument = z.object({
  id: z.string(),
  kind: z.enum(['order', 'fulfillment', 'shipment', 'invoice', 'payment']),
  state: z.string(),
  location: z.string().optional(),
  amount: AmountText.optional(),
  parcels: z
    .array(
      z.object({
        tracking: z.string(),
        milestone: z
          .string()
          .describe('`unknown` where nobody knows the code')
          .meta({ example: 'delivered' }),
        code: z.string().describe("The carrier's own"),
        at: Time,
        place: z.string().nullable(),
        signedBy: z.string().nullable(),
      }),
    )
    .optional()
    .describe('Packages of which a carrier has told, each by its newest scan'),
  asked: z
    .array(
      z.object({
        tracking: z.string(),
        at: Time.describe('When its carrier was last asked'),
        answer: z
          .enum(['news', 'nothing_new', 'not_known', 'unanswered'])
          .describe('What came of it; `unanswered`: no answer, or none that could be read'),
        unansweredSince: Time.nullable().describe('Since when no answer came'),
      }),
    )
    .optional()
    .describe(
      'Packages that are not delivered, of which nothing was heard for so long that their carrier was asked',
    ),
  references: z.array(z.object({ scheme: z.string(), value: z.string() })),
})

/** Composed in a process, since an order's story spans all domains. */
export const StoryAnswer = z
  .object({
    order: z.object({
      id: OrderNumber,
      company: z.string(),
      customer: z.string(),
      customerOrder: z.string(),
      channel: z.string(),
      sender: z.string(),
      externalId: z.string().nullable(),
      orderDate: z.string().nullable(),
      requestedDate: z.string().nullable(),
      shippingRule: z.string(),
      stage: z.string(),
      held: z.boolean(),
      closed: z.boolean(),
      acceptedAt: Time.nullable(),
      version: z.int(),
    }),
    money: z.object({
      currency: Currency,
      total: AmountText,
      invoiced: AmountText,
      paid: AmountText,
      due: AmountText,
    }),
    lines: z.array(OrderViewLine.extend({ rejection: z.string().nullable() })),
    documents: z.array(StoryDocument).describe('Ours, each with the numbers that other systems know it by'),
    holds: z.array(Hold),
    exceptions: z.array(
      z.object({
        document: z.string(),
        id: z.int(),
        code: z.string(),
        title: z.string(),
        owner: z.string(),
        severity: z.string(),
        suggestedAction: z.string(),
        dueAt: Time,
      }),
    ),
    openCalls: z
      .array(
        z.object({
          document: z.string(),
          system: z.string(),
          operation: z.string(),
          businessKey: z.string(),
          state: z.string(),
          attempts: z.int(),
          dueAt: Time.nullable(),
        }),
      )
      .describe('What other systems were asked and have not answered for good'),
    sourcing: z
      .array(SourcingDecision)
      .describe('From where it is served and why, where a profile decided or a pick was short'),
    entries: z
      .array(
        z.object({
          at: Time,
          type: z.string(),
          title: z.string().describe('What happened, in business words'),
          document: z.string(),
          version: z.int(),
          source: z.string(),
          actor: z.string(),
          traceId: z.string().nullable(),
          data: z.looseObject({}),
        }),
      )
      .describe('Everything that happened, oldest first'),
  })
  .meta({ id: 'Story' })
export type StoryAnswer = z.infer<typeof StoryAnswer>

const Reason = z.string().min(3).max(500).describe('Why, for the audit trail and for whoever asks later')

export const CancelRequest = z.strictObject({
  reason: Reason,
  lines: z
    .array(
      z.strictObject({
        line: z.string().min(1).max(20).describe("The customer's own line number"),
        quantity: QuantityText.optional().describe(
          'In the unit that was ordered; all of it that no warehouse has been asked for when absent',
        ),
      }),
    )
    .min(1)
    .max(1000)
    .optional()
    .describe('Only so much of these lines; the whole order when absent'),
})
export type CancelRequest = z.infer<typeof CancelRequest>
export const HoldReleaseRequest = z.strictObject({ reason: Reason })

export const CancelAnswer = z.object({
  id: OrderNumber,
  state: z
    .enum(['cancel_requested', 'lines_cancelled'])
    .describe('The order is being taken back, or its lines have been'),
  version: z.int(),
})
export type CancelAnswer = z.infer<typeof CancelAnswer>

export const HoldReleased = z.object({
  id: OrderNumber,
  released: Hold,
  holds: z.array(Hold).describe('Those that are still open'),
  version: z.int(),
})
export type HoldReleased = z.infer<typeof HoldReleased>
