/** In which order facts of stock count: what is due, what was told before, what waits; pure. */
import type { Contained, Standing, Told } from '../contract/feeds.ts'

export type Missing = { readonly from: number; readonly to: number }

/** A snapshot counted it already: by its mark where both have one, else by its time. */
export function isContained({ mark, at }: Told, contained: Contained): boolean {
  if (contained.mark !== null && mark !== undefined) return mark <= contained.mark
  return contained.at !== null && at <= contained.at
}

/** One feed while it is being decided. */
export class FeedLine<Held> {
  last: number
  readonly contained: Contained
  readonly #held: Map<number, Held>
  readonly #fresh = new Set<number>()
  readonly #gone = new Set<number>()

  constructor(last: number, contained: Contained, held: Iterable<readonly [number, Held]>) {
    this.last = last
    this.contained = contained
    this.#held = new Map(held)
  }

  /** Where a fact stands; one that waits is kept as `held`. */
  take({ sequence, mark, at }: Told, held: Held): Standing {
    if (isContained({ mark, at }, this.contained)) {
      if (sequence !== undefined) this.goOn(sequence)
      return 'late'
    }
    if (sequence === undefined) return 'due'
    if (sequence <= this.last || this.#held.has(sequence)) return 'repeated'
    if (sequence > this.last + 1) {
      this.#held.set(sequence, held)
      this.#fresh.add(sequence)
      return 'waiting'
    }
    this.last = sequence
    return 'due'
  }

  /** What waited and follows now, in its order. */
  release(): Held[] {
    const released: Held[] = []
    for (let next = this.#held.get(this.last + 1); next !== undefined; next = this.#held.get(this.last + 1)) {
      this.last += 1
      this.#drop(this.last)
      released.push(next)
    }
    return released
  }

  /** All up to that number is counted: what waited before it is over. */
  goOn(sequence: number): void {
    if (sequence <= this.last) return
    this.last = sequence
    for (const held of this.#held.keys()) if (held <= sequence) this.#drop(held)
  }

  #drop(sequence: number): void {
    this.#held.delete(sequence)
    if (!this.#fresh.delete(sequence)) this.#gone.add(sequence)
  }

  /** Those that wait and did not before. */
  get fresh(): (readonly [sequence: number, held: Held])[] {
    return [...this.#fresh].map((sequence) => [sequence, this.#held.get(sequence)!])
  }

  /** Those that waited and do not any more. */
  get gone(): number[] {
    return [...this.#gone]
  }

  get missing(): Missing | undefined {
    const next = Math.min(...this.#held.keys())
    return next === Infinity ? undefined : { from: this.last + 1, to: next - 1 }
  }
}
