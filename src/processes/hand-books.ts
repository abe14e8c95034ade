/** What people entered for warehouses, beside the requests that these tell of, and what the comparison comes to. */
import type { Transaction } from '#platform/database.ts'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import {
  handRowsOfRequests,
  HandRows,
  type LeftOtherwise,
  type ToldAgain,
} from '#domains/inventory/operations/by-hand.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import { knownShipmentsOf } from '#domains/shipments/operations/by-hand.ts'

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
  readonly again: ToldAgain[]
  /** Told of what was entered before. */
  readonly units: NamedUnits[]
}

/** Asks nothing where nobody has entered anything. */
export async function openHands(
  tx: Transaction,
  requests: readonly Fulfillment[],
): Promise<HandBooks & { readonly known: readonly string[] }> {
  const docs = requests.flatMap(({ doc, byHand }) => (byHand ? [doc] : []))
  const [rows, known] =
    docs.length === 0
      ? [[], []]
      : await Promise.all([handRowsOfRequests(tx, docs), knownShipmentsOf(tx, docs)])
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
    again: [],
    units: [],
  }
}
