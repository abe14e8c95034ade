/** What backorder runs make of stock, transaction by transaction: each item as it was shown, or nothing of it. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import { unharmed } from './defects.ts'
import { CONFIGURED } from './counterparts.ts'
import { LEAST, MOST, sitesOf } from './silence.ts'
import { unequal } from './supply-checkers.ts'
import { timeAt } from './virtual-clock.ts'

type Move = {
  readonly run: number
  readonly item: number
  readonly doc: number
  readonly line: number
  readonly location: string
  readonly quantity: number
  /** What the line had when it was shown. */
  readonly reserved: number
  readonly backordered: number
  readonly state: 'planned' | 'applied' | 'changed' | 'withheld'
  readonly changed: string | null
}
type Line = Pick<Move, 'doc' | 'line' | 'reserved' | 'backordered'>
type Waiting = { readonly item: number; readonly doc: number; readonly line: number; readonly since: string }
type Amount = { readonly item: number; readonly key: string; readonly quantity: number }

type Books = {
  readonly moves: readonly Move[]
  /** Of orders that runs concern. */
  readonly lines: readonly Line[]
  /** What orders keep, by `doc line location`. */
  readonly claims: readonly Amount[]
  /** By location. */
  readonly free: readonly Amount[]
  readonly kept: readonly Amount[]
  readonly queue: readonly Waiting[]
  /** What is promised of places whose source is silent, by `doc location`. */
  readonly doubts: readonly Amount[]
  /** Locations whose source all programs know to be silent. */
  readonly silent: readonly string[]
}

const BOOKS = `
  select coalesce(json_agg(m), '[]') as moves, (
    select coalesce(json_agg(json_build_object('doc', order_id, 'line', n, 'reserved', reserved, 'backordered', backordered)), '[]')
    from orders.line where order_id in (select doc from inventory.backorder_move)) as lines, (
    select coalesce(json_agg(json_build_object('item', item_id, 'key', concat_ws(' ', doc, line, location), 'quantity', quantity)), '[]')
    from inventory.reservation) as claims, (
    select coalesce(json_agg(json_build_object('item', item_id, 'key', location,
      'quantity', available - reserved + least(unreconciled, 0))), '[]')
    from inventory.position where lot = '' and owner = 'own') as free, (
    select coalesce(json_agg(json_build_object('item', item_id, 'key', concat_ws(' ', location, name),
      'quantity', quantity - taken)), '[]') from inventory.allocation) as kept, (
    select coalesce(json_agg(json_build_object('item', item_id, 'doc', doc, 'line', line, 'quantity', quantity, 'since', since)), '[]')
    from inventory.backorder) as queue, (
    select coalesce(json_agg(json_build_object('item', item_id, 'key', concat_ws(' ', doc, location), 'quantity', quantity)), '[]')
    from inventory.doubt where outcome is null) as doubts, (
    select coalesce(json_agg(source), '[]') from inventory.source_state
    where flow = 'messages' and silent_since < now() - interval '5 seconds') as silent
  from (select run, item_id as item, doc, line, location, quantity, reserved, backordered, state, changed from inventory.backorder_move order by run, n) m`

export class RunHistory {
  readonly wrong: string[] = []
  /** When whoever has a run planned began to ask for it. */
  readonly asked = new Map<number, number>()
  readonly #movedAtMs = new Map<number, number>()
  #before: Books | undefined

  /** After each transaction. */
  async note(query: Query, { nowMs, struck }: { nowMs: number; struck: readonly string[] }): Promise<void> {
    const [row] = await query<Books>(BOOKS)
    const now = { ...row!, silent: row!.silent.flatMap(placesOf) }
    const before = this.#before
    this.#before = now
    if (!before) return
    this.#planned(before, now)
    const settled = now.moves.filter(
      (move, at) => move.state !== 'planned' && before.moves[at]?.state === 'planned',
    )
    for (const moves of Map.groupBy(settled, ({ run, item }) => `${run} ${item}`).values())
      this.#settled({ before, now, moves, isCalm: unharmed(struck) })
    for (const item of new Set([...now.free, ...before.free].map((one) => one.item)))
      if (printOf(before, item) !== printOf(now, item)) this.#movedAtMs.set(item, nowMs)
  }

