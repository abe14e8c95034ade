/** One seed: a landscape, two programs, clients, faults until a moment, then peace; and what was found wrong. */
import type { Config } from '../../src/config-schema.ts'
import { draw } from '#landscape/random.ts'
import { isAtRest, queryOf, unsafe, unsettled, type Violation } from './checkers.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { untold } from './partner-checkers.ts'
import { type Clients, openClients } from './clients.ts'
import { type Cluster, openEmpty } from './cluster.ts'
import { type Counterparts, counterpartsOf, deliverScansToUs, deliverToUs } from './counterparts.ts'
import { isDefect, wronglyDead } from './defects.ts'
import { faultCounts, faultScript } from './fault-script.ts'
import { migrateTogether } from './first-start.ts'
import { Fleet } from './fleet.ts'
import { History } from './history.ts'
import { type BadDays, boardFaults, withMaintenance } from './board-faults.ts'
import { type Day, dayOf, type WholeDay } from './day.ts'
import type { Lane } from './lane.ts'
import { MemoryFiles } from './memory-files.ts'
import { Network } from './network.ts'
import { openPartners, type Partners } from './partners.ts'
import { NoticeBoard } from './program.ts'
import { type Action, type Actor, Scheduler } from './scheduler.ts'
import { DatabaseServer } from './sessions.ts'
import { recounts, StockDay, stockConfig } from './stock-day.ts'
import { areToldAll, mistold, pesteredOf, unheard } from './subscriber-checkers.ts'
import { openSubscribers, type Subscribers } from './subscribers.ts'
import { timeAt, virtualClock } from './virtual-clock.ts'
import { skewOfErps } from './wrong-clocks.ts'

export type Mode = 'safety' | 'liveness'

export type Plan = Day & {
  readonly seed: string
  readonly mode: Mode
  /** When given, only these faults strike. */
  readonly only?: ReadonlySet<string>
  readonly trace?: (line: string) => void
}

export type Outcome = {
  readonly seed: string
  readonly violations: readonly Violation[]
  /** Names of the faults that struck, and of those that counterparts had in store. */
  readonly struck: readonly string[]
  /** How often each kind struck. */
  readonly faults: ReadonlyMap<string, number>
  readonly history: string
  readonly steps: number
  readonly virtualMs: number
  readonly messages: number
  readonly orders: number
  readonly complaints: readonly string[]
}

const PRESS_MS = 2_000
const AWAKE_MS = 1_000
/** By then everybody has looked who comes round, however drowsy he is. */
const AGREES_AFTER_MS = 100_000
/** Longer than any pause between two tries. */
const END_AFTER_MS = 400_000
const STEPS_MAX = 40_000
const LOOK_EVERY = 40
const SAFE_EVERY = 800

/** Stops before its end, with nothing found, when it is told to. */
export async function simulate(lane: Lane, plan: Plan, end?: AbortSignal): Promise<Outcome> {
  if (!dayOf(plan.seed, plan).unmigrated) {
    await lane.cluster.reset()
    return new Run(lane, plan, end).toItsEnd()
  }
  const cluster = await openEmpty(lane.cluster)
  try {
    return await new Run({ ...lane, cluster }, plan, end).toItsEnd()
  } finally {
    await cluster.end()
  }
}

class Run {
  readonly #lane: Lane
  readonly #plan: Plan
  readonly #end: AbortSignal | undefined
  readonly #day: WholeDay
  readonly #scheduler: Scheduler
  readonly #database: DatabaseServer
  readonly #network: Network
  readonly #faults
  readonly #files: MemoryFiles
  readonly #outside: Actor = { name: 'outside', alive: true, stalledUntilMs: 0 }
  readonly #fleet: Fleet
  readonly #history = new History()
  readonly #complaints: string[] = []
  #landscape!: Counterparts
  #board!: BadDays
  #partners: Partners | undefined
  #subscribers: Subscribers | undefined
  #stock!: StockDay
  /** Since when nothing was under way that had to end. */
  #restsSinceMs: number | undefined
  #isNoted = false
  /** When the programs were migrated, and people began. */
  #beganMs = 0
  #messages = 0

