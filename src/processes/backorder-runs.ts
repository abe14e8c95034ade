/** Backorder runs as people have them: planned, started, and done item by item exactly as they were shown. */
import { recordAudit } from '#platform/audit.ts'
import type { Clock } from '#platform/clock.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Runner } from '#platform/runner.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import type { BackorderRun, BackorderRunRequest } from '#domains/inventory/contract/backorder-runs.ts'
import {
  type ChannelStock,
  giveBack,
  lockChannelStock,
  reservationsOf,
  reserve,
  type ReservedLine,
} from '#domains/inventory/operations.ts'
import {
  endRun,
  nextMovesOf,
  type PlannedMove,
  planRun,
  runningRun,
  settleRunMoves,
  shifted,
  startRun,
} from '#domains/inventory/operations/backorder-runs.ts'
import { markMore } from '#domains/inventory/operations/freshness.ts'
import { backorderRunOf } from '#domains/inventory/views/backorder-runs.ts'
import { loseAllocations, moveLines } from '#domains/orders/operations.ts'
import { linesOf, lockHeaders, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import { planMoves, type PlanPorts, type Selling } from './backorder-plan.ts'
import type { Care, CareNow } from './care.ts'
import { ofSilentPlaces } from './careful-orders.ts'
import { wakesOfFreed } from './order-undo.ts'
import { wakeOrder } from './order-work.ts'
import { orderNumber, type ProcessPorts } from './ports.ts'
import { type LifePorts, readLives } from './shelf-life.ts'

type Wires = { readonly runner: Runner; readonly ports: ProcessPorts }

export type RunCommand = {
  readonly request: BackorderRunRequest
  readonly actor: string
  readonly traceId: string
  readonly claim: Claim
}

/** Plans a run, or starts one that was planned. */
export async function commandBackorderRun(
  queries: Queries,
  { runner, ports }: Wires,
  { request, actor, traceId, claim: mine }: RunCommand,
): Promise<{ readonly status: 201 | 202; readonly body: BackorderRun } | Replay> {
  const act = request.dryRun
    ? await planned(queries, ports, { request, actor })
    : started(request, { actor, traceId })
  return runner.transaction({ source: 'api', actor, traceId }, async (tx) => {
    const earlier = settle((await claim(tx, [mine])).get(mine)!)
    if (earlier) return earlier
    const id = await act(tx)
    const answer = { status: request.dryRun ? 201 : 202, body: (await backorderRunOf(tx, id))! } as const
    record(tx, [{ ...mine, ...answer }])
    return answer
  })
}

const incomplete = (message: string, pointer: string): Refusal =>
  new Refusal('inventory.backorder_run_incomplete', message, {}, pointer)

type Act = (tx: Transaction) => Promise<number>

/** Looks at all of it before the transaction begins: it is checked again when it is done. */
export async function planned(
  queries: Queries,
  ports: {
    readonly clock: Clock
    readonly care: PlanPorts['care']
    readonly findCompany: (code: string) => Selling
  },
  { request, actor }: { readonly request: BackorderRunRequest; readonly actor: string },
): Promise<Act> {
  const { company: code, rules, items, locations, run } = request
  if (run !== undefined) throw incomplete('a run that is there is not planned again', '/run')
  if (code === undefined) throw incomplete('nobody is named whose orders are meant', '/company')
  if (!rules) throw incomplete('who wins and who loses is not said', '/rules')
  const company = ports.findCompany(code)
  const asked = { ...(items && { items }), ...(locations && { locations }), rules }
  const { moves, careful } = await planMoves(queries, { ...ports, company }, asked)
  return (tx) => planRun(tx, { company: code, asked, plannedBy: actor, careful }, moves)
}

export function started(
  { run, reason, company, rules }: BackorderRunRequest,
  { actor, traceId }: { readonly actor: string; readonly traceId?: string },
): Act {
  if (run === undefined) throw incomplete('no run is named whose changes are to be made', '/run')
  if (reason === undefined) throw incomplete('no reason is given', '/reason')
  if (company !== undefined || rules)
    throw incomplete('a run does what it has shown, and nothing else', '/run')
  return async (tx) => {
    const found = await startRun(tx, run, { reason, actor })
    if (found === undefined) {
      const exists = await backorderRunOf(tx, run)
      const code = exists ? 'inventory.backorder_run_started' : 'inventory.backorder_run_unknown'
      throw new Refusal(
        code,
        exists ? `run ${run} was started before` : `no run has the number ${run}`,
        {},
        '/run',
      )
    }
    recordAudit(tx, [
      { actor, action: 'inventory.start_backorder_run', company: found, reason, after: { run }, traceId },
    ])
    return run
  }
}

type RunWires = {
  readonly runner: Runner
  readonly ports: LifePorts & { readonly care: Pick<Care, 'now'> }
}

// Doing it --------------------------------------------------------------------------------------------------------------

/** Does the next item of the run that was started first; answers whether there may be more to do. */
export async function workOnRuns({ runner, ports }: RunWires): Promise<boolean> {
  return runner.transaction({ source: 'backorder-run', actor: 'backorder-run' }, async (tx, turn) => {
    const run = await runningRun(tx)
    if (!run) return false
    const moves = await nextMovesOf(tx, run.id)
    if (moves.length === 0) {
      endRun(tx, run.id)
      return true
    }
    const cause = { source: 'backorder-run', actor: run.startedBy }
    const books = await openRunBooks(tx, ports, { moves, company: run.company })
    const changed = whatChanged(books, moves)
    const gains = changed === null ? gainsOf(books, moves) : changed
    if (typeof gains !== 'string') {
      await move(tx, books, { moves, gains, data: { run: run.id, reason: run.reason }, cause })
      turn.wakeAfterwards([...books.orders.values()].map(wakeOrder))
      turn.wakeAfterwards(await wakesOfFreed(tx, [moves[0]!.itemId]))
    }
    settleRunMoves(tx, run.id, { moves, changed: typeof gains === 'string' ? gains : null })
    return true
  })
}

type RunBooks = {
  readonly orders: ReadonlyMap<number, OrderHeader>
  readonly lines: ReadonlyMap<string, OrderLine>
  readonly claims: ReadonlyMap<string, Quantity>
  /** What each channel may have of the item, no more than who is silent leaves. */
  readonly stock: ChannelStock
  readonly care: CareNow | undefined
}

async function openRunBooks(
  tx: Transaction,
  ports: RunWires['ports'],
  { moves, company }: { readonly moves: readonly PlannedMove[]; readonly company: string },
): Promise<RunBooks> {
  const docs = [...new Set(moves.map(({ doc }) => doc))].toSorted((a, b) => a - b)
  const { itemId } = moves[0]!
  tx.locking('document', docs)
  const [headers, lines] = await Promise.all([lockHeaders(tx, docs), linesOf(tx, docs)])
  const stock = await lockChannelStock(tx, [itemId], ports.company(company).locations)
  const [claims, care] = await Promise.all([reservationsOf(tx, docs), ports.care.now(tx, [itemId])])
  if (care) stock.beCareful(care.figure)
  const lineOf = new Map(lines.map((line) => [`${line.doc} ${line.n}`, line]))
  if (lines.some(({ itemId: of, minimumShelfLifeDays: days }) => of === itemId && days !== null))
    stock.countLives(await readLives(tx, ports, [itemId], ports.company(company).locations))
  return {
    orders: new Map(headers.map((header) => [header.doc, header])),
    lines: lineOf,
    claims: new Map(
      claims.map(({ doc, line, location, quantity }) => [`${doc} ${line} ${location}`, quantity]),
    ),
    stock,
    care,
  }
}

/** What is otherwise than it was when the run was planned; null where nothing is. */
function whatChanged({ orders, lines, claims }: RunBooks, moves: readonly PlannedMove[]): string | null {
  for (const { doc, line: n, location, quantity, reserved, backordered } of moves) {
    const [order, line] = [orders.get(doc), lines.get(`${doc} ${n}`)]
    const name = `line ${n} of ${orderNumber(doc)}`
    if (!order || !line || order.closed || order.cancelRequested) return `${name} is taken back or closed`
    if (line.reserved !== reserved || line.backordered !== backordered)
      return `${name} has ${formatQuantity(line.reserved)} reserved and ${formatQuantity(line.backordered)} waiting, not ${formatQuantity(reserved)} and ${formatQuantity(backordered)}`
    if (quantity < 0 && (claims.get(`${doc} ${n} ${location}`) ?? 0) < -quantity)
      return `${name} keeps less at ${location} than it was to give`
  }
  return null
}

type Gains = ReadonlyMap<PlannedMove, Allocation>

/** What lines gain and what of it is kept for their channels; or where there is less than was counted on. */
function gainsOf({ orders, lines, stock, care }: RunBooks, moves: readonly PlannedMove[]): Gains | string {
  const steps = moves.map((one) => {
    const { minimumShelfLifeDays } = lines.get(`${one.doc} ${one.line}`)!
    return { ...one, channel: orders.get(one.doc)!.channel, minimumShelfLifeDays }
  })
  const gains = shifted(stock, moves[0]!.itemId, steps)
  const short = steps.find((step) => step.quantity > 0 && !gains.has(step))
  if (short) {
    const silent = care?.silentAt([short.location]).map(({ source }) => source) ?? []
    const why = silent.length > 0 ? ` while ${silent.join(', ')} is silent` : ''
    const living =
      short.minimumShelfLifeDays === null ? '' : ` that lives for ${short.minimumShelfLifeDays} days`
    return `${short.location} has less for ${short.channel}${living} than was counted on${why}`
  }
  return new Map(steps.flatMap((step, at) => (gains.has(step) ? [[moves[at]!, gains.get(step)!]] : [])))
}

type Moving = {
  readonly moves: readonly PlannedMove[]
  readonly gains: Gains
  readonly data: object
  readonly cause: Cause
}

/** Takes what is lost, then gives what is gained, and tells each order why. */
async function move(tx: Transaction, books: RunBooks, { moves, gains, data, cause }: Moving): Promise<void> {
  const lost = moves.filter(({ quantity }) => quantity < 0)
  const company = books.orders.get(moves[0]!.doc)!.company
  await giveBack(
    tx,
    lost.map(({ quantity, ...one }) => ({ ...one, company, quantity: -quantity })),
  )
  reserve(tx, reservedLines(books, moves, gains))
  if (books.care) {
    const promised = [...gains].map(([{ doc, itemId }, gained]) => ({ doc, company, itemId, ...gained }))
    markMore(tx, ofSilentPlaces(books.care, promised))
  }
  const told = (some: readonly PlannedMove[]) =>
    [...Map.groupBy(some, ({ doc }) => doc)].map(([doc, own]) => ({
      ...books.orders.get(doc)!,
      data: { ...data, lines: [...new Set(own.map(({ line }) => line))] },
      lines: own.map(({ line: n, quantity }) => ({ n, reserved: quantity, backordered: -quantity })),
    }))
  await loseAllocations(tx, told(lost), cause)
  await moveLines(tx, told(moves.filter(({ quantity }) => quantity > 0)), 'order.allocated', cause)
}

/** What each line gains and how much of it waits then. */
function reservedLines(
  { orders, lines }: RunBooks,
  moves: readonly PlannedMove[],
  gains: Gains,
): ReservedLine[] {
  const byLine = Map.groupBy(moves, ({ doc, line }) => `${doc} ${line}`)
  return [...byLine].map(([key, own]) => {
    const { doc, line, itemId } = own[0]!
    const { backordered: waited, minimumShelfLifeDays } = lines.get(key)!
    const { company, channel } = orders.get(doc)!
    return {
      doc,
      line,
      company,
      channel,
      itemId,
      minimumShelfLifeDays,
      allocations: own.flatMap((one) => gains.get(one) ?? []),
      backordered: waited - own.reduce((sum, { quantity }) => sum + quantity, 0),
      waited: waited > 0,
    }
  })
}
