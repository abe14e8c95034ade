/**
 * What people may decide on each step that asks another system: what they have to know to say that it was done, whether
 * the business can do without it, and what follows.
 */
import type { PostedInvoice } from '#capabilities/erp.ts'
import type { TaxDetermination } from '#capabilities/tax.ts'
import { Refusal } from '#platform/faults.ts'
import { formatAmount, parseAmount } from '#platform/money.ts'
import type { Told } from '#platform/overrides.ts'
import type { DocumentFacts } from '#platform/process.ts'
import { isFinal } from '#domains/orders/views.ts'
import { type FulfillmentFacts, isUnderWay } from './fulfillment-facts.ts'
import { owesTax } from './invoice.ts'
import type { InvoiceFacts } from './invoice-facts.ts'
import { type LabelEnd, labelsNotEnded, labelsToGive } from './labels.ts'
import type { OrderFacts } from './order-facts.ts'
import * as is from './order-predicates.ts'
import type { ChannelWishes } from './ports.ts'
import type { ShipmentFacts } from './shipment.ts'

export type OverrideKind = 'order' | 'fulfillment' | 'shipment' | 'invoice'

/** What a person enters beside the reference, by name, as text. */
export type Entered = Readonly<Record<string, string>>

/** Something that a person has to know of what was done. */
export type Asked = { readonly name: string; readonly means: string }

export type OverrideStep<F, Answer> = {
  readonly kind: OverrideKind
  /** As in "could not …". */
  readonly title: string
  /** What the reference is at the system. */
  readonly reference: string
  /** Under which scheme no other document of the company may have the reference. */
  readonly unique?: 'erp-order' | 'invoice'
  /** The subjects that are not done yet, whether a hold blocks them or not. */
  open(facts: F): readonly string[]
  asks(facts: F): readonly Asked[]
  answer(facts: F, entered: Entered & { readonly reference: string }): Answer
  /** The answer of a person or of the system in the same words, so that they can be compared. */
  words(answer: Answer, facts: F): Told
  /** What follows where it is not done; or why it cannot be left out, and what to do instead. */
  readonly skip: { readonly follows: string } | { readonly cure: string }
  /** The exception of a refusal, where it is the document's own. */
  readonly code?: string
  /** How the reason of the hold begins that a refusal of it puts the order on. */
  holds?(facts: F): string
  /** Where facts do not say whether it is open at all: a refusal does, until it is done. */
  isDone?(facts: F): boolean
  /** The name under which holds block it. */
  readonly blockedAs?: 'postToErp' | 'release'
  /** What a person has to do where the system says otherwise; without it a difference is only told. */
  readonly differs?: string
  /** The system may say no to what a person says was done: then what is kept is wrong. */
  readonly denies?: boolean
}

/** A step whose facts and answer are settled inside it. */
export type AnyOverrideStep = OverrideStep<DocumentFacts, unknown>

const step = <F extends DocumentFacts, Answer>(definition: OverrideStep<F, Answer>): AnyOverrideStep =>
  definition

const NOTHING = (): readonly Asked[] => []

type Numbered = { readonly number: string }
type Referred = { readonly reference?: string }

const numbered = (_: unknown, { reference }: { readonly reference: string }): Numbered => ({
  number: reference,
})
const referred = (_: unknown, { reference }: { readonly reference: string }): Referred => ({ reference })
const byNumber = ({ number }: Numbered): Told => ({ number })
const byReference = ({ reference }: Referred): Told => (reference === undefined ? {} : { reference })
const done = (): object => ({})
const noWords = (): Told => ({})

/** By the step's name, as the process tables have it. */
export const overrideSteps = (
  wishes: (order: OrderFacts['order']) => ChannelWishes,
): ReadonlyMap<string, AnyOverrideStep> =>
  new Map<string, AnyOverrideStep>([
    ['postToErp', postToErp],
    ['postToErp:undo', cancelAtErp],
    ['closeAtErp', closeAtErp],
    ['acknowledge', acknowledge(wishes)],
    ['request', request],
    ['cancel', cancelRequest],
    ['giveLabel', giveLabels],
    ['voidLabel', endLabel],
    ['notify', notify],
    ['tax', tax],
    ['post', post],
    ['send', send],
  ])

const postToErp = step<OrderFacts, Numbered>({
  kind: 'order',
  title: 'post the order to the ERP',
  reference: "the ERP's number of the sales order",
  unique: 'erp-order',
  open: ({ order, lines }) =>
    order.erpNumber === null && !order.closed && lines.some((line) => !isFinal(line)) ? [''] : [],
  asks: NOTHING,
  answer: numbered,
  words: byNumber,
  skip: {
    cure: 'Nothing can be released or invoiced without it: key the order into the ERP and complete the step with its number, or cancel.',
  },
  holds: () => 'The ERP refused the order',
  blockedAs: 'postToErp',
  differs: 'Two sales orders may stand for it: cancel at the ERP the one that was keyed by hand.',
})