  constructor(lane: Lane, plan: Plan, end: AbortSignal | undefined) {
    const { seed } = plan
    this.#lane = lane
    this.#plan = plan
    this.#end = end
    this.#day = dayOf(seed, plan)
    this.#faults = faultScript({ ...plan, without: this.#day.without ?? [] })
    const mode = draw(seed, 'mode', 0) < 0.5 ? 'sticky' : 'uniform'
    this.#scheduler = new Scheduler({ seed, mode, before: (action) => this.#meddle(action) })
    this.#database = new DatabaseServer(
      this.#scheduler,
      lane.cluster.backends,
      (actor, { name }, outcome) => {
        const answer =
          'error' in outcome ? String(outcome.error) : `${outcome.command} ${outcome.rows.length}`
        this.#note(`${actor.name} ${name} ${answer}`)
        // Also one whose acknowledgement is lost.
        if (name === 'database.commit') this.#isNoted = false
      },
    )
    this.#database.losesAcknowledgement = (actor) => this.#faults.strikes('acknowledgement-lost', actor.name)
    this.#database.fails = (actor, { name, text }) =>
      !/^(?:commit|rollback)$/.test(text) &&
      this.#faults.strikes('serialization-failure', `${actor.name}/${name}`)
    this.#files = new MemoryFiles(this.#scheduler)
    this.#network = new Network(
      {
        scheduler: this.#scheduler,
        faults: this.#faults,
        seed,
        landscape: () => this.#landscape,
        doors: () => this.#fleet.doors(),
        heard: (line) => this.#note(line),
        countMessage: () => void this.#messages++,
      },
      this.#outside,
    )
    this.#fleet = new Fleet({
      seed,
      day: this.#day,
      scheduler: this.#scheduler,
      database: this.#database,
      faults: this.#faults,
      network: this.#network,
      notices: new NoticeBoard(this.#scheduler),
      files: this.#files,
      ...(this.#day.unmigrated ? { migrations: lane.migrations } : {}),
      outside: this.#outside,
      configOf: (nth) => this.#configOf(nth),
      query: (text, values) => queryOf(this.#look())(text, values),
      complain: (line) => {
        plan.trace?.(line)
        this.#complaints.push(line)
      },
    })
  }

  async toItsEnd(): Promise<Outcome> {
    const { seed } = this.#plan
    const clock = virtualClock(this.#scheduler, this.#outside)
    const erpSkewMs = skewOfErps(seed, this.#faults)
    const erpClock = virtualClock(this.#scheduler, this.#outside, { skewMs: () => erpSkewMs })
    const { post } = this.#network
    const { without = [], stock } = this.#day
    this.#landscape = await counterpartsOf(seed, this.#lane.world, { clock, erpClock, post, stock })
    deliverToUs(this.#landscape)
    if (stock.includes('parcels')) deliverScansToUs(this.#landscape)
    this.#board = boardFaults(this.#landscape, { ...this.#plan, without, faults: this.#faults })
    this.#fleet.start()
    const unmigrated = await this.#migrate()
    const violations = unmigrated.length > 0 ? unmigrated : await this.#untilItEnds(this.#openClients())
    if (unmigrated.length === 0) await this.#tellEvents()
    await this.#stopAll()
    return this.#outcome(violations)
  }

  /** Nothing can be looked at before it is done. */
  async #migrate(): Promise<Violation[]> {
    if (!this.#day.unmigrated) return []
    this.#isNoted = true
    const amiss = await migrateTogether(this.#scheduler, this.#fleet, this.#lane)
    this.#beganMs = this.#scheduler.nowMs
    return amiss
  }

  #openClients(): Clients {
    const { seed } = this.#plan
    const parts = {
      seed,
      world: this.#lane.world,
      scheduler: this.#scheduler,
      faults: this.#faults,
      outside: this.#outside,
    }
    if (this.#day.partners) this.#partners = openPartners({ ...parts, files: this.#files })
    const all = { ...parts, network: this.#network, landscape: this.#landscape, day: this.#day }
    const clients = openClients({ ...all, partners: this.#partners })
    const { subscribers: count } = this.#day
    if (count > 0) this.#subscribers = openSubscribers({ ...all, count, look: this.#lookInTurn })
    this.#stock = new StockDay({
      ...all,
      clients,
      files: this.#files,
      config: this.#lane.configs.all,
      look: this.#lookInTurn,
      side: () => this.#look(),
    })
    return clients
  }

  #outcome(violations: readonly Violation[]): Outcome {
    return {
      seed: this.#plan.seed,
      violations,
      struck: this.#faults.struck,
      faults: faultCounts(this.#faults.struck, this.#board.struck()),
      history: this.#history.end(),
      steps: this.#scheduler.steps,
      virtualMs: this.#scheduler.nowMs,
      messages: this.#messages,
      orders: this.#day.orders,
      complaints: this.#complaints,
    }
  }

  /** Runs some actions, looks at what must hold and whether it may end, and goes on. */
  async #untilItEnds(clients: Clients): Promise<Violation[]> {
    const scheduler = this.#scheduler
    const isLive = this.#plan.mode === 'liveness'
    for (let checked = 0, peace = false; ;) {
      const nextLook = scheduler.steps + LOOK_EVERY
      const left = await scheduler.run(() => scheduler.steps >= nextLook)
      if (this.#end?.aborted) return []
      if (isLive && !peace && this.#lastsMs() >= this.#day.peaceAfterMs) {
        peace = true
        this.#faults.end()
        this.#board.end()
        this.#stock.peace()
        this.#subscribers?.peace()
        this.#pressOn()
        // what peace sets going is seen to be under way at the next look
        continue
      }
      if (scheduler.steps - checked >= SAFE_EVERY) {
        checked = scheduler.steps
        const found = await this.#unsafe()
        if (found.length > 0) return found
      }
      const isOver = isLive
        ? peace && this.#areAwake() && (await this.#isAtRest(clients)) && (await this.#isAgreed())
        : this.#lastsMs() >= 2 * this.#day.peaceAfterMs
      const isLate = scheduler.nowMs > END_AFTER_MS || scheduler.steps > STEPS_MAX
      if (isOver || isLate || left === 'nothing left') return this.#atTheEnd(clients, isOver)
    }
  }

  #lastsMs(): number {
    return this.#scheduler.nowMs - this.#beganMs
  }

  /** Into the server, at the simulation's time. */
  #look(): Cluster['side'] {
    const { side } = this.#lane.cluster
    // Travels with the first look.
    void side.query(`set sim.now = '${timeAt(this.#scheduler.nowMs).toISOString()}'`)
    return side
  }

  readonly #lookInTurn: Query = (text, values) =>
    new Promise((resolve) => {
      const run = async (): Promise<void> => resolve(await queryOf(this.#look())(text, values))
      this.#scheduler.offer({ actor: this.#outside, label: 'look', run })
    })

  /** Whoever stood still has had time for what he still had in mind. */
  #areAwake(): boolean {
    return this.#fleet.haveBeenAwakeFor(AWAKE_MS)
  }

  async #isAtRest(clients: Clients): Promise<boolean> {
    const others = [this.#partners, this.#stock, this.#subscribers]
    if (this.#fleet.isAnyLeaving || others.some((one) => one && !one.isIdle())) return false
    const side = this.#look()
    if (!(await isAtRest(side, this.#landscape, clients))) return false
    return this.#subscribers === undefined || (await areToldAll(queryOf(side)))
  }

  /** What does not agree when everything has ended is given time in which everybody looks. */
  async #isAgreed(): Promise<boolean> {
    const { nowMs } = this.#scheduler
    this.#restsSinceMs ??= nowMs
    if (nowMs - this.#restsSinceMs > AGREES_AFTER_MS) return true
    return (await this.#stock.amiss()).length === 0 && (await this.#unheard()).length === 0
  }

  async #unheard(): Promise<Violation[]> {
    return this.#subscribers ? unheard(queryOf(this.#look()), this.#subscribers) : []
  }

  async #unsafe(): Promise<Violation[]> {
    const said: Readonly<Record<string, readonly string[]>> = {
      'no request and no document meets a defect of ours': this.#complaints.filter(isDefect),
      ...this.#stock.wrong,
      ...this.#fleet.wrong,
      ...(this.#subscribers && mistold(this.#subscribers)),
      'nobody is declared dead who lives': wronglyDead(this.#complaints, this.#faults.struck),
    }
    const own = Object.entries(said).flatMap(([invariant, lines]) =>
      lines.length > 0 ? [{ invariant, found: lines.join('\n') }] : [],
    )
    const side = this.#look()
    const { struck } = this.#faults
    const pestered = this.#subscribers ? await pesteredOf(queryOf(side), this.#subscribers, struck) : []
    return [...own, ...pestered, ...(await unsafe(side, this.#stock.counterparts))]
  }

  async #atTheEnd(clients: Clients, isAtRest: boolean): Promise<Violation[]> {
    const found = await this.#unsafe()
    if (found.length > 0 || this.#plan.mode === 'safety') return found
    const amiss = await this.#stock.amiss()
    // before time goes on, in which more is told
    const untoldEvents = isAtRest ? await this.#unheard() : []
    const forgotten = isAtRest ? await this.#stock.forgotten(() => this.#fleet.doors()) : []
    const { steps, nowMs } = this.#scheduler
    const stuck = { invariant: 'everything ends', found: `after ${steps} steps, ${nowMs} ms` }
    const side = this.#look()
    return [
      ...(isAtRest ? [] : [stuck]),
      ...(await unsettled(side, this.#stock.counterparts, { clients, isRecounted: recounts(this.#day) })),
      ...amiss,
      ...forgotten,
      ...(this.#partners ? await untold(queryOf(side), this.#partners) : []),
      ...untoldEvents,
    ]
  }

  /** Vendors wait for minutes before they tell again what found no ear; now somebody presses their buttons. */
  #pressOn(): void {
    const { wms, eastWms, shop, tradeShop, carrier } = this.#landscape
    // Who presses while nobody can open uses up their patience.
    if (this.#areAwake()) for (const teller of [wms, eastWms, shop, tradeShop, carrier]) teller.redeliver()
    this.#scheduler.after(PRESS_MS, { actor: this.#outside, label: 'redeliver', run: () => this.#pressOn() })
  }

  #configOf(nth: number): Config {
    const config = withMaintenance(this.#lane.configs[this.#day.programs[nth]!], this.#board.closed)
    return stockConfig(config, this.#day)
  }

  async #meddle(action: Action): Promise<void> {
    if (!this.#isNoted) {
      this.#isNoted = true
      await this.#stock.committed(this.#scheduler.nowMs)
    }
    this.#plan.trace?.(`${this.#scheduler.nowMs} ${action.actor.name} ${action.label}`)
    this.#history.add(`${this.#scheduler.nowMs} ${action.actor.name} ${action.label}`)
    await this.#fleet.strike(action)
  }

  #note(line: string): void {
    this.#plan.trace?.(`   ${line.slice(0, 400)}`)
    this.#history.add(line)
  }

  /** Events as they were recorded, without what the server numbers by itself. */
  async #tellEvents(): Promise<void> {
    const { rows } = await this.#lane.cluster.side.query<{ line: string }>(
      `select concat_ws(' ', type, key, key_version, company, recorded_at, source, actor, data::text) as line
       from log.event order by key, key_version`,
    )
    for (const { line } of rows) this.#history.add(line)
  }

  async #stopAll(): Promise<void> {
    this.#fleet.drop()
    await this.#database.shutDown()
    await this.#landscape.stop()
  }
}
