/** What people say of stock, read: items, units, places, lots, and the fields that each kind of line needs. */
import { Refusal } from '#platform/faults.ts'
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import type {
  AdjustedLine,
  AdjustmentKind,
  AdjustmentRequest,
} from '#domains/inventory/contract/adjustments.ts'
import { OWN } from '#domains/inventory/contract/owners.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { inBaseUnits } from '#domains/items/operations.ts'
import { serialErrors } from './named-serials.ts'
import { placesOf, type SellingPlaces } from './places.ts'
import { FIELDS, refusedOr } from './reservation-request.ts'

type Asked = AdjustmentRequest['lines'][number]
type Known = {
  readonly company: SellingPlaces
  readonly items: ReadonlyMap<string, SellingItem>
}
type FieldError = { readonly pointer: string; readonly code: string; readonly message: string }

/** Every line, or a refusal with an error for each field that is wrong. */
export function readAdjustment({ lines }: AdjustmentRequest, known: Known): AdjustedLine[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  const units = new Set<string>()
  const read = lines.flatMap((asked, place) => {
    const within = `/lines/${place}`
    const found = [...fieldErrors(asked, within), ...lineErrors(asked, { ...known, units }, within)]
    const { status = 'available', owner = OWN } = asked
    const counts = [asked.sku, asked.location, asked.lot, status, owner].join('\0')
    if (asked.kind === 'counted' && (seen.has(counts) || !seen.add(counts)))
      found.push(contradiction(`${within}/kind`, `${asked.sku} is counted twice at ${asked.location}`))
    errors.push(...found)
    return found.length > 0 ? [] : [lineOf(asked, known, place)]
  })
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return read
}

const contradiction = (pointer: string, message: string): FieldError => ({
  pointer,
  code: 'inventory.adjustment_contradicts',
  message,
})

/** Of the fields that not every kind has: those that it must have, and those that it may. */
const FIELDS_OF: Readonly<Record<AdjustmentKind, readonly [must: readonly Field[], may: readonly Field[]]>> =
  {
    counted: [[], ['status']],
    found: [[], ['status']],
    lost: [[], ['status']],
    moved: [['toStatus'], ['status']],
    returned: [[], []],
    sent: [['transfer', 'to'], ['status']],
    arrived: [['transfer'], ['status']],
    missing: [['transfer'], []],
    'handed-over': [['toOwner'], ['status']],
  }
type Field = 'status' | 'toStatus' | 'transfer' | 'to' | 'toOwner'
const NOT_OF_ALL: readonly Field[] = ['status', 'toStatus', 'transfer', 'to', 'toOwner']

function fieldErrors(asked: Asked, within: string): FieldError[] {
  const [must, may] = FIELDS_OF[asked.kind]
  const errors = NOT_OF_ALL.flatMap((field) => {
    const pointer = `${within}/${field}`
    if (must.includes(field) && asked[field] === undefined)
      return [contradiction(pointer, `what is ${asked.kind} needs ${field}`)]
    return asked[field] !== undefined && !must.includes(field) && !may.includes(field)
      ? [contradiction(pointer, `${field} means nothing for what is ${asked.kind}`)]
      : []
  })
  if (asked.kind === 'moved' && asked.toStatus === (asked.status ?? 'available'))
    errors.push(contradiction(`${within}/toStatus`, `it is ${asked.toStatus} already`))
  if (asked.kind === 'handed-over' && asked.toOwner === (asked.owner ?? OWN))
    errors.push(contradiction(`${within}/toOwner`, `it is ${asked.toOwner} already`))
  if (asked.kind === 'sent' && asked.to === asked.location)
    errors.push(contradiction(`${within}/to`, 'a transfer goes to another place'))
  return errors
}

type Reading = Known & {
  /** Serials of the lines before. */
  readonly units: Set<string>
}

