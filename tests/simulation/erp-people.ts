/** People at the ERPs: buyers whose purchase orders move, clerks who sell the same stock; and goods that come in parts. */
import { draw, drawInteger } from '#landscape/random.ts'
import { openMilli } from '#landscape/erp/documents.ts'
import type { Keyed } from '#landscape/erp/open-orders.ts'
import { factorOf, purchaseOrderOf, type Receipt, type World } from '#landscape/world/world.ts'
import { type Counterparts, EAST_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { dayAhead } from './suppliers.ts'
import { timeAt } from './virtual-clock.ts'

/** A line of a purchase order as its ERP has it now. */
export type Purchase = {
  readonly number: string
  readonly quantity: number
  readonly received: number
  readonly cancelled: number
  readonly expectedOn: string
}

export type ErpPeople = {
  readonly open: () => number
  readonly purchases: () => readonly Purchase[]
  /** `NWF 0000017 10012 DC1 7`: what clerks sold and nobody has taken away. */
  readonly sold: () => readonly string[]
  /** A clerk sells something by phone; answers the number of the order. */
  readonly key: (company: string, order: Omit<Keyed, 'customer'>) => string
  readonly cancel: (company: string, number: string) => void
  /** Whether something is open of an order that a clerk keyed in. */
  readonly keepsFor: (company: string, number: string) => boolean
  /** The same counterparts, without the orders that clerks keyed in. */
  readonly ours: Counterparts
}

type Parts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly outside: Actor
  readonly landscape: Counterparts
  readonly day: WholeDay
}

const CHANGES: [number, number] = [0, 2]
const DAYS: [number, number] = [-2, 30]
const CAME_SHARE = 0.35
const IN_PARTS_SHARE = 0.7
/** After the moment as of which the ERPs were read before the day began: time begins anew with it. */
const BEGINS_MS = 2_000
/** Goods are counted so much later at the ERP. */
const COUNTED_MS: [number, number] = [500, 4_000]
const SALES: [number, number] = [1, 3]
const SOLD_MOST = 20
const CANCELS_SHARE = 0.3
const CANCELS_MS: [number, number] = [500, 3_000]
/** Orders of ours at the ERPs are looked through so often, and kept stock for there. */
const KEEPS_MS = 1_000
const MILLI = 1_000

export function openErpPeople(parts: Parts): ErpPeople {
  const work = new ErpWork(parts)
  const { world, day } = parts
  if (day.stock.includes('supply')) for (const receipt of world.receipts) work.buy(receipt)
  if (day.stock.includes('sales')) work.sell()
  return work
}

