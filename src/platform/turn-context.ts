/** What a turn is handed: what memory holds, who is called, and who is told. */
import type { Transaction } from './database.ts'
import type { Intent, Verdict } from './effects.ts'
import type { DocumentFacts, Process } from './process.ts'
import type { Active } from './turn-entry.ts'

export type ParkedEffect = {
  readonly facts: DocumentFacts
  readonly intent: Intent
  readonly kind: string
  readonly reason: string
}

/** What a system said of a call on whose step a person has decided meanwhile. */
export type SpokenLate = {
  readonly facts: DocumentFacts
  readonly intent: Intent
  readonly verdict: Exclude<Verdict, { readonly kind: 'deferred' }>
}

export type TurnContext = {
  readonly epoch: number
  readonly actives: ReadonlyMap<number, Active>
  readonly processes: ReadonlyMap<string, Process>
  /** The system instance that serves a capability for a company and location. */
  readonly route: (company: string, capability: string, location: string | undefined) => string
  readonly now: () => Date
  /** Tells whoever keeps parked work, in the same transaction. */
  readonly parked: (tx: Transaction, effects: readonly ParkedEffect[]) => Promise<void>
  /** Tells whoever keeps what people decide, in the same transaction; it may change the documents. */
  readonly spokenLate: (tx: Transaction, late: readonly SpokenLate[]) => Promise<void>
  /** In tests: checks that facts carried in memory are what a look would find. */
  readonly verifyFacts: boolean
}
