/** Tells channels what can be promised to them as it changes: coalesced by item, the last figure alone. */
import { type Figure, publish } from '#domains/inventory/operations/publishing.ts'
import type { Audience } from '#domains/inventory/operations/untold.ts'
import type { FreshnessRule } from '#domains/inventory/contract/freshness.ts'
import { silentOf, sourceStates } from '#domains/inventory/views/freshness.ts'
import { confidenceIn, type Promisable } from '#domains/inventory/views/promising.ts'
import { findItemsById, itemIds } from '#domains/items/operations.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { Ids } from '#platform/ids.ts'
import { TouchReader } from '#platform/touches.ts'
import type { StockReader } from './stock-in-memory.ts'

export type PublishingPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Pick<Ids, 'documents'>
  readonly channels: readonly string[]
  /** Systems that are told figures of these channels too. */
  readonly audiences: readonly Audience[]
  /** Where a company sells from. */
  readonly locationsOf: (company: string) => readonly string[]
  readonly read: StockReader
  /** How those are who tell of stock. */
  readonly sources: () => Promise<SourcesNow>
}

export type SourcesNow = {
  readonly isAnySilent: boolean
  /** Another one once any source fell silent, was heard or has another rule, though all be as before by now. */
  readonly print: string
}

export const sourcesNow =
  (queries: Queries, rules: readonly FreshnessRule[]): PublishingPorts['sources'] =>
  async () => {
    const states = await sourceStates(queries)
    return {
      isAnySilent: silentOf(rules, states).length > 0,
      print: states.map(({ doc, version }) => `${doc}.${version}`).join(' '),
    }
  }

const CAUSE = { source: 'publishing', actor: 'publishing' }
const TOPICS = ['stock', 'items', 'care'] as const
/** So many items are told of in one transaction. */
const PORTION = 500
/** While a source is silent figures shrink by themselves. */
const SILENT_ANEW_MS = 60_000
const PAGE = 5_000

/**
 * Follows what is touched. After a start, and whenever something may have been missed, every item is compared with what
 * its channels were told last, behind those that change meanwhile.
 */
export class Publisher {
  readonly #ports: PublishingPorts
  readonly #touches: TouchReader
  readonly #changed = new Set<number>()
  readonly #unsure = new Set<number>()
  #anewMs = Number.NEGATIVE_INFINITY
  #sources: SourcesNow = { isAnySilent: false, print: '' }

  constructor(ports: PublishingPorts) {
    this.#ports = ports
    this.#touches = new TouchReader(ports.clock)
  }

  /** One round: what has changed since the last, and a portion of what is to be compared. */
  async round(): Promise<void> {
    const { database, clock } = this.#ports
    const { touched, anew } = await this.#touches.look(database)
    for (const topic of TOPICS) for (const id of touched.get(topic) ?? []) this.#changed.add(id)
    const before = this.#sources
    if (anew || touched.has('sources')) this.#sources = await this.#ports.sources()
    const shrinks = this.#sources.isAnySilent && clock.monotonicMs() - this.#anewMs > SILENT_ANEW_MS
    if (anew || shrinks || this.#sources.print !== before.print) await this.#compareAll()
    while (this.#changed.size > 0) await this.#tell(this.#changed)
    if (this.#unsure.size > 0) await this.#tell(this.#unsure)
  }

  async #compareAll(): Promise<void> {
    this.#anewMs = this.#ports.clock.monotonicMs()
    for (let after = 0; ;) {
      const ids = await itemIds(this.#ports.database, after, PAGE)
      for (const id of ids) this.#unsure.add(id)
      if (ids.length < PAGE) return
      after = ids.at(-1)!
    }
  }

  /** What fails is tried again in the next round. */
  async #tell(pending: Set<number>): Promise<void> {
    const { database, ids, audiences } = this.#ports
    const portion = [...pending].slice(0, PORTION)
    const items = [...(await findItemsById(database, portion)).values()]
    for (const [company, some] of Map.groupBy(items, (item) => item.company)) {
      for (const channel of this.#ports.channels) {
        const { figures, asOf } = await this.#figuresOf(company, channel, some)
        if (figures.length === 0) continue
        const docs = await ids.documents(figures.length)
        await database.transaction((tx) => publish(tx, { figures, asOf, docs, audiences }, CAUSE))
      }
    }
    for (const id of portion) pending.delete(id)
  }

  async #figuresOf(company: string, channel: string, items: readonly SellingItem[]) {
    const locations = this.#ports.locationsOf(company)
    const skus = items.map(({ sku }) => sku)
    const { rows, asOf } = await this.#ports.read({ company, skus, locations, channel, maxAgeMs: 0 })
    const figures = items.map((item) => figureOf(item, channel, rows.get(item.id) ?? []))
    return { figures, asOf }
  }
}

const WORST = ['normal', 'careful', 'ask'] as const

function figureOf(
  { id, sku, baseUnit, company, status }: SellingItem,
  channel: string,
  rows: readonly Promisable[],
): Figure {
  const sold = status === 'blocked' ? [] : rows
  const confidences = new Set(sold.map(confidenceIn))
  return {
    itemId: id,
    sku,
    unit: baseUnit,
    company,
    channel,
    available: sold.reduce((sum, row) => sum + row.available, 0),
    confidence: WORST.findLast((one) => confidences.has(one)) ?? 'normal',
    places: sold.map(({ location, available }) => ({ location, available })),
  }
}
