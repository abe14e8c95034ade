/** Signatures on inbound webhooks: proof that the body comes from who shares the secret. */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type HmacClaim = {
  /** The exact bytes that were signed: the raw body, or what the vendor prescribes around it. */
  readonly signed: string | Uint8Array
  /** The signature as sent, without its prefix. */
  readonly signature: string
  readonly algorithm: 'sha256' | 'sha512'
  readonly encoding: 'hex' | 'base64'
}

/** True when one of the secrets (the current one, or the one before while it is rotated) made the signature. */
export function verifyHmac(claim: HmacClaim, secrets: readonly (string | Uint8Array)[]): boolean {
  const given = Buffer.from(claim.signature, claim.encoding)
  let matches = false
  for (const secret of secrets) {
    if (secret.length === 0) throw new Error('a webhook secret is empty')
    const expected = createHmac(claim.algorithm, secret).update(claim.signed).digest()
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true
  }
  return matches
}
