/** Standard Webhooks 1.0.0: the secret of a receiver, and the signature by which it knows that we sent it. */
import { createHmac } from 'node:crypto'
import type { Chance } from './ids.ts'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

export const newWebhookSecret = (chance: Pick<Chance, 'token'>): string =>
  PREFIX + Buffer.from(chance.token(SECRET_BYTES), 'hex').toString('base64')

export type SignedMessage = {
  /** The same at every attempt. */
  readonly id: string
  /** Of this attempt. */
  readonly at: Date
  readonly body: string
}

/** One signature for each secret, so that a receiver may know either of two while they are exchanged. */
export function webhookHeaders(
  { id, at, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  if (secrets.length === 0) throw new Error('a webhook cannot be signed without a secret')
  const timestamp = String(Math.floor(at.getTime() / 1_000))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => signature(secret, `${id}.${timestamp}.${body}`)).join(' '),
  }
}

function signature(secret: string, signed: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}
