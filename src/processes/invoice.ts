/** From a drafted invoice to its legal number: taxed, posted by the ERP under one key, sent where it is wanted. */
import { type InvoiceNotice, sendInvoice } from '#capabilities/channel.ts'
import { type InvoicePosting, postInvoice, type PostedInvoice } from '#capabilities/erp.ts'
import { determineTax, type TaxDetermination, type TaxRequest } from '#capabilities/tax.ts'
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import {
  type Answered,
  type Answers,
  call,
  type Done,
  type Process,
  process,
  type RefusedCall,
} from '#platform/process.ts'
import type { UnitFactor } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { recordPosted, recordSent, recordTax } from '#domains/billing/operations.ts'
import { supersedePosted } from '#domains/billing/operations/by-hand.ts'
import { addReferences } from '#domains/orders/operations.ts'
import { invoiceFacts, type InvoiceFacts } from './invoice-facts.ts'
import { KILOGRAM } from './nominal-weight.ts'
import { invoiceNumber, orderNumber, type ProcessPorts, shipmentNumber } from './ports.ts'
import { endRefusals, refusalCause } from './refusals.ts'

export function invoice(ports: ProcessPorts): Process {
  return process<InvoiceFacts>('invoice', {
    kind: 'invoice',
    rank: 4,
    facts: (tx, docs) => invoiceFacts(tx, docs, ports),
    steps: {
      tax: { when: owesTax, call: tax(ports) },
      post: { when: readyToPost, call: post(ports) },
      send: {
        when: ({ invoice, wanted }) => wanted && invoice.number !== null && !invoice.sent,
        call: send(ports),
      },
    },
    finished: ({ invoice, wanted }, skipped) =>
      invoice.number !== null && (invoice.sent || !wanted || skipped('send')),
  })
}

const TAX_REFUSED = 'billing.tax_refused'
const POSTING_REFUSED = 'billing.posting_refused'
const SENDING_REFUSED = 'billing.sending_refused'

export const owesTax = ({ taxedBy, invoice }: InvoiceFacts): boolean =>
  taxedBy === 'tax-system' && invoice.taxEvidence === null

const readyToPost = (facts: InvoiceFacts): boolean =>
  facts.invoice.number === null && facts.order.erpNumber !== null && !owesTax(facts)

const tax = (ports: ProcessPorts) =>
  call<InvoiceFacts, TaxRequest, TaxDetermination>({
    operation: determineTax,
    businessKey: ({ doc }) => invoiceNumber(doc),
    request: ({ doc, company, order, shipTo, shipment, invoice, lines }) => ({
      company,
      document: invoiceNumber(doc),
      customer: order.customer,
      taxId: order.taxId ?? undefined,
      exemption: order.taxExempt ? 'RESALE' : undefined,
      shipTo,
      shipFrom: shipment.location,
      currency: invoice.currency,
      date: localDate(shipment.shippedAt, ports.company(company).timeZone),
      lines: lines.map(({ n, sku, taxClass, quantity, netMinor }) => ({
        line: n,
        sku,
        taxClass,
        quantity,
        netMinor,
      })),
    }),
    async confirmed(tx, answered, cause) {
      // What a person has entered and the ERP has posted stands.
      const open = answered.filter(({ facts }) => facts.invoice.number === null)
      const rows = open.map(({ facts, answers: [first] }) => ({ ...facts.invoice, ...first!.answer }))
      const versions = await recordTax(tx, rows, cause)
      await endRefusals(tx, answered, TAX_REFUSED)
      return carried(answered, versions, ({ invoice, lines }, determined) => {
        const taxOf = new Map(determined.lines.map((line) => [line.line, line]))
        const totalMinor = invoice.netMinor + determined.taxMinor
        const { taxMinor, evidence: taxEvidence, jurisdiction: taxJurisdiction } = determined
        return {
          invoice: { ...invoice, state: 'taxed', taxMinor, totalMinor, taxEvidence, taxJurisdiction },
          lines: lines.map((line) => {
            const found = taxOf.get(line.n)
            return { ...line, taxMinor: found?.taxMinor ?? null, taxRatePpm: found?.ratePpm ?? null }
          }),
        }
      })
    },
    refused: refusedBy(ports, TAX_REFUSED, 'The tax system refuses to determine tax'),
  })

