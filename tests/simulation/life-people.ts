/** Customers who want goods to live for so many days after they ship, and warehouses that find lots which do or do not. */
import { draw, drawInteger, drawOne } from '#landscape/random.ts'
import { gtin14 } from '#landscape/world/gs1.ts'
import { type Customer, dayAfter, type Item, type World } from '#landscape/world/world.ts'
import type { Called } from '#platform/http-server.ts'
import type { Clients } from './clients.ts'
import { type Counterparts, EAST_SITES } from './counterparts.ts'
import { orderOf } from './made-orders.ts'
import { type People, type PeopleParts, Work } from './people.ts'

type Parts = PeopleParts & {
  readonly world: World
  readonly landscape: Counterparts
  readonly clients: Clients
}

const LOTS = '/process/inventory/v1/lots'
/** Of this one nothing is there when a day begins, and no order of the stream wants it. */
const PERISHABLE = '10090'
const LIKE = '10003'
/** Who wants any lot, 60 days and 20 days; only the first orders in the stream. */
const ANY = '100106'
const PICKY: ReadonlyMap<string, number> = new Map([
  ['100190', 60],
  ['100191', 20],
])
/** For nobody who asks; for who wants 20 days; for all. */
const LIVES = [10, 40, 20, 60, 400] as const
const LOT_COUNT: [number, number] = [3, 5]
const FOUND_CASES: [number, number] = [1, 5]
const ORDERS: [number, number] = [3, 5]
const WANTED_CASES: [number, number] = [1, 4]
const CASE = 12
const WITHIN_MS: [number, number] = [0, 3_000]
const HELD_MS: [number, number] = [300, 1_500]
/** More than there is of what else an order wants, so that it keeps what it has. */
const NEVER = 500
const SHIPS = ['ship-available', 'line-complete', 'ship-complete', 'cancel-rest'] as const

export function withPerishables(world: World): World {
  const like = world.items.find(({ number }) => number === LIKE)!
  const units = like.units.map((one, at) => ({ ...one, gtin: gtin14(at, Number(PERISHABLE)) }))
  const item: Item = { ...like, number: PERISHABLE, supply: 'awaited', units }
  const prices = world.prices
    .filter((price) => price.item === LIKE && price.customer === undefined)
    .map((price) => ({ ...price, item: PERISHABLE }))
  const base = world.customers.find(({ number }) => number === ANY)!
  const picky = [...PICKY].map(([number, shelfLifeDays]): Customer => ({
    ...base,
    number,
    shelfLifeDays,
    door: 'api',
    ediId: `41555${number}`,
    shopId: 71_000_000 + Number(number),
  }))
  return {
    ...world,
    items: [...world.items, item],
    prices: [...world.prices, ...prices],
    customers: [...world.customers, ...picky],
  }
}

export function openLifePeople(parts: Parts): People {
  const work = new LifeWork(parts)
  for (let nth = 0; nth < drawInteger(parts.seed, 'lots found', 0, LOT_COUNT); nth++) work.find(`P${nth}`)
  for (let nth = 0; nth < drawInteger(parts.seed, 'living orders', 0, ORDERS); nth++)
    work.order(`lives-${nth}`)
  return work
}

class LifeWork extends Work<Parts> {
  readonly #item: Item

  constructor(parts: Parts) {
    super(parts)
    this.#item = parts.world.items.find(({ number }) => number === PERISHABLE)!
  }

  /** A warehouse counts some of a lot; somebody says when it expires, before that or after; some are held for a while. */
  find(lot: string): void {
    const { seed, landscape, world } = this.parts
    const site = drawOne(seed, 'found at', lot, this.#item.sites)
    const expiresOn = dayAfter(world.today, drawOne(seed, 'lives', lot, LIVES))
    const of = { company: this.#item.company, sku: PERISHABLE, lot }
    this.#sometime(`found ${lot}`, () => {
      const warehouse = EAST_SITES.includes(site) ? landscape.eastWms : landscape.wms
      const delta = CASE * drawInteger(seed, 'found', lot, FOUND_CASES)
      warehouse.adjust({ site, owner: of.company, sku: PERISHABLE, lot, expiresOn, delta, reason: 'COUNT' })
    })
    if (draw(seed, 'dated', lot) < 0.85)
      this.#sometime(`dated ${lot}`, () => this.#say('set', { ...of, expiresOn }))
    if (draw(seed, 'held', lot) < 0.25)
      this.#sometime(`held ${lot}`, async () => {
        const reason = 'somebody is ill'
        await this.#say('hold', { ...of, reason })
        await this.pause('held for', lot, HELD_MS)
        await this.#say('release', { ...of, reason })
      })
  }

  order(key: string): void {
    const { seed, world, clients } = this.parts
    const customer = drawOne(seed, 'whose', key, [ANY, ...PICKY.keys(), ...PICKY.keys()])
    const shippingRule = drawOne(seed, 'ships', key, SHIPS)
    const other = world.items.find(({ number }) => number === LIKE)!
    const wanted = [[this.#item, drawInteger(seed, 'living', key, WANTED_CASES)]] as const
    const all = shippingRule === 'ship-complete' ? [...wanted, [other, NEVER] as const] : wanted
    const made = { seed, key, company: this.#item.company, customer }
    this.#sometime(key, () => clients.submit(orderOf(world, made, all), key, { shippingRule }))
  }

  #sometime(key: string, work: () => unknown): void {
    this.later(key, drawInteger(this.parts.seed, 'life', key, WITHIN_MS), work)
  }

  /** Of a lot that nobody has heard of yet it may be said as well. */
  async #say(verb: 'set' | 'hold' | 'release', body: Said): Promise<void> {
    const answer: Called = await this.caller.post(`${LOTS}:${verb}`, `${body.lot}-${verb}`, body)
    if (answer.status !== 200) this.fail(`lot ${body.lot}, ${verb}`, answer)
  }
}

/** The day on which it expires, or why it is held. */
type Said = { readonly lot: string; readonly expiresOn?: string; readonly reason?: string }
