/** Where serials are and what was told of them, as people read it. */
import type { Queries } from '#platform/database.ts'
import type { SerialRow, SerialStory, SerialView } from '../contract/serials.ts'
import { STATUSES, type StockStatus } from '../contract.ts'
import { selectNamed, selectSerialFacts, selectSerialsAt, type SerialFactRow } from '../store/serials.ts'

export const serialsNamed = selectNamed
export const listSerials = selectSerialsAt

export type SerialNumbers = {
  readonly shipment: (doc: number) => string
  readonly order: (doc: number) => string
  /** The number under which people know what was told of a serial. */
  readonly document: (source: string, doc: number) => string
}

const isStatus = (bucket: string): bucket is StockStatus => (STATUSES as readonly string[]).includes(bucket)

function stateOf({ bucket }: SerialRow): SerialView['state'] {
  if (isStatus(bucket)) return 'here'
  return bucket === 'in_transit' || bucket === 'shipped' ? bucket : 'gone'
}

export function tellSerial(
  row: SerialRow,
  sku: string,
  numbers: Pick<SerialNumbers, 'shipment' | 'order'>,
): SerialView {
  const {
    serial,
    bucket,
    location,
    owner,
    lot,
    shipmentId,
    orderId,
    doubt,
    doubtLocation,
    doubtOwner,
    toldAt,
  } = row
  return {
    serial,
    sku,
    state: stateOf(row),
    ...(location !== null && { location, owner }),
    ...(isStatus(bucket) && { status: bucket }),
    ...(lot !== '' && { lot }),
    ...(shipmentId !== null && { shipment: numbers.shipment(shipmentId) }),
    ...(orderId !== null && { order: numbers.order(orderId) }),
    ...(doubt !== null && { doubt: { kind: doubt, location: doubtLocation!, owner: doubtOwner } }),
    toldAt: toldAt!.toISOString(),
  }
}

const SHOWN = 100

/** What was told of it, the newest first. */
export async function historyOf(
  queries: Queries,
  row: SerialRow,
  documentNumber: SerialNumbers['document'],
): Promise<SerialStory['history']> {
  const facts = await selectSerialFacts(queries, row, SHOWN)
  return facts.map((fact) => tellFact(fact, documentNumber))
}

const tellFact = (
  { fromBucket, fromLocation, fromOwner, toBucket, toLocation, toOwner, lot, doc, ...fact }: SerialFactRow,
  documentNumber: SerialNumbers['document'],
): SerialStory['history'][number] => ({
  from: fromBucket,
  ...(fromLocation !== null && { fromLocation }),
  fromOwner,
  to: toBucket,
  ...(toLocation !== null && { toLocation }),
  toOwner,
  ...(lot !== '' && { lot }),
  reason: fact.reason,
  source: fact.source,
  sourceKey: fact.sourceKey,
  ...(doc !== null && { document: documentNumber(fact.source, doc) }),
  at: fact.at.toISOString(),
  recordedAt: fact.recordedAt.toISOString(),
  moved: fact.moved,
})
