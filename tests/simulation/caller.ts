/** Whoever calls our doors and must know: the same key at every attempt, until somebody answers who is able to. */
import type { Call, Called } from '#platform/http-server.ts'
import type { FaultScript } from './fault-script.ts'
import type { Network } from './network.ts'
import type { Actor, Scheduler } from './scheduler.ts'

const AGAIN_MS = 700

/** Randomness of the key of who decides what others enter. */
export const CONTROLLER_TOKEN = 'c0'.repeat(30)
const CONTROLLER = `xdk_${CONTROLLER_TOKEN.slice(0, 12)}_${CONTROLLER_TOKEN.slice(12)}`

type Who = 'anybody' | 'controller'

export type Caller = {
  post(url: string, key: string, body: object, who?: Who): Promise<Called>
  get(url: string): Promise<Called>
  sleep(ms: number): Promise<void>
}

export type CallerParts = {
  readonly network: Network
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly outside: Actor
}

export function openCaller({ network, scheduler, faults, outside }: CallerParts): Caller {
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      scheduler.after(ms, { actor: outside, label: 'client waits', run: resolve })
    })
  async function untilAnswered(call: Call, key: string): Promise<Called> {
    for (;;) {
      const lost = faults.strikes('client-request-lost', key)
      const answerLost = (): boolean => faults.strikes('client-answer-lost', key)
      const answer = await network.visit(call, `client ${key}`, { lost, answerLost }).catch(() => undefined)
      if (answer && answer.status < 500 && answer.status !== 429 && !isInFlight(answer)) return answer
      await sleep(AGAIN_MS)
    }
  }
  return {
    sleep,
    post(url, key, body, who = 'anybody') {
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(who === 'controller' ? { authorization: `Bearer ${CONTROLLER}` } : {}),
      }
      return untilAnswered({ method: 'POST', url, headers, body: JSON.stringify(body) }, key)
    },
    get: (url) => untilAnswered({ method: 'GET', url }, url),
  }
}

const isInFlight = ({ status, body }: Called): boolean => status === 409 && body.includes('in_flight')
