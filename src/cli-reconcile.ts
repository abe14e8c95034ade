/** `crossdock inventory reconcile`: our books against what warehouses count, location by location. */
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

/** Ends with "checks failed" where anything differs; the running program asks the warehouses. */
export async function inventoryReconcile(context: Context): Promise<number> {
  const { terminal } = context
  const options = context.options as Options
  const { config, database } = await openDatabase(context)
  const { ask, countsByConfig } = await import('./app-reconciliation.ts')
  const counts = countsByConfig(config)
  const ids: number[] = []
  try {
    for (const place of placesOf(config, options, counts)) {
      const { source, dryRun = false } = options
      const asking = { ...place, source, dryRun, actor: 'terminal', now: systemClock.now() }
      ids.push(await ask(database, config, counts, asking))
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new CommandFailure(
      { problem: error.message, reason: error.code, cure: 'Name one that counts: --source wms' },
      EXIT.usage,
    )
  }
  const done: ReconciliationView[] = []
  for (const [at, id] of ids.entries()) {
    done.push(await finished(context, database, id))
    terminal.note(`${at + 1} of ${ids.length} locations`)
  }
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
  return agrees ? EXIT.ok : EXIT.checksFailed
}

/** All whose warehouse system can be asked, or the named ones. */
function placesOf(
  { companies, locations }: Config,
  { company, location, source }: Options,
  counts: (system: string) => boolean,
): Place[] {
  const places = companies.flatMap(({ code }) =>
    locations
      .filter(
        ({ company: owner = code, wms }) =>
          owner === code && wms !== undefined && (source !== undefined || counts(wms)),
      )
      .map((place) => ({ company: code, location: place.code })),
  )
  const chosen = places.filter(
    (place) =>
      (company === undefined || place.company === company) &&
      (location === undefined || place.location === location),
  )
  if (chosen.length > 0) return chosen
  throw wrongUse(
    'No such location is run by a warehouse system here.',
    'Name the configuration of the running program: --config FILE',
  )
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
