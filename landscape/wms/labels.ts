/** Cartons that wait for labels of ours: told under a number of their own, labelled once. */
import { type Fields, text } from '../fields.ts'
import type { Call, Operation } from '../server.ts'
import { toldOfPackages } from './picking.ts'
import { WmsRefusal } from './refusal.ts'
import type { OutboundOrder, Package } from './shapes.ts'

/** Cartons that are closed: under which number they were told, and what was given for them. */
export type Packing = { id: string; carrier?: string; labels?: string }
type Labelled = Pick<OutboundOrder, 'status'> & { packing?: Packing }

const DIGITS = 8
export const packingId = (nth: number): string => `PK${String(nth).padStart(DIGITS, '0')}`

export function toldToLabel({ id }: Packing, packages: readonly Package[]): Fields {
  const { cartons } = toldOfPackages(packages)
  const weighed = cartons.map((carton, nth) => ({ ...carton, weight_kg: packages[nth]!.weight_kg }))
  return { packing_id: id, cartons: weighed }
}

/** False when it has the same labels already. */
export function putLabels(order: Labelled, packages: readonly Package[], fields: Fields): boolean {
  const given = (fields['labels'] ?? []) as { sscc: string; tracking_number: string }[]
  const labels = JSON.stringify(given)
  const packing = order.packing!
  if (packing.labels === labels) return false
  if (order.status !== 'PICKING') throw new WmsRefusal(409, 'SHIPPED')
  const trackingOf = new Map(given.map(({ sscc, tracking_number }) => [sscc, tracking_number]))
  if (packages.some(({ sscc }) => !trackingOf.has(sscc)))
    throw new WmsRefusal(422, 'VALIDATION', { field: 'labels' })
  for (const one of packages) one.tracking_number = trackingOf.get(one.sscc)!
  Object.assign(packing, { labels, carrier: text(fields['carrier']) })
  return true
}

export function labelling(
  { path }: Pick<Call, 'path'>,
  put: (id: string) => ReturnType<Operation['run']>,
): Operation | undefined {
  const id = /^\/api\/packings\/([^/]+)\/labels$/.exec(path)?.[1]
  return id === undefined ? undefined : { name: 'giveLabels', keys: [id], run: () => put(id) }
}
