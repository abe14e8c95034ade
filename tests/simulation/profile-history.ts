/** Which versions of sourcing profiles were in force when, and that what was decided names them and keeps to them. */
import type { SourcingDecision, SourcingProfile } from '../../src/domains/inventory/contract/sourcing.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import { timeAt } from './virtual-clock.ts'

type Version = Pick<SourcingProfile, 'id' | 'company' | 'name' | 'version' | 'inUse' | 'rules' | 'reason'> & {
  readonly effectiveFrom: string
}
type Decided = {
  readonly doc: number
  readonly company: string
  readonly customerOrder: string
  readonly cause: SourcingDecision['cause']
  readonly profile: number | null
  readonly decision: Omit<SourcingDecision, 'cause' | 'at' | 'profile' | 'shipTo'>
}

const SEEN = `
  select id::int as id, false as doc from inventory.sourcing_profile union all select id::int, true from orders.sales_order`

const VERSIONS = `
  select id::int, company, name, version, in_use as "inUse", rules, reason, to_char(effective_from at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "effectiveFrom"
  from inventory.sourcing_profile order by id`

const DECISIONS = `
  select o.id::int as doc, o.company, o.customer_order as "customerOrder", d.cause, d.profile::int, d.decision
  from orders.sales_order o left join inventory.sourcing_decision d on d.doc = o.id order by o.id, d.id`

export class ProfileHistory {
  /** As whoever made them was told. */
  readonly made = new Map<number, SourcingProfile>()
  /** When the order of this number was sent for the first time. */
  readonly askedMs = new Map<string, number>()
  /** From when on others see them. */
  readonly #seenAtMs = new Map<number, number>()
  readonly #acceptedAtMs = new Map<number, number>()

  /** After each transaction. */
  async note(query: Query, nowMs: number): Promise<void> {
    const rows = await query<{ id: number; doc: boolean }>(SEEN)
    for (const { id, doc } of rows) {
      const seen = doc ? this.#acceptedAtMs : this.#seenAtMs
      if (!seen.has(id)) seen.set(id, nowMs)
    }
  }

  async amiss(query: Query): Promise<Violation[]> {
    const [versions, decided] = [await query<Version>(VERSIONS), await query<Decided>(DECISIONS)]
    const wrong = [
      ...versions.flatMap((version) => this.#changed(version)),
      ...decided.flatMap((one) => [
        ...this.#notInForce(versions, one),
        ...againstRules(versions.find(({ id }) => id === one.profile)?.rules, one),
      ]),
      ...[...Map.groupBy(decided, ({ doc }) => doc).values()].flatMap(otherwiseLater),
    ]
    return wrong.length > 0
      ? [
          {
            invariant: 'orders are served by the profile that was in force',
            found: wrong.slice(0, 5).join('; '),
          },
        ]
      : []
  }

  /** A version stays as it was told. */
  #changed({ id, ...row }: Version): string[] {
    const made = this.made.get(id)
    if (!made) return []
    const told = { ...made.rules }
    const same =
      row.version === made.version && JSON.stringify(sorted(row.rules)) === JSON.stringify(sorted(told))
    return same ? [] : [`version ${row.version} of ${row.name} is not as it was made`]
  }

  /** At some moment from its first request to the decision this version decided for such an order. */
  #notInForce(
    versions: readonly Version[],
    { doc, company, customerOrder, cause, profile }: Decided,
  ): string[] {
    const fromMs = this.askedMs.get(customerOrder)
    if (fromMs === undefined || (cause !== 'accepted' && cause !== null)) return []
    const untilMs = this.#acceptedAtMs.get(doc) ?? Infinity
    const own = versions.filter((version) => version.company === company)
    const beginsMs = ({ id, effectiveFrom }: Version): number =>
      Math.max(this.#seenAtMs.get(id) ?? 0, Date.parse(effectiveFrom) - timeAt(0).getTime())
    const moments = [fromMs, ...own.map(beginsMs).filter((ms) => ms > fromMs && ms <= untilMs)]
    const allowed = moments.map((ms) => winnerOf(own.filter((version) => beginsMs(version) <= ms)) ?? null)
    return allowed.includes(profile)
      ? []
      : [`O-${doc} was decided by ${profile}, not by ${allowed.join(' or ')}`]
  }
}

/** Of each profile the version that began last; of equals the first by name. */
function winnerOf(begun: readonly Version[]): number | undefined {
  const last = new Map<string, Version>()
  const inTurn = begun.toSorted(
    (a, b) => Date.parse(a.effectiveFrom) - Date.parse(b.effectiveFrom) || a.version - b.version,
  )
  for (const version of inTurn) last.set(version.name, version)
  return [...last.values()].filter(({ inUse }) => inUse).toSorted((a, b) => (a.name < b.name ? -1 : 1))[0]?.id
}

/** What waits is filled by the version that was in force when the order came. */
function otherwiseLater(decisions: readonly Decided[]): string[] {
  const [first, ...later] = decisions
  return later
    .filter(({ profile }) => profile !== first!.profile && first!.cause === 'accepted')
    .map(
      ({ doc, cause, profile }) => `O-${doc} came under ${first!.profile}, and was ${cause} under ${profile}`,
    )
}

/** Within the network, from no more places than may be, and from one place where one alone would do and that is what counts. */
function againstRules(
  rules: SourcingProfile['rules'] | undefined,
  { doc, cause, decision }: Decided,
): string[] {
  if (!rules || cause !== 'accepted') return []
  const { lines, orderWorth } = decision
  const places = new Set(lines.flatMap(({ given }) => given.map(({ location }) => location)))
  const most = Number(orderWorth ?? Infinity) < Number(rules.minSplitOrder) ? 1 : rules.maxSplits + 1
  const found: string[] = []
  if ([...places].some((place) => !rules.network.includes(place)))
    found.push('is served from beyond the network')
  if (places.size > most) found.push(`is served from ${places.size} places, of ${most}`)
  for (const { line, given, worth } of lines)
    if (given.length > 1 && Number(worth ?? Infinity) < Number(rules.minSplitLine))
      found.push(`has line ${line} split, which is worth ${worth}`)
  const fewest = rules.strategies[0] === 'single-location' || rules.strategies[0] === 'fewest-splits'
  const alone = rules.network.find((place) => isEnough(lines, place))
  if (alone !== undefined && fewest && places.size > 1) found.push(`is split, though ${alone} has all of it`)
  if (alone !== undefined && places.size === 1 && rules.strategies[0] === 'lowest-cost') {
    const costOf = (place: string): number =>
      Number(rules.costs.find(({ location }) => location === place)!.perShipment)
    const cheapest = rules.network
      .filter((place) => isEnough(lines, place))
      .toSorted((a, b) => costOf(a) - costOf(b))[0]!
    if (costOf(cheapest) < costOf([...places][0]!))
      found.push(`is not served from ${cheapest}, which costs less`)
  }
  return found.map((what) => `O-${doc} ${what}`)
}

/** Each line is of another item. */
const isEnough = (lines: Decided['decision']['lines'], place: string): boolean =>
  lines.every(
    ({ wanted, free, avoided }) =>
      !avoided?.includes(place) &&
      Number(free?.find(({ location }) => location === place)?.quantity ?? 0) >= Number(wanted),
  )

const sorted = (value: object): unknown =>
  JSON.parse(JSON.stringify(value), (_, one: unknown) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  )
