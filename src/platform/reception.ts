/** The runner of a process that owns nothing: what its doors begin and wake is left due on the desk for those who work. */
import type { Database, Transaction } from './database.ts'
import { type DeskRow, enrollDocuments, wakeDocuments } from './desk.ts'
import type { Docket } from './process.ts'
import type { Runner } from './runner.ts'
import { beginEntry, rowOf } from './turn-entry.ts'

/** `leftDue` is called after each commit that left something to others. */
export function createReception(database: Database, leftDue: () => void): Runner {
  return {
    async transaction(_cause, work) {
      const { answer, count } = await database.transaction(async (tx) => {
        const docket = new OpenDocket()
        const result = await work(tx, docket)
        return { answer: result, count: await docket.leave(tx) }
      })
      if (count > 0) leftDue()
      return answer
    },
    room: () => Promise.resolve(),
    owned: 0,
    start: () => undefined,
    claimNow: () => undefined,
    callBack: async () => ({ count: 0, areMore: false }),
    stop: () => Promise.resolve(),
  }
}

class OpenDocket implements Docket {
  readonly #begun = new Map<number, DeskRow>()
  readonly #woken = new Map<number, DeskRow>()

  begin(begun: Parameters<Docket['begin']>[0]): void {
    for (const one of begun) this.#begun.set(one.facts.doc, rowOf(beginEntry(one)))
  }

  async wake(rows: readonly DeskRow[]): Promise<void> {
    this.wakeAfterwards(rows)
  }

  wakeAfterwards(rows: readonly DeskRow[]): void {
    for (const row of rows) this.#woken.set(row.doc, row)
  }

  /** Desk rows are locked last; answers how many documents are due now. */
  async leave(tx: Transaction): Promise<number> {
    // What begins here is due anyway.
    const woken = [...this.#woken.values()].filter(({ doc }) => !this.#begun.has(doc))
    await wakeDocuments(tx, null, woken)
    enrollDocuments(tx, null, [...this.#begun.values()])
    return woken.length + this.#begun.size
  }
}
