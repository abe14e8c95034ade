/** The tax engine: deterministic rounding per line and jurisdiction; one transaction per company and document code. */
import { type Fields, text } from '../fields.ts'
import { createHash } from 'node:crypto'
import type { Clock } from '#platform/clock.ts'
import { decimal, decimalText, divideHalfUp } from '../erp/amounts.ts'
import { kept, type Keep, type Kept, refill } from '../kept.ts'
import { isTaxCode, ratesFor, type Rate } from './rates.ts'
import type { TaxDetail, TaxDocument, TaxedLine, TaxPlace, TaxSummary, Transaction } from './shapes.ts'

export class TaxRefusal extends Error {
  readonly status: number
  readonly code: string
  readonly target: string | undefined
  constructor(status: number, code: string, target?: string) {
    super(code)
    this.status = status
    this.code = code
    this.target = target
  }
}

export type Stored = { contentHash: string; transaction: Transaction; seenFromMs: number }
export type Committed = { first: boolean; transaction: Transaction }

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

function placeIn(value: unknown): TaxPlace {
  const place = (value ?? {}) as Fields
  return {
    country: text(place['country']),
    region: text(place['region']),
    postal_code: text(place['postal_code']),
  }
}

export function documentIn(fields: Fields): TaxDocument {
  const customer = (fields['customer'] ?? {}) as Fields
  const lines = Array.isArray(fields['lines']) ? (fields['lines'] as Fields[]) : []
  const document = {
    code: text(fields['code']),
    company: text(fields['company']),
    type: text(fields['type']) || 'SalesInvoice',
    date: text(fields['date']),
    currency: text(fields['currency']),
    customer: {
      code: text(customer['code']),
      exemption: text(customer['exemption']) || null,
      vat_number: text(customer['vat_number']) || null,
    },
    ship_from: placeIn(fields['ship_from']),
    ship_to: placeIn(fields['ship_to']),
    lines: lines.map((line, nth) => {
      if (!isTaxCode(line['tax_code'])) throw new TaxRefusal(422, 'InvalidLine', `lines/${nth}/tax_code`)
      if (Number.isNaN(decimal(line['amount'], 2)))
        throw new TaxRefusal(422, 'InvalidLine', `lines/${nth}/amount`)
      return {
        number: text(line['number']),
        item: text(line['item']),
        tax_code: line['tax_code'],
        quantity: Number(line['quantity'] ?? 1),
        amount: decimalText(decimal(line['amount'], 2), 2),
      }
    }),
  }
  if (document.code === '') throw new TaxRefusal(422, 'InvalidLine', 'code')
  if (lines.length === 0) throw new TaxRefusal(422, 'InvalidLine', 'lines')
  return document
}

type Sum = { taxableMinor: number; taxMinor: number; rate: Rate }

function taxLine(
  document: TaxDocument,
  line: TaxDocument['lines'][number],
  sums: Map<string, Sum>,
): TaxedLine {
  const { ship_from, ship_to, customer } = document
  const places = { from: ship_from.country, to: ship_to, vatNumber: customer.vat_number }
  const rates = ratesFor(places, customer.exemption === 'RESALE' ? 'EXEMPT' : line.tax_code)
  if (!rates) throw new TaxRefusal(422, 'InvalidAddress', 'ship_to')
  const amountMinor = decimal(line.amount, 2)
  let lineTaxMinor = 0
  const details = rates.map((rate): TaxDetail => {
    const taxMinor = divideHalfUp(amountMinor * rate.rateMicro, 1_000_000)
    lineTaxMinor += taxMinor
    const key = `${rate.jurisdiction}@${rate.rateMicro}`
    const sum = sums.get(key) ?? { taxableMinor: 0, taxMinor: 0, rate }
    sums.set(key, { rate, taxableMinor: sum.taxableMinor + amountMinor, taxMinor: sum.taxMinor + taxMinor })
    return {
      jurisdiction: rate.jurisdiction,
      name: rate.name,
      rate: decimalText(rate.rateMicro, 6),
      taxable: line.amount,
      tax: decimalText(taxMinor, 2),
    }
  })
  return { number: line.number, amount: line.amount, tax: decimalText(lineTaxMinor, 2), details }
}

type Computed = Pick<Transaction, 'total_amount' | 'total_tax' | 'total' | 'taxed_lines' | 'summary'>

export function compute(document: TaxDocument): Computed {
  const sums = new Map<string, Sum>()
  const taxedLines = document.lines.map((line) => taxLine(document, line, sums))
  const amountMinor = document.lines.reduce((sum, line) => sum + decimal(line.amount, 2), 0)
  const taxMinor = [...sums.values()].reduce((sum, one) => sum + one.taxMinor, 0)
  const summary = [...sums.values()].map((sum): TaxSummary => ({
    jurisdiction: sum.rate.jurisdiction,
    rate: decimalText(sum.rate.rateMicro, 6),
    taxable: decimalText(sum.taxableMinor, 2),
    tax: decimalText(sum.taxMinor, 2),
  }))
  const total = decimalText(amountMinor + taxMinor, 2)
  const totals = { total_amount: decimalText(amountMinor, 2), total_tax: decimalText(taxMinor, 2), total }
  return { ...totals, taxed_lines: taxedLines, summary }
}

export class TaxStore {
  private readonly byCode: Kept<Stored>
  private readonly clock: Clock
  private readonly visibilityLagMs: number
  constructor(clock: Clock, keep: Keep, visibilityLagMs: number) {
    this.clock = clock
    this.byCode = kept(keep)
    this.visibilityLagMs = visibilityLagMs
  }

  quote(fields: Fields): Transaction {
    const document = documentIn(fields)
    const id = `TQ-${digest(JSON.stringify(document))}`
    return { ...document, id, status: 'Quoted', committed_at: '', ...compute(document) }
  }

  commit(fields: Fields): Committed {
    const document = documentIn(fields)
    const key = `${document.company}/${document.code}`
    const contentHash = digest(JSON.stringify(document))
    const before = this.byCode.get(key)
    if (before && before.transaction.status !== 'Voided') {
      if (before.contentHash !== contentHash) throw new TaxRefusal(409, 'DocumentCodeConflict', document.code)
      return { first: false, transaction: before.transaction }
    }
    const id = `TX-${digest(`${key}/${contentHash}`)}`
    const at = this.clock.now().toISOString()
    const transaction: Transaction = {
      ...document,
      id,
      status: 'Committed',
      committed_at: at,
      ...compute(document),
    }
    this.byCode.set(key, {
      contentHash,
      transaction,
      seenFromMs: this.clock.monotonicMs() + this.visibilityLagMs,
    })
    return { first: true, transaction }
  }

  find(company: string, code: string): Transaction {
    const found = this.byCode.get(`${company}/${code}`)
    if (!found || found.seenFromMs > this.clock.monotonicMs())
      throw new TaxRefusal(404, 'TransactionNotFound', code)
    return found.transaction
  }

  void(company: string, code: string): Transaction {
    const found = this.byCode.get(`${company}/${code}`)
    if (!found) throw new TaxRefusal(404, 'TransactionNotFound', code)
    found.transaction.status = 'Voided'
    return found.transaction
  }

  remember = (): [string, Stored][] => [...this.byCode.entries()]

  recall(memory: [string, Stored][]): void {
    refill(this.byCode, memory)
    for (const [, stored] of memory) stored.seenFromMs = 0
  }

  all = (): Transaction[] => [...this.byCode.values()].map((stored) => stored.transaction)
}
