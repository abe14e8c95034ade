/** One effect per key where the answer holds a secret: it is given once and not kept for repetitions. */
import type { Database, Transaction } from '#platform/database.ts'
import type { Answer, Claim, Replay, Request } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'

type WithSecret = Answer & { readonly body: { readonly secret: string } }

/** As `oncePerKey`, but a repetition is answered without the secret. */
export function oncePerKeyButSecret<R extends Request<never, never, never, Claim>, A extends WithSecret>(
  database: Database,
  work: (tx: Transaction, request: R) => Promise<A>,
): (request: R) => Promise<A | Replay> {
  return (request) =>
    database.transaction(async (tx) => {
      const states = await claim(tx, [request.idempotency])
      const earlier = settle(states.get(request.idempotency)!)
      if (earlier) return earlier
      const answer = await work(tx, request)
      const { secret: _, ...body } = answer.body
      record(tx, [{ ...request.idempotency, status: answer.status, body }])
      return answer
    })
}
