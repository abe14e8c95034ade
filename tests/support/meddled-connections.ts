/** Real connections with a meddler between us and them, which delays, loses or forges what the server answers. */
import type { Connection, Connections, Result, Statement } from '#platform/database.ts'

/** `ask` asks the server; `session` lets the meddler ask something of its own. */
export type Meddling = (
  statement: Statement,
  ask: () => Promise<Result>,
  session: Connection,
) => Promise<Result>

export interface MeddledConnections extends Connections {
  /** Sessions that were thrown away. */
  readonly broken: number
  /** The names of the statements that were to be sent. */
  readonly sent: readonly string[]
}

export function meddled(inner: Connections, meddle: Meddling = (_, ask) => ask()): MeddledConnections {
  const sent: string[] = []
  let broken = 0
  return {
    sent,
    get broken() {
      return broken
    },
    async acquire() {
      const session = await inner.acquire()
      return {
        execute(statement, values) {
          sent.push(statement.name)
          return meddle(statement, () => session.execute(statement, values), session)
        },
        release(isBroken) {
          if (isBroken) broken++
          session.release(isBroken)
        },
      }
    },
  }
}
