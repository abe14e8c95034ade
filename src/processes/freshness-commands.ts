/** People say how fresh a source must be in place of what is configured, or withdraw that; or see what would change. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Runner } from '#platform/runner.ts'
import type { FreshnessRule, KnownSource, SetRule } from '#domains/inventory/contract/freshness.ts'
import type {
  FreshnessRuleChange,
  FreshnessRuleRequest,
  FreshnessWithdrawal,
} from '#domains/inventory/contract/freshness-rules.ts'
import { lockSourceStates } from '#domains/inventory/operations/freshness.ts'
import { changeRule, ensureSource, ruleFrom } from '#domains/inventory/operations/freshness-rules.ts'
import { rulesInForce, sourceStates } from '#domains/inventory/views/freshness.ts'
import { lastRules, type SourceKey } from '#domains/inventory/views/freshness-rules.ts'
import { foundUnder } from './freshness-watch.ts'
import { NO_COMPANY } from './message-trouble.ts'
import type { ProcessPorts } from './ports.ts'
import { isOf, ruleView } from './sources-view.ts'

/** What is configured of sources. */
export type KnownSources = {
  /** What is wrong with a rule of this source and flow at these locations, by field. */
  problems(
    of: SourceKey & { readonly locations: readonly string[] },
  ): readonly { readonly field: string; readonly message: string }[]
  /** Where it tells of, or its companies sell from. */
  placesOf(source: string): readonly string[]
}

export type FreshnessWires = {
  readonly queries: Queries
  readonly runner: Pick<Runner, 'transaction'>
  readonly ports: Pick<ProcessPorts, 'clock' | 'ids' | 'freshness'>
  readonly known: KnownSources
  /** Looks at all sources now, as a worker does every few seconds. */
  readonly look: () => Promise<void>
}

type By = {
  readonly actor: string
  readonly traceId?: string | undefined
  /** Absent where the caller does not repeat. */
  readonly claim?: Claim | undefined
}
export type SetRuleCommand = By & { readonly request: FreshnessRuleRequest }
export type WithdrawRuleCommand = By & { readonly request: FreshnessWithdrawal }
type Reached = { readonly status: 200; readonly body: FreshnessRuleChange }
export type RuleReached = Reached | Replay

/** Takes the place of the configured rule from now on, in every process. */
export const setFreshnessRule = (
  wires: FreshnessWires,
  { request, ...by }: SetRuleCommand,
): Promise<RuleReached> => change(wires, { ...request, set: readRule(wires.known, request) }, by)

/** What is configured holds again, if anything is. */
export const withdrawFreshnessRule = (
  wires: FreshnessWires,
  { request, ...by }: WithdrawRuleCommand,
): Promise<RuleReached> => change(wires, { ...request, set: null }, by)

type Wanted = FreshnessWithdrawal & { readonly set: SetRule | null }

async function change(wires: FreshnessWires, wanted: Wanted, by: By): Promise<RuleReached> {
  const { queries, runner, ports, look } = wires
  if (wanted.dryRun) {
    const state = (await sourceStates(queries)).find(isOf(wanted))
    assertMay(wanted, state)
    return { status: 200, body: (await effectOf(queries, ports, { wanted, state, by })).body }
  }
  const [doc] = await ports.ids.documents(1)
  const cause = { source: 'freshness', actor: by.actor, traceId: by.traceId }
  const answer = await runner.transaction(cause, async (tx): Promise<RuleReached> => {
    const earlier = by.claim && settle((await claim(tx, [by.claim])).get(by.claim)!)
    if (earlier) return earlier
    if (wanted.set) ensureSource(tx, { ...wanted, doc: doc!, heardAt: ports.clock.now() })
    const state = (await lockSourceStates(tx)).find(isOf(wanted))
    assertMay(wanted, state)
    const { body, inForce } = await effectOf(tx, ports, { wanted, state, by })
    const { set, reason } = wanted
    await changeRule(tx, { source: state!, set, inForce, reason, setBy: by.actor }, NO_COMPANY, cause)
    audit(tx, body, { ...by, reason, doc: state!.doc, isSet: set !== null })
    if (by.claim) record(tx, [{ ...by.claim, status: 200, body }])
    return { status: 200, body }
  })
  // What fails of it a worker does at its next look.
  if (!('replayed' in answer)) await look().catch(() => undefined)
  return answer
}

// What is asked ---------------------------------------------------------------------------------------------------------

type Wrong = { readonly pointer: string; readonly code: string; readonly message: string }