  /** Who looks what would be moves nothing. */
  #planned(before: Books, now: Books): void {
    if (now.moves.length === before.moves.length) return
    if (JSON.stringify(before.claims) !== JSON.stringify(now.claims))
      this.wrong.push(`run ${now.moves.at(-1)!.run} moved something when it was planned`)
  }

  #settled(one: Settled): void {
    const { before, now, moves } = one
    const [{ run, item, state, changed }] = moves as [Move]
    const name = `run ${run} of item ${item}`
    const planned = now.moves.filter(
      (move) => move.run === run && move.item === item && move.state !== 'withheld',
    )
    if (planned.some((move) => move.state !== state)) this.wrong.push(`${name} was done in part`)
    const shown = state === 'applied' ? planned : []
    const [moved, meant] = [differenceOf(before, now, item), amountsOf(shown)]
    if (moved !== meant) this.wrong.push(`${name} is ${state}: moved ${moved}, shown ${meant}`)
    if (state === 'applied') this.#applied(name, one)
    else if (!this.#hasMoved(run, item) && !/silent|taken back/.test(changed!))
      this.wrong.push(`${name} was not done, though nothing moved since: ${changed}`)
  }

  #hasMoved(run: number, item: number): boolean {
    return (this.#movedAtMs.get(item) ?? -1) >= (this.asked.get(run) ?? 0)
  }

  /** No more is given than is there; who lost waits behind all who waited; of silent places the rule counts. */
  #applied(name: string, { before, now, moves, isCalm }: Settled): void {
    const { item, run } = moves[0]!
    for (const shown of moves) {
      const line = before.lines.find((one) => one.doc === shown.doc && one.line === shown.line)
      if (line && (line.reserved !== shown.reserved || line.backordered !== shown.backordered))
        this.wrong.push(
          `${name} is applied, though line ${shown.line} of ${shown.doc} is not as it was shown`,
        )
    }
    const gains = moves.filter(({ quantity }) => quantity > 0)
    for (const location of new Set(gains.map((one) => one.location))) {
      const free = amountOf(now.free, item, location)
      if (free < 0) this.wrong.push(`${name} gave ${-free} more than is there at ${location}`)
      if (!isCalm || !before.silent.includes(location)) continue
      const marked = (books: Books, doc: number): number => amountOf(books.doubts, item, `${doc} ${location}`)
      for (const { doc, quantity } of gains.filter((gain) => gain.location === location))
        if (marked(now, doc) - marked(before, doc) < quantity)
          this.wrong.push(`${name} gives ${doc} ${quantity} of ${location}, which is silent, and marks less`)
      const promised = now.doubts
        .filter((one) => one.item === item && one.key.endsWith(` ${location}`))
        .reduce((sum, { quantity }) => sum + quantity, 0)
      if (sitesOf('eastWms').includes(location) ? promised > MOST : free < LEAST)
        this.wrong.push(`${name} gives of ${location}, which is silent: ${promised} promised, ${free} left`)
    }
    const lineOf = ({ doc, line }: { doc: number; line: number }): string => `${doc} ${line}`
    const waited = new Set(before.queue.filter((one) => one.item === item).map(lineOf))
    const queue = now.queue.filter((one) => one.item === item)
    const last =
      queue
        .filter((one) => waited.has(lineOf(one)))
        .map(({ since }) => since)
        .toSorted()
        .at(-1) ?? ''
    // who came while the run was held up by a lock may have begun to wait a moment later
    const begun = timeAt(this.asked.get(run) ?? 0).toISOString()
    for (const loser of queue.filter((one) => !waited.has(lineOf(one))))
      if (loser.since < last && new Date(loser.since).toISOString() < begun)
        this.wrong.push(`${name}: line ${lineOf(loser)} lost and waits before others`)
  }
}

type Settled = {
  readonly before: Books
  readonly now: Books
  readonly moves: readonly Move[]
  /** Nothing was done to any program, so each knows who is silent. */
  readonly isCalm: boolean
}

const placesOf = (source: string): readonly string[] => sitesOf(source === CONFIGURED.wms ? 'wms' : 'eastWms')

const amountOf = (amounts: readonly Amount[], item: number, key: string): number =>
  amounts
    .filter((one) => one.item === item && one.key === key)
    .reduce((sum, { quantity }) => sum + quantity, 0)

const textOf = (sums: ReadonlyMap<string, number>): string =>
  [...sums]
    .filter(([, quantity]) => quantity !== 0)
    .map(([key, quantity]) => `${quantity} of ${key}`)
    .toSorted()
    .join(', ')

function differenceOf(before: Books, now: Books, item: number): string {
  const sums = new Map<string, number>()
  const add = (claims: readonly Amount[], sign: number): void => {
    for (const { key, quantity, item: of } of claims)
      if (of === item) sums.set(key, (sums.get(key) ?? 0) + sign * quantity)
  }
  add(before.claims, -1)
  add(now.claims, 1)
  return textOf(sums)
}

function amountsOf(moves: readonly Move[]): string {
  const sums = new Map<string, number>()
  for (const { doc, line, location, quantity } of moves) {
    const key = `${doc} ${line} ${location}`
    sums.set(key, (sums.get(key) ?? 0) + quantity)
  }
  return textOf(sums)
}

/** What a plan for an item depends on. */
const printOf = (books: Books, item: number): string =>
  JSON.stringify(
    [books.claims, books.free, books.kept, books.queue].map((all: readonly { item: number }[]) =>
      all.filter((one) => one.item === item),
    ),
  )

/** Each order that gained or lost was told so once for each item, with its lines; nobody was for what was shown only. */
export async function runsAmiss(query: Query): Promise<Violation[]> {
  const told = await query<{ text: string }>(`
    select concat_ws(' ', key, type, data ->> 'run', (select string_agg(n, ',' order by n) from jsonb_array_elements_text(data -> 'lines') n)) as text
    from log.event where type in ('order.allocated', 'order.allocation_lost') and data ? 'run'`)
  const moved = await query<{ text: string }>(`
    select concat_ws(' ', doc, case when quantity > 0 then 'order.allocated' else 'order.allocation_lost' end, run,
      string_agg(distinct line::text, ',' order by line::text)) as text
    from inventory.backorder_move where state = 'applied' group by doc, quantity > 0, run, item_id`)
  const loose = await query<{ text: string }>(`
    select 'run ' || r.id || ' is ' || r.state as text from inventory.backorder_run r
    where r.state = 'running' or (r.state = 'ended') = exists (
      select from inventory.backorder_move m where m.run = r.id and m.state = 'planned')
      and exists (select from inventory.backorder_move m where m.run = r.id and m.state <> 'withheld')`)
  return [
    ...unequal(
      'whose stock a run moves is told of it once',
      told,
      moved.map(({ text }) => text),
    ),
    ...unequal('a run is done whole or not at all', loose, []),
  ]
}
