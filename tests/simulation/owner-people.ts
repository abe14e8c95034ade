/** People who keep goods of others in a store of ours: they enter what comes, is lost and put aside, and hand it over. */
import { draw, drawInteger } from '#landscape/random.ts'
import { gtin14 } from '#landscape/world/gs1.ts'
import { factorOf, type Item, type Stock, type World } from '#landscape/world/world.ts'
import type { Called } from '#platform/http-server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Clients } from './clients.ts'
import { type Counterparts, NEAR_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import { orderOf } from './made-orders.ts'
import { type People, type PeopleParts, Work } from './people.ts'
import { ask } from './stock-questions.ts'
import { unequal } from './supply-checkers.ts'

export type OwnerPeople = People & {
  /** What was promised although it is another's. */
  readonly oversold: readonly string[]
  /** What each other owner has there, as `ownersAmiss` wants it. */
  lying(): string[]
}

type Parts = PeopleParts & {
  readonly world: World
  readonly landscape: Counterparts
  readonly clients: Clients
  readonly day: WholeDay
}

export const OWNERS = ['ACME', 'BOLT'] as const
const INVENTORY = '/process/inventory/v1'
/** Of this one nothing is there when a day begins, and no order of the stream wants it. */
const KEPT = '10080'
const LIKE = '10002'
const SITE = NEAR_SITES[0]!
const ORDERS: [number, number] = [2, 4]
const WANTED: [number, number] = [1, 4]
/** In units in which it is sold; more comes than is handed over and lost. */
const COMES = 12
const HANDED: [number, number] = [1, 4]
const ONCE = 8
const ONCE_SHARE = 0.4
const ASIDE = 3
const TOO_MUCH = 9_999
const PAUSE_MS: [number, number] = [0, 1_200]

export function withKept(world: World): World {
  const like = world.items.find(({ number }) => number === LIKE)!
  const units = like.units.map((one, at) => ({ ...one, gtin: gtin14(at, Number(KEPT)) }))
  const item: Item = { ...like, number: KEPT, supply: 'awaited', units }
  const prices = world.prices
    .filter((price) => price.item === LIKE && price.customer === undefined)
    .map((price) => ({ ...price, item: KEPT }))
  return { ...world, items: [...world.items, item], prices: [...world.prices, ...prices] }
}

type Line = { readonly kind: string; readonly quantity: number } & Readonly<Record<string, string | number>>

export function openOwnerPeople(parts: Parts): OwnerPeople {
  const work = new OwnerWork(parts)
  work.begin()
  return work
}

class OwnerWork extends Work<Parts> implements OwnerPeople {
  readonly oversold: string[] = []
  readonly #item: Item
  readonly #has = new Map(OWNERS.map((owner) => [owner as string, { available: 0, aside: 0 }]))
  /** Of what may be ours by now. */
  #ours = 0

  constructor(parts: Parts) {
    super(parts)
    this.#item = parts.world.items.find(({ number }) => number === KEPT)!
  }

  begin(): void {
    const { seed, day } = this.parts
    const sometime = (key: string, work: () => unknown): void =>
      this.later(key, drawInteger(seed, 'owner begins', key, [0, day.withinMs]), work)
    for (const owner of OWNERS) sometime(owner, () => this.#keep(owner))
    for (let nth = 0; nth < drawInteger(seed, 'kept orders', 0, ORDERS); nth++)
      sometime(`kept-${nth}`, () => this.#order(`kept-${nth}`))
  }

  lying(): string[] {
    const { company } = this.#item
    return [...this.#has].flatMap(([owner, { available, aside }]) =>
      available + aside > 0
        ? [lyingOf({ company, site: SITE, item: KEPT }, owner, [available, aside, 0])]
        : [],
    )
  }

  /** Some comes, is put aside, counted and lost; parts become ours and one another's. */
  async #keep(owner: string): Promise<void> {
    const { seed } = this.parts
    const pack = this.#pack()
    const other = OWNERS.find((one) => one !== owner)!
    await this.#enter(`${owner}-comes`, { kind: 'found', owner, quantity: COMES * pack })
    await this.#enter(`${owner}-aside`, { kind: 'moved', owner, toStatus: 'quality_hold', quantity: ASIDE })
    await this.#handTooMuch(owner)
    for (const nth of this.#turns(owner)) {
      const key = `${owner}-${nth}`
      await this.pause('owner pause', key, PAUSE_MS)
      const packs = nth === 'once' ? ONCE : drawInteger(seed, 'handed', key, HANDED)
      await this.#handToUs(key, owner, pack * packs)
      await this.#look(key)
    }
    await this.#enter(`${owner}-passed`, { kind: 'handed-over', owner, toOwner: other, quantity: pack })
    await this.#enter(`${owner}-lost`, { kind: 'lost', owner, quantity: 1 })
    await this.#enter(`${owner}-counted`, {
      kind: 'counted',
      owner,
      status: 'quality_hold',
      quantity: ASIDE - 1,
    })
    await this.#look(`${owner}-end`)
  }

  /** On some days all that we get is handed over at once, and nothing comes after it. */
  #turns(owner: string): readonly string[] {
    if (draw(this.parts.seed, 'handed once', 0) >= ONCE_SHARE) return ['first', 'then']
    return owner === OWNERS[0] ? ['once'] : []
  }

  #pack(): number {
    const { numerator, denominator } = factorOf(this.#item, this.#item.salesUnit)!
    return numerator / denominator
  }

  /** The warehouse has it on its shelves as ours from now on, and tells nothing of it. */
  async #handToUs(key: string, owner: string, quantity: number): Promise<void> {
    const { company } = this.#item
    this.#ours += quantity
    const place = { site: SITE, owner: company, sku: KEPT }
    this.parts.landscape.wms.put(place, { lot: '', expiresOn: '', status: 'available', quantity })
    await this.#enter(`${key}-handed`, { kind: 'handed-over', owner, toOwner: 'own', quantity })
  }

  async #handTooMuch(owner: string): Promise<void> {
    const line = { kind: 'handed-over', owner, toOwner: 'own', quantity: TOO_MUCH }
    const answer = await this.#post(`${owner}-too-much`, line)
    if (!answer.body.includes('inventory.owner_has_less')) this.fail(`${owner} handed over too much`, answer)
  }

  /** What is worth much waits for another person, who approves it. */
  async #enter(key: string, line: Line): Promise<void> {
    const entered = await this.#post(key, line)
    if (entered.status >= 300) return this.fail(`${key} was not taken`, entered)
    const { id, state } = JSON.parse(entered.body) as { id: string; state: string }
    if (state === 'pending') {
      const url = `${INVENTORY}/adjustments/${id}:approve`
      const decided = await this.caller.post(url, `${key}-approve`, { reason: key }, 'controller')
      if (decided.status !== 200) return this.fail(`${key} was not approved`, decided)
    }
    this.#note(line)
  }

  #post(key: string, line: Line): Promise<Called> {
    const { company } = this.#item
    const reason = line.kind === 'handed-over' ? 'ownership' : 'correction'
    const told = { ...line, sku: KEPT, location: SITE, quantity: String(line.quantity) }
    return this.caller.post(`${INVENTORY}/adjustments`, key, {
      company,
      reason,
      reference: key,
      lines: [told],
    })
  }

  #note({ kind, owner, toOwner, quantity }: Line): void {
    const his = this.#has.get(String(owner))!
    if (kind === 'found') his.available += quantity
    else if (kind === 'counted') his.aside = quantity
    else his.available -= quantity
    if (kind === 'moved') his.aside += quantity
    const next = this.#has.get(String(toOwner))
    if (next) next.available += quantity
  }

  /** Nobody is promised more than has become ours. */
  async #look(key: string): Promise<void> {
    const maxAgeMs = draw(this.parts.seed, 'owner fresh', key) < 0.5 ? 0 : undefined
    const { status, body } = await ask(
      this.caller,
      `${key}-asked`,
      { company: this.#item.company, skus: [KEPT] },
      maxAgeMs,
    )
    if (status !== 200) return
    const { items } = JSON.parse(body) as { items: { available: string }[] }
    for (const { available } of items)
      if (Number(available) > this.#ours)
        this.oversold.push(`${key}: ${available} of ${KEPT} are promised, and ${this.#ours} are ours`)
  }

  async #order(key: string): Promise<void> {
    const { seed, world, clients } = this.parts
    const wanted = [[this.#item, drawInteger(seed, 'kept wanted', key, WANTED)]] as const
    await clients.submit(orderOf(world, { seed, key, company: this.#item.company }, wanted), key)
  }
}

/** What one of other owners has at a place: for sale by him, put aside, broken. */
export const lyingOf = (
  { company, site, item }: Pick<Stock, 'company' | 'site' | 'item'>,
  owner: string,
  quantities: readonly [available: number, hold: number, damaged: number],
): string => `${company} ${site} ${item} ${owner}: ${quantities.join(' ')}`

const OF_OTHERS = `
  select concat_ws(' ', p.company, location, sku, owner) || ': ' || concat_ws(' ', trim_scale(available + unreconciled),
    trim_scale(quality_hold), trim_scale(damaged)) as text
  from inventory.position p join items.item i on i.id = p.item_id
  where lot = '' and owner <> 'own' and (available + unreconciled, quality_hold, damaged) <> (0, 0, 0)`
const TAKEN = `
  select location || ' ' || owner || ' ' || from_bucket || ' ' || to_bucket as text
  from inventory.movement where owner <> 'own' and 'shipped' in (from_bucket, to_bucket)`

/** Our books of each other owner are what lies there of his, and nothing of it left as a sale of ours. */
export const ownersAmiss = async (query: Query, lying: readonly string[]): Promise<Violation[]> => [
  ...unequal('both sides have the same stock of each other owner', await query(OF_OTHERS), lying),
  ...unequal('nothing of another owner is sold', await query(TAKEN), []),
]
