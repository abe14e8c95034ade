/** What can be told of another owner's stock, and what is kept of our own alone. */
import { Refusal } from '#platform/faults.ts'
import { badOwner, isOwn, isOwnerCode, type Owned, ownerOf } from '#domains/inventory/contract/owners.ts'
import type { SellingItem } from '#domains/items/contract.ts'

type Told = Owned & { readonly sku: string; readonly purchaseOrder?: object | undefined }

/** Why it is not booked, be it moved or counted. */
export function ownerRefusal(told: Told, { serialControlled }: SellingItem): Refusal | undefined {
  const owner = ownerOf(told)
  if (!isOwnerCode(owner)) return new Refusal('inventory.owner_invalid', badOwner(owner))
  if (isOwn(told)) return undefined
  const { sku, purchaseOrder } = told
  if (purchaseOrder)
    return contradiction(`what comes for ${owner} is of no purchase order of ours: leave that out`)
  return serialControlled
    ? contradiction(
        `units of ${sku} have serials, which are kept of our own stock alone: ${owner} has none here`,
      )
    : undefined
}

const contradiction = (message: string): Refusal => new Refusal('inventory.owner_contradicts', message)
