/** Orders that did not come from whoever asks: keyed at the warehouse's desk, or sent by other clients of it. */
import type { Clock } from '#platform/clock.ts'
import { pageOf } from '../erp/pages.ts'
import { json, type Operation, type Reply } from '../server.ts'
import type { Item, Unit, World } from '../world/world.ts'
import { baseFactor, STATUS, uom } from './shapes.ts'
import type { Warehouse } from './store.ts'

type OwnStatus = 'OPEN' | 'ALLOCATED' | 'SHIPPED' | 'CANCELLED'

export type OwnOrder = {
  wms_order_id: string
  /** Whatever who sent it calls it. */
  external_ref: string | null
  owner: string
  site: string
  customer_ref: string
  status: OwnStatus
  created_at: string
  modified_at: string
  lines: { line_no: number; sku: string; qty: number; uom: string; shipped_qty: number }[]
}

export type Keyed = {
  owner: string
  site: string
  customer: string
  reference?: string
  lines: { item: string; quantity: number; unit: Unit }[]
}

const PAGE = 200

export class OwnOrders {
  private readonly orders = new Map<string, OwnOrder>()
  private readonly items: ReadonlyMap<string, Item>
  private readonly warehouse: Pick<Warehouse, 'shelves' | 'tellStock'>
  private readonly clock: Clock

  constructor(world: World, warehouse: OwnOrders['warehouse'], clock: Clock) {
    this.items = new Map(world.items.map((item) => [`${item.company} ${item.number}`, item]))
    this.warehouse = warehouse
    this.clock = clock
  }

  /** Answers the number of the order. */
  key({ owner, site, customer, reference, lines }: Keyed): string {
    const number = `WO${String(this.orders.size + 1).padStart(8, '0')}`
    const now = this.clock.now().toISOString()
    this.orders.set(number, {
      wms_order_id: number,
      external_ref: reference ?? null,
      owner,
      site,
      customer_ref: customer,
      status: 'OPEN',
      created_at: now,
      modified_at: now,
      lines: lines.map(({ item, quantity, unit }, nth) => ({
        line_no: nth + 1,
        sku: item,
        qty: quantity,
        uom: uom(unit),
        shipped_qty: 0,
      })),
    })
    return number
  }

  /** Stock is set aside for it in the building. */
  allocate = (number: string): void => this.become(this.open(number), 'ALLOCATED')

  /** What is open of it leaves, or so much of its first line. */
  ship(number: string, part?: number): void {
    const order = this.open(number)
    const [first] = order.lines
    if (part !== undefined) this.leave(order, first!, part)
    else for (const line of order.lines) this.leave(order, line, line.qty - line.shipped_qty)
    const isDone = order.lines.every(({ qty, shipped_qty }) => qty === shipped_qty)
    this.become(order, isDone ? 'SHIPPED' : order.status)
  }

  /** What has left stays gone. */
  cancel = (number: string): void => this.become(this.open(number), 'CANCELLED')

  /** The list of an owner: what is open, or whatever has changed since. */
  list(asked: URLSearchParams): Operation {
    const [owner, since] = [asked.get('owner'), asked.get('modified_since')]
    const isListed = ({ status, modified_at }: OwnOrder): boolean =>
      since === null
        ? status === 'OPEN' || status === 'ALLOCATED'
        : Date.parse(modified_at) >= Date.parse(since)
    const run = (): Reply => {
      const mine = [...this.orders.values()].filter((order) => order.owner === owner && isListed(order))
      const page = pageOf(mine, Number(asked.get('cursor') ?? 0), PAGE)
      const next_cursor = page.next === undefined ? null : String(page.next)
      return json(200, { as_of: this.clock.now().toISOString(), orders: page.rows, next_cursor })
    }
    return { name: 'otherOrders', keys: [], run }
  }

  remember = (): OwnOrder[] => [...this.orders.values()]

  recall(remembered: readonly OwnOrder[]): void {
    for (const order of remembered) this.orders.set(order.wms_order_id, order)
  }

  private open(number: string): OwnOrder {
    const order = this.orders.get(number)
    if (!order || order.status === 'SHIPPED' || order.status === 'CANCELLED')
      throw new Error(`${number} is not open`)
    return order
  }

  private become(order: OwnOrder, status: OwnStatus): void {
    order.status = status
    order.modified_at = this.clock.now().toISOString()
  }

  /** Tells what left of each lot, and how much of the line that makes in all. */
  private leave(order: OwnOrder, line: OwnOrder['lines'][number], quantity: number): void {
    const { owner, site, wms_order_id } = order
    const { sku, line_no } = line
    const item = this.items.get(`${owner} ${sku}`)!
    const { numerator, denominator } = baseFactor(item, line.uom)!
    const inBase = (units: number): number => Math.round((units * numerator) / denominator)
    const place = { site, owner, sku }
    const { shelves } = this.warehouse
    if (shelves.available(place) < inBase(quantity)) throw new Error(`not so much of ${sku} at ${site}`)
    let shipped = inBase(line.shipped_qty)
    line.shipped_qty += quantity
    for (const { lot, quantity: qty, serials } of shelves.take(place, inBase(quantity))) {
      shipped += qty
      const of = { wms_order_id, line_no, shipped_qty: shipped }
      const named = serials && { serials }
      const facts = {
        ...place,
        lot,
        status: STATUS.available,
        qty,
        uom: uom(item.baseUnit),
        order: of,
        ...named,
      }
      this.warehouse.tellStock({ ...facts, type: 'inventory.shipped' })
    }
  }
}
