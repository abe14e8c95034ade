/** Labels that we bought: each is used or void in the end, and the carrier's books say the same. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Counterparts } from './counterparts.ts'
import { unequal } from './supply-checkers.ts'

type Books = Pick<Counterparts, 'carrier'>

/** Cartons by their own numbers, each as often as it was sold a label. */
export const labelledCartons = ({ carrier }: Books): string[] =>
  carrier.truth().shipments.flatMap(({ packages }) => packages.map(({ reference }) => reference))

const OURS = `
  select concat_ws(' ', label, 'F-' || fulfillment_id || '/' || number, charge_minor, state) as text
  from shipments.packing where label is not null`

const OPEN = `
  select 'F-' || fulfillment_id || '/' || number || ' is ' || state as text from shipments.packing
  where state not in ('used', 'void', 'dropped')`

/** A parcel that we know to travel under a label of ours, by what we call it. */
const SHIPPED = `
  select k.tracking as text from shipments.package k
  join shipments.packing p on p.tracking ? k.tracking where p.state = 'used'`

export async function labelsAmiss(query: Query, { carrier }: Books): Promise<Violation[]> {
  const { shipments, parcels } = carrier.truth()
  const handedOver = new Set(parcels.flatMap((one) => (one.isAwaited ? [] : [one.tracking_number])))
  const sold = shipments.map(({ shipment_id, reference, charge, status, packages }) => {
    const isUsed = packages.some((one) => handedOver.has(one.tracking_number))
    const minor = Math.round(Number(charge.amount) * 100)
    const state = [...(status === 'VOIDED' ? ['void'] : []), ...(isUsed ? ['used'] : [])]
    return `${shipment_id} ${reference} ${minor} ${state.join(' and ') || 'unused'}`
  })
  const travelling = shipments.flatMap(({ packages }) =>
    packages.map((one) => one.tracking_number).filter((tracking) => handedOver.has(tracking)),
  )
  return [
    ...unequal('both sides have the same labels, each used or void', await query(OURS), sold),
    ...unequal('what travels under a label of ours is a package of ours', await query(SHIPPED), travelling),
    ...unequal('no packing waits for a label', await query(OPEN), []),
  ]
}
