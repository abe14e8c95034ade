/** Finds our SKUs for the numbers of a partner: looked up for a whole transaction set at once. */
import { identifierKey, itemKey, type ItemIdentifier } from '#domains/items/contract.ts'
import type { ItemUnits, UnitsOf } from './advice.ts'
import { WAREHOUSE_IDS, warehouseIds } from './documents/warehouse-parts.ts'
import type { Lookups } from './interpret.ts'
import type { ItemCrosswalk } from './map.ts'
import type { ItemIdentity, PartnerGuide } from './partner-guide.ts'
import type { TransactionSet } from './x12-envelopes.ts'

/** Answers by `identifierKey`; what is unknown is absent. */
export type FindItems = (
  keys: readonly ItemIdentifier[],
) => Promise<ReadonlyMap<string, { readonly sku: string }>>

/** First element of the pairs of qualifier and id. */
const PAIRS: Readonly<Record<string, number>> = { PO1: 6, LIN: 2 }

/** Where items are looked up. */
export type Find = { readonly items: FindItems; readonly units: FindUnits }

/** All that is known of the items of a set, looked up at once. */
export async function lookupsFor(
  set: TransactionSet,
  guide: PartnerGuide | undefined,
  find: Find,
): Promise<Lookups> {
  const crosswalk = await crosswalkFor(set, guide, find.items)
  return { crosswalk, unitsOf: await unitsFor(set, guide, { crosswalk, find: find.units }) }
}

async function crosswalkFor(
  set: TransactionSet,
  guide: PartnerGuide | undefined,
  find: FindItems,
): Promise<ItemCrosswalk> {
  if (!guide) return () => undefined
  const translated = guide.items.filter(({ is }) => is !== 'sku')
  const identities = new Map(translated.map(({ qualifier, is }) => [qualifier, is]))
  const keys = new Map(
    idsOf(set, identities).map(([is, value]) => {
      const key = identifierOf(guide, is, value)
      return [identifierKey(key), key]
    }),
  )
  if (keys.size === 0) return () => undefined
  const found = await find([...keys.values()])
  return (is, value) => found.get(identifierKey(identifierOf(guide, is, value)))?.sku
}

/** By `itemKey`; what is unknown is absent. */
export type FindUnits = (
  items: readonly { readonly company: string; readonly sku: string }[],
) => Promise<ReadonlyMap<string, ItemUnits>>

/** Sets whose quantities are of our stock. */
const COUNTED: ReadonlySet<string> = new Set(['846', '944', '945', '947'])

/** How the items of a set are counted, where the partner counts in units of its own. */
async function unitsFor(
  set: TransactionSet,
  guide: PartnerGuide | undefined,
  { crosswalk, find }: { readonly crosswalk: ItemCrosswalk; readonly find: FindUnits },
): Promise<UnitsOf> {
  if (!guide || !COUNTED.has(set.type)) return () => undefined
  const { company } = guide
  const identities = new Map(guide.items.map(({ qualifier, is }) => [qualifier, is]))
  const skus = idsOf(set, identities).flatMap(([is, value]) =>
    is === 'sku' ? [value] : (crosswalk(is, value) ?? []),
  )
  const found = await find([...new Set(skus)].map((sku) => ({ company, sku })))
  return (sku) => found.get(itemKey(company, sku))
}

function* pairsOf(set: TransactionSet): Generator<readonly [string, string]> {
  for (const segment of set.segments) {
    const { id, elements } = segment
    if (id in WAREHOUSE_IDS) {
      for (const { qualifier, value } of warehouseIds(segment)) yield [qualifier, value]
      continue
    }
    for (let at = PAIRS[id] ?? elements.length; at + 1 < elements.length; at += 2)
      yield [elements[at]!, elements[at + 1]!]
  }
}

const idsOf = (
  set: TransactionSet,
  identities: ReadonlyMap<string, ItemIdentity>,
): (readonly [ItemIdentity, string])[] =>
  [...pairsOf(set)].flatMap(([qualifier, value]) => {
    const is = identities.get(qualifier)
    return is && value !== '' && !value.includes('\0') ? [[is, value] as const] : []
  })

/** GTINs are kept with 14 digits; a customer's own numbers are told apart by customer. */
function identifierOf({ company, customer }: PartnerGuide, is: ItemIdentity, value: string): ItemIdentifier {
  if (is === 'gtin') return { company, scheme: 'gtin', value: value.padStart(14, '0') }
  return { company, scheme: `customer-item/${customer}`, value }
}
