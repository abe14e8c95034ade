/** The end of a turn: who has nothing left to do goes to sleep or leaves the desk, unless it was woken in between. */
import type { Transaction } from './database.ts'
import { enrollDocuments, type Enrolled, finishDocuments, sleepDocuments } from './desk.ts'
import { type Entry, isFinished, rowOf, wakeAt } from './turn-entry.ts'

type Departure = { readonly docs: number[]; readonly version: number; readonly until: Date | undefined }

export class Departures {
  readonly #tx: Transaction
  readonly #epoch: number
  /** They stay, and are looked at after this transaction. */
  readonly #afterwards: ReadonlySet<number>
  readonly #answers: { readonly docs: readonly number[]; readonly gone: Promise<number[]> }[] = []

  constructor(tx: Transaction, epoch: number, afterwards: ReadonlySet<number>) {
    this.#tx = tx
    this.#epoch = epoch
    this.#afterwards = afterwards
  }

  /** Writes desk rows of new documents, and lets those go that rest; one statement for each version and time. */
  write(entries: readonly Entry[], now: Date): void {
    const enrolled: Enrolled[] = []
    const departing = new Map<string, Departure>()
    for (const entry of entries) {
      const rests = entry.inFlight.size === 0 && !this.#afterwards.has(entry.doc)
      const finished = rests && isFinished(entry)
      if (rests) entry.until = finished && !entry.isNew ? undefined : finished ? now : wakeAt(entry, now)
      if (entry.isNew) {
        if (!finished)
          enrolled.push({ ...rowOf(entry), ...(entry.until ? { sleepsUntil: entry.until } : {}) })
      } else if (rests) {
        const name = `${entry.seen} ${entry.until?.getTime()}`
        const group = departing.get(name) ?? { docs: [], version: entry.seen, until: entry.until }
        group.docs.push(entry.doc)
        departing.set(name, group)
      }
    }
    enrollDocuments(this.#tx, this.#epoch, enrolled)
    for (const group of departing.values()) this.#depart(group)
  }

  /** Once the transaction has committed: who went, and who was woken and stays. */
  async answered(): Promise<{ readonly gone: ReadonlySet<number>; readonly woken: ReadonlySet<number> }> {
    const gone = new Set<number>()
    const woken = new Set(this.#afterwards)
    for (const { docs, gone: answer } of this.#answers) {
      const left = new Set(await answer)
      for (const doc of docs) (left.has(doc) ? gone : woken).add(doc)
    }
    return { gone, woken }
  }

  #depart({ docs, version, until }: Departure): void {
    const gone = until
      ? sleepDocuments(this.#tx, this.#epoch, { docs, version, until })
      : finishDocuments(this.#tx, this.#epoch, { docs, version })
    gone.catch(() => undefined)
    this.#answers.push({ docs, gone })
  }
}
