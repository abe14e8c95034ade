/** People hold a lot wherever it lies, let it go, and say when it expires; once per key. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import type { LotAnswer, LotDescription, LotRequest, LotView } from '#domains/inventory/contract/lots.ts'
import {
  holdLotEverywhere,
  type LotMoved,
  releaseLotEverywhere,
  setExpiry,
} from '#domains/inventory/operations/lots.ts'
import { serialsAt } from '#domains/inventory/operations/serials.ts'
import { lotsInOrder } from '#domains/inventory/views/lots.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { requestsOfItem } from '#domains/shipments/operations/lots.ts'
import type { AdjustmentWires } from './adjustment-commands.ts'
import { settleExpiry, settleHeldShipped } from './lots.ts'
import { settlePicks, tellOfPicks } from './lots-at-warehouse.ts'
import { ClaimedMeanwhile, type MadeWay, makeWay } from './lost-stock.ts'
import { wakesOfFreed } from './order-undo.ts'
import { fulfillmentNumber, numberOf, orderNumber } from './ports.ts'
import { NO_SERIALS, type SerialsDue, trackSerials } from './serials.ts'
import { reportStockDoubts } from './stock-doubts.ts'

type By = {
  readonly actor: string
  readonly traceId?: string | undefined
  /** Absent where the caller does not repeat. */
  readonly claim?: Claim | undefined
}
export type LotCommand = By & { readonly verb: 'hold' | 'release'; readonly request: LotRequest }
export type LotReached<Body> = Promise<{ readonly status: 200; readonly body: Body } | Replay>

const VERBS = { hold: holdLotEverywhere, release: releaseLotEverywhere } as const

/** Orders for the item may come faster than their rows can be locked; the last time those that came are told instead. */
const ATTEMPTS = 4

export async function moveLot(
  queries: Queries,
  wires: AdjustmentWires,
  command: LotCommand,
): LotReached<LotAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await moveLotOnce(queries, wires, command, attempt < ATTEMPTS)
    } catch (error) {
      if (!(error instanceof ClaimedMeanwhile)) throw error
    }
  }
}

async function moveLotOnce(
  queries: Queries,
  wires: AdjustmentWires,
  { verb, request, ...by }: LotCommand,
  mayRepeat: boolean,
): LotReached<LotAnswer> {
  const { runner, ports } = wires
  const item = await itemNamed(queries, wires, request)
  const { company, sku, lot, reason } = request
  const key = { company, itemId: item.id, lot }
  const cause = { source: 'lots', actor: by.actor, traceId: by.traceId }
  return runner.transaction(cause, async (tx, turn) => {
    const earlier = await earlierOf(tx, by.claim)
    if (earlier) return earlier
    const at = ports.clock.now()
    const act = { by: by.actor, reason, sourceKey: `${verb} ${by.claim?.key ?? at.toISOString()}`, at }
    const making = { ports: { ...ports, company: ports.findCompany }, held: key, reason, cause, mayRepeat }
    const way = verb === 'hold' ? await makeWay(tx, turn, making) : NOBODY
    const done = await VERBS[verb](tx, key, act)
    await trackSerials(
      tx,
      ports,
      item.serialControlled ? await serialsOfLot(tx, key, { verb, act, done }) : NO_SERIALS,
    )
    const moved = { request, itemId: item.id, done, way, claims: await claimsOf(tx, item.id, done) }
    await tellOfRisk(tx, wires, moved)
    if (verb === 'release') await Promise.all([settleHeldShipped(tx, key), settlePicks(tx, key)])
    audit(tx, by, { company, reason, action: `inventory.${verb}_lot`, after: { sku, lot } })
    turn.wakeAfterwards(await wakesOfFreed(tx, [item.id]))
    return kept(tx, by.claim, answerOf(verb === 'hold', item, moved))
  })
}

const NOBODY: MadeWay = { waiting: [], requests: [] }

const earlierOf = async (tx: Transaction, mine: Claim | undefined): Promise<Replay | undefined> =>
  mine && settle((await claim(tx, [mine])).get(mine)!)

function kept<Body extends object>(tx: Transaction, mine: Claim | undefined, body: Body) {
  const answer = { status: 200, body } as const
  if (mine) record(tx, [{ ...mine, ...answer }])
  return answer
}

/** By place, whose claims have no stock there. */
async function claimsOf(
  tx: Transaction,
  itemId: number,
  { shortfalls, claims }: LotMoved,
): Promise<(location: string) => string[]> {
  const places = shortfalls.map(({ location }) => location)
  const requests = places.length > 0 ? await requestsOfItem(tx, itemId, places) : []
  return (at) => [
    ...claims.flatMap(({ kind, doc, location }) => (location === at ? [numberOf(kind, doc)] : [])),
    ...new Set(requests.flatMap(({ doc, location }) => (location === at ? [fulfillmentNumber(doc)] : []))),
  ]
}

type Acted = {
  readonly verb: LotCommand['verb']
  readonly act: { readonly reason: string; readonly sourceKey: string; readonly at: Date }
  readonly done: LotMoved
}

/** Units of the lot that have serials, wherever it moved. */
async function serialsOfLot(
  tx: Transaction,
  { company, itemId, lot }: { readonly company: string; readonly itemId: number; readonly lot: string },
  { verb, act: { reason, sourceKey, at }, done }: Acted,
): Promise<SerialsDue> {
  const sites = done.moved.map(({ location }) => ({ company, itemId, location }))
  const [from, to] =
    verb === 'hold' ? (['available', 'quality_hold'] as const) : (['quality_hold', 'available'] as const)
  const here = (await serialsAt(tx, sites)).filter((row) => row.lot === lot && row.bucket === from)
  const common = { company, itemId, lot, reason, source: 'lots', sourceKey, doc: null, at }
  const told = here.map(({ serial, location }) => ({
    ...common,
    serial,
    from: { bucket: from, location },
    to: { bucket: to, location },
  }))
  return { told, sites }
}

