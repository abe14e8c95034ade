/** The serials that people name of a line, against its quantity and what is known of them. */
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { formatQuantity, type Quantity, units } from '#platform/quantity.ts'
import type { AdjustedLine } from '#domains/inventory/contract/adjustments.ts'
import { isOwn } from '#domains/inventory/contract/owners.ts'
import { type Misfit, misfitsAmong, type SerialSaid } from '#domains/inventory/operations/serials.ts'
import type { SellingItem } from '#domains/items/contract.ts'

type FieldError = { readonly pointer: string; readonly code: string; readonly message: string }

type Named = {
  readonly serials: readonly string[] | undefined
  /** In base units; absent where it could not be read. */
  readonly quantity: Quantity | undefined
}

/** Of an item with serials one for each unit, none twice; `seen` are those of other lines. */
export function serialErrors(
  { sku, serialControlled }: Pick<SellingItem, 'sku' | 'serialControlled'>,
  { serials = [], quantity }: Named,
  seen: Set<string>,
): FieldError[] {
  if (!serialControlled) {
    const message = `${sku} has no serials`
    return serials.length > 0 ? [{ pointer: 'serials', code: 'inventory.serials_not_kept', message }] : []
  }
  const repeated = serials.flatMap((serial, place): FieldError[] => {
    const name = `${sku}\0${serial}`
    if (!seen.has(name)) {
      seen.add(name)
      return []
    }
    const message = `${serial} of ${sku} stands twice`
    return [{ pointer: `serials/${place}`, code: 'inventory.serial_repeated', message }]
  })
  if (quantity === undefined || units(serials.length) === quantity) return repeated
  const message = `${formatQuantity(quantity)} of ${sku} have ${serials.length} serials; send one for each`
  return [...repeated, { pointer: 'serials', code: 'inventory.serials_required', message }]
}

const CODES = {
  'not-there': 'inventory.serial_not_there',
  'has-place': 'inventory.serial_has_place',
} as const

/** A unit as it is said, with the field that says it. */
export type SaidAt = SerialSaid & { readonly pointer: string; readonly sku: string }

/** Refuses what does not fit what is known, field by field. */
export async function assertSerialsFit(queries: Queries, said: readonly SaidAt[]): Promise<void> {
  const errors = (await misfitsAmong(queries, said)).map(({ said: one, misfit, known }) => {
    const { pointer, serial, sku } = one as SaidAt
    return { pointer, code: CODES[misfit], message: `${serial} of ${sku} ${whereabouts(known)}` }
  })
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
}

function whereabouts(known: Misfit['known']): string {
  if (known === undefined) return 'was never told of'
  if (known.location === null) return known.bucket === 'shipped' ? 'was shipped' : 'is not with us'
  const lot = known.lot === '' ? '' : `, lot ${known.lot}`
  const whose = isOwn(known) ? '' : ` of ${known.owner}`
  return `is ${known.bucket}${whose} at ${known.location}${lot}`
}

/** The units that the lines of an adjustment name. */
export const unitsOf = (company: string, lines: readonly AdjustedLine[]): SaidAt[] =>
  lines.flatMap(({ n, kind, itemId, sku, location, owner, status, lot, serials }) => {
    const of = { company, itemId, sku, kind, location, owner, status, lot }
    return serials.map((serial, place) => ({ ...of, serial, pointer: `/lines/${n - 1}/serials/${place}` }))
  })
