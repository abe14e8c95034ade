/** Where what can be promised is read: in the memory of the process, which follows what changes, or in the database. */
import type { Clock } from '#platform/clock.ts'
import type { Queries, Snapshots } from '#platform/database.ts'
import { Outage } from '#platform/faults.ts'
import { Memory, type MemoryCopy } from '#platform/memory-copy.ts'
import { stockFacts } from '#domains/inventory/views/availability.ts'
import type { CareFacts, FreshnessRule, KnownSource } from '#domains/inventory/contract/freshness.ts'
import { careFacts, type Silent, silentOf, sourceStates } from '#domains/inventory/views/freshness.ts'
import type { Asking, Promisable, StockFacts } from '#domains/inventory/views/promising.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems, findItemsById, itemIds } from '#domains/items/operations.ts'
import { type ComingSupply, supplyFor } from '#domains/supply/views.ts'
import { type Day, type Days, daysAhead, onDay } from './stock-ahead.ts'

export type StockQuestion = Asking & {
  readonly company: string
  readonly skus: readonly string[]
  /** Now alone when absent. */
  readonly days?: Days | undefined
  /** The books may be so much older than the question. */
  readonly maxAgeMs: number
}

export type StockReading = {
  /** By item number; what is unknown is absent. */
  readonly items: ReadonlyMap<string, SellingItem>
  /** At every location that was asked about, by item. */
  readonly rows: ReadonlyMap<number, readonly Promisable[]>
  /** By item, where they were asked for. */
  readonly ahead: ReadonlyMap<number, readonly Day[]>
  /** The rules of sources that are silent, and what their figures are reckoned from, by item. */
  readonly silent: readonly Silent[]
  readonly care: ReadonlyMap<number, readonly CareFacts[]>
  /** All that was committed by then is in it. */
  readonly asOf: Date
}

export type StockReader = (question: StockQuestion) => Promise<StockReading>

/** Reads the database each time, as of now. */
export const stockInDatabase =
  (queries: Queries, clock: Pick<Clock, 'now'>, rules: readonly FreshnessRule[]): StockReader =>
  async ({ company, skus, days, locations, channel }) => {
    const asOf = clock.now()
    const found = await findItems(
      queries,
      skus.map((sku) => ({ company, sku })),
    )
    const ids = [...found.values()].map(({ id }) => id)
    const [facts, supply, sources] = await Promise.all([
      stockFacts(queries, ids),
      days ? supplyOf(queries, ids) : NONE,
      sourceStates(queries),
    ])
    const books = (id: number) => ({ itemId: id, facts: facts.get(id), supply: supply.get(id) ?? [] })
    const asking = { locations, channel }
    const isAhead = days?.timeline ?? false
    const silent = silentOf(rules, sources)
    return {
      items: new Map([...found.values()].map((item) => [item.sku, item])),
      rows: new Map(ids.map((id) => [id, onDay(books(id), asking, days ?? NOW)])),
      ahead: new Map(isAhead ? ids.map((id) => [id, daysAhead(books(id), asking, days!)]) : []),
      silent,
      care: silent.length > 0 ? await careFacts(queries, ids) : NO_CARE,
      asOf,
    }
  }

const NOW = { today: '' }
const NO_CARE: StockReading['care'] = new Map()
const NONE: ReadonlyMap<number, readonly ComingSupply[]> = new Map()

const supplyOf = async (
  queries: Queries,
  ids: readonly number[],
): Promise<ReadonlyMap<number, readonly ComingSupply[]>> =>
  Map.groupBy(await supplyFor(queries, ids), ({ itemId }) => itemId)

/** More items than that are read when somebody asks about them. */
const ITEMS_KEPT_MAX = 300_000
const PORTION = 1_000
const NEW_ITEMS_MS = 60_000
/** Callers name channels as they like, so the figures of a few are kept ready for an item. */
const CHANNELS_READY_MAX = 16
/** There are few sources, so they are one key. */
const SOURCES = [0]

export class StockInMemory {
  readonly #queries: Snapshots
  readonly #clock: Clock
  readonly #memory: Memory
  readonly #items: MemoryCopy<SellingItem>
  readonly #stock: MemoryCopy<StockFacts>
  readonly #supply: MemoryCopy<readonly ComingSupply[]>
  readonly #sources: MemoryCopy<readonly KnownSource[]>
  readonly #care: MemoryCopy<readonly CareFacts[]>
  readonly #rules: readonly FreshnessRule[]
  readonly #ids = new Map<string, number>()
  readonly #units = new Map<string, SellingItem['units']>()
  readonly #ready = new WeakMap<StockFacts, Map<string, readonly Promisable[]>>()
  #reading: 'not begun' | 'under way' | 'done' = 'not begun'
  /** Items beyond this one are new. */
  #after = 0
  #readMs = 0

