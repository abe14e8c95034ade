/** Who works with stock beside orders: channels that reserve, warehouses that count, people who put right and hold lots. */
import { toOrderRequest } from '../../src/demo.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Adjustment } from '#landscape/wms/store.ts'
import type { Stock, World, WorldOrder } from '#landscape/world/world.ts'
import type { Called } from '#platform/http-server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Clients } from './clients.ts'
import { type Counterparts, EAST_SITES } from './counterparts.ts'
import type { StockFact, WholeDay } from './day.ts'
import type { BookHistory } from './book-history.ts'
import { type People, type PeopleParts, Work } from './people.ts'
import { ask, neverSaid, type Question } from './stock-questions.ts'
import { timeAt } from './virtual-clock.ts'

export type StockPeople = People & {
  readonly questions: readonly Question[]
  /** Answers during the day that the books never said. */
  readonly misremembered: readonly string[]
  /** Warehouses count one more of all they have told of, so that a word of it that was lost leaves a gap. */
  recount(): void
}

type Parts = PeopleParts & {
  readonly world: World
  readonly landscape: Counterparts
  readonly clients: Clients
  readonly day: WholeDay
  /** Into the database, as an action of its own. */
  readonly look: Query
  readonly history: BookHistory
}

const RESERVATIONS = '/process/available-to-promise/v1/reservations'
const INVENTORY = '/process/inventory/v1'
const SOFT_MS: [number, number] = [1_000, 5_000]
const LONGER_MS: [number, number] = [1_500, 4_000]
const PAUSE_MS: [number, number] = [0, 1_200]
const COUNTING_MS: [number, number] = [0, 3_000]
/** By then receipts have come, and some of what came is claimed. */
const ARRIVED_MS: [number, number] = [3_000, 6_000]
/** More than orders of a day claim. */
export const PLENTY = 1_000
type PeopleFact = keyof typeof TIMES
const TIMES = {
  reservations: [2, 4],
  counts: [2, 4],
  adjustments: [1, 2],
  lots: [1, 1],
  questions: [2, 4],
} as const satisfies Partial<Record<StockFact, readonly [number, number]>>
const isTheirs = (fact: StockFact): fact is PeopleFact => fact in TIMES
const KEPT_FOR = ['api', 'shop', 'edi', 'portal']
/** Up to some cases, in pieces. */
const KEPT: [number, number] = [0, 60]
/** Beyond what one may change alone, and within it. */
const QUANTITIES = [5_000, 1] as const

/** Of a lot that is held only what came since may be for sale. */
const SOLD_THOUGH_HELD = `
  select trim_scale(p.available) || ' of lot ' || lot || ', which is held, are for sale at ' || location as found
  from inventory.lot l join inventory.position p using (company, item_id, lot)
  where l.held_by is not null and p.available > 0 and not exists (
    select from inventory.movement m
    where m.item_id = p.item_id and m.location = p.location and m.lot = p.lot and m.to_bucket = 'available'
      and m.recorded_at >= l.held_at)`

export function openStockPeople(parts: Parts): StockPeople {
  const work = new StockWork(parts)
  for (const fact of parts.day.stock) if (isTheirs(fact)) work.begin(fact)
  return work
}

class StockWork extends Work<Parts> implements StockPeople {
  readonly questions: Question[] = []
  readonly misremembered: string[] = []
  begin(fact: PeopleFact): void {
    const { seed, day, history } = this.parts
    const work: Readonly<Record<PeopleFact, (key: string) => Promise<void>>> = {
      reservations: (key) => this.#reserve(key),
      counts: (key) => this.#count(key),
      adjustments: (key) => this.#adjust(key),
      lots: (key) => this.#holdLot(key),
      questions: (key) => this.#ask(key),
    }
    const times = drawInteger(seed, 'times', fact, [...TIMES[fact]])
    for (let nth = 0; nth < times; nth++) {
      const key = `${fact}-${nth}`
      if (fact === 'questions') history.follow(this.#question(key))
      this.later(key, drawInteger(seed, 'begins', key, [0, day.withinMs]), () => work[fact](key))
    }
  }

  recount(): void {
    const { wms, eastWms } = this.parts.landscape
    for (const warehouse of [wms, eastWms]) {
      const told = warehouse.truth().events.filter((event) => 'stock_sequence' in event)
      const places = new Map(told.map((event) => [JSON.stringify([event['site'], event['sku']]), event]))
      for (const event of places.values()) {
        const place = {
          site: word(event['site']),
          owner: word(event['owner']),
          sku: word(event['sku']),
          lot: word(event['lot']),
        }
        warehouse.adjust({ ...place, delta: 1, reason: 'COUNT' })
      }
    }
  }

  /** A channel reserves, does one thing or two with it, and leaves the rest to its time. */
  async #reserve(key: string): Promise<void> {
    const { seed, scheduler } = this.parts
    const order = this.#order(key)
    if (draw(seed, 'keeps', key) < 0.4) await this.#keep(key, order)
    const { company, lines } = toOrderRequest(order)
    const { sku, quantity, unit } = lines[0]!
    const isSoft = draw(seed, 'soft', key) < 0.7
    const expiresAt = timeAt(scheduler.nowMs + drawInteger(seed, 'expires', key, SOFT_MS)).toISOString()
    const kind = isSoft ? { kind: 'soft', expiresAt } : { kind: 'firm' }
    const answer = await this.caller.post(RESERVATIONS, key, {
      company,
      channel: 'portal',
      reference: key,
      mode: 'what_is_available',
      ...kind,
      lines: [{ line: '1', sku, quantity, unit }],
    })
    if (answer.status !== 201) return
    const { id } = bodyOf(answer)
    for (const step of ['first', 'then']) {
      await this.pause('pause', `${key}-${step}`, PAUSE_MS)
      await this.#act(`${key}-${step}`, { id, order })
    }
  }