const post = (ports: ProcessPorts) =>
  call<InvoiceFacts, InvoicePosting, PostedInvoice>({
    operation: postInvoice,
    businessKey: ({ doc }) => invoiceNumber(doc),
    request: postingOf,
    async confirmed(tx, answered, cause) {
      const rowsOf = (works: typeof answered) =>
        works.map(({ facts, answers: [first] }) => ({
          ...facts.invoice,
          ...first!.answer,
          effectKey: first!.effectKey,
        }))
      const isPosted = ({ facts }: (typeof answered)[number]) => facts.invoice.number !== null
      const versions = await recordPosted(tx, rowsOf(answered.filter((work) => !isPosted(work))), cause)
      await supersedePosted(tx, rowsOf(answered.filter(isPosted)), cause)
      addReferences(
        tx,
        rowsOf(answered).map(({ doc, orderId, number }) => ({
          value: number,
          scheme: 'invoice',
          doc,
          orderId,
        })),
      )
      ports.sla.clocks.stop(
        tx,
        'order_to_invoice_posting',
        answered.map(({ facts }) => facts.invoice.shipmentId),
      )
      await endRefusals(tx, answered, POSTING_REFUSED)
      await reportDifferences(tx, ports, answered)
      return carried(answered, versions, ({ invoice }, { number, taxMinor, postedAt }) => ({
        invoice: {
          ...invoice,
          state: 'posted',
          number,
          taxMinor,
          totalMinor: invoice.netMinor + taxMinor,
          postedAt,
        },
      }))
    },
    refused: refusedBy(ports, POSTING_REFUSED, 'The ERP refuses to post invoices'),
  })

function postingOf({ doc, company, invoice, lines, order, shipment }: InvoiceFacts): InvoicePosting {
  return {
    company,
    document: invoiceNumber(doc),
    customer: order.customer,
    salesOrder: order.erpNumber ?? '',
    shipment: shipment.number,
    shippedAt: shipment.shippedAt,
    currency: invoice.currency,
    netMinor: invoice.netMinor,
    tax: taxOf(invoice),
    lines: lines.map(({ n, orderLine, sku, quantity, unit, priceMinor, priceUnit, netMinor, ...line }) => ({
      line: n,
      orderLine,
      sku,
      quantity,
      unit,
      priceMinor,
      priceUnit,
      catchWeight: line.catchWeight ?? undefined,
      netMinor,
      taxMinor: line.taxMinor ?? undefined,
      taxRatePpm: line.taxRatePpm ?? undefined,
    })),
  }
}

function taxOf({ taxEvidence, taxMinor, taxJurisdiction }: InvoiceFacts['invoice']): InvoicePosting['tax'] {
  if (taxEvidence === null) return undefined
  return { taxMinor: taxMinor ?? 0, evidence: taxEvidence, jurisdiction: taxJurisdiction ?? '' }
}

/** Totals that differ are an exception, never a correction. */
async function reportDifferences(
  tx: Transaction,
  ports: ProcessPorts,
  answered: readonly Answered<InvoiceFacts, PostedInvoice>[],
): Promise<void> {
  const differing = answered.filter(({ facts: { invoice }, answers: [first] }) => {
    const { netMinor, taxMinor } = first!.answer
    return netMinor !== invoice.netMinor || (invoice.taxEvidence !== null && taxMinor !== invoice.taxMinor)
  })
  if (differing.length === 0) return
  await ports.openExceptions(
    tx,
    differing.map(({ facts, answers: [first] }) =>
      occurrence(facts, {
        cause: `billing.totals_differ:${invoiceNumber(facts.doc)}`,
        code: 'billing.totals_differ',
        title: `The ERP posted ${first!.answer.number} with other totals than ours`,
        suggestedAction:
          'Compare the invoice on both sides; a credit memo or a corrected posting settles it.',
      }),
    ),
  )
}

type Reported = Pick<Occurrence, 'cause' | 'code' | 'title' | 'suggestedAction'>

const occurrence = ({ doc, company, invoice }: InvoiceFacts, reported: Reported): Occurrence => ({
  ...reported,
  company,
  affects: { doc, kind: 'invoice', value: { amountMinor: invoice.netMinor, currency: invoice.currency } },
})

