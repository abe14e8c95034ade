/** Adjustments as programs and people read them. */
import { formatAmount } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { AdjustedLine, Adjustment, AdjustmentAnswer } from '../contract/adjustments.ts'
import { OWN } from '../contract/owners.ts'

export const tellAdjustment = (
  { lines, note, valueMinor, currency, requestedAt, decidedBy, decidedAt, decision, ...row }: Adjustment,
  numberOf: (id: number) => string,
  dryRun: boolean,
): AdjustmentAnswer => ({
  id: numberOf(row.id),
  company: row.company,
  state: row.state,
  reason: row.reason,
  reference: row.reference,
  ...(note !== null && { note }),
  ...(valueMinor !== null && { value: formatAmount(valueMinor, currency) }),
  currency,
  requestedBy: row.requestedBy,
  requestedAt: requestedAt.toISOString(),
  ...(decidedBy !== null && { decidedBy }),
  ...(decidedAt !== null && { decidedAt: decidedAt.toISOString() }),
  ...(decision !== null && { decision }),
  version: row.version,
  lines: lines.map(tellLine),
  dryRun,
})

const tellLine = (line: AdjustedLine): AdjustmentAnswer['lines'][number] => ({
  n: line.n,
  kind: line.kind,
  sku: line.sku,
  location: line.location,
  ...(line.lot !== '' && { lot: line.lot }),
  ...(line.serials.length > 0 && { serials: [...line.serials] }),
  ...((line.owner !== OWN || line.toOwner !== null) && { owner: line.owner }),
  ...(line.toOwner !== null && { toOwner: line.toOwner }),
  status: line.status,
  ...(line.toStatus !== null && { toStatus: line.toStatus }),
  ...(line.transfer !== null && { transfer: line.transfer }),
  ...(line.place !== null && { place: line.place }),
  quantity: formatQuantity(line.quantity),
  unit: line.baseUnit,
  ...(line.difference !== null && { difference: formatQuantity(line.difference) }),
  ...(line.explained !== null && { explained: formatQuantity(line.explained) }),
})
