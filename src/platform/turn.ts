/**
 * One transaction's worth of process work: documents that begin, were woken, were answered or must be looked at are
 * taken as far as they go without another system; what they ask of other systems becomes intents; who has nothing left
 * to do goes to sleep or leaves the desk. Memory changes only after the commit.
 */
import type { Transaction } from './database.ts'
import { type DeskRow, type StepRow, wakeDocuments, writeStepRows } from './desk.ts'
import {
  type Deferred,
  deferEffects,
  effectKey,
  type Intent,
  intendEffects,
  isNo,
  reasonOf,
  settleEffects,
} from './effects.ts'
import { holdDocuments, type Waits } from './effects-held.ts'
import type { Cause } from './log.ts'
import type { Answers, AnyCall, Begun, Changed, Docket, DocumentFacts } from './process.ts'
import { causeOf, confirmedOf, type Ending, endingsIn, type Outcome, refusedOf } from './turn-answers.ts'
import type { ParkedEffect, TurnContext } from './turn-context.ts'
import { Departures } from './turn-departures.ts'
import {
  type Active,
  activeOf,
  beginEntry,
  dueIntents,
  enterEntry,
  type Entry,
  findCall,
  firstReady,
  intentOf,
  isUndo,
  newActive,
  offeredCalls,
  type ReadyStep,
  resolvedOf,
  stepKey,
} from './turn-entry.ts'
import { lookAt, verifyCarried } from './turn-look.ts'
import { isDecided, isLeft, withdrawable } from './turn-overrides.ts'

/** An effect to hand to its lane once the transaction has committed. */
export type Planned = {
  readonly intent: Intent
  readonly call: AnyCall<DocumentFacts>
  readonly facts: DocumentFacts
  readonly priority: number
  /** A person has decided on its step: it may be asked about, and is not sent any more. */
  readonly isDecided: boolean
}

/** What memory holds once the transaction has committed. */
export type Committed = {
  readonly owned: readonly Active[]
  readonly gone: readonly Active[]
  /** Owned by this process, and changed by this transaction behind the back of what memory knows. */
  readonly stale: readonly number[]
  /** To be looked at at once: somebody woke them in between. */
  readonly lookAgain: readonly Active[]
}

const ROUNDS_MAX = 20

type Refused = {
  readonly subject: string
  readonly generation?: number
  readonly reason: string
  readonly actor?: string | undefined
}

export class Turn implements Docket {
  readonly planned: Planned[] = []
  readonly #tx: Transaction
  readonly #context: TurnContext
  readonly #cause: Cause
  readonly #entries = new Map<number, Entry>()
  readonly #stale = new Set<number>()
  readonly #wakes = new Map<number, DeskRow>()
  /** Looked at after this transaction: what it began and woke, and what locks before desk rows. */
  readonly #afterwards = new Set<number>()
  #hasWoken = false
  readonly #writtenSteps: (StepRow & { actor: string; reason: string | null })[] = []
  readonly #newIntents: Intent[] = []
  readonly #sentAgain: Deferred[] = []
  readonly #departures: Departures
  #lookAgain: readonly Active[] = []

  constructor(tx: Transaction, context: TurnContext, cause: Cause) {
    this.#tx = tx
    this.#context = context
    this.#cause = cause
    this.#departures = new Departures(tx, context.epoch, this.#afterwards)
  }

  begin(begun: readonly Begun[]): void {
    for (const one of begun) this.#entries.set(one.facts.doc, beginEntry(one))
  }

