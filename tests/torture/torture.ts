/** One run: chaos while clients order, then calm until all work has drained, then the evidence. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readMigrations } from '#platform/migrations.ts'
import { type Query, underWay, violationsAtRest } from '#tests/support/books-rules.ts'
import { Chaos, type Done } from './chaos.ts'
import { type Client, startClient } from './client.ts'
import { warehousesOf } from '#tests/support/house-books.ts'
import { type AllBooks, gatherEvidence, openQuery } from './evidence.ts'
import type { FaultKind } from './fault-proxy.ts'
import { type Anomaly, checkHistory, type Entry } from './history.ts'
import { firstStartOf, planOf } from './plan.ts'
import { untold } from '#tests/simulation/partner-checkers.ts'
import type { Partners } from './partners.ts'
import { wrongLevels } from './shop-evidence.ts'
import { openStage, type Stage } from './stage.ts'

/** What a run has done up to a moment. */
export type Figures = Done & {
  readonly minutes: number
  readonly seed: string
  readonly orders: number
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  readonly cancelled: number
  /** Orders of which shops and partners told, and of those that they heard are taken. */
  readonly told: number
  readonly taken: number
  readonly failedStarts: number
  readonly longestStopMs: number
  readonly proxyFaults: Partial<Record<FaultKind, number>>
}

export type Report = Figures & {
  readonly anomalies: readonly Anomaly[]
  readonly drainMs: number
  readonly durationMs: number
  readonly exitCode: 0 | 1
}

export type RunOptions = {
  readonly minutes: number
  readonly seed: string
  readonly say: (text: string) => void
  /** Told once orders begin; answers, whenever it is asked, what has been done so far. */
  readonly began: (figures: () => Figures) => void
}

const PER_SECOND = 10
const READY_WITHIN_MS = 60_000
const ANSWERED_WITHIN_MS = 120_000
const DRAINED_WITHIN_MS = 120_000
const LEVELS_WITHIN_MS = 60_000
const READ_WITHIN_MS = 20_000
const REDELIVER_EVERY_MS = 2_000
const LOOK_MS = 250
const SAY_EVERY_MS = 2_000

export async function torture({ minutes, seed, say, began }: RunOptions): Promise<Report> {
  const startedMs = performance.now()
  const forMs = minutes * 60_000
  const stage = await openStage(seed, Math.ceil((forMs / 1_000) * PER_SECOND))
  const chaos = new Chaos(stage)
  const unstarted = await startFirst(stage, chaos, seed)
  say(`${stage.fleet.size} programs are ready, seed ${seed}`)
  const plan = planOf({ seed, forMs, members: stage.fleet.size, proxies: [...stage.proxies.keys()] })
  const client = startClient({
    door: stage.door,
    seed,
    forMs,
    perSecond: PER_SECOND,
    orderAt: (nth) => stage.world.orders(1, nth)[0]!,
    shops: stage.shops,
    partners: stage.partners,
  })
  const figures = (): Figures => ({
    minutes,
    seed,
    ...countsOf(client.log),
    ...chaos.done,
    failedStarts: stage.fleet.failedStarts,
    longestStopMs: stage.fleet.longestStopMs,
    proxyFaults: chaos.proxyFaults,
  })
  began(figures)
  const telling = setInterval(() => say(progressOf(client, chaos)), SAY_EVERY_MS)
  await Promise.all([client.sent, chaos.run(plan)])
  await chaos.calm()
  say('every fault has ended')
  const drainFromMs = performance.now()
  const undrained = await drain(stage, client)
  const drainMs = Math.round(performance.now() - drainFromMs)
  clearInterval(telling)
  say(`drained in ${drainMs} ms, ${progressOf(client, chaos)}`)
  const examined = await examine(stage, client.log)
  await stage.fleet.stop()
  const anomalies = [
    ...unstarted,
    ...undrained,
    ...nothingProved(client, chaos),
    ...endedBadly(stage),
    ...examined,
  ]
  if (anomalies.length > 0) {
    stage.keepFolder()
    say(`history, log and database are kept in ${stage.folder}`)
  }
  await stage.end()
  return {
    ...figures(),
    anomalies,
    drainMs,
    durationMs: Math.round(performance.now() - startedMs),
    exitCode: anomalies.length > 0 ? 1 : 0,
  }
}

