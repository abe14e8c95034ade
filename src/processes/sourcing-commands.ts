/** What people do with sourcing profiles: make a version, and see what would be decided. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { parseAmount } from '#platform/money.ts'
import { parseQuantity } from '#platform/quantity.ts'
import type { Runner } from '#platform/runner.ts'
import { addressKey, customerKey, type SellingCustomer } from '#domains/customers/contract.ts'
import { findAddresses, findCustomers } from '#domains/customers/operations.ts'
import type {
  SourcingPreview,
  SourcingProfile,
  SourcingProfileRequest,
  SourcingQuestion,
  SourcingRules,
} from '#domains/inventory/contract/sourcing.ts'
import { readUnclaimedStock } from '#domains/inventory/operations.ts'
import {
  addProfileVersion,
  defaultRules,
  type LineToSource,
  lotsSinceOf,
  profileFor,
  profilesInForce,
  sourceFrom,
} from '#domains/inventory/operations/sourcing.ts'
import { profileOf } from '#domains/inventory/views/sourcing.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems, resolveLines } from '#domains/items/operations.ts'
import { wholePart } from './ordered-unit.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'
import { FIELDS, refusedOr } from './reservation-request.ts'
import { lifeWanted, livesLeft } from './shelf-life.ts'
import { regionOf } from './ship-to-region.ts'

export type ProfileCommand = {
  readonly request: SourcingProfileRequest
  readonly actor: string
  readonly traceId: string
  readonly claim: Claim
}

/** Adds a version; orders that come from its time on are served by it. */
export async function addSourcingVersion(
  { runner, ports }: { readonly runner: Runner; readonly ports: ProcessPorts },
  { request, actor, traceId, claim: mine }: ProfileCommand,
): Promise<{ readonly status: 201; readonly body: SourcingProfile } | Replay> {
  const { company, name, channel, customerGroup, effectiveFrom, inUse, rules, reason } = request
  assertRules(ports.findCompany(company), rules)
  if (effectiveFrom !== undefined && new Date(effectiveFrom) < ports.clock.now()) {
    const message = `${effectiveFrom} lies in the past`
    throw new Refusal('inventory.effective_in_past', message, {}, '/effectiveFrom')
  }
  return runner.transaction({ source: 'api', actor, traceId }, async (tx) => {
    const earlier = settle((await claim(tx, [mine])).get(mine)!)
    if (earlier) return earlier
    const id = await addProfileVersion(tx, {
      company,
      name,
      channel: channel ?? null,
      customerGroup: customerGroup ?? null,
      effectiveFrom: effectiveFrom === undefined ? null : new Date(effectiveFrom),
      inUse,
      rules,
      reason,
      madeBy: actor,
    })
    const body = (await profileOf(tx, id))!
    recordAudit(tx, [
      { actor, action: 'inventory.add_sourcing_version', company, reason, after: body, traceId },
    ])
    const answer = { status: 201, body } as const
    record(tx, [{ ...mine, ...answer }])
    return answer
  })
}

const contradicts = (message: string, pointer: string): Refusal =>
  new Refusal('inventory.sourcing_contradicts', message, {}, pointer)

/** Refuses rules that name what there is not, or one thing twice. */
export function assertRules(
  { code, locations, currency }: Pick<CompanyRules, 'code' | 'locations' | 'currency'>,
  rules: SourcingRules,
  at = '/rules',
): void {
  const { network, strategies, nearest, costs } = rules
  for (const [place, location] of network.entries()) {
    if (locations.includes(location)) continue
    const message = `${code} does not sell from ${location}; it sells from ${locations.join(', ')}`
    throw new Refusal('inventory.location_unknown', message, {}, `${at}/network/${place}`)
  }
  assertOnce(network, `${at}/network`)
  assertOnce(strategies, `${at}/strategies`)
  assertOnce(
    nearest.map(({ shipTo }) => shipTo),
    `${at}/nearest`,
  )
  assertOnce(
    costs.map(({ location, shipTo }) => [location, shipTo].filter(Boolean).join(' for ')),
    `${at}/costs`,
  )
  const named = [
    ...nearest.map((entry, place) => ({ pointer: `${at}/nearest/${place}`, locations: entry.locations })),
    ...costs.map(({ location }, place) => ({ pointer: `${at}/costs/${place}`, locations: [location] })),
  ]
  for (const { pointer, locations: some } of named) {
    const outside = some.find((location) => !network.includes(location))
    if (outside) throw contradicts(`${outside} is not in the network`, pointer)
    assertOnce(some, pointer)
  }
  const amounts = [
    ['minSplitOrder', rules.minSplitOrder],
    ['minSplitLine', rules.minSplitLine],
    ...costs.flatMap((cost, place) => [
      [`costs/${place}/perShipment`, cost.perShipment],
      [`costs/${place}/perLine`, cost.perLine],
    ]),
  ] as [string, string][]
  for (const [field, amount] of amounts) assertAmount(amount, currency, `${at}/${field}`)
}

function assertOnce(names: readonly string[], pointer: string): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw contradicts(`${twice} stands twice`, pointer)
}

function assertAmount(text: string, currency: string, pointer: string): number {
  const amount = refusedOr(() => parseAmount(text, currency))
  if (amount instanceof Refusal) throw new Refusal(amount.code, amount.message, {}, pointer)
  return amount
}

