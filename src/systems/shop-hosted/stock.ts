/** Levels of stock at the hosted shop: many in a call, each answered by itself, the figure of the latest time stands. */
import type { StockLevel } from '#capabilities/channel.ts'
import {
  allOf,
  type CallContext,
  confirmed,
  legibleAll,
  type Outcome,
  type OutcomeMap,
  type Ready,
  refused,
  retry,
  unknown,
} from '#platform/connector-binding.ts'
import type { Effect } from '#platform/connector.ts'
import { type Fields, fieldsOf, filledText, instant, listOf } from '#platform/fields.ts'
import type { ShopApi } from './api.ts'
import type { ShopLevel } from './map.ts'

type Told = { readonly newer?: Date }
/** Of one shop. */
export type ShopStock = { readonly company: string; readonly levels: readonly ShopLevel[] }
type ReadyStock = Ready<StockLevel, ShopStock>

const LEVELS_PER_CALL = 250

/** A call for each shop, and for each so many levels of it; what one brings to nothing is only its own. */
export async function setLevels(
  api: ShopApi,
  ready: readonly ReadyStock[],
  context: CallContext,
): Promise<OutcomeMap<Told>> {
  const outcomes = new Map<Effect, Outcome<Told>>()
  for (const [company, items] of Map.groupBy(ready, ({ body }) => body.company)) {
    for (const portion of portionsOf(items)) {
      for (const [effect, outcome] of await setPortion(api, company, portion, context))
        outcomes.set(effect, outcome)
    }
  }
  return outcomes
}

/** An item is never cut in two. */
function portionsOf(items: readonly ReadyStock[]): ReadyStock[][] {
  const portions: ReadyStock[][] = []
  let room = 0
  for (const item of items) {
    const size = item.body.levels.length
    if (size > room) {
      portions.push([])
      room = LEVELS_PER_CALL
    }
    portions.at(-1)!.push(item)
    room -= size
  }
  return portions
}

async function setPortion(
  api: ShopApi,
  company: string,
  portion: readonly ReadyStock[],
  context: CallContext,
): Promise<OutcomeMap<Told>> {
  const body = { inventory_levels: portion.flatMap((item) => item.body.levels) }
  const response = await api.setLevels(company, body, context)
  const failed = api.failureOf(response)
  if (failed) return allOf(portion, failed)
  const answer: unknown = response.json()
  return legibleAll(portion, () => {
    const answered = new Map(
      listOf(fieldsOf(answer), 'inventory_levels', (level) => [
        filledText(level, 'inventory_item_id'),
        level,
      ]),
    )
    return new Map(portion.map((item) => [item.effect, outcomeOf(item, answered)]))
  })
}

/** A shop need not sell an item in every unit, but in one. */
function outcomeOf({ request, body }: ReadyStock, answered: ReadonlyMap<string, Fields>): Outcome<Told> {
  const levels = body.levels.map((level) => answered.get(level.inventory_item_id))
  const having = (status: string): Fields[] =>
    levels.flatMap((level) => (level?.['status'] === status ? [level] : []))
  if (having('failed').length > 0) return retry('the shop had a bad moment')
  if (having('not_found').length === levels.length)
    return refused('not_found', `The shop has no item ${request.sku}.`)
  const stale = having('stale').map((level) => instant(level, 'as_of').getTime())
  if (stale.length > 0) return confirmed({ newer: new Date(Math.max(...stale)) })
  return having('set').length + having('not_found').length === levels.length
    ? confirmed({})
    : unknown('the answer leaves levels out')
}
