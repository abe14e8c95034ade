/** Channels that reserve one item, and what becomes of their reservations, step by step, as processes do it. */
import type { ChannelReservation } from '#domains/inventory/contract/reservations.ts'
import { coverableLines, lockUnclaimedStock, releaseOrders, reserve } from '#domains/inventory/operations.ts'
import { setAllocations } from '#domains/inventory/operations/allocations.ts'
import {
  changeReservations,
  expireReservations,
  grantReservations,
  isOpen,
  lockReservations,
  openOf,
  splitReservation,
  takeAway,
  takingsOf,
} from '#domains/inventory/operations/reservations.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { newDoc, PLACES } from '#tests/domains/inventory/claimants.ts'
import { COMPANY, newItem, NORTH, receive } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

const CAUSE = { source: 'test', actor: 'test' }
const AT = new Date('2026-03-02T09:00:00Z')
const LATER = new Date('2100-01-01T00:00:00Z')

export type ChannelStep =
  | 'receive'
  | 'reserve'
  | 'extend'
  | 'firm'
  | 'release'
  | 'split'
  | 'expire'
  | 'order'
  | 'cancel'
  | 'keep'

export type Turn = { readonly step: ChannelStep; readonly quantity: Quantity; readonly channel: string }

/** Everything or nothing; answers what was granted. */
export async function grant(
  tx: Transaction,
  itemId: number,
  { quantity, channel, kind = 'soft' }: { quantity: Quantity; channel: string; kind?: 'soft' | 'firm' },
): Promise<ChannelReservation | undefined> {
  const stock = await lockUnclaimedStock(tx, [itemId], PLACES)
  const asked = [{ itemId, quantity }]
  if (coverableLines(stock.of(channel, [itemId], PLACES), asked, PLACES).length === 0) return undefined
  const places = stock.allocate(channel, asked, PLACES)[0]!
  const line = { n: 1, line: '1', itemId, sku: 'X', baseUnit: 'EA', unit: 'EA' }
  const ended = { committed: 0, released: 0, expired: 0 }
  const made: ChannelReservation = {
    id: newDoc(),
    company: COMPANY,
    client: 'test',
    partner: null,
    channel,
    reference: 'walk',
    class: 'standard',
    priority: 5,
    kind,
    expiresAt: kind === 'soft' ? LATER : null,
    version: 1,
    createdAt: AT,
    endedAt: null,
    lines: [
      { ...line, ...ended, requested: quantity, wanted: quantity, granted: quantity, open: quantity, places },
    ],
  }
  grantReservations(tx, [made], CAUSE)
  return made
}

export class ChannelWalk {
  readonly item = newItem()
  supply: Quantity = 0
  readonly #db: OpenDatabase
  readonly #database: Database
  #reservations: number[] = []
  readonly #orders: number[] = []

  constructor(db: OpenDatabase) {
    this.#db = db
    this.#database = db.database
  }

  get reservations(): readonly number[] {
    return this.#reservations
  }

  async take({ step, quantity, channel }: Turn): Promise<void> {
    if (step === 'receive') {
      this.supply += quantity
      await receive(this.#db, this.item, quantity, NORTH)
    } else if (step === 'reserve') await this.#reserve(quantity, channel)
    else if (step === 'cancel')
      await this.#database.transaction((tx) => releaseOrders(tx, this.#orders.splice(-1)))
    else if (step === 'keep') await this.#keep(quantity, channel)
    else if (step === 'expire') await this.#expire()
    else await this.#act(step, quantity)
  }

  async #reserve(quantity: Quantity, channel: string): Promise<void> {
    const made = await this.#database.transaction((tx) => grant(tx, this.item, { quantity, channel }))
    if (made) this.#reservations.push(made.id)
  }

  async #keep(quantity: Quantity, channel: string): Promise<void> {
    const allocations = [
      { name: 'safety', kind: 'safety', channels: [], within: null, quantity: units(1) },
      { name: channel, kind: 'minimum', channels: [channel], within: 'all', quantity },
      { name: 'all', kind: 'pool', channels: ['shop', 'portal'], within: null, quantity: units(3) },
    ] as const
    const place = { company: COMPANY, itemId: this.item, location: NORTH, allocations }
    await this.#database.transaction((tx) => setAllocations(tx, [place], 'test'))
  }

  async #expire(): Promise<void> {
    await this.#db.run(
      `update inventory.channel_reservation set expires_at = now() where id = $1 and kind = 'soft'`,
      [this.#reservations.at(-1) ?? 0],
    )
    await this.#database.transaction((tx) => expireReservations(tx, 10, CAUSE))
    await this.#database.transaction((tx) => expireReservations(tx, 10, CAUSE))
  }

  async #act(step: 'extend' | 'firm' | 'release' | 'split' | 'order', quantity: Quantity): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const locked = await lockReservations(tx, this.#reservations)
      const open = [...locked.values()].map(({ reservation }) => reservation).filter(isOpen)
      const reservation = open.at(-1)
      if (!reservation) return
      const line = reservation.lines[0]!
      const takings = takingsOf(line, Math.min(quantity, line.open))
      if (step === 'extend' || step === 'firm') {
        const kind = step === 'firm' ? 'firm' : reservation.kind
        const changed = { ...reservation, kind, expiresAt: kind === 'firm' ? null : LATER } as const
        changeReservations(tx, [{ reservation: changed, type: `reservation.${step}`, data: {} }], CAUSE)
      } else if (step === 'split') {
        const into = { id: newDoc(), channel: 'other', reference: 'split', createdAt: AT }
        splitReservation(tx, { reservation, takings, into }, String, CAUSE)
        this.#reservations = [...this.#reservations, into.id]
      } else if (step === 'release')
        await takeAway(tx, [{ reservation, takings: openOf(reservation) }], 'released', CAUSE)
      else await this.#order(tx, reservation, takings)
    })
  }

  /** An order takes a part over: the claims become its own. */
  async #order(
    tx: Transaction,
    reservation: ChannelReservation,
    takings: ReturnType<typeof takingsOf>,
  ): Promise<void> {
    await takeAway(tx, [{ reservation, takings }], 'committed', CAUSE)
    const doc = newDoc()
    const allocations = takings.map(({ location, quantity }) => ({ location, quantity }))
    const line = { doc, line: 1, company: COMPANY, channel: 'shop', itemId: this.item, allocations }
    reserve(tx, [{ ...line, backordered: 0, waited: false }])
    this.#orders.push(doc)
  }
}
