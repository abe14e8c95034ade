/**
 * Copies in memory of what the database holds by key, kept by what is told in it: a change marks its keys, and what is
 * marked is read again, many keys at once, before anybody is answered from it.
 */
import type { Clock } from './clock.ts'
import type { Queries, Snapshots } from './database.ts'
import { type Look, TouchReader } from './touches.ts'

export type CopySource<Value> = {
  /** What may change a key's value. */
  readonly topic: string
  /** Is handed one snapshot; keys of which there is nothing are absent. */
  readonly load: (queries: Queries, keys: readonly number[]) => Promise<ReadonlyMap<number, Value>>
  /** More keys are not kept: the ones that were read first make room. */
  readonly keysMax: number
}

type Entry<Value> = { readonly value: Value | undefined; readonly asOfMs: number; askedMs: number }

/** So many keys are read in one statement. */
const PORTION = 1_000
/** Keys that somebody asked about in this time are read again as soon as they change. */
const WATCHED_MS = 15 * 60_000
/** The others come after, so many at each look, as long as somebody asks about anything. */
const AT_LEISURE = 200

export class MemoryCopy<Value> {
  readonly topic: string
  readonly #database: Snapshots
  readonly #clock: Clock
  readonly #source: CopySource<Value>
  readonly #entries = new Map<number, Entry<Value>>()
  readonly #marked = new Set<number>()
  readonly #wanted = new Set<number>()
  #loading: ReadonlySet<number> = new Set()
  #load: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(source: CopySource<Value>, database: Snapshots, clock: Clock) {
    this.topic = source.topic
    this.#source = source
    this.#database = database
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** Undefined also for what was never read; `hold` it first. */
  peek(key: number): Value | undefined {
    return this.#entries.get(key)?.value
  }

  has(key: number): boolean {
    return this.#entries.has(key)
  }

  /** Reads those that are not known as they are now; undefined where nothing needs to be read. */
  hold(keys: readonly number[]): Promise<void> | undefined {
    const nowMs = this.#clock.monotonicMs()
    const missing: number[] = []
    let isUnderWay = true
    for (const key of keys) {
      const entry = this.#entries.get(key)
      if (entry) entry.askedMs = nowMs
      const isMarked = this.#marked.has(key)
      const isLoading = this.#loading.has(key)
      if (entry && !isMarked && !isLoading) continue
      missing.push(key)
      if (isMarked || !isLoading) isUnderWay = false
    }
    if (missing.length === 0) return undefined
    return isUnderWay ? this.#load : this.read(missing)
  }

  /** Since when the oldest of these may have changed without our knowing; undefined where none may. */
  staleSinceMs(keys: readonly number[]): number | undefined {
    let since: number | undefined
    for (const key of keys) {
      if (!this.#marked.has(key) && !this.#loading.has(key)) continue
      const { asOfMs } = this.#entries.get(key) ?? { asOfMs: 0 }
      since = Math.min(since ?? asOfMs, asOfMs)
    }
    return since
  }

  /** Takes in what has changed; reads again what is asked about, and `leisure` of the rest. */
  async take({ touched, anew }: Look, leisure: number): Promise<void> {
    if (anew) for (const key of [...this.#entries.keys(), ...this.#loading]) this.#marked.add(key)
    for (const key of touched.get(this.topic) ?? [])
      if (this.#entries.has(key) || this.#loading.has(key)) this.#marked.add(key)
    const watchedFromMs = this.#clock.monotonicMs() - WATCHED_MS
    const due: number[] = []
    let others = 0
    for (const key of this.#marked) {
      const isWatched = (this.#entries.get(key)?.askedMs ?? 0) > watchedFromMs
      if (isWatched || others++ < leisure) due.push(key)
    }
    if (due.length > 0) await this.read(due)
  }

  /** Reads these as they are now. One reading at a time, so that an older one never takes the place of a newer one. */
  read(keys: readonly number[]): Promise<void> {
    for (const key of keys) this.#wanted.add(key)
    this.#next ??= this.#load
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        const wanted = [...this.#wanted]
        this.#wanted.clear()
        this.#load = this.#readAll(wanted)
        return this.#load
      })
    return this.#next
  }

  async #readAll(keys: readonly number[]): Promise<void> {
    for (let at = 0; at < keys.length; at += PORTION) await this.#readPortion(keys.slice(at, at + PORTION))
  }

  async #readPortion(keys: readonly number[]): Promise<void> {
    // what is told from here on may be newer than what is read, so it marks anew
    for (const key of keys) this.#marked.delete(key)
    this.#loading = new Set(keys)
    const asOfMs = this.#clock.now().getTime()
    try {
      const found = await this.#database.snapshot((queries) => this.#source.load(queries, keys))
      for (const key of keys) {
        const askedMs = this.#entries.get(key)?.askedMs ?? 0
        this.#entries.set(key, { value: found.get(key), asOfMs, askedMs })
      }
      this.#makeRoom()
    } catch (error) {
      for (const key of keys) if (this.#entries.has(key)) this.#marked.add(key)
      throw error
    } finally {
      this.#loading = new Set()
    }
  }

  #makeRoom(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#source.keysMax) return
      this.#entries.delete(key)
      this.#marked.delete(key)
    }
  }
}

/** No question waits longer than that for a database that does not answer: it is answered from what is known. */
const PATIENCE_MS = 250
/** What is asked about in this time is looked after without being asked. */
const AUDIENCE_MS = 60_000
/**
 * Without anybody who asks it is still followed what changes, so that it stays known what is not; often enough that there
 * is never much of it at once.
 */
const IDLE_LOOK_MS = 2_000

/** The copies of a process, as of one moment. */
export class Memory {
  readonly #database: Snapshots
  readonly #clock: Clock
  readonly #reader: TouchReader
  readonly #copies: MemoryCopy<unknown>[] = []
  #asOfMs = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #isFailing = false