  constructor(queries: Snapshots, clock: Clock, rules: readonly FreshnessRule[]) {
    this.#rules = rules
    this.#queries = queries
    this.#clock = clock
    this.#memory = new Memory(queries, clock)
    this.#items = this.#memory.copy({
      topic: 'items',
      keysMax: ITEMS_KEPT_MAX,
      load: async (_, ids) => this.#remember(await findItemsById(queries, ids)),
    })
    this.#stock = this.#memory.copy({ topic: 'stock', keysMax: ITEMS_KEPT_MAX, load: stockFacts })
    this.#supply = this.#memory.copy({ topic: 'supply', keysMax: ITEMS_KEPT_MAX, load: supplyOf })
    this.#sources = this.#memory.copy({
      topic: 'sources',
      keysMax: SOURCES.length,
      load: async (from) => new Map([[SOURCES[0]!, await sourceStates(from)]]),
    })
    this.#care = this.#memory.copy({ topic: 'care', keysMax: ITEMS_KEPT_MAX, load: careFacts })
  }

  /** How many items are kept. */
  get size(): number {
    return this.#stock.size
  }

  /** Fails while everything is being read for the first time; what is asked about meanwhile is read first. */
  assertRead(): void {
    if (this.#reading === 'under way') throw new Outage('stock', `${this.size} items have been read so far`)
  }

  /** Reads every item in portions, and from then on what is new, and what changes while somebody asks. */
  async follow(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#reading === 'done') {
      await this.#memory.lookAfter()
      if (nowMs - this.#readMs < NEW_ITEMS_MS) return
    } else {
      this.#reading = 'under way'
      await this.#memory.look()
    }
    await this.#readOn()
    this.#reading = 'done'
    this.#readMs = nowMs
  }

  async #readOn(): Promise<void> {
    while (this.size < ITEMS_KEPT_MAX) {
      const ids = await itemIds(this.#queries, this.#after, PORTION)
      if (ids.length === 0) return
      await Promise.all([this.#items.read(ids), this.#stock.read(ids), this.#supply.read(ids)])
      this.#after = ids.at(-1)!
    }
  }

  readonly read: StockReader = async ({ company, skus, days, locations, channel, maxAgeMs }) => {
    const ids = await this.#idsOf(company, skus)
    const keys = ids.filter((id) => id !== undefined)
    const copies = [this.#items, this.#stock, ...(days ? [this.#supply] : [])]
    const asOf = await this.#memory.holdAll(maxAgeMs, [
      ...copies.map((copy) => ({ copy, keys })),
      { copy: this.#sources, keys: SOURCES },
    ])
    const items = new Map<string, SellingItem>()
    const rows = new Map<number, readonly Promisable[]>()
    const ahead = new Map<number, readonly Day[]>()
    const asking = { locations, channel }
    for (const [place, id] of ids.entries()) {
      const item = id === undefined ? undefined : this.#items.peek(id)
      if (!item) continue
      items.set(skus[place]!, item)
      rows.set(item.id, days ? onDay(this.#books(item.id), asking, days) : this.#rowsOf(item.id, asking))
      if (days?.timeline) ahead.set(item.id, daysAhead(this.#books(item.id), asking, days))
    }
    return { items, rows, ahead, asOf, ...(await this.#careOf(keys)) }
  }

  /** Read when a source is silent; what is known of it otherwise goes on to hold while the database is away. */
  async #careOf(ids: readonly number[]): Promise<Pick<StockReading, 'silent' | 'care'>> {
    const silent = silentOf(this.#rules, this.#sources.peek(SOURCES[0]!) ?? [])
    if (silent.length === 0) return { silent, care: NO_CARE }
    await this.#care.hold(ids)?.catch(() => undefined)
    return { silent, care: new Map(ids.map((id) => [id, this.#care.peek(id) ?? []])) }
  }

  #books(itemId: number) {
    return { itemId, facts: this.#stock.peek(itemId), supply: this.#supply.peek(itemId) ?? [] }
  }

  /** A number that was never asked about is looked up; those that there are stay known for good. */
  async #idsOf(company: string, skus: readonly string[]): Promise<(number | undefined)[]> {
    const ids = skus.map((sku) => this.#ids.get(itemKey(company, sku)))
    const unknown = skus.filter((_, place) => ids[place] === undefined)
    if (unknown.length === 0) return ids
    const found = await findItems(
      this.#queries,
      unknown.map((sku) => ({ company, sku })),
    )
    for (const [key, { id }] of found) this.#ids.set(key, id)
    return skus.map((sku) => this.#ids.get(itemKey(company, sku)))
  }

  /** Most items share their units with others. */
  #remember(items: ReadonlyMap<number, SellingItem>): ReadonlyMap<number, SellingItem> {
    return new Map(
      [...items].map(([id, item]) => {
        this.#ids.set(itemKey(item.company, item.sku), id)
        const text = JSON.stringify([...item.units])
        const units = this.#units.get(text) ?? item.units
        this.#units.set(text, units)
        return [id, { ...item, units }]
      }),
    )
  }

  #rowsOf(itemId: number, asking: Asking): readonly Promisable[] {
    const facts = this.#stock.peek(itemId)
    if (!facts) return onDay(this.#books(itemId), asking, NOW)
    const ready = this.#ready.get(facts) ?? new Map<string, readonly Promisable[]>()
    this.#ready.set(facts, ready)
    const channel = asking.channel ?? ''
    const known = ready.get(channel)
    if (known) return known
    if (ready.size >= CHANNELS_READY_MAX) ready.clear()
    const rows = onDay(this.#books(itemId), asking, NOW)
    ready.set(channel, rows)
    return rows
  }
}
