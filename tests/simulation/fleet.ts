/** The programs of a run: started, struck by faults, told to stop in order, and replaced by new ones. */
import type { Config } from '../../src/config-schema.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { readsAllDay, type WholeDay } from './day.ts'
import type { FaultScript } from './fault-script.ts'
import type { Network } from './network.ts'
import { type Program, type ProgramParts, startProgram } from './program.ts'
import type { Action, Actor } from './scheduler.ts'
import { jumpAt, skewAtStart } from './wrong-clocks.ts'

export type FleetParts = Pick<
  ProgramParts,
  'seed' | 'scheduler' | 'database' | 'notices' | 'files' | 'migrations' | 'complain'
> & {
  readonly day: WholeDay
  readonly faults: FaultScript
  readonly network: Network
  readonly outside: Actor
  readonly configOf: (nth: number) => Config
  /** Into the server, in the middle of an action. */
  readonly query: Query
}

/** In the way of one that ends by itself. */
type Leave = {
  readonly toldMs: number
  readonly epoch: number | undefined
  /** What had struck when it was told. */
  readonly struck: number
  /** Whether its successor is at work already. */
  readonly isRelieved: boolean
  /** How long it stands still meanwhile. */
  stalledMs: number
}

type Member = {
  readonly nth: number
  readonly program: Program
  readonly drowsy: number
  readonly skew: { ms: number }
  leave?: Leave
}

const STALL_MS = [500, 4_000] as const
/** Longer than others believe in a heartbeat. */
const ZOMBIE_MS = [11_000, 16_000] as const
/** Longer than it takes others to find out what became of a call. */
const COMA_MS = [30_000, 60_000] as const
const RESTART_MS: [number, number] = [50, 3_000]
/** So long the house gives its work before it goes on to the connections. */
const END_WITHIN_MS = 20_000
/** So long a program waits for what is under way; who ends sooner has seen the end of it. */
const DRAIN_MS = 5_000
const RELIEVED_SHARE = 0.5
/** All programs, one after the other, as a new version comes. */
const ROLL_SHARE = 0.4
const ROLL_MS: [number, number] = [300, 2_000]
/** After these a program may have to leave what it owned to others. */
const HARM =
  /^(?:stall|zombie|coma|session-ended|database-restart|acknowledgement-lost|serialization-failure)\//

const LEFT_BEHIND = `
  select 'document ' || doc as what from desk.document where owner = $1
  union all select 'subscription ' || id from subscription.webhook where holder = $1`

export class Fleet {
  /** Of those who were told to stop. */
  readonly wrong = {
    'who is told to stop ends in time': [] as string[],
    'who is told to stop ends well': [] as string[],
    'who ends in order leaves nothing in its name': [] as string[],
  }
  readonly #parts: FleetParts
  readonly #members: (Member | undefined)[] = []
  readonly #leaving = new Set<Member>()
  #lives = 0

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  start(): void {
    for (let nth = 0; nth < this.#parts.day.programs.length; nth++) this.#start(nth)
  }

  doors(): Program[] {
    return this.#members.flatMap((member) =>
      member?.program.isOpen && member.program.actor.alive ? [member.program] : [],
    )
  }

  /** Somebody has seen the end of it, behind which nobody has anything to do. */
  get isMigrated(): boolean {
    return this.#all().some(({ program }) => program.isMigrated)
  }

  /** Nobody stands still, or has just done so. */
  haveBeenAwakeFor(ms: number): boolean {
    const { nowMs } = this.#parts.scheduler
    return this.#all().every(({ program }) => program.actor.stalledUntilMs + ms <= nowMs)
  }

  get isAnyLeaving(): boolean {
    return this.#leaving.size > 0
  }

  /** What may happen before an action: its program dies, stands still or is told to stop, a session or the whole server goes. */
  async strike({ actor, label }: Action): Promise<void> {
    const member = this.#all().find(({ program }) => program.actor === actor)
    if (!member) return
    const { faults, seed, scheduler, database } = this.#parts
    const site = `${actor.name.split('.')[0]}/${label}`
    if (faults.strikes('crash', site)) return this.#crash(member)
    if (member.leave && faults.strikes('crash-stopping', site)) return this.#crash(member)
    if (faults.strikes('clock-jump', site)) member.skew.ms += jumpAt(seed, scheduler.steps)
    if (faults.strikes('stall', site)) this.#stall(member, STALL_MS)
    if (faults.strikes('zombie', site)) this.#stall(member, ZOMBIE_MS)
    if (faults.strikes('coma', site)) this.#stall(member, COMA_MS)
    if (faults.strikes('session-ended', site)) await this.#endSession(actor)
    if (faults.strikes('database-restart', site)) await database.restart()
    if (!member.leave && member.program.isStarted && faults.strikes('stop', site)) this.#tellToStop(member)
  }

  /** At the end of the run. */
  drop(): void {
    for (const { program } of this.#all()) {
      program.actor.alive = false
      this.#parts.scheduler.drop(program.actor)
    }
  }

  #all(): Member[] {
    return [...this.#members.filter((member) => member !== undefined), ...this.#leaving]
  }

