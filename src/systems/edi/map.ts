/** A purchase order under its partner's guide becomes a canonical order request; what cannot be mapped is named by line. */
import { Decimal } from 'decimal.js'
import type { OrderRequest, OrderRequestLine, ShipTo } from '#domains/orders/contract.ts'
import { minorDigits } from '#platform/money.ts'
import { parseQuantity } from '#platform/quantity.ts'
import type { DocumentParty, QualifiedDate } from './documents/parts.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import type { Finding, FindingCode, Position } from './findings.ts'
import { finding } from './findings.ts'
import type { ItemIdentity, PartnerGuide } from './partner-guide.ts'
import { KILOGRAMS_IN, toUnece, unitsOfBasis, WEIGHT_BASIS } from './units.ts'

/** Finds our SKU for a customer's item number or a GTIN. */
export type ItemCrosswalk = (identity: ItemIdentity, value: string) => string | undefined

export type RefusedLine = { readonly line: string; readonly code: FindingCode; readonly message: string }

export type OrderMapping = {
  /** Absent when nothing of the order can be ordered. */
  readonly request?: OrderRequest
  /** What makes this order the same one when it comes again. */
  readonly naturalKey: string
  /** Lines that are answered with a rejection instead of being ordered. */
  readonly refusedLines: readonly RefusedLine[]
  /** Why nothing can be ordered. */
  readonly refusal?: Finding
  /** Everything to report; warnings among them hold the order as edi_mismatch. */
  readonly findings: readonly Finding[]
}

const MAX_LINES = 1000
/** Delivery requested, deliver no later than, do not deliver after, ship requested: the first that is there counts. */
const REQUESTED_DATES = ['002', '074', '063', '010']

export function toOrderRequest(
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
  crosswalk: ItemCrosswalk,
): OrderMapping {
  const findings: Finding[] = []
  const refusedLines: RefusedLine[] = []
  const lines: OrderRequestLine[] = []
  const currency = currencyOf(document, guide)
  for (const line of document.lines) {
    const mapped = mapLine(line, { guide, crosswalk, currency, document }, findings)
    if (typeof mapped !== 'string') lines.push(mapped)
    else {
      const refused = finding(mapped, line.at, `(line ${line.line})`)
      findings.push(refused)
      refusedLines.push({ line: line.line, code: mapped, message: refused.message })
    }
  }
  reportAllowances(document, guide, findings)
  const naturalKey = naturalKeyOf(document, guide)
  const refusal = refusalOf(document, lines, currency)
  if (refusal || !currency) return { naturalKey, refusedLines, ...(refusal ? { refusal } : {}), findings }
  const shipTo = shipToOf(document, guide, findings)
  const requestedDate = requestedDateOf(document, document.at, { guide, document }, findings)
  const note = document.notes.join('\n').slice(0, 500)
  const request: OrderRequest = {
    company: guide.company,
    customer: guide.customer,
    customerOrder: customerOrderOf(document),
    orderDate: document.date,
    channel: 'edi',
    currency,
    ...(requestedDate ? { requestedDate } : {}),
    ...(shipTo ? { shipTo } : {}),
    ...(note ? { note } : {}),
    lines,
  }
  return { request, naturalKey, refusedLines, findings }
}

function refusalOf(
  document: PurchaseOrderDocument,
  lines: readonly OrderRequestLine[],
  currency: string | undefined,
): Finding | undefined {
  if (document.lines.length > MAX_LINES) {
    return finding('po.too_many_lines', document.at, `(${document.lines.length} of at most ${MAX_LINES})`)
  }
  if (!currency) return finding('po.currency_mixed', document.at)
  return lines.length === 0 ? finding('po.no_lines', document.at) : undefined
}

/** Purchase order numbers recur; the guide says what tells them apart. The release belongs to the number. */
export function naturalKeyOf(document: PurchaseOrderDocument, guide: PartnerGuide): string {
  const period = {
    number: '',
    'number-and-year': document.date.slice(0, 4),
    'number-and-date': document.date,
  }
  return [guide.partner, '850', document.number, document.release ?? '', period[guide.naturalKey]].join('|')
}

/** The number, with the end of the release where there is one: at most 35 characters. */
export function customerOrderOf({
  number,
  release,
}: Pick<PurchaseOrderDocument, 'number' | 'release'>): string {
  return release ? `${number}-${release.slice(-(34 - number.length))}` : number
}

/** One currency, the guide's own when the order names none; undefined when it names several. */
function currencyOf(document: PurchaseOrderDocument, guide: PartnerGuide): string | undefined {
  const named = [document.currency, ...document.lines.map((line) => line.currency)]
  const currencies = new Set(named.filter((currency) => currency !== undefined))
  if (currencies.size > 1) return undefined
  return [...currencies][0] ?? guide.currency
}

type Reading = { readonly guide: PartnerGuide; readonly document: PurchaseOrderDocument }

function mapLine(
  line: PurchaseOrderLine,
  reading: Reading & { readonly crosswalk: ItemCrosswalk; readonly currency: string | undefined },
  findings: Finding[],
): OrderRequestLine | FindingCode {
  const { guide, crosswalk, currency } = reading
  const sku = skuOf(line, guide, crosswalk)
  if (!sku) return 'po.item_unidentified'
  const unit = line.unit && toUnece(line.unit, guide.units)
  if (!unit) return 'po.unit_unknown'
  const quantity = quantityOf(line.quantity)
  if (!quantity) return 'po.quantity_unusable'
  const price = comparablePrice(line, guide, currency)
  if (line.price && price === undefined) {
    const basis = line.priceBasis ? ` ${line.priceBasis}` : ''
    findings.push(finding('po.price_unusable', line.at, `(line ${line.line}: ${line.price}${basis})`))
  }
  const requestedDate = requestedDateOf(line, line.at, reading, findings)
  return {
    line: line.line,
    sku,
    quantity,
    unit,
    ...(price === undefined ? {} : { price }),
    ...(requestedDate ? { requestedDate } : {}),
  }
}

