/**
 * One transaction's worth of process work: documents that begin, were woken, were answered or must be looked at are
 * taken as far as they go without another system; what they ask of other systems becomes intents; who has nothing left
 * to do goes to sleep or leaves the desk. Memory changes only after the commit.
 */
import type { Transaction } from './database.ts'
import {
  type DeskRow,
  enrollDocuments,
  finishDocuments,
  sleepDocuments,
  stepRowsOf,
  wakeDocuments,
  writeStepRows,
  type StepRow,
} from './desk.ts'
import { sql } from './database.ts'
import {
  type Deferred,
  deferEffects,
  effectKey,
  type Intent,
  intendEffects,
  intentsOf,
  settleEffects,
  type Verdict,
} from './effects.ts'
import type { Cause } from './log.ts'
import {
  type AnyCall,
  type Answers,
  type Begun,
  type DocumentFacts,
  type NamedStep,
  type Process,
  subjectsOf,
  type Work,
} from './process.ts'

/** A document that this process owns, as memory holds it between transactions. */
export type Active = {
  readonly doc: number
  readonly process: Process
  readonly company: string
  readonly priority: number
  readonly share: number
  /** How often it failed since it last came to rest. */
  readonly failures: number
  /** Undefined until looked at, and again once somebody else has changed the document. */
  facts: DocumentFacts | undefined
  /** The desk version at which the facts were read; sleep and finish are guarded by it. */
  seen: number
  /** Effects that a lane of this process is working on. */
  inFlight: ReadonlySet<string>
  steps: ReadonlyMap<string, StepRow>
}

/** An effect to hand to its lane once the transaction has committed. */
export type Planned = { readonly intent: Intent; readonly call: AnyCall<DocumentFacts>; readonly facts: DocumentFacts; readonly priority: number }

export type Outcome = { readonly doc: number; readonly intent: Intent; readonly verdict: Verdict }

export type TurnContext = {
  readonly epoch: number
  readonly actives: ReadonlyMap<number, Active>
  readonly processes: ReadonlyMap<string, Process>
  /** The system instance that serves a capability for a company and location. */
  readonly route: (company: string, capability: string, location: string | undefined) => string
  readonly now: () => Date
  /** Tells whoever keeps parked work, in the same transaction. */
  readonly parked: (tx: Transaction, effects: readonly ParkedEffect[]) => void
  /** In tests: checks that facts carried in memory are what a look would find. */
  readonly verifyFacts: boolean
}

export type ParkedEffect = { readonly facts: DocumentFacts; readonly intent: Intent; readonly kind: string; readonly reason: string }

type Entry = Active & {
  isNew: boolean
  /** The document's row is locked by this transaction and the facts are as of now. */
  current: boolean
  /** Unsettled effects, by key. */
  intents: Map<string, Intent>
  steps: Map<string, StepRow>
  until: Date | undefined
}

const ROUNDS_MAX = 20
/** A document that nobody wakes is looked at again after this time. */
const PATROL_MS = 14 * 24 * 3_600_000

const versions = sql(
  'turn.versions',
  `select doc, version from desk.document where doc = any($1::bigint[]) and owner = $2`,
)

const stepKey = (step: string, subject: string): string => `${step}/${subject}`

export class Turn {
  readonly planned: Planned[] = []
  readonly #tx: Transaction
  readonly #context: TurnContext
  readonly #cause: Cause
  readonly #entries = new Map<number, Entry>()
  readonly #stale = new Set<number>()
  readonly #writtenSteps: (StepRow & { actor: string; reason: string | null })[] = []
  readonly #departures: { readonly docs: readonly number[]; readonly gone: Promise<number[]> }[] = []
  readonly #wakes: DeskRow[] = []
  #lookAfter: readonly Active[] = []

  constructor(tx: Transaction, context: TurnContext, cause: Cause) {
    this.#tx = tx
    this.#context = context
    this.#cause = cause
  }

