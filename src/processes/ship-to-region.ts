/** Where an order goes to, as far as it matters from where it is served. */
import type { CustomerAddress } from '#domains/customers/contract.ts'
import type { ShipTo } from '#domains/orders/contract.ts'

type Place = Pick<ShipTo, 'country' | 'region'> | Pick<CustomerAddress, 'country' | 'region'>

/** Country and region in one word, as profiles of sourcing name them: US-IL, DE. */
export function regionOf({ country, region }: Place): string | undefined {
  if (!country) return undefined
  return region ? `${country}-${region}` : country
}
