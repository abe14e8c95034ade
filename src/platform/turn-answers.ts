/** What became of calls, as the processes that made them are told: a list for each kind of answer. */
import type { EffectAnswer } from './connector.ts'
import { effectKey, type Intent, reasonOf, type Resolution, type Verdict } from './effects.ts'
import type { Cause } from './log.ts'
import type { Answered, AnyCall, DocumentFacts, RefusedCall } from './process.ts'
import { type Entry, findCall } from './turn-entry.ts'

/** What a lane brought, or a person said in its place. */
export type Outcome = {
  readonly doc: number
  readonly intent: Intent
  readonly verdict: Verdict
  /** The person who said so, in place of the system. */
  readonly by?: Pick<Resolution, 'actor' | 'traceId'>
}

type Entries = ReadonlyMap<number, Entry>

/** Calls of one step to one system that ended alike. */
export type Ending = {
  readonly step: string
  readonly call: AnyCall<DocumentFacts>
  readonly outcomes: readonly [Outcome, ...Outcome[]]
  readonly rank: number
}

/**
 * In the order in which their documents are locked; in waves, so that no document of a wave is in it twice and all of it
 * may be told at once.
 */
export function endingsIn(settled: readonly Outcome[], entries: Entries): Ending[][] {
  const groups = Map.groupBy(settled, ({ doc, intent: { step, system }, verdict, by }) => {
    const said = by ? ` by ${by.actor} ${by.traceId}` : ''
    return `${entries.get(doc)!.process.name} ${step} ${verdict.kind} ${system}${said}`
  })
  const endings = [...groups.values()].map((group): Ending => {
    const outcomes = group as [Outcome, ...Outcome[]]
    const { process } = entries.get(outcomes[0].doc)!
    const { step } = outcomes[0].intent
    return { step, call: findCall(process, step), outcomes, rank: process.rank }
  })
  const waves: Ending[][] = []
  let told = new Set<number>()
  for (const ending of endings.toSorted((a, b) => a.rank - b.rank)) {
    const docs = ending.outcomes.map(({ doc }) => doc)
    if (waves.length === 0 || docs.some((doc) => told.has(doc))) {
      waves.push([])
      told = new Set()
    }
    for (const doc of docs) told.add(doc)
    waves.at(-1)!.push(ending)
  }
  return waves
}

/** By document, as `confirmed` of the call takes it. */
export const confirmedOf = (
  { outcomes }: Ending,
  entries: Entries,
): Answered<DocumentFacts, EffectAnswer>[] =>
  eachDocument(outcomes, entries, (facts, mine) => ({
    facts,
    answers: mine.map(({ intent, verdict }) => ({
      subject: intent.subject,
      answer: verdict.kind === 'confirmed' ? verdict.answer : undefined,
      effectKey: effectKey(intent),
    })),
  }))

/** By document, as `refused` of the call takes it. */
export const refusedOf = ({ outcomes }: Ending, entries: Entries): RefusedCall<DocumentFacts>[] =>
  eachDocument(outcomes, entries, (facts, mine) => ({
    facts,
    refusals: mine.map(({ intent: { subject, system }, verdict }) => ({
      subject,
      system,
      ...reasonOf(verdict),
    })),
  }))

const eachDocument = <T>(
  outcomes: readonly Outcome[],
  entries: Entries,
  as: (facts: DocumentFacts, mine: readonly Outcome[]) => T,
): T[] =>
  [...Map.groupBy(outcomes, ({ doc }) => doc)].map(([doc, mine]) => as(entries.get(doc)!.facts!, mine))

/** What a system answered is told as coming from that system, and what a person said as coming from that person. */
export function causeOf({ outcomes: [{ intent, by }] }: Ending): Cause {
  return by ? { source: 'crossdock', ...by } : { source: intent.system, actor: 'process' }
}
