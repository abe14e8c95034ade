/**
 * What a warehouse tells of a request of which people have entered something: what equals it is known and books nothing,
 * what goes beyond it is booked, what contradicts it puts stock right once and is told with both sides.
 */
import type { PickingConfirmed, ShipmentConfirmed, ShippedLine, ShippedPackage } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import type { HandRows, LeftOtherwise, Portion } from '#domains/inventory/operations/by-hand.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import { BY_HAND } from './hand-books.ts'
import { reopenShorts, withReopened } from './late-shipments.ts'
import type { LotLeft } from './lots.ts'
import { type Picking, takePick } from './picks.ts'
import { fulfillmentNumber, orderNumber } from './ports.ts'
import { type Shipping, takeShipment } from './shipping.ts'
import { type Books, leftOf, lineOf, openLine, requestOf, type Taken } from './warehouse-books.ts'

/** Undefined where nobody has entered anything of the request. One paper is never compared with another. */
export function handRowsOf(books: Books, one: Shipping | Picking): HandRows | undefined {
  if (one.source === BY_HAND) return undefined
  const request = requestOf(books, one)
  return request instanceof Refusal ? undefined : books.hand.rows.get(request.doc)
}

type ToldLine = {
  readonly place: number
  readonly told: ShippedLine
  readonly line: number
  readonly itemId: number
  readonly lot: string
  /** What of it is neither known nor booked yet. */
  rest: Quantity
  /** Entered as it is told. */
  readonly known: Portion[]
  /** Entered of another lot. */
  readonly otherLot: Portion[]
  /** To be booked now. */
  booked: Quantity
  /** What of that was called short. */
  late: Quantity
}

export function takeShipmentBesideHand(
  books: Books,
  shipping: Shipping,
  { rows, doc }: { readonly rows: HandRows; readonly doc: number },
): Taken | 'known' | Refusal {
  const { source, message } = shipping
  const request = requestOf(books, shipping)
  if (request instanceof Refusal) return request
  const key = `${source} ${message.shipment}`
  if (books.known.has(key)) return 'known'
  const trial = rows.copy()
  const lines = splitLines(books, request, message, trial)
  if (lines instanceof Refusal) return lines
  const reopened = reopenShorts(books, { request, shipping }, lines)
  const rest = { ...shipping, message: { ...message, packages: packagesOf(message, lines) } }
  const isMore = rest.message.packages.length > 0 || (message.final && request.state !== 'done')
  const booked = isMore ? takeShipment(books, rest, doc) : 'known'
  if (booked instanceof Refusal) return booked
  const taken = booked === 'known' ? booked : withReopened(booked, reopened)
  const unsaid = message.final ? trial.left('ship').map((row) => ({ row, quantity: trial.openOf(row) })) : []
  settle(books, { request, shipping, rows: trial, lines, unsaid })
  books.known.add(key)
  if (taken === 'known' || taken.confirmed?.shipment === undefined)
    books.hand.shipments.push({ source, sourceKey: message.shipment, fulfillmentId: request.doc })
  return taken
}

/** First what is the same, then the same goods of another lot, then what is new; more than that only of what was short. */
function splitLines(
  books: Books,
  request: Fulfillment,
  message: ShipmentConfirmed,
  rows: HandRows,
): ToldLine[] | Refusal {
  const lines: ToldLine[] = []
  for (const [place, parcel] of message.packages.entries()) {
    for (const told of parcel.lines) {
      const open = openLine(books, request, told)
      if (open instanceof Refusal) return open
      const { line, itemId } = open
      const lot = told.lot ?? ''
      const known = rows.take('ship', { line, lot, quantity: told.quantity })
      lines.push({
        place,
        told,
        line,
        itemId,
        lot,
        rest: told.quantity - sum(known),
        known,
        otherLot: [],
        booked: 0,
        late: 0,
      })
    }
  }
  for (const one of lines) {
    one.otherLot.push(...rows.takeAnyLot('ship', { line: one.line, quantity: one.rest }))
    one.rest -= sum(one.otherLot)
  }
  for (const [line, group] of Map.groupBy(lines, (one) => one.line)) {
    let left = leftOf(books, request.doc, line)
    for (const one of group) {
      one.booked = Math.min(one.rest, left)
      one.rest -= one.booked
      left -= one.booked
    }
    const beyond = group.reduce((all, { rest }) => all + rest, 0)
    if (beyond > lineOf(books, request.doc, line)!.short)
      return new Refusal('shipments.line_unknown', `line ${line} ships more than was asked for`)
  }
  return lines
}

