/** What the books said of items that are asked about, at each moment of the day: answers from memory are held against it. */
import { stockInDatabase } from '../../src/processes/stock-in-memory.ts'
import type { Queries } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'

/** From that moment until the next. */
type State = { readonly atMs: number; readonly figures: string }

type Asked = { readonly company: string; readonly skus: readonly string[] }

export class BookHistory {
  readonly #locations: readonly string[]
  readonly #asked = new Map<string, Set<string>>()
  readonly #states = new Map<string, State[]>()

  constructor(locations: readonly string[]) {
    this.#locations = locations
  }

  /** From now on these are followed; note them before anybody is asked. */
  follow({ company, skus }: Asked): void {
    const known = this.#asked.get(company) ?? new Set()
    this.#asked.set(company, known)
    for (const sku of skus) known.add(sku)
  }

  /** After each transaction. */
  async note(queries: Queries, atMs: number): Promise<void> {
    const read = stockInDatabase(queries, { now: () => new Date(0) }, [])
    for (const [company, skus] of this.#asked) {
      const locations = this.#locations
      const { items, rows } = await read({ company, skus: [...skus], locations, maxAgeMs: 0 })
      for (const [sku, { id }] of items) {
        const figures = textOf(
          rows.get(id)!.map((row) => ({ ...row, available: formatQuantity(row.available) })),
        )
        const states = this.#states.get(sku) ?? []
        this.#states.set(sku, states)
        if (states.at(-1)?.figures !== figures) states.push({ atMs, figures })
      }
    }
  }

  /** Whether the books said so of the item at some moment from one to the other. */
  said(sku: string, figures: string, fromMs: number, untilMs: number): boolean {
    const states = this.#states.get(sku) ?? []
    return states.some(
      (state, at) =>
        state.figures === figures && state.atMs <= untilMs && (states[at + 1]?.atMs ?? Infinity) >= fromMs,
    )
  }
}

export const textOf = (rows: readonly { readonly location: string; readonly available: string }[]): string =>
  rows
    .map(({ location, available }) => `${location} ${available}`)
    .toSorted()
    .join(', ')