/** Refuses all that is wrong with it at once. */
function readRule(known: KnownSources, request: FreshnessRuleRequest): SetRule {
  const { source, minutes, locations: named, rule, least, factor, most } = request
  const locations = named.length > 0 ? named : known.placesOf(source)
  const unknown = known.problems(request).map(({ field, message }) => ({
    pointer: `/${field}`,
    code: field.startsWith('locations')
      ? 'inventory.freshness_nowhere'
      : 'inventory.freshness_source_unknown',
    message,
  }))
  const errors = [...unknown, ...figuresAmiss(request)]
  if (errors.length === 0 && locations.length === 0)
    errors.push({
      pointer: '/locations',
      code: 'inventory.freshness_nowhere',
      message: `nothing says where ${source} tells of: name locations`,
    })
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return { budgetMs: minutes * MINUTE_MS, locations, rule: ruleFrom({ rule, least, factor, most }) }
}

const MINUTE_MS = 60_000
const FIGURES = { least: 'buffer', factor: 'buffer', most: 'cap' } as const

function figuresAmiss(request: FreshnessRuleRequest): Wrong[] {
  return (['least', 'factor', 'most'] as const).flatMap((figure) => {
    const isNeeded = request.rule === FIGURES[figure]
    if ((request[figure] !== undefined) === isNeeded) return []
    const message = isNeeded
      ? `${figure} is missing: a ${request.rule} needs it`
      : `${figure} belongs to a ${FIGURES[figure]}, not to "${request.rule}"`
    return [{ pointer: `/${figure}`, code: 'inventory.freshness_contradicts', message }]
  })
}

function assertMay(
  { source, flow, expectedVersion, set }: Wanted,
  state: Pick<KnownSource, 'ruleVersion' | 'rule'> = { ruleVersion: 0, rule: null },
): void {
  if (expectedVersion !== undefined && expectedVersion !== state.ruleVersion) {
    const message = `the rule of ${source} for ${flow} is at version ${state.ruleVersion}, not ${expectedVersion}`
    const facts = { version: state.ruleVersion }
    throw new Refusal('inventory.freshness_rule_changed', message, facts, '/expectedVersion')
  }
  if (set || state.rule) return
  const message = `no person has set a rule of ${source} for ${flow}`
  throw new Refusal('inventory.freshness_rule_not_set', message, {}, '/source')
}

// What comes of it ------------------------------------------------------------------------------------------------------

type Asked = { readonly wanted: Wanted; readonly state: KnownSource | undefined; readonly by: By }

/** By which rule the source is careful now, if it is, and by which it is afterwards. */
async function effectOf(
  queries: Queries,
  { clock, freshness }: FreshnessWires['ports'],
  { wanted, state, by }: Asked,
): Promise<{ readonly body: FreshnessRuleChange; readonly inForce: FreshnessRule | undefined }> {
  const { source, flow, set, reason, dryRun } = wanted
  const now = clock.now()
  const version = (state?.ruleVersion ?? 0) + 1
  const next = {
    ...(state ?? { ...NOT_LOOKED_AT, source, flow, heardAt: now }),
    rule: set,
    ruleVersion: version,
  }
  const inForce = rulesInForce(freshness, [next]).find(isOf(wanted))
  const made = (await lastRules(queries)).find(isOf(wanted))
  const after = inForce && (await foundUnder(queries, inForce, next, now))
  const view = (given: Parameters<typeof ruleView>[2]) => ruleView(freshness, wanted, given)
  const before = view({ state, made })
  const then = after && view({ state: after, made: { reason, setBy: by.actor, setAt: now } })
  return {
    inForce,
    body: { source, flow, version, dryRun, ...(before && { before }), ...(then && { after: then }) },
  }
}

const NOT_LOOKED_AT = { doc: 0, version: 0, silentSince: null, markedUntil: null, ruleSetAt: null }

type Audited = By & { readonly reason: string; readonly doc: number; readonly isSet: boolean }

function audit(
  tx: Transaction,
  { source, flow, version, before, after }: FreshnessRuleChange,
  { actor, traceId, reason, doc, isSet }: Audited,
): void {
  const action = isSet ? 'inventory.set_freshness_rule' : 'inventory.withdraw_freshness_rule'
  recordAudit(tx, [
    {
      actor,
      action,
      kind: 'source',
      doc,
      reason,
      before,
      after: { source, flow, version, ...after },
      traceId,
    },
  ])
}
