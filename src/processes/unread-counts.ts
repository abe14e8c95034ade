/** Counts of all that is at a place with lines that nobody understood: what they do not name stays until one comes whole. */
import type { Transaction } from '#platform/database.ts'
import { type Cause, closeExceptions, restateExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { Queries } from '#platform/database.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type {
  CountedPlace,
  DifferenceFound,
  ReconciliationFound,
  UnreadLine,
} from '#domains/inventory/contract/reconciliations.ts'
import { inTotal } from './difference-reasons.ts'
import type { ProcessPorts } from './ports.ts'

const NOT_CONCLUDED = 'inventory.count_not_concluded'
const LISTED = 20

const causeOf = ({ company, location, source }: CountedPlace): Cause => ({
  company,
  cause: `${NOT_CONCLUDED}:${source}:${location}`,
})

/** Whether somebody is told that a count of the place is to come again. */
export async function isCountAwaited(queries: Queries, place: CountedPlace): Promise<boolean> {
  const { company, cause } = causeOf(place)
  return (await openCausesOf(queries, [company], [NOT_CONCLUDED])).some((open) => open.cause === cause)
}

const CURES: Readonly<Record<string, string>> = {
  'inventory.item_unknown':
    'Correct the item number, or have the ERP create the item, and hand the count in again.',
  'inventory.location_not_fed': 'Correct the location, and hand the count in again.',
  'inventory.company_unknown': 'Correct the company, and hand the count in again.',
  'items.unit_unknown': 'Correct the unit, or have the ERP add it to the item, and hand the count in again.',
}

export const unreadLine = (
  { line, text }: Pick<UnreadLine, 'line' | 'text'>,
  { code, message: reason }: { readonly code: string; readonly message: string },
): UnreadLine => ({
  line,
  text,
  reason,
  cure: CURES[code] ?? 'Correct the line, and hand the count in again.',
})

type Found = Pick<ReconciliationFound, 'whole' | 'unread'> & {
  /** Of what the books have something and the count says nothing. */
  readonly kept: readonly Pick<DifferenceFound, 'sku' | 'ours' | 'valueMinor'>[]
}

/** One exception for a place and its source: as the last count left it, until one is of all that is there. */
export async function tellUnread(
  tx: Transaction,
  { openExceptions }: Pick<ProcessPorts, 'openExceptions'>,
  place: CountedPlace & {
    readonly id: number
    readonly currency: string
    readonly owner: string | undefined
  },
  { whole, unread, kept }: Found,
): Promise<void> {
  if (whole) await closeExceptions(tx, [causeOf(place)], 'all that is there was counted')
  if (unread.length === 0) return
  const { location, source, id, currency, owner } = place
  const worth = kept.reduce((sum, { valueMinor }) => sum + (valueMinor ?? 0), 0)
  const told = {
    ...causeOf(place),
    code: NOT_CONCLUDED,
    title: `${unread.length === 1 ? 'A line' : `${unread.length} lines`} of what ${source} counts at ${location} could not be understood: what it does not name stays`,
    suggestedAction:
      'Correct the lines and hand in the whole count again. What it does not name then is not there; until then it is sold as before.',
    facts: {
      location,
      source,
      reconciliation: id,
      unread: unread.length,
      lines: unread.slice(0, LISTED),
      notSaid: kept.length,
      value: `${formatAmount(worth, currency)} ${currency}`,
      items: kept.slice(0, LISTED).map(({ sku, ours }) => ({ sku, ours: formatQuantity(inTotal(ours)) })),
    },
    owner,
  }
  restateExceptions(tx, [told])
  await openExceptions(tx, [told])
}
