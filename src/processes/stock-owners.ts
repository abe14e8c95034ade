/** What can be told of another owner's stock, and what is kept of our own alone. */
import { Refusal } from '#platform/faults.ts'
import { badOwner, isOwn, isOwnerCode, type Owned, ownerOf } from '#domains/inventory/contract/owners.ts'

type Told = Owned & { readonly purchaseOrder?: object | undefined }

/** Why it is not booked, be it moved or counted. */
export function ownerRefusal(told: Told): Refusal | undefined {
  const owner = ownerOf(told)
  if (!isOwnerCode(owner)) return new Refusal('inventory.owner_invalid', badOwner(owner))
  if (isOwn(told) || !told.purchaseOrder) return undefined
  const message = `what comes for ${owner} is of no purchase order of ours: leave that out`
  return new Refusal('inventory.owner_contradicts', message)
}
