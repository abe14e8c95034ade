/** `crossdock inventory reconcile`: our books against what warehouses count, location by location, and what came by itself. */
import type { ReconciliationView } from './domains/inventory/contract/reconciliations.ts'
import { CommandFailure, type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import type { Config } from './config-schema.ts'
import { Refusal } from './platform/faults.ts'
import { systemClock } from './platform/clock.ts'
import type { Queries } from './platform/database.ts'

const LOOK_MS = 200
const WAIT_MS = 120_000

type Options = {
  readonly company?: string
  readonly location?: string
  readonly source?: string
  readonly dryRun?: boolean
}
type Place = { readonly company: string; readonly location: string }

/** Ends with "checks failed" where anything differs, or nothing was held against the books; the running program asks the warehouses. */
export async function inventoryReconcile(context: Context): Promise<number> {
  const { terminal } = context
  const options = context.options as Options
  const { config, database } = await openDatabase(context)
  const { ask, countsByConfig } = await import('./app-reconciliation.ts')
  const { asked, unasked } = await placesOf(config, options)
  const { source, dryRun = false } = options
  const ids: number[] = []
  try {
    for (const place of asked) {
      const asking = { ...place, source, dryRun, actor: 'terminal', now: systemClock.now() }
      ids.push(await ask(database, config, countsByConfig(config), asking))
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new CommandFailure(
      { problem: error.message, reason: error.code, cure: 'Name one that counts: --source wms' },
      EXIT.usage,
    )
  }
  for (const { location, why } of unasked) terminal.note(`${location} is not asked: ${why}`)
  const done: ReconciliationView[] = []
  for (const [at, id] of ids.entries()) {
    done.push(await finished(context, database, id))
    terminal.note(`${at + 1} of ${ids.length} locations`)
  }
  done.push(...(await lastOf(database, unasked)))
  printList(terminal, done, {
    ID: ({ id }) => String(id),
    COMPANY: ({ company }) => company,
    LOCATION: ({ location }) => location,
    SOURCE: ({ source }) => source,
    STATE: ({ state, problem }) => problem ?? state,
    MATCHED: ({ matched }) => String(matched),
    DIFFERING: ({ differing }) => String(differing),
    'NOT HERE': ({ missingHere }) => String(missingHere),
    'NOT THERE': ({ missingThere }) => String(missingThere),
    ADJUSTED: ({ adjusted }) => String(adjusted),
    TOLD: ({ told }) => String(told),
    VALUE: ({ value, currency }) => `${value} ${currency}`,
  })
  const agrees = done.every(
    ({ state, differing, missingHere, missingThere }) =>
      state === 'done' && differing + missingHere + missingThere === 0,
  )
  return agrees && done.length > 0 ? EXIT.ok : EXIT.checksFailed
}

type Chosen = {
  readonly asked: readonly Place[]
  readonly unasked: readonly (Place & { readonly why: string })[]
}

/** The named ones, or all: those that somebody can be asked of, and why the others cannot. */
async function placesOf(config: Config, { company, location, source }: Options): Promise<Chosen> {
  const { counterAt, countsByConfig, whyUnasked } = await import('./app-reconciliation.ts')
  const { companies, locations } = config
  const chosen = companies
    .flatMap(({ code }) =>
      locations
        .filter(({ company: owner = code }) => owner === code)
        .map((place) => ({ company: code, location: place.code })),
    )
    .filter(
      (place) =>
        (company === undefined || place.company === company) &&
        (location === undefined || place.location === location),
    )
  if (chosen.length === 0)
    throw wrongUse(
      'There is no such location here.',
      'Name the configuration of the running program: --config FILE',
    )
  const canBeAsked = (place: Place): boolean =>
    counterAt(config, countsByConfig(config), { ...place, source }) !== undefined
  const asked = chosen.filter(canBeAsked)
  // who names a source that counts nowhere is refused by it
  if (source !== undefined) return { asked: asked.length > 0 ? asked : chosen.slice(0, 1), unasked: [] }
  const unasked = chosen
    .filter((place) => !canBeAsked(place))
    .map((place) => ({ ...place, why: whyUnasked(config, place.location) }))
  return { asked, unasked }
}

/** What their counts came to that were held against the books when they came. */
async function lastOf(queries: Queries, places: readonly Place[]): Promise<ReconciliationView[]> {
  const { lastReconciliations } = await import('./domains/inventory/views/reconciliations.ts')
  return places.length > 0 ? lastReconciliations(queries, places) : []
}

async function finished({ signal }: Context, queries: Queries, id: number): Promise<ReconciliationView> {
  const { reconciliationOf } = await import('./domains/inventory/views/reconciliations.ts')
  for (let waitedMs = 0; waitedMs < WAIT_MS && !signal.aborted; waitedMs += LOOK_MS) {
    const view = (await reconciliationOf(queries, id))!
    if (view.state !== 'asked') return view
    await systemClock.sleep(LOOK_MS, signal)
  }
  throw new CommandFailure({
    problem: `Reconciliation ${id} is not done after ${WAIT_MS / 1_000} s.`,
    reason: 'The running program asks the warehouse; perhaps none runs, or the warehouse is away.',
    cure: 'Start the program: npm start. What was asked for is done then.',
  })
}
