/** Whom differences between books and a count are told to: each is an exception with both figures. */
import type { Occurrence } from '#platform/exceptions.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Statuses } from '#domains/inventory/contract/feeds.ts'
import type { ExternalReservation } from '#domains/inventory/contract/external.ts'
import type { DifferenceFound } from '#domains/inventory/contract/reconciliations.ts'

export const DIFFERS = 'inventory.books_differ'

/** Whose books were held against whose count. */
type Held = {
  readonly id: number
  readonly company: string
  readonly location: string
  readonly source: string
}

export const total = ({ available, qualityHold, damaged }: Statuses): Quantity =>
  available + qualityHold + damaged

const NAMED = 10

/** What has left by the list of its source and was never told may be the difference. */
function soldLine({ source, document, owner, wanted, shipped, gone }: ExternalReservation): string {
  const untold = shipped - gone
  const left = untold > 0 ? `, of which ${formatQuantity(untold)} left and was not told` : ''
  return `${source} ${document} for ${owner}: ${formatQuantity(wanted)}${left}`
}

/** Of differences of one source at one place. */
export const causeAt = ({ source, location }: Held): string => `${DIFFERS}:${source}:${location}:`

export function occurrenceOf(
  found: DifferenceFound,
  one: Held,
  sold: readonly ExternalReservation[],
): Occurrence {
  const { sku, ours, theirs, itemId, valueMinor } = found
  const { company, source, location } = one
  const figures = (statuses: Statuses) => ({
    available: formatQuantity(statuses.available),
    qualityHold: formatQuantity(statuses.qualityHold),
    damaged: formatQuantity(statuses.damaged),
  })
  return {
    company,
    cause: `${causeAt(one)}${itemId}`,
    code: DIFFERS,
    title: `${source} counts ${formatQuantity(total(theirs))} of ${sku} at ${location}, our books say ${formatQuantity(total(ours))}`,
    suggestedAction:
      'Find what was never told, or count the item and adjust whoever is wrong; it closes when the next reconciliation agrees.',
    facts: {
      itemId,
      sku,
      location,
      source,
      reconciliation: one.id,
      ours: figures(ours),
      theirs: figures(theirs),
      ...(valueMinor !== null && { valueMinor }),
      ...(sold.length > 0 && { soldByOthers: sold.slice(0, NAMED).map(soldLine) }),
    },
  }
}
