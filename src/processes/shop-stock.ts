/** Tells shops what can be promised to them: many items a call, under the policy of their system, the last figure alone. */
import { setStock, type StockLevel } from '#capabilities/channel.ts'
import { type Fate, settleUntold, type Untold, untoldOf } from '#domains/inventory/operations/untold.ts'
import { refusedStock } from '#domains/inventory/views/untold.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { findItemsById } from '#domains/items/operations.ts'
import type { Clock } from '#platform/clock.ts'
import { operationKey } from '#platform/connector.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { effectKey, type Verdict } from '#platform/effects.ts'
import { type Cause, closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { Lane } from '#platform/lanes.ts'
import { type Quantity, type UnitFactor, units } from '#platform/quantity.ts'

export type ShopPorts = {
  readonly database: Database
  readonly clock: Clock
  /** By the name of the system; undefined while this process has no life. */
  readonly lane: (shop: string) => Lane | undefined
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
  readonly companies: readonly string[]
}

/** So many items a round, which is few enough to leave the lane to orders. */
const PORTION = 100
/** What a shop refuses is tried again: somebody may have listed the item there. */
const REFUSED_AGAIN_MS = 15 * 60_000
/** A system that has failed so often that calls about documents wait for a person is tried on: nobody need decide here. */
const FAILED_AGAIN_MS = 60_000
const GONE_LOOK_MS = 100
const SHOP_REFUSED = 'inventory.shop_refused'
const URGENT = 0
const BEHIND = 9

/** One round. What is not settled by its end, since this process ends, is told again by whoever comes next. */
export async function tellShop(ports: ShopPorts, shop: string): Promise<void> {
  const { database, clock } = ports
  const lane = ports.lane(shop)
  if (!lane) return
  const due = await untoldOf(database, shop, { now: clock.now(), limit: PORTION })
  if (due.length === 0) return
  const items = await findItemsById(
    database,
    due.map(({ itemId }) => itemId),
  )
  const sent = Promise.all(due.map((untold) => fateOf(ports, lane, untold, items.get(untold.itemId))))
  const fates = await whileAlive(ports, shop, lane, sent)
  if (!fates) return
  await database.transaction(async (tx) => settleUntold(tx, shop, fates, clock.now()))
  if (fates.some(({ kind, untold }) => kind === 'refused' || untold.refusal !== null)) {
    const words = new Map(
      fates.flatMap((fate) => (fate.kind === 'refused' ? [[fate.code, fate.message] as const] : [])),
    )
    await tellPeople(ports, shop, words)
  }
}

/** A lane that was stopped never answers. */
async function whileAlive<T>(
  { clock, lane: laneOf }: ShopPorts,
  shop: string,
  lane: Lane,
  work: Promise<T>,
): Promise<T | undefined> {
  const over = new AbortController()
  const gone = async (): Promise<undefined> => {
    while (!over.signal.aborted && laneOf(shop) === lane) await clock.sleep(GONE_LOOK_MS, over.signal)
  }
  try {
    return await Promise.race([work, gone()])
  } finally {
    over.abort()
  }
}

async function fateOf(
  { clock }: ShopPorts,
  lane: Lane,
  untold: Untold,
  item: SellingItem | undefined,
): Promise<Fate> {
  if (!item) return { untold, kind: 'told' }
  const { doc, version, attempts, behind } = untold
  const intent = { doc, step: 'setStock', subject: lane.connector.instance, generation: version }
  const { promise, resolve } = Promise.withResolvers<Verdict>()
  lane.enqueue({
    intent,
    operation: operationKey(setStock),
    effect: { key: effectKey(intent), businessKey: item.sku, request: levelOf(untold, item) },
    attempt: 'send',
    inDoubt: false,
    attempts,
    absentAfter: null,
    priority: behind ? BEHIND : URGENT,
    settled: async (verdict) => resolve(verdict),
  })
  const verdict = await promise
  const after = (ms: number): Date => new Date(clock.now().getTime() + ms)
  if (verdict.kind === 'refused') return { untold, ...verdict, at: after(REFUSED_AGAIN_MS) }
  if (verdict.kind === 'deferred') return { untold, kind: 'later', at: verdict.at ?? after(FAILED_AGAIN_MS) }
  const { newer } = verdict.answer as { readonly newer?: Date }
  return newer ? { untold, kind: 'stale', newer } : { untold, kind: 'told' }
}

const levelOf = ({ asOf, available }: Untold, { company, sku, units: sold }: SellingItem): StockLevel => ({
  company,
  sku,
  asOf,
  levels: [...sold].map(([unit, factor]) => ({ unit, quantity: wholeIn(available, factor) })),
})

/** As many of a unit as there are whole, and never less than none. */
export function wholeIn(available: Quantity, { numerator, denominator }: UnitFactor): Quantity {
  const count = (BigInt(available) * BigInt(denominator)) / (BigInt(numerator) * BigInt(units(1)))
  return units(Math.max(0, Number(count)))
}

/** The open exceptions of a shop become the causes for which it refuses items now. */
async function tellPeople(
  { database, companies, openExceptions }: ShopPorts,
  shop: string,
  words: ReadonlyMap<string, string>,
): Promise<void> {
  const mine = `${SHOP_REFUSED}:${shop}:`
  const refused = await refusedStock(database, shop)
  const items = await findItemsById(
    database,
    refused.map(({ itemId }) => itemId),
  )
  const wrong = refused.map(({ company, code, count, itemId }): Occurrence => {
    const sku = items.get(itemId)?.sku ?? String(itemId)
    return {
      company,
      cause: `${mine}${code}`,
      code: SHOP_REFUSED,
      title: `${shop} does not take what can be promised: ${words.get(code) ?? code}`,
      suggestedAction: `List ${sku} at ${shop}, or correct what it says of it. It is told again every quarter of an hour, and with each change, and this closes when nothing is refused any more.`,
      facts: { shop, refusal: code, sku, items: count },
    }
  })
  const isSame = (a: Cause, b: Cause): boolean => a.company === b.company && a.cause === b.cause
  const known = (await openCausesOf(database, companies, [SHOP_REFUSED])).filter(({ cause }) =>
    cause.startsWith(mine),
  )
  const fresh = wrong.filter((one) => !known.some((other) => isSame(one, other)))
  const over = known.filter((one) => !wrong.some((other) => isSame(one, other)))
  if (fresh.length === 0 && over.length === 0) return
  await database.transaction(async (tx) => {
    await openExceptions(tx, fresh)
    await closeExceptions(tx, over, 'the shop takes the figures again')
  })
}
