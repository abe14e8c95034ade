/** What people say that a warehouse did, read against its request: every line, or an error for each field that is wrong. */
import { isSscc } from '#capabilities/sscc.ts'
import { notYet } from '#capabilities/told-time.ts'
import type { RequestMessage } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'
import type { HandRequest } from '#domains/inventory/contract/by-hand.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { inBaseUnits } from '#domains/items/operations.ts'
import type { OrderLine } from '#domains/orders/views.ts'
import type { FulfillmentLine } from '#domains/shipments/contract.ts'
import { stillOpen } from '#domains/shipments/operations.ts'
import { serialErrors } from './named-serials.ts'
import { FIELDS, refusedOr } from './reservation-request.ts'

export type HandLine = {
  readonly line: number
  readonly itemId: number
  readonly sku: string
  readonly quantity: Quantity
  readonly unit: string
  readonly lot: string
  readonly serials: readonly string[]
  readonly expiresOn: string | undefined
  readonly catchWeight: Quantity | undefined
  readonly short: boolean
}

type Known = {
  readonly lines: readonly FulfillmentLine[]
  readonly orderLines: readonly OrderLine[]
  readonly items: ReadonlyMap<number, SellingItem>
}
type Asked = HandRequest['lines'][number]
type FieldError = { readonly pointer: string; readonly code: string; readonly message: string }

export function readByHand(request: HandRequest, known: Known, now: Date): HandLine[] {
  const errors: FieldError[] = headErrors(request, now)
  const units = new Set<string>()
  const read = request.lines.flatMap((asked, place) => {
    const line = readLine(request, asked, { ...known, units })
    const found = 'errors' in line ? line.errors : []
    errors.push(...found.map((error) => ({ ...error, pointer: `/lines/${place}/${error.pointer}` })))
    return 'errors' in line ? [] : [line]
  })
  if (errors.length === 0) errors.push(...beyondRequest(request, read, known))
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return read
}

const contradicts = (pointer: string, message: string): FieldError => ({
  pointer,
  code: 'inventory.hand_line_contradicts',
  message,
})

const unreadable = (sscc: string): FieldError => ({
  pointer: '/sscc',
  code: 'inventory.sscc_invalid',
  message: `the check digit of ${sscc} is another`,
})

function headErrors(
  { kind, at, lines, final, carrier, tracking, sscc }: HandRequest,
  now: Date,
): FieldError[] {
  const ahead = notYet(new Date(at), now)
  const isEmpty = lines.length === 0 && (kind === 'picked' || final !== true)
  return [
    ...(ahead ? [{ pointer: '/at', code: ahead.code, message: ahead.message }] : []),
    ...(sscc !== undefined && !isSscc(sscc) ? [unreadable(sscc)] : []),
    ...(isEmpty ? [contradicts('/lines', 'nothing is said to have happened')] : []),
    ...(kind === 'picked'
      ? Object.entries({ final, carrier, tracking, sscc }).flatMap(([field, value]) =>
          value === undefined ? [] : [contradicts(`/${field}`, `${field} means nothing for what is picked`)],
        )
      : []),
  ]
}