const cancelAtErp = step<OrderFacts, object>({
  kind: 'order',
  title: 'cancel the order at the ERP',
  reference: 'who cancelled it there, or the number of the cancellation',
  open: (facts) => (is.beingTakenBack(facts) && is.erpOrderToCancel(facts) ? [''] : []),
  asks: NOTHING,
  answer: done,
  words: noWords,
  skip: { cure: 'The ERP would go on expecting the order: cancel it there, then complete the step.' },
  holds: () => 'The ERP will not cancel the order',
  differs: 'The ERP says that the order stands: cancel it there, or the books differ.',
  denies: true,
})

const closeAtErp = step<OrderFacts, object>({
  kind: 'order',
  title: 'close the rest of a line at the ERP',
  reference: 'who closed it there, or the number of the change',
  open: is.linesToCloseAtErp,
  asks: NOTHING,
  answer: done,
  words: noWords,
  skip: {
    cure: 'The ERP would go on expecting goods that nobody ships: close the rest there, then complete the step.',
  },
  holds: () => 'The ERP will not close the rest of an order',
  differs: 'The ERP says that the rest stands: close it there, or the books differ.',
  denies: true,
})

const acknowledge = (wishes: (order: OrderFacts['order']) => ChannelWishes) =>
  step<OrderFacts, Referred>({
    kind: 'order',
    title: 'tell the channel what becomes of the order',
    reference: 'how the customer was told, or the number of the acknowledgement',
    open: ({ order }) =>
      wishes(order).acknowledgement && order.acknowledgedTurn < order.turn ? [String(order.turn)] : [],
    asks: NOTHING,
    answer: referred,
    words: byReference,
    skip: { follows: 'The channel is not told of this turn; the next one tells how the order stands then.' },
    code: 'orders.acknowledgement_refused',
    blockedAs: 'postToErp',
  })

const request = step<FulfillmentFacts, Numbered>({
  kind: 'fulfillment',
  title: 'ask the warehouse to ship',
  reference: "the warehouse's number of the request",
  open: (facts) => (facts.request.state === 'requested' ? [''] : []),
  asks: NOTHING,
  answer: numbered,
  words: byNumber,
  skip: {
    cure: 'Goods leave through a warehouse only: hand it the request and complete the step with its number, or cancel.',
  },
  holds: ({ request }) => `${request.location} refused the request`,
  differs: 'Two requests may stand at the warehouse: have it cancel the one that was entered by hand.',
})

const cancelRequest = step<FulfillmentFacts, object>({
  kind: 'fulfillment',
  title: 'take the request back at the warehouse',
  reference: 'who stopped it there, or the number of the cancellation',
  open: (facts) => (facts.request.cancelRequested && isUnderWay(facts.request) ? [''] : []),
  asks: NOTHING,
  answer: done,
  words: noWords,
  skip: {
    cure: 'The warehouse would ship what is cancelled: have it stopped there, then complete the step; what has left comes by its own word.',
  },
  differs: 'The warehouse says that it ships: stop it there, or expect the goods back.',
  denies: true,
})

const giveLabels = step<FulfillmentFacts, object>({
  kind: 'fulfillment',
  title: 'give the labels to the warehouse',
  reference: 'who gave them to the warehouse, and how',
  open: labelsToGive,
  asks: NOTHING,
  answer: done,
  words: noWords,
  skip: { follows: 'The goods leave under labels of the warehouse; ours are voided then.' },
})

const endLabel = step<FulfillmentFacts, LabelEnd>({
  kind: 'fulfillment',
  title: 'void the label',
  reference: 'who voided it at the carrier, or the tracking number of what travels under it',
  open: labelsNotEnded,
  asks: () => [{ name: 'became', means: '"void", or "used" where a parcel travels under it' }],
  answer: (_, { became }) => ({ became: endOf(became!) }),
  words: ({ became = 'void' }) => ({ became }),
  skip: {
    cure: 'The carrier charges it: find out what became of it, and complete the step.',
  },
  code: 'shipments.label_not_void',
  differs: 'Ask the carrier whether a parcel travels under a label that is void.',
})

const notify = step<ShipmentFacts, Referred>({
  kind: 'shipment',
  title: 'send the ship notice',
  reference: 'how the customer was told, or the number of the notice',
  // whether the channel wants it shows in that it was tried
  open: () => [],
  isDone: ({ shipment }) => shipment.notified,
  asks: NOTHING,
  answer: referred,
  words: byReference,
  skip: { follows: 'The channel gets no ship notice; nothing else waits for it.' },
  code: 'shipments.notice_refused',
})

