/** `crossdock inventory freshness list|set|withdraw`: how fresh sources must be, as configured or as a person said. */
import { actorOf } from './cli-adjustments.ts'
import { type Context, EXIT, minute, printList } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { ruleOf } from './cli-sources.ts'
import { readTyped } from './cli-typed.ts'
import {
  type FreshnessRuleChange,
  FreshnessRuleRequest,
  type FreshnessRuleView,
  FreshnessWithdrawal,
} from './domains/inventory/contract/freshness-rules.ts'

export async function freshnessList(context: Context): Promise<number> {
  const { database, config } = await openDatabase(context)
  const { freshnessBeside } = await import('./app-freshness.ts')
  const { items } = await freshnessBeside(database, config)
  printList(context.terminal, items, {
    SOURCE: ({ source }) => source,
    FLOW: ({ flow }) => flow,
    LOCATIONS: ({ locations }) => locations.join(', ') || '–',
    'MAY BE SILENT': ({ budgetSeconds }) => `${budgetSeconds} s`,
    RULE: ruleOf,
    ORIGIN: ({ origin }) => origin,
    VERSION: ({ version }) => String(version),
    'SET BY': ({ setBy }) => setBy ?? '–',
    SINCE: ({ since }) => (since === undefined ? '–' : minute(new Date(since))),
    WHY: ({ reason }) => reason ?? '–',
    'CAREFUL NOW': ({ silentSince }) =>
      silentSince === undefined ? 'no' : `since ${minute(new Date(silentSince))}`,
  })
  if (items.length === 0)
    context.terminal.note('No source has a rule: set one, or say it under "freshness" in the configuration.')
  return EXIT.ok
}

type Options = {
  readonly minutes?: string
  readonly rule?: string
  readonly least?: string
  readonly factor?: string
  readonly most?: string
  readonly location?: readonly string[]
  readonly reason: string
  readonly expectVersion?: string
  readonly by?: string
  readonly dryRun?: boolean
}

export async function freshnessSet(context: Context): Promise<number> {
  const { minutes, rule, least, factor, most, location: locations, by } = context.options as Options
  const figures = { minutes: numberOf(minutes), rule, least, factor: numberOf(factor), most, locations }
  const typed = { ...figures, ...changed(context) }
  const request = readTyped(FreshnessRuleRequest, typed, 'See: crossdock inventory freshness set --help')
  const app = await openDoors(context, await openDatabase(context))
  return tell(context, await app.setFreshnessRule({ request, actor: actorOf(by) }))
}

export async function freshnessWithdraw(context: Context): Promise<number> {
  const { by } = context.options as Options
  const cure = 'See: crossdock inventory freshness withdraw --help'
  const request = readTyped(FreshnessWithdrawal, changed(context), cure)
  const app = await openDoors(context, await openDatabase(context))
  return tell(context, await app.withdrawFreshnessRule({ request, actor: actorOf(by) }))
}

function changed({ args: [source, flow], options }: Context) {
  const { reason, expectVersion, dryRun = false } = options as Options
  return { source, flow, reason, expectedVersion: numberOf(expectVersion), dryRun }
}

/** What is no number is left for the schema to refuse. */
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

type Reached = { readonly body: FreshnessRuleChange } | { readonly replayed: { readonly body: unknown } }

function tell({ terminal }: Context, answer: Reached): number {
  const change = 'body' in answer ? answer.body : (answer.replayed.body as FreshnessRuleChange)
  terminal.data(change, () => {
    const { source, flow, version, dryRun, before, after } = change
    return [
      `${source}, ${flow}: ${dryRun ? 'it would be' : 'it is'} version ${version}`,
      `  before: ${wordsOf(before)}`,
      `  ${dryRun ? 'then:  ' : 'now:   '} ${wordsOf(after)}`,
    ].join('\n')
  })
  return EXIT.ok
}

function wordsOf(rule: FreshnessRuleView | undefined): string {
  if (!rule) return 'no rule'
  const { origin, version, budgetSeconds, locations, state } = rule
  const whose = origin === 'set' ? `set, version ${version}` : 'configured'
  const holds = state === 'silent' ? 'holds, since it is silent' : 'does not hold'
  return `${ruleOf(rule)} at ${locations.join(', ')}, after ${budgetSeconds} s (${whose}); ${holds}`
}
