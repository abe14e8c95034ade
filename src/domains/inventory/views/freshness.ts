/** Which sources of stock are silent, and what is promised of their places meanwhile. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { CareFacts, FreshnessRule, KnownSource } from '../contract/freshness.ts'
import { carefulFigure, rulesInForce, wordsOf } from '../rules/careful.ts'
import { countOpenDoubts, selectCare, selectSources } from '../store/freshness.ts'
import { selectWithheld, selectWithheldLines } from '../store/withheld.ts'

export const sourceStates = selectSources
export { rulesInForce, wordsOf }
export const openDoubts = countOpenDoubts
/** Which lines of an order wait for stock that is withheld, and for which silent source. */
export const withheldOf = selectWithheld
/** As `withheldOf`, of many orders. */
export const withheldLinesOf = selectWithheldLines

/** A rule that holds now. */
export type Silent = FreshnessRule & { readonly heardAt: Date; readonly since: Date }

/** Those of the configured rules, and of what people set in their place, that hold now. */
export function silentOf(
  configured: readonly FreshnessRule[],
  sources: readonly KnownSource[],
): readonly Silent[] {
  const silent = sources.filter(({ silentSince }) => silentSince !== null)
  if (silent.length === 0) return NOBODY
  return rulesInForce(configured, sources).flatMap((rule) => {
    const state = silent.find(({ source, flow }) => source === rule.source && flow === rule.flow)
    return state ? [{ ...rule, heardAt: state.heardAt, since: state.silentSince! }] : []
  })
}
const NOBODY: readonly Silent[] = []

/** By item, at all locations of which something is known. */
export const careFacts = async (
  queries: Queries,
  items: readonly number[],
): Promise<ReadonlyMap<number, readonly CareFacts[]>> =>
  Map.groupBy(await selectCare(queries, items), ({ itemId }) => itemId)

export type CarefulFigure = { readonly available: Quantity; readonly by: Silent | undefined }

type Here = {
  readonly location: string
  readonly available: Quantity
  readonly facts: readonly CareFacts[] | undefined
  readonly nowMs: number
}

/** The least that any rule leaves, and which one it was. */
export function carefulAt(
  silent: readonly Silent[],
  { location, available, facts, nowMs }: Here,
): CarefulFigure {
  const { perHour = 0, promised = 0 } = facts?.find((one) => one.location === location) ?? {}
  let figure: CarefulFigure = { available, by: undefined }
  for (const rule of silent) {
    if (!rule.locations.includes(location)) continue
    const silentMs = Math.max(0, nowMs - rule.heardAt.getTime())
    const careful = carefulFigure(rule.rule, available, { silentMs, perHour, promised })
    if (!figure.by || careful < figure.available) figure = { available: careful, by: rule }
  }
  return figure
}
