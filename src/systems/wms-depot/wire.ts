/** The words of the Depot WMS: what it is sent, what it answers, what it tells by webhook. */
import {
  type Fields,
  fieldsOf,
  filledText,
  instant,
  integer,
  list,
  listOf,
  number,
  optionalInteger,
  optionalText,
  text,
} from '#platform/fields.ts'

export type DepotAddress = {
  readonly name: string
  readonly address: string
  readonly city: string
  readonly region: string
  readonly postal_code: string
  readonly country: string
}

export type DepotOrder = {
  readonly external_ref: string
  readonly owner: string
  readonly site: string
  readonly customer_ref: string
  readonly ship_to: DepotAddress
  readonly ship_by: string | null
  readonly lines: readonly {
    readonly line_no: number
    readonly sku: string
    readonly qty: number
    readonly uom: string
    /** A line stands once for each lot that it is to come from, and once for what may come from any. */
    readonly lot: string | null
    /** The earliest day on which what is picked may expire. */
    readonly min_expiry: string | null
    readonly ship_by: string | null
  }[]
}

/** Labels for the cartons of a packing, to be printed where they are closed. */
export type DepotLabels = {
  readonly carrier: string
  readonly labels: readonly {
    readonly sscc: string
    readonly tracking_number: string
    readonly format: string
    readonly data: string
  }[]
}

/** An order as Depot knows it, as far as we need it. */
export type DepotOrderState = {
  readonly wmsOrderId: string
  readonly externalRef: string
  readonly status: string
}

export type DepotError = { readonly code: string; readonly message: string }

/** One order of a bulk release, found by its reference. */
export type DepotBulkResult = {
  readonly externalRef: string
  readonly code: number
  readonly wmsOrderId: string | undefined
  readonly status: string | undefined
  readonly error: DepotError | undefined
}

export type DepotStockRow = {
  readonly site: string
  readonly sku: string
  readonly lot: string | undefined
  readonly expiresOn: string | undefined
  readonly status: string
  readonly qty: number
  /** Of the last event that moved the item at the site. */
  readonly stockSequence: number | undefined
}

/** Orders that others sent to Depot, or that were keyed at its desk. */
export type DepotOtherPage = {
  readonly asOf: Date
  readonly orders: readonly unknown[]
  readonly next: string | undefined
}

export type DepotSnapshotPage = {
  readonly sequence: number
  readonly takenAt: Date
  readonly rows: readonly DepotStockRow[]
  readonly next: string | undefined
}

export const orderState = (order: Fields): DepotOrderState => ({
  wmsOrderId: filledText(order, 'wms_order_id'),
  externalRef: filledText(order, 'external_ref'),
  status: filledText(order, 'status'),
})

export const orderStates = (body: unknown): DepotOrderState[] => listOf(fieldsOf(body), 'orders', orderState)

/** Undefined where an answer, perhaps a proxy's, carries no error in Depot's words. */
export function errorOf(body: unknown): DepotError | undefined {
  const error = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : undefined
  if (typeof error !== 'object' || error === null) return undefined
  const { code, message, field } = error as { code?: unknown; message?: unknown; field?: unknown }
  if (typeof code !== 'string') return undefined
  const words = typeof message === 'string' ? message : code
  return { code, message: typeof field === 'string' ? `${words} (${field})` : words }
}

export const bulkResults = (body: unknown): DepotBulkResult[] =>
  listOf(fieldsOf(body), 'results', (result) => ({
    externalRef: filledText(result, 'external_ref'),
    code: integer(result, 'code'),
    wmsOrderId: optionalText(result, 'wms_order_id'),
    status: optionalText(result, 'status'),
    error: errorOf(result),
  }))

export function snapshotPage(body: unknown): DepotSnapshotPage {
  const page = fieldsOf(body)
  return {
    sequence: integer(page, 'sequence'),
    takenAt: instant(page, 'taken_at'),
    next: optionalText(page, 'next_cursor'),
    rows: listOf(page, 'rows', (row) => ({
      site: filledText(row, 'site'),
      sku: filledText(row, 'sku'),
      lot: optionalText(row, 'lot'),
      expiresOn: optionalText(row, 'expires_on'),
      status: text(row, 'status'),
      qty: number(row, 'qty'),
      stockSequence: optionalInteger(row, 'stock_sequence'),
    })),
  }
}

export function otherPage(body: unknown): DepotOtherPage {
  const page = fieldsOf(body)
  return {
    asOf: instant(page, 'as_of'),
    orders: list(page, 'orders'),
    next: optionalText(page, 'next_cursor'),
  }
}

/** `X-Depot-Signature: t=<unix seconds>,v1=<hex>`; undefined where it is of another form. */
export function signatureOf(
  header: string | undefined,
): { atSeconds: number; signature: string } | undefined {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '')
  return match ? { atSeconds: Number(match[1]), signature: match[2]! } : undefined
}