class ErpWork implements ErpPeople {
  readonly #parts: Parts
  readonly #purchases: Map<string, Purchase>
  readonly #keyed = new Map<string, string>()
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#purchases = new Map(
      parts.world.receipts.map((receipt) => {
        const { quantity, expectedOn } = receipt
        const { number } = purchaseOrderOf(receipt)
        return [receipt.id, { number, quantity, expectedOn, received: 0, cancelled: 0 }]
      }),
    )
  }

  open = (): number => this.#open
  purchases = (): readonly Purchase[] => [...this.#purchases.values()]

  #later(ms: number, label: string, run: () => void): void {
    this.#open++
    this.#parts.scheduler.after(ms, {
      actor: this.#parts.outside,
      label,
      run: () => {
        run()
        this.#open--
      },
    })
  }

  /** Before faults end. */
  #sometime(what: string, site: string): number {
    const { seed, day } = this.#parts
    return drawInteger(seed, what, site, [BEGINS_MS, Math.max(BEGINS_MS, day.peaceAfterMs)])
  }

  #erpOf = (company: string) =>
    company === 'NWF' ? this.#parts.landscape.legacyErp : this.#parts.landscape.cloudErp

  /** The line is given other days, more or less is ordered; it comes whole, in parts, or not on this day. */
  buy(receipt: Receipt): void {
    const { seed } = this.#parts
    const { id } = receipt
    const times = drawInteger(seed, 'purchase-changes', id, CHANGES)
    for (let nth = 0; nth < times; nth++)
      this.#later(this.#sometime('purchase-at', `${id} ${nth}`), 'purchase order', () =>
        this.#change(receipt, `${id} ${nth}`),
      )
    if (draw(seed, 'comes', id) >= CAME_SHARE) return
    const isInParts = draw(seed, 'in-parts', id) < IN_PARTS_SHARE
    const first = isInParts ? Math.ceil(receipt.quantity * draw(seed, 'first-part', id)) : receipt.quantity
    this.#arrive(receipt, `${id} first`, first)
    if (isInParts && draw(seed, 'second-part', id) < 0.5)
      this.#arrive(receipt, `${id} then`, receipt.quantity - first)
  }

  #change({ id, company, quantity: ordered }: Receipt, site: string): void {
    const { seed } = this.#parts
    const before = this.#purchases.get(id)!
    const part = Math.floor(ordered * draw(seed, 'purchase-part', site))
    const changes: readonly Partial<Purchase>[] = [
      { expectedOn: dayAhead(drawInteger(seed, 'purchase-day', site, DAYS)) },
      { quantity: ordered + part },
      { cancelled: Math.min(part, before.quantity) },
      { cancelled: before.quantity },
    ]
    const change = changes[Math.floor(draw(seed, 'purchase-change', site) ** 2 * changes.length)]!
    this.#enter(company, id, change)
  }

  #enter(company: string, id: string, change: Partial<Omit<Purchase, 'number'>>): void {
    this.#purchases.set(id, { ...this.#purchases.get(id)!, ...change })
    this.#erpOf(company).changePurchase(id, change)
  }

  /** The ERP counts it, too, some time later or not at all. */
  #arrive({ id, company, site }: Receipt, name: string, quantity: number): void {
    const { seed, landscape } = this.#parts
    const warehouse = EAST_SITES.includes(site) ? landscape.eastWms : landscape.wms
    this.#later(this.#sometime('arrives-at', name), 'goods come', () => {
      if (quantity === 0) return
      warehouse.receive(`ASN-${id}`, quantity)
      if (draw(seed, 'counted', name) < 0.5)
        this.#later(drawInteger(seed, 'counted-at', name, COUNTED_MS), 'goods counted', () =>
          this.#enter(company, id, { received: this.#purchases.get(id)!.received + quantity }),
        )
    })
  }

  /** Clerks sell of what everybody wants; the ERPs keep stock for orders of ours as well. */
  sell(): void {
    const { seed, world, day } = this.#parts
    const sold = new Set(world.items.flatMap(({ number, discontinued }) => (discontinued ? [] : [number])))
    const shelves = world.stock.filter(({ status, item }) => status === 'available' && sold.has(item))
    for (let nth = 0; nth < drawInteger(seed, 'sales', 0, SALES); nth++) {
      const { item, site, company } = shelves[drawInteger(seed, 'sells', nth, [0, shelves.length - 1])]!
      const unit = this.#itemOf(item).baseUnit
      const quantity = drawInteger(seed, 'sold', nth, [1, SOLD_MOST])
      const at = BEGINS_MS + drawInteger(seed, 'sells-at', nth, [0, day.withinMs])
      this.#later(at, 'clerk', () => {
        const kind = draw(seed, 'counter', nth) < 0.3 ? 'counter' : 'order'
        const lines = [{ item, quantity, unit, site }]
        const number = this.key(company, { kind, reference: `by phone ${nth}`, lines })
        if (draw(seed, 'sale-cancelled', nth) < CANCELS_SHARE)
          this.#later(drawInteger(seed, 'cancels-sale', nth, CANCELS_MS), 'clerk', () =>
            this.cancel(company, number),
          )
      })
    }
    this.#keep()
  }

  key(company: string, order: Omit<Keyed, 'customer'>): string {
    const customer = this.#parts.world.customers.find((one) => one.company === company)!.number
    const number = this.#erpOf(company).clerks.key({ ...order, customer })
    this.#keyed.set(number, company)
    return number
  }

  cancel = (company: string, number: string): void => this.#erpOf(company).clerks.cancel(number)

  keepsFor = (company: string, number: string): boolean =>
    this.#keyed.get(number) === company && this.#linesOf(company, number).length > 0

  /** Those of which something is open. */
  #linesOf = (company: string, number: string) =>
    this.#erpOf(company)
      .truth()
      .orders.filter((order) => order.number === number)
      .flatMap(({ lines }) => lines.filter((line) => openMilli(line) > 0))

  #keep(): void {
    const { landscape, scheduler, outside, world } = this.#parts
    for (const erp of [landscape.legacyErp, landscape.cloudErp]) {
      for (const { number, lines, cancelled } of erp.truth().orders) {
        const [line] = lines
        if (cancelled || this.#keyed.has(number) || !line || line.site !== undefined) continue
        const site = world.items.find((item) => item.number === line.item)?.sites[0]
        if (site) erp.clerks.keep(number, site, timeAt(scheduler.nowMs))
      }
    }
    scheduler.after(KEEPS_MS, { actor: outside, label: 'ERP keeps stock', run: () => this.#keep() })
  }

  sold = (): readonly string[] =>
    [...this.#keyed].flatMap(([number, company]) =>
      this.#linesOf(company, number).map((line) => {
        const { item, unit, site = '' } = line
        const { numerator, denominator } = factorOf(this.#itemOf(item), unit)!
        const open = (openMilli(line) * numerator) / denominator / MILLI
        return `${company} ${number} ${item} ${site} ${open}`
      }),
    )

  #itemOf = (item: string) => this.#parts.world.items.find(({ number }) => number === item)!

  get ours(): Counterparts {
    const { landscape } = this.#parts
    const without = <Truth extends { readonly orders: readonly { readonly number: string }[] }>(
      truth: Truth,
    ): Truth => ({ ...truth, orders: truth.orders.filter(({ number }) => !this.#keyed.has(number)) })
    if (this.#keyed.size === 0) return landscape
    const { legacyErp, cloudErp } = landscape
    return {
      ...landscape,
      legacyErp: { ...legacyErp, truth: () => without(legacyErp.truth()) },
      cloudErp: { ...cloudErp, truth: () => without(cloudErp.truth()) },
    }
  }
}
