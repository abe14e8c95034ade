/** What a file of stock would change, place by place: seen in transactions that are undone. */
import type { Transaction } from '#platform/database.ts'
import type { Statuses } from '#domains/inventory/contract/feeds.ts'
import { isOwn, type Owned, ownerOf } from '#domains/inventory/contract/owners.ts'
import { ownedKey, statusesAt } from '#domains/inventory/views/statuses.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'

export type NamedPlace = Owned & {
  readonly company: string
  readonly location: string
  readonly sku: string
}

/** Of a place that a line names; what is in doubt there is part of what is available. */
export type PlaceChange = NamedPlace & { readonly before: Statuses; readonly after: Statuses }

const NOTHING: Statuses = { available: 0, qualityHold: 0, damaged: 0 }

/** Does the work and answers what is otherwise after it. */
export async function watched<T>(
  tx: Transaction,
  named: readonly NamedPlace[],
  work: () => Promise<T>,
): Promise<{ readonly answer: T; readonly changes: readonly PlaceChange[] }> {
  const items = await findItems(tx, named)
  const places = new Map(
    named.flatMap((one) => {
      const itemId = items.get(itemKey(one.company, one.sku))?.id
      if (itemId === undefined) return []
      const { company, location, sku, owner } = one
      const place = { company, location, sku, ...(!isOwn(one) && { owner }), itemId }
      return [[ownedKey(place), place] as const]
    }),
  )
  const before = await statusesAt(tx, [...places.values()])
  const answer = await work()
  const after = await statusesAt(tx, [...places.values()])
  const changes = [...places].map(([key, { itemId: _, ...place }]) => ({
    ...place,
    before: before.get(key) ?? NOTHING,
    after: after.get(key) ?? NOTHING,
  }))
  return { answer, changes }
}

/** By location and item, without places that stay as they are; what several portions change at one is added up. */
export function summedUp(changes: readonly PlaceChange[]): PlaceChange[] {
  const byPlace = new Map<string, PlaceChange>()
  for (const change of changes) {
    const key = JSON.stringify([change.location, change.company, change.sku, ownerOf(change)])
    const known = byPlace.get(key)
    byPlace.set(key, known ? { ...known, after: plus(known.after, minus(change)) } : change)
  }
  return [...byPlace]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, change]) => change)
    .filter((change) => Object.values(minus(change)).some((moved) => moved !== 0))
}

const minus = ({ before, after }: PlaceChange): Statuses => ({
  available: after.available - before.available,
  qualityHold: after.qualityHold - before.qualityHold,
  damaged: after.damaged - before.damaged,
})

const plus = (a: Statuses, b: Statuses): Statuses => ({
  available: a.available + b.available,
  qualityHold: a.qualityHold + b.qualityHold,
  damaged: a.damaged + b.damaged,
})
