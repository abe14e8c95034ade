/** What must hold of papers once the warehouses have told of themselves: each is kept once, and ends as what they tell of it. */
import type { Query } from '#tests/support/books-rules.ts'
import { warehousesOf } from '#tests/support/house-books.ts'
import type { Violation } from './checkers.ts'
import type { Counterparts } from './counterparts.ts'
import type { Paper } from './paper-people.ts'
import { unequal } from './supply-checkers.ts'

const KEPT = `
  select reference || ': ' || count(*) as text from inventory.by_hand where actor <> '' group by reference`

/** Somebody has both sides of each difference, and of nothing else. */
const DIFFERING = `
  select case when fulfillment_id is null then 'shelf ' || location || ' ' || sku else 'F-' || fulfillment_id end as text
  from inventory.by_hand h join items.item i on i.id = h.item_id where outcome = 'differs' group by 1`
const TOLD = `
  select case code when 'shipments.by_hand_differs' then split_part(cause, ':', 2)
    else 'shelf ' || split_part(cause, ':', 2) || ' ' || split_part(cause, ':', 3) end as text
  from exceptions.exception
  where code in ('shipments.by_hand_differs', 'inventory.by_hand_differs') and owner <> '' group by 1`

const OPEN = `
  select distinct 'F-' || fulfillment_id as text from inventory.by_hand where fulfillment_id is not null and ended_at is null`

/** Of each line of a request: what papers said has left, and what we call shipped. */
const SHIPPED = `
  select 'F-' || l.fulfillment_id || ' ' || l.line as name, coalesce(by_paper, 0)::float8 as "byPaper",
    coalesce(booked, 0)::float8 as shipped
  from shipments.fulfillment_line l
  left join (select fulfillment_id, line, sum(quantity) as by_paper from inventory.by_hand where kind = 'ship' group by 1, 2) p
    using (fulfillment_id, line)
  left join (select s.fulfillment_id, sl.line, sum(sl.quantity) as booked
    from shipments.shipment s join shipments.shipment_line sl on sl.shipment_id = s.id group by 1, 2) s
    using (fulfillment_id, line)`

type Left = { readonly name: string; readonly byPaper: number; readonly shipped: number }

export async function papersAmiss(
  query: Query,
  landscape: Counterparts,
  taken: readonly Paper[],
): Promise<Violation[]> {
  const said = taken.map(({ reference, lines }) => `${reference}: ${lines}`)
  const told = (await query<{ text: string }>(TOLD)).map(({ text }) => text)
  const done = new Set(
    warehousesOf(landscape).flatMap(({ orders }) =>
      orders.flatMap(({ status, external_ref: request }) =>
        status === 'SHIPPED' || status === 'SHORT' ? [request] : [],
      ),
    ),
  )
  const open = await query<{ text: string }>(OPEN)
  return [
    ...unequal('each paper that was taken is kept, once', await query(KEPT), said),
    ...unequal(
      'somebody has each difference between a paper and its warehouse',
      await query(DIFFERING),
      told,
    ),
    ...unequal(
      'a paper is open no longer than its warehouse is silent about it',
      open.filter(({ text }) => done.has(text)),
      [],
    ),
    ...(await leftTwice(query, landscape)),
  ]
}

/** What left by paper and what the warehouse tells of it are the same goods: together they are the larger of both. */
async function leftTwice(query: Query, landscape: Counterparts): Promise<Violation[]> {
  const left = leftThere(landscape)
  const wrong = (await query<Left>(SHIPPED)).flatMap(({ name, byPaper, shipped }) => {
    const there = left.get(name) ?? 0
    const isRight = shipped >= byPaper && shipped <= Math.max(byPaper, there)
    return isRight ? [] : [{ text: `${name}: ${byPaper} by paper, ${there} there, ${shipped} shipped` }]
  })
  return unequal('what left by paper and is told is shipped once', wrong, [])
}

function leftThere(landscape: Counterparts): Map<string, number> {
  const left = new Map<string, number>()
  for (const event of warehousesOf(landscape).flatMap(({ events }) => events)) {
    if (event.type !== 'shipment.confirmed') continue
    const packages = event['packages'] as readonly { readonly contents: readonly Content[] }[]
    for (const { line_no: line, base_qty: quantity } of packages.flatMap(({ contents }) => contents)) {
      const name = `${String(event['external_ref'])} ${line}`
      left.set(name, (left.get(name) ?? 0) + quantity)
    }
  }
  return left
}

type Content = { readonly line_no: number; readonly base_qty: number }
