/** Keeps stock for what ERPs and warehouses sold by themselves; of what they keep for orders of ours nothing is counted twice. */
import type { Loaded, Reading } from '#platform/copies.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { wakeDocuments } from '#platform/desk.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { fillableOrders } from '#domains/inventory/operations.ts'
import {
  endUnseen,
  fillExternal,
  soldBy,
  takeExternal,
  type Touched,
} from '#domains/inventory/operations/external.ts'
import { type Clash, clashesAt } from '#domains/inventory/views/external.ts'
import { headersOf } from '#domains/orders/views.ts'
import { fulfillmentsOf } from '#domains/shipments/views.ts'
import type { OpenOrderRecord } from './master-data-resources.ts'
import { fulfillmentNumber, orderNumber, parseNumber, type ProcessPorts } from './ports.ts'
import { wakeRow } from './stock-feed.ts'

export type ExternalPorts = Pick<ProcessPorts, 'openExceptions' | 'countsStock'> & {
  /** Locations of ours; what is sold elsewhere is not our stock. */
  readonly isOurs: (location: string) => boolean
  /** What is kept back where this source sells by itself. */
  readonly guardOf: (source: string) => Quantity
  /** The system that keeps the books of a company. */
  readonly erpOf: (company: string) => string | undefined
}

/**
 * Lines of our own orders and of our requests are claims already: those are left out, by our number; and so is what an
 * ERP sold and had a warehouse ship, by the ERP's, whichever of the two is read first.
 */
export async function takeOpenOrders(
  tx: Transaction,
  ports: ExternalPorts,
  reading: Reading,
  records: readonly OpenOrderRecord[],
): Promise<Loaded> {
  const ours = new Set([
    ...(await ownNumbers(tx, reading, records)),
    ...(await soldByErp(tx, ports, reading, records)),
  ])
  const others = records.filter(({ reference }) => reference === undefined || !ours.has(reference))
  const isTold = ports.countsStock(reading.source, 'ship-other')
  const sold = others.flatMap(({ number: document, customer: owner, location, shipped = 0, ...line }) =>
    location !== undefined && ports.isOurs(location)
      ? [{ ...line, document, owner, location, shipped: isTold ? shipped : 0 }]
      : [],
  )
  const { places, freed, ...loaded } = await takeExternal(tx, reading, sold, {
    ...ports,
    hasShipped: ports.erpOf(reading.company) === reading.source,
  })
  await afterwards(tx, ports, { places, freed })
  return { ...loaded, unchanged: loaded.unchanged + records.length - sold.length }
}

/** Our numbers, as far as these are orders or requests of ours. */
async function ownNumbers(
  tx: Transaction,
  { company }: Reading,
  records: readonly OpenOrderRecord[],
): Promise<ReadonlySet<string>> {
  const docsOf = (letter: string): number[] => [
    ...new Set(records.flatMap(({ reference = '' }) => parseNumber(reference, letter) ?? [])),
  ]
  const [orders, requests] = await Promise.all([headersOf(tx, docsOf('O')), fulfillmentsOf(tx, docsOf('F'))])
  const isOurs = (one: { readonly company: string }): boolean => one.company === company
  return new Set([
    ...orders.filter(isOurs).map(({ doc }) => orderNumber(doc)),
    ...requests.filter(isOurs).map(({ doc }) => fulfillmentNumber(doc)),
  ])
}

async function soldByErp(
  tx: Transaction,
  { erpOf }: ExternalPorts,
  { company, source }: Reading,
  records: readonly OpenOrderRecord[],
): Promise<ReadonlySet<string>> {
  const erp = erpOf(company)
  if (erp === undefined || erp === source) return new Set()
  const references = new Set(records.flatMap(({ reference }) => reference ?? []))
  return soldBy(tx, { company, source: erp }, [...references])
}

/** Ends what its source has not named in a complete reading; answers how many. */
export async function retireOpenOrders(
  database: Database,
  ports: ExternalPorts,
  reading: Reading,
): Promise<number> {
  let ended = 0
  for (let more = true; more;) {
    const turn = await database.transaction(async (tx) => {
      const gone = await endUnseen(tx, reading, ports)
      await afterwards(tx, ports, gone)
      return gone
    })
    ended += turn.ended
    more = turn.more
  }
  return ended
}

/** One look at those that are short, and at those that left and were counted without. */
export const fillExternalOrders = (database: Database, ports: ExternalPorts): Promise<void> =>
  database.transaction(async (tx) => {
    const touched = await fillExternal(tx)
    if (touched.places.length > 0) await afterwards(tx, ports, touched)
  })

async function afterwards(tx: Transaction, ports: ExternalPorts, { places, freed }: Touched): Promise<void> {
  const clashes = await clashesAt(tx, places)
  await ports.openExceptions(tx, clashes.map(occurrenceOf))
  const short = new Set(clashes.map(causeOf))
  const causes = places.map((place) => ({ company: place.company, cause: causeOf(place) }))
  await closeExceptions(
    tx,
    causes.filter(({ cause }) => !short.has(cause)),
    'all that was sold is there',
  )
  const orders = await headersOf(tx, await fillableOrders(tx, freed))
  await wakeDocuments(tx, null, orders.map(wakeRow))
}

const causeOf = ({ itemId, location }: Pick<Clash, 'itemId' | 'location'>): string =>
  `inventory.claims_clash:${itemId}:${location}`

const NAMED = 10

function occurrenceOf(clash: Clash): Occurrence {
  const { company, sku, location, theirs, ours } = clash
  const wanted = theirs.reduce((sum, one) => sum + one.wanted, 0)
  const claimed = theirs.reduce((sum, one) => sum + one.claimed, 0)
  const sources = [...new Set(theirs.map(({ source }) => source))].join(', ')
  const told = theirs.map(
    ({ source, document, owner, wanted: quantity }) =>
      `${source} ${document} for ${owner}: ${formatQuantity(quantity)}`,
  )
  return {
    company,
    cause: causeOf(clash),
    code: 'inventory.claims_clash',
    title: `${sources} sold ${formatQuantity(wanted)} of ${sku} at ${location}, of which ${formatQuantity(claimed)} are there beside what we promised`,
    suggestedAction:
      'Decide who gets it: cancel or move one of the orders that are named, there or here. What becomes free goes to the other by itself.',
    facts: {
      sku,
      location,
      wanted: formatQuantity(wanted),
      claimed: formatQuantity(claimed),
      theirs: told.slice(0, NAMED),
      ours: ours.slice(0, NAMED).map(orderNumber),
    },
  }
}
