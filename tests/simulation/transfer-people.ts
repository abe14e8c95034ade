/** People who send goods from place to place and back, some by lot, enter the papers in any order, and take goods back. */
import { draw, drawInteger } from '#landscape/random.ts'
import { dayAfter, type Item, type World } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { WholeDay } from './day.ts'
import { type People, type PeopleParts, Work } from './people.ts'
import { PLENTY } from './stock-people.ts'
import { unequal } from './supply-checkers.ts'

export type TransferPeople = People & {
  /** Where lots that were carried lie otherwise than people know. */
  readonly misplaced: readonly string[]
}

type Parts = PeopleParts & { readonly world: World; readonly day: WholeDay }

const INVENTORY = '/process/inventory/v1'
const ADJUSTMENTS = `${INVENTORY}/adjustments`
const TIMES: [number, number] = [1, 2]
const SENT: [number, number] = [4, 40]
const PAUSE_MS: [number, number] = [0, 1_200]
const LOST_SHARE = 0.4
const IN_LOTS_SHARE = 0.5
/** What stays where the rest of a lot leaves. */
const STAYS: [number, number] = [0, 9]
const LIVES_DAYS: [number, number] = [30, 300]

type Line = { readonly kind: string; readonly location: string; readonly quantity: number } & Readonly<
  Record<string, string | number>
>
type Goods = {
  readonly company: string
  readonly sku: string
  readonly sites: string[]
}
/** What leaves of a lot, '' where there are none, and what of that never arrives. */
type Load = { readonly lot: string; readonly quantity: number; readonly lost: number }
type Journey = { readonly here: string; readonly there: string; readonly loads: readonly Load[] }
/** Of a lot at a place. */
type Lying = {
  readonly location: string
  readonly lot: string
  readonly available: number
  readonly inTransit: number
}

export function openTransferPeople(parts: Parts): TransferPeople {
  const work = new TransferWork(parts)
  for (let nth = 0; nth < drawInteger(parts.seed, 'transfers', 0, TIMES); nth++) work.begin(nth)
  return work
}

class TransferWork extends Work<Parts> implements TransferPeople {
  readonly misplaced: string[] = []
  begin(nth: number): void {
    const { seed, day } = this.parts
    const goods = this.#goods(nth)
    const begin = (name: string, work: (key: string) => Promise<void>): void => {
      const ms = drawInteger(seed, `${name} begins`, nth, [0, day.withinMs])
      this.later(name, ms, () => work(`${name}-${nth}`))
    }
    begin('carry', (key) => this.#carry(goods, key))
    begin('take-back', (key) => this.#takeBack(goods, key))
    if (draw(seed, 'in lots', nth) < IN_LOTS_SHARE)
      begin('carry-lots', (key) => this.#carryLots(this.#goods(nth, 'in lots'), key))
  }

  /** There and back; what got lost on the way is found where it came from, so both sides have the same in the end. */
  readonly #carry = async (goods: Goods, key: string): Promise<void> => {
    const { seed } = this.parts
    const [here, there] = goods.sites as [string, string]
    const quantity = drawInteger(seed, 'carried', key, SENT)
    const lost = this.#lostOf(key, quantity)
    const load = { lot: '', quantity, lost }
    await this.#travel(goods, `${key}-out`, { here, there, loads: [load] })
    await this.#miss(goods, `${key}-out`, { here, there, loads: [load] })
    await this.pause('transfer-pause', `${key}-there`, PAUSE_MS)
    const back = { lot: '', quantity: quantity - lost, lost: 0 }
    await this.#travel(goods, `${key}-back`, { here: there, there: here, loads: [back] })
    if (lost > 0)
      await this.#enter(goods, `${key}-found`, [{ kind: 'found', location: here, quantity: lost }])
  }

  /** Lots that are found, sent, come back in part and are thrown away; each unit of each is where people know it to be. */
  async #carryLots(goods: Goods, key: string): Promise<void> {
    const { seed, world } = this.parts
    const [here, there] = goods.sites as [string, string]
    const loads = [`${key}-A`, `${key}-B`].map((lot): Load => {
      const quantity = drawInteger(seed, 'carried', lot, SENT)
      return { lot, quantity, lost: this.#lostOf(lot, quantity) }
    })
    const stays = ({ lot }: Load): number => drawInteger(seed, 'stays', lot, STAYS)
    const found = loads.map((load) => ({ ...lineOf(load, load.quantity + stays(load)), location: here }))
    await this.#enter(
      goods,
      `${key}-found`,
      found.map((line) => ({ ...line, kind: 'found' })),
    )
    const days = new Map(
      loads.map(({ lot }) => [lot, dayAfter(world.today, drawInteger(seed, 'lives', lot, LIVES_DAYS))]),
    )
    for (const [lot, expiresOn] of days) await this.#date(goods, lot, expiresOn)

    await this.#travel(goods, `${key}-out`, { here, there, loads })
    const out = loads.flatMap((load): Lying[] => {
      const { lot, quantity, lost } = load
      return [
        { location: here, lot, available: stays(load), inTransit: 0 },
        { location: there, lot, available: quantity - lost, inTransit: lost },
      ]
    })
    await this.#look(goods, out, days)
    await this.#miss(goods, `${key}-out`, { here, there, loads })
    const back = loads.map(({ lot, quantity, lost }) => ({ lot, quantity: (quantity - lost) >> 1, lost: 0 }))
    await this.#travel(goods, `${key}-back`, { here: there, there: here, loads: back })
    const left = out.map((lying) => {
      const { quantity } = back.find(({ lot }) => lot === lying.lot)!
      const came = lying.location === here ? quantity : -quantity
      return { ...lying, available: lying.available + came, inTransit: 0 }
    })
    await this.#look(goods, left, days)
    await this.#enter(
      goods,
      `${key}-thrown`,
      left.map(({ lot, location, available: quantity }) => ({ kind: 'lost', lot, location, quantity })),
    )
  }

