/** Compares the totals that a purchase order states about itself with its lines. */
import { Decimal } from 'decimal.js'
import type { Finding } from '../findings.ts'
import { finding } from '../findings.ts'
import type { PurchaseOrderDocument } from './purchase-order.ts'
import type { Loop } from './structure.ts'
import { element, first } from './structure.ts'

/** Doubles would call 0.1 + 0.2 a mismatch; 40 digits hold any sum of fifteen-digit numbers. */
const Exact = Decimal.clone({ precision: 40 })

export const decimalOf = (text: string | undefined): Decimal | undefined =>
  text !== undefined && /^-?(?:\d+\.?\d*|\.\d+)$/.test(text) ? new Exact(text) : undefined

export function verifyTotals(
  document: PurchaseOrderDocument,
  summary: Loop | undefined,
  findings: Finding[],
): void {
  const ctt = summary && first(summary, 'CTT')
  const { lines } = document
  if (ctt && Number(element(ctt, 1)) !== lines.length) {
    findings.push(
      finding('po.line_count_mismatch', ctt.at, `(${element(ctt, 1)} stated, ${lines.length} read)`),
    )
  }
  const hash = decimalOf(element(ctt, 2) || undefined)
  const sum = lines.reduce((total, line) => total.plus(decimalOf(line.quantity) ?? 0), new Exact(0))
  if (ctt && hash && !sameHash(hash, sum)) {
    findings.push(
      finding('po.hash_total_mismatch', ctt.at, `(${hash.toFixed()} stated, ${sum.toFixed()} read)`),
    )
  }
  verifyAmount(document, findings)
}

/** The hash total has at most ten digits; a longer sum is cut on the left, as the standard says. */
function sameHash(hash: Decimal, sum: Decimal): boolean {
  return hash.equals(sum) || (sum.gte(1e10) && hash.equals(sum.mod(1e10)))
}

/** Only where nothing but quantity times price can make the total: no price basis, no allowance. */
function verifyAmount(document: PurchaseOrderDocument, findings: Finding[]): void {
  const stated = decimalOf(document.totalAmount)
  const { lines } = document
  if (!stated || document.allowances.length > 0) return
  if (
    lines.some((line) => line.priceBasis ?? !line.price) ||
    lines.some((line) => line.allowances.length > 0)
  )
    return
  const sum = lines.reduce(
    (total, line) => total.plus((decimalOf(line.quantity) ?? new Exact(0)).times(decimalOf(line.price) ?? 0)),
    new Exact(0),
  )
  // Each side may have rounded each line to a hundredth.
  if (
    stated
      .minus(sum)
      .abs()
      .lte(lines.length * 0.005 + 0.005)
  )
    return
  findings.push(
    finding('po.amount_mismatch', document.at, `(${stated.toFixed()} stated, ${sum.toFixed()} read)`),
  )
}