/** All at once, on an empty database, while some are killed. Nothing else strikes, so that each of the others starts. */
async function startFirst({ fleet }: Stage, chaos: Chaos, seed: string): Promise<Anomaly[]> {
  const files = (await readMigrations()).length
  await chaos.runFirstStart(firstStartOf({ seed, members: fleet.size, files }))
  await until(() => fleet.ready, READY_WITHIN_MS, 'the programs do not become ready')
  const detail = `${fleet.failedStarts} of them`
  return fleet.failedStarts === 0
    ? []
    : [{ kind: 'a program did not start beside others that migrated', documents: [], detail }]
}

async function until(
  isSo: () => boolean | Promise<boolean>,
  withinMs: number,
  otherwise: string,
): Promise<void> {
  const untilMs = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > untilMs) throw new Error(otherwise)
    await sleep(LOOK_MS)
  }
}

/** Waits until clients know and nothing is under way; receipts that orders wait for arrive on the way. */
async function drain(stage: Stage, client: Client): Promise<Anomaly[]> {
  const { query, end } = await openAgain(stage.databaseUrl)
  const rest = (): Promise<void> =>
    until(async () => (await underWay(query)) === 0, DRAINED_WITHIN_MS, 'work is still under way')
  const waitsForReceipts = async (): Promise<boolean> =>
    (await query('select from inventory.backorder limit 1')).length > 0
  // What is lost on a connection that went silent is tried again after minutes otherwise.
  const redelivering = setInterval(() => stage.tell({ kind: 'redeliver' }), REDELIVER_EVERY_MS)
  try {
    await until(() => stage.fleet.ready, READY_WITHIN_MS, 'programs are not ready again')
    const unanswered = await client.settle(ANSWERED_WITHIN_MS)
    await rest()
    stage.tell({ kind: 'receive-all' })
    await until(async () => !(await waitsForReceipts()), DRAINED_WITHIN_MS, 'orders still wait for receipts')
    await rest()
    return unanswered.map((key) => ({ kind: 'a client has no answer', documents: [], detail: key }))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [{ kind: 'faults ended, and not everything drained', documents: [], detail }]
  } finally {
    clearInterval(redelivering)
    await end()
  }
}

/** The database may have been stopped a moment ago. */
async function openAgain(url: string): ReturnType<typeof openQuery> {
  for (const untilMs = performance.now() + READY_WITHIN_MS; ;) {
    try {
      return await openQuery(url)
    } catch (error) {
      if (performance.now() > untilMs) throw error
      await sleep(LOOK_MS)
    }
  }
}

/** A run in which nobody could order, here or elsewhere, or nobody was killed or told to stop, has shown nothing. */
function nothingProved({ log }: Client, { done }: Chaos): Anomaly[] {
  const { kills, restarts, databaseStops } = done
  const { acknowledged, taken } = countsOf(log)
  const isProof = Math.min(kills, restarts, databaseStops, acknowledged, taken) > 0
  const detail = `${kills} kills, ${restarts} restarts, ${databaseStops} database stops, ${taken} orders taken from shops and partners`
  return isProof ? [] : [{ kind: 'the run proves nothing', documents: [], detail }]
}

/** Nor has one in which a counterpart saw nothing. */
function untouched(books: AllBooks, { heard }: Partners): Anomaly[] {
  const { legacyErp, cloudErp, shop, tradeShop, tax } = books
  const documents = {
    'orders at the legacy ERP': legacyErp.truth().orders,
    'orders at the cloud ERP': cloudErp.truth().orders,
    ...Object.fromEntries(warehousesOf(books).map(({ source, orders }) => [`releases at ${source}`, orders])),
    'shipments at the first shop platform': shop.truth().orders.flatMap(({ fulfillments }) => fulfillments),
    'shipments at the second': tradeShop.truth().orders.flatMap(({ fulfillments }) => fulfillments),
    'transactions at the tax engine': tax.truth().transactions,
    'invoices at the partners': heard.filter(({ type }) => type === '810'),
  }
  return Object.entries(documents).flatMap(([detail, held]) =>
    held.length === 0 ? [{ kind: 'the run proves nothing', documents: [], detail: `no ${detail}` }] : [],
  )
}