  #lostOf(key: string, quantity: number): number {
    return draw(this.parts.seed, 'carried-lost', key) < LOST_SHARE ? Math.ceil(quantity / 4) : 0
  }

  /** What comes arrives in two parts, whichever paper is entered first. */
  async #travel(goods: Goods, transfer: string, { here, there, loads }: Journey): Promise<void> {
    const arrives = (part: string, someOf: (load: Load) => number): Promise<void> =>
      this.#enter(
        goods,
        `${transfer}-${part}`,
        loads.map((load) => ({ ...lineOf(load, someOf(load)), kind: 'arrived', location: there, transfer })),
      )
    const first = ({ quantity, lost }: Load): number => Math.ceil((quantity - lost) / 2)
    const papers = [
      () =>
        this.#enter(
          goods,
          `${transfer}-sent`,
          loads.map((load) => ({
            ...lineOf(load, load.quantity),
            kind: 'sent',
            location: here,
            to: there,
            transfer,
          })),
        ),
      () => arrives('first', first),
      () => arrives('rest', (load) => load.quantity - load.lost - first(load)),
    ]
    await Promise.all(
      papers.map(async (enter, nth) => {
        await this.pause('transfer-pause', `${transfer}-${nth}`, PAUSE_MS)
        await enter()
      }),
    )
  }

  #miss(goods: Goods, transfer: string, { there, loads }: Journey): Promise<void> {
    return this.#enter(
      goods,
      `${transfer}-missing`,
      loads.map((load) => ({ ...lineOf(load, load.lost), kind: 'missing', location: there, transfer })),
    )
  }

  /** What comes back is thrown away when somebody has looked at it. */
  readonly #takeBack = async (goods: Goods, key: string): Promise<void> => {
    const [location] = goods.sites as [string]
    const quantity = drawInteger(this.parts.seed, 'returned', key, SENT)
    await this.#enter(goods, `${key}-returned`, [{ kind: 'returned', location, quantity }])
    await this.pause('transfer-pause', key, PAUSE_MS)
    await this.#enter(goods, `${key}-lost`, [{ kind: 'lost', status: 'quarantine', location, quantity }])
  }

  /** What is worth more than one may change alone is approved by another. */
  async #enter({ company, sku }: Goods, key: string, lines: readonly Line[]): Promise<void> {
    const named = lines.filter(({ quantity }) => quantity > 0)
    if (named.length === 0) return
    const entered = await this.caller.post(ADJUSTMENTS, key, {
      company,
      reason: 'transfer',
      reference: key,
      lines: named.map((line) => ({ ...line, sku, quantity: String(line.quantity) })),
    })
    const { id, state } = JSON.parse(entered.body) as { readonly id?: string; readonly state?: string }
    if (state === 'booked') return
    if (state !== 'pending') return this.fail(key, entered)
    const reason = { reason: 'seen' }
    const decided = await this.caller.post(`${ADJUSTMENTS}/${id}:approve`, `${key}-ok`, reason, 'controller')
    if (decided.status !== 200) this.wrong.push(`${key} was not approved: ${decided.body}`)
  }

  async #date({ company, sku }: Goods, lot: string, expiresOn: string): Promise<void> {
    const body = { company, sku, lot, expiresOn }
    const { status, body: answer } = await this.caller.post(`${INVENTORY}/lots:set`, `${lot}-dated`, body)
    if (status !== 200) this.wrong.push(`lot ${lot} was not dated: ${status} ${answer}`)
  }

  /** People ask where the lots are which they have carried. */
  async #look(goods: Goods, known: readonly Lying[], days: ReadonlyMap<string, string>): Promise<void> {
    const { company, sku } = goods
    const itemsOf = async <T extends { readonly lot?: string }>(path: string): Promise<T[]> => {
      const { body } = await this.caller.get(`${INVENTORY}/${path}?company=${company}&sku=${sku}`)
      const { items } = JSON.parse(body) as { readonly items: readonly T[] }
      return items.filter(({ lot }) => lot !== undefined && days.has(lot))
    }
    const positions = await itemsOf<Readonly<Record<keyof Lying, string>>>('positions')
    const lots = await itemsOf<{ readonly lot: string; readonly expiresOn?: string }>('lots')
    const dated = lots.map(({ lot, expiresOn }) => `${lot} until ${expiresOn}`)
    const told = [
      ...unequal(
        '',
        texts(positions.map(lyingOf).filter(isThere).map(textOf)),
        known.filter(isThere).map(textOf),
      ),
      ...unequal(
        '',
        texts([...new Set(dated)]),
        [...days].map((each) => each.join(' until ')),
      ),
    ]
    this.misplaced.push(...told.map(({ found }) => `${sku}: ${found}`))
  }

  /** Of what nobody orders any more and two places have plenty of; an ERP opens the books of lots without them. */
  #goods(nth: number, how: 'whole' | 'in lots' = 'whole'): Goods {
    const { seed, world } = this.parts
    const isPlenty = (item: string): boolean =>
      world.stock.every((row) => row.item !== item || row.status !== 'available' || row.quantity >= PLENTY)
    const isMeant = ({ number, lotControlled }: Item): boolean =>
      how === 'in lots' ? lotControlled : !lotControlled && isPlenty(number)
    const old = world.items.filter((item) => item.discontinued && item.sites.length > 1 && isMeant(item))
    const { number: sku, company, sites } = old[drawInteger(seed, 'carries', nth, [0, old.length - 1])]!
    return { company, sku, sites: draw(seed, 'from', nth) < 0.5 ? sites : sites.toReversed() }
  }
}

const lyingOf = ({ available, inTransit, ...place }: Readonly<Record<keyof Lying, string>>): Lying => ({
  ...place,
  available: Number(available),
  inTransit: Number(inTransit),
})
const isThere = ({ available, inTransit }: Lying): boolean => available !== 0 || inTransit !== 0
const textOf = ({ location, lot, available, inTransit }: Lying): string =>
  `${location} ${lot}: ${available} and ${inTransit} in transit`
const texts = (found: readonly string[]) => found.map((text) => ({ text }))
const lineOf = ({ lot }: Load, quantity: number) => ({ ...(lot && { lot }), quantity })

/** All that was sent has arrived or is known to be lost, and what came back has been looked at. */
export async function transfersAmiss(query: Query): Promise<Violation[]> {
  const left = await query<{ text: string }>(`
    select concat_ws(' ', 'item', item_id, location, lot, trim_scale(in_transit), trim_scale(quarantine)) as text
    from inventory.position where in_transit <> 0 or quarantine <> 0`)
  return unequal('what was sent has arrived and what came back has gone', left, [])
}
