/** The words of the hosted shop: one order document for API and webhook, amounts as texts, errors without codes. */
import { type Fields, fieldsOf, integer, listOf, optionalText } from '#platform/fields.ts'

export type ShopFulfillment = {
  readonly external_id: string
  readonly tracking_info: { readonly company: string; readonly number?: string }
  readonly line_items: readonly { readonly id: number; readonly quantity: number }[]
}

export type KnownFulfillment = { readonly id: number; readonly externalId: string | undefined }

export const fulfillmentOf = (fulfillment: Fields): KnownFulfillment => ({
  id: integer(fulfillment, 'id'),
  externalId: optionalText(fulfillment, 'external_id'),
})

export const fulfillmentsOf = (body: unknown): KnownFulfillment[] =>
  listOf(fieldsOf(body), 'fulfillments', fulfillmentOf)

/** `{"errors":"…"}` or `{"errors":{"field":["…"]}}` in a line; undefined where the body is not of the shop. */
export function errorsOf(body: unknown): string | undefined {
  const errors = typeof body === 'object' && body !== null ? (body as { errors?: unknown }).errors : undefined
  if (typeof errors === 'string') return errors
  if (typeof errors !== 'object' || errors === null) return undefined
  return Object.entries(errors)
    .map(([field, words]) => `${field}: ${Array.isArray(words) ? words.join(', ') : String(words)}`)
    .join('; ')
}
