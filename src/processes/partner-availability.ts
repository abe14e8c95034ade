/** Partners that take inventory advices are told at intervals what can be promised to their channel, where it changed. */
import { publishedSince } from '#domains/inventory/views/published.ts'
import { findItemsById } from '#domains/items/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { readingProgress, saveProgress } from '#platform/readings.ts'

/** One document: under the same number it is the same, left once. */
export type Advice = {
  readonly number: string
  readonly asOf: Date
  readonly items: readonly { readonly sku: string; readonly unit: string; readonly quantity: Quantity }[]
}

export type AdvisedPartner = {
  readonly partner: string
  readonly company: string
  readonly channel: string
  readonly everyMs: number
}

type Ports = {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly leave: (partner: string, advice: Advice) => Promise<unknown>
}

const ITEMS_MAX = 2_000
const BEGINNING = new Date(0)

/** One round. What was left but not noted down is left again, with what has changed meanwhile: the last figure counts. */
export async function advisePartners(ports: Ports, partners: readonly AdvisedPartner[]): Promise<void> {
  for (const partner of partners) await advise(ports, partner)
}

async function advise(
  { database, clock, leave }: Ports,
  { partner, company, channel, everyMs }: AdvisedPartner,
): Promise<void> {
  const place = { company, source: `advice/${partner}`, resource: 'availability' }
  const { since, begunAsOf } = await readingProgress(database, place)
  const now = clock.now()
  if (begunAsOf && now.getTime() - begunAsOf.getTime() < everyMs) return
  const after = since ?? BEGINNING
  const changed = await publishedSince(database, { company, channel, after, limit: ITEMS_MAX })
  const last = changed.at(-1)
  if (last) {
    const items = await findItemsById(
      database,
      changed.map(({ itemId }) => itemId),
    )
    await leave(partner, {
      number: `AV-${last.asOf.getTime()}`,
      asOf: last.asOf,
      items: changed.flatMap(({ itemId, available: quantity }) => {
        const item = items.get(itemId)
        return item ? [{ sku: item.sku, unit: item.baseUnit, quantity }] : []
      }),
    })
  }
  // a portion that was full goes on at once
  const isWhole = changed.length < ITEMS_MAX / 2
  await saveProgress(database, place, {
    since: last?.asOf ?? since,
    cursor: null,
    begunAsOf: isWhole ? now : begunAsOf,
    complete: true,
  })
}
