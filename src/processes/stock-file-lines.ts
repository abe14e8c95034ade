/** Lines of a file of stock while it is taken: of which item they are, how much of it, and what became of them so far. */
import type { BadLine, CountLine, StockFile } from '#capabilities/stock.ts'
import type { Queries } from '#platform/database.ts'
import { convertQuantity, formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { CountedPlace, UnreadLine } from '#domains/inventory/contract/reconciliations.ts'
import { ownerOf } from '#domains/inventory/contract/owners.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { comesWhole, findItems } from '#domains/items/operations.ts'
import type { ReconcilePorts } from './reconciliation.ts'
import type { PlaceChange } from './stock-file-changes.ts'
import { ownerRefusal } from './stock-owners.ts'

export type FilePorts = ReconcilePorts & {
  readonly hasCompany: (code: string) => boolean
  readonly hasLocation: (code: string) => boolean
  /** Each transaction is undone: the report says what would change. */
  readonly isUndone?: boolean
}

export type GivenFile = {
  readonly source: string
  /** Of which the source tells. */
  readonly locations: readonly string[]
  readonly text: string
  readonly file: StockFile
  /** Of a snapshot: what its locations have beside is not there. */
  readonly whole: boolean
  readonly onProgress?: (done: number, lines: number) => void
}

/** A place of which a count of all that is there has lines that were not understood. */
export type NotConcluded = Pick<CountedPlace, 'company' | 'location'> & {
  /** Items that it does not name and that stay. */
  readonly notSaid: number
  readonly lines: readonly UnreadLine[]
}

export type Counted = {
  taken: number
  repeated: number
  late: number
  waiting: number
  corrected: number
  told: number
  reconciliations: number[]
  notConcluded: NotConcluded[]
}

export type Loading = GivenFile & {
  readonly hash: string
  readonly refused: BadLine[]
  readonly counted: Counted
  readonly changes: PlaceChange[]
}

export type MovementLine = Extract<StockFile, { kind: 'movements' }>['lines'][number]
type AnyLine = MovementLine | CountLine

export const PORTION = 1_000

export const ownedSku = (told: AnyLine['told']): string => `${ownerOf(told)} ${told.sku}`

export const itemsOf = (
  queries: Queries,
  lines: readonly AnyLine[],
): Promise<ReadonlyMap<string, SellingItem>> =>
  findItems(
    queries,
    lines.map(({ company, told }) => ({ company, sku: told.sku })),
  )

/** The item of a line and its quantities in base units; names what is wrong. */
export function inBase<Field extends string>(
  { line, company, unit, told }: AnyLine,
  items: ReadonlyMap<string, SellingItem>,
  quantities: Readonly<Record<Field, Quantity>>,
): Readonly<Record<Field, Quantity>> | BadLine {
  const item = items.get(itemKey(company, told.sku))
  if (!item) {
    const message = `${company} has no item ${told.sku}`
    return { line, field: 'sku', code: 'inventory.item_unknown', message }
  }
  const misowned = ownerRefusal(told)
  if (misowned) return { line, field: 'owner', code: misowned.code, message: misowned.message }
  const factor = unit === undefined ? { numerator: 1, denominator: 1 } : item.units.get(unit)
  if (!factor) {
    const message = `${told.sku} has no unit ${unit}`
    return { line, field: 'unit', code: 'items.unit_unknown', message }
  }
  const base: Partial<Record<Field, Quantity>> = {}
  for (const [field, quantity] of Object.entries(quantities) as [Field, Quantity][]) {
    const converted = convertQuantity(quantity, factor)
    if (converted === undefined) {
      const message = `${formatQuantity(quantity)} ${unit} does not convert to ${item.baseUnit}`
      return { line, field, code: 'items.quantity_not_exact', message }
    }
    if (comesWhole(item.baseUnit) && formatQuantity(converted).includes('.')) {
      const message = `${formatQuantity(converted)}: ${item.baseUnit} comes in whole numbers`
      return { line, field, code: 'items.quantity_not_whole', message }
    }
    base[field] = converted
  }
  return base as Readonly<Record<Field, Quantity>>
}

export const isBad = (given: object): given is BadLine => 'code' in given
