/** What must hold with a warehouse that is run by X12: each document is acknowledged once and each thing told is booked once. */
import { records, text } from '#landscape/fields.ts'
import type { Content, WmsEvent } from '#landscape/wms/shapes.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import { X12_SITE } from './counterparts.ts'
import { elementOf, groupOf } from './partners.ts'
import { unequal } from './supply-checkers.ts'
import { REJECTED, type X12Mail } from './x12-mail.ts'
import { X12, type X12Warehouse } from './x12-warehouse.ts'

const UNACKNOWLEDGED = `
  select type || ' ' || control_number || ': ' || acknowledgment as text from edi.outbound
  where partner = $1 and type <> '997' and acknowledgment <> 'accepted'`
const ASKED = `
  select 'F-' || id || ': once' as text from shipments.fulfillment where location = $1 and wms_number is not null`
const SHIPPED = `
  select s.source_key || ' ' || i.sku || ': ' || trim_scale(sum(l.quantity)) as text
  from shipments.shipment s join shipments.shipment_line l on l.shipment_id = s.id join items.item i on i.id = l.item_id
  where s.source = $1 group by s.source_key, i.sku`
// An acknowledgment that was cut is answered by nobody: a person sees that the whole one came.
const PUT_ASIDE = `
  select case when source = 'edi' then split_part(message_id, '/', 3) else source || ' ' || message_id end
    || ' ' || state as text
  from inbox.message
  where source in ($1, 'edi') and state not in ('applied', 'superseded') and (type, state) <> ('997', 'quarantined')
  union all select 'exception ' || code || ' ' || cause from exceptions.exception
  where closed_at is null and (code like 'edi.%' or code like 'inbound.%') and cause not like '%acknowledgment_unreadable'`

const UNREAD = `select item as text from inventory.unread_count where source = $1 and location = $2`
const TOLD_UNREAD = `
  select facts->>'items' as text from exceptions.exception
  where code = 'inventory.items_not_counted' and closed_at is null and cause like '%:' || $1 || ':%'`

export async function x12Amiss(query: Query, warehouse: X12Warehouse): Promise<Violation[]> {
  const { mail, truth } = warehouse
  const { heard, arrived, cut } = mail
  const { events } = truth()
  const unread = warehouse.unread()
  // What was cut behind its last set is accepted, with errors where its trailer is cut too, and again when it comes whole.
  const answers = heard
    .filter(({ type }) => type === '997')
    .map((one) => ({ control: groupOf(one), status: elementOf(one, 'AK9', 1) }))
    .filter(({ control, status }) => status !== REJECTED || !cut.has(control))
    .toSorted((a, b) => a.status.localeCompare(b.status))
    .filter(
      ({ control }, at, all) => !cut.has(control) || all.findIndex((one) => one.control === control) === at,
    )
  const asked = heard.filter(({ type }) => type === '940').map((one) => elementOf(one, 'W05', 2))
  const shipped = new Map<string, number>()
  for (const event of events.filter(({ type }) => type === 'shipment.confirmed')) {
    for (const { sku, base_qty: quantity } of contentsOf(event)) {
      const key = `${text(event['shipment_id'])} ${sku}`
      shipped.set(key, (shipped.get(key) ?? 0) + quantity)
    }
  }
  return [
    ...unequal('each request to a warehouse is acknowledged', await query(UNACKNOWLEDGED, [X12]), []),
    ...unequal(
      'each request comes to its warehouse once',
      await query(ASKED, [X12_SITE]),
      asked.map((reference) => `${reference}: once`),
    ),
    ...unequal(
      'each document of a warehouse is acknowledged once',
      answers.map(({ control, status }) => ({ text: `${control} ${status}` })),
      [...arrived].filter(([, type]) => type !== '997').map(([control]) => `${control} A`),
    ),
    ...unequal(
      'what a warehouse told to have shipped is booked once',
      await query(SHIPPED, [X12]),
      [...shipped].map(([key, quantity]) => `${key}: ${quantity}`),
    ),
    ...unequal(
      'items of unread lines are known until they are counted',
      await query(UNREAD, [X12, X12_SITE]),
      [...unread],
    ),
    ...unequal(
      'somebody has all items of unread lines',
      await query(TOLD_UNREAD, [X12]),
      unread.size > 0 ? [String(unread.size)] : [],
    ),
    ...unequal(
      'nothing is put aside that a warehouse told, but counts of what is another’s',
      await query(PUT_ASIDE, [X12]),
      asideOf(mail),
    ),
  ]
}

/** Each by its control number, and one exception for all of them. */
function asideOf({ arrived, notTaken }: X12Mail): string[] {
  const came = [...arrived.keys()].filter((control) => notTaken.has(control))
  const told = 'exception edi.quarantined edi.quarantined:edi:ZZ THREEPL advice_unusable'
  return came.length === 0 ? [] : [...came.map((control) => `${control} quarantined`), told]
}

const contentsOf = (event: WmsEvent): Content[] =>
  records(event['packages']).flatMap((pack) => records(pack['contents']) as unknown as Content[])