// What would be decided -------------------------------------------------------------------------------------------------

/** Decides as for an order that came now, on what the books say without a lock. */
export async function previewSourcing(
  queries: Queries,
  ports: ProcessPorts,
  question: SourcingQuestion,
): Promise<SourcingPreview> {
  const company = ports.findCompany(question.company)
  if (question.rules) assertRules(company, question.rules)
  const [customer, lines] = await Promise.all([
    customerOf(queries, question),
    linesOf(queries, company, question),
  ])
  const shipTo = question.shipTo ?? (customer && (await regionOfCustomer(queries, customer)))
  const items = lines.map(({ itemId }) => itemId)
  const [profiles, stock] = await Promise.all([
    question.rules ? [] : profilesInForce(queries, [company.code]),
    readUnclaimedStock(queries, items, company.locations),
  ])
  const { code } = company
  const profile = profileFor(profiles, {
    company: code,
    channel: question.channel,
    customerGroup: customer?.priceList,
  })
  const wanted = lines.map((line) => ({
    ...line,
    minimumShelfLifeDays: customer ? lifeWanted(customer, line) : null,
  }))
  if (wanted.some(({ minimumShelfLifeDays }) => minimumShelfLifeDays !== null))
    stock.countLives(await livesLeft(queries, ports, items, company.locations))
  const rules = question.rules ?? profile?.rules ?? defaultRules(company.locations)
  const { decision } = sourceFrom({
    rules,
    currency: company.currency,
    lines,
    free: stock.for(question.channel, wanted, company.locations),
    shipTo,
    lotsSince: await lotsSinceOf(queries, [rules], items),
    locations: company.locations,
  })
  return {
    at: ports.clock.now().toISOString(),
    ...(profile && { profile: { id: profile.id, name: profile.name, version: profile.version } }),
    ...(shipTo !== undefined && { shipTo }),
    ...decision,
  }
}

async function customerOf(queries: Queries, { company, customer: number }: SourcingQuestion) {
  if (number === undefined) return undefined
  const found = (await findCustomers(queries, [{ company, number }])).get(customerKey(company, number))
  if (found) return found
  throw new Refusal('orders.customer_unknown', `${company} has no customer ${number}`, {}, '/customer')
}

async function regionOfCustomer(queries: Queries, { id, defaultShipTo: code }: SellingCustomer) {
  const addresses = await findAddresses(queries, [{ customerId: id, code }])
  const address = addresses.get(addressKey(id, code))
  return address && regionOf(address)
}

async function linesOf(
  queries: Queries,
  { code: company, currency }: CompanyRules,
  { lines }: SourcingQuestion,
): Promise<SourcedLine[]> {
  const items = await findItems(
    queries,
    lines.map(({ sku }) => ({ company, sku })),
  )
  const seen = new Set<string>()
  const read = lines.map((asked) => readLine(asked, { company, currency, items, seen }))
  const errors = read.flatMap((one, at) =>
    'errors' in one
      ? one.errors.map(({ field, code, message }) => ({ pointer: `/lines/${at}/${field}`, code, message }))
      : [],
  )
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return read.flatMap((one) => ('errors' in one ? [] : [one]))
}

type SourcedLine = LineToSource & Pick<SellingItem, 'lotControlled'>
type WrongLine = { readonly errors: readonly { field: string; code: string; message: string }[] }
type Reading = {
  readonly company: string
  readonly currency: string
  readonly items: ReadonlyMap<string, SellingItem>
  /** Numbers of the lines before. */
  readonly seen: Set<string>
}

/** In base units, or all that is wrong with it. */
function readLine(
  { line, sku, quantity, unit, value }: SourcingQuestion['lines'][number],
  { company, currency, items, seen }: Reading,
): SourcedLine | WrongLine {
  const number = seen.has(line)
    ? new Refusal('orders.line_repeated', `line ${line} stands twice`)
    : seen.add(line)
  const item = refusedOr(() => resolved(items, { company, sku, quantity, unit }))
  const valueMinor = refusedOr(() => (value === undefined ? 0 : parseAmount(value, currency)))
  if (!(number instanceof Refusal || item instanceof Refusal || valueMinor instanceof Refusal)) {
    const { id: itemId, lotControlled } = item.item
    return { line, sku, itemId, lotControlled, quantity: item.base, part: wholePart(item.factor), valueMinor }
  }
  const refused = { line: number, quantity: item, value: valueMinor }
  return {
    errors: Object.entries(refused).flatMap(([field, what]) =>
      what instanceof Refusal
        ? [{ field: FIELDS[what.code] ?? field, code: what.code, message: what.message }]
        : [],
    ),
  }
}

type Sought = {
  readonly company: string
  readonly sku: string
  readonly quantity: string
  readonly unit?: string | undefined
}

function resolved(items: Reading['items'], { company, sku, quantity, unit }: Sought) {
  const item = items.get(itemKey(company, sku))
  if (!item) throw new Refusal('inventory.item_unknown', `${company} has no item ${sku}`)
  const asked = { key: sku, company, sku, quantity: parseQuantity(quantity), unit: unit ?? item.baseUnit }
  const found = resolveLines(items, [asked]).get(sku)!
  if (found instanceof Refusal) throw found
  return found
}