  constructor(database: Snapshots, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#reader = new TouchReader(clock)
  }

  copy<Value>(source: CopySource<Value>): MemoryCopy<Value> {
    const copy = new MemoryCopy(source, this.#database, this.#clock)
    this.#copies.push(copy)
    return copy
  }

  /** Takes in what has changed until now; whoever asks meanwhile waits for the next look, which begins after him. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)))
  }

  async #look(): Promise<void> {
    try {
      const startedMs = this.#clock.monotonicMs()
      const seen = await this.#reader.look(this.#database)
      const leisure = this.#isAsked(startedMs) ? AT_LEISURE : 0
      const taken = this.#copies.map((copy) => copy.take(seen, leisure))
      this.#asOfMs = seen.asOf.getTime()
      this.#lookedMs = startedMs
      await Promise.all(taken)
      this.#isFailing = false
    } catch (error) {
      this.#isFailing = true
      throw error
    }
  }

  /** Comes round: looks while somebody asks, and now and then otherwise. */
  async lookAfter(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#isAsked(nowMs) || nowMs - this.#lookedMs > IDLE_LOOK_MS) await this.look()
  }

  #isAsked(nowMs: number): boolean {
    return nowMs - this.#askedMs < AUDIENCE_MS
  }

  /**
   * Makes sure that copies hold what the database held no longer than `maxAgeMs` ago, as far as it answers in time;
   * answers since when it is certain that they do. Fails only where nothing is known of a key.
   */
  async holdAll(
    maxAgeMs: number,
    held: readonly { readonly copy: MemoryCopy<unknown>; readonly keys: readonly number[] }[],
  ): Promise<Date> {
    const nowMs = this.#clock.monotonicMs()
    this.#askedMs = nowMs
    if (nowMs - this.#lookedMs >= maxAgeMs) await this.#patiently(this.#lookAnew(), this.#isFailing)
    const reading = held.flatMap(({ copy, keys }) => copy.hold(keys) ?? [])
    if (reading.length > 0) {
      const isUnknown = held.some(({ copy, keys }) => keys.some((key) => !copy.has(key)))
      if (isUnknown) await Promise.all(reading)
      else await this.#patiently(Promise.all(reading), this.#isFailing)
    }
    let asOfMs = this.#asOfMs
    for (const { copy, keys } of held) asOfMs = Math.min(asOfMs, copy.staleSinceMs(keys) ?? asOfMs)
    return new Date(asOfMs)
  }

  /** A look that is under way may have begun before what the caller wants to see. */
  async #lookAnew(): Promise<void> {
    await this.#looking?.catch(() => undefined)
    await this.look()
  }

  async #patiently(work: Promise<unknown>, isFailing: boolean): Promise<void> {
    const quiet = work.catch(() => undefined)
    if (isFailing) return
    const done = new AbortController()
    await Promise.race([quiet, this.#clock.sleep(PATIENCE_MS, done.signal)])
    done.abort()
  }
}
