/** What people entered for warehouses, beside the requests that these tell of, and what the comparison comes to. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Reservation } from '#domains/inventory/contract.ts'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import { reservationsOf } from '#domains/inventory/operations.ts'
import {
  handRowsOfRequests,
  HandRows,
  type FoundAfterAll,
  type LeftOtherwise,
  type ToldAgain,
} from '#domains/inventory/operations/by-hand.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import { knownShipmentsOf } from '#domains/shipments/operations/by-hand.ts'
import type { NeverLeft } from './billed-by-hand.ts'
import type { LotLeft } from './lots.ts'

/** The source of what people enter for warehouses. */
export const BY_HAND = 'by-hand'

/** By name of what is compared: a line, and its lot where that is known. */
export type Compared = Readonly<Record<string, string>>

export type HandTold = {
  readonly request: Fulfillment
  readonly source: string
  readonly what: 'shipment' | 'pick'
  readonly rows: readonly HandRow[]
  readonly entered: Compared
  readonly told: Compared
  /** The names of what differs. */
  readonly differs: readonly string[]
  /** What of a shipment by paper never left. */
  readonly neverLeft?: readonly NeverLeft[]
  /** What left, was called short, and is wanted by nobody any more. */
  readonly unbilled?: readonly { readonly line: number; readonly quantity: Quantity }[]
}

/** Units of a line that left, by their serials. */
export type NamedUnits = {
  readonly company: string
  readonly location: string
  readonly itemId: number
  readonly lot: string
  readonly serials: readonly string[]
  readonly source: string
  readonly sourceKey: string
  readonly shipment: number
  readonly orderId: number
  readonly at: Date
}

export type HandBooks = {
  /** By request, counted down as messages are taken. */
  readonly rows: Map<number, HandRows>
  readonly told: HandTold[]
  /** Shipments of warehouses that are not kept as such, since they were entered before. */
  readonly shipments: {
    readonly source: string
    readonly sourceKey: string
    readonly fulfillmentId: number
  }[]
  readonly differences: LeftOtherwise[]
  /** What of it left of a lot. */
  readonly otherwise: LotLeft[]
  readonly again: ToldAgain[]
  /** What was called short and leaves after all, as far as its order still wants it. */
  readonly found: FoundAfterAll[]
  /** What orders wait for, by line, and what they keep of it: counted down as it leaves after all. */
  readonly waiting: Map<string, Quantity>
  readonly claims: Reservation[]
  readonly givenBack: Reservation[]
  /** What left after all and is asked for elsewhere, or has left from there. */
  readonly twice: {
    readonly request: Fulfillment
    readonly line: number
    readonly quantity: Quantity
    /** Nothing of it is booked before a person has it replayed. */
    readonly isParked?: boolean
  }[]
  /** Told of what was entered before. */
  readonly units: NamedUnits[]
}

/** Asks nothing where nobody has entered anything, and nothing has left of a request that had ended. */
export async function openHands(
  tx: Transaction,
  requests: readonly Fulfillment[],
  late: ReadonlySet<number>,
): Promise<HandBooks & { readonly known: readonly string[] }> {
  const docs = requests.flatMap(({ doc, byHand }) => (byHand ? [doc] : []))
  const orders = requests.flatMap(({ doc, orderId, byHand }) => (byHand || late.has(doc) ? [orderId] : []))
  const [rows, known, claims] = await Promise.all([
    docs.length > 0 ? handRowsOfRequests(tx, docs) : [],
    docs.length > 0 ? knownShipmentsOf(tx, docs) : [],
    orders.length > 0 ? reservationsOf(tx, [...new Set(orders)]) : [],
  ])
  return {
    rows: new Map(
      [...Map.groupBy(rows, ({ fulfillmentId }) => fulfillmentId!)].map(([doc, own]) => [
        doc,
        HandRows.of(own),
      ]),
    ),
    known: known.map(({ source, sourceKey }) => `${source} ${sourceKey}`),
    told: [],
    shipments: [],
    differences: [],
    otherwise: [],
    found: [],
    waiting: new Map(),
    claims: [...claims],
    givenBack: [],
    twice: [],
    again: [],
    units: [],
  }
}
