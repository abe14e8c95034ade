/** What a process is: a table of steps, decided from facts. Authors fill in the table; the runner does the rest. */
import type { Transaction } from './database.ts'
import type { EffectAnswer, Operation } from './connector.ts'
import type { DeskRow } from './desk.ts'
import type { Cause } from './log.ts'

/** What every process knows of its document. Facts are plain values, read as of `version`. */
export type DocumentFacts = {
  readonly doc: number
  readonly company: string
  /** The document at the root of the journey. */
  readonly correlationId: number
  /** The document's own version, raised by each of its events. */
  readonly version: number
  /** W3C trace id of what began the journey; calls to other systems carry it on. */
  readonly traceId?: string | undefined
}

/** One document and the subjects of a step that are to be done for it now. */
export type Work<F> = { readonly facts: F; readonly subjects: readonly string[] }

/** A document that a step created and whose own process begins with these facts. */
export type Begun = {
  readonly process: Process
  readonly facts: DocumentFacts
  readonly priority?: number
  readonly share?: number
}

/** What a transaction of the house puts on the desk. */
export interface Docket {
  /** Documents created in this transaction, with the facts they were created with. */
  begin(begun: readonly Begun[]): void
  /** Documents that this transaction changed and whose own process must see it. */
  wake(rows: readonly DeskRow[]): Promise<void>
  /** As `wake`, looked at after the commit: for changes whose steps lock what comes before a desk row. */
  wakeAfterwards(rows: readonly DeskRow[]): void
}

export type Changed<F> = {
  /** The facts as they are now, or that only a fresh look tells. */
  readonly facts: F | 'look'
  readonly begins?: readonly Begun[]
  /** Other documents that must see this change. */
  readonly wakes?: readonly DeskRow[]
  /** Subjects that may not be done, for good; a person decides what comes next. */
  readonly refused?: readonly { readonly subject: string; readonly reason: string }[]
}

/**
 * What became of a piece of work; or `look` when the document was changed by somebody else meanwhile, so that only a
 * fresh look tells.
 */
export type Done<F> = Changed<F> | 'look'

/** Answers by the work itself, so that none can be handed to a neighbour. */
export type Answers<W, F> = ReadonlyMap<W, Done<F>>

export type Answered<F, Answer> = {
  readonly facts: F
  readonly answers: readonly {
    readonly subject: string
    readonly answer: Answer
    readonly effectKey: string
  }[]
}

export type RefusedCall<F> = {
  readonly facts: F
  readonly refusals: readonly {
    readonly subject: string
    readonly code: string
    readonly message: string
    readonly system: string
  }[]
}

/** A call to another system as a step: how to ask, and what to do with its answer. */
export type Call<F, Request = never, Answer = never> = {
  readonly operation: Operation<Request, Answer>
  /** Which location's system is meant, where the capability is routed by location. */
  location?(facts: F, subject: string): string | undefined
  /** What a person would search for at the target. */
  businessKey(facts: F, subject: string): string
  request(facts: F, subject: string): Request
  confirmed(
    tx: Transaction,
    answered: readonly Answered<F, Answer>[],
    cause: Cause,
  ): Promise<Answers<Answered<F, Answer>, F>>
  refused(
    tx: Transaction,
    refused: readonly RefusedCall<F>[],
    cause: Cause,
  ): Promise<Answers<RefusedCall<F>, F>>
}

/** A call whose request and answer types are settled inside it. */
export type AnyCall<F> = Call<F, unknown, EffectAnswer>

type Deed<F> =
  | { do(tx: Transaction, work: readonly Work<F>[], cause: Cause): Promise<Answers<Work<F>, F>> }
  | { readonly call: AnyCall<F> }

type Offer<F> = { each(facts: F): readonly string[] } | { when(facts: F): boolean }

type Forward<F> = Offer<F> &
  Deed<F> & {
    /**
     * Locks accounts or stock positions, which come before desk rows: not done in a transaction that has woken others. What
     * is taken back always does.
     */
    readonly locksEarly?: true
  }

export type Step<F> = Forward<F> & { readonly undo?: Offer<F> & Deed<F> }

export type Process<F extends DocumentFacts = DocumentFacts> = {
  readonly name: string
  /** Which kind of document it works on. */
  readonly kind: string
  /** Documents of a lower rank are locked first. */
  readonly rank: number
  readonly steps: readonly NamedStep<F>[]
  readonly undoSteps: readonly NamedStep<F>[]
  /** Loads the facts of these documents and locks their rows, in the order of keys; a missing one is left out. */
  facts(tx: Transaction, docs: readonly number[]): Promise<ReadonlyMap<number, F>>
  /**
   * Nothing will ever be due again by itself; a wake-up brings the document back. `skipped` tells of a step whether a
   * person decided that it is not done.
   */
  finished(facts: F, skipped: (step: string) => boolean): boolean
  /** When to look even though nobody woke it. Pure. */
  wakeAt?(facts: F): Date | undefined
  /** Steps are being taken back, latest first. */
  undoing?(facts: F): boolean
}

export type NamedStep<F> = { readonly name: string } & Forward<F>

type Definition<F extends DocumentFacts> = Omit<Process<F>, 'name' | 'steps' | 'undoSteps'> & {
  readonly steps: Readonly<Record<string, Step<F>>>
}

/** Names a process and orders its steps as they are written; undo runs in reverse. */
export function process<F extends DocumentFacts>(name: string, definition: Definition<F>): Process<F> {
  const entries = Object.entries(definition.steps)
  return {
    ...definition,
    name,
    steps: entries.map(([step, { undo: _, ...forward }]) => ({ name: step, ...forward })),
    undoSteps: entries
      .flatMap(([step, { undo }]) => (undo ? [{ name: `${step}:undo`, ...undo }] : []))
      .reverse(),
  }
}

/** Ties the types of a call together. */
export function call<F, Request, Answer>(definition: Call<F, Request, Answer>): AnyCall<F> {
  return definition as unknown as AnyCall<F>
}

export const subjectsOf = <F>(step: Offer<F>, facts: F): readonly string[] =>
  'each' in step ? step.each(facts) : step.when(facts) ? [''] : []