  async wake(rows: readonly DeskRow[]): Promise<void> {
    for (const active of await this.#wake(rows)) this.#enter(active)
    this.#hasWoken ||= rows.length > 0
  }

  wakeAfterwards(rows: readonly DeskRow[]): void {
    for (const row of rows) this.#wakes.set(row.doc, row)
  }

  /** Documents to look at: claimed ones, and those that somebody changed while they were worked on. */
  look(actives: readonly Active[]): void {
    for (const active of actives) this.#enter({ ...active, facts: undefined })
  }

  /** What the lanes brought, and what people say in their place, for documents that this process owns. */
  async settle(brought: readonly Outcome[]): Promise<void> {
    const received = brought.filter((outcome) => this.#receive(outcome))
    // A person may have decided meanwhile what is to be done without the system.
    for (const { doc, verdict } of received) if (isNo(verdict)) this.#entries.get(doc)!.facts = undefined
    await this.#lookAtUnknown()
    const outcomes = [...received, ...[...this.#entries.values()].flatMap(resolvedOf)]
    const settled = outcomes.filter((outcome) => outcome.verdict.kind !== 'deferred')
    settleEffects(
      this.#tx,
      settled.map((outcome) => outcome.intent),
    )
    for (const { doc, intent } of settled) this.#entries.get(doc)!.intents.delete(effectKey(intent))
    await this.#answer(settled.filter((outcome) => !this.#isOverruled(outcome)))
    await this.#tellLate(settled)
    await this.#defer(outcomes)
  }

  /** Takes every document as far as it goes and writes what follows. */
  async close(): Promise<void> {
    await this.#lookAtUnknown()
    for (let round = 0; await this.#runReadySteps(); round++) {
      if (round === ROUNDS_MAX)
        throw new Error('a process does not come to rest: its steps offer work again and again')
    }
    if (this.#wakes.size > 0) this.#lookAgain = await this.#wake([...this.#wakes.values()])
    for (const entry of this.#entries.values()) if (entry.current) this.#plan(entry)
    writeStepRows(this.#tx, this.#writtenSteps)
    intendEffects(this.#tx, this.#newIntents)
    deferEffects(this.#tx, this.#sentAgain)
    this.#departures.write([...this.#entries.values()], this.#context.now())
  }

  /** Once the transaction has committed. */
  async committed(): Promise<Committed> {
    const { gone, woken } = await this.#departures.answered()
    const owned = [...this.#entries.values()]
      .filter((entry) => !gone.has(entry.doc) && !(entry.isNew && entry.until))
      .map(activeOf)
    const lookAgain = [...this.#lookAgain, ...owned.filter((active) => woken.has(active.doc))]
    const left = [...gone].map((doc) => activeOf(this.#entries.get(doc)!))
    return { owned, gone: left, stale: [...this.#stale], lookAgain }
  }

  /** False when nobody waits for it: the document was given up, and whoever owns it next asks the system again. */
  #receive({ doc, intent }: Outcome): boolean {
    const key = effectKey(intent)
    const active = this.#context.actives.get(doc)
    if (!active?.inFlight.has(key)) return false
    const entry = this.#enter(active)
    if (!entry.inFlight.has(key)) return false
    entry.intents.set(key, intent)
    entry.inFlight = new Set([...entry.inFlight].filter((other) => other !== key))
    return true
  }

  #enter(active: Active): Entry {
    const entry = this.#entries.get(active.doc) ?? enterEntry(active)
    this.#entries.set(active.doc, entry)
    return entry
  }

  /** Wakes; answers those that nobody owned and this process now does. */
  async #wake(all: readonly DeskRow[]): Promise<Active[]> {
    const rows = all.filter(({ doc }) => !this.#entries.get(doc)?.isNew)
    for (const { doc } of all) if (this.#entries.get(doc)?.isNew) this.#afterwards.add(doc)
    const woken = await wakeDocuments(this.#tx, this.#context.epoch, rows)
    const mine: Active[] = []
    for (const row of new Map(rows.map((one) => [one.doc, one])).values()) {
      const answer = woken.get(row.doc)
      if (!answer) continue
      const process = this.#context.processes.get(row.process)
      if (!process) throw new Error(`no process is called ${row.process}`)
      if (answer.mine) mine.push(newActive(row, process, answer.version))
      else this.#stale.add(row.doc)
    }
    return mine
  }

  async #lookAtUnknown(): Promise<void> {
    const unknown = [...this.#entries.values()].filter((entry) => !entry.facts)
    await lookAt(this.#tx, this.#context.epoch, unknown)
    this.#withdraw(unknown.flatMap(withdrawable))
    // What this transaction refused is written only at its end.
    for (const row of this.#writtenSteps) {
      this.#entries.get(row.doc)!.steps.set(stepKey(row.step, row.subject), row)
    }
  }

  /** Nobody waits for these calls: a person has decided on their steps. */
  #withdraw(intents: readonly Intent[]): void {
    settleEffects(this.#tx, intents)
    for (const intent of intents) this.#entries.get(intent.doc)!.intents.delete(effectKey(intent))
  }

  /** A refusal of what was done or left out by hand stops nothing. */
  #isOverruled = ({ doc, intent, verdict }: Outcome): boolean =>
    verdict.kind === 'refused' && isDecided(this.#entries.get(doc)!, intent)

  async #tellLate(settled: readonly Outcome[]): Promise<void> {
    const late = settled.flatMap(({ doc, intent, verdict }) => {
      const entry = this.#entries.get(doc)!
      if (verdict.kind === 'deferred' || !isDecided(entry, intent)) return []
      return [{ facts: entry.facts!, intent, verdict }]
    })
    if (late.length === 0) return
    await this.#context.spokenLate(this.#tx, late)
    for (const { intent } of late) this.#entries.get(intent.doc)!.facts = undefined
    await this.#lookAtUnknown()
  }

  async #answer(settled: readonly Outcome[]): Promise<void> {
    for (const wave of endingsIn(settled, this.#entries))
      await this.#apply(await Promise.all(wave.map((ending) => this.#tell(ending))))
  }

  async #tell(ending: Ending): Promise<Deed> {
    const { step, call, outcomes } = ending
    const cause = causeOf(ending)
    if (outcomes[0].verdict.kind === 'confirmed') {
      const confirmed = confirmedOf(ending, this.#entries)
      return deedOf(step, confirmed, await call.confirmed(this.#tx, confirmed, cause))
    }
    const refused = refusedOf(ending, this.#entries)
    for (const { doc, intent, verdict, by } of outcomes) {
      const { code, message } = reasonOf(verdict)
      const { subject, generation } = intent
      const reason = `${code}: ${message}`
      this.#writeRefusal(doc, step, { subject, generation, reason, actor: by?.actor })
    }
    return deedOf(step, refused, await call.refused(this.#tx, refused, cause))
  }

  /** Takes over what became of pieces of work: new facts, new documents, wake-ups, refusals. */
  async #apply(deeds: readonly Deed[]): Promise<void> {
    for (const { step, done } of deeds) {
      for (const [doc, { facts, begins = [], wakes = [], refused = [] }] of done) {
        const entry = this.#entries.get(doc)!
        entry.current = facts !== 'look'
        entry.facts = facts === 'look' ? undefined : facts
        this.begin(begins)
        this.wakeAfterwards(wakes)
        for (const refusal of refused) this.#writeRefusal(doc, step, refusal)
      }
    }
    await this.#lookAtUnknown()
    if (this.#context.verifyFacts) {
      const carried = deeds.flatMap(({ done }) =>
        [...done].flatMap(([doc, { facts }]) => (facts === 'look' ? [] : [this.#entries.get(doc)!])),
      )
      await verifyCarried(this.#tx, this.#context.epoch, carried)
    }
  }

  #writeRefusal(doc: number, step: string, row: Refused): void {
    const { steps } = this.#entries.get(doc)!
    const key = stepKey(step, row.subject)
    const generation = row.generation ?? steps.get(key)?.generation ?? 1
    const actor = row.actor ?? this.#cause.actor
    const written = { doc, step, ...row, generation, state: 'refused' as const, actor }
    this.#writtenSteps.push(written)
    steps.set(key, written)
  }

  async #defer(outcomes: readonly Outcome[]): Promise<void> {
    const [deferred, parked, waits]: [Deferred[], ParkedEffect[], Waits[]] = [[], [], []]
    for (const { doc, intent, verdict } of outcomes) {
      if (verdict.kind !== 'deferred') continue
      const entry = this.#entries.get(doc)!
      const { process, facts, intents } = entry
      const { state, reason, at: dueAt, absentAfter, counts, held } = verdict
      if (isLeft(state) && isDecided(entry, intent)) {
        this.#withdraw([intent])
        continue
      }
      const next: Intent = {
        ...intent,
        state,
        dueAt,
        absentAfter,
        attempts: intent.attempts + (counts ? 1 : 0),
        held,
      }
      waits.push({ doc, system: intent.system, priority: entry.priority, isHeld: held === true })
      intents.set(effectKey(intent), next)
      deferred.push({ ...next, detail: reason })
      if (state === 'parked') parked.push({ facts: facts!, intent: next, kind: process.kind, reason })
    }
    deferEffects(this.#tx, deferred)
    holdDocuments(this.#tx, waits)
    if (parked.length > 0) await this.#context.parked(this.#tx, parked)
  }

  /** Runs the first ready step of each document, set by set; answers whether there was one. */
  async #runReadySteps(): Promise<boolean> {
    const ready = [...this.#entries.values()].flatMap((entry) =>
      entry.current ? (firstReady(entry) ?? []) : [],
    )
    const early = this.#hasWoken ? ready.filter(({ step }) => isUndo(step) || step.locksEarly) : []
    if (early.length > 0) {
      for (const { work } of early) this.#entries.get(work.facts.doc)!.current = false
      for (const { work } of early) this.#afterwards.add(work.facts.doc)
      return true
    }
    // What frees credit and stock goes first, since it locks accounts before positions.
    const undo = ready.filter(({ step }) => isUndo(step))
    for (const [step, group] of Map.groupBy(undo.length > 0 ? undo : ready, (one: ReadyStep) => one.step)) {
      const works = group.map(({ work }) => work)
      if ('do' in step)
        await this.#apply([deedOf(step.name, works, await step.do(this.#tx, works, this.#cause))])
    }
    return ready.length > 0
  }

  /** Intents for what facts ask of other systems, and another try for those that are due. */
  #plan(entry: Entry): void {
    for (const offered of offeredCalls(entry)) {
      const { operation, location } = offered.call
      const place = location?.(entry.facts!, offered.subject)
      const intent = intentOf(entry, offered, this.#context.route(entry.company, operation.capability, place))
      this.#newIntents.push(intent)
      entry.intents.set(effectKey(intent), intent)
    }
    for (const intent of dueIntents(entry, this.#context.now())) {
      entry.inFlight = new Set([...entry.inFlight, effectKey(intent)])
      // From here on it may be sent: should this process die, the next one must not take it for unsent.
      if (intent.state === 'retry')
        this.#sentAgain.push({ ...intent, state: 'intended', detail: 'sent again' })
      const call = findCall(entry.process, intent.step)
      const { facts, priority } = entry
      this.planned.push({ intent, call, facts: facts!, priority, isDecided: isDecided(entry, intent) })
    }
  }
}

/** What a step or the end of its call made of documents, by document. */
type Deed = { readonly step: string; readonly done: ReadonlyMap<number, Changed<DocumentFacts>> }

/** Each piece of work is of a document of its own. */
function deedOf<W extends { readonly facts: DocumentFacts }>(
  step: string,
  work: readonly W[],
  answers: Answers<W, DocumentFacts>,
): Deed {
  const done = new Map<number, Changed<DocumentFacts>>()
  for (const item of work) {
    const { doc } = item.facts
    const answer = answers.get(item)
    if (!answer) throw new Error(`a step left document ${doc} without an answer`)
    done.set(doc, answer === 'look' ? { facts: 'look' } : answer)
  }
  return { step, done }
}
