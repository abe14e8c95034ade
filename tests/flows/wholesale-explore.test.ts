import { test, expect } from 'vitest'
import { generateWorld } from '#landscape/world/generate.ts'
import { expectations } from '#landscape/world/expectations.ts'
import { demoGuides } from '../../src/demo-edi.ts'
import { ediFolders } from '#tests/support/edi.ts'
import { openHouse } from '#tests/support/house.ts'
import { bring } from '#tests/support/house-doors.ts'
import { openQuery, violationsAtRest, underWay } from '#tests/support/house-rules.ts'
import { differences, ourInvoices, theirInvoices, ourStock, theirStock, EVERYTHING_ONCE } from '#tests/support/house-books.ts'

test('explore', async () => {
  const world = generateWorld({ seed: 'wholesale', today: '2026-11-02', plannedOrders: 830 })
  console.log(expectations(world, 830))
  const guides = demoGuides(world)
  const folders = ediFolders(guides)
  let t = performance.now()
  const lap = (what: string) => { console.log(what, Math.round(performance.now() - t)); t = performance.now() }
  const house = await openHouse({ world, config: { edi: folders.config } })
  const { query, end } = await openQuery(house.databaseUrl)
  house.app.edi!.watch()
  lap('open')
  const doors = { url: house.url, landscape: house.landscape, guides, inbox: folders.config.inboxDirectory }
  const orders = world.orders(830)
  const first = await bring(doors, orders.filter(o => o.repeats === undefined))
  lap('first wave api')
  const n = { edi: orders.filter(o => o.door === 'edi' && o.repeats === undefined).length, shop: orders.filter(o => o.door === 'shop').length }
  await expect.poll(async () => (await query<{ source: string, n: number }>(`select source, count(*)::int n from inbox.message where state <> 'received' and type <> 'inventory' and source in ('shop','edi') group by 1 order by 1`)), { timeout: 20000 }).toEqual([{ source: 'edi', n: n.edi }, { source: 'shop', n: n.shop }])
  lap('first wave all')
  const second = await bring(doors, orders.filter(o => o.repeats !== undefined))
  await expect.poll(async () => underWay(query), { timeout: 10000 }).toBe(0).catch(async () => console.log(JSON.stringify([await query(`select process, owner, failures, due_at <= now() due, count(*)::int from desk.document group by 1,2,3,4`), await query(`select system, operation, state, detail, attempts, count(*)::int, min(due_at - now())::text from effects.intent group by 1,2,3,4,5 limit 20`), house.complaints.slice(0,4)], undefined, 1)))
  lap('at rest')
  house.landscape.wms.receiveAll()
  await expect.poll(async () => (await query(`select 1 from inventory.backorder`)).length, { timeout: 20000 }).toBe(0).catch(e => console.log(String(e)))
  await expect.poll(async () => underWay(query), { timeout: 20000 }).toBe(0)
  lap('filled')
  console.log(JSON.stringify(await query(`select title, code, e.facts from exceptions.exception e where code like 'billing%' limit 4`)))
  console.log(JSON.stringify(await query(`select b.doc, b.line, b.quantity, b.item_id, i.sku, p.available, p.reserved, p.location, d.due_at, d.owner, d.version, (select string_agg(type, ',') from orders.hold where order_id = b.doc and status = 'open') hold from inventory.backorder b join items.item i on i.id = b.item_id left join inventory.position p on p.item_id = b.item_id and p.lot = '' left join desk.document d on d.doc = b.doc order by b.item_id, since limit 12`), undefined, 0))

  for (const t of [`select message_id, state, detail from inbox.message where source = 'edi' and state = 'parked' limit 2`, `select message_id, type, state, detail from inbox.message where source = 'edi' and detail is not null and state = 'applied' and detail->>'known' is not null limit 2`, `select message_id, state, detail from inbox.message where source = 'edi' and doc is null and state = 'applied' limit 5`, `select message_id, state, detail from inbox.message where source = 'shop' and state = 'parked' limit 3`, `select cause, code, facts, title from exceptions.exception where code in ('orders.nothing_acceptable','orders.same_number_other_content') limit 3`, `select distinct type, reason from orders.hold limit 5`, `select cause, cause_code, cause_message, cause_facts from parking.item, lateral (select 1 as cause) x limit 3`, `select * from edi.outbound where type = '855' limit 2`])
    console.log(t, JSON.stringify(await query(t)))
  const by: Record<string, number> = {}
  for (const o of orders) {
    const a = first.get(o.nth) ?? second.get(o.nth)
    const [row] = await query<any>(`select o.id, closed_at is not null closed, sender, (select string_agg(type, ',') from orders.hold where order_id = o.id and status = 'open') holds from orders.sales_order o where customer = $1 and customer_order = $2`, [o.customer, o.poNumber])
    const k = [o.door, o.expected, a?.status, a?.body.outcome ?? a?.body.code, row ? `${row.closed} ${row.holds}` : 'none'].join(' | ')
    by[k] = (by[k] ?? 0) + 1
  }
  console.log(JSON.stringify(by, undefined, 1))
  console.log(JSON.stringify(await query(`select code, owner, count(*)::int n from exceptions.exception where closed_at is null group by 1,2`)))
  console.log(JSON.stringify(await query(`select source, type, state, count(*)::int n from inbox.message group by 1,2,3 order by 1`)))
  console.log(JSON.stringify(await violationsAtRest(query), undefined, 1))
  const d = await differences(query, house.landscape)
  console.log(JSON.stringify(d).slice(0, 1500))
  console.log((await ourInvoices(query)).length, JSON.stringify(await ourInvoices(query)) === JSON.stringify(theirInvoices(house.landscape)))
  const [a, b] = [await ourStock(query), theirStock(house.landscape)]
  console.log('stock', a.length, b.length, a.filter((x, i) => JSON.stringify(x) !== JSON.stringify(b[i])).slice(0, 3), b.slice(0, 2))
  console.log(house.complaints.slice(0, 5), house.complaints.length)
  for (const s of ['legacyErp','cloudErp','wms','tax','shop'] as const) console.log(s, JSON.stringify(house.landscape[s].received.report()))
  lap('checked')
  await end(); await house.end(); folders.remove()
}, 120_000)
