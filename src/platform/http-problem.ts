/** Turns what was thrown into an RFC 9457 problem: the only place where the kinds of faults become statuses. */
import { Outage, Refusal } from './faults.ts'
import type { Catalogue, Meaning } from './http-catalogue.ts'
import { httpFaults } from './http-refusals.ts'
import { isBusy, isOutage } from './outage.ts'

/** One wrong field: where it is, which rule it breaks, and what to send instead. */
export type FieldError = { readonly pointer: string; readonly code: string; readonly message: string }

export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly code: string
  readonly errors?: readonly FieldError[]
  readonly facts?: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly owner?: string
}

/** The time is up, or the server is leaving; thrown by the server itself. */
export class Interruption extends Error {
  readonly code: 'http.timeout' | 'http.closing'

  constructor(code: 'http.timeout' | 'http.closing') {
    super(httpFaults[code].title)
    this.name = 'Interruption'
    this.code = code
  }
}

export type ProblemContext = {
  readonly catalogue: Catalogue
  readonly traceId: string
  readonly instance: string
  readonly now: Date
}

const DEFAULT_RETRY_MS = 5_000
const MAX_RETRY_MS = 3_600_000

/**
 * A refusal tells its message and facts, an outage names the system only, a bug tells nothing. The facts
 * `errors`, `retryAfterMs` and `owner` of a refusal become the members of the same name.
 */
export function problemOf(thrown: unknown, context: ProblemContext): Problem {
  if (thrown instanceof Refusal) {
    const meaning = context.catalogue.get(thrown.code)
    if (meaning) return problemOfRefusal(thrown, meaning, context)
  }
  if (isUnavailable(thrown)) {
    const { system, retryAt } = thrown instanceof Outage ? thrown : DATABASE_AWAY
    const waitMs = retryAt ? retryAt.getTime() - context.now.getTime() : DEFAULT_RETRY_MS
    const problem = plain('http.unavailable', httpFaults['http.unavailable'], context)
    const retryAfterMs = Math.min(Math.max(waitMs, 1_000), MAX_RETRY_MS)
    return { ...problem, detail: `${system} cannot answer now.`, retryable: true, retryAfterMs }
  }
  if (thrown instanceof Interruption) {
    const problem = plain(thrown.code, httpFaults[thrown.code], context)
    return { ...problem, retryable: true, retryAfterMs: 1_000 }
  }
  return plain('http.bug', httpFaults['http.bug'], context)
}

/** Not now: the caller may come again. */
export const isUnavailable = (thrown: unknown): boolean => isOutage(thrown) || isBusy(thrown)

const DATABASE_AWAY: Pick<Outage, 'system' | 'retryAt'> = { system: 'The database', retryAt: undefined }

/** True for what is nobody's refusal and no outage: someone has to be told. */
export function isBug(thrown: unknown, catalogue: Catalogue): boolean {
  if (thrown instanceof Refusal) return !catalogue.has(thrown.code)
  return !(isUnavailable(thrown) || thrown instanceof Interruption)
}

function problemOfRefusal(refusal: Refusal, meaning: Meaning, context: ProblemContext): Problem {
  const { errors: _named, retryAfterMs, owner, ...facts } = refusal.facts
  const named = fieldErrorsOf(refusal)
  return {
    ...plain(refusal.code, meaning, context),
    detail: refusal.message,
    ...(named.length > 0 ? { errors: named } : {}),
    ...(Object.keys(facts).length > 0 ? { facts } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryable: true, retryAfterMs } : {}),
    ...(typeof owner === 'string' ? { owner } : {}),
  }
}

/** The fields that a refusal names, all of them or the one that it is about. */
export function fieldErrorsOf(refusal: Refusal): readonly FieldError[] {
  const { errors } = refusal.facts
  if (Array.isArray(errors)) return errors as FieldError[]
  if (refusal.pointer === undefined) return []
  return [{ pointer: refusal.pointer, code: refusal.code, message: refusal.message }]
}

function plain(code: string, meaning: Meaning, context: ProblemContext): Problem {
  return {
    type: `/problems/${code}`,
    title: meaning.title,
    status: meaning.status,
    detail: meaning.cause,
    instance: context.instance,
    code,
    traceId: context.traceId,
    retryable: false,
  }
}

function allowOf({ facts }: Problem): string {
  const allow = facts?.['allow']
  return typeof allow === 'string' ? allow : ''
}

/** Headers that repeat in HTTP's own words what the problem says. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json; charset=utf-8' }
  if (problem.retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.ceil(problem.retryAfterMs / 1_000))
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer'
  if (problem.status === 405) headers['allow'] = allowOf(problem)
  return headers
}
