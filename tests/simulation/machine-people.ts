/** Machines, each known by its serial: they come, go from site to site, are put aside, break and are sold. */
import { draw, drawInteger } from '#landscape/random.ts'
import type { Adjustment } from '#landscape/wms/store.ts'
import { machinesOf } from '#landscape/world/machines.ts'
import type { Item, Price, World, WorldOrder } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { warehousesOf } from '#tests/support/house-books.ts'
import type { Violation } from './checkers.ts'
import type { Clients } from './clients.ts'
import { type Counterparts, EAST_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { unequal } from './supply-checkers.ts'

export type MachinePeople = { readonly open: () => number }

type Parts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly outside: Actor
  readonly landscape: Counterparts
  readonly clients: Clients
  readonly day: WholeDay
}

const KINDS = 2
/** More than are carried away, put aside, broken and sold. */
const COME: [number, number] = [12, 15]
const ACTS: [number, number] = [3, 6]
const ORDERS: [number, number] = [1, 2]
const SOLD: [number, number] = [1, 2]
const PRICE_MINOR = 12_500
const NOTE_MS: [number, number] = [0, 1_500]

/** No order of the stream wants them, and none is there when the day begins. */
export function withMachines(world: World): World {
  const machines = machinesOf(world.seed, KINDS)
  const { currency } = world.customers.find(({ company }) => company === machines[0]!.company)!
  const { validFrom, validTo } = world.prices.find((price) => price.validTo >= world.today)!
  const prices = machines.map(({ company, number: item }): Price => {
    const listed = { customer: undefined, unit: 'EA', fromQuantity: 1, priceMinor: PRICE_MINOR } as const
    return { ...listed, company, item, currency, validFrom, validTo }
  })
  return { ...world, items: [...world.items, ...machines], prices: [...world.prices, ...prices] }
}

export function openMachinePeople(parts: Parts): MachinePeople {
  const work = new MachineWork(parts)
  for (const machine of parts.world.items.filter(({ serialControlled }) => serialControlled))
    work.begin(machine)
  return work
}

class MachineWork implements MachinePeople {
  readonly #parts: Parts
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  open = (): number => this.#open

  #later(ms: number, label: string, run: () => unknown): void {
    const { scheduler, outside } = this.#parts
    this.#open++
    scheduler.after(ms, {
      actor: outside,
      label,
      run: () => void Promise.resolve(run()).finally(() => this.#open--),
    })
  }

