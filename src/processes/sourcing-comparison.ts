/** Rules of sourcing tried against past orders: what they would have decided on what was free then. It changes nothing. */
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { formatAmount } from '#platform/money.ts'
import type { SourcingDecision, SourcingRules } from '#domains/inventory/contract/sourcing.ts'
import type {
  ChangedDecision,
  Served,
  SourcingComparison,
  SourcingComparisonQuestion,
} from '#domains/inventory/contract/sourcing-comparison.ts'
import { type Compared, decideAgain, type Side } from '#domains/inventory/operations/sourcing-comparison.ts'
import { decisionsOfOrders, profileOf } from '#domains/inventory/views/sourcing.ts'
import { headersOf, ordersAccepted } from '#domains/orders/views.ts'
import { type CompanyRules, orderNumber, parseNumber } from './ports.ts'
import { assertRules } from './sourcing-commands.ts'

type Company = Pick<CompanyRules, 'code' | 'locations' | 'currency'>

/** Orders whose decisions are read together; between two portions others have their turn. */
const PORTION = 50

/** The same question has the same answer, as long as no order of its period is decided on meanwhile. */
export async function compareSourcing(
  queries: Queries,
  findCompany: (code: string) => Company,
  question: SourcingComparisonQuestion,
): Promise<SourcingComparison> {
  const company = findCompany(question.company)
  const rules = await rulesOf(queries, company, question)
  const page = await pageOf(queries, question)
  const orders = await ordersAccepted(queries, page)
  const docs = orders.flatMap((order) => (order.company === company.code ? [order.doc] : []))
  const sums = new Sums(company, rules, question.sample)
  for (let from = 0; from < docs.length; from += PORTION) {
    const portion = docs.slice(from, from + PORTION)
    for (const decision of await decisionsOfOrders(queries, portion, question.decidedBy)) sums.add(decision)
  }
  const last = orders.length === page.limit ? orders.at(-1) : undefined
  return {
    company: company.code,
    orders: docs.length,
    ...sums.told(),
    ...(last && { next: orderNumber(last.doc) }),
  }
}

async function rulesOf(
  queries: Queries,
  company: Company,
  { rules, profile }: SourcingComparisonQuestion,
): Promise<SourcingRules> {
  if ((rules === undefined) === (profile === undefined)) {
    const message = rules ? 'rules and a version cannot both be tried' : 'there are no rules to try'
    throw new Refusal('inventory.comparison_unclear', message, {}, '/rules')
  }
  if (rules) {
    assertRules(company, rules)
    return rules
  }
  const version = await profileOf(queries, profile!)
  if (version?.company === company.code) return version.rules
  const message = `${company.code} has no version with the number ${profile}`
  throw new Refusal('inventory.sourcing_profile_unknown', message, {}, '/profile')
}

async function pageOf(queries: Queries, { from, until, after, orders }: SourcingComparisonQuestion) {
  const period = { from: new Date(from), until: new Date(until) }
  if (period.until <= period.from) {
    const message = `${until} does not come after ${from}`
    throw new Refusal('inventory.period_empty', message, {}, '/until')
  }
  const place = after === undefined ? undefined : parseNumber(after, 'O')
  const [known] = place === undefined ? [] : await headersOf(queries, [place])
  if (after !== undefined && !known)
    throw new Refusal('inventory.order_unknown', `no order has the number ${after}`, {}, '/after')
  return { ...period, after: place, limit: orders }
}

type Decided = SourcingDecision & { readonly doc: number }

class Sums {
  readonly #company: Company
  readonly #rules: SourcingRules
  readonly #sampleMax: number
  readonly #sample: ChangedDecision[] = []
  readonly #counts = { compared: 0, same: 0, changed: 0, notComparable: 0 }
  readonly #before = new SideSum()
  readonly #after = new SideSum()
  #costed = 0

  constructor(company: Company, rules: SourcingRules, sampleMax: number) {
    this.#company = company
    this.#rules = rules
    this.#sampleMax = sampleMax
  }

  add(decision: Decided): void {
    const { currency, locations } = this.#company
    const { shipTo } = decision
    const compared = decideAgain(decision, { rules: this.#rules, currency, locations, shipTo })
    if (!compared) {
      this.#counts.notComparable += 1
      return
    }
    this.#counts.compared += 1
    this.#counts[compared.isChanged ? 'changed' : 'same'] += 1
    const isCosted = compared.before.costMinor !== undefined && compared.after.costMinor !== undefined
    if (isCosted) this.#costed += 1
    this.#before.add(compared.before, isCosted)
    this.#after.add(compared.after, isCosted)
    if (compared.isChanged && this.#sample.length < this.#sampleMax)
      this.#sample.push(changed(decision, compared))
  }

  told() {
    const hasCosts = this.#costed > 0
    const hasDistances = this.#rules.nearest.length > 0
    const of = (side: SideSum) => side.told(this.#company.currency, { hasCosts, hasDistances })
    return {
      decisions: this.#counts,
      before: of(this.#before),
      after: of(this.#after),
      costed: this.#costed,
      sample: this.#sample,
    }
  }
}

class SideSum {
  #splits = 0
  #worthMinor = 0
  #distance = 0
  #costMinor = 0

  add({ splits, worthMinor, distance = 0, costMinor = 0 }: Side, isCosted: boolean): void {
    this.#splits += splits
    this.#worthMinor += worthMinor
    this.#distance += distance
    if (isCosted) this.#costMinor += costMinor
  }

  told(currency: string, { hasCosts, hasDistances }: { hasCosts: boolean; hasDistances: boolean }) {
    return {
      splits: this.#splits,
      worth: formatAmount(this.#worthMinor, currency),
      ...(hasDistances && { distance: this.#distance }),
      ...(hasCosts && { cost: formatAmount(this.#costMinor, currency) }),
    }
  }
}

function changed(
  { doc, cause, at, profile, shipTo }: Decided,
  { before, after, why, whyNotBefore }: Compared,
): ChangedDecision {
  return {
    order: orderNumber(doc),
    cause,
    at,
    ...(profile && { decidedBy: profile }),
    ...(shipTo !== undefined && { shipTo }),
    before: served(before),
    after: served(after),
    why,
    ...(whyNotBefore !== undefined && { whyNotBefore }),
  }
}

const served = ({ worthMinor: _, costMinor: __, ...side }: Side): Served => side
