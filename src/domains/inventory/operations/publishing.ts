/** Tells channels what can be promised to them: what differs from what they were told last, once, the newest alone. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { lockPublished, type PublishedRow, savePublished } from '../store/published.ts'
import { raiseUntold } from '../store/untold.ts'
import type { Audience } from './untold.ts'

/** What can be promised of an item to a channel. */
export type Figure = {
  readonly itemId: number
  readonly sku: string
  readonly unit: string
  readonly company: string
  readonly channel: string
  readonly available: Quantity
  readonly confidence: PublishedRow['confidence']
  readonly places: readonly { readonly location: string; readonly available: Quantity }[]
}

type Publishing = {
  readonly figures: readonly Figure[]
  /** As of when the books were read: a figure that was read later stays. */
  readonly asOf: Date
  /** Numbers for those that are told for the first time, at least as many as there are figures. */
  readonly docs: readonly number[]
  /** Systems that are to be told as well. */
  readonly audiences?: readonly Audience[]
}

/** Answers how many were told. */
export async function publish(
  tx: Transaction,
  { figures, asOf, docs, audiences = [] }: Publishing,
  cause: Cause,
): Promise<number> {
  const items = [...new Set(figures.map(({ itemId }) => itemId))].toSorted((a, b) => a - b)
  const channels = [...new Set(figures.map(({ channel }) => channel))].toSorted()
  const known = new Map((await lockPublished(tx, items, channels)).map((row) => [keyOf(row), row]))
  const fresh = [...docs]
  const told = figures.flatMap((figure) => {
    const before = known.get(keyOf(figure))
    if (before && (before.asOf > asOf || isSame(before, figure))) return []
    const { itemId, channel, company, available, confidence } = figure
    const doc = before?.doc ?? fresh.pop()!
    const version = (before?.version ?? 0) + 1
    return [{ figure, row: { itemId, channel, company, doc, version, available, confidence, asOf } }]
  })
  const rows = told
    .map(({ row }) => row)
    .toSorted((a, b) => a.itemId - b.itemId || (a.channel < b.channel ? -1 : 1))
  savePublished(tx, rows)
  raiseUntold(
    tx,
    audiences.flatMap(({ shop, company, channel }) =>
      rows
        .filter((row) => row.company === company && row.channel === channel)
        .map(({ itemId }) => ({ shop, itemId, company, channel, asOf })),
    ),
  )
  appendEvents(
    tx,
    told.map(({ figure, row: { doc, version } }) => ({
      type: 'availability.changed',
      key: doc,
      keyVersion: version,
      company: figure.company,
      correlationId: doc,
      data: wordsOf(figure, asOf),
    })),
    cause,
  )
  return told.length
}

const keyOf = ({ itemId, channel }: Pick<PublishedRow, 'itemId' | 'channel'>): string =>
  `${itemId} ${channel}`

const isSame = (row: PublishedRow, figure: Figure): boolean =>
  row.available === figure.available && row.confidence === figure.confidence

const wordsOf = ({ channel, sku, unit, available, confidence, places }: Figure, asOf: Date) => ({
  channel,
  sku,
  unit,
  available: formatQuantity(available),
  confidence,
  asOf: asOf.toISOString(),
  places: places.map((place) => ({ ...place, available: formatQuantity(place.available) })),
})
