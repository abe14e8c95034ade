/** What a request for a reservation comes to: items in base units, places, a time of expiry; gathered for a list at once. */
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim } from '#platform/http.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'
import type { ReservationRequest, ReservedLine } from '#domains/inventory/contract/reservations.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { findItems, resolveLines } from '#domains/items/operations.ts'
import { wholePart } from './ordered-unit.ts'
import { placesOf } from './places.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'

/** What the door of reservations needs to know. */
export type ReservationPorts = Pick<ProcessPorts, 'clock' | 'ids' | 'company' | 'findCompany' | 'care'>

/** A request with the key under which its client may repeat it. */
export type ReservationArrival = {
  readonly request: ReservationRequest
  readonly client: string
  readonly partner: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

type WantedLine = Pick<
  ReservedLine,
  'n' | 'line' | 'itemId' | 'sku' | 'baseUnit' | 'requested' | 'unit' | 'wanted'
> & {
  /** Between places it is split at these. */
  readonly part: Quantity
}

export type Wanted = {
  readonly id: number
  readonly at: Date
  readonly expiresAt: Date | null
  readonly locations: readonly string[]
  readonly lines: readonly WantedLine[]
}

/** Items are looked up and reservations numbered before the transaction begins. */
export async function readReservations(
  queries: Queries,
  ports: ReservationPorts,
  arrivals: readonly ReservationArrival[],
): Promise<ReadonlyMap<ReservationArrival, Wanted | Refusal>> {
  const keys = arrivals.flatMap(({ request: { company, lines } }) =>
    lines.map(({ sku }) => ({ company, sku })),
  )
  const [items, ids] = await Promise.all([findItems(queries, keys), ports.ids.documents(arrivals.length)])
  const at = ports.clock.now()
  return new Map(
    arrivals.map((arrival, place) => {
      const read = refusedOr(() => readRequest(ports, arrival.request, { items, at }))
      return [arrival, read instanceof Refusal ? read : { id: ids[place]!, at, ...read }]
    }),
  )
}

/** What `read` answers, or why it refuses. */
export function refusedOr<T>(read: () => T): T | Refusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

type Known = { readonly items: ReadonlyMap<string, SellingItem>; readonly at: Date }

function readRequest(ports: ReservationPorts, request: ReservationRequest, { items, at }: Known) {
  const company = ports.findCompany(request.company)
  const locations = placesOf(company, request)
  return { expiresAt: expiryOf(company, request, at), locations, lines: readLines(request, items) }
}

function expiryOf(company: CompanyRules, { kind, expiresAt }: ReservationRequest, at: Date): Date | null {
  if (kind === 'soft') {
    return expiresAt === undefined
      ? new Date(at.getTime() + company.reservations.softMs)
      : checkedExpiry(company, expiresAt, at)
  }
  if (expiresAt === undefined) return null
  const message = 'a firm reservation lasts until it is released or taken over'
  throw new Refusal('inventory.firm_does_not_expire', message, {}, '/expiresAt')
}

/** A time that lies ahead, and no further than the company keeps stock. */
export function checkedExpiry(company: CompanyRules, text: string, at: Date): Date {
  const { softMaxMs } = company.reservations
  const expiresAt = new Date(text)
  if (expiresAt <= at) {
    const message = `${text} has passed: it is ${at.toISOString()}`
    throw new Refusal('inventory.expiry_not_ahead', message, {}, '/expiresAt')
  }
  const latest = new Date(at.getTime() + softMaxMs)
  if (expiresAt > latest) {
    const message = `${company.code} keeps stock for a soft reservation until ${latest.toISOString()} at most`
    throw new Refusal('inventory.expiry_too_far', message, { latest: latest.toISOString() }, '/expiresAt')
  }
  return expiresAt
}

/** By which of a line's fields a refusal came about; the quantity's where it is none of these. */
export const FIELDS: Readonly<Record<string, string>> = {
  'inventory.item_unknown': 'sku',
  'items.unknown': 'sku',
  'items.blocked': 'sku',
  'items.unit_unknown': 'unit',
}

function readLines(
  { company, lines }: ReservationRequest,
  items: ReadonlyMap<string, SellingItem>,
): WantedLine[] {
  const asked = lines.map(({ line, sku, quantity, unit }, place) => ({
    key: line,
    company,
    sku,
    unit,
    quantity: refusedOr(() => parseQuantity(quantity)),
    place,
  }))
  const seen = new Set<string>()
  const repeated = lines.findIndex(({ line }) => seen.has(line) || !seen.add(line))
  if (repeated >= 0) {
    const message = `line ${lines[repeated]!.line} stands twice`
    throw new Refusal('inventory.line_repeated', message, {}, `/lines/${repeated}/line`)
  }
  const readable = asked.flatMap((one) =>
    one.quantity instanceof Refusal ? [] : [{ ...one, quantity: one.quantity }],
  )
  const resolved = resolveLines(items, readable)
  const errors = asked.flatMap(({ key, quantity, place }) => {
    const refusal = quantity instanceof Refusal ? quantity : resolved.get(key)
    if (!(refusal instanceof Refusal)) return []
    const pointer = `/lines/${place}/${FIELDS[refusal.code] ?? 'quantity'}`
    return [{ pointer, code: refusal.code, message: refusal.message }]
  })
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return readable.map(({ key, sku, unit, quantity, place }) => {
    const { item, base } = resolved.get(key) as Exclude<ReturnType<typeof resolved.get>, Refusal | undefined>
    const { id: itemId, baseUnit, units } = item
    const part = wholePart(units.get(unit)!)
    return { n: place + 1, line: key, itemId, sku, baseUnit, requested: quantity, unit, wanted: base, part }
  })
}
