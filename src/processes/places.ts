/** Which locations of a company are meant by who names one, a group of them, or neither. */
import { Refusal } from '#platform/faults.ts'
import type { CompanyRules } from './ports.ts'

/** Where a company sells from. */
export type SellingPlaces = Pick<CompanyRules, 'code' | 'locations' | 'locationGroups'>

type Named = { readonly location?: string | undefined; readonly locationGroup?: string | undefined }

/** In the company's order of preference. `within` is where in the request the names stand. */
export function placesOf(
  { code, locations, locationGroups }: SellingPlaces,
  { location, locationGroup }: Named,
  within = '',
): readonly string[] {
  if (location !== undefined && locationGroup !== undefined) {
    const message = `both ${location} and the group ${locationGroup} are named`
    throw new Refusal('inventory.places_contradict', message, {}, `${within}/locationGroup`)
  }
  if (location !== undefined) {
    if (locations.includes(location)) return [location]
    const message = `${code} does not sell from ${location}; it sells from ${locations.join(', ')}`
    throw new Refusal('inventory.location_unknown', message, {}, `${within}/location`)
  }
  if (locationGroup === undefined) return locations
  const members = locationGroups.get(locationGroup)
  if (members) return members
  const known = [...locationGroups.keys()].join(', ') || 'none'
  const message = `${code} has no group of locations ${locationGroup}; there are: ${known}`
  throw new Refusal('inventory.location_group_unknown', message, {}, `${within}/locationGroup`)
}
