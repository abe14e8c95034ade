/** What came of comparing warehouses with what people entered for them: kept, in the order's story, and told where it differs. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import type { Cause } from '#platform/log.ts'
import type { Money } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import { correctLeft, endByHand } from '#domains/inventory/operations/by-hand.ts'
import type { Shortfall } from '#domains/inventory/operations.ts'
import { noteKnownShipments } from '#domains/shipments/operations/by-hand.ts'
import { tellOverrides } from '#domains/shipments/operations.ts'
import { type BilledTooMuch, billedTooMuch, type NeverLeft } from './billed-by-hand.ts'
import type { HandBooks, HandTold } from './hand-books.ts'
import { reportHeldLeft } from './lots.ts'
import { adjustmentNumber, fulfillmentNumber, type ProcessPorts, shipmentNumber } from './ports.ts'

const DOES = { shipment: 'ship the request', pick: 'pick the request' } as const
export const UNTOLD = 'inventory.by_hand_untold'

/** Answers where stock was put right. */
export async function endHands(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  hand: HandBooks,
  cause: Cause,
): Promise<Shortfall[]> {
  const ended = [...hand.rows.values()].flatMap(({ changed }) => changed)
  // a shipment ends what was picked by paper, also where nothing of it was shipped by paper
  if (ended.length === 0 && hand.told.length === 0 && hand.shipments.length === 0) return []
  endByHand(tx, ended)
  noteKnownShipments(tx, hand.shipments)
  const shortfalls = await correctLeft(tx, hand.differences, hand.again)
  await reportHeldLeft(tx, ports, hand.otherwise)
  await tellRequests(tx, hand.told, cause)
  const billed = await billedTooMuch(
    tx,
    hand.told.flatMap(({ neverLeft = [] }) => neverLeft),
  )
  await ports.openExceptions(
    tx,
    hand.told.flatMap((one) => differenceOf(one, billed)),
  )
  await closeUntold(
    tx,
    ended.flatMap(({ row, outcome }) => (outcome === null ? [] : [row])),
  )
  return shortfalls
}

/** In the words of what people decide on steps: the system's own word stands from now on. A request is told once. */
async function tellRequests(tx: Transaction, told: readonly HandTold[], cause: Cause): Promise<void> {
  const rows = [...Map.groupBy(told, ({ request }) => request.doc).values()].map((group) => {
    const { request, what } = group[0]!
    return {
      ...request,
      data: {
        act: 'complete',
        step: 'by hand',
        does: DOES[what],
        entered: Object.assign({}, ...group.map(({ entered }) => entered)) as object,
        told: Object.assign({}, ...group.map((one) => one.told)) as object,
        differs: group.flatMap(({ differs }) => differs),
      },
    }
  })
  await tellOverrides(tx, { kind: 'fulfillment', event: 'override_superseded' }, rows, cause)
}

const said = (words: Readonly<Record<string, string>>): string =>
  Object.entries(words)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ') || 'nothing'

/** What was billed by paper stays billed: a posted invoice never changes, so a person credits it. */
function adviceOf({ what, unbilled = [] }: HandTold, billed: readonly BilledTooMuch[]): string {
  if (what === 'pick') return 'Look at the paper with the warehouse; what it ships settles what was picked.'
  const less = billed.map(({ words }) => words)
  const more = unbilled.map(
    ({ line, quantity }) =>
      `${formatQuantity(quantity)} of line ${line} has left and is not billed: bill it in the ERP, or have it come back`,
  )
  const credit =
    less.length > 0
      ? [...less, 'if the warehouse is right credit that in the ERP, and order anew what is still wanted']
      : []
  return [
    'Look at the paper with the warehouse. Stock follows the warehouse, and what it shipped more is shipped and billed as far as it is still wanted',
    ...credit,
    ...more,
    'if the paper is right put stock right as an adjustment',
  ].join('; ')
}

function valueOf(billed: readonly BilledTooMuch[]): Money | undefined {
  const worth = billed.map(({ value }) => value)
  const [first] = worth
  return first && { ...first, amountMinor: worth.reduce((sum, { amountMinor }) => sum + amountMinor, 0) }
}

function differenceOf(difference: HandTold, billedOf: ReadonlyMap<NeverLeft, BilledTooMuch>): Occurrence[] {
  const { request, source, rows, entered, told, differs, neverLeft = [] } = difference
  const billed = neverLeft.map((one) => billedOf.get(one)!)
  if (differs.length === 0) return []
  const number = fulfillmentNumber(request.doc)
  const papers = [...new Set(rows.map(({ reference }) => reference))]
  return [
    {
      company: request.company,
      cause: `shipments.by_hand_differs:${number}`,
      code: 'shipments.by_hand_differs',
      title: `${source} tells of ${number} ${said(told)}, where people entered ${said(entered)}`,
      suggestedAction: adviceOf(difference, billed),
      facts: { entered, told, papers, actors: [...new Set(rows.map(({ actor }) => actor))] },
      affects: { doc: request.orderId, kind: 'order', value: valueOf(billed) },
    },
  ]
}

/** A count or a return that a warehouse tells otherwise than people had entered it. */
export type StockDiffers = {
  readonly company: string
  readonly sku: string
  readonly location: string
  readonly source: string
  readonly told: Quantity
  readonly rows: readonly HandRow[]
  readonly differs: boolean
}

export async function tellStockByHand(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  compared: readonly StockDiffers[],
): Promise<void> {
  if (compared.length === 0) return
  await ports.openExceptions(tx, compared.filter(({ differs }) => differs).map(occurrenceOf))
  await closeUntold(
    tx,
    compared.flatMap(({ rows }) => rows),
  )
}

function occurrenceOf({ company, sku, location, source, told, rows }: StockDiffers): Occurrence {
  const entered = rows.reduce((sum, { open }) => sum + open, 0)
  const [kind] = rows.map((row) => row.kind)
  return {
    company,
    cause: `inventory.by_hand_differs:${location}:${sku}:${rows[0]!.id}`,
    code: 'inventory.by_hand_differs',
    title: `${source} tells a ${kind} of ${formatQuantity(told)} of ${sku} at ${location}, where people entered ${formatQuantity(entered)}`,
    suggestedAction:
      'The difference is booked. Count the item; where the paper was right, put it right as an adjustment.',
    facts: {
      entered: formatQuantity(entered),
      told: formatQuantity(told),
      papers: [...new Set(rows.map(({ reference }) => reference))],
      adjustments: [...new Set(rows.map(({ doc }) => adjustmentNumber(doc)))],
    },
  }
}

/** The number under which people know what was entered. */
export const handDocument = ({ kind, doc }: Pick<HandRow, 'kind' | 'doc'>): string => {
  if (kind === 'ship') return shipmentNumber(doc)
  return kind === 'count' || kind === 'return' ? adjustmentNumber(doc) : fulfillmentNumber(doc)
}

export const untoldCause = (row: Pick<HandRow, 'kind' | 'doc'>): string => `${UNTOLD}:${handDocument(row)}`

export async function closeUntold(
  tx: Transaction,
  rows: readonly HandRow[],
  how = 'the warehouse told of it',
) {
  if (rows.length === 0) return
  const causes = new Map(
    rows.map((row) => [untoldCause(row), { company: row.company, cause: untoldCause(row) }]),
  )
  await closeExceptions(tx, [...causes.values()], how)
}
