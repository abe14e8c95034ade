/** Whether a person may decide so on a step, and what it means; pure. */
import { Refusal } from '#platform/faults.ts'
import { effectKey, type Intent } from '#platform/effects.ts'
import type { OverrideAct, Told } from '#platform/overrides.ts'
import type { OpenHold } from '#domains/orders/views.ts'
import type { Paper, Situation } from './override-situation.ts'
import type { AnyOverrideStep, Entered } from './override-steps.ts'
import { holdNumber, numberOf, orderNumber } from './ports.ts'

export type Override = {
  readonly order: number
  readonly act: OverrideAct
  /** Left out only where the whole order is cancelled. */
  readonly step?: string | undefined
  /** The document's number, where several of the order have the step open. */
  readonly document?: string | undefined
  readonly subject?: string | undefined
  readonly reference?: string | undefined
  readonly facts?: Entered | undefined
}

/** What a step is stuck by. */
export type StuckBy =
  | 'parked'
  | 'in doubt'
  | 'waiting'
  | 'under way'
  | 'refused'
  | 'held'
  | 'skipped'
  | 'open'

export type Plan = {
  readonly override: Override
  readonly paper: Paper
  readonly step: string
  readonly subject: string
  readonly definition: AnyOverrideStep
  readonly was: StuckBy
  readonly generation: number
  /** The call of the step that is not settled. */
  readonly call: Intent | undefined
  /** Holds that the refusal of this step has raised. */
  readonly releases: readonly OpenHold[]
  readonly answer: unknown
  readonly entered: Told
  /** The same was decided before, and nothing changes. */
  readonly isKnown: boolean
  readonly follows: readonly string[]
}

/** What becomes of a step, or would. */
export type Overridden = {
  readonly order: string
  readonly document: string
  readonly step: string
  readonly subject: string
  readonly act: OverrideAct
  readonly was: StuckBy
  /** Decided so before: nothing changes. */
  readonly known: boolean
  /** What is kept as if the system had said so. */
  readonly entered: Told
  /** The call that is not settled: nobody waits for it any more, or it is made now. */
  readonly call:
    | { readonly key: string; readonly system: string; readonly state: Intent['state'] }
    | undefined
  /** The holds that the refusal had raised; they are released. */
  readonly releases: readonly string[]
  readonly follows: readonly string[]
}

export type Steps = ReadonlyMap<string, AnyOverrideStep>

