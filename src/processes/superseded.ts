/** What a system says after a person has decided on the step: it stands from then on, and the difference is told. */
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { overridesOf, supersedeOverrides, type Told, type WrittenOverride } from '#platform/overrides.ts'
import type { SpokenLate } from '#platform/turn-context.ts'
import type { Steps } from './override-decision.ts'
import type { AnyOverrideStep, OverrideKind } from './override-steps.ts'
import { tellOfPapers } from './override-telling.ts'
import { numberOf, type ProcessPorts } from './ports.ts'

type Superseding = {
  readonly spoken: SpokenLate
  readonly override: WrittenOverride
  readonly definition: AnyOverrideStep
  readonly told: Told
  /** The names of what differs. */
  readonly differs: readonly string[]
}

/** A decision is superseded once; what else a system says of the step is in the events of its document. */
export async function supersede(
  tx: Transaction,
  ports: ProcessPorts,
  steps: Steps,
  late: readonly SpokenLate[],
): Promise<void> {
  const overrides = await overridesOf(
    tx,
    late.map(({ intent }) => intent.doc),
  )
  const superseding = late.flatMap((spoken) => {
    const { doc, step, subject } = spoken.intent
    const override = overrides.findLast(
      (one) => one.doc === doc && one.step === step && one.subject === subject,
    )
    const definition = steps.get(step)
    if (!override || !definition || override.supersededAt !== null) return []
    return [comparedWith({ spoken, override, definition })]
  })
  supersedeOverrides(
    tx,
    superseding.map(({ override, told }) => ({ id: override.id, told })),
  )
  for (const [source, group] of Map.groupBy(superseding, ({ spoken }) => spoken.intent.system)) {
    await tellOfPapers(tx, group.map(tellingOf), 'override_superseded', { source, actor: 'process' })
  }
  const mattering = superseding.filter(matters)
  if (mattering.length > 0) await ports.openExceptions(tx, mattering.map(occurrenceOf))
}

function comparedWith({ spoken, override, definition }: Omit<Superseding, 'told' | 'differs'>): Superseding {
  const { verdict, facts } = spoken
  const told: Told =
    verdict.kind === 'confirmed'
      ? definition.words(verdict.answer, facts)
      : { refused: [verdict.code, verdict.message].filter(Boolean).join(': ') }
  const names = new Set([...Object.keys(override.entered), ...Object.keys(told)])
  const differs = [...names].filter((name) => override.entered[name] !== told[name])
  return { spoken, override, definition, told, differs }
}

/** Another number or amount than was entered; or a no to what was said to be done. */
function matters({ spoken, override, definition, differs }: Superseding): boolean {
  if (override.act !== 'complete' || definition.differs === undefined) return false
  return spoken.verdict.kind === 'refused' ? definition.denies === true : differs.length > 0
}

const kindOf = ({ definition }: Superseding): OverrideKind => definition.kind

function tellingOf(superseding: Superseding) {
  const { spoken, override, definition, told, differs } = superseding
  const { doc, company, correlationId } = spoken.facts
  const { act, step, subject, entered } = override
  return {
    kind: kindOf(superseding),
    doc,
    company,
    order: correlationId,
    data: { act, step, ...(subject !== '' && { subject }), does: definition.title, entered, told, differs },
  }
}

const ROOM_OF: Readonly<Record<OverrideKind, string>> = {
  order: 'orders',
  fulfillment: 'shipments',
  shipment: 'shipments',
  invoice: 'billing',
}

function occurrenceOf(superseding: Superseding): Occurrence {
  const { spoken, override, definition, told } = superseding
  const { doc, company } = spoken.facts
  const kind = kindOf(superseding)
  const number = numberOf(kind, doc)
  const code = `${ROOM_OF[kind]}.override_differs`
  const said = (words: Told): string =>
    Object.entries(words)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  const entered = said(override.entered) || 'that it was done'
  return {
    company,
    cause: `${code}:${number}:${override.step}`,
    code,
    title: `${spoken.intent.system} says ${said(told)} of ${number}, where ${override.actor} entered ${entered}`,
    suggestedAction: definition.differs!,
    facts: { entered: override.entered, told, step: override.step, reason: override.reason },
    affects: { doc, kind },
  }
}
