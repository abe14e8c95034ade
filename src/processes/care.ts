/** What whoever grants stock under a lock has to keep to at places whose source is silent. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { CareFacts, FreshnessRule, KnownSource } from '#domains/inventory/contract/freshness.ts'
import type { ChannelReservation } from '#domains/inventory/contract/reservations.ts'
import { type ChannelStock, stockKey } from '#domains/inventory/operations.ts'
import type { NewDoubt, WithheldLine } from '#domains/inventory/operations/freshness.ts'
import {
  careFacts,
  carefulAt,
  type Silent,
  silentOf,
  sourceStates,
} from '#domains/inventory/views/freshness.ts'

type Figure = Parameters<ChannelStock['beCareful']>[0]

/**
 * Remembers whether anybody may be silent, so that nobody asks the database while everybody is heard. Each process hears
 * of a silence within a second, the one that notices it before it is written.
 */
export class Care {
  /** What is configured; what people set is read with who is silent. */
  readonly #rules: readonly FreshnessRule[]
  readonly #clock: Pick<Clock, 'now'>
  #mayBe = true
  /** Raised by whatever is newer than what was read before it. */
  #heard = 0

  constructor(rules: readonly FreshnessRule[], clock: Pick<Clock, 'now'>) {
    this.#rules = rules
    this.#clock = clock
  }

  /** Somebody is about to be written down as silent. */
  expect(): void {
    this.#heard += 1
    this.#mayBe = true
  }

  learn(states: readonly KnownSource[]): void {
    this.#heard += 1
    this.#mayBe = silentOf(this.#rules, states).length > 0
  }

  async reread(queries: Queries): Promise<void> {
    const before = this.#heard
    const states = await sourceStates(queries)
    if (before === this.#heard) this.learn(states)
  }

  /**
   * What holds for these items; comes behind the lock of their positions. Undefined while nobody is silent. Where nothing
   * is configured, what people set counts as soon as this process has heard of it.
   */
  async now(queries: Queries, items: readonly number[]): Promise<CareNow | undefined> {
    if (this.#rules.length === 0 && !this.#mayBe) return undefined
    const silent = silentOf(this.#rules, await sourceStates(queries))
    if (silent.length === 0) return undefined
    const facts = await careFacts(queries, [...new Set(items)])
    return new CareNow(silent, facts, this.#clock.now().getTime())
  }

  /** As `now`, and asks nothing as long as nobody was silent when this process heard of it last. */
  async ifAny(queries: Queries, items: readonly number[]): Promise<CareNow | undefined> {
    return this.#mayBe ? this.now(queries, items) : undefined
  }
}

/** Why something of a line waits that the books would have. */
export type Withholding = { readonly by: readonly Silent[]; readonly message: string }

export class CareNow {
  readonly #silent: readonly Silent[]
  readonly #facts: ReadonlyMap<number, readonly CareFacts[]>
  readonly #nowMs: number
  /** By item and place: of what was asked about here, what is not given for a silence. */
  readonly #withheld = new Set<string>()

  constructor(silent: readonly Silent[], facts: ReadonlyMap<number, readonly CareFacts[]>, nowMs: number) {
    this.#silent = silent
    this.#facts = facts
    this.#nowMs = nowMs
  }

  isSilent(location: string): boolean {
    return this.#silent.some(({ locations }) => locations.includes(location))
  }

  /** Who is silent about any of these places. */
  silentAt(locations: readonly string[]): readonly Silent[] {
    return this.#silent.filter((rule) => rule.locations.some((location) => locations.includes(location)))
  }

  /** What a reservation is granted of silent places. */
  readonly doubtsOf = ({ id, company, lines }: ChannelReservation): NewDoubt[] =>
    lines.flatMap(({ itemId, places }) =>
      places.flatMap(({ location, quantity }) =>
        this.isSilent(location)
          ? [{ doc: id, itemId, location, kind: 'reservation' as const, company, quantity }]
          : [],
      ),
    )

  /** For who can be refused, and for who waits: nothing is given that a person has to be asked for. */
  readonly figure: Figure = (place, figures) => this.#figureBy(this.#silent, place, figures)

  /** For orders, which a person can hold up: what only he may give is given, and `askerAt` says that he is to be asked. */
  readonly figureForOrders: Figure = (place, figures) =>
    this.#figureBy(
      this.#silent.filter(({ rule }) => rule.kind !== 'ask'),
      place,
      figures,
    )

  askerAt(location: string): Silent | undefined {
    return this.#silent.find(({ rule, locations }) => rule.kind === 'ask' && locations.includes(location))
  }

  /** Whoever is silent about places of these of which something of an item was not given. */
  withholdersOf(itemId: number, locations: readonly string[]): readonly Silent[] {
    const places = locations.filter((location) => this.#withheld.has(stockKey(itemId, location)))
    return this.#silent.filter((rule) => places.some((place) => rule.locations.includes(place)))
  }

  #figureBy(
    silent: readonly Silent[],
    { itemId, location }: Parameters<Figure>[0],
    { available, given }: Parameters<Figure>[1],
  ): Quantity {
    const known = this.#facts.get(itemId)?.find((one) => one.location === location)
    const { perHour, promised } = known ?? { perHour: 0, promised: 0 }
    const facts = [{ location, perHour, promised: promised + given }]
    const careful = carefulAt(silent, { location, available, facts, nowMs: this.#nowMs })
    if (careful.available < available) this.#withheld.add(stockKey(itemId, location))
    return careful.available
  }
}

/** A line, as each of these withholds it. */
export const withheldBy = (doc: number, line: number, silent: readonly Silent[]): WithheldLine[] =>
  silent.map(({ source, flow }) => ({ source, flow, doc, line }))