  /** Documents created in this transaction, with the facts they were created with. */
  begin(begun: readonly Begun[]): void {
    for (const { process, facts, priority = 2, share = 0 } of begun) {
      this.#entries.set(facts.doc, {
        doc: facts.doc, process, company: facts.company, priority, share, failures: 0, facts, seen: 1,
        inFlight: new Set(), steps: new Map(), isNew: true, current: true, intents: new Map(), until: undefined,
      })
    }
  }

  /** Documents that this transaction changed and whose own process must see it. */
  async wake(rows: readonly DeskRow[]): Promise<void> {
    for (const active of await this.#wake(rows)) this.#enter(active)
  }

  /** As `wake`, looked at after the commit: for changes whose steps lock what comes before a desk row. */
  wakeAfterwards(rows: readonly DeskRow[]): void {
    this.#wakes.push(...rows)
  }

  /** Documents to look at: claimed ones, and those that somebody changed while they were worked on. */
  look(actives: readonly Active[]): void {
    for (const active of actives) this.#enter({ ...active, facts: undefined })
  }

  /** What the lanes brought, for documents that this process owns. */
  async settle(outcomes: readonly Outcome[]): Promise<void> {
    for (const { doc, intent } of outcomes) {
      const entry = this.#enter(this.#context.actives.get(doc)!)
      entry.intents.set(effectKey(intent), intent)
    }
    await this.#lookAtUnknown()
    const settled = outcomes.filter((outcome) => outcome.verdict.kind !== 'deferred')
    settleEffects(this.#tx, settled.map((outcome) => outcome.intent))
    for (const { doc, intent } of outcomes) {
      const entry = this.#entries.get(doc)!
      entry.inFlight = new Set([...entry.inFlight].filter((key) => key !== effectKey(intent)))
    }
    for (const { doc, intent } of settled) this.#entries.get(doc)!.intents.delete(effectKey(intent))
    await this.#answer(settled)
    this.#defer(outcomes)
  }

  /** Takes every document as far as it goes and writes what follows. */
  async close(): Promise<void> {
    await this.#lookAtUnknown()
    for (let round = 0; await this.#runReadySteps(); round++) {
      if (round === ROUNDS_MAX) throw new Error('a process does not come to rest: its steps offer work again and again')
    }
    if (this.#wakes.length > 0) this.#lookAfter = await this.#wake(this.#wakes)
    for (const entry of this.#entries.values()) this.#offerCalls(entry)
    writeStepRows(this.#tx, this.#writtenSteps)
    this.#writeIntents()
    this.#writeDesk()
  }

  /** After the commit: what memory now holds, and what must be looked at again at once. */
  async committed(): Promise<{ owned: Active[]; gone: number[]; stale: number[]; lookAfter: readonly Active[] }> {
    const gone: number[] = []
    const lookAgain: number[] = []
    for (const { docs, gone: answered } of this.#departures) {
      const left = new Set(await answered)
      for (const doc of docs) (left.has(doc) ? gone : lookAgain).push(doc)
    }
    const departed = new Set(gone)
    const owned: Active[] = []
    for (const entry of this.#entries.values()) {
      if (departed.has(entry.doc) || (entry.isNew && entry.until)) continue
      owned.push(activeOf(entry))
    }
    const again = owned.filter((active) => lookAgain.includes(active.doc))
    return { owned, gone, stale: [...this.#stale], lookAfter: [...this.#lookAfter, ...again] }
  }

  #enter(active: Active): Entry {
    const known = this.#entries.get(active.doc)
    if (known) return known
    const entry: Entry = {
      ...active,
      steps: new Map(active.steps),
      isNew: false,
      current: false,
      intents: new Map(),
      until: undefined,
    }
    this.#entries.set(active.doc, entry)
    return entry
  }

  /** Wakes; answers those that nobody owned and this process now does. */
  async #wake(rows: readonly DeskRow[]): Promise<Active[]> {
    const woken = await wakeDocuments(this.#tx, this.#context.epoch, rows)
    const mine: Active[] = []
    for (const row of rows) {
      const answer = woken.get(row.doc)
      if (!answer) continue
      if (!answer.mine) this.#stale.add(row.doc)
      else mine.push(this.newActive(row, answer.version))
    }
    return mine
  }

  newActive(row: DeskRow, seen: number): Active {
    const process = this.#context.processes.get(row.process)
    if (!process) throw new Error(`no process is called ${row.process}`)
    return { ...row, process, failures: 0, facts: undefined, seen, inFlight: new Set(), steps: new Map() }
  }

  /** Loads facts, step rows and open intents of every document whose facts are not known. */
  async #lookAtUnknown(): Promise<void> {
    const unknown = [...this.#entries.values()].filter((entry) => !entry.facts)
    if (unknown.length === 0) return
    const docs = unknown.map((entry) => entry.doc).toSorted((a, b) => a - b)
    // The desk version is read before the facts: who changes the document later raises it, and sleep is refused.
    const [seen, intents, steps] = await Promise.all([
      this.#tx.query<{ doc: number; version: number }>(versions, [docs, this.#context.epoch]),
      intentsOf(this.#tx, docs),
      stepRowsOf(this.#tx, docs),
    ])
    for (const { doc, version } of seen) this.#entries.get(doc)!.seen = version
    for (const intent of intents) this.#entries.get(intent.doc)!.intents.set(effectKey(intent), intent)
    for (const step of steps) this.#entries.get(step.doc)!.steps.set(stepKey(step.step, step.subject), step)
    await this.#loadFacts(unknown)
  }

  async #loadFacts(entries: readonly Entry[]): Promise<void> {
    const byProcess = [...Map.groupBy(entries, (entry) => entry.process)]
    for (const [process, group] of byProcess.toSorted(([a], [b]) => a.rank - b.rank)) {
      const docs = group.map((entry) => entry.doc).toSorted((a, b) => a - b)
      this.#tx.locking('document', docs)
      const facts = await process.facts(this.#tx, docs)
      for (const entry of group) {
        const found = facts.get(entry.doc)
        if (!found) throw new Error(`document ${entry.doc} is on the desk but has no facts for ${process.name}`)
        entry.facts = found
        entry.current = true
      }
    }
  }

  async #answer(settled: readonly Outcome[]): Promise<void> {
    const groups = Map.groupBy(settled, ({ doc, intent, verdict }) => {
      return `${this.#entries.get(doc)!.process.name} ${intent.step} ${verdict.kind}`
    })
    const rankOf = (group: readonly Outcome[]): number => this.#entries.get(group[0]!.doc)!.process.rank
    for (const group of [...groups.values()].toSorted((a, b) => rankOf(a) - rankOf(b))) {
      const { doc, intent, verdict } = group[0]!
      const step = findStep(this.#entries.get(doc)!.process, intent.step)
      if (verdict.kind === 'confirmed') await this.#confirm(step, group)
      else await this.#refuse(step, group)
    }
  }

  async #confirm(call: AnyCall<DocumentFacts>, group: readonly Outcome[]): Promise<void> {
    const answered = [...Map.groupBy(group, (outcome) => outcome.doc)].map(([doc, outcomes]) => ({
      facts: this.#entries.get(doc)!.facts!,
      answers: outcomes.map(({ intent, verdict }) => ({
        subject: intent.subject,
        answer: verdict.kind === 'confirmed' ? verdict.answer : undefined,
        effectKey: effectKey(intent),
      })),
    }))
    await this.#apply(answered, await call.confirmed(this.#tx, answered, this.#cause))
  }

  async #refuse(call: AnyCall<DocumentFacts>, group: readonly Outcome[]): Promise<void> {
    const refused = [...Map.groupBy(group, (outcome) => outcome.doc)].map(([doc, outcomes]) => ({
      facts: this.#entries.get(doc)!.facts!,
      refusals: outcomes.map(({ intent, verdict }) => ({
        subject: intent.subject,
        system: intent.system,
        code: verdict.kind === 'refused' ? verdict.code : '',
        message: verdict.kind === 'refused' ? verdict.message : '',
      })),
    }))
    for (const { doc, intent, verdict } of group) {
      const reason = verdict.kind === 'refused' ? `${verdict.code}: ${verdict.message}` : ''
      this.#writeStep(doc, intent.step, { subject: intent.subject, generation: intent.generation, reason })
    }
    await this.#apply(refused, await call.refused(this.#tx, refused, this.#cause))
  }

  async #apply<W extends { readonly facts: DocumentFacts }>(
    work: readonly W[],
    answers: Answers<W, DocumentFacts>,
    step = '',
  ): Promise<void> {
    const begun: Begun[] = []
    for (const item of work) {
      const done = answers.get(item)
      if (!done) throw new Error(`a step left document ${item.facts.doc} without an answer`)
      const entry = this.#entries.get(item.facts.doc)!
      const facts = done === 'look' ? 'look' : done.facts
      entry.current = facts !== 'look'
      entry.facts = facts === 'look' ? undefined : facts
      if (done === 'look') continue
      begun.push(...(done.begins ?? []))
      this.#wakes.push(...(done.wakes ?? []))
      for (const { subject, reason } of done.refused ?? []) {
        this.#writeStep(entry.doc, step, { subject, generation: 1, reason })
      }
    }
    this.begin(begun)
    await this.#lookAtUnknown()
    if (this.#context.verifyFacts) await this.#verify(work.map((item) => item.facts.doc))
  }

  async #verify(docs: readonly number[]): Promise<void> {
    for (const doc of docs) {
      const entry = this.#entries.get(doc)!
      const found = (await entry.process.facts(this.#tx, [doc])).get(doc)
      const [carried, looked] = [canonical(entry.facts), canonical(found)]
      if (carried !== looked) {
        throw new Error(`facts of ${entry.process.name} ${doc} differ:\ncarried ${carried}\nlooked  ${looked}`)
      }
    }
  }

  #writeStep(doc: number, step: string, row: { subject: string; generation: number; reason: string }): void {
    const written = { doc, step, ...row, state: 'refused' as const, actor: this.#cause.actor }
    this.#writtenSteps.push(written)
    this.#entries.get(doc)!.steps.set(stepKey(step, row.subject), written)
  }

  #defer(outcomes: readonly Outcome[]): void {
    const deferred: Deferred[] = []
    const parked: ParkedEffect[] = []
    for (const { doc, intent, verdict } of outcomes) {
      if (verdict.kind !== 'deferred') continue
      const entry = this.#entries.get(doc)!
      const next: Intent = {
        ...intent,
        state: verdict.state,
        attempts: intent.attempts + (verdict.counts ? 1 : 0),
        dueAt: verdict.at,
        absentAfter: verdict.absentAfter,
      }
      entry.intents.set(effectKey(intent), next)
      deferred.push({ ...next, detail: verdict.reason })
      if (verdict.state === 'parked') {
        parked.push({ facts: entry.facts!, intent: next, kind: entry.process.kind, reason: verdict.reason })
      }
    }
    deferEffects(this.#tx, deferred)
    if (parked.length > 0) this.#context.parked(this.#tx, parked)
  }

  /** Runs the first ready step of each document, set by set; answers whether there was one. */
  async #runReadySteps(): Promise<boolean> {
    const ready = new Map<NamedStep<DocumentFacts>, Work<DocumentFacts>[]>()
    for (const entry of this.#entries.values()) {
      if (!entry.current) continue
      const next = this.#firstReady(entry)
      if (!next) continue
      const works = ready.get(next.step)
      if (works) works.push(next.work)
      else ready.set(next.step, [next.work])
    }
    // What frees credit and stock goes first, since it locks accounts before positions.
    const undo = [...ready].filter(([step]) => isUndo(step))
    for (const [step, works] of undo.length > 0 ? undo : ready) {
      if ('do' in step) await this.#apply(works, await step.do(this.#tx, works, this.#cause), step.name)
    }
    return ready.size > 0
  }

  #firstReady(entry: Entry): { step: NamedStep<DocumentFacts>; work: Work<DocumentFacts> } | undefined {
    for (const step of this.#openSteps(entry)) {
      const subjects = this.#openSubjects(entry, step)
      if (subjects.length > 0 && 'do' in step) return { step, work: { facts: entry.facts!, subjects } }
      if (subjects.length > 0 && isUndo(step)) return undefined
    }
    return undefined
  }

  /** Forward in table order; while something is taken back, only the latest undo that still has to be done. */
  #openSteps(entry: Entry): readonly NamedStep<DocumentFacts>[] {
    const { process, facts, intents } = entry
    if (!process.undoing?.(facts!)) return process.steps
    const forward = [...intents.values()].some((intent) => !intent.step.endsWith(':undo'))
    return forward ? [] : process.undoSteps
  }

  #openSubjects(entry: Entry, step: NamedStep<DocumentFacts>): string[] {
    return subjectsOf(step, entry.facts!).filter((subject) => {
      const row = entry.steps.get(stepKey(step.name, subject))
      return !row || row.state === 'waiting'
    })
  }

  /** Intents for what facts ask of other systems, and another try for those that are due. */
  #offerCalls(entry: Entry): void {
    if (!entry.current) return
    for (const step of this.#openSteps(entry)) {
      const subjects = 'call' in step ? this.#openSubjects(entry, step) : []
      for (const subject of subjects) this.#plan(entry, step as { name: string; call: AnyCall<DocumentFacts> }, subject)
      if (subjects.length > 0 && isUndo(step)) break
    }
    const now = this.#context.now()
    for (const [key, intent] of entry.intents) {
      if (entry.inFlight.has(key) || intent.state === 'parked' || (intent.dueAt && intent.dueAt > now)) continue
      this.#send(entry, findStep(entry.process, intent.step), intent)
    }
  }

  #plan(entry: Entry, step: { name: string; call: AnyCall<DocumentFacts> }, subject: string): void {
    const generation = entry.steps.get(stepKey(step.name, subject))?.generation ?? 1
    const key = effectKey({ doc: entry.doc, step: step.name, subject, generation })
    if (entry.intents.has(key) || entry.inFlight.has(key)) return
    const { operation, location, businessKey } = step.call
    const intent: Intent = {
      doc: entry.doc,
      step: step.name,
      subject,
      generation,
      system: this.#context.route(entry.facts!.company, operation.capability, location?.(entry.facts!, subject)),
      operation: `${operation.capability}.${operation.name}`,
      businessKey: businessKey(entry.facts!, subject),
      state: 'retry',
      attempts: 0,
      dueAt: null,
      absentAfter: null,
    }
    this.#newIntents.push(intent)
    this.#send(entry, step.call, intent)
  }

  readonly #newIntents: Intent[] = []

  #send(entry: Entry, call: AnyCall<DocumentFacts>, intent: Intent): void {
    entry.inFlight = new Set([...entry.inFlight, effectKey(intent)])
    this.planned.push({ intent, call, facts: entry.facts!, priority: entry.priority })
  }

  #writeIntents(): void {
    intendEffects(this.#tx, this.#newIntents)
  }

  #writeDesk(): void {
    const asleep = new Map<string, { docs: number[]; version: number; until: Date | undefined }>()
    const enrolled: (DeskRow & { sleepsUntil?: Date })[] = []
    for (const entry of this.#entries.values()) {
      const rests = entry.inFlight.size === 0
      const finished = rests && entry.intents.size === 0 && entry.current && entry.process.finished(entry.facts!)
      if (rests && !finished) entry.until = this.#wakeAt(entry)
      if (entry.isNew) {
        if (finished) entry.until = this.#context.now()
        else enrolled.push({ ...rowOf(entry), ...(entry.until ? { sleepsUntil: entry.until } : {}) })
      } else if (rests) {
        const name = `${entry.seen} ${entry.until?.getTime()}`
        const group = asleep.get(name) ?? { docs: [], version: entry.seen, until: entry.until }
        group.docs.push(entry.doc)
        asleep.set(name, group)
      }
    }
    enrollDocuments(this.#tx, this.#context.epoch, enrolled)
    for (const group of asleep.values()) this.#depart(group)
  }

  #depart({ docs, version, until }: { docs: number[]; version: number; until: Date | undefined }): void {
    const gone = until
      ? sleepDocuments(this.#tx, this.#context.epoch, { docs, version, until })
      : finishDocuments(this.#tx, this.#context.epoch, { docs, version })
    gone.catch(() => undefined)
    this.#departures.push({ docs, gone })
  }

  /** The earliest of: the process's own timer, an effect's next try, the patrol. */
  #wakeAt(entry: Entry): Date {
    const times = [new Date(this.#context.now().getTime() + PATROL_MS)]
    const own = entry.facts && entry.process.wakeAt?.(entry.facts)
    if (own) times.push(own)
    for (const intent of entry.intents.values()) if (intent.dueAt) times.push(intent.dueAt)
    return times.reduce((earliest, time) => (time < earliest ? time : earliest))
  }
}

const rowOf = ({ doc, process, company, priority, share }: Active): DeskRow => ({
  doc,
  process: process.name,
  company,
  priority,
  share,
})

const activeOf = ({ isNew: _, current: __, intents: ___, until: ____, ...active }: Entry): Active => active

const isUndo = (step: { readonly name: string }): boolean => step.name.endsWith(':undo')

function findStep(process: Process, name: string): AnyCall<DocumentFacts> {
  const step = [...process.steps, ...process.undoSteps].find((candidate) => candidate.name === name)
  if (!step || !('call' in step)) throw new Error(`${process.name} has no call named ${name}`)
  return step.call
}

/** JSON with sorted keys and sorted maps, so that equal facts are equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map) return Object.fromEntries([...inner].toSorted())
    if (inner && typeof inner === 'object' && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    }
    return inner
  })
}
