/** Keeps our copies of what ERPs and warehouses own: reads what has changed, page by page, and goes on. */
import type { ErpReader } from '#capabilities/erp.ts'
import type { RecountOpen } from '#domains/customers/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Reading, Rejection } from '#platform/copies.ts'
import type { Database } from '#platform/database.ts'
import { Outage, Refusal, type RefusalCode } from '#platform/faults.ts'
import {
  isBadRecord,
  readingProgress,
  type ReadingProgress,
  recordRejections,
  saveProgress,
  type Source,
  waitingRecords,
} from '#platform/readings.ts'
import {
  type LoadedBatch,
  type LoadOpenOrders,
  type LoadStock,
  type Resource,
  type ResourceName,
  resourcesOf,
} from './master-data-resources.ts'

export type MasterDataSync = Omit<Run, 'instance'> & {
  readonly reader: ErpReader
  readonly recountOpen?: RecountOpen
  readonly onStock?: LoadStock
  readonly onOpenOrders?: LoadOpenOrders
}

type Run = {
  /** The system that is read. */
  readonly instance: string
  readonly company: string
  readonly database: Database
  readonly clock: Clock
  /** Records in one transaction. */
  readonly batchSize?: number
  /** Reads everything, not only what has changed, and drops prices and open orders that are gone. The first reading always does. */
  readonly complete?: boolean
  readonly onProgress?: (progress: SyncProgress) => void
  /** Stops after the batch at hand; the next call goes on there. */
  readonly signal?: AbortSignal
}

export type SyncProgress = {
  readonly company: string
  readonly resource: ResourceName
  readonly pages: number
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly superseded: number
  readonly rejected: number
  /** Prices and open orders that the ERP no longer has. */
  readonly retired: number
  readonly durationMs: number
}

export type SyncReport = {
  readonly resources: readonly SyncProgress[]
  /** The first hundred of each resource; all of them stand in the list of rejected records. */
  readonly rejections: readonly (Rejection & { readonly resource: ResourceName })[]
}

export const masterDataRefusals = {
  'master_data.record_refused': {
    status: 422,
    title: 'A record cannot be stored',
    cause: 'The record passed its checks, but the database refuses one of its values.',
    fix: 'Correct the value named in the reason in the ERP; the next reading takes the record.',
  },
} as const satisfies Record<string, RefusalCode>

const BATCH_SIZE = 500
const REJECTIONS_LISTED = 100

/** All that an ERP owns. */
export const syncMasterData = (sync: MasterDataSync): Promise<SyncReport> =>
  readResources({ ...sync, instance: sync.reader.instance }, resourcesOf(sync.reader, sync))

/**
 * Can be called at any time and any number of times: it goes on where the last call stopped, however that ended, and
 * loading a page again changes nothing. A bad record is listed and stops nobody. Throws when the system cannot be read.
 */
export async function readResources(run: Run, resources: readonly Resource[]): Promise<SyncReport> {
  const readings: ResourceReading[] = []
  for (const resource of resources) {
    const reading = new ResourceReading(run, resource)
    readings.push(reading)
    await reading.run()
  }
  const rejections = readings.flatMap(({ resource, rejections }) =>
    rejections.slice(0, REJECTIONS_LISTED).map((each) => ({ ...each, resource: resource.name })),
  )
  return { resources: readings.map((reading) => reading.progress()), rejections }
}

