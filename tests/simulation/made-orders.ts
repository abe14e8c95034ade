/** Orders that people make up on a day, as customers of the stream would send them. */
import { drawOne } from '#landscape/random.ts'
import { priceBook } from '#landscape/world/goods.ts'
import type { Item, World, WorldOrder } from '#landscape/world/world.ts'

type Made = {
  readonly seed: string
  /** Its name among the orders of the day. */
  readonly key: string
  readonly company: string
  /** Any whose orders of the stream are good, or are blocked, unless said. */
  readonly customer?: string
}

export type Wanted = readonly [item: Item, quantity: number]

export function orderOf(
  world: World,
  { seed, key, company, customer }: Made,
  wanted: readonly Wanted[],
): WorldOrder {
  const like = world
    .orders(world.plannedOrders, 0)
    .filter(
      (one) =>
        one.company === company &&
        ['regular', 'credit_blocked'].includes(one.case) &&
        one.lines.length > 0 &&
        (customer === undefined || one.case === 'regular'),
    )
  const base = drawOne(seed, 'order like', key, like)
  const priceOf = priceBook(world.prices)
  const lines = wanted.map(([item, quantity], place) => ({
    line: place + 1,
    item: item.number,
    quantity,
    unit: item.salesUnit,
    priceMinor: priceOf(customer ?? base.customer, item, quantity, world.today),
    priceUnit: item.priceUnit,
  }))
  const whose = customer === undefined ? {} : { customer, shipTo: '01' }
  return { ...base, ...whose, poNumber: `${base.poNumber}-${key}`, lines }
}
