/** People who hold our books against what warehouses count, while words are on their way, and again until both agree. */
import { drawInteger } from '#landscape/random.ts'
import type { World } from '#landscape/world/world.ts'
import type { Config } from '../../src/config-schema.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Violation } from './checkers.ts'
import { CONFIGURED } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import { unequal } from './supply-checkers.ts'

export type Reconcilers = {
  readonly open: () => number
  /** Faults have ended: from now on they ask until the end. */
  peace(): void
}

type Parts = CallerParts & { readonly seed: string; readonly world: World; readonly day: WholeDay }
type Place = { readonly company: string; readonly location: string }

const RECONCILIATIONS = '/process/inventory/v1/reconciliations'
const TIMES: [number, number] = [2, 4]
/** So much of a difference is taken for what the warehouse counts. */
const TOLERANCE = { units: 60, percent: 0 }
const AGAIN_MS = 10_000

/** Warehouses whose counts are taken where they differ a little. */
export function tolerant(systems: Config['systems']): Config['systems'] {
  const named = [CONFIGURED.wms, CONFIGURED.eastWms].map((name) => {
    const system = systems[name]!
    return [name, { ...system, stock: { ...system.stock, tolerance: TOLERANCE } }]
  })
  return { ...systems, ...Object.fromEntries(named) }
}

export function openReconcilers(parts: Parts): Reconcilers {
  const { seed, world, day, scheduler, outside } = parts
  const caller = openCaller(parts)
  const places = placesOf(world)
  let open = 0
  let asked = 0

  async function ask(place: Place): Promise<void> {
    open++
    await caller.post(RECONCILIATIONS, `reconciliation-${asked++}`, { ...place, dryRun: false })
    open--
  }
  const later = (ms: number, run: () => void): void =>
    void scheduler.after(ms, { actor: outside, label: 'books are compared', run })
  function askAll(): void {
    for (const place of places) void ask(place)
    later(AGAIN_MS, askAll)
  }

  for (let nth = 0; nth < drawInteger(seed, 'reconciliations', 0, TIMES); nth++) {
    const place = places[drawInteger(seed, 'reconciles', nth, [0, places.length - 1])]!
    later(drawInteger(seed, 'reconciles-at', nth, [0, day.peaceAfterMs]), () => void ask(place))
  }
  return { open: () => open, peace: askAll }
}

function placesOf(world: World): Place[] {
  const named = new Map(
    world.stock.map(({ company, site: location }) => [`${company} ${location}`, { company, location }]),
  )
  return [...named.values()]
}

/** The last look at each place found nothing, and nobody is told of a difference any more. */
export async function reconciliationsAmiss(query: Query): Promise<Violation[]> {
  const last = await query<{ text: string }>(`
    select concat_ws(' ', company, location, state, differing, missing_here, missing_there, problem) as text
    from (select distinct on (company, location) * from inventory.reconciliation where whole
      order by company, location, id desc) r
    where state <> 'done' or differing + missing_here + missing_there > 0`)
  const told = await query<{ text: string }>(`
    select cause as text from exceptions.exception where code = 'inventory.books_differ' and closed_at is null`)
  return [
    ...unequal('books and counts agree in the end', last, []),
    ...unequal('of a difference that is over nobody is told', told, []),
  ]
}
