/** What our documents repeat of a purchase order: its ids, units and parties, as far as they can be written. */
import { Refusal } from '#platform/faults.ts'
import type { DocumentParty, ProductId } from './documents/parts.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { fromUnece, toUnece } from './units.ts'

export const linesByNumber = (document: PurchaseOrderDocument): ReadonlyMap<string, PurchaseOrderLine> =>
  new Map(document.lines.map((line) => [line.line, line]))

/** The partner's own unit code where it means ours, else the guide's. */
export function unitOf(unece: string, guide: PartnerGuide, theirs?: string): string {
  if (theirs && toUnece(theirs, guide.units) === unece) return theirs
  const code = fromUnece(unece, guide.units)
  if (code) return code
  throw new Refusal('edi.unit_unmapped', `${guide.partner} has no code for the unit ${unece}`, {
    partner: guide.partner,
    unit: unece,
  })
}

/** What identifies the goods to the partner: the ids of the order's line, or our SKU. */
export function productIdsOf(line: PurchaseOrderLine | undefined, sku: string): readonly ProductId[] {
  return line && line.productIds.length > 0 ? line.productIds.slice(0, 10) : [{ qualifier: 'VN', value: sku }]
}

const DESCRIPTION_MAX = 80

export function descriptionOf(
  line: PurchaseOrderLine | undefined,
  guide: PartnerGuide,
): { readonly description?: string } {
  const text = line?.description?.slice(0, DESCRIPTION_MAX)
  return text && carries(guide, text) ? { description: text } : {}
}

/** A repetition that the delimiters of our files, or version 004010, cannot carry is left out: nothing depends on it. */
export const carries = ({ delimiters }: PartnerGuide, text: string): boolean =>
  !/[\u0000-\u001f\u007f]/.test(text) &&
  ![delimiters.element, delimiters.component, delimiters.terminator].some((sign) => text.includes(sign))

/** Ourselves by a code of our own, as far as it can be written. */
export const ourParty = (role: string, code: string, guide: PartnerGuide): DocumentParty[] =>
  echoParty(
    { role, id: { qualifier: ASSIGNED_BY_SELLER, value: code }, lines: [], references: [], contacts: [] },
    guide,
  )
/** X12 66. */
const ASSIGNED_BY_SELLER = '91'

/** Those of the order's parties that a document names, in the order of the roles. */
export const partiesOf = (
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
  roles: readonly string[],
): DocumentParty[] =>
  [...new Set(roles)].flatMap((role) => {
    const party = document.parties.find((one) => one.role === role)
    return party ? echoParty(party, guide) : []
  })

function echoParty({ role, id, ...party }: DocumentParty, guide: PartnerGuide): DocumentParty[] {
  const fits = (text: string | undefined, least: number, most: number): text is string =>
    text !== undefined && text.length >= least && text.length <= most && carries(guide, text)
  const identified = id && fits(id.qualifier, 1, 2) && fits(id.value, 2, 80)
  if (!identified && !fits(party.name, 1, 60)) return []
  return [
    {
      role,
      ...(fits(party.name, 1, 60) ? { name: party.name } : {}),
      ...(identified ? { id } : {}),
      lines: party.lines.filter((line) => fits(line, 1, 55)).slice(0, 4),
      ...(fits(party.city, 2, 30) ? { city: party.city } : {}),
      ...(fits(party.region, 2, 2) ? { region: party.region } : {}),
      ...(fits(party.postalCode, 3, 15) ? { postalCode: party.postalCode } : {}),
      ...(fits(party.country, 2, 3) ? { country: party.country } : {}),
      references: [],
      contacts: [],
    },
  ]
}
