/** The words of the Swift carrier: labels by reference, errors with code and detail. */
import { optionalText } from '#platform/fields.ts'

export type SwiftAddress = {
  readonly name: string
  readonly address: string
  readonly city: string
  readonly region: string
  readonly postal_code: string
  readonly country: string
}

export type SwiftShipment = {
  readonly reference: string
  readonly service: string
  readonly ship_from: SwiftAddress
  readonly ship_to: SwiftAddress
  readonly packages: readonly { readonly reference: string; readonly weight_kg: number }[]
}

export type SwiftError = { readonly code: string; readonly message: string }

/** Undefined where an answer, perhaps a proxy's, carries no error in the carrier's words. */
export function errorOf(body: unknown): SwiftError | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const fields = body as { code?: unknown; title?: unknown; detail?: unknown }
  if (typeof fields.code !== 'string') return undefined
  const said = [fields.title, fields.detail].filter((part) => typeof part === 'string' && part !== '')
  return { code: fields.code, message: said.join(': ') }
}

/** `X-Swift-Signature: sha256=<hex>`; undefined where it is of another form. */
export const signatureOf = (header: string | undefined): string | undefined =>
  optionalText({ signature: /^sha256=([0-9a-f]{64})$/.exec(header ?? '')?.[1] }, 'signature')
