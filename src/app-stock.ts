/** What the house does by itself about what sources tell of stock: facts that never came, and what takes their place. */
import type { Job } from '#platform/schedule.ts'
import { describeError } from './app-systems.ts'
import { externalPorts } from './app-erp-orders.ts'
import { politeCounter } from './app-polite.ts'
import { reconciliationJobs } from './app-reconciliation.ts'
import { stockFolders, type StockWires } from './app-stock-files.ts'
import { inTurn } from './app-turns.ts'
import { fillExternalOrders } from './processes/external-orders.ts'
import { watchShelfLives } from './processes/shelf-life-watch.ts'
import { watchSerials } from './processes/serials.ts'
import { watchDoubts } from './processes/stock-doubts.ts'
import { feedGapWatch } from './processes/stock-feed-gaps.ts'
import { type CountThatCame, reconcileGiven, within } from './processes/reconciliation-given.ts'

const LOOKS = 4
const LOOK_MS = { least: 100, most: 15_000 }
const DOUBTS_MS = 5_000
const CLAIMS_MS = 5_000
const LIVES_MS = 60_000

export function stockJobs(wires: StockWires): Job[] {
  const { config, ports, database, bound, warehouse, processPorts, openExceptions } = wires
  const afterMs = config.inbox.gapAfterMs
  const lookMs = Math.min(Math.max(afterMs / LOOKS, LOOK_MS.least), LOOK_MS.most)
  const companies = config.companies.map(({ code }) => code)
  const external = externalPorts(config, processPorts)
  const doubts = { database, clock: ports.clock, companies, openExceptions }
  const lives = {
    database,
    runner: () => wires.worker.runner(),
    ports: processPorts,
    locations: config.locations.map(({ code }) => code),
  }
  const watch = feedGapWatch({
    database,
    clock: ports.clock,
    companies,
    readers: new Map([...bound.counters].map(([name, reader]) => [name, politeCounter(reader, wires)])),
    hear: (system, inbound) => warehouse.add({ door: bound.warehouses.get(system)!, inbound }),
    held: (count) => held(wires, count),
    openExceptions,
    afterMs,
    onError: (system, error) =>
      ports.log.warn(`${system} could not be asked for its stock`, { error: describeError(error) }),
  })
  return [
    ...stockFolders(wires, ports.files),
    ...reconciliationJobs(wires),
    {
      name: 'stock facts that never came',
      everyMs: lookMs,
      run: inTurn(wires, 'stock-feeds', lookMs / 2, watch),
    },
    {
      name: 'claims of other systems',
      everyMs: CLAIMS_MS,
      run: inTurn(wires, 'external-claims', CLAIMS_MS / 2, () => fillExternalOrders(database, external)),
    },
    {
      name: 'doubts of stock',
      everyMs: DOUBTS_MS,
      run: inTurn(wires, 'stock-doubts', DOUBTS_MS / 2, () => watchDoubts(doubts)),
    },
    {
      name: 'lots that become too old for whom they are kept',
      everyMs: LIVES_MS,
      run: inTurn(wires, 'shelf-life', LIVES_MS / 2, () => watchShelfLives(lives)),
    },
    {
      name: 'doubts of serials',
      everyMs: DOUBTS_MS,
      run: inTurn(wires, 'serials', DOUBTS_MS / 2, () => watchSerials({ database, companies })),
    },
  ]
}

/** In a transaction of its own. */
function held({ worker, processPorts }: Pick<StockWires, 'worker' | 'processPorts'>, count: CountThatCame) {
  const cause = { source: count.source, actor: count.source }
  return worker
    .runner()
    .transaction(cause, (tx, turn) => reconcileGiven(within(processPorts, tx, turn), count))
}
