/** A warehouse of which nothing is heard for a while: what is promised of its places meanwhile, and that all heals. */
import { Freshness } from '../../src/config-freshness.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Adjustment } from '#landscape/wms/store.ts'
import type { World } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Violation } from './checkers.ts'
import { CONFIGURED, type Counterparts, EAST_SITES, NEAR_SITES } from './counterparts.ts'
import { unharmed } from './defects.ts'
import { unequal } from './supply-checkers.ts'

type Parts = CallerParts & {
  readonly seed: string
  readonly world: World
  readonly landscape: Counterparts
  readonly look: Query
}

type Teller = 'wms' | 'eastWms'

/** Thirty minutes of a real day in twenty seconds. */
const BUDGET_MS = 6_000
const SILENT_MS = 20_000
/** Whoever looks every five seconds has seen it by then, and has had time to say so. */
const NOTICED_AFTER_MS = 17_000
const BEGINS_MS: [number, number] = [500, 4_000]
/** Warehouses that work tell something every so often, so what is not heard is silent. */
const PULSE_MS = 2_400
/** Of places of the first warehouse so much is held back, of those of the other so much is promised at most. */
export const LEAST = 5
export const MOST = 7
const MINUTE_MS = 60_000
const PIECES = 'EA'
const TELLERS = ['wms', 'eastWms'] as const

export const freshness = Freshness.parse([
  { source: CONFIGURED.wms, minutes: BUDGET_MS / MINUTE_MS, rule: 'buffer', least: LEAST },
  { source: CONFIGURED.eastWms, minutes: BUDGET_MS / MINUTE_MS, rule: 'cap', most: MOST },
])

export const sitesOf = (teller: Teller): readonly string[] => (teller === 'wms' ? NEAR_SITES : EAST_SITES)

export type Silence = {
  readonly open: () => number
  readonly wrong: readonly string[]
  /** From now on warehouses need not tell anything. */
  hush(): void
}

export function openSilence(parts: Parts): Silence {
  const work = new SilenceWork(parts)
  for (const teller of TELLERS) work.pulse(teller, 1)
  const drawn = TELLERS.filter((teller) => draw(parts.seed, 'silent', teller) < 0.5)
  for (const teller of drawn.length > 0 ? drawn : TELLERS) work.begin(teller)
  return work
}

