/** People say what is kept back of items at places: safety stock, and what is for channels. */
import { recordAudit } from '#platform/audit.ts'
import { Refusal } from '#platform/faults.ts'
import type { Queries } from '#platform/database.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import type { Runner } from '#platform/runner.ts'
import type { AllocationsRequest, Allocations } from '#domains/inventory/contract/allocations.ts'
import { type AllocatedPlace, setAllocations } from '#domains/inventory/operations/allocations.ts'
import { allocationsOf } from '#domains/inventory/views/allocations.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { comesWhole, findItems } from '#domains/items/operations.ts'
import { wakesOfFreed } from './order-undo.ts'
import { placesOf } from './places.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'
import { refusedOr } from './reservation-request.ts'

export type AllocationCommand = {
  readonly request: AllocationsRequest
  readonly actor: string
  readonly traceId: string
  readonly claim: Claim
}

/** What is kept back of the named places from then on; orders that may have more now are woken. */
export async function setAllocationsOf(
  queries: Queries,
  { runner, ports }: { readonly runner: Runner; readonly ports: ProcessPorts },
  { request, actor, traceId, claim: mine }: AllocationCommand,
): Promise<{ readonly status: 200; readonly body: Allocations } | Replay> {
  const company = ports.findCompany(request.company)
  const keys = request.places.map(({ sku }) => ({ company: company.code, sku }))
  const places = readPlaces(company, request, await findItems(queries, keys))
  const skus = new Map(places.map(({ itemId }, at) => [itemId, request.places[at]!.sku]))
  const cause = { source: 'api', actor, traceId }
  return runner.transaction(cause, async (tx, turn) => {
    const earlier = settle((await claim(tx, [mine])).get(mine)!)
    if (earlier) return earlier
    await setAllocations(tx, places, actor)
    recordAudit(tx, [
      {
        actor,
        action: 'inventory.set_allocations',
        company: company.code,
        reason: request.reason,
        after: { places: request.places },
        traceId,
      },
    ])
    const body = { company: company.code, items: await allocationsOf(tx, skus) }
    turn.wakeAfterwards(await wakesOfFreed(tx, [...skus.keys()]))
    const answer = { status: 200, body } as const
    record(tx, [{ ...mine, ...answer }])
    return answer
  })
}

type Asked = AllocationsRequest['places'][number]

function readPlaces(
  company: CompanyRules,
  { places }: AllocationsRequest,
  items: ReadonlyMap<string, SellingItem>,
): AllocatedPlace[] {
  const seen = new Set<string>()
  return places.map((place, at) => {
    const within = `/places/${at}`
    const item = items.get(itemKey(company.code, place.sku))
    if (!item) {
      const message = `${company.code} has no item ${place.sku}`
      throw new Refusal('inventory.item_unknown', message, {}, `${within}/sku`)
    }
    placesOf(company, { location: place.location }, within)
    if (seen.has(`${item.id} ${place.location}`))
      throw contradicts(`${place.sku} at ${place.location} stands twice`, within)
    seen.add(`${item.id} ${place.location}`)
    assertConsistent(place, within)
    const quantities = place.allocations.map(({ quantity }, nth) =>
      readQuantity(item, quantity, `${within}/allocations/${nth}/quantity`),
    )
    const allocations = place.allocations.map(({ name, kind, channels, within: around = null }, nth) => ({
      name,
      kind,
      channels,
      within: around,
      quantity: quantities[nth]! - passedOn(place, quantities, nth, within),
    }))
    return { company: company.code, itemId: item.id, location: place.location, allocations }
  })
}

const contradicts = (message: string, pointer: string): Refusal =>
  new Refusal('inventory.allocation_contradicts', message, {}, pointer)

/** What of an allocation is kept within it for some of its channels. */
function passedOn(
  { allocations }: Asked,
  quantities: readonly Quantity[],
  nth: number,
  within: string,
): Quantity {
  const { name } = allocations[nth]!
  const sum = allocations.reduce(
    (total, one, at) => (one.within === name ? total + quantities[at]! : total),
    0,
  )
  if (sum <= quantities[nth]!) return sum
  const message = `${name}: ${formatQuantity(sum)} are kept within it, more than its ${formatQuantity(quantities[nth]!)}`
  throw contradicts(message, `${within}/allocations/${nth}/quantity`)
}

type Named = Asked['allocations'][number]

function assertConsistent({ allocations }: Asked, within: string): void {
  const byName = new Map(allocations.map((one) => [one.name, one]))
  for (const [nth, one] of allocations.entries()) {
    const pointer = `${within}/allocations/${nth}`
    const first = allocations.findIndex(({ name }) => name === one.name)
    if (first !== nth) throw contradicts(`the name ${one.name} stands twice`, `${pointer}/name`)
    const wrong = wrongChannels(one.kind, one.channels.length)
    if (wrong) throw contradicts(`${one.name}: ${wrong}`, `${pointer}/channels`)
    const misplaced = wrongPlace(one, byName)
    if (misplaced) throw contradicts(`${one.name}: ${misplaced}`, `${pointer}/within`)
  }
  for (const [nth, one] of allocations.entries()) {
    const twice = allocations.slice(0, nth).flatMap((other) => sharedOutside(one, other, byName))[0]
    if (twice)
      throw contradicts(`${twice} stands in two allocations`, `${within}/allocations/${nth}/channels`)
  }
}

/** What is within a pool is for some of its channels; so nothing is within itself. */
function wrongPlace(one: Named, byName: ReadonlyMap<string, Named>): string | undefined {
  if (one.within === undefined) return undefined
  const around = byName.get(one.within)
  if (around?.kind !== 'pool') return `there is no pool ${one.within} at the place`
  if (one.kind === 'safety') return 'safety stock is for no channel of a pool'
  const stranger = one.channels.find((channel) => !around.channels.includes(channel))
  if (stranger) return `${around.name} is not for ${stranger}`
  return one.channels.length < around.channels.length ? undefined : `it is for all channels of ${around.name}`
}

/** Channels that two allocations have although neither is within the other. */
function sharedOutside(one: Named, other: Named, byName: ReadonlyMap<string, Named>): string[] {
  if (isWithin(one, other, byName) || isWithin(other, one, byName)) return []
  return one.channels.filter((channel) => other.channels.includes(channel))
}

function isWithin(one: Named, other: Named, byName: ReadonlyMap<string, Named>): boolean {
  if (one.within === undefined) return false
  return one.within === other.name || isWithin(byName.get(one.within)!, other, byName)
}

function wrongChannels(kind: Asked['allocations'][number]['kind'], count: number): string | undefined {
  if (kind === 'safety') return count === 0 ? undefined : 'safety stock is for no channel'
  if (kind === 'pool') return count > 0 ? undefined : 'a pool is for channels'
  return count === 1 ? undefined : `a ${kind} is for one channel`
}

function readQuantity({ baseUnit }: SellingItem, text: string, pointer: string): number {
  const quantity = refusedOr(() => parseQuantity(text))
  if (quantity instanceof Refusal) throw new Refusal(quantity.code, quantity.message, {}, pointer)
  if (quantity < 0)
    throw new Refusal('items.quantity_not_positive', `${text} is less than nothing`, {}, pointer)
  if (comesWhole(baseUnit) && formatQuantity(quantity).includes('.')) {
    const message = `${text}: ${baseUnit} comes in whole numbers`
    throw new Refusal('items.quantity_not_whole', message, {}, pointer)
  }
  return quantity
}
