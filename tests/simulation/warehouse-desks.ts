/** Orders that warehouses take from others than us: kept there, shipped in parts or whole, cancelled; some an ERP had them ship. */
import { draw, drawInteger } from '#landscape/random.ts'
import type { OwnOrder } from '#landscape/wms/own-orders.ts'
import { baseFactor } from '#landscape/wms/shapes.ts'
import type { Stock, World } from '#landscape/world/world.ts'
import { type Counterparts, EAST_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { ErpPeople } from './erp-people.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { PLENTY } from './stock-people.ts'

export type Desks = {
  readonly open: () => number
  /** `NWF WO00000001 10012 DC1 7`: what they took, still have to ship, and no ERP keeps stock for. */
  readonly sold: () => readonly string[]
}

type Parts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly outside: Actor
  readonly landscape: Counterparts
  readonly day: WholeDay
  readonly erps: ErpPeople
}

const ORDERS: [number, number] = [1, 3]
const QUANTITY: [number, number] = [2, 9]
/** After the moment as of which everybody was read before the day began. */
const BEGINS_MS = 2_000
const PAUSE_MS: [number, number] = [200, 2_500]
/** Whoever ships takes what is there for everybody; of what others want as well stock is only kept. */
const SHIPS_SHARE = 0.7
const BY_ERP_SHARE = 0.3

export function openDesks(parts: Parts): Desks {
  const work = new DeskWork(parts)
  for (let nth = 0; nth < drawInteger(parts.seed, 'desk-orders', 0, ORDERS); nth++) work.take(nth)
  return work
}

type Taken = {
  readonly nth: number
  readonly number: string
  readonly shelf: Stock
  readonly sale: string | undefined
}

class DeskWork implements Desks {
  readonly #parts: Parts
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  open = (): number => this.#open

  #later(ms: number, run: () => void): void {
    const { scheduler, outside } = this.#parts
    this.#open++
    scheduler.after(ms, {
      actor: outside,
      label: 'desk of a warehouse',
      run: () => {
        run()
        this.#open--
      },
    })
  }

  #soon(site: string, run: () => void): void {
    this.#later(drawInteger(this.#parts.seed, 'desk-pause', site, PAUSE_MS), run)
  }

  #wmsAt = (site: string) =>
    EAST_SITES.includes(site) ? this.#parts.landscape.eastWms : this.#parts.landscape.wms

  /** Of one item; an ERP that has it shipped keeps stock for it before, and ends that afterwards. */
  take(nth: number): void {
    const { seed, day, world, erps } = this.#parts
    const ships = draw(seed, 'desk-ships', nth) < SHIPS_SHARE
    const shelf = this.#shelf(nth, ships)
    const { company, item, site } = shelf
    const { baseUnit, salesUnit } = world.items.find(({ number }) => number === item)!
    const unit = draw(seed, 'desk-unit', nth) < 0.5 ? baseUnit : salesUnit
    const lines = [{ item, quantity: drawInteger(seed, 'desk-quantity', nth, QUANTITY), unit }]
    const wanted = { owner: company, site, customer: `portal ${nth}`, lines }
    this.#later(BEGINS_MS + drawInteger(seed, 'desk-at', nth, [0, day.withinMs]), () => {
      const sale =
        draw(seed, 'desk-by-erp', nth) < BY_ERP_SHARE
          ? erps.key(company, { reference: `shipped by ${site}`, lines: [{ ...lines[0]!, site }] })
          : undefined
      this.#soon(`${nth} taken`, () => {
        const number = this.#wmsAt(site).own.key({ ...wanted, reference: sale ?? `M-${nth}` })
        const taken = { nth, number, shelf, sale }
        if (ships) this.#ship(taken)
        else if (draw(seed, 'desk-cancels', nth) < 0.5) this.#cancel(taken)
      })
    })
  }

  /** A part first; the rest later, or not on this day, or it is cancelled. */
  #ship(taken: Taken): void {
    const { seed } = this.#parts
    const { nth, number, shelf } = taken
    const { own } = this.#wmsAt(shelf.site)
    this.#soon(`${nth} first`, () => {
      own.allocate(number)
      if (draw(seed, 'desk-in-parts', nth) < 0.7) own.ship(number, 1)
      const rest = draw(seed, 'desk-rest', nth)
      if (rest < 0.25) this.#cancel(taken)
      else if (rest < 0.65)
        this.#soon(`${nth} then`, () => {
          own.ship(number)
          this.#end(taken)
        })
    })
  }

  #cancel(taken: Taken): void {
    this.#soon(`${taken.nth} cancelled`, () => {
      this.#wmsAt(taken.shelf.site).own.cancel(taken.number)
      this.#end(taken)
    })
  }

  /** What the warehouse is done with, its ERP is done with as well. */
  #end({ nth, sale, shelf }: Taken): void {
    const { erps } = this.#parts
    if (sale) this.#soon(`${nth} closed`, () => erps.cancel(shelf.company, sale))
  }

  sold = (): readonly string[] => {
    const { landscape, erps } = this.#parts
    return [landscape.wms, landscape.eastWms].flatMap(({ own }) =>
      own
        .remember()
        .filter(({ status }) => status === 'OPEN' || status === 'ALLOCATED')
        .filter((order) => !erps.keepsFor(order.owner, order.external_ref ?? ''))
        .flatMap((order) => this.#openOf(order)),
    )
  }

  #openOf({ owner, wms_order_id: number, site, lines }: OwnOrder): string[] {
    const { world } = this.#parts
    return lines.flatMap(({ sku, qty, shipped_qty: shipped, uom }) => {
      const { numerator, denominator } = baseFactor(
        world.items.find((item) => item.number === sku)!,
        uom,
      )!
      const open = ((qty - shipped) * numerator) / denominator
      return open > 0 ? [`${owner} ${number} ${sku} ${site} ${open}`] : []
    })
  }

  #shelf(nth: number, ships: boolean): Stock {
    const { seed, world } = this.#parts
    const awaited = new Set(world.receipts.map(({ item }) => item))
    const sold = new Set(world.items.flatMap(({ number, discontinued }) => (discontinued ? [] : [number])))
    const rows = world.stock.filter(
      ({ status, item, quantity }) =>
        status === 'available' && sold.has(item) && (!ships || (quantity >= PLENTY && !awaited.has(item))),
    )
    return rows[drawInteger(seed, 'desk-shelf', nth, [0, rows.length - 1])]!
  }
}