/** Not for `cancel`, which is the order's as a whole. */
export function planOf(steps: Steps, situation: Situation, override: Override): Plan | Refusal {
  const name = override.step ?? ''
  const definition = steps.get(name)
  if (!definition) return stepUnknown(steps, name)
  const candidates = candidatesOf(situation, definition, override)
  const [found, ...more] = candidates.filter(({ paper, subject }) =>
    isOpen(situation, definition, override, { paper, subject }),
  )
  if (!found) return knownOr(candidates, definition, override)
  if (more.length > 0) return ambiguous(override, [found, ...more])
  const standing = standingOf(situation, definition, name, found)
  try {
    return decide(situation, override, { ...standing, override, definition, step: name, ...found })
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

export function overriddenBy(plan: Plan): Overridden {
  const { override, paper, step, subject, was, isKnown, entered, call, releases, follows } = plan
  return {
    order: orderNumber(override.order),
    document: numberOf(paper.kind, paper.doc),
    step,
    subject,
    act: override.act,
    was,
    known: isKnown,
    entered,
    call: call && { key: effectKey(call), system: call.system, state: call.state },
    releases: releases.map(({ id }) => holdNumber(id)),
    follows,
  }
}

const stepUnknown = (steps: Steps, name: string): Refusal =>
  new Refusal(
    'overrides.step_unknown',
    `there is no step "${name}"; there are ${[...steps.keys()].join(', ')}`,
    { steps: [...steps.keys()] },
    '/step',
  )

type Place = { readonly paper: Paper; readonly subject: string }

/** Every subject of the step that anything is known of. */
function candidatesOf({ papers }: Situation, definition: AnyOverrideStep, override: Override): Place[] {
  const { step, document, subject } = override
  return papers
    .filter(
      ({ kind, doc }) =>
        kind === definition.kind && (document === undefined || numberOf(kind, doc) === document),
    )
    .flatMap((paper) => {
      const { facts, intents, rows } = paper
      const named = [...intents, ...rows].flatMap((one) => (one.step === step ? [one.subject] : []))
      return [...new Set([...definition.open(facts), ...named])].map((each) => ({ paper, subject: each }))
    })
    .filter((place) => subject === undefined || place.subject === subject)
}

const rowOf = ({ paper, subject }: Place, step: string) =>
  paper.rows.find((row) => row.step === step && row.subject === subject)
const callOf = ({ paper, subject }: Place, step: string) =>
  paper.intents.find((intent) => intent.step === step && intent.subject === subject)

function isOpen(
  situation: Situation,
  definition: AnyOverrideStep,
  { step = '', act }: Override,
  place: Place,
): boolean {
  const state = rowOf(place, step)?.state
  if (state === 'done') return false
  if (state === 'skipped') return act === 'restart'
  if (definition.open(place.paper.facts).includes(place.subject) || callOf(place, step)) return true
  if (state !== 'refused') return false
  if (definition.isDone) return !definition.isDone(place.paper.facts)
  // what a warehouse refused is claimed anew once its hold is released
  return act === 'restart' && raisedBy(situation, definition, place).length > 0
}

/** The holds that a refusal of this step raises are known by their reason. */
function raisedBy({ holds }: Situation, { holds: reasonOf }: AnyOverrideStep, { paper }: Place): OpenHold[] {
  const reason = reasonOf?.(paper.facts)
  return reason === undefined
    ? []
    : holds.filter((hold) => hold.type === 'manual' && hold.reason.startsWith(`${reason}:`))
}

function knownOr(places: readonly Place[], definition: AnyOverrideStep, override: Override): Plan | Refusal {
  const { act, step = '', reference } = override
  for (const place of places) {
    const last = place.paper.overrides.findLast((one) => one.step === step && one.subject === place.subject)
    const isSame = last?.act === act && act !== 'restart' && last.reference === (reference ?? null)
    const row = rowOf(place, step)
    if (!isSame || !row) continue
    const { entered, inDoubt: _, state } = last
    return {
      ...place,
      override,
      definition,
      step,
      entered,
      isKnown: true,
      generation: row.generation,
      was: state as StuckBy,
      call: undefined,
      releases: [],
      answer: undefined,
      follows: [],
    }
  }
  return new Refusal(
    'overrides.not_open',
    `${orderNumber(override.order)} has nothing open of the step ${step}`,
    { order: orderNumber(override.order), step },
    override.document === undefined ? '/step' : '/document',
  )
}

function ambiguous({ step }: Override, places: readonly Place[]): Refusal {
  const open = places.map(({ paper, subject }) => ({ document: numberOf(paper.kind, paper.doc), subject }))
  const named = open.map(({ document, subject }) => (subject === '' ? document : `${document} ${subject}`))
  return new Refusal(
    'overrides.ambiguous',
    `the step ${step} is open of ${named.join(', ')}`,
    { open },
    '/document',
  )
}

type Standing = Pick<Plan, 'was' | 'generation' | 'call' | 'releases'>

function standingOf(situation: Situation, definition: AnyOverrideStep, step: string, place: Place): Standing {
  const [row, call] = [rowOf(place, step), callOf(place, step)]
  const blocking = situation.holds.filter(
    (hold) => definition.blockedAs && hold.blocks.includes(definition.blockedAs),
  )
  const was =
    row?.state === 'skipped'
      ? 'skipped'
      : call
        ? CALLS[call.state]
        : row?.state === 'refused'
          ? 'refused'
          : undefined
  return {
    was: was ?? (blocking.length > 0 ? 'held' : 'open'),
    generation: row?.generation ?? call?.generation ?? 1,
    call,
    releases: row?.state === 'refused' ? raisedBy(situation, definition, place) : [],
  }
}

const CALLS: Readonly<Record<Intent['state'], StuckBy>> = {
  parked: 'parked',
  unknown: 'in doubt',
  retry: 'waiting',
  intended: 'under way',
  resolved: 'under way',
}

type Draft = Omit<Plan, 'answer' | 'entered' | 'isKnown' | 'follows'>

function decide(situation: Situation, { act }: Override, draft: Draft): Plan {
  const plan = { ...draft, answer: undefined, entered: {}, isKnown: false }
  if (act === 'complete') return completed(plan)
  if (act === 'skip') return skipped(plan)
  return restarted(situation, plan)
}

type Undecided = Omit<Plan, 'follows'>

const STAYS_OPEN = 'Its call stays open: what the system says of it later stands in place of what is entered.'

const afterwards = ({ was }: Undecided): string[] =>
  was === 'in doubt' || was === 'under way' ? [STAYS_OPEN] : []

function completed(plan: Undecided): Plan {
  const { definition, paper, override } = plan
  const { reference, facts = {} } = override
  const asked = definition.asks(paper.facts)
  const missing = asked.filter(({ name }) => (facts[name] ?? '').trim() === '')
  const given = reference?.trim() ?? ''
  if (given === '' || missing.length > 0) throw factsMissing(definition, given === '', missing)
  const unasked = Object.keys(facts).find((name) => !asked.some((one) => one.name === name))
  if (unasked !== undefined) {
    const message = `"${unasked}" is not asked for to ${definition.title}`
    throw new Refusal('overrides.fact_invalid', message, {}, `/facts/${unasked}`)
  }
  const answer = definition.answer(paper.facts, { ...facts, reference: given })
  const follows = ['The order goes on as if the system had said so.', ...afterwards(plan)]
  return { ...plan, answer, entered: definition.words(answer, paper.facts), follows }
}

function factsMissing(
  definition: AnyOverrideStep,
  lacksReference: boolean,
  missing: ReturnType<AnyOverrideStep['asks']>,
): Refusal {
  const wanted = [...(lacksReference ? [{ name: 'reference', means: definition.reference }] : []), ...missing]
  return new Refusal(
    'overrides.facts_missing',
    `to ${definition.title} by hand, enter ${wanted.map(({ name, means }) => `${name} (${means})`).join(', ')}`,
    { missing: wanted },
    lacksReference ? '/reference' : `/facts/${missing[0]!.name}`,
  )
}

function skipped(plan: Undecided): Plan {
  const { skip, title } = plan.definition
  if ('cure' in skip)
    throw new Refusal('overrides.skip_not_allowed', `to ${title} cannot be left out. ${skip.cure}`)
  return { ...plan, follows: [skip.follows, ...afterwards(plan)] }
}

function restarted({ holds }: Situation, plan: Undecided): Plan {
  const { was, definition, paper, step, subject, call, releases } = plan
  const blocking = holds.filter(
    (hold) => definition.blockedAs && hold.blocks.includes(definition.blockedAs) && !releases.includes(hold),
  )
  if (was !== 'skipped' && blocking.length > 0) throw held(blocking)
  if (was === 'open' || was === 'under way')
    throw new Refusal('overrides.not_stuck', `the step ${step} is ${was}, and has not failed`)
  const last = paper.overrides.findLast((one) => one.step === step && one.subject === subject)
  if (was === 'skipped' && last?.inDoubt && !call)
    throw new Refusal('overrides.in_doubt', `the step ${step} was skipped while its call was in doubt`)
  return { ...plan, generation: plan.generation + (call ? 0 : 1), follows: [RESTARTS[was]!] }
}

function held(holds: readonly OpenHold[]): Refusal {
  const named = holds.map(({ id, type, reason }) => `${holdNumber(id)} (${type}: ${reason})`)
  return new Refusal('overrides.held', `it is blocked by ${named.join(', ')}`, {
    holds: holds.map(({ id }) => holdNumber(id)),
  })
}

const RESTARTS: Readonly<Partial<Record<StuckBy, string>>> = {
  parked: 'Its call is made again under the same key; one in doubt is looked up before anything is sent.',
  'in doubt': 'It is looked up now; it is sent again only where the system has nothing of it.',
  waiting: 'Its call is made now.',
  refused: 'It is tried again under a new key, so that the system does not answer with the old refusal.',
  skipped: 'It is done after all.',
}
