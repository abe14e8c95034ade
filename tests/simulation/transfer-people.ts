/** People who send goods from place to place and back, enter the papers in any order, and take goods back from customers. */
import { draw, drawInteger } from '#landscape/random.ts'
import type { World } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Violation } from './checkers.ts'
import type { WholeDay } from './day.ts'
import { PLENTY } from './stock-people.ts'
import { unequal } from './supply-checkers.ts'

export type TransferPeople = {
  readonly open: () => number
  readonly wrong: readonly string[]
}

type Parts = CallerParts & { readonly seed: string; readonly world: World; readonly day: WholeDay }

const ADJUSTMENTS = '/process/inventory/v1/adjustments'
const TIMES: [number, number] = [1, 2]
const SENT: [number, number] = [4, 40]
const PAUSE_MS: [number, number] = [0, 1_200]

type Line = { readonly kind: string; readonly location: string; readonly quantity: number } & Readonly<
  Record<string, string | number>
>
type Goods = {
  readonly company: string
  readonly sku: string
  readonly sites: string[]
}

export function openTransferPeople(parts: Parts): TransferPeople {
  const work = new TransferWork(parts)
  for (let nth = 0; nth < drawInteger(parts.seed, 'transfers', 0, TIMES); nth++) work.begin(nth)
  return work
}

class TransferWork implements TransferPeople {
  readonly wrong: string[] = []
  readonly #parts: Parts
  readonly #caller
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#caller = openCaller(parts)
  }

  open = (): number => this.#open

  begin(nth: number): void {
    const { seed, scheduler, outside, day } = this.#parts
    const goods = this.#goods(nth)
    for (const [name, work] of [
      ['carry', this.#carry],
      ['take-back', this.#takeBack],
    ] as const) {
      this.#open++
      scheduler.after(drawInteger(seed, `${name} begins`, nth, [0, day.withinMs]), {
        actor: outside,
        label: name,
        run: () => void work(goods, `${name}-${nth}`).finally(() => this.#open--),
      })
    }
  }

  /** There and back; what got lost on the way is found where it came from, so both sides have the same in the end. */
  readonly #carry = async (goods: Goods, key: string): Promise<void> => {
    const { seed } = this.#parts
    const [here, there] = goods.sites as [string, string]
    const quantity = drawInteger(seed, 'carried', key, SENT)
    const lost = draw(seed, 'carried-lost', key) < 0.4 ? Math.ceil(quantity / 4) : 0
    await this.#journey(goods, `${key}-out`, { here, there, quantity, lost })
    await this.#pause(`${key}-there`)
    await this.#journey(goods, `${key}-back`, {
      here: there,
      there: here,
      quantity: quantity - lost,
      lost: 0,
    })
    if (lost > 0)
      await this.#enter(goods, `${key}-found`, [{ kind: 'found', location: here, quantity: lost }])
  }

  /** Two parts arrive, whichever paper is entered first. */
  async #journey(
    goods: Goods,
    transfer: string,
    { here, there, quantity, lost }: { here: string; there: string; quantity: number; lost: number },
  ): Promise<void> {
    const first = Math.ceil((quantity - lost) / 2)
    const arrives = (part: string, some: number): Promise<void> =>
      this.#enter(goods, `${transfer}-${part}`, [
        { kind: 'arrived', location: there, transfer, quantity: some },
      ])
    const papers = [
      () =>
        this.#enter(goods, `${transfer}-sent`, [
          { kind: 'sent', location: here, to: there, transfer, quantity },
        ]),
      () => arrives('first', first),
      () => arrives('rest', quantity - lost - first),
    ]
    await Promise.all(
      papers.map(async (enter, nth) => {
        await this.#pause(`${transfer}-${nth}`)
        await enter()
      }),
    )
    if (lost > 0)
      await this.#enter(goods, `${transfer}-missing`, [
        { kind: 'missing', location: there, transfer, quantity: lost },
      ])
  }

  /** What comes back is thrown away when somebody has looked at it. */
  readonly #takeBack = async (goods: Goods, key: string): Promise<void> => {
    const [location] = goods.sites as [string]
    const quantity = drawInteger(this.#parts.seed, 'returned', key, SENT)
    await this.#enter(goods, `${key}-returned`, [{ kind: 'returned', location, quantity }])
    await this.#pause(key)
    await this.#enter(goods, `${key}-lost`, [{ kind: 'lost', status: 'quarantine', location, quantity }])
  }

  /** What is worth more than one may change alone is approved by another. */
  async #enter({ company, sku }: Goods, key: string, lines: readonly Line[]): Promise<void> {
    const named = lines.filter(({ quantity }) => quantity > 0)
    if (named.length === 0) return
    const entered = await this.#caller.post(ADJUSTMENTS, key, {
      company,
      reason: 'transfer',
      reference: key,
      lines: named.map((line) => ({ ...line, sku, quantity: String(line.quantity) })),
    })
    const { id, state } = JSON.parse(entered.body) as { readonly id?: string; readonly state?: string }
    if (state === 'booked') return
    if (state !== 'pending') return void this.wrong.push(`${key}: ${entered.status} ${entered.body}`)
    const reason = { reason: 'seen' }
    const decided = await this.#caller.post(`${ADJUSTMENTS}/${id}:approve`, `${key}-ok`, reason, 'controller')
    if (decided.status !== 200) this.wrong.push(`${key} was not approved: ${decided.body}`)
  }

  #pause(key: string): Promise<void> {
    return this.#caller.sleep(drawInteger(this.#parts.seed, 'transfer-pause', key, PAUSE_MS))
  }

  /** Of what nobody orders any more and two places have plenty of; an ERP opens the books of lots without them. */
  #goods(nth: number): Goods {
    const { seed, world } = this.#parts
    const isPlenty = (item: string): boolean =>
      world.stock.every((row) => row.item !== item || row.status !== 'available' || row.quantity >= PLENTY)
    const old = world.items.filter(
      ({ number, discontinued, lotControlled, sites }) =>
        discontinued && !lotControlled && sites.length > 1 && isPlenty(number),
    )
    const { number: sku, company, sites } = old[drawInteger(seed, 'carries', nth, [0, old.length - 1])]!
    return { company, sku, sites: draw(seed, 'from', nth) < 0.5 ? sites : sites.toReversed() }
  }
}

/** All that was sent has arrived or is known to be lost, and what came back has been looked at. */
export async function transfersAmiss(query: Query): Promise<Violation[]> {
  const left = await query<{ text: string }>(`
    select concat_ws(' ', 'item', item_id, location, lot, trim_scale(in_transit), trim_scale(quarantine)) as text
    from inventory.position where in_transit <> 0 or quarantine <> 0`)
  return unequal('what was sent has arrived and what came back has gone', left, [])
}
