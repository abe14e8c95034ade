/** What warehouses tell of lots, as far as it is for a person: one that is not told, another than was asked for, one that is held, one that expires on two days. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { expiriesOf, heldLots, learnExpiries } from '#domains/inventory/operations/lots.ts'
import type { ControlledItem } from '#domains/items/operations.ts'
import type { NewShipment } from '#domains/shipments/contract.ts'
import type { ConfirmedShipment } from '#domains/shipments/operations.ts'
import { orderNumber, type ProcessPorts, shipmentNumber } from './ports.ts'

/** What left has left, so it is booked all the same; somebody asks the warehouse which lots it was. */
export async function reportMissingLots(
  tx: Transaction,
  ports: ProcessPorts,
  shipments: readonly NewShipment[],
  controlled: ReadonlyMap<number, ControlledItem>,
): Promise<void> {
  const bare = shipments.flatMap((shipment) =>
    shipment.lines.flatMap((line) => (line.lot === null ? [{ shipment, line }] : [])),
  )
  await ports.openExceptions(
    tx,
    bare.flatMap(({ shipment: { doc, company, location }, line: { itemId, quantity } }) => {
      const { sku, lots = false } = controlled.get(itemId) ?? {}
      if (!lots) return []
      return [
        {
          company,
          cause: `shipments.lot_missing:${location}:${itemId}`,
          code: 'shipments.lot_missing',
          title: `${location} ships ${sku} without saying which lots`,
          suggestedAction:
            'Ask the warehouse which lots left and note them; a recall finds the goods by nothing else.',
          facts: { sku, shipment: shipmentNumber(doc), quantity: formatQuantity(quantity) },
          affects: { doc, kind: 'shipment' },
        },
      ]
    }),
  )
}

/** It is booked as it left; somebody asks why, since what expires first stays behind. */
export async function reportOtherLots(
  tx: Transaction,
  ports: ProcessPorts,
  confirmed: readonly ConfirmedShipment[],
  skuOf: (orderId: number, line: number) => string,
): Promise<void> {
  const told = confirmed.flatMap(({ shipment, otherLots }) =>
    shipment ? otherLots.map((other) => ({ shipment, other })) : [],
  )
  if (told.length === 0) return
  await ports.openExceptions(
    tx,
    told.map(({ shipment: { doc, company, location, orderId }, other }) => {
      const sku = skuOf(orderId, other.line)
      return {
        company,
        cause: `shipments.lot_differs:${location}:${other.itemId}`,
        code: 'shipments.lot_differs',
        title: `${location} ships ${sku} from other lots than it was asked for`,
        suggestedAction:
          'It is booked as it left. Ask the warehouse why the lots of the request stay behind.',
        facts: {
          sku,
          shipment: shipmentNumber(doc),
          asked: other.asked,
          shipped: other.lot,
          quantity: formatQuantity(other.quantity),
        },
        affects: { doc, kind: 'shipment' },
      }
    }),
  )
}

/** Of what left, the first day on which the customer lets it expire. */
export type MinimumExpiryOf = (shipment: NewShipment, line: number) => string | null | undefined

/** It is booked as it left; somebody asks the customer whether it is kept. */
export async function reportShortLives(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  shipments: readonly NewShipment[],
  { minimumOf, skuOf }: { readonly minimumOf: MinimumExpiryOf; readonly skuOf: SkuOf },
): Promise<void> {
  const left = shipments.flatMap((shipment) =>
    shipment.lines.flatMap(({ line, itemId, lot, expiresOn, quantity }) => {
      const minimum = minimumOf(shipment, line)
      if (!minimum || lot === null) return []
      return [{ shipment, company: shipment.company, line, itemId, lot, expiresOn, quantity, minimum }]
    }),
  )
  if (left.length === 0) return
  const knownOf = await expiriesOf(
    tx,
    left.filter(({ expiresOn }) => expiresOn === null),
  )
  await ports.openExceptions(
    tx,
    left.flatMap(({ shipment: { doc, orderId, location }, itemId, lot, ...one }) => {
      const expiresOn = one.expiresOn ?? knownOf(itemId, lot)
      if (expiresOn === undefined || expiresOn >= one.minimum) return []
      const sku = skuOf(orderId, one.line)
      return [
        {
          company: one.company,
          cause: `shipments.shelf_life_short:${orderId}:${itemId}:${lot}`,
          code: 'shipments.shelf_life_short',
          title: `Lot ${lot} of ${sku} left ${location} for ${orderNumber(orderId)} and does not live long enough`,
          suggestedAction:
            'Ask the customer whether it is kept, else have it returned and send other goods; ask the warehouse why it picked the lot.',
          facts: {
            sku,
            lot,
            location,
            shipment: shipmentNumber(doc),
            expiresOn,
            wantedUntil: one.minimum,
            quantity: formatQuantity(one.quantity),
          },
          affects: { doc: orderId, kind: 'order' },
        },
      ]
    }),
  )
}