export function skuOf(
  line: Pick<PurchaseOrderLine, 'productIds'>,
  guide: PartnerGuide,
  crosswalk: ItemCrosswalk,
): string | undefined {
  for (const { qualifier, is } of guide.items) {
    const id = line.productIds.find((product) => product.qualifier === qualifier)?.value
    const sku = id && (is === 'sku' ? id : crosswalk(is, id))
    if (sku && sku.length <= 40) return sku
  }
  return undefined
}

/** Positive and exact to four places, else undefined. X12 allows .5 and 12. where we write 0.5 and 12. */
export function quantityOf(text: string | undefined): string | undefined {
  if (!text || !/^(?:\d+\.?\d*|\.\d+)$/.test(text)) return undefined
  const decimal = new Decimal(text)
  if (decimal.lte(0) || decimal.decimalPlaces() > 4 || decimal.gte(1e11)) return undefined
  const plain = decimal.toFixed()
  parseQuantity(plain)
  return plain
}

const PRICE_PLACES = 4

/** The price of one unit, exact to four places, else undefined; by weight that of a kilogram, to four places. */
export function priceOf(
  { price: text, priceBasis: basis }: Pick<PurchaseOrderLine, 'price' | 'priceBasis'>,
  guide: PartnerGuide,
): string | undefined {
  if (!text || !/^(?:\d+\.?\d*|\.\d+)$/.test(text)) return undefined
  const weightUnit = basis && WEIGHT_BASIS[basis]
  const per = weightUnit ? KILOGRAMS_IN[weightUnit] : basis ? unitsOfBasis(basis, guide.priceBasis) : 1
  if (per === undefined) return undefined
  const exact = new Decimal(text).div(per)
  const price = weightUnit === 'LB' ? exact.toDecimalPlaces(PRICE_PLACES) : exact
  return price.decimalPlaces() > PRICE_PLACES || price.gte(1e13) ? undefined : price.toFixed()
}

/** Prices are kept in the currency's minor unit: a part of one is rounded away as far as the guide's tolerance goes. */
function comparablePrice(
  line: PurchaseOrderLine,
  guide: PartnerGuide,
  currency: string | undefined,
): string | undefined {
  const exact = priceOf(line, guide)
  if (exact === undefined || currency === undefined) return exact
  const price = new Decimal(exact)
  const rounded = price.toDecimalPlaces(minorDigits(currency))
  const isClose = rounded.minus(price).abs().times(100).lte(price.times(guide.tolerances.pricePercent))
  return isClose ? rounded.toFixed() : undefined
}

const DAY_MS = 86_400_000

/** When something is wanted; a date that lies before the order itself is a question. */
function requestedDateOf(
  { dates }: { readonly dates: readonly QualifiedDate[] },
  at: Position,
  { guide, document }: Reading,
  findings: Finding[],
): string | undefined {
  const date = requestedOf(dates)?.date
  if (date === undefined) return undefined
  const daysBefore = (Date.parse(document.date) - Date.parse(date)) / DAY_MS
  if (daysBefore > guide.tolerances.pastDays)
    findings.push(finding('po.requested_before_order', at, `(${date}, ordered ${document.date})`))
  return date
}

/** The first of the dates that say when something is wanted. */
export const requestedOf = (dates: readonly QualifiedDate[]): QualifiedDate | undefined =>
  REQUESTED_DATES.flatMap((wanted) => dates.find(({ qualifier }) => qualifier === wanted) ?? []).find(
    ({ date }) => /^\d{4}-\d{2}-\d{2}$/.test(date),
  )

function shipToOf(
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
  findings: Finding[],
): ShipTo | undefined {
  const party = document.parties.find(({ role }) => role === guide.shipTo.role)
  if (!party) {
    findings.push(finding('po.ship_to_missing', document.at))
    return undefined
  }
  if (party.country && !/^[A-Z]{2}$/.test(party.country)) {
    findings.push(finding('po.country_unknown', document.at, `(${party.country})`))
  }
  return addressOf(party, guide)
}

function addressOf(party: DocumentParty, guide: PartnerGuide): ShipTo {
  const { id, name, city, region, postalCode, country } = party
  const lines = party.lines.slice(0, 4)
  return {
    ...(id && id.value.length <= 35 && guide.shipTo.codeQualifiers.includes(id.qualifier)
      ? { code: id.value }
      : {}),
    ...(name ? { name } : {}),
    ...(lines.length > 0 ? { lines } : {}),
    ...(city ? { city } : {}),
    ...(region ? { region } : {}),
    ...(postalCode ? { postalCode } : {}),
    ...(country && /^[A-Z]{2}$/.test(country) ? { country } : {}),
  }
}

function reportAllowances(document: PurchaseOrderDocument, guide: PartnerGuide, findings: Finding[]): void {
  const places = [
    ...document.allowances.map((allowance) => ({ allowance, at: document.at })),
    ...document.lines.flatMap((line) => line.allowances.map((allowance) => ({ allowance, at: line.at }))),
  ]
  for (const { allowance, at } of places) {
    if (allowance.kind === 'none' || (allowance.code && allowance.code in guide.allowances)) continue
    findings.push(finding('po.allowance_unknown', at, `(${allowance.code ?? 'no code'})`))
  }
}