/** Says when a lot expires. */
export async function describeLot(
  queries: Queries,
  wires: AdjustmentWires,
  { request, ...by }: By & { readonly request: LotDescription },
): LotReached<LotDescription> {
  const item = await itemNamed(queries, wires, request)
  const { company, lot, expiresOn } = request
  const cause = { source: 'lots', actor: by.actor, traceId: by.traceId }
  return wires.runner.transaction(cause, async (tx, turn) => {
    const earlier = await earlierOf(tx, by.claim)
    if (earlier) return earlier
    setExpiry(tx, { company, itemId: item.id, lot }, expiresOn)
    await settleExpiry(tx, { company, itemId: item.id, lot })
    audit(tx, by, {
      company,
      reason: `expires on ${expiresOn}`,
      action: 'inventory.describe_lot',
      after: request,
    })
    // who wants it to live long can have it as soon as it is known to
    turn.wakeAfterwards(await wakesOfFreed(tx, [item.id]))
    return kept(tx, by.claim, request)
  })
}

/** Where the company sells from; what expires first before the rest. */
export async function listLots(
  queries: Queries,
  ports: AdjustmentWires['ports'],
  { company, sku }: Pick<LotRequest, 'company' | 'sku'>,
): Promise<LotView[]> {
  const { locations, timeZone } = ports.findCompany(company)
  const { id: itemId } = await itemNamed(queries, { ports }, { company, sku })
  const today = localDate(ports.clock.now(), timeZone)
  return lotsInOrder(queries, { itemId, company, locations, today })
}

export async function itemNamed(
  queries: Queries,
  { ports }: Pick<AdjustmentWires, 'ports'>,
  { company, sku }: Pick<LotRequest, 'company' | 'sku'>,
): Promise<SellingItem> {
  const { code } = ports.findCompany(company)
  const item = (await findItems(queries, [{ company: code, sku }])).get(itemKey(code, sku))
  if (item) return item
  throw new Refusal('inventory.item_unknown', `${code} has no item ${sku}`, {}, '/sku')
}

type Moved = {
  readonly request: LotRequest
  readonly itemId: number
  readonly done: LotMoved
  readonly way: MadeWay
  readonly claims: (location: string) => string[]
}

/** Claims that lost their stock and do not wait for other are told with whose they are, until the lot is released. */
async function tellOfRisk(
  tx: Transaction,
  { ports }: AdjustmentWires,
  { request: { company, sku, lot }, itemId, done: { moved, shortfalls }, way, claims }: Moved,
): Promise<void> {
  await reportStockDoubts(
    tx,
    ports,
    moved.map(({ location }) => ({ itemId, location })),
  )
  const causeOf = (location: string): string => `inventory.lot_claimed:${itemId}:${lot}:${location}`
  const left = shortfalls.map(({ location, quantity }) => ({
    location,
    quantity: quantity - comingBack(way, location),
  }))
  await ports.openExceptions(
    tx,
    left.flatMap(({ location, quantity }) =>
      quantity <= 0
        ? []
        : [
            {
              company,
              cause: causeOf(location),
              code: 'inventory.lot_claimed',
              title: `Lot ${lot} of ${sku} is held at ${location}, and claims there have lost their stock`,
              suggestedAction:
                'Serve these from elsewhere or tell whom they are for; release the lot where it is good.',
              facts: { lot, quantity: formatQuantity(quantity), documents: claims(location) },
            },
          ],
    ),
  )
  const picked = way.requests.flatMap(({ request: { doc, orderId, location }, stops }) =>
    stops ? [] : [{ company, itemId, lot, sku, doc, orderId, location }],
  )
  await tellOfPicks(tx, ports, picked)
  const covered = moved
    .map(({ location }) => location)
    .filter((at) => shortfalls.every((one) => one.location !== at))
  await closeExceptions(
    tx,
    covered.map((location) => ({ company, cause: causeOf(location) })),
    'the lot was released',
  )
}

/** What warehouses are asked to give back waits for other stock as soon as they do. */
const comingBack = ({ requests }: MadeWay, at: string): number =>
  requests
    .filter(({ request, stops }) => stops && request.location === at)
    .reduce((sum, { quantity }) => sum + quantity, 0)

const answerOf = (
  held: boolean,
  { baseUnit }: SellingItem,
  { request: { company, sku, lot }, done: { moved, shortfalls }, way, claims }: Moved,
): LotAnswer => ({
  company,
  sku,
  lot,
  held,
  moved: moved.map(({ location, quantity }) => ({ location, quantity: formatQuantity(quantity) })),
  atRisk: shortfalls.map(({ location, quantity }) => ({
    location,
    quantity: formatQuantity(quantity),
    documents: claims(location),
  })),
  waiting: way.waiting.map(({ doc, customerLine, location, quantity }) => ({
    order: orderNumber(doc),
    line: customerLine,
    location,
    quantity: formatQuantity(quantity),
  })),
  requests: way.requests.map(({ request: { doc, orderId, location }, quantity, stops }) => ({
    request: fulfillmentNumber(doc),
    order: orderNumber(orderId),
    location,
    quantity: formatQuantity(quantity),
    stops,
  })),
  unit: baseUnit,
})

type Audited = {
  readonly company: string
  readonly reason: string
  readonly action: string
  readonly after: object
}

const audit = (tx: Transaction, { actor, traceId }: By, of: Audited): void =>
  recordAudit(tx, [{ actor, traceId, ...of }])