class SilenceWork implements Silence {
  readonly wrong: string[] = []
  readonly #parts: Parts
  readonly #caller
  #open = 0
  #isHushed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#caller = openCaller(parts)
  }

  open = (): number => this.#open
  hush = (): void => void (this.#isHushed = true)

  #later(ms: number, label: string, run: () => void): void {
    this.#parts.scheduler.after(ms, { actor: this.#parts.outside, label, run })
  }

  /** A cycle count finds one more and one less in turns. */
  pulse(teller: Teller, delta: number): void {
    if (this.#isHushed) return
    this.#parts.landscape[teller].adjust({ ...this.#shelf(teller), delta, reason: 'COUNT' })
    this.#later(PULSE_MS, 'cycle count', () => this.pulse(teller, -delta))
  }

  begin(teller: Teller): void {
    this.#open++
    this.#later(
      drawInteger(this.#parts.seed, 'falls-silent', teller, BEGINS_MS),
      'silence',
      () => void this.#silent(teller).finally(() => this.#open--),
    )
  }

  async #silent(teller: Teller): Promise<void> {
    const { network } = this.#parts
    const path = `/system/${CONFIGURED[teller]}/v1/events`
    network.cutOff.add(path)
    await this.#caller.sleep(NOTICED_AFTER_MS)
    await this.#promise(teller)
    await this.#caller.sleep(SILENT_MS - NOTICED_AFTER_MS)
    network.cutOff.delete(path)
  }

  /** Of a place whose source is silent less is promised, the answer says so, and what is promised is marked. */
  async #promise(teller: Teller): Promise<void> {
    const before = await this.#since(teller)
    const { owner: company, sku, site } = this.#shelf(teller)
    const mostBefore = await this.#most(teller, { sku, site })
    const asked = await this.#caller.post(AVAILABILITY, `silent-ask-${teller}`, {
      company,
      maxAgeMs: 0,
      location: site,
      items: [{ sku }],
    })
    const reserved = await this.#caller.post(RESERVATIONS, `silent-${teller}`, {
      company,
      channel: 'portal',
      reference: teller,
      kind: 'firm',
      location: site,
      lines: [{ line: '1', sku, quantity: '1', unit: PIECES }],
    })
    if (before === undefined || (await this.#since(teller)) !== before) return
    const { asOf, items } = JSON.parse(asked.body) as Asked
    const [item] = items ?? []
    const place = item?.places.find(({ location }) => location === site)
    const most = Math.max(mostBefore, await this.#most(teller, { sku, site }))
    // Whoever cannot ask the database answers as of when he last could, and says so.
    const isOfThen = asOf !== undefined && new Date(asOf) >= new Date(before)
    if (isOfThen && (place?.confidence !== 'careful' || Number(place.available) > most))
      this.wrong.push(`of ${sku} at ${site}, which is silent, ${JSON.stringify(place)}, at most ${most}`)
    if (reserved.status !== 201) {
      if (await this.#isUsedUp(teller, { sku, site })) return
      this.wrong.push(`1 of ${sku} was refused at ${site}: ${reserved.body}`)
      return
    }
    const { id } = JSON.parse(reserved.body) as { readonly id: string }
    const marks = await this.#parts.look('select from inventory.doubt where doc = $1', [
      Number(id.replace('R-', '')),
    ])
    if (marks.length === 0)
      this.wrong.push(`${id} was promised of ${site}, which is silent, and is not marked`)
  }

  /** Since when the house knows of it; undefined while it was heard, or nobody was able to look. */
  async #since(teller: Teller): Promise<string | undefined> {
    const { look, faults } = this.#parts
    const source = CONFIGURED[teller]
    const [state] = await look<{ since: string | null; overdue: boolean }>(
      `select s.silent_since::text as since, now() - coalesce((select max(received_at) from inbox.message
         where source = $1), '-infinity') > make_interval(secs => $2) as overdue
       from (values ($1::text, 'messages')) as told(source, flow) left join inventory.source_state s using (source, flow)`,
      [source, (NOTICED_AFTER_MS - MARGIN_MS) / 1_000],
    )
    if (state!.overdue && state!.since === null && unharmed(faults.struck))
      this.wrong.push(`${source} is silent, and nobody has noticed`)
    return state!.since ?? undefined
  }

  /** No rule promises more than the books have, and each promises less. */
  async #most(teller: Teller, { sku, site }: { sku: string; site: string }): Promise<number> {
    if (teller === 'eastWms') return MOST
    const [row] = await this.#parts.look<{ most: number }>(
      `select available::float8 as most from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.location = $2 and p.lot = ''`,
      [sku, site],
    )
    return (row?.most ?? 0) - LEAST
  }

  /** Orders that came meanwhile were given all that the cap leaves, or wait for it. */
  async #isUsedUp(teller: Teller, { sku, site }: { sku: string; site: string }): Promise<boolean> {
    const [row] = await this.#parts.look<{ promised: number }>(
      `select coalesce((select sum(quantity) from inventory.doubt d
           where d.item_id = i.id and d.location = $2 and d.outcome is null), 0)::float8
         + coalesce((select sum(quantity) from inventory.backorder b where b.item_id = i.id), 0)::float8 as promised
       from items.item i where i.sku = $1`,
      [sku, site],
    )
    return teller === 'eastWms' && (row?.promised ?? 0) >= MOST
  }

  /** Of which there is more than anybody wants. */
  #shelf(teller: Teller): Omit<Adjustment, 'delta' | 'reason'> & { readonly lot: string } {
    const { world } = this.#parts
    const awaited = new Set(world.receipts.map(({ item }) => item))
    const ample = new Set(
      world.items.flatMap(({ number, baseUnit, discontinued }) =>
        baseUnit === PIECES && !discontinued && !awaited.has(number) ? [number] : [],
      ),
    )
    const row = world.stock
      .filter(
        ({ status, item, site }) =>
          status === 'available' && ample.has(item) && sitesOf(teller).includes(site),
      )
      .toSorted((a, b) => b.quantity - a.quantity)[0]!
    return { site: row.site, owner: row.company, sku: row.item, lot: row.lot }
  }
}

const AVAILABILITY = '/process/available-to-promise/v1/availability:query'
const RESERVATIONS = '/process/available-to-promise/v1/reservations'
const MARGIN_MS = 1_000

type Asked = {
  readonly asOf?: string
  readonly items?: readonly {
    readonly places: readonly {
      readonly location: string
      readonly available: string
      readonly confidence: string
    }[]
  }[]
}

/** While its source is heard a place is promised by its books, and nothing of what was careful is left. */
export async function silenceAmiss(query: Query): Promise<Violation[]> {
  const left = await query<{ text: string }>(`
    select source || ' is silent since ' || silent_since as text from inventory.source_state where silent_since is not null
    union all
    select 'document ' || doc || ' is marked at ' || location from inventory.doubt where outcome is null
    union all
    select cause || ' is open' from exceptions.exception where code = 'inventory.source_silent' and closed_at is null`)
  const unowned = await query<{ text: string }>(`
    select data ->> 'source' as text from log.event where type = 'source.silent'
    except select facts ->> 'source' from exceptions.exception where code = 'inventory.source_silent'`)
  return [
    ...unequal('what was silent heals when it is heard again', left, []),
    ...unequal('of each silence somebody was told', unowned, []),
  ]
}
