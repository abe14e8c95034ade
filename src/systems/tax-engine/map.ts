/** Between our tax requests and the documents of the tax engine; pure. */
import type { TaxDetermination, TaxRequest } from '#capabilities/tax.ts'
import { codeList } from '#platform/connector-codes.ts'
import { Refusal } from '#platform/faults.ts'
import {
  amountOf,
  type Fields,
  filledText,
  listOf,
  quantityNumber,
  text,
  Unexpected,
} from '#platform/fields.ts'
import { formatAmount } from '#platform/money.ts'
import type { TaxEngineSettings } from './settings.ts'
import type { EngineDocument } from './wire.ts'

const taxCodes = codeList('tax class', { food: 'FOOD', general: 'GENERAL', exempt: 'EXEMPT' })

export function toEngineDocument(
  request: TaxRequest,
  locations: TaxEngineSettings['options']['locations'],
): EngineDocument {
  const from = locations[request.shipFrom]
  if (!from) {
    throw new Refusal(
      'connector.code_unmapped',
      `The tax engine was not told where "${request.shipFrom}" lies.`,
    )
  }
  const { shipTo, currency } = request
  return {
    code: request.document,
    company: request.company,
    type: 'SalesInvoice',
    date: request.date,
    currency,
    customer: {
      code: request.customer,
      exemption: request.exemption ?? null,
      vat_number: request.taxId ?? null,
    },
    ship_from: { country: from.country, region: from.region, postal_code: from.postalCode },
    ship_to: {
      country: shipTo.country ?? '',
      region: shipTo.region ?? '',
      postal_code: shipTo.postalCode ?? '',
    },
    lines: request.lines.map((line) => ({
      number: String(line.line),
      item: line.sku,
      tax_code: taxCodes.theirs(line.taxClass),
      quantity: quantityNumber(line.quantity),
      amount: formatAmount(line.netMinor, currency),
    })),
  }
}

export function toDetermination(transaction: Fields): TaxDetermination {
  const currency = filledText(transaction, 'currency')
  const jurisdictions = listOf(transaction, 'summary', (row) => filledText(row, 'jurisdiction'))
  return {
    evidence: filledText(transaction, 'id'),
    jurisdiction: [...new Set(jurisdictions)].join('+'),
    taxMinor: amountOf(filledText(transaction, 'total_tax'), currency, 'total_tax'),
    lines: listOf(transaction, 'lines', (line) => ({
      line: lineNumber(line),
      taxMinor: amountOf(filledText(line, 'tax'), currency, 'tax'),
      ratePpm: listOf(line, 'details', ratePpm).reduce((sum, rate) => sum + rate, 0),
    })),
  }
}

function lineNumber(line: Fields): number {
  const number = text(line, 'number')
  if (!/^\d{1,6}$/.test(number)) throw new Unexpected(`"${number}" is none of our line numbers`)
  return Number(number)
}

/** A fraction with six places is a whole number of millionths. */
function ratePpm(detail: Fields): number {
  const match = /^(\d{1,3})\.(\d{6})$/.exec(text(detail, 'rate'))
  if (!match) throw new Unexpected('rate is not a fraction with six places')
  return Number(`${match[1]}${match[2]}`)
}