  #sometime(site: string, run: () => unknown): void {
    const { seed, day } = this.#parts
    this.#later(drawInteger(seed, 'machine-at', site, [0, day.withinMs]), 'machines', run)
  }

  begin(machine: Item): void {
    const { seed } = this.#parts
    const { number, sites } = machine
    for (const site of sites) {
      const come = drawInteger(seed, 'machines-come', `${number} ${site}`, COME)
      this.#adjust(machine, site, { reason: 'COUNT', delta: come })
    }
    for (let nth = 0; nth < drawInteger(seed, 'machine-acts', number, ACTS); nth++)
      this.#sometime(`${number} act ${nth}`, () => this.#act(machine, `${number} ${nth}`))
    for (let nth = 0; nth < drawInteger(seed, 'machine-orders', number, ORDERS); nth++)
      this.#sometime(`${number} order ${nth}`, () => this.#order(machine, `${number}-${nth}`))
  }

  #wmsAt = (site: string) =>
    EAST_SITES.includes(site) ? this.#parts.landscape.eastWms : this.#parts.landscape.wms

  #adjust(
    { company: owner, number: sku }: Item,
    site: string,
    change: Pick<Adjustment, 'delta' | 'reason' | 'serials'>,
  ): void {
    this.#wmsAt(site).adjust({ site, owner, sku, ...change })
  }

  #act(machine: Item, key: string): void {
    const { seed } = this.#parts
    const from = Math.floor(draw(seed, 'machine-from', key) * machine.sites.length)
    const site = machine.sites[from]!
    const carry = (): void => this.#carry(machine, { site, to: machine.sites[1 - from]!, key })
    const acts: readonly (() => void)[] = [
      carry,
      carry,
      carry,
      () => this.#adjust(machine, site, { reason: 'DAMAGE', delta: -1 }),
      () => {
        this.#adjust(machine, site, { reason: 'HOLD', delta: -1 })
        if (draw(seed, 'machine-released', key) < 0.7)
          this.#later(drawInteger(seed, 'machine-released-at', key, NOTE_MS), 'machines', () =>
            this.#adjust(machine, site, { reason: 'RELEASE', delta: -1 }),
          )
      },
    ]
    acts[Math.floor(draw(seed, 'machine-act', key) * acts.length)]!()
  }

  /** What the place tells that gets it may come before what the other tells. */
  #carry(machine: Item, { site, to, key }: { site: string; to: string; key: string }): void {
    const { seed } = this.#parts
    const shelf = this.#wmsAt(site)
      .units()
      .find((one) => one.sku === machine.number && one.site === site && one.status === 'available')
    const serials = shelf?.serials?.slice(-1)
    if (!serials || serials.length === 0) return
    this.#adjust(machine, site, { reason: 'COUNT', delta: -1, serials })
    this.#later(drawInteger(seed, 'machine-noted', key, NOTE_MS), 'machines', () =>
      this.#adjust(machine, to, { reason: 'COUNT', delta: 1, serials }),
    )
  }

  /** As an order of the stream, of this machine alone. */
  async #order(machine: Item, key: string): Promise<void> {
    const { seed, world, clients } = this.#parts
    const like = world
      .orders(world.plannedOrders)
      .find(({ company, case: planted }) => company === machine.company && planted === 'regular')!
    const quantity = drawInteger(seed, 'machines-sold', key, SOLD)
    const line = {
      line: 1,
      item: machine.number,
      quantity,
      unit: 'EA',
      priceMinor: PRICE_MINOR,
      priceUnit: 'EA',
    } as const
    const order: WorldOrder = { ...like, poNumber: `${like.poNumber}-${key}`, lines: [line] }
    await clients.submit(order, `machine-${key}`)
  }
}

const BUCKETS: Readonly<Record<string, string>> = {
  available: 'available',
  hold: 'quality_hold',
  damaged: 'damaged',
}

/** Places that were counted, which names no unit, since a warehouse gave up telling the first that it had. */
const COUNTED = `select location from inventory.feed where counted_at is not null`

/** Each unit is where it lies, or went with the shipment that took it, and nobody is in doubt about any. */
export async function machinesAmiss(query: Query, landscape: Counterparts): Promise<Violation[]> {
  const counted = new Set((await query<{ location: string }>(COUNTED)).map(({ location }) => location))
  const here = await query<{ text: string }>(`
    select concat_ws(' ', serial, location, bucket) as text
    from inventory.serial where location is not null and location not in (${COUNTED})`)
  const gone = await query<{ text: string }>(`
    select concat_ws(' ', u.serial, 'F-' || s.fulfillment_id) as text
    from inventory.serial u join shipments.shipment s on s.id = u.shipment_id`)
  const doubts = await query<{ text: string }>(`
    select cause as text from exceptions.exception
    where code like 'inventory.serial%' and closed_at is null and facts ->> 'location' not in (${COUNTED})`)
  return [
    ...unequal('a unit is where it lies', here, lyingAt(landscape, counted)),
    ...unequal('a unit went with what took it', gone, shippedBy(landscape)),
    ...unequal('doubt about a unit ends when all is told', doubts, []),
  ]
}

const lyingAt = ({ wms, eastWms }: Counterparts, counted: ReadonlySet<string>): string[] =>
  [wms, eastWms].flatMap((warehouse) =>
    warehouse
      .units()
      .filter(({ site }) => !counted.has(site))
      .flatMap(({ site, status, serials = [] }) => serials.map((one) => `${one} ${site} ${BUCKETS[status]}`)),
  )

type Told = {
  readonly packages: readonly { readonly contents: readonly { readonly serials?: string[] }[] }[]
}

const shippedBy = (landscape: Counterparts): string[] =>
  warehousesOf(landscape).flatMap(({ events }) =>
    events
      .filter(({ type }) => type === 'shipment.confirmed')
      .flatMap((event) =>
        (event as unknown as Told).packages
          .flatMap(({ contents }) => contents.flatMap(({ serials = [] }) => serials))
          .map((serial) => `${serial} ${String(event['external_ref'])}`),
      ),
  )