const sum = (portions: readonly Portion[]): Quantity =>
  portions.reduce((all, { quantity }) => all + quantity, 0)

/** The message without what is known. */
function packagesOf(message: ShipmentConfirmed, lines: readonly ToldLine[]): ShippedPackage[] {
  return message.packages.flatMap((parcel, place) => {
    const booked = lines.filter((one) => one.place === place && one.booked > 0)
    if (booked.length === 0) return []
    return [
      { ...parcel, lines: booked.map(({ told, line, booked: quantity }) => partOf(told, line, quantity)) },
    ]
  })
}

/** Of a kilogram: scales say no less, and ERPs take no less. */
const GRAM: Quantity = 10

/** A part of a weighed line weighs as much of it, to the gram. */
const partOf = (told: ShippedLine, line: number, quantity: Quantity): ShippedLine => ({
  ...told,
  line,
  quantity,
  ...(told.catchWeight !== undefined && {
    catchWeight: GRAM * Math.round((told.catchWeight * quantity) / told.quantity / GRAM),
  }),
})

type Settling = {
  readonly request: Fulfillment
  readonly shipping: Shipping
  readonly rows: HandRows
  readonly lines: readonly ToldLine[]
  readonly unsaid: readonly Portion[]
}

function settle({ hand }: Books, { request, shipping, rows, lines, unsaid }: Settling): void {
  const { source, message } = shipping
  hand.rows.set(request.doc, rows)
  const common = {
    company: request.company,
    location: request.location,
    source,
    sourceKey: message.shipment,
    at: message.shippedAt,
    mark: message.mark,
  }
  const back = ({ row, quantity }: Portion): LeftOtherwise => ({
    ...common,
    itemId: row.itemId,
    lot: row.lot,
    doc: row.doc,
    quantity: -quantity,
    found: 0,
  })
  const others = lines.flatMap(({ otherLot }) => otherLot)
  for (const { itemId, lot, known, otherLot, rest, told } of lines) {
    const entered = [...known, ...otherLot][0]
    if (entered && told.serials)
      hand.units.push({
        ...common,
        itemId,
        lot,
        serials: told.serials,
        shipment: entered.row.doc,
        orderId: request.orderId,
      })
    for (const { row, quantity } of known)
      hand.again.push({ ...common, itemId, lot: row.lot, doc: row.doc, quantity })
    hand.differences.push(...otherLot.map(back))
    const gone = rest + sum(otherLot)
    if (gone > 0) {
      hand.differences.push({ ...common, itemId, lot, doc: request.doc, quantity: gone, found: rest })
      if (lot !== '')
        hand.otherwise.push(leftOtherwise(request, { itemId, lot, sku: told.sku, quantity: gone }))
    }
  }
  hand.differences.push(...unsaid.map((portion) => ({ ...back(portion), notFound: true })))
  const compared = compare(message.shipment, lines, unsaid)
  const mine = [...lines.flatMap(({ known }) => known), ...others, ...unsaid].map(({ row }) => row)
  for (const { row } of [...others, ...unsaid]) rows.end(row, 'differs')
  if (compared.differs.length > 0)
    for (const row of mine) if (rows.openOf(row) === 0) rows.end(row, 'differs')
  if (message.final) {
    const outcome = compared.differs.length > 0 ? 'differs' : 'known'
    for (const kind of ['pick', 'short'] as const) for (const row of rows.left(kind)) rows.end(row, outcome)
  }
  if (mine.length > 0 || compared.differs.length > 0)
    hand.told.push({
      request,
      source,
      what: 'shipment',
      rows: [...new Set(mine)],
      ...compared,
      unbilled: lines.flatMap(({ line, rest: quantity }) => (quantity > 0 ? [{ line, quantity }] : [])),
      neverLeft: unsaid.map(({ row, quantity }) => ({
        orderId: request.orderId,
        shipment: row.doc,
        line: row.line!,
        quantity,
      })),
    })
}

