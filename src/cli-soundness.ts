/** What must hold between the domains at any moment. The house is at work meanwhile, so what seems broken is asked again. */
import { brokenLines } from './domains/orders/views.ts'
import { claimsInInventory, driftedPositions } from './domains/inventory/views.ts'
import { openFulfillmentClaims } from './domains/shipments/views.ts'
import type { Clock } from './platform/clock.ts'
import type { Queries } from './platform/database.ts'
import { formatQuantity } from './platform/quantity.ts'
import {
  documentsOfTheDead,
  eventGaps,
  missingPartitions,
  overdueDocuments,
  ownerlessExceptions,
} from './platform/soundness.ts'

export type Finding = {
  readonly rule: string
  /** Where it does not hold; a place is named the same at every look. */
  readonly broken: readonly string[]
  readonly next: string
}

type Rule = {
  readonly rule: string
  readonly look: (queries: Queries) => Promise<string[]>
  readonly next: string
}

const GAPS_DAYS = 7
const REPORT = 'This is a bug of ours; nothing repairs it by itself. Please report it.'

const RULES: readonly Rule[] = [
  {
    rule: 'partitions are made ahead',
    look: missingPartitions,
    next: 'Restart the program, which makes them.',
  },
  {
    rule: 'events of a document have no gap',
    look: (queries) => eventGaps(queries, GAPS_DAYS),
    next: REPORT,
  },
  { rule: 'quantities of a line add up', look: brokenLines, next: REPORT },
  { rule: 'what is reserved is claimed by somebody', look: unclaimed, next: REPORT },
  { rule: 'stock is the sum of its movements', look: driftedPositions, next: REPORT },
  { rule: 'open exceptions have an owner', look: ownerlessExceptions, next: REPORT },
  {
    rule: 'no document of a dead process',
    look: documentsOfTheDead,
    next: 'Start the program, which takes them over.',
  },
  {
    rule: 'no due work lies for five minutes',
    look: overdueDocuments,
    next: 'Start the program, or see its log.',
  },
]

const LOOKS = 3
const PAUSE_MS = 300

/** A rule counts as broken where it is broken at every look: two reads are never of the same moment. */
export async function soundness(queries: Queries, clock: Clock): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { rule, look, next } of RULES) {
    let broken = await look(queries)
    for (let again = 1; again < LOOKS && broken.length > 0; again++) {
      await clock.sleep(PAUSE_MS)
      const now = new Set(await look(queries))
      broken = broken.filter((place) => now.has(place))
    }
    findings.push({ rule, broken, next })
  }
  return findings
}

/** A position's reserved quantity is what orders hold there and what its open fulfillment requests still may take. */
async function unclaimed(queries: Queries): Promise<string[]> {
  const [places, requests] = await Promise.all([claimsInInventory(queries), openFulfillmentClaims(queries)])
  const asked = new Map(requests.map((row) => [`${row.itemId}/${row.location}`, row.quantity]))
  return places.flatMap(({ itemId, location, reserved, held }) => {
    const claimed = held + (asked.get(`${itemId}/${location}`) ?? 0)
    if (claimed === reserved) return []
    return [
      `item ${itemId} at ${location}: reserved ${formatQuantity(reserved)}, claimed ${formatQuantity(claimed)}`,
    ]
  })
}