  /** People keep some of what an order wants for channels, at each place of its company. */
  async #keep(key: string, order: WorldOrder): Promise<void> {
    const { seed, world } = this.parts
    const { company, lines } = toOrderRequest(order)
    const { sku } = lines[0]!
    const much = (name: string): number => drawInteger(seed, name, key, KEPT)
    const [one, all] = [much('of one'), much('of all')]
    const name = KEPT_FOR[drawInteger(seed, 'kept for', key, [0, KEPT_FOR.length - 1])]!
    const own = { name, channels: [name] }
    const choices = [
      [{ ...own, kind: 'minimum', quantity: String(one) }],
      [{ ...own, kind: 'wall', quantity: String(one) }],
      [
        { ...own, kind: 'minimum', quantity: String(one), within: 'all' },
        { name: 'all', kind: 'pool', channels: KEPT_FOR, quantity: String(one + all) },
      ],
    ]
    const allocations = choices[drawInteger(seed, 'kept how', key, [0, choices.length - 1])]!
    const sites = world.stock
      .filter((row) => row.company === company && row.item === sku)
      .map((row) => row.site)
    const places = [...new Set(sites)].map((location) => ({ sku, location, allocations }))
    // an order may name an item that nobody has
    if (places.length === 0) return
    const body = { company, reason: key, places }
    const answer = await this.caller.post(`${INVENTORY}/allocations:set`, `${key}-kept`, body)
    if (answer.status !== 200) this.fail(`${key} was not kept`, answer)
  }

  async #act(key: string, { id, order }: { id: string; order: WorldOrder }): Promise<void> {
    const { seed, scheduler, clients } = this.parts
    const verb = (name: string, body: object): Promise<Called> =>
      this.caller.post(`${RESERVATIONS}/${id}:${name}`, key, body)
    const expiresAt = timeAt(scheduler.nowMs + drawInteger(seed, 'longer', key, LONGER_MS)).toISOString()
    const part = [{ line: '1', quantity: '1' }]
    const acts: readonly (() => Promise<unknown>)[] = [
      () => verb('extend', { expiresAt }),
      () => verb('split', { reference: key, lines: part }),
      () => verb('release', { lines: part }),
      () => verb('release', {}),
      () => verb('commit', {}),
      () => clients.submit({ ...order, poNumber: `${order.poNumber}-${key}` }, key, { reservationId: id }),
      async () => undefined,
    ]
    await acts[Math.floor(draw(seed, 'act', key) * acts.length)]!()
  }

  /** A warehouse finds some, puts one aside and back, and breaks one: each told in the numbering of the place. */
  async #count(key: string): Promise<void> {
    const { landscape } = this.parts
    const { company: owner, site, item: sku, lot } = this.#shelf(key)
    const warehouse = EAST_SITES.includes(site) ? landscape.eastWms : landscape.wms
    const acts: readonly Pick<Adjustment, 'delta' | 'reason'>[] = [
      { reason: 'COUNT', delta: 3 },
      { reason: 'HOLD', delta: -1 },
      { reason: 'DAMAGE', delta: -1 },
      { reason: 'RELEASE', delta: -1 },
      { reason: 'COUNT', delta: 2 },
      { reason: 'COUNT', delta: -1 },
    ]
    for (const [nth, act] of acts.entries()) {
      warehouse.adjust({ site, owner, sku, lot, ...act })
      await this.pause('counts', `${key}-${nth}`, COUNTING_MS)
    }
  }

  /** Finds as much as is lost, so that both sides agree afterwards; nobody may approve what he entered. */
  async #adjust(key: string): Promise<void> {
    const { seed } = this.parts
    const { company, site: location, item: sku, lot } = this.#shelf(key)
    const quantity = String(QUANTITIES[draw(seed, 'much', key) < 0.7 ? 0 : 1])
    const line = { sku, location, quantity, ...(lot && { lot }) }
    const entered = await this.caller.post(`${INVENTORY}/adjustments`, key, {
      company,
      reason: 'correction',
      reference: key,
      lines: [
        { kind: 'found', ...line },
        { kind: 'lost', ...line },
      ],
    })
    if (entered.status !== 202) return
    const url = `${INVENTORY}/adjustments/${bodyOf(entered).id}`
    const own = await this.caller.post(`${url}:approve`, `${key}-own`, { reason: 'I counted it' })
    if (own.status < 300) this.wrong.push(`${key} was approved by who entered it`)
    await this.pause('pause', key, PAUSE_MS)
    const verdict = draw(seed, 'verdict', key) < 0.7 ? 'approve' : 'reject'
    const reason = { reason: 'counted again' }
    const decided = await this.caller.post(`${url}:${verdict}`, `${key}-${verdict}`, reason, 'controller')
    if (decided.status !== 200) this.fail(`${key} was not decided`, decided)
  }

  /** Holds a lot that has arrived, wherever it lies, and lets it go again. */
  async #holdLot(key: string): Promise<void> {
    const { seed, world } = this.parts
    const rows = world.receipts.filter((row) => row.lot !== '')
    const { company, item: sku, lot } = rows[drawInteger(seed, 'lot', key, [0, rows.length - 1])]!
    await this.pause('holds', key, ARRIVED_MS)
    const body = { company, sku, lot, reason: key }
    const held = await this.caller.post(`${INVENTORY}/lots:hold`, `${key}-hold`, body)
    if (held.status !== 200) this.fail(`lot ${lot} was not held`, held)
    const sold = await this.parts.look<{ found: string }>(SOLD_THOUGH_HELD)
    this.wrong.push(...sold.map(({ found }) => found))
    await this.pause('pause', key, PAUSE_MS)
    const released = await this.caller.post(`${INVENTORY}/lots:release`, `${key}-release`, body)
    if (released.status !== 200) this.fail(`lot ${lot} was not released`, released)
  }

  async #ask(key: string): Promise<void> {
    const { seed, scheduler, faults, history } = this.parts
    const question = this.#question(key)
    this.questions.push(question)
    for (const again of ['first', 'then']) {
      const maxAgeMs = draw(seed, 'fresh', key) < 0.3 ? 0 : undefined
      const answer = await ask(this.caller, `${key}-${again}`, question, maxAgeMs)
      const wrong = neverSaid(history, answer, { nowMs: scheduler.nowMs, struck: faults.struck })
      this.misremembered.push(...wrong)
      await this.pause('pause', `${key}-${again}`, PAUSE_MS)
    }
  }

  #question(key: string): Question {
    const { company, lines } = toOrderRequest(this.#order(key))
    return { company, skus: [...new Set(lines.map(({ sku }) => sku))] }
  }

  /** What orders want is what others want as well. */
  #order(key: string): WorldOrder {
    const { seed, world, day } = this.parts
    const place = day.alike?.[0] ?? drawInteger(seed, 'wants', key, [0, world.plannedOrders - 1])
    const orders = [...world.orders(1, place), ...world.orders(world.plannedOrders, 0)]
    return orders.find(({ lines }) => lines.length > 0)!
  }

  /**
   * Of what all orders of the day want, where they want the same; else of what there is more of than orders claim, since
   * who breaks what is claimed leaves a doubt to people.
   */
  #shelf(key: string): Stock {
    const { seed, world, day } = this.parts
    const wanted = day.alike && new Set(this.#order(key).lines.map(({ item }) => item))
    const awaited = new Set(world.receipts.map(({ item }) => item))
    const isMeant = ({ item, quantity }: Stock): boolean =>
      wanted ? wanted.has(item) : quantity >= PLENTY && !awaited.has(item)
    const rows = world.stock.filter((row) => row.status === 'available' && isMeant(row))
    return rows[drawInteger(seed, 'shelf', key, [0, rows.length - 1])]!
  }
}

const bodyOf = ({ body }: Called) => JSON.parse(body) as { readonly id: string }
const word = (value: unknown): string => (typeof value === 'string' ? value : '')
