/** A transaction that is undone at its end, to see what would come of it: nothing is committed, remembered or sent. */
import type { Database, Transaction } from './database.ts'
import type { DeskRow } from './desk.ts'
import type { Cause } from './log.ts'
import type { Docket } from './process.ts'
import type { Planned } from './turn.ts'

export type Rehearsal<T> = {
  readonly cause: Cause
  work(tx: Transaction, turn: Docket): Promise<unknown>
  /** A document that is taken up once the work is done, as far as it goes. */
  readonly takesUp?: (DeskRow & { readonly version: number }) | undefined
  /** Sees what is true then, and which calls would be made. */
  look(tx: Transaction, planned: readonly Planned[]): Promise<T>
}

export interface Stage {
  /** Numbers that it takes from sequences are left out for good; nothing else of it remains. */
  rehearse<T>(rehearsal: Rehearsal<T>): Promise<T>
}

class Undone<T> extends Error {
  readonly seen: T
  constructor(seen: T) {
    super('what was rehearsed is undone')
    this.seen = seen
  }
}

/** Answers what `work` saw, and rolls back what it did. */
export async function undone<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(async (tx) => {
      throw new Undone(await work(tx))
    })
  } catch (error) {
    if (error instanceof Undone) return error.seen as T
    throw error
  }
}
