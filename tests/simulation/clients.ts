/** Who brings orders: API clients that repeat until they know, buyers in the shop. Each remembers what it was told. */
import { toOrderRequest } from '../../src/demo.ts'
import type { OrderRequest } from '../../src/domains/orders/contract.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Counterparts } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { Partners } from './partners.ts'

export type Told = {
  /** The Idempotency-Key, the same at every attempt. */
  readonly key: string
  readonly order: WorldOrder
  /** The last complete answer. */
  readonly status: number
  readonly id?: string | undefined
  readonly code?: string | undefined
}

export type Clients = {
  readonly told: readonly Told[]
  /** Cancellations that were answered with 2xx, by order id. */
  readonly cancelled: ReadonlySet<string>
  readonly open: () => number
  /** Orders by the API, with what is said beside what the order says: out of which reservation, how it ships. */
  readonly submit: (order: WorldOrder, key: string, more?: Partial<OrderRequest>) => Promise<void>
}

export type ClientParts = CallerParts & {
  readonly seed: string
  readonly world: World
  readonly landscape: Counterparts
  readonly day: WholeDay
  /** Absent on a day on which nobody orders by EDI. */
  readonly partners?: Partners | undefined
}

const ORDERS = '/process/order-to-cash/v1/orders'
const RECEIPTS_MS = { least: 500, most: 4_000 }
/** What happened in a warehouse is on its way a moment later. */
const TOLD_MS = 100
const SHOP_SHARE = 0.25

export function openClients(parts: ClientParts): Clients {
  const { seed, world, scheduler, faults, landscape, outside, day, partners } = parts
  const told: Told[] = []
  const cancelled = new Set<string>()
  let open = 0
  const later = (ms: number, label: string, run: () => void): void =>
    void scheduler.after(ms, { actor: outside, label, run })
  const { post, sleep } = openCaller(parts)

  async function submit(order: WorldOrder, key: string, more?: Partial<OrderRequest>): Promise<void> {
    open++
    const answer = await post(ORDERS, key, { ...toOrderRequest(order), ...more })
    const body = JSON.parse(answer.body) as { id?: string; code?: string }
    told.push({ key, order, status: answer.status, id: body.id, code: body.code })
    open--
    if (answer.status === 201 && draw(seed, 'cancels', key) < day.cancels) void cancel(body.id!, key)
  }

  async function cancel(id: string, key: string): Promise<void> {
    open++
    // Half of them at once, while the order is still on its way to the ERP.
    await sleep(
      drawInteger(seed, 'cancel-after', key, draw(seed, 'cancels-at-once', key) < 0.5 ? [0, 60] : [0, 2_500]),
    )
    const answer = await post(`${ORDERS}/${id}:cancel`, `cancel-${key}`, {
      reason: 'customer changed its mind',
    })
    if (answer.status < 300) cancelled.add(id)
    open--
  }

  for (let nth = 0; nth < day.orders; nth++) {
    const place =
      day.alike?.[nth % day.alike.length] ?? drawInteger(seed, 'order', nth, [0, world.plannedOrders - 1])
    const [planned] = world.orders(1, place)
    const order = day.alike === undefined ? planned : { ...planned!, poNumber: `${planned!.poNumber}-${nth}` }
    const atMs = drawInteger(seed, 'arrives', nth, [0, day.withinMs])
    if (partners?.takes(order!, nth)) {
      open++
      later(atMs, 'partner', () => {
        open--
        partners.order(order!)
      })
      continue
    }
    if (draw(seed, 'door', nth) < SHOP_SHARE && order!.door === 'shop') {
      const shop = draw(seed, 'shop', nth) < 0.5 ? landscape.shop : landscape.tradeShop
      later(atMs, 'buyer', () => void shop.place(order!))
      continue
    }
    open++
    later(atMs, 'client', () => {
      open--
      void submit(order!, `order-${nth}`)
      if (faults.strikes('client-repeats', `order-${nth}`)) void submit(order!, `order-${nth}`)
    })
  }
  // Where purchase orders move, they come in parts.
  if (day.stock.includes('supply')) return { told, cancelled, open: () => open, submit }
  open++
  const { least, most } = RECEIPTS_MS
  later(drawInteger(seed, 'receipts', 0, [least, Math.min(most, day.peaceAfterMs)]), 'receipts', () => {
    landscape.wms.receiveAll()
    landscape.eastWms.receiveAll()
    later(TOLD_MS, 'receipts told', () => void open--)
  })
  return { told, cancelled, open: () => open, submit }
}
