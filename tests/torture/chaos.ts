/** Carries out the plan: kills, freezes, stops the database, spoils the network; counts what it has really done. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from './evidence.ts'
import type { FaultKind, FaultProxy } from './fault-proxy.ts'
import type { Fleet } from './fleet.ts'
import type { MigrationKill, Strike } from './plan.ts'

export type Done = {
  kills: number
  /** Of programs that were migrating an empty database. */
  killsWhileMigrating: number
  /** Programs that were told to stop in order. */
  restarts: number
  /** Of those, killed before they had. */
  killsWhileStopping: number
  /** Process frozen and let go on. */
  freezes: number
  /** Of those, for longer than a lease lasts. */
  zombies: number
  databaseStops: number
  terminatedSessions: number
}

export type ChaosParts = {
  readonly fleet: Fleet
  readonly proxies: ReadonlyMap<string, FaultProxy>
  /** Of the database, past every proxy. */
  readonly databaseUrl: string
  /** Where its postmaster.pid is. */
  readonly dataDirectory: string
  /** Into the log of the run. */
  readonly note: (text: string) => void
}

const ZOMBIE_FROM_MS = 10_000
const LOOK_MS = 5
const MIGRATED_WITHIN_MS = 120_000

async function appliedFiles(query: Query): Promise<number> {
  const [there] = await query<{ isThere: boolean }>(
    `select to_regclass('public.migration') is not null as "isThere"`,
  )
  if (!there!.isThere) return 0
  const [row] = await query<{ count: number }>('select count(*) from public.migration')
  return row!.count
}

export class Chaos {
  readonly done: Done = {
    kills: 0,
    killsWhileMigrating: 0,
    restarts: 0,
    killsWhileStopping: 0,
    freezes: 0,
    zombies: 0,
    databaseStops: 0,
    terminatedSessions: 0,
  }
  readonly #parts: ChaosParts
  readonly #calming = new AbortController()
  readonly #endings: Promise<void>[] = []

  constructor(parts: ChaosParts) {
    this.#parts = parts
  }

  /** Kills while the programs migrate the empty database together; resolves when it is migrated, or all have struck. */
  async runFirstStart(kills: readonly MigrationKill[]): Promise<void> {
    const { fleet, note } = this.#parts
    for (const kill of kills) {
      await this.#applied(kill.afterFiles)
      note(JSON.stringify(kill))
      if (fleet.kill(kill.member, true)) this.done.killsWhileMigrating++
    }
  }

  /** Resolves when so many files have been applied. */
  async #applied(files: number): Promise<void> {
    const { query, end } = await openQuery(this.#parts.databaseUrl)
    try {
      const untilMs = performance.now() + MIGRATED_WITHIN_MS
      while ((await appliedFiles(query)) < files) {
        if (performance.now() > untilMs) throw new Error(`nobody applies ${files} migrations`)
        await this.#sleep(LOOK_MS)
      }
    } finally {
      await end()
    }
  }

  /** Resolves when the last strike has been made. */
  async run(plan: readonly Strike[]): Promise<void> {
    const startedMs = performance.now()
    for (const strike of plan) {
      await this.#sleep(startedMs + strike.atMs - performance.now())
      await this.#strike(strike)
    }
  }

  /** Every fault ends now, for good. */
  async calm(): Promise<void> {
    this.#parts.note('every fault ends')
    this.#calming.abort()
    await Promise.all(this.#endings)
    this.#parts.fleet.thawAll()
    for (const proxy of this.#parts.proxies.values()) proxy.set(undefined)
  }

  /** Connections struck, by kind of fault, over all proxies. */
  get proxyFaults(): Partial<Record<FaultKind, number>> {
    const sum: Partial<Record<FaultKind, number>> = {}
    for (const { struck } of this.#parts.proxies.values())
      for (const [kind, count] of Object.entries(struck) as [FaultKind, number][])
        sum[kind] = (sum[kind] ?? 0) + count
    return sum
  }

  async #strike(strike: Strike): Promise<void> {
    const { fleet, note } = this.#parts
    note(JSON.stringify(strike))
    switch (strike.kind) {
      case 'kill':
        if (fleet.kill(strike.member, strike.whileStarting)) this.done.kills++
        return
      case 'restart':
        return this.#restart(strike)
      case 'freeze':
        return this.#freeze(strike.member, strike.forMs)
      case 'terminate':
        this.done.terminatedSessions += await this.#terminate(strike.sessions, strike.first)
        return
      case 'stop-database':
        return this.#stopDatabase()
      case 'network':
        return this.#spoil(strike)
    }
  }

  #restart({ member, killAfterMs }: Extract<Strike, { kind: 'restart' }>): void {
    const kill = this.#parts.fleet.restart(member)
    if (!kill) return
    this.done.restarts++
    if (killAfterMs === undefined) return
    this.#endings.push(this.#killStopping(kill, killAfterMs))
  }

  async #killStopping(kill: () => boolean, afterMs: number): Promise<void> {
    await this.#sleep(afterMs)
    if (!this.#calming.signal.aborted && kill()) this.done.killsWhileStopping++
  }

  #freeze(member: number, forMs: number): void {
    const thaw = this.#parts.fleet.freeze(member)
    if (!thaw) return
    this.done.freezes++
    if (forMs >= ZOMBIE_FROM_MS) this.done.zombies++
    this.#endings.push(this.#sleep(forMs).then(thaw))
  }

  #spoil({ proxy, fault, forMs }: Extract<Strike, { kind: 'network' }>): void {
    const spoilt = this.#parts.proxies.get(proxy)!
    spoilt.set(fault)
    this.#endings.push(this.#sleep(forMs).then(() => spoilt.set(undefined)))
  }

  async #terminate(sessions: number, first: number): Promise<number> {
    const terminate = async (query: Query): Promise<number> => {
      const rows = await query(
        `with ours as (select pid, row_number() over (order by pid) as nth, count(*) over () as all
           from pg_stat_activity where application_name like 'crossdock%' and application_name not like '% process %')
         select pg_terminate_backend(pid) from ours where (nth + $2) % "all" < $1`,
        [sessions, first],
      )
      return rows.length
    }
    return this.#ask(terminate).catch(() => 0)
  }

  /** As a power cut; whoever owns the server brings it back. */
  #stopDatabase(): void {
    const noted = readFileSync(join(this.#parts.dataDirectory, 'postmaster.pid'), 'utf8')
    try {
      process.kill(Number.parseInt(noted, 10), 'SIGQUIT')
      this.done.databaseStops++
    } catch {
      // It is down already.
    }
  }

  async #ask<T>(question: (query: Query) => Promise<T>): Promise<T> {
    const { query, end } = await openQuery(this.#parts.databaseUrl)
    return question(query).finally(() => end().catch(() => undefined))
  }

  /** Until then, or until all becomes calm. */
  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#calming.signal }).catch(() => undefined)
  }
}
