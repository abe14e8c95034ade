/** Files of stock: loaded by hand beside the running program, or found in the watched folders of feeds. */
import { join } from 'node:path'
import type { BadLine } from '#capabilities/stock.ts'
import type { Door } from '#platform/batch.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { wakeDocuments, type DeskRow } from '#platform/desk.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { undone } from '#platform/rehearsal.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import type { AppPorts } from './app-ports.ts'
import { countsStockOf, exceptionsOf, toleranceOf } from './app-rules.ts'
import { type Bound, describeError } from './app-systems.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import type { Told } from './processes/inbound.ts'
import type { Heard } from './processes/message-filing.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'
import type { ProcessPorts } from './processes/ports.ts'
import type { FilePorts, GivenFile } from './processes/stock-file-lines.ts'
import { type FileReport, loadStockFile } from './processes/stock-files.ts'
import { diskFiles, type Files } from './systems/edi/files.ts'
import { readStockFile } from './systems/stock-files/read.ts'

export type StockWires = {
  readonly config: Config
  readonly ports: Pick<AppPorts, 'clock' | 'log' | 'files'>
  readonly database: Database
  readonly worker: Worker
  readonly bound: Pick<Bound, 'warehouses' | 'counters' | 'readers'>
  readonly processPorts: ProcessPorts
  readonly openExceptions: OpenExceptions
  readonly warehouse: Door<Told, Heard>
}

type Given = Pick<GivenFile, 'source' | 'text' | 'whole' | 'onProgress'>

/** Refuses a source that is no feed, and a file without our columns. */
function load(config: Config, ports: FilePorts, given: Given): Promise<FileReport> {
  const feed = config.feeds[given.source]
  if (!feed) {
    const known = Object.keys(config.feeds).join(', ') || 'none'
    throw new Refusal('inventory.source_unknown', `there is no feed ${given.source}; configured: ${known}`)
  }
  return loadStockFile(ports, { ...given, locations: feed.locations, file: readStockFile(given.text) })
}

/**
 * For who works on the database beside the running program: orders that may have more now are left due on the desk. A dry
 * run undoes each transaction, and reports what would change.
 */
export function loadBeside(
  config: Config,
  database: Database,
  clock: Clock,
  { dryRun = false, ...given }: Given & { readonly dryRun?: boolean },
): Promise<FileReport> {
  const ports: FilePorts = {
    clock,
    queries: database,
    ...placesOf(config),
    countsStock: countsStockOf(config),
    tolerance: toleranceOf(config),
    openExceptions: exceptionsOf(config),
    isUndone: dryRun,
    transaction: (_, work) =>
      (dryRun ? undone : committed)(database, async (tx) => {
        const woken: DeskRow[] = []
        const answer = await work(tx, { wakeAfterwards: (rows) => void woken.push(...rows) })
        await wakeDocuments(tx, null, woken)
        return answer
      }),
  }
  return load(config, ports, given)
}

const committed: typeof undone = (database, work) => database.transaction(work)

function placesOf({
  companies,
  locations,
}: Config): Pick<FilePorts, 'company' | 'hasCompany' | 'hasLocation'> {
  const known = new Map(companies.map((company) => [company.code, company]))
  const places = new Set(locations.map(({ code }) => code))
  return {
    company: (code) => known.get(code)!,
    hasCompany: (code) => known.has(code),
    hasLocation: (code) => places.has(code),
  }
}

const LOOK_MS = 1_000
/** How uploads name what they have not finished. */
const UNFINISHED = /^\.|\.(?:tmp|part|partial|filepart|crdownload|uploading)$/i
const REFUSED_TOLD = 20

/** One look at each folder by one process at a time: files that have not changed since the look before are taken. */
export function stockFolders(wires: StockWires, files: Files = diskFiles): Job[] {
  return Object.entries(wires.config.feeds).flatMap(([source, { directory }]): Job[] => {
    if (directory === undefined) return []
    let seen: ReadonlyMap<string, string> = new Map()
    async function look(): Promise<void> {
      const looks = await files.looks(directory!)
      const settled = [...looks].filter(([name, sign]) => !UNFINISHED.test(name) && seen.get(name) === sign)
      seen = looks
      for (const [name] of settled) await takeFile(wires, files, { source, directory: directory!, name })
    }
    return [
      {
        name: `files of ${source}`,
        everyMs: LOOK_MS,
        run: inTurn(wires, `feed-${source}`, LOOK_MS / 2, look),
      },
    ]
  })
}

type Found = { readonly source: string; readonly directory: string; readonly name: string }

/** A file that breaks off is taken again at the next look; what of it was taken is known. */
async function takeFile(wires: StockWires, files: Files, { source, directory, name }: Found): Promise<void> {
  const { config, ports, worker, database, processPorts, openExceptions } = wires
  const path = join(directory, name)
  const filePorts: FilePorts = {
    ...processPorts,
    ...placesOf(config),
    clock: ports.clock,
    queries: database,
    transaction: (by, work) => worker.runner().transaction({ source: by, actor: by }, work),
  }
  let refused: readonly BadLine[]
  try {
    const text = await textOf(files, path)
    ;({ refused } = await load(config, filePorts, { source, text, whole: isWhole(name) }))
  } catch (error) {
    if (!(error instanceof Refusal)) {
      ports.log.warn(`${path} could not be loaded`, { error: describeError(error) })
      return
    }
    refused = [{ line: 1, field: '', code: error.code, message: error.message }]
  }
  if (refused.length > 0) {
    await files.leave(join(directory, 'refused'), `${name}.json`, `${JSON.stringify(refused)}\n`, source)
    await database.transaction((tx) => openExceptions(tx, [refusedOf(source, name, refused)]))
  }
  await files.move(path, join(directory, 'done', name))
}

/** Named so by whoever sends a snapshot of all that is there. */
const isWhole = (name: string): boolean => /\.whole\.csv$/i.test(name)

async function textOf(files: Files, path: string): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of files.read(path)) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

const refusedOf = (source: string, name: string, refused: readonly BadLine[]) => ({
  company: NO_COMPANY,
  cause: `inventory.lines_refused:${source}:${name}`,
  code: 'inventory.lines_refused',
  title: `${refused.length} ${refused.length === 1 ? 'line' : 'lines'} of ${name} could not be taken`,
  suggestedAction: `Correct the lines and send them in another file: the good ones were taken. All of them stand in refused/${name}.json.`,
  facts: {
    source,
    file: name,
    lines: refused.slice(0, REFUSED_TOLD).map(({ line, field, message }) => `${line} ${field}: ${message}`),
  },
})
