/** From where new orders are served: by the profile in force for each, with the record of what was decided. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Sharing } from '#domains/inventory/operations.ts'
import {
  lotsSinceOf,
  type NewDecision,
  profileFor,
  type ProfileInForce,
  profilesInForce,
  recordDecisions,
  sourceFrom,
} from '#domains/inventory/operations/sourcing.ts'
import type { Candidate } from './captured-order.ts'
import type { ProcessPorts } from './ports.ts'

type Missing = { readonly itemId: number; readonly quantity: Quantity; readonly part: Quantity }

/** Reads what is in force for these orders: one statement, another one where the age of lots counts. */
export async function sourcesFor(
  tx: Transaction,
  ports: ProcessPorts,
  candidates: readonly Candidate[],
): Promise<Sources> {
  const companies = [...new Set(candidates.map(({ arrival }) => arrival.request.company))]
  const profiles = await profilesInForce(tx, companies)
  const byCandidate = new Map(
    profiles.length === 0
      ? []
      : candidates.flatMap((candidate): [Candidate, ProfileInForce][] => {
          const profile = profileFor(profiles, orderedBy(candidate))
          return profile ? [[candidate, profile]] : []
        }),
  )
  const items = [...byCandidate.keys()].flatMap(({ valued }) =>
    valued.lines.flatMap((line) => (line.kind === 'sold' ? [line.item.id] : [])),
  )
  const rules = [...new Set(byCandidate.values())].map((profile) => profile.rules)
  return new Sources(ports, byCandidate, await lotsSinceOf(tx, rules, items))
}

const orderedBy = ({ arrival: { request }, valued }: Candidate) => ({
  company: request.company,
  channel: request.channel,
  customerGroup: valued.customer.priceList,
})

export class Sources {
  readonly #ports: ProcessPorts
  readonly #profiles: ReadonlyMap<Candidate, ProfileInForce>
  readonly #lotsSince: ReadonlyMap<string, Date> | undefined
  readonly #decided: NewDecision[] = []

  constructor(
    ports: ProcessPorts,
    profiles: ReadonlyMap<Candidate, ProfileInForce>,
    lotsSince: ReadonlyMap<string, Date> | undefined,
  ) {
    this.#ports = ports
    this.#profiles = profiles
    this.#lotsSince = lotsSince
  }

  /** How an order is served by its profile; undefined where the company's own order of locations decides. */
  sharingOf(candidate: Candidate, missing: readonly Missing[]): Sharing | undefined {
    const profile = this.#profiles.get(candidate)
    if (!profile) return undefined
    const { arrival, doc, valued } = candidate
    const sold = valued.lines.filter((line) => line.kind === 'sold')
    const lines = missing.map((line, at) => {
      const { requested, item, base, netMinor } = sold[at]!
      const valueMinor = Math.floor((netMinor * line.quantity) / base)
      return { ...line, line: requested.line, sku: item.sku, valueMinor }
    })
    return (free) => {
      const { allocations, decision } = sourceFrom({
        rules: profile.rules,
        currency: valued.customer.currency,
        lines,
        free,
        shipTo: valued.shipTo,
        lotsSince: this.#lotsSince,
        locations: this.#ports.company(arrival.request.company).locations,
        orderMinor: valued.totalMinor,
      })
      const shipTo = valued.shipTo ?? null
      this.#decided.push({ doc, cause: 'accepted', profile: profile.id, shipTo, decision })
      return allocations
    }
  }

  write(tx: Transaction): void {
    recordDecisions(tx, this.#decided)
  }
}