type SkuOf = (orderId: number, line: number) => string

const heldShippedCause = (itemId: number, lot: string): string =>
  `shipments.held_lot_shipped:${itemId}:${lot}`

/** What is held has left nonetheless: somebody stops it on its way. Sent behind the lock of its stock. */
export async function reportHeldShipped(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  shipments: readonly NewShipment[],
  skuOf: (orderId: number, line: number) => string,
): Promise<void> {
  const told = shipments.flatMap(({ doc, company, location, orderId, lines }) =>
    lines.flatMap(({ line, itemId, lot, quantity }): LotLeft[] => {
      const of = { company, location, itemId, quantity, order: orderNumber(orderId) }
      const affects = { doc, kind: 'shipment' }
      return lot === null
        ? []
        : [{ ...of, lot, sku: skuOf(orderId, line), document: shipmentNumber(doc), affects }]
    }),
  )
  await reportHeldLeft(tx, ports, told)
}

/** So much of a lot as it left. */
export type LotLeft = Pick<ToldLot, 'company' | 'itemId' | 'lot' | 'sku' | 'location'> & {
  readonly quantity: Quantity
  readonly order: string
  /** By which people know that it left. */
  readonly document: string
  readonly affects: { readonly doc: number; readonly kind: string }
}

export async function reportHeldLeft(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  left: readonly LotLeft[],
): Promise<void> {
  const held = await heldLots(tx, left)
  await ports.openExceptions(
    tx,
    left
      .filter(({ itemId, lot }) => held(itemId, lot))
      .map(({ company, itemId, lot, sku, location, document, order, quantity, affects }) => ({
        company,
        cause: heldShippedCause(itemId, lot),
        code: 'shipments.held_lot_shipped',
        title: `Lot ${lot} of ${sku} left ${location} although it is held`,
        suggestedAction: `Stop it on its way, or call the customer. All that left of it: GET /process/inventory/v1/lots/${lot}/shipments`,
        facts: { sku, lot, location, document, order, quantity: formatQuantity(quantity) },
        affects,
      })),
  )
}

/** The lot is good. */
export const settleHeldShipped = (
  tx: Transaction,
  { company, itemId, lot }: Pick<ToldLot, 'company' | 'itemId' | 'lot'>,
): Promise<unknown> =>
  closeExceptions(tx, [{ company, cause: heldShippedCause(itemId, lot) }], 'the lot was released')

/** A lot as it was told, with the day on which it expires. */
export type ToldLot = {
  readonly company: string
  readonly itemId: number
  readonly sku: string
  readonly lot: string
  readonly expiresOn: string
  readonly source: string
  readonly location: string
}

/** The first day that is told of a lot stands until a person says another. Answers the items of lots that have one now. */
export async function learnLots(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  told: readonly ToldLot[],
): Promise<number[]> {
  const { fresh, differing } = await learnExpiries(tx, told)
  const dated = fresh.map(({ itemId }) => itemId)
  if (differing.length === 0) return dated
  await ports.openExceptions(
    tx,
    differing.map(({ told: { company, itemId, sku, lot, expiresOn, source, location }, known }) => ({
      company,
      cause: expiryCause(itemId, lot),
      code: 'inventory.lot_expiry_differs',
      title: `${source} tells that lot ${lot} of ${sku} expires on ${expiresOn}; ${known} is known of it`,
      suggestedAction: 'Look at the goods or their papers, then say when the lot expires: POST …/lots:set',
      facts: { sku, lot, location, known, told: expiresOn, source },
    })),
  )
  return dated
}

const expiryCause = (itemId: number, lot: string): string => `inventory.lot_expiry_differs:${itemId}:${lot}`

/** A person has said when it expires. */
export const settleExpiry = (
  tx: Transaction,
  { company, itemId, lot }: Pick<ToldLot, 'company' | 'itemId' | 'lot'>,
): Promise<unknown> =>
  closeExceptions(tx, [{ company, cause: expiryCause(itemId, lot) }], 'a person said when it expires')
