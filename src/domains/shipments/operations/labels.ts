/** The verbs of labels: each takes a list whose requests are locked, and is told as events of these requests. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { BoughtLabel, Packing, PackingKey, PackingState } from '../contract/labels.ts'
import type { FulfillmentKey } from '../operations.ts'
import { raiseVersions } from '../store.ts'
import { insertPackings, selectPackings, updateLabels, updatePackingStates } from '../store/labels.ts'

type Told<Row> = readonly (Row & { readonly request: FulfillmentKey })[]

export const packingsOf = selectPackings

const EVENT_OF: Readonly<Partial<Record<PackingState, string>>> = {
  refused: 'fulfillment.label_refused',
  given: 'fulfillment.label_given',
  used: 'fulfillment.label_used',
  doubtful: 'fulfillment.label_in_doubt',
  unwanted: 'fulfillment.label_unwanted',
  orphaned: 'fulfillment.label_unwanted',
  dropped: 'fulfillment.label_unwanted',
  void: 'fulfillment.label_void',
  travelling: 'fulfillment.label_not_void',
}

/** One event for each request, whatever number of its packings it is about. */
async function tell(
  tx: Transaction,
  type: string,
  rows: Told<{ readonly number: string; readonly data: object }>,
  cause: Cause,
): Promise<void> {
  const of = Map.groupBy(rows, ({ request }) => request.doc)
  const docs = [...of.keys()].toSorted((a, b) => a - b)
  const versions = new Map(
    (await raiseVersions(tx, 'fulfillment', docs)).map(({ doc, version }) => [doc, version]),
  )
  appendEvents(
    tx,
    docs.map((doc) => {
      const own = of.get(doc)!
      const { request, data: told } = own[0]!
      const { company, orderId } = request
      const data = { packings: own.map(({ number }) => number), ...told }
      return { type, key: doc, keyVersion: versions.get(doc)!, company, correlationId: orderId, data }
    }),
    cause,
  )
}

/** Goods are packed: their label is to be bought. */
export async function askForLabels(
  tx: Transaction,
  rows: Told<Pick<Packing, 'doc' | 'number' | 'carrier' | 'ask'>>,
  cause: Cause,
): Promise<void> {
  if (rows.length === 0) return
  insertPackings(tx, rows)
  await tell(
    tx,
    'fulfillment.label_asked',
    rows.map((row) => ({ ...row, data: { carrier: row.carrier, parcels: row.ask.packages.length } })),
    cause,
  )
}

/** The carrier has sold these labels; what is not wanted any more is to be voided. */
export async function recordLabels(
  tx: Transaction,
  rows: Told<BoughtLabel & { readonly carrier: string; readonly effectKey: string }>,
  cause: Cause,
): Promise<void> {
  updateLabels(tx, rows)
  const total = Map.groupBy(rows, ({ doc }) => doc)
  await tell(
    tx,
    'fulfillment.labelled',
    rows.map((row) => {
      const mine = total.get(row.doc)!
      const { carrier, currency, effectKey } = row
      const amountMinor = mine.reduce((sum, { chargeMinor }) => sum + chargeMinor, 0)
      const tracking = mine.flatMap(({ content }) => content.map((one) => one.tracking))
      return { ...row, data: { carrier, amountMinor, currency, tracking, effectKey } }
    }),
    cause,
  )
}

/** Moves packings on, each to a state of its own. */
export async function movePackings(
  tx: Transaction,
  rows: Told<PackingKey & { readonly state: PackingState; readonly data?: object }>,
  cause: Cause,
): Promise<void> {
  if (rows.length === 0) return
  updatePackingStates(tx, rows)
  for (const [type, group] of Map.groupBy(rows, ({ state }) => EVENT_OF[state]!))
    await tell(
      tx,
      type,
      group.map((row) => ({ ...row, data: row.data ?? {} })),
      cause,
    )
}
