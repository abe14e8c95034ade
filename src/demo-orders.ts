/** Drives the world's orders through the doors at a pace, going on where the last run stopped. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import type { Clock } from '#platform/clock.ts'
import type { HttpClient } from '#platform/http-client.ts'
import type { Log } from '#platform/telemetry-log.ts'
import { toOrderRequest } from './demo.ts'

/** What a door answers at once; nothing where the sender is told later. */
export type DoorAnswer = { readonly status: number; readonly body: unknown }
/** Hands an order to one door; rejects when the door does not take it. */
export type Deliver = (order: WorldOrder) => Promise<DoorAnswer | undefined>
export type Doors = Readonly<Record<WorldOrder['door'], Deliver>>

export type Drive = {
  readonly world: World
  readonly doors: Doors
  readonly perMinute: number
  /** Where it remembers how far it came. */
  readonly file: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

const TICK_LEAST_MS = 100
const MINUTE_MS = 60_000

/** Ends when it is told to, or when the world has no more orders. */
export async function driveOrders({
  world,
  doors,
  perMinute,
  file,
  clock,
  log,
  signal,
}: Drive): Promise<void> {
  let next = await readPosition(file)
  const sending = new Set<Promise<unknown>>()
  const tickMs = Math.max(TICK_LEAST_MS, MINUTE_MS / perMinute)
  let sentMs = clock.monotonicMs()
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal)
    const due = Math.floor(((clock.monotonicMs() - sentMs) * perMinute) / MINUTE_MS)
    if (signal.aborted || due === 0) continue
    sentMs += (due * MINUTE_MS) / perMinute
    const orders = world.orders(due, next)
    if (orders.length === 0) break
    next += orders.length
    // Written before they are sent: an order may be left out by a crash, and is never sent twice by it.
    await writePosition(file, next)
    for (const order of orders) {
      const sent: Promise<unknown> = doors[order.door](order)
        .catch((error: unknown) => log.warn('a door did not take a demo order', { order: order.nth, error }))
        .finally(() => sending.delete(sent))
      sending.add(sent)
    }
  }
  await Promise.all(sending)
}

export async function readPosition(file: string, from = 0): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text === '' ? from : (JSON.parse(text) as { next: number }).next
}

export async function writePosition(file: string, next: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.next`, `${JSON.stringify({ next })}\n`)
  await rename(`${file}.next`, file)
}

const ATTEMPTS = 30
const AGAIN_MS = 1_000
const TIMEOUT_MS = 30_000

/** Sends an order as a client does: the same key at every attempt, again while the house is busy or away. */
export function apiDoor(
  url: string,
  ports: { http: HttpClient; clock: Clock; key: string; signal: AbortSignal },
) {
  const { http, clock, key, signal } = ports
  return async (order: WorldOrder): Promise<DoorAnswer> => {
    const body = JSON.stringify(toOrderRequest(order))
    const headers = { 'content-type': 'application/json', 'idempotency-key': `demo-${key}-${order.nth}` }
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await http.request({
          method: 'POST',
          url: `${url}/process/order-to-cash/v1/orders`,
          headers,
          body,
          timeoutMs: TIMEOUT_MS,
        })
        if (answer.status < 500 && answer.status !== 429)
          return { status: answer.status, body: answer.json() }
        if (attempt === ATTEMPTS) throw new Error(`the house answers ${answer.status}: ${answer.text()}`)
      } catch (error) {
        if (attempt === ATTEMPTS || signal.aborted) throw error
      }
      await clock.sleep(AGAIN_MS, signal)
    }
  }
}
