/** `crossdock orders override ID --step STEP …`: a person decides on a step that is stuck. */
import { type Context, EXIT, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import type { App } from './app.ts'

/** Who decides, in story and audit: whoever may run commands on this machine. */
const ACTOR = 'cli'

type Options = {
  readonly step?: string
  readonly completeWith?: string
  readonly skip?: boolean
  readonly restart?: boolean
  readonly cancel?: boolean
  readonly document?: string
  readonly subject?: string
  readonly fact?: readonly string[]
  readonly reason: string
  readonly dryRun?: boolean
}

type Command = Parameters<App['override']>[0]
type Answer = Extract<Awaited<ReturnType<App['override']>>, { readonly status: 200 }>['body']

export async function ordersOverride(context: Context): Promise<number> {
  const options = context.options as unknown as Options
  const override = {
    ...decisionOf(options),
    order: orderOf(context),
    step: options.step,
    document: options.document,
    subject: options.subject,
  }
  const opened = await openDatabase(context)
  const app = await openDoors(context, opened)
  const { reason, dryRun = false } = options
  const given = await app.override({ override, actor: ACTOR, reason, traceId: undefined, dryRun })
  const answer = ('body' in given ? given.body : given.replayed.body) as Answer
  context.terminal.data(answer, () => told(answer))
  return EXIT.ok
}

function orderOf({ args }: Context): number {
  const [text = ''] = args
  const digits = /^O-(\d{1,15})$/.exec(text)?.[1]
  if (digits !== undefined) return Number(digits)
  throw wrongUse(
    `"${text}" is not our number of an order.`,
    'Find it by any other number: crossdock trace ANY-ID',
  )
}

function decisionOf(options: Options): Pick<Command['override'], 'act' | 'reference' | 'facts'> {
  const { completeWith, skip, restart, cancel, step, fact = [] } = options
  const wanted = [
    ...(completeWith === undefined ? [] : (['complete'] as const)),
    ...(skip ? (['skip'] as const) : []),
    ...(restart ? (['restart'] as const) : []),
    ...(cancel ? (['cancel'] as const) : []),
  ]
  const [act, another] = wanted
  if (act === undefined || another !== undefined)
    throw wrongUse('One decision is needed.', 'One of --complete-with REFERENCE, --skip, --restart, --cancel')
  if (step === undefined && act !== 'cancel')
    throw wrongUse('Which step is meant?', 'For example: --step postToErp')
  return {
    act,
    reference: completeWith,
    ...(fact.length > 0 && { facts: Object.fromEntries(fact.map(named)) }),
  }
}

function named(text: string): readonly [string, string] {
  const [, name, value] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? []
  if (name !== undefined && value !== undefined) return [name, value]
  throw wrongUse(`"${text}" is no fact.`, 'For example: --fact tax=3.80')
}

const PAST = { complete: 'completed', skip: 'left out', restart: 'tried again', cancel: 'cancelled' } as const

function told({ document, step, act, was, known, entered, releases, follows, dryRun }: Answer): string {
  const place = step === '' ? document : `${step} of ${document}`
  const would = dryRun ? 'would be' : known ? 'was before' : 'is'
  return [
    `${place} ${would} ${PAST[act]}; it was ${was}`,
    ...Object.entries(entered).map(([name, value]) => `  ${name}: ${value}`),
    ...releases.map((hold) => `  ${hold} ${dryRun ? 'would be' : 'is'} released`),
    ...follows.map((text) => `  ${text}`),
  ].join('\n')
}
