/** Channels that are told what can be promised to them, by one process for all. */
import { join } from 'node:path'
import type { StockFeed } from '#capabilities/channel.ts'
import { type Audience, tellAllAgain } from '#domains/inventory/operations/untold.ts'
import type { Database } from '#platform/database.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Bound } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import { diskFiles } from './systems/edi/files.ts'
import { feedText } from './systems/stock-files/write.ts'
import { feedFileWriter } from './processes/feed-files.ts'
import { carefully } from './processes/careful-reading.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { advisePartners } from './processes/partner-availability.ts'
import { Publisher, sourcesNow } from './processes/publishing.ts'
import { tellShop } from './processes/shop-stock.ts'
import { stockInDatabase } from './processes/stock-in-memory.ts'

type Wires = {
  readonly config: Config
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
  readonly bound: Bound
}

const ROUND_MS = 400
const MINUTE_MS = 60_000
const ADVICE_LOOK_MS = 5_000
const SHOP_ROUND_MS = 250
const DAY_MS = 24 * 60 * MINUTE_MS
const SECOND_MS = 1_000
const FEED_LOOK_MS = 500

export function publishing(wires: Wires): Job[] {
  const { config, database, screens, processPorts } = wires
  const { clock, ids, freshness, company } = processPorts
  const { channels } = config.publishing
  if (channels.length === 0) return []
  const publisher = new Publisher({
    database,
    clock,
    ids,
    channels,
    audiences: audiencesOf(config),
    locationsOf: (code) => company(code).locations,
    sources: sourcesNow(screens, freshness),
    read: carefully(stockInDatabase(screens, clock, freshness), clock),
  })
  return [
    {
      name: 'what channels are told can be promised',
      everyMs: ROUND_MS,
      run: inTurn(wires, 'publishing', 0, () => publisher.round()),
    },
    ...advices(wires),
    ...shopJobs(wires),
    ...feedJobs(wires),
  ]
}

export const audiencesOf = (config: Config): Audience[] =>
  config.publishing.shops.map(({ system, company, channel }) => ({ shop: system, company, channel }))

/** Everything of an audience is left due; answers how many items that are. */
export const tellAgain = (database: Database, audience: Audience, now: Date): Promise<number> =>
  database.transaction((tx) => tellAllAgain(tx, audience, now))

function shopJobs(wires: Wires): Job[] {
  const { config, database, worker, processPorts } = wires
  const { clock, openExceptions } = processPorts
  const audiences = audiencesOf(config)
  const ports = {
    database,
    clock,
    openExceptions,
    companies: config.companies.map(({ code }) => code),
    lane: (shop: string) => worker.life?.lanes.get(shop),
  }
  const all = (audience: Audience) => async (): Promise<void> => {
    await tellAgain(database, audience, clock.now())
  }
  return [
    ...[...new Set(audiences.map(({ shop }) => shop))].map((shop) => ({
      name: `what ${shop} is told can be promised`,
      everyMs: SHOP_ROUND_MS,
      run: inTurn(wires, `shop-stock/${shop}`, 0, () => tellShop(ports, shop)),
    })),
    ...audiences.map((audience) => ({
      name: `everything ${audience.shop} is told of ${audience.company} once a day`,
      everyMs: MINUTE_MS,
      run: inTurn(wires, `shop-stock-all/${audience.shop}/${audience.company}`, DAY_MS, all(audience)),
    })),
  ]
}

/** A process without EDI leaves the files to one that has it. */
function advices(wires: Wires): Job[] {
  const { config, database, processPorts, bound } = wires
  const { edi } = bound
  const partners = config.publishing.partners.map(({ minutes, ...partner }) => ({
    ...partner,
    everyMs: minutes * MINUTE_MS,
  }))
  if (!edi || partners.length === 0) return []
  const ports = {
    database,
    clock: processPorts.clock,
    leave: (partner: string, advice: Parameters<typeof edi.tellAvailability>[1]) =>
      edi.tellAvailability(partner, advice),
  }
  return [
    {
      name: 'inventory advices to partners',
      everyMs: ADVICE_LOOK_MS,
      run: inTurn(wires, 'advices', 0, () => advisePartners(ports, partners)),
    },
  ]
}

function feedJobs(wires: Wires): Job[] {
  const { config, database, processPorts } = wires
  const { clock, openExceptions } = processPorts
  return config.publishing.files.map(({ directory, format, minutes, seconds, ...feed }) => {
    const folder = {
      leave: (name: string, content: string) => diskFiles.leave(directory, name, content, 'feed'),
      names: async () => [...(await diskFiles.looks(directory)).keys()],
      remove: (name: string) => diskFiles.remove(join(directory, name)),
    }
    const text = (told: StockFeed): string => feedText(format, told)
    const times = { everyMs: minutes * MINUTE_MS, pauseMs: seconds * SECOND_MS }
    const ports = { database, clock, folder, text, openExceptions }
    return {
      name: `feed file ${feed.name}`,
      everyMs: FEED_LOOK_MS,
      run: inTurn(
        wires,
        `feed-file/${feed.name}`,
        0,
        feedFileWriter(ports, { ...feed, ...times, ending: `.${format}` }),
      ),
    }
  })
}
