/** The words of the tax engine: documents by code, amounts and rates as decimal texts. */
import { type Fields, fieldsOf, filledText, integer, listOf, optionalText } from '#platform/fields.ts'

export type EnginePlace = { readonly country: string; readonly region: string; readonly postal_code: string }

export type EngineDocument = {
  readonly code: string
  readonly company: string
  readonly type: 'SalesInvoice'
  readonly date: string
  readonly currency: string
  readonly customer: {
    readonly code: string
    readonly exemption: string | null
    readonly vat_number: string | null
  }
  readonly ship_from: EnginePlace
  readonly ship_to: EnginePlace
  readonly lines: readonly {
    readonly number: string
    readonly item: string
    readonly tax_code: string
    readonly quantity: number
    readonly amount: string
  }[]
}

export type EngineError = { readonly code: string; readonly message: string }

/** One document of a batch, found by its code; a single answer has the same parts. */
export type EngineResult = {
  readonly code: string
  readonly status: number
  readonly transaction: Fields | undefined
  readonly error: EngineError | undefined
}

export const batchResults = (body: unknown): EngineResult[] =>
  listOf(fieldsOf(body), 'results', (result) => ({
    code: filledText(result, 'code'),
    status: integer(result, 'status'),
    transaction:
      result['transaction'] === undefined ? undefined : fieldsOf(result['transaction'], 'transaction'),
    error: errorOf(result),
  }))

/** Undefined where an answer, perhaps a proxy's, carries no error in the engine's words. */
export function errorOf(body: unknown): EngineError | undefined {
  const error = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : undefined
  if (typeof error !== 'object' || error === null) return undefined
  const { code, message } = error as Fields
  if (typeof code !== 'string') return undefined
  const target = optionalText({ target: null, ...error }, 'target')
  const words = typeof message === 'string' ? message : code
  return { code, message: target === undefined || words.includes(target) ? words : `${words} (${target})` }
}
