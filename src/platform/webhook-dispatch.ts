/** Delivers subscriptions side by side: each is a turn of its own, so a slow receiver delays nobody else's. */
import { headOfLog } from './log.ts'
import { abandonSubscriptionTurn, takeSubscriptionTurns } from './subscription-turns.ts'
import type { Subscription } from './subscriptions.ts'
import { deliverTurn, type DeliveryPorts } from './webhook-turn.ts'

export type DispatchPorts = DeliveryPorts & {
  /** The epoch of this process while it has one and nobody else may have taken over. */
  readonly holder: () => number | undefined
  readonly onError: (subscription: string, error: unknown) => void
}

export interface Dispatcher {
  /** Takes every turn that is due and does not wait for it. */
  dispatch(): Promise<void>
  /** Interrupts what is under way and waits until it is written down. */
  stop(): Promise<void>
}

/** A turn that failed by our own fault is not tried again at once. */
const AFTER_ERROR_MS = 30_000

export function createDispatcher(ports: DispatchPorts): Dispatcher {
  const { database, clock } = ports
  const running = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  let taking: Promise<void> = Promise.resolve()

  /** One after the other, since a turn that was just taken is not among the busy ones before it is begun. */
  function dispatch(): Promise<void> {
    const taken = taking.then(takeAll)
    taking = taken.catch(() => undefined)
    return taken
  }

  async function takeAll(): Promise<void> {
    const holder = ports.holder()
    if (holder === undefined || stopping.signal.aborted) return
    const head = await headOfLog(database)
    const busy = [...running.keys()]
    const taken = await takeSubscriptionTurns(database, { holder, now: clock.now(), busy, head })
    for (const subscription of taken) running.set(subscription.id, deliver(subscription, holder))
  }

  async function deliver(subscription: Subscription, holder: number): Promise<void> {
    const { id } = subscription
    const isMine = (): boolean => ports.holder() === holder
    let isMore = false
    try {
      isMore = await deliverTurn(ports, { subscription, holder, isMine, signal: stopping.signal })
    } catch (error) {
      ports.onError(id, error)
      const again = new Date(clock.now().getTime() + AFTER_ERROR_MS)
      await abandonSubscriptionTurn(database, id, holder, again).catch(() => undefined)
    } finally {
      running.delete(id)
    }
    if (isMore) await dispatch().catch((error: unknown) => ports.onError(id, error))
  }

  return {
    dispatch,
    async stop() {
      stopping.abort()
      await taking
      while (running.size > 0) await Promise.all(running.values())
    },
  }
}
