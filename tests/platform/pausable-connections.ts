/** Real connections that stop before or after a chosen statement until the test lets them go on. */
import type { Connections, Result, Statement } from '#platform/database.ts'

export type Pause = {
  /** Resolves when the statement is there. */
  readonly reached: Promise<void>
  resume(): void
}

export interface PausableConnections extends Connections {
  /**
   * Stops the next statement of this name, once. `before`: neither it nor what follows it in its session is sent.
   * `after`: the server has answered, and the answer is kept back.
   */
  pause(name: string, when: 'before' | 'after'): Pause
  /** Fails every statement with what this answers for it, before it is sent. */
  failing: ((statement: Statement) => Error | undefined) | undefined
}

type Stop = { readonly name: string; readonly when: string; reach(): void; readonly released: Promise<void> }

export function pausable(inner: Connections): PausableConnections {
  const stops: Stop[] = []

  async function stopAt(name: string, when: string): Promise<void> {
    const place = stops.findIndex((stop) => stop.name === name && stop.when === when)
    if (place < 0) return
    const [stop] = stops.splice(place, 1)
    stop!.reach()
    await stop!.released
  }

  const connections: PausableConnections = {
    failing: undefined,
    pause(name, when) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
      const { promise: released, resolve: resume } = Promise.withResolvers<void>()
      stops.push({ name, when, reach, released })
      return { reached, resume }
    },
    async acquire() {
      const session = await inner.acquire()
      // Statements are sent in their order, also when one of them is stopped.
      let sent: Promise<void> = Promise.resolve()
      return {
        execute(statement, values): Promise<Result> {
          const mine = sent.then(() => stopAt(statement.name, 'before'))
          sent = mine
          const answer = mine.then(() => {
            const failure = connections.failing?.(statement)
            if (failure) throw failure
            return session.execute(statement, values)
          })
          return answer.then(async (result) => {
            await stopAt(statement.name, 'after')
            return result
          })
        },
        release: (broken) => session.release(broken),
      }
    },
  }
  return connections
}
