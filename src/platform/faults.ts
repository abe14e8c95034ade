/** The two faults that code may throw on purpose; everything else that is thrown is a bug. */

export type Facts = Readonly<Record<string, unknown>>

/** What a refusal code means to the people who meet it; every code is declared in a contract with one of these. */
export type RefusalCode = {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 428 | 429
  readonly title: string
  readonly cause: string
  readonly fix: string
}

/** No, and asking again will not change the answer. Becomes a 4xx, or a refused step. */
export class Refusal extends Error {
  readonly code: string
  readonly facts: Facts
  /** The field it is about, as a JSON pointer into what the caller sent. */
  readonly pointer: string | undefined

  constructor(code: string, message: string, facts: Facts = {}, pointer?: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.facts = facts
    this.pointer = pointer
  }
}

/** Not now: a system that is needed cannot answer. Becomes a 503, or a retry and at last parked work. */
export class Outage extends Error {
  readonly system: string
  /** When the system said it may be asked again. */
  readonly retryAt: Date | undefined

  constructor(system: string, message: string, options: { cause?: unknown; retryAt?: Date } = {}) {
    super(message, { cause: options.cause })
    this.name = 'Outage'
    this.system = system
    this.retryAt = options.retryAt
  }
}
