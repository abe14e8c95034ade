/** New orders while a source of stock is silent: what is withheld from them, what a person is asked, what is marked. Pure. */
import type { Allocation } from '#domains/inventory/contract.ts'
import type { NewDoubt, WithheldLine } from '#domains/inventory/operations/freshness.ts'
import type { Silent } from '#domains/inventory/views/freshness.ts'
import { HOLDS } from '#domains/orders/contract.ts'
import type { Candidate, Decided } from './captured-order.ts'
import { type CareNow, withheldBy, type Withholding } from './care.ts'

export const silenceOf = ({ source, since }: Silent): string =>
  `${source} has told nothing of stock since ${since.toISOString()}`

/** By whose silence a line waits, of those of which something waits. */
export function withholdingOf(
  care: CareNow,
  line: { readonly itemId: number; readonly backorder: number },
  locations: readonly string[],
): Withholding | undefined {
  const by = line.backorder > 0 ? care.withholdersOf(line.itemId, locations) : []
  if (by.length === 0) return undefined
  return { by, message: `${by.map(silenceOf).join(', ')}; what waits is filled when that is heard` }
}

/** Somebody has to see that what an order was given is there, before it is sent for. */
export function holdsToAsk(
  care: CareNow | undefined,
  { doc, arrival }: Candidate,
  allocations: readonly (readonly Allocation[])[],
) {
  const places = [...new Set(allocations.flat().map(({ location }) => location))]
  const asked = places.flatMap((location) => {
    const by = care?.askerAt(location)
    return by ? [{ location, by }] : []
  })
  const [first] = asked
  if (!first) return []
  return [
    {
      doc,
      company: arrival.request.company,
      type: 'inventory' as const,
      reason: `Whether it is there at ${asked.map(({ location }) => location).join(', ')} is not known: ${silenceOf(first.by)}`,
      blocks: HOLDS.inventory.blocks,
      raisedBy: 'accept',
      owner: HOLDS.inventory.owner,
    },
  ]
}

/** What new orders are promised of silent places. */
export const doubtsOf = (care: CareNow, orders: readonly Decided[]): NewDoubt[] =>
  ofSilentPlaces(
    care,
    orders.flatMap(({ captured: { doc, company, lines }, allocations }) => {
      const sold = lines.filter((line) => line.rejection === null)
      return sold.flatMap(({ itemId }, at) =>
        allocations[at]!.map(({ location, quantity }) => ({ doc, company, itemId, location, quantity })),
      )
    }),
  )

/** Of what orders are promised what is to be marked. */
export const ofSilentPlaces = (care: CareNow, promised: readonly Omit<NewDoubt, 'kind'>[]): NewDoubt[] =>
  summed(promised.flatMap((one) => (care.isSilent(one.location) ? [{ ...one, kind: 'order' as const }] : [])))

/** One for each item and place of a document. */
export function summed(doubts: readonly NewDoubt[]): NewDoubt[] {
  const sums = new Map<string, NewDoubt>()
  for (const one of doubts) {
    const key = `${one.doc} ${one.itemId} ${one.location}`
    sums.set(key, { ...one, quantity: one.quantity + (sums.get(key)?.quantity ?? 0) })
  }
  return [...sums.values()]
}

/** Lines of orders that are filled once who is silent is heard. */
export const withheldLines = (orders: readonly Decided[]): WithheldLine[] =>
  orders.flatMap(({ captured: { doc, lines }, withheld }) => {
    const sold = lines.filter((line) => line.rejection === null)
    return sold.flatMap(({ n }, at) => withheldBy(doc, n, withheld[at]?.by ?? []))
  })