/** One resource of one call: where it is, and what became of the records so far. */
class ResourceReading {
  readonly resource: Resource
  readonly rejections: Rejection[] = []
  readonly #sync: Run
  readonly #source: Source
  readonly #begunMs: number
  #counts = {
    pages: 0,
    read: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    rejected: 0,
    retired: 0,
  }

  constructor(sync: Run, resource: Resource) {
    this.resource = resource
    this.#sync = sync
    this.#source = { company: sync.company, source: sync.instance, resource: resource.name }
    this.#begunMs = sync.clock.monotonicMs()
  }

  progress(): SyncProgress {
    const durationMs = Math.round(this.#sync.clock.monotonicMs() - this.#begunMs)
    return { company: this.#sync.company, resource: this.resource.name, ...this.#counts, durationMs }
  }

  async run(): Promise<void> {
    const { database, complete = false } = this.#sync
    await this.#retryWaiting()
    const progress = await readingProgress(database, this.#source)
    const isUnderWay = progress.cursor !== null && (progress.complete || !complete)
    if (isUnderWay && (await this.#readOn(progress))) return
    const since = progress.since
    await this.#readOn({ since, cursor: null, begunAsOf: null, complete: complete || since === null })
  }

  /** Reads to the last page. False when the ERP has forgotten where we stopped, so that it has to be read anew. */
  async #readOn(start: ReadingProgress): Promise<boolean> {
    const { database, instance, signal } = this.#sync
    const changedSince = start.complete ? undefined : (start.since ?? undefined)
    let { cursor, begunAsOf } = start
    do {
      signal?.throwIfAborted()
      const page = await this.#readPage({ cursor: cursor ?? undefined, changedSince }, start.cursor)
      if (!page) return false
      if (page.next !== undefined && page.next === cursor) {
        throw new Outage(instance, `the page after ${cursor} of ${this.resource.name} is that page again`)
      }
      const reading = { company: this.#sync.company, source: instance, asOf: page.asOf }
      await this.#loadPage(reading, page.items)
      begunAsOf ??= page.asOf
      cursor = page.next ?? null
      if (cursor !== null) await saveProgress(database, this.#source, { ...start, cursor, begunAsOf })
    } while (cursor !== null)
    await this.#finish(start, begunAsOf)
    return true
  }

  async #readPage(
    request: { cursor?: string | undefined; changedSince?: Date | undefined },
    resumed: string | null,
  ) {
    try {
      return await this.resource.read(request)
    } catch (error) {
      if (error instanceof Refusal && resumed !== null && request.cursor === resumed) return undefined
      throw error
    }
  }

  /** The next reading asks for changes since the first page of this one: what changed while it ran comes again. */
  async #finish(start: ReadingProgress, since: Date): Promise<void> {
    const { database, company, instance } = this.#sync
    if (start.complete && this.resource.retire) {
      const reading = { company, source: instance, asOf: since }
      this.#counts.retired += await this.resource.retire(database, reading)
    }
    await saveProgress(database, this.#source, { since, cursor: null, begunAsOf: null, complete: true })
    this.#sync.onProgress?.(this.progress())
  }

  async #loadPage(reading: Reading, records: readonly unknown[]): Promise<void> {
    const { batchSize = BATCH_SIZE, signal, onProgress } = this.#sync
    for (let from = 0; from < records.length; from += batchSize) {
      signal?.throwIfAborted()
      const batch = records.slice(from, from + batchSize)
      this.#count(await this.#load(reading, batch))
      this.#counts.read += batch.length
    }
    this.#counts.pages++
    onProgress?.(this.progress())
  }

  /** One transaction; a value that PostgreSQL itself refuses is searched for by halves, so that it fails alone. */
  async #load(reading: Reading, records: readonly unknown[]): Promise<LoadedBatch> {
    try {
      return await this.#sync.database.transaction(async (tx) => {
        const loaded = await this.resource.load(tx, reading, records)
        const keys = records.map((record) => this.#keyOf(record))
        const rejected = loaded.rejected.map((each) => ({ ...each, key: storable(each.key) }))
        recordRejections(tx, { ...reading, resource: this.resource.name }, keys, rejected)
        return { ...loaded, rejected }
      })
    } catch (error) {
      if (!isBadRecord(error)) throw error
      if (records.length === 1) return this.#rejectAlone(reading, records[0], error)
      const middle = Math.ceil(records.length / 2)
      const first = await this.#load(reading, records.slice(0, middle))
      return sum(first, await this.#load(reading, records.slice(middle)))
    }
  }

  async #rejectAlone(reading: Reading, record: unknown, error: unknown): Promise<LoadedBatch> {
    const key = this.#keyOf(record)
    const reason = error instanceof Error ? storable(error.message) : 'unknown'
    const rejection = { key, code: 'master_data.record_refused', reason }
    await this.#sync.database.transaction(async (tx) => {
      recordRejections(tx, { ...reading, resource: this.resource.name }, [key], [rejection])
    })
    return { inserted: 0, updated: 0, unchanged: 0, superseded: 0, rejected: [rejection] }
  }

  #keyOf(record: unknown): string {
    const key = this.resource.key(record)
    return typeof key === 'string' ? storable(key) : '?'
  }

  /** Records that were rejected for want of another, which may have come meanwhile; each as of when it was read. */
  async #retryWaiting(): Promise<void> {
    const { database, company, instance, batchSize = BATCH_SIZE } = this.#sync
    let after = ''
    for (;;) {
      const waiting = await waitingRecords(database, this.#source, { after, limit: batchSize })
      const readings = Map.groupBy(waiting, ({ asOf }) => asOf.getTime())
      for (const [asOfMs, records] of readings) {
        const reading = { company, source: instance, asOf: new Date(asOfMs) }
        const loaded = await this.#load(
          reading,
          records.map(({ record }) => record),
        )
        this.#count({ ...loaded, rejected: [] })
      }
      if (waiting.length < batchSize) return
      after = waiting.at(-1)?.key ?? after
    }
  }

  #count(loaded: LoadedBatch): void {
    this.#counts.inserted += loaded.inserted
    this.#counts.updated += loaded.updated
    this.#counts.unchanged += loaded.unchanged
    this.#counts.superseded += loaded.superseded
    this.#counts.rejected += loaded.rejected.length
    this.rejections.push(...loaded.rejected.slice(0, REJECTIONS_LISTED - this.rejections.length))
  }
}

const sum = (a: LoadedBatch, b: LoadedBatch): LoadedBatch => ({
  inserted: a.inserted + b.inserted,
  updated: a.updated + b.updated,
  unchanged: a.unchanged + b.unchanged,
  superseded: a.superseded + b.superseded,
  rejected: [...a.rejected, ...b.rejected],
})

/** Text as PostgreSQL can hold it: without NUL and without halves of characters. */
const storable = (text: string): string => text.replaceAll('\0', '\u{fffd}').toWellFormed()
