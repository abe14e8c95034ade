/** Stock as it may be promised while the source of a place is silent: the figures of its books, lowered by the rule. */
import type { CareFacts } from '#domains/inventory/contract/freshness.ts'
import { carefulAt, type Silent } from '#domains/inventory/views/freshness.ts'
import type { Promisable } from '#domains/inventory/views/promising.ts'
import type { Clock } from '#platform/clock.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { StockReader } from './stock-in-memory.ts'

type Care = {
  readonly silent: readonly Silent[]
  readonly facts: readonly CareFacts[] | undefined
  readonly nowMs: number
}

/** Reads as `read` does; what it answers grows with the silence, so it is reckoned anew for each question. */
export const carefully =
  (read: StockReader, clock: Pick<Clock, 'now'>): StockReader =>
  async (question) => {
    const reading = await read(question)
    const { silent, care } = reading
    if (silent.length === 0) return reading
    const nowMs = clock.now().getTime()
    const careful = (item: number, rows: readonly Promisable[]) =>
      rows.map((row) => lowered(row, { silent, facts: care.get(item), nowMs }))
    return {
      ...reading,
      rows: new Map([...reading.rows].map(([item, rows]) => [item, careful(item, rows)])),
      ahead: new Map(
        [...reading.ahead].map(([item, days]) => [
          item,
          days.map(({ date, rows }) => ({ date, rows: careful(item, rows) })),
        ]),
      ),
    }
  }

function lowered(row: Promisable, care: Care): Promisable {
  const { available, by } = carefulAt(care.silent, { ...row, ...care })
  if (!by) return row
  const { source, flow, rule, since } = by
  const heldBack = formatQuantity(row.available - available)
  const careful = { source, flow, rule: rule.kind, since: since.toISOString(), heldBack }
  return { ...row, available, careful }
}