function refusedBy(ports: ProcessPorts, code: string, title: string) {
  return async (
    tx: Transaction,
    refused: readonly RefusedCall<InvoiceFacts>[],
  ): Promise<Answers<RefusedCall<InvoiceFacts>, InvoiceFacts>> => {
    await ports.openExceptions(
      tx,
      refused.map(({ facts, refusals: [first] }) =>
        occurrence(facts, {
          cause: refusalCause(code, first!),
          code,
          title: `${title}: ${first!.message}`,
          suggestedAction: `Mend the cause in ${first!.system}, then have them tried again.`,
        }),
      ),
    )
    return new Map(
      refused.map((work): [RefusedCall<InvoiceFacts>, Done<InvoiceFacts>] => [work, { facts: work.facts }]),
    )
  }
}

const send = (ports: ProcessPorts) =>
  call<InvoiceFacts, InvoiceNotice, { readonly reference?: string }>({
    operation: sendInvoice,
    location: ({ order }) => order.sender,
    businessKey: ({ doc }) => invoiceNumber(doc),
    request: noticeOf,
    async confirmed(tx, answered, cause) {
      const rows = answered.map(({ facts, answers: [first] }) => ({
        ...facts.invoice,
        reference: first!.answer.reference,
      }))
      const changed = await recordSent(tx, rows, cause)
      await endRefusals(tx, answered, SENDING_REFUSED)
      const versions = new Map([...changed].map(([doc, { version }]) => [doc, version]))
      return carried(answered, versions, ({ doc, invoice }) => ({
        invoice: { ...invoice, sent: true, state: changed.get(doc)!.state },
      }))
    },
    refused: refusedBy(ports, SENDING_REFUSED, 'The channel refuses invoices'),
  })

function noticeOf({ doc, company, invoice, lines, order, shipment }: InvoiceFacts): InvoiceNotice {
  return {
    company,
    invoice: invoiceNumber(doc),
    number: invoice.number ?? '',
    order: orderNumber(invoice.orderId),
    customer: order.customer,
    customerOrder: order.customerOrder,
    orderDate: order.orderDate ?? undefined,
    externalId: order.externalId ?? undefined,
    shipment: shipmentNumber(invoice.shipmentId),
    currency: invoice.currency,
    netMinor: invoice.netMinor,
    taxMinor: invoice.taxMinor ?? 0,
    totalMinor: invoice.totalMinor ?? invoice.netMinor,
    termsDays: invoice.termsDays,
    issuedAt: invoice.postedAt ?? shipment.shippedAt,
    shippedAt: shipment.shippedAt,
    lines: lines.map(noticeLineOf),
  }
}

function noticeLineOf(line: InvoiceFacts['lines'][number]): InvoiceNotice['lines'][number] {
  const { customerLine, sku, quantity, unit, priceMinor, priceUnit, catchWeight, netMinor } = line
  return {
    line: customerLine,
    sku,
    quantity,
    unit,
    priceMinor,
    priceUnit,
    unitsPerPrice: unitsPerPrice(line),
    weight: priceUnit === KILOGRAM ? (catchWeight ?? undefined) : undefined,
    netMinor,
  }
}

/** Billed is in the ordered unit or in the base unit, priced in the ordered one. */
function unitsPerPrice({ unit, priceUnit, ordered }: InvoiceFacts['lines'][number]): UnitFactor | undefined {
  if (priceUnit === unit) return { numerator: 1, denominator: 1 }
  return priceUnit === ordered.unit ? ordered.factor : undefined
}

/** What the facts are after a change that this process made, unless somebody else changed the invoice in between. */
function carried<Answer>(
  works: readonly Answered<InvoiceFacts, Answer>[],
  versions: ReadonlyMap<number, number>,
  change: (facts: InvoiceFacts, answer: Answer) => Partial<InvoiceFacts>,
): Answers<Answered<InvoiceFacts, Answer>, InvoiceFacts> {
  return new Map(
    works.map((work): [Answered<InvoiceFacts, Answer>, Done<InvoiceFacts>] => {
      const {
        facts,
        answers: [first],
      } = work
      const version = versions.get(facts.doc)
      if (version !== facts.version + 1) return [work, 'look']
      return [work, { facts: { ...facts, ...change(facts, first!.answer), version } }]
    }),
  )
}