/** What lies in a folder when all work has ended is still to be read there. */
async function partnersUntold(query: Query, partners: Partners): Promise<Anomaly[]> {
  const untilMs = performance.now() + READ_WITHIN_MS
  let found = await untold(query, partners)
  while (found.length > 0 && performance.now() < untilMs) {
    await sleep(LOOK_MS)
    found = await untold(query, partners)
  }
  return found.map(({ invariant, found: detail }) => ({
    kind: `a partner was told otherwise: ${invariant}`,
    documents: [],
    detail,
  }))
}

const endedBadly = ({ fleet }: Stage): Anomaly[] =>
  fleet.ended.map(({ what, name, code, lines }) => ({
    kind: what,
    documents: [],
    detail: `${name}: ${code ?? 'a signal'}: ${lines.join('')}`,
  }))

async function examine(stage: Stage, log: readonly Entry[]): Promise<Anomaly[]> {
  const { query, end } = await openQuery(stage.databaseUrl)
  try {
    const asking = doctor(stage)
    const levels = await levelsAtLast(stage)
    const books = await stage.books()
    const evidence = await gatherEvidence(query, { books, log, rejected: stage.partners.refused() })
    const anomalies = [
      ...checkHistory(evidence),
      ...untouched(books, stage.partners),
      ...(await partnersUntold(query, stage.partners)),
      ...levels,
      ...(await brokenRules(query)),
      ...(await asking),
    ]
    if (anomalies.length > 0)
      writeFileSync(join(stage.folder, 'history.json'), JSON.stringify({ anomalies, ...evidence }))
    return anomalies
  } finally {
    await end()
  }
}

/** Shops are told a moment after the books have come to rest. */
async function levelsAtLast({ databaseUrl, books, world }: Stage): Promise<Anomaly[]> {
  for (const untilMs = performance.now() + LEVELS_WITHIN_MS; ;) {
    const wrong = await wrongLevels(databaseUrl, world, await books())
    if (wrong.length === 0 || performance.now() > untilMs) return wrong
    await sleep(LOOK_MS)
  }
}

const brokenRules = async (query: Query): Promise<Anomaly[]> =>
  (await violationsAtRest(query)).map(({ rule, found }) => ({
    kind: `a rule is broken: ${rule}`,
    documents: found.map((row) => (typeof row === 'string' ? row : String(Object.values(row)[0]))),
    detail: JSON.stringify(found),
  }))

/** `crossdock doctor`, as an operator would ask it. */
async function doctor({ environment }: Stage): Promise<Anomaly[]> {
  const cli = new URL('../../src/cli.ts', import.meta.url).pathname
  const result = promisify(execFile)(process.execPath, [cli, 'doctor', '--full'], {
    env: { ...process.env, ...environment },
  })
  return result.then(
    () => [],
    (error: { stdout: string; stderr: string }) => [
      { kind: 'the doctor finds something', documents: [], detail: error.stdout + error.stderr },
    ],
  )
}

function countsOf(
  log: readonly Entry[],
): Pick<Figures, 'orders' | 'acknowledged' | 'refused' | 'unknown' | 'cancelled' | 'told' | 'taken'> {
  const of = (operation: Entry['operation'], kind?: Entry['kind']): Set<string> =>
    new Set(
      log.flatMap((entry) =>
        entry.operation === operation && (!kind || entry.kind === kind) ? [entry.key] : [],
      ),
    )
  const [orders, acknowledged, refused] = [of('submit'), of('submit', 'ok'), of('submit', 'fail')]
  return {
    orders: orders.size,
    acknowledged: acknowledged.size,
    refused: refused.size,
    unknown: [...orders].filter((key) => !acknowledged.has(key) && !refused.has(key)).length,
    cancelled: of('cancel', 'ok').size,
    told: of('tell').size,
    taken: of('tell', 'ok').size,
  }
}

function progressOf({ log }: Client, { done, proxyFaults }: Chaos): string {
  const { orders, acknowledged, told, taken } = countsOf(log)
  const struck = Object.values(proxyFaults).reduce((sum, count) => sum + count, 0)
  return [
    `${orders} orders`,
    `${acknowledged} acknowledged`,
    `${taken} of ${told} taken from shops and partners`,
    `${done.kills} kills`,
    `${done.restarts} restarts`,
    `${done.freezes} freezes`,
    `${done.databaseStops} database stops`,
    `${done.terminatedSessions} sessions ended`,
    `${struck} connections spoilt`,
  ].join(', ')
}