function readLine(
  { kind }: HandRequest,
  asked: Asked,
  { lines, orderLines, items, units }: Known & { readonly units: Set<string> },
): HandLine | { readonly errors: FieldError[] } {
  const mine = lines.find(({ line }) => line === asked.line)
  const ordered = orderLines.find(({ n }) => n === asked.line)
  if (!mine || !ordered) {
    const message = `the request has no line ${asked.line}`
    return { errors: [{ pointer: 'line', code: 'inventory.request_line_unknown', message }] }
  }
  const item = items.get(mine.itemId)!
  const errors: FieldError[] = []
  const quantity = refusedOr(() => quantityOf(asked, item))
  if (quantity instanceof Refusal)
    errors.push({
      pointer: FIELDS[quantity.code] ?? 'quantity',
      code: quantity.code,
      message: quantity.message,
    })
  if (item.lotControlled && asked.lot === undefined && !asked.short)
    errors.push({ pointer: 'lot', code: 'inventory.lot_required', message: `${item.sku} has lots` })
  errors.push(...contradictions(kind, asked))
  const named = { serials: asked.serials, quantity: quantity instanceof Refusal ? undefined : quantity }
  if (kind === 'shipped') errors.push(...serialErrors(item, named, units))
  if (errors.length > 0 || quantity instanceof Refusal) return { errors }
  return {
    line: asked.line,
    itemId: item.id,
    sku: item.sku,
    quantity,
    unit: item.baseUnit,
    lot: asked.lot ?? '',
    serials: asked.serials ?? [],
    expiresOn: asked.expiresOn,
    catchWeight: asked.catchWeight === undefined ? undefined : parseQuantity(asked.catchWeight),
    short: asked.short ?? false,
  }
}

/** What only the other kind of paper knows. */
function contradictions(kind: HandRequest['kind'], asked: Asked): FieldError[] {
  if (kind === 'shipped')
    return asked.short === undefined
      ? []
      : [contradicts('short', 'what a shipment lacks is short once it is final')]
  const { catchWeight, expiresOn, serials } = asked
  const told = {
    catchWeight: [catchWeight, 'only a shipment knows what it weighs'],
    expiresOn: [expiresOn, 'only a shipment says when it expires'],
    serials: [serials, 'only a shipment says which units left'],
  } as const
  return Object.entries(told).flatMap(([field, [value, message]]) =>
    value === undefined ? [] : [contradicts(field, message)],
  )
}

function quantityOf({ quantity: text, unit }: Asked, item: SellingItem): Quantity {
  const base = inBaseUnits(item, parseQuantity(text), unit ?? item.baseUnit)
  if (base instanceof Refusal) throw base
  return base
}

/** A shipment takes what is open; picks are told in all. */
function beyondRequest({ kind }: HandRequest, read: readonly HandLine[], { lines }: Known): FieldError[] {
  return [...Map.groupBy(read, ({ line }) => line)].flatMap(([n, group]) => {
    const line = lines.find((one) => one.line === n)!
    const most = kind === 'shipped' ? stillOpen(line) : line.quantity - line.shipped
    const all = group.reduce((sum, { quantity }) => sum + quantity, 0)
    if (all <= most) return []
    const at = read.indexOf(group.at(-1)!)
    const message = `line ${n} of the request leaves less open than ${kind === 'shipped' ? 'left' : 'was handled'}`
    return [{ pointer: `/lines/${at}/quantity`, code: 'inventory.more_than_requested', message }]
  })
}

/** As the warehouse itself would have told it. */
export function messageOf(
  request: HandRequest,
  lines: readonly HandLine[],
  shipment: string,
): RequestMessage {
  const at = new Date(request.at)
  const fulfillment = request.request
  if (request.kind === 'picked') {
    const told = (isShort: boolean) =>
      lines
        .filter(({ short }) => short === isShort)
        .map(({ line, sku, quantity, lot }) => ({ line, sku, quantity, ...(lot !== '' && { lot }) }))
    return { type: 'picking-confirmed', fulfillment, at, lines: told(false), short: told(true) }
  }
  const contents = lines.map(({ line, sku, quantity, lot, serials, expiresOn, catchWeight }) => ({
    line,
    sku,
    quantity,
    expiresOn,
    catchWeight,
    ...(lot !== '' && { lot }),
    ...(serials.length > 0 && { serials }),
  }))
  return {
    type: 'shipment-confirmed',
    shipment,
    fulfillment,
    shippedAt: at,
    carrier: request.carrier ?? 'by hand',
    packages:
      contents.length > 0 ? [{ sscc: request.sscc, tracking: request.tracking, lines: contents }] : [],
    final: request.final ?? false,
  }
}
