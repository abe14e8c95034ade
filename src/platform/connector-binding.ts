/** Turns typed requests of a capability into calls and back: what every connector does alike with a list of effects. */
import type { CallTerms, Effect, EffectOutcome, Operation, OperationBinding, Recovery } from './connector.ts'
import { operationKey } from './connector.ts'
import { Outage, Refusal } from './faults.ts'
import { Unexpected } from './fields.ts'
import type { HttpResponse } from './http-client.ts'
import { retryAfterMs } from './retry.ts'

/** An outcome whose answer is of the operation's own type. */
export type Outcome<Answer> =
  | Exclude<EffectOutcome, { kind: 'confirmed' }>
  | { readonly kind: 'confirmed'; readonly answer: Answer }
export type Found<Answer> = Outcome<Answer> | { readonly kind: 'absent' }

/** An effect with its request in our words and in theirs. */
export type Ready<Request, Body> = { readonly effect: Effect; readonly request: Request; readonly body: Body }

/** What a call carries beside its content. */
export type CallContext = CallTerms & { readonly traceparent?: string }

export type OutcomeMap<Answer> = ReadonlyMap<Effect, Outcome<Answer>>

export type Calls<Request, Answer, Body> = {
  readonly batchMax: number
  readonly recovery: Recovery
  readonly visibilityLagMs?: number
  /** A request in their words. A `Refusal` thrown here refuses that effect alone; it is never sent. */
  translate(request: Request, effect: Effect): Body
  send(ready: readonly Ready<Request, Body>[], context: CallContext): Promise<OutcomeMap<Answer>>
  lookUp?(
    effects: readonly Ready<Request, undefined>[],
    context: CallContext,
  ): Promise<ReadonlyMap<Effect, Found<Answer>>>
}

/** An operation and how it is called, as an entry of `Connector.operations`. */
export function bind<Request, Answer, Body>(
  operation: Operation<Request, Answer>,
  calls: Calls<Request, Answer, Body>,
): Readonly<Record<string, OperationBinding>> {
  const { lookUp } = calls
  const binding: OperationBinding = {
    batchMax: calls.batchMax,
    recovery: calls.recovery,
    visibilityLagMs: calls.visibilityLagMs ?? 0,
    async send(effects, terms) {
      const { ready, unsaid } = translateAll(effects, calls)
      if (ready.length === 0) return unsaid
      const outcomes = await calls.send(ready, contextOf(effects, terms))
      return unsaid.size === 0 ? outcomes : new Map([...unsaid, ...outcomes])
    },
    ...(lookUp && {
      async lookUp(effects, terms) {
        const asked = effects.map((effect) => ({
          effect,
          request: effect.request as Request,
          body: undefined,
        }))
        return lookUp(asked, contextOf(effects, terms))
      },
    }),
  }
  return { [operationKey(operation)]: binding }
}

function translateAll<Request, Answer, Body>(
  effects: readonly Effect[],
  calls: Calls<Request, Answer, Body>,
): { ready: Ready<Request, Body>[]; unsaid: Map<Effect, EffectOutcome> } {
  const ready: Ready<Request, Body>[] = []
  const unsaid = new Map<Effect, EffectOutcome>()
  for (const effect of effects) {
    const request = effect.request as Request
    try {
      ready.push({ effect, request, body: calls.translate(request, effect) })
    } catch (error) {
      unsaid.set(effect, outcomeUnsaid(error))
    }
  }
  return { ready, unsaid }
}

/** A defect of ours in one translation is that effect's own, and ends with a person; the others are sent. */
function outcomeUnsaid(error: unknown): EffectOutcome {
  if (error instanceof Refusal) return { kind: 'refused', code: error.code, message: error.message }
  return { kind: 'retry', reason: `it cannot be put into their words: ${String(error)}` }
}

/** A call for several effects belongs to no single trace. */
function contextOf(effects: readonly Effect[], terms: CallTerms): CallContext {
  const traceparent = effects.length === 1 ? effects[0]?.traceparent : undefined
  return traceparent === undefined ? terms : { ...terms, traceparent }
}

/** One call after the other, each with an outcome of its own. */
export async function sendEach<Request, Body, Answer>(
  ready: readonly Ready<Request, Body>[],
  send: (body: Body, effect: Effect) => Promise<Outcome<Answer>>,
): Promise<OutcomeMap<Answer>> {
  const outcomes = new Map<Effect, Outcome<Answer>>()
  for (const { effect, body } of ready) outcomes.set(effect, await send(body, effect))
  return outcomes
}

/** The same outcome for every effect of a call. */
export function allOf<Result>(
  ready: readonly { readonly effect: Effect }[],
  outcome: Result,
): Map<Effect, Result> {
  return new Map(ready.map(({ effect }) => [effect, outcome]))
}

export const unknown = (reason: string): Outcome<never> => ({ kind: 'unknown', reason })
export const confirmed = <Answer>(answer: Answer): Outcome<Answer> => ({ kind: 'confirmed', answer })
export const refused = (code: string, message: string): Outcome<never> => ({ kind: 'refused', code, message })
export const retry = (reason: string, at?: Date): Outcome<never> => ({ kind: 'retry', reason, at })
export const throttled = (reason: string, at?: Date): Outcome<never> => ({
  kind: 'retry',
  reason,
  at,
  throttled: true,
})

/** A good status whose content is not what it must be proves nothing: perhaps done. */
export function legible<Answer>(read: () => Outcome<Answer>): Outcome<Answer> {
  try {
    return read()
  } catch (error) {
    if (error instanceof Unexpected) return unknown(`the answer makes no sense: ${error.message}`)
    throw error
  }
}

/** As `legible`, for the answer to a call of several effects. */
export function legibleAll<Result>(
  ready: readonly { readonly effect: Effect }[],
  read: () => ReadonlyMap<Effect, Result>,
): ReadonlyMap<Effect, Result | Outcome<never>> {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    return allOf(ready, unknown(`the answer makes no sense: ${error.message}`))
  }
}

/** For reading: an answer that makes no sense is one that did not come. */
export function readable<T>(system: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    throw new Outage(system, `the answer of ${system} makes no sense: ${error.message}`, { cause: error })
  }
}

/** When the answer asks to be called again. */
export function retryAt(response: HttpResponse, now: Date): Date | undefined {
  const ms = retryAfterMs(response.headers, now)
  return ms === undefined ? undefined : new Date(now.getTime() + ms)
}

/**
 * What a status says by itself about the whole call; undefined where the body decides. 401 and 403 come before any
 * effect, 429 instead of one, and so does a 503 that says when to come back; after another 5xx everything is possible
 * unless the vendor promises, in words that `undone` recognizes, that nothing was done.
 */
export function outcomeOfStatus(
  response: HttpResponse,
  now: Date,
  undone: (response: HttpResponse) => boolean = () => false,
): Outcome<never> | undefined {
  const { status } = response
  const at = retryAt(response, now)
  if (status === 429 || (status === 503 && at)) return throttled(`status ${status}`, at)
  if (status === 401 || status === 403) return retry(`the credentials were not accepted (${status})`)
  if (status >= 500) return undone(response) ? retry(`status ${status}`, at) : unknown(`status ${status}`)
  if (status >= 300 && status < 400) return unknown(`status ${status}, which leads elsewhere`)
  return undefined
}

/** The body as JSON where it is that; undefined for what a proxy may have put in its place. */
export function jsonOrNothing(response: HttpResponse): unknown {
  try {
    return response.json()
  } catch {
    return undefined
  }
}