function lineErrors(asked: Asked, { company, items, units }: Reading, within: string): FieldError[] {
  const refusals: FieldError[] = []
  const note = (pointer: string, refusal: unknown): void => {
    if (refusal instanceof Refusal)
      refusals.push({ pointer: `${within}/${pointer}`, code: refusal.code, message: refusal.message })
  }
  const item = items.get(itemKey(company.code, asked.sku))
  if (!item) note('sku', new Refusal('inventory.item_unknown', `${company.code} has no item ${asked.sku}`))
  else {
    const quantity = refusedOr(() => quantityOf(asked, item))
    if (quantity instanceof Refusal) note(FIELDS[quantity.code] ?? 'quantity', quantity)
    if (item.lotControlled && asked.lot === undefined)
      note('lot', new Refusal('inventory.lot_required', `${asked.sku} has lots`))
    const named = { serials: asked.serials, quantity: quantity instanceof Refusal ? undefined : quantity }
    for (const error of serialErrors(item, named, units))
      refusals.push({ ...error, pointer: `${within}/${error.pointer}` })
  }
  note(
    'location',
    refusedOr(() => placesOf(company, { location: asked.location })),
  )
  if (asked.to !== undefined)
    note(
      'to',
      refusedOr(() => placesOf(company, { location: asked.to })),
    )
  return refusals
}

/** In base units; nothing at all is something that can be counted. */
function quantityOf({ kind, sku, quantity: text, unit }: Asked, item: SellingItem): Quantity {
  const quantity = parseQuantity(text)
  const named = unit ?? item.baseUnit
  if (kind === 'counted' && quantity === 0 && item.units.has(named)) return 0
  const base = inBaseUnits(item, quantity, named)
  if (!(base instanceof Refusal)) return base
  if (base.code !== 'items.quantity_not_positive') throw base
  throw new Refusal(base.code, `${text} ${named} of ${sku} is less than can be ${kind}`)
}

function lineOf(asked: Asked, { company, items }: Known, place: number): AdjustedLine {
  const {
    kind,
    sku,
    location,
    lot = '',
    serials = [],
    owner = OWN,
    toOwner,
    status = 'available',
    toStatus,
    transfer,
    to,
    unit,
  } = asked
  const item = items.get(itemKey(company.code, sku))!
  return {
    n: place + 1,
    kind,
    itemId: item.id,
    sku,
    location,
    lot,
    serials,
    owner,
    toOwner: toOwner ?? null,
    status,
    toStatus: toStatus ?? null,
    transfer: transfer ?? null,
    place: to ?? null,
    quantity: quantityOf(asked, item),
    baseUnit: item.baseUnit,
    asked: parseQuantity(asked.quantity),
    unit: unit ?? item.baseUnit,
    difference: null,
    explained: null,
  }
}

const TAKING: ReadonlySet<AdjustmentKind> = new Set(['lost', 'moved', 'sent'])

/** Nobody hands over what he does not have, or what is reserved of ours. */
export function assertHandsOver(
  lines: readonly AdjustedLine[],
  hasOf: (line: AdjustedLine) => Quantity,
): void {
  const given = new Map<string, Quantity>()
  const errors = lines.flatMap((line) => {
    if (line.kind !== 'handed-over') return []
    const { n, itemId, sku, location, owner, lot, status, quantity, baseUnit } = line
    const key = [itemId, location, owner, lot, status].join('\0')
    const has = hasOf(line)
    const wanted = (given.get(key) ?? 0) + quantity
    given.set(key, wanted)
    if (wanted <= has) return []
    const message = `${owner} has ${formatQuantity(has)} ${baseUnit} of ${sku} at ${location} to hand over`
    return [{ pointer: `/lines/${n - 1}/quantity`, code: 'inventory.owner_has_less', message }]
  })
  if (errors[0]) throw new Refusal('inventory.owner_has_less', errors[0].message, { errors })
}

/** Of a lot that was never at a location nothing can be taken. */
export function assertLotsKnown(
  lines: readonly AdjustedLine[],
  isKnown: (line: AdjustedLine) => boolean,
): void {
  const errors = lines.flatMap((line) => {
    const takes = TAKING.has(line.kind)
    if (!takes || line.lot === '' || isKnown(line)) return []
    const message = `${line.location} never had lot ${line.lot} of ${line.sku}`
    return [{ pointer: `/lines/${line.n - 1}/lot`, code: 'inventory.lot_unknown', message }]
  })
  if (errors[0]) throw new Refusal('inventory.lot_unknown', errors[0].message, { errors })
}
