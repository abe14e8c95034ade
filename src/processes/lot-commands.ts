/** People hold a lot wherever it lies, let it go, and say when it expires; once per key. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { LotAnswer, LotDescription, LotRequest } from '#domains/inventory/contract/lots.ts'
import {
  holdLotEverywhere,
  type LotMoved,
  releaseLotEverywhere,
  setExpiry,
} from '#domains/inventory/operations/lots.ts'
import { serialsAt } from '#domains/inventory/operations/serials.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { AdjustmentWires } from './adjustment-commands.ts'
import { settleExpiry } from './lots.ts'
import { wakesOfFreed } from './order-undo.ts'
import { numberOf } from './ports.ts'
import { NO_SERIALS, type SerialsDue, trackSerials } from './serials.ts'
import { reportStockDoubts } from './stock-doubts.ts'

type By = { readonly actor: string; readonly traceId?: string | undefined; readonly claim: Claim }
export type LotCommand = By & { readonly verb: 'hold' | 'release'; readonly request: LotRequest }
export type LotReached<Body> = Promise<{ readonly status: 200; readonly body: Body } | Replay>

const VERBS = { hold: holdLotEverywhere, release: releaseLotEverywhere } as const

export async function moveLot(
  queries: Queries,
  wires: AdjustmentWires,
  { verb, request, ...by }: LotCommand,
): LotReached<LotAnswer> {
  const { runner, ports } = wires
  const item = await itemOf(queries, wires, request)
  const { company, sku, lot, reason } = request
  const key = { company, itemId: item.id, lot }
  return runner.transaction({ source: 'lots', actor: by.actor, traceId: by.traceId }, async (tx, turn) => {
    const earlier = settle((await claim(tx, [by.claim])).get(by.claim)!)
    if (earlier) return earlier
    const act = { by: by.actor, reason, sourceKey: `${verb} ${by.claim.key}`, at: ports.clock.now() }
    const done = await VERBS[verb](tx, key, act)
    await trackSerials(
      tx,
      ports,
      item.serialControlled ? await serialsOfLot(tx, key, { verb, act, done }) : NO_SERIALS,
    )
    await tellOfRisk(tx, wires, { request, itemId: item.id, done })
    audit(tx, by, { company, reason, action: `inventory.${verb}_lot`, after: { sku, lot } })
    turn.wakeAfterwards(await wakesOfFreed(tx, verb === 'release' ? [item.id] : []))
    const answer = { status: 200, body: answerOf(request, item, verb === 'hold', done) } as const
    record(tx, [{ ...by.claim, ...answer }])
    return answer
  })
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
  const item = await itemOf(queries, wires, request)
  const { company, lot, expiresOn } = request
  return wires.runner.transaction({ source: 'lots', actor: by.actor, traceId: by.traceId }, async (tx) => {
    const earlier = settle((await claim(tx, [by.claim])).get(by.claim)!)
    if (earlier) return earlier
    setExpiry(tx, { company, itemId: item.id, lot }, expiresOn)
    await settleExpiry(tx, { company, itemId: item.id, lot })
    audit(tx, by, {
      company,
      reason: `expires on ${expiresOn}`,
      action: 'inventory.describe_lot',
      after: request,
    })
    const answer = { status: 200, body: request } as const
    record(tx, [{ ...by.claim, ...answer }])
    return answer
  })
}

async function itemOf(
  queries: Queries,
  { ports }: AdjustmentWires,
  { company, sku }: Pick<LotRequest, 'company' | 'sku'>,
): Promise<SellingItem> {
  const { code } = ports.findCompany(company)
  const item = (await findItems(queries, [{ company: code, sku }])).get(itemKey(code, sku))
  if (item) return item
  throw new Refusal('inventory.item_unknown', `${code} has no item ${sku}`, {}, '/sku')
}

type Risk = { readonly request: LotRequest; readonly itemId: number; readonly done: LotMoved }

/** Claims that lost their stock are told with whose they are, until the lot is released. */
async function tellOfRisk(
  tx: Transaction,
  { ports }: AdjustmentWires,
  { request: { company, sku, lot }, itemId, done: { moved, shortfalls, claims } }: Risk,
): Promise<void> {
  await reportStockDoubts(
    tx,
    ports,
    moved.map(({ location }) => ({ itemId, location })),
  )
  const causeOf = (location: string): string => `inventory.lot_claimed:${itemId}:${lot}:${location}`
  await ports.openExceptions(
    tx,
    shortfalls.map(({ location, quantity }) => ({
      company,
      cause: causeOf(location),
      code: 'inventory.lot_claimed',
      title: `Lot ${lot} of ${sku} is held at ${location}, and claims there have lost their stock`,
      suggestedAction:
        'Serve the orders from elsewhere or tell their customers; release the lot where it is good.',
      facts: { lot, quantity: formatQuantity(quantity), documents: documentsAt(claims, location) },
    })),
  )
  const covered = moved
    .map(({ location }) => location)
    .filter((at) => shortfalls.every((one) => one.location !== at))
  await closeExceptions(
    tx,
    covered.map((location) => ({ company, cause: causeOf(location) })),
    'the lot was released',
  )
}

const documentsAt = (claims: LotMoved['claims'], location: string): string[] =>
  claims.filter((one) => one.location === location).map(({ kind, doc }) => numberOf(kind, doc))

const answerOf = (
  { company, sku, lot }: LotRequest,
  { baseUnit }: SellingItem,
  held: boolean,
  { moved, shortfalls, claims }: LotMoved,
): LotAnswer => ({
  company,
  sku,
  lot,
  held,
  moved: moved.map(({ location, quantity }) => ({ location, quantity: formatQuantity(quantity) })),
  atRisk: shortfalls.map(({ location, quantity }) => ({
    location,
    quantity: formatQuantity(quantity),
    documents: documentsAt(claims, location),
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
