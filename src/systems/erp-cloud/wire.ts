/** The words of the cloud ERP: OData entities in camel case, amounts as JSON numbers, errors with a code and a target. */
import {
  amountOf,
  type Fields,
  fieldsOf,
  filledText,
  integer,
  listOf,
  number,
  optionalText,
} from '#platform/fields.ts'

export type CloudOrder = {
  readonly customerNumber: string
  /** Our number. */
  readonly externalDocumentNumber: string
  readonly customerOrderReference: string
  readonly requestedDeliveryDate?: string
  readonly currencyCode: string
  readonly shipToCode?: string
  readonly shipToAddress?: CloudAddress
  readonly salesOrderLines: readonly CloudOrderLine[]
}

export type CloudAddress = {
  readonly name: string
  readonly addressLine1: string
  readonly city: string
  readonly state: string
  readonly postalCode: string
  readonly country: string
}

export type CloudOrderLine = {
  readonly sequence: number
  readonly lineObjectNumber: string
  readonly quantity: number
  readonly unitOfMeasureCode: string
  readonly unitPrice: number
  readonly priceUnitOfMeasureCode: string
  readonly requestedDeliveryDate?: string
}

/** What is still wanted of lines. */
export type CloudClosing = {
  readonly salesOrderLines: readonly Pick<CloudOrderLine, 'sequence' | 'quantity' | 'unitOfMeasureCode'>[]
}

export type CloudInvoice = {
  readonly customerNumber: string
  /** Our document. */
  readonly externalDocumentNumber: string
  readonly orderNumber: string
  readonly invoiceDate: string
  readonly currencyCode: string
  readonly taxEvidence?: string
  readonly salesInvoiceLines: readonly (CloudOrderLine & {
    readonly orderLineSequence: number
    readonly catchWeight: number | null
    readonly netAmount: number
  })[]
  /** Left out: the ERP taxes by its own table. */
  readonly taxLines?: readonly CloudTax[]
}

export type CloudTax = {
  readonly jurisdiction: string
  readonly taxableAmount: number
  /** Per cent with at most four places. */
  readonly rate: number
  readonly taxAmount: number
}

export type CloudPayment = {
  readonly customerNumber: string
  readonly externalDocumentNumber: string
  readonly appliesToInvoiceNumber: string
  readonly amount: number
  readonly currencyCode: string
  readonly postingDate: string
}

export type CloudReversal = Pick<CloudPayment, 'externalDocumentNumber' | 'postingDate'> & {
  readonly reasonDescription: string
}

/** One answer inside a `$batch`, or a whole one. */
export type CloudAnswer = { readonly status: number; readonly body: unknown }

export const batchAnswers = (body: unknown): Map<string, CloudAnswer> =>
  new Map(
    listOf(fieldsOf(body), 'responses', (response) => [
      filledText(response, 'id'),
      { status: integer(response, 'status'), body: response['body'] },
    ]),
  )

export type CloudError = { readonly code: string; readonly message: string }

/** Undefined where an answer, perhaps a proxy's, carries no error in the ERP's words. */
export function errorOf(body: unknown): CloudError | undefined {
  const error = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : undefined
  if (typeof error !== 'object' || error === null) return undefined
  const fields = error as Fields
  const { code, message, target } = fields
  if (typeof code !== 'string') return undefined
  const words = typeof message === 'string' ? message : code
  return { code, message: typeof target === 'string' ? `${words} (${target})` : words }
}

/** A page of entities and the address of the next one. */
export function entityPage(body: unknown): { rows: readonly unknown[]; next: string | undefined } {
  const page = fieldsOf(body)
  const rows = listOf(page, 'value', (row) => row)
  return { rows, next: optionalText(page, '@odata.nextLink') }
}

/** A JSON number as minor units; the shortest decimal of the number is what was meant. */
export const minorOf = (fields: Fields, name: string, currency: string): number =>
  amountOf(String(number(fields, name)), currency, name)