  #start(nth: number): void {
    const { seed, day, faults, network, configOf, ...ports } = this.#parts
    const name = `p${nth + 1}.${++this.#lives}`
    const skew = { ms: skewAtStart(seed, faults, name) }
    const drowsy = drawInteger(seed, 'drowsy', name, [...day.drowsy])
    const program = startProgram({
      ...ports,
      name,
      seed,
      config: configOf(nth),
      http: (actor) => network.client(actor),
      skewMs: () => skew.ms,
      drowsy,
      readsOn: readsAllDay(day),
      tellsSubscribers: day.subscribers > 0,
    })
    this.#members[nth] = { nth, program, drowsy, skew }
  }

  #stall({ program: { actor }, leave }: Member, [low, high]: readonly [number, number]): void {
    const { seed, scheduler } = this.#parts
    const ms = drawInteger(seed, 'stall-for', `${actor.name} ${scheduler.steps}`, [low, high])
    actor.stalledUntilMs = scheduler.nowMs + ms
    if (leave) leave.stalledMs += ms
  }

  async #endSession(actor: Actor): Promise<void> {
    const { seed, scheduler, database } = this.#parts
    const sessions = database.sessionsOf(actor)
    const place = drawInteger(seed, 'session', scheduler.steps, [0, Math.max(0, sessions.length - 1)])
    const session = sessions[place]
    if (session) await database.end(session)
  }

  async #crash(member: Member): Promise<void> {
    await this.#end(member)
    if (member.leave?.isRelieved !== true) this.#startLater(member)
  }

  /** Nothing of it goes on. */
  async #end(member: Member): Promise<void> {
    const { scheduler, database } = this.#parts
    const { actor } = member.program
    if (this.#members[member.nth] === member) this.#members[member.nth] = undefined
    this.#leaving.delete(member)
    actor.alive = false
    scheduler.drop(actor)
    await database.endAllOf(actor)
  }

  #startLater({ nth, program: { actor } }: Member): void {
    const { seed } = this.#parts
    this.#after(drawInteger(seed, 'restart-after', actor.name, RESTART_MS), 'restart', () => this.#start(nth))
  }

  /** As SIGTERM does it. */
  #tellToStop(member: Member): void {
    const { seed, scheduler, faults } = this.#parts
    const { nth, program } = member
    const { name } = program.actor
    const isRelieved = draw(seed, 'relieved', name) < RELIEVED_SHARE
    const epoch = program.app.worker.life?.epoch
    member.leave = {
      toldMs: scheduler.nowMs,
      epoch,
      struck: faults.struck.length,
      isRelieved,
      stalledMs: Math.max(0, program.actor.stalledUntilMs - scheduler.nowMs),
    }
    this.#members[nth] = undefined
    this.#leaving.add(member)
    if (isRelieved) this.#startLater(member)
    if (draw(seed, 'rolls', name) < ROLL_SHARE) this.#roll(nth + 1)
    this.#expectEnd(member, END_WITHIN_MS * member.drowsy)
    const unwell = (error: unknown): void =>
      void this.wrong['who is told to stop ends well'].push(`${name}: ${String(error)}`)
    void program
      .stop()
      .catch(unwell)
      .then(() => this.#after(0, 'exit', () => this.#exit(member)))
  }

  #roll(nth: number): void {
    if (nth >= this.#parts.day.programs.length) return
    const ms = drawInteger(this.#parts.seed, 'roll-after', `p${nth + 1} ${this.#lives}`, ROLL_MS)
    this.#after(ms, 'roll', () => {
      const member = this.#members[nth]
      if (!member?.program.isStarted) return
      this.#parts.faults.also(`stop/p${nth + 1}/roll/${this.#lives}`)
      this.#tellToStop(member)
    })
  }

  /** Whoever stands still has as much longer. */
  #expectEnd(member: Member, ms: number): void {
    this.#after(ms, 'expected to have ended', () => {
      const leave = member.leave!
      if (!this.#leaving.has(member)) return
      const { stalledMs } = leave
      leave.stalledMs = 0
      if (stalledMs > 0) return this.#expectEnd(member, stalledMs)
      const { name } = member.program.actor
      this.wrong['who is told to stop ends in time'].push(`${name} was told at ${leave.toldMs} ms`)
    })
  }

  async #exit(member: Member): Promise<void> {
    if (!this.#leaving.has(member)) return
    const leave = member.leave!
    const { faults, scheduler, query } = this.#parts
    const isUnharmed = !faults.struck.slice(leave.struck).some((name) => HARM.test(name))
    if (isUnharmed && leave.epoch !== undefined && scheduler.nowMs - leave.toldMs < DRAIN_MS) {
      const left = await query<{ what: string }>(LEFT_BEHIND, [leave.epoch])
      const found = left.map(({ what }) => `${member.program.actor.name} ended and owns ${what}`)
      this.wrong['who ends in order leaves nothing in its name'].push(...found)
    }
    await this.#end(member)
    if (!leave.isRelieved) this.#startLater(member)
  }

  #after(ms: number, label: string, run: () => Promise<void> | void): void {
    const { scheduler, outside } = this.#parts
    scheduler.after(ms, { actor: outside, label, run })
  }
}
