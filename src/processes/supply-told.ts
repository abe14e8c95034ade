/** What of supply goes otherwise than ordered by the words of its suppliers: late, moved, less or more, or of no order. */
import type { SupplyLine, SupplyTroubles, WaitingTold, WatchedLine } from '#domains/supply/views.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { formatQuantity } from '#platform/quantity.ts'

export const occurrence = (
  code: string,
  subject: string,
  of: Omit<Occurrence, 'code' | 'cause'>,
): Occurrence => ({ ...of, code, cause: `${code}:${subject}` })

export const factsOf = (line: SupplyLine) => ({
  purchaseOrder: line.number,
  line: line.line,
  supplier: line.supplier,
  item: line.sku,
  location: line.location,
})

/** `today` of each company by its own clock. */
export const toldOccurrences = (
  { watched, waiting }: Pick<SupplyTroubles, 'watched' | 'waiting'>,
  today: ReadonlyMap<string, string>,
): Occurrence[] => [
  ...watched.flatMap((line) => [...lateOf(line, today.get(line.company)!), ...movedOf(line), ...offOf(line)]),
  ...waiting.map(waitingOf),
]

/** A day that the supplier gave and broke is a cause of its own: the next one that he gives is another. */
function lateOf(line: WatchedLine, today: string): Occurrence[] {
  const { parts } = line.told.coming
  const days = Map.groupBy(
    parts.filter(({ expectedOn }) => expectedOn < today),
    ({ expectedOn }) => expectedOn,
  )
  return [...days].map(([expectedOn, late]) =>
    occurrence('supply.late', `${line.number}:${line.line}:${expectedOn}`, {
      company: line.company,
      title: `Purchase order ${line.number}, line ${line.line}, was to come to ${line.location} on ${expectedOn}`,
      suggestedAction:
        'Ask the supplier for a new date and enter it in the ERP, or cancel there what will not come.',
      facts: {
        ...factsOf(line),
        expectedOn,
        open: formatQuantity(late.reduce((sum, { quantity }) => sum + quantity, 0)),
      },
    }),
  )
}

const noticesOf = ({ told }: WatchedLine) => ({
  notices: [...new Set(told.shipped.map(({ notice }) => notice))],
})

function movedOf(line: WatchedLine): Occurrence[] {
  const { moved } = line.told
  if (moved === undefined) return []
  return [
    occurrence('supply.date_differs', `${line.number}:${line.line}:${moved}`, {
      company: line.company,
      title: `${line.supplier} delivers purchase order ${line.number}, line ${line.line}, on ${moved} instead of ${line.expectedOn}`,
      suggestedAction:
        'Enter the new date in the ERP where you agree to it, or settle another one with the supplier.',
      facts: { ...factsOf(line), ordered: line.expectedOn, told: moved, ...noticesOf(line) },
    }),
  ]
}

function offOf(line: WatchedLine): Occurrence[] {
  const { off } = line.told
  if (off === 0) return []
  const much = `${formatQuantity(Math.abs(off))} of purchase order ${line.number}, line ${line.line}`
  return [
    occurrence('supply.quantity_differs', `${line.number}:${line.line}`, {
      company: line.company,
      title: `${line.supplier} ${off < 0 ? 'will not deliver' : 'delivers too much:'} ${much}`,
      suggestedAction:
        off < 0
          ? 'Cancel in the ERP what will not come, and order it elsewhere.'
          : 'Raise the purchase order in the ERP, or have the supplier hold back the rest.',
      facts: {
        ...factsOf(line),
        ordered: formatQuantity(line.ordered),
        differs: formatQuantity(off),
        ...noticesOf(line),
      },
    }),
  ]
}

const waitingOf = ({ company, number, supplier, items, since }: WaitingTold): Occurrence =>
  occurrence('supply.told_unknown', `${number}:${supplier}`, {
    company,
    title: `${supplier} tells of purchase order ${number}, which does not have these items`,
    suggestedAction:
      "Correct the purchase order in the ERP, or have the supplier name the right one. Won't fix when it is none of ours.",
    facts: { purchaseOrder: number, supplier, items, since: since.toISOString() },
  })