const TAX_AMOUNT = { name: 'tax', means: 'the tax of the whole invoice, as decimal text in its currency' }

const tax = step<InvoiceFacts, TaxDetermination>({
  kind: 'invoice',
  title: 'have the tax determined',
  reference: "the tax system's number of the determination, or who determined it",
  open: (facts) => (owesTax(facts) && facts.invoice.number === null ? [''] : []),
  asks: () => [TAX_AMOUNT, { name: 'jurisdiction', means: 'where it is due' }],
  answer: ({ invoice, lines }, { reference, tax: amount, jurisdiction }) => {
    const taxMinor = amountOf(amount!, invoice.currency)
    return { evidence: reference, jurisdiction: jurisdiction!, taxMinor, lines: spread(lines, taxMinor) }
  },
  words: ({ taxMinor, jurisdiction }, { invoice }) => ({
    jurisdiction,
    tax: formatAmount(taxMinor, invoice.currency),
  }),
  skip: {
    cure: 'No invoice is posted without its tax: find it out and complete the step; where none is due, with the amount 0.',
  },
  code: 'billing.tax_refused',
  differs: 'Compare the invoice with what the tax system says; a credit memo settles what was posted.',
})

const post = step<InvoiceFacts, PostedInvoice>({
  kind: 'invoice',
  title: 'post the invoice',
  reference: "the invoice's legal number",
  unique: 'invoice',
  open: (facts) => (facts.invoice.number === null && !owesTax(facts) ? [''] : []),
  asks: ({ invoice }) => [
    ...(invoice.taxEvidence === null ? [TAX_AMOUNT] : []),
    { name: 'postedAt', means: 'when it was posted, as a time with its offset' },
  ],
  answer: ({ invoice }, { reference, tax: amount, postedAt }) => {
    const { netMinor } = invoice
    const taxMinor =
      invoice.taxEvidence === null ? amountOf(amount!, invoice.currency) : (invoice.taxMinor ?? 0)
    return {
      number: reference,
      netMinor,
      taxMinor,
      totalMinor: netMinor + taxMinor,
      postedAt: timeOf(postedAt!),
    }
  },
  words: ({ number, totalMinor }, { invoice }) => ({
    number,
    total: formatAmount(totalMinor, invoice.currency),
  }),
  skip: {
    cure: 'What has shipped is billed: post the invoice in the ERP and complete the step with its number.',
  },
  code: 'billing.posting_refused',
  differs:
    'Two invoices may stand at the ERP: have the one that was keyed by hand reversed there, and tell the customer.',
})

const send = step<InvoiceFacts, Referred>({
  kind: 'invoice',
  title: 'send the invoice',
  reference: 'how the customer got it, or the number of the message',
  open: ({ invoice, wanted }) => (wanted && invoice.number !== null && !invoice.sent ? [''] : []),
  asks: NOTHING,
  answer: referred,
  words: byReference,
  skip: { follows: 'The channel does not get the invoice; it is due all the same.' },
  code: 'billing.sending_refused',
})

function amountOf(text: string, currency: string): number {
  const minor = parseAmount(text, currency)
  if (minor >= 0) return minor
  throw new Refusal('overrides.fact_invalid', `"${text}" is less than nothing`, {}, '/facts/tax')
}

function endOf(text: string): 'void' | 'used' {
  if (text === 'void' || text === 'used') return text
  throw new Refusal('overrides.fact_invalid', `"${text}" is neither "void" nor "used"`, {}, '/facts/became')
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

function timeOf(text: string): Date {
  const at = new Date(text)
  if (TIME.test(text) && !Number.isNaN(at.getTime())) return at
  throw new Refusal('overrides.fact_invalid', `"${text}" is no time with its offset`, {}, '/facts/postedAt')
}

const PPM = 1_000_000

/** By what each line is worth, to the last cent: what is left over goes to the last line. */
function spread(lines: InvoiceFacts['lines'], taxMinor: number): TaxDetermination['lines'] {
  const netMinor = lines.reduce((sum, line) => sum + line.netMinor, 0)
  let [seen, given] = [0, 0]
  return lines.map((line) => {
    seen += line.netMinor
    const upTo = netMinor === 0 ? taxMinor : Number((BigInt(taxMinor) * BigInt(seen)) / BigInt(netMinor))
    const mine = upTo - given
    given = upTo
    return {
      line: line.n,
      taxMinor: mine,
      ratePpm: line.netMinor === 0 ? 0 : Math.round((mine * PPM) / line.netMinor),
    }
  })
}
