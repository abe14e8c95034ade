/** Orders that reserve and what becomes of their claims, step by step, as processes do it. */
import {
  allocateOrder,
  handOver,
  lockChannelStock,
  releaseOrders,
  reservationsOf,
  reserve,
  ship,
  takeBack,
} from '#domains/inventory/operations.ts'
import {
  changeFulfillments,
  confirmShipments,
  requestFulfillments,
  writeOffRequests,
} from '#domains/shipments/operations.ts'
import { fulfillmentsOf, linesOfFulfillments } from '#domains/shipments/views.ts'
import type { Transaction } from '#platform/database.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { AT, COMPANY, newItem, NORTH, receive, SOUTH } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

const CAUSE = { source: 'test', actor: 'test' }
export const PLACES = [NORTH, SOUTH]
let docs = 0
/** A document number that no other test of the file uses. */
export const newDoc = (): number => ++docs

export type Wish = { readonly itemId: number; readonly quantity: Quantity }

/** Gives an order what there is, as processes do; answers what it was given of each line. */
export async function order(
  tx: Transaction,
  doc: number,
  wishes: readonly Wish[],
  waited = false,
): Promise<Quantity[]> {
  const { rest: free } = await lockChannelStock(
    tx,
    wishes.map((wish) => wish.itemId),
    PLACES,
  )
  const given = allocateOrder(free, wishes, PLACES)
  const quantities = given.map((some) => some.reduce((sum, { quantity }) => sum + quantity, 0))
  reserve(
    tx,
    wishes.map(({ itemId, quantity }, place) => ({
      doc,
      line: place + 1,
      company: COMPANY,
      channel: 'api',
      itemId,
      allocations: given[place]!,
      backordered: quantity - quantities[place]!,
      waited,
    })),
  )
  return quantities
}

export type Step = 'order' | 'release' | 'ship' | 'shortPick' | 'refuse' | 'cancel' | 'receive'

/** Orders for one item, taken on step by step. */
export class Walk {
  readonly #db: OpenDatabase
  readonly item = newItem()
  readonly #orders: number[] = []
  readonly #requests: number[] = []

  constructor(db: OpenDatabase) {
    this.#db = db
  }

  async take(step: Step, quantity: Quantity): Promise<void> {
    const last = this.#orders.at(-1)
    if (step === 'receive')
      await receive(this.#db, this.item, quantity, units(1) === quantity % units(2) ? SOUTH : NORTH)
    else if (step === 'order') await this.#order(quantity)
    else if (step === 'cancel')
      await this.#db.database.transaction((tx) => releaseOrders(tx, last ? [last] : []))
    else if (step === 'release') await this.#release()
    else if (step === 'refuse') await this.#refuse()
    else await this.#ship(quantity, step === 'shortPick')
  }

  async #order(quantity: Quantity): Promise<void> {
    this.#orders.push(newDoc())
    const wishes = [
      { itemId: this.item, quantity },
      { itemId: this.item, quantity: 1 },
    ]
    await this.#db.database.transaction((tx) => order(tx, this.#orders.at(-1)!, wishes))
  }

  async #release(): Promise<void> {
    await this.#db.database.transaction(async (tx) => {
      const claims = await reservationsOf(tx, this.#orders)
      const groups = Map.groupBy(claims, (claim) => `${claim.doc} ${claim.location}`)
      const requests = [...groups.values()].map((group) => {
        const { doc: orderId, company, location } = group[0]!
        return { doc: newDoc(), orderId, company, location, lines: group }
      })
      this.#requests.push(...requests.map((request) => request.doc))
      requestFulfillments(tx, requests, CAUSE)
      handOver(
        tx,
        requests.map(({ orderId, location }) => ({ doc: orderId, location })),
      )
    })
  }

  async #refuse(): Promise<void> {
    await this.#db.database.transaction(async (tx) => {
      const requests = new Map(
        (await fulfillmentsOf(tx, this.#requests)).map((request) => [request.doc, request]),
      )
      const lines = await writeOffRequests(tx, this.#requests)
      takeBack(
        tx,
        lines.map(({ doc, ...line }) => {
          const { orderId, company, location } = requests.get(doc)!
          return { ...line, doc: orderId, company, location }
        }),
      )
      await changeFulfillments(
        tx,
        [...requests.values()].map((row) => ({ ...row, data: {} })),
        'refused',
        CAUSE,
      )
    })
    this.#requests.length = 0
  }

  /** Ships the newest request, in part where it asks for more; a short pick gives the rest back. */
  async #ship(quantity: Quantity, final: boolean): Promise<void> {
    await this.#db.database.transaction(async (tx) => {
      const [fulfillment] = await fulfillmentsOf(tx, this.#requests.slice(-1))
      if (!fulfillment) return
      const { doc, orderId, company, location } = fulfillment
      const quantities = (await linesOfFulfillments(tx, [doc])).map((line) => {
        const open = line.quantity - line.shipped - line.short
        const shipped = Math.min(open, quantity)
        return { line: line.line, shipped, short: final ? open - shipped : 0 }
      })
      const shipmentDoc = newDoc()
      const sourceKey = `S-${shipmentDoc}`
      const common = { doc: shipmentDoc, company, location, source: 'wms-test', sourceKey }
      const departed = await ship(
        tx,
        quantities.map(({ shipped, short }) => ({
          ...common,
          itemId: this.item,
          lot: '',
          quantity: shipped,
          claimEnds: shipped + short,
          short,
          at: AT,
        })),
      )
      if (departed.length > 0) throw new Error('what was reserved could not leave')
      const shipment = { ...common, orderId, fulfillmentId: doc, carrier: 'X', service: null, shippedAt: AT }
      await confirmShipments(
        tx,
        [
          {
            fulfillment,
            shipment: { ...shipment, packages: [], lines: [] },
            otherLots: [],
            quantities,
            final,
          },
        ],
        CAUSE,
      )
    })
  }
}
