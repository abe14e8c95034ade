/** What a connector is to the platform: operations of capabilities that can be sent, and looked up when in doubt. */

import type { Clock } from './clock.ts'
import type { HttpClient } from './http-client.ts'

declare const shape: unique symbol

/** Names an operation of a capability and carries the types of its request and answer. */
export type Operation<Request, Answer> = {
  readonly capability: string
  readonly name: string
  readonly [shape]?: (request: Request) => Answer
}

export function operation<Request, Answer>(capability: string, name: string): Operation<Request, Answer> {
  return { capability, name }
}

export type EffectAnswer = unknown

/** One call that the house owes to another system. */
export type Effect = {
  /** document/step/subject/generation: the idempotency key, the same at every attempt. */
  readonly key: string
  readonly businessKey: string
  readonly request: unknown
  readonly traceparent?: string | undefined
}

export type EffectOutcome =
  | { readonly kind: 'confirmed'; readonly answer: EffectAnswer }
  /** The system said no, for good. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** Surely not done; may be tried again, not before `at` when the system named a time. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly at?: Date | undefined
      /** It asked to be left alone, whether or not it said for how long. */
      readonly throttled?: boolean
    }
  /** Perhaps done: a timeout, a broken or senseless answer. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** What a look-up found: the outcome, or that the system knows nothing of it. */
export type LookUpOutcome = EffectOutcome | { readonly kind: 'absent' }

/**
 * How a doubt is resolved: `key`, the target honours our key, so sending again is safe; `lookup`, we ask by business
 * key first; `neither`, it is sent once and a person decides.
 */
export type Recovery = 'key' | 'lookup' | 'neither'

/** Under which a call is made. */
export type CallTerms = {
  readonly signal: AbortSignal
  /** Asked right before the first byte, however long the call has queued; false keeps it at home. */
  readonly mayStillSend: () => boolean
}

export type OperationBinding = {
  /** How many effects one call takes. */
  readonly batchMax: number
  readonly recovery: Recovery
  /** How long after the effect a look-up may still not see it. */
  readonly visibilityLagMs: number
  send(effects: readonly Effect[], terms: CallTerms): Promise<ReadonlyMap<Effect, EffectOutcome>>
  lookUp?(effects: readonly Effect[], terms: CallTerms): Promise<ReadonlyMap<Effect, LookUpOutcome>>
}

/** What every connector is made of. */
export type ConnectorOptions<Settings> = {
  readonly instance: string
  readonly settings: Settings
  readonly http: HttpClient
  readonly clock: Clock
}

/** One system instance: its operations by `capability.name`. */
export type Connector = {
  readonly instance: string
  readonly operations: Readonly<Record<string, OperationBinding>>
}

export const operationKey = (operation: { capability: string; name: string }): string =>
  `${operation.capability}.${operation.name}`
