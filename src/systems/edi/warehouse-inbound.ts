/** A warehouse that speaks EDI as a source of its own: each thing that it tells is filed under its own number; pure. */
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import type { FiledMessage, InboundMessage } from '#platform/inbound.ts'
import { lookupsFor, type Find } from './crosswalk.ts'
import { bodyOf, type ReceivedSet } from './inbound.ts'
import type { WarehouseTold } from './map-warehouse.ts'
import type { PartnerGuide, PartnerGuides } from './partner-guide.ts'
import { receiveX12 } from './receive.ts'
import { storable } from './store.ts'

type Warehouse = InboundMessage<WarehouseMessage>

/** What a set tells, one by one. Sent again in another file it is the same, whatever its control numbers are. */
export function warehouseMessages(received: ReceivedSet): Warehouse[] {
  const { outcome, guide } = received.reading
  if (outcome.kind !== 'warehouse' || !guide) return []
  return outcome.told.map((told) => messageOf(told, received, guide))
}

const KEY_MAX = 200

function messageOf(told: WarehouseTold, received: ReceivedSet, guide: PartnerGuide): Warehouse {
  const { type } = received.set
  const named = {
    messageId: storable(told.key).slice(0, KEY_MAX),
    type,
    company: guide.company,
    body: bodyOfTold(told, received),
  }
  if ('message' in told) return { ...named, message: told.message }
  const { code, message } = told.finding
  const about = `${guide.partner} ${type} ${code}`
  return {
    ...named,
    unreadable: new Refusal('edi.advice_unreadable', storable(`${type}: ${message}`), { code, about }),
  }
}

/** An interchange of its own, alike for all that say the same. */
function bodyOfTold({ segments }: WarehouseTold, { interchange, group, set }: ReceivedSet): string {
  const frame = (...elements: string[]) => ({ ...set.segments[0]!, id: elements[0]!, elements })
  const inside = [
    frame('ST', set.type, '0001'),
    ...segments,
    frame('SE', String(segments.length + 2), '0001'),
  ]
  return bodyOf({
    interchange: { ...interchange, date: '000101', time: '0000', controlNumber: '000000001' },
    group: group && { ...group, date: '20000101', time: '0000', controlNumber: '1' },
    set: { ...set, segments: inside },
  })
}

/** Reads again what was filed, under the guides and units of now. */
export async function restoreWarehouse(
  { messageId, type, body }: FiledMessage,
  guides: PartnerGuides,
  find: Find,
): Promise<Warehouse> {
  const lookups = (set: ReceivedSet['set'], guide: PartnerGuide | undefined) => lookupsFor(set, guide, find)
  for await (const event of receiveX12([body], { guides, lookups })) {
    if (event.kind !== 'set') continue
    const told = warehouseMessages(event)
    const again = told[partOf(messageId)] ?? told[0]
    if (again) return { ...again, messageId, body }
  }
  const unreadable = new Refusal('edi.advice_unreadable', `${messageId} is no ${type} that the guide takes`)
  return { messageId, type, body, unreadable }
}

/** A line comes before the parts of it that were not as they should be. */
const partOf = (messageId: string): number => Number(/#\d+\.(\d+)$/.exec(messageId)?.[1] ?? 0)