const leftOtherwise = (
  { doc, company, location, orderId }: Fulfillment,
  of: Pick<LotLeft, 'itemId' | 'lot' | 'sku' | 'quantity'>,
): LotLeft => ({
  ...of,
  company,
  location,
  order: orderNumber(orderId),
  document: fulfillmentNumber(doc),
  affects: { doc: orderId, kind: 'order' },
})

/** What was entered of these lines and what is told of them; a line of which nothing was entered is no difference. */
function compare(shipment: string, lines: readonly ToldLine[], unsaid: readonly Portion[]) {
  const entered = new Map<string, Quantity>()
  const told = new Map<string, Quantity>()
  const add = (sums: Map<string, Quantity>, name: string, quantity: Quantity): unknown =>
    sums.set(name, (sums.get(name) ?? 0) + quantity)
  const nameOf = (line: number, lot: string): string => `${shipment} line ${line}${lot && ` lot ${lot}`}`
  const mine = new Set(
    [...lines.flatMap(({ known, otherLot }) => [...known, ...otherLot]), ...unsaid].map(
      ({ row }) => row.line,
    ),
  )
  for (const one of lines) {
    if (!mine.has(one.line) && one.rest === 0 && one.late === 0) continue
    add(told, nameOf(one.line, one.lot), one.told.quantity)
    if (one.known.length > 0) add(entered, nameOf(one.line, one.lot), sum(one.known))
    for (const { row, quantity } of one.otherLot) add(entered, nameOf(one.line, row.lot), quantity)
  }
  for (const { row, quantity } of unsaid) add(entered, nameOf(row.line!, row.lot), quantity)
  return compared(entered, told)
}

const inWords = (sums: ReadonlyMap<string, Quantity>) =>
  Object.fromEntries([...sums].map(([name, quantity]) => [name, formatQuantity(quantity)]))

const compared = (entered: ReadonlyMap<string, Quantity>, told: ReadonlyMap<string, Quantity>) => ({
  entered: inWords(entered),
  told: inWords(told),
  differs: [...new Set([...entered.keys(), ...told.keys()])].filter(
    (name) => entered.get(name) !== told.get(name),
  ),
})

/** Picks are told in all, so what was entered is never booked again; what differs is told. */
export function takePickBesideHand(books: Books, pick: Picking, rows: HandRows): Taken | 'known' | Refusal {
  const request = requestOf(books, pick)
  const taken = takePick(books, pick)
  const { message } = pick
  if (request instanceof Refusal || taken instanceof Refusal || message.type !== 'picking-confirmed')
    return taken
  const mine = (['pick', 'short'] as const).flatMap((kind) =>
    rows.left(kind).filter((row) => isNamed(message, row)),
  )
  const entered = new Map<string, Quantity>()
  const told = new Map<string, Quantity>()
  for (const row of mine) {
    const name = `${row.kind === 'pick' ? 'picked' : 'short'} line ${row.line}${row.lot && ` lot ${row.lot}`}`
    entered.set(name, row.quantity)
    told.set(name, toldOf(message, row))
    rows.end(row, row.quantity === told.get(name) ? 'known' : 'differs')
  }
  if (mine.length > 0)
    books.hand.told.push({
      request,
      source: pick.source,
      what: 'pick',
      rows: mine,
      ...compared(entered, told),
    })
  return taken
}

const isNamed = ({ lines, short }: PickingConfirmed, { line }: HandRow): boolean =>
  [...lines, ...short].some((one) => one.line === line)

function toldOf({ lines, short }: PickingConfirmed, { kind, line, lot }: HandRow): Quantity {
  const own = lines.filter((one) => one.line === line && (lot === '' || !one.lot || one.lot === lot))
  const named = kind === 'pick' ? own : short.filter((one) => one.line === line)
  return named.reduce((all, { quantity }) => all + quantity, 0)
}
