/** Whom differences between books and a count are told to: once for each cause, with its items, until the last is explained. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence, restateExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ExternalReservation } from '#domains/inventory/contract/external.ts'
import type { Statuses } from '#domains/inventory/contract/feeds.ts'
import type { CountedPlace, StandingDifference } from '#domains/inventory/contract/reconciliations.ts'
import { inTotal, soldLine } from './difference-reasons.ts'
import { openExternalAt } from '#domains/inventory/views/external.ts'
import { standingDifferences } from '#domains/inventory/views/standing-differences.ts'
import type { ProcessPorts } from './ports.ts'

const DIFFERS = 'inventory.books_differ'
const LISTED = 20
const SOLD_LISTED = 10

/** What stands of a source at a place is told as it is now; a cause of which nothing stands closes by itself. */
export async function tellStanding(
  tx: Transaction,
  { openExceptions }: Pick<ProcessPorts, 'openExceptions'>,
  place: CountedPlace & { readonly currency: string },
): Promise<void> {
  const standing = await standingDifferences(tx, place)
  const sold = Map.groupBy(await openExternalAt(tx, standing), ({ itemId }) => itemId)
  const here = `${DIFFERS}:${place.source}:${place.location}:`
  const told = [...Map.groupBy(standing, ({ reason, firstId }) => `${here}${reason}:${firstId}`)].map(
    ([cause, own]) =>
      occurrenceOf(
        own,
        { ...place, cause },
        own.flatMap(({ itemId }) => sold.get(itemId) ?? []),
      ),
  )
  const causes = new Set(told.map(({ cause }) => cause))
  const open = await openCausesOf(tx, [place.company], [DIFFERS])
  const over = open.filter(({ cause }) => cause.startsWith(here) && !causes.has(cause))
  restateExceptions(tx, told)
  await openExceptions(tx, told)
  await closeExceptions(tx, over, 'nothing differs for this reason any more')
}

type Caused = CountedPlace & { readonly currency: string; readonly cause: string }

function occurrenceOf(
  own: readonly StandingDifference[],
  { company, location, source, currency, cause }: Caused,
  sold: readonly ExternalReservation[],
): Occurrence {
  const { reason, firstId } = own[0]!
  const worth = (valueMinor: number): string => `${formatAmount(valueMinor, currency)} ${currency}`
  const valueMinor = own.reduce((sum, one) => sum + (one.valueMinor ?? 0), 0)
  return {
    company,
    cause,
    code: DIFFERS,
    title: titleOf(own, { source, location }),
    suggestedAction: `${cureOf(reason)} It closes when a later count agrees with all of them.`,
    facts: {
      location,
      source,
      reconciliation: firstId,
      reason,
      value: worth(valueMinor),
      count: own.length,
      items: own.slice(0, LISTED).map((one) => ({
        sku: one.sku,
        ours: figures(one.ours),
        theirs: figures(one.theirs),
        ...(one.valueMinor !== null && { value: worth(one.valueMinor) }),
      })),
      ...(sold.length > 0 && { soldByOthers: sold.slice(0, SOLD_LISTED).map(soldLine) }),
    },
  }
}

const figures = (statuses: Statuses) => ({
  available: formatQuantity(statuses.available),
  qualityHold: formatQuantity(statuses.qualityHold),
  damaged: formatQuantity(statuses.damaged),
})

function titleOf(
  own: readonly StandingDifference[],
  { source, location }: Pick<CountedPlace, 'source' | 'location'>,
): string {
  const { reason, sku, ours, theirs } = own[0]!
  const items = `${own.length} items at ${location}`
  if (reason.startsWith('left '))
    return `What left ${location} with ${reason.slice('left '.length)} was never told`
  if (own.length === 1)
    return `${source} counts ${formatQuantity(inTotal(theirs))} of ${sku} at ${location}, our books say ${formatQuantity(inTotal(ours))}`
  if (reason === 'untold') return `${source} counts what it never told of ${items}`
  if (reason === 'status') return `${source} holds ${items} in other statuses than our books`
  return `${source} counts ${reason} than our books of ${items}`
}

function cureOf(reason: string): string {
  if (reason === 'untold') return 'Have the source send again what it has not told.'
  if (reason.startsWith('left ')) return 'Have the movement sent again, or adjust what has left.'
  if (reason === 'status')
    return 'Compare what is on hold and damaged on both sides, and adjust whoever is wrong.'
  return 'Find what was never told, or count the items and adjust whoever is wrong.'
}
