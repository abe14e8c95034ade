/** What happens to stock on a day beside orders, who does it, and what must agree when nothing is under way. */
import type pg from 'pg'
import type { Config } from '../../src/config-schema.ts'
import { localDate } from '#platform/time-zone.ts'
import { BookHistory } from './book-history.ts'
import type { CallerParts } from './caller.ts'
import { queriesOf, queryOf, type Violation } from './checkers.ts'
import type { Clients } from './clients.ts'
import { CONFIGURED, type Counterparts } from './counterparts.ts'
import { readsAllDay, type StockFact, type WholeDay } from './day.ts'
import { openErpPeople } from './erp-people.ts'
import { filesAmiss } from './file-checkers.ts'
import { fed, openFilePeople } from './file-people.ts'
import { labelsAmiss } from './label-checkers.ts'
import { openPackers, withLabels } from './label-people.ts'
import { livesAmiss } from './life-checkers.ts'
import { openLifePeople } from './life-people.ts'
import { machinesAmiss, openMachinePeople } from './machine-people.ts'
import type { MemoryFiles } from './memory-files.ts'
import type { Door } from './network.ts'
import type { World } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openOwnerPeople, ownersAmiss } from './owner-people.ts'
import { papersAmiss } from './paper-checkers.ts'
import { isAllCarried, parcelsAmiss } from './parcel-checkers.ts'
import { openPaperPeople } from './paper-people.ts'
import { RunHistory, runsAmiss } from './run-history.ts'
import { openRunPeople } from './run-people.ts'
import { ProfileHistory } from './profile-history.ts'
import { openProfilePeople } from './profile-people.ts'
import { openReconcilers, reconciliationsAmiss, tolerant } from './reconcilers.ts'
import { levelsAmiss, publishing } from './shop-levels.ts'
import { freshness, openSilence, silenceAmiss } from './silence.ts'
import { openStockPeople } from './stock-people.ts'
import { catchUp, forgetful } from './stock-questions.ts'
import { openSuppliers } from './suppliers.ts'
import { promisesAmiss, salesAmiss, supplyAmiss } from './supply-checkers.ts'
import { openTransferPeople, transfersAmiss } from './transfer-people.ts'
import { timeAt } from './virtual-clock.ts'
import { openDesks } from './warehouse-desks.ts'
import { x12Amiss } from './x12-checkers.ts'
import { openX12Warehouse, runByX12, X12 } from './x12-warehouse.ts'

/** What is missing is asked for soon where warehouses count again what they told of, or come back with much to tell. */
const GAP_AFTER_MS = 5_000
const COUNTED_AGAIN: ReadonlySet<StockFact> = new Set(['counts', 'desks'])

export const recounts = ({ stock }: WholeDay): boolean => stock.some((fact) => COUNTED_AGAIN.has(fact))

/** The configuration of a program on such a day. */
export function stockConfig(config: Config, day: WholeDay): Config {
  const has = (fact: StockFact): boolean => day.stock.includes(fact)
  const { [CONFIGURED.carrier]: _, ...others } = config.systems
  const systems = has('parcels') ? config.systems : others
  return {
    ...config,
    systems: has('reconciliations') ? tolerant(systems) : systems,
    inbox: recounts(day) || has('papers') ? { ...config.inbox, gapAfterMs: GAP_AFTER_MS } : config.inbox,
    edi: { ...config.edi, enabled: day.partners || has('supply') || has('x12') },
    ...(has('silence') && { freshness }),
    ...(has('levels') && { publishing }),
    ...(has('files') && fed(config)),
    ...(has('x12') && runByX12(config)),
    ...(has('labels') && withLabels(config)),
  }
}

type Parts = CallerParts & {
  readonly seed: string
  readonly world: World
  readonly landscape: Counterparts
  readonly clients: Clients
  readonly day: WholeDay
  readonly files: MemoryFiles
  readonly config: Config
  /** Into the database, as an action of its own. */
  readonly look: Query
  /** Into the database, between two actions, at the time of the simulation. */
  readonly side: () => pg.Client
}

/** Systems are read again so often where they are read all day. */
const READ_MS = 3_000

export class StockDay {
  readonly #parts: Parts
  readonly #history: BookHistory
  readonly #people
  readonly #runs: RunHistory
  readonly #planners
  readonly #lives
  readonly #profiles = new ProfileHistory()
  readonly #sourcers
  readonly #erps
  readonly #desks
  readonly #machines
  readonly #reconcilers
  readonly #transfers
  readonly #papers
  readonly #files
  readonly #x12
  readonly #owners
  readonly #suppliers
  readonly #silence

  constructor(parts: Parts) {
    const { day, config } = parts
    const has = (fact: StockFact): boolean => day.stock.includes(fact)
    this.#parts = parts
    this.#history = new BookHistory(config.locations.map(({ code }) => code))
    this.#people = openStockPeople({ ...parts, history: this.#history })
    this.#runs = new RunHistory()
    this.#planners = has('runs') ? openRunPeople({ ...parts, history: this.#runs }) : undefined
    this.#lives = has('lives') ? openLifePeople(parts) : undefined
    this.#sourcers = has('profiles') ? openProfilePeople({ ...parts, history: this.#profiles }) : undefined
    this.#erps = readsAllDay(day) ? openErpPeople(parts) : undefined
    this.#desks = has('desks') ? openDesks({ ...parts, erps: this.#erps! }) : undefined
    this.#transfers = has('transfers') ? openTransferPeople(parts) : undefined
    this.#papers = has('papers') ? openPaperPeople(parts) : undefined
    this.#files = has('files') ? openFilePeople(parts) : undefined
    this.#owners = has('owners') ? openOwnerPeople(parts) : undefined
    this.#x12 = has('x12') ? openX12Warehouse(parts) : undefined
    this.#machines = has('machines') ? openMachinePeople(parts) : undefined
    this.#reconcilers = has('reconciliations') ? openReconcilers(parts) : undefined
    this.#suppliers = has('supply') ? openSuppliers(parts) : undefined
    this.#silence = has('silence') ? openSilence(parts) : undefined
    if (has('labels')) openPackers(parts)
    if (readsAllDay(day)) this.#readAgain()
  }

  /** The counterparts, without what others than we have ordered there. */
  get counterparts(): Counterparts {
    const ours = this.#erps?.ours ?? this.#parts.landscape
    const x12 = this.#x12
    if (!x12) return ours
    return { ...ours, otherWarehouses: { ...ours.otherWarehouses, [X12]: x12 } }
  }

  /** What must not have happened, and did, by what must hold. */
  get wrong(): Readonly<Record<string, readonly string[]>> {
    return {
      'what people may not do with stock is refused, and the rest is done': [
        ...this.#people.wrong,
        ...(this.#transfers?.wrong ?? []),
        ...(this.#papers?.wrong ?? []),
        ...(this.#lives?.wrong ?? []),
        ...(this.#owners?.wrong ?? []),
        ...(this.#sourcers?.wrong ?? []),
      ],
      'each unit of a lot that is carried is where it lies': this.#transfers?.misplaced ?? [],
      'nothing of another owner is promised': this.#owners?.oversold ?? [],
      'a backorder run does what was shown, or nothing': [
        ...(this.#planners?.wrong ?? []),
        ...this.#runs.wrong,
      ],
      'an answer is what the books said when it says that it is': this.#people.misremembered,
      'of a silent place less is promised, and what is promised is marked': this.#silence?.wrong ?? [],
    }
  }

  isIdle(): boolean {
    const all = [
      this.#people,
      this.#planners,
      this.#lives,
      this.#sourcers,
      this.#transfers,
      this.#erps,
      this.#desks,
      this.#machines,
      this.#silence,
      this.#reconcilers,
      this.#papers,
      this.#files,
      this.#x12,
      this.#owners,
    ]
    const open = all.some((some) => (some?.open() ?? 0) > 0)
    const isCarried = !this.#parts.day.stock.includes('parcels') || isAllCarried(this.#parts.landscape)
    return !open && isCarried && (this.#suppliers?.isIdle() ?? true)
  }

  /** Faults have ended. */
  peace(): void {
    if (recounts(this.#parts.day)) this.#people.recount()
    this.#reconcilers?.peace()
    this.#files?.peace()
  }

  /** A transaction was committed. */
  async committed(nowMs: number): Promise<void> {
    const { day, side, faults } = this.#parts
    if (day.stock.includes('questions')) await this.#history.note(queriesOf(side()), nowMs)
    if (day.stock.includes('profiles')) await this.#profiles.note(queryOf(side()), nowMs)
    if (day.stock.includes('runs')) await this.#runs.note(queryOf(side()), { nowMs, struck: faults.struck })
  }

  /** What does not agree: it may take others a while to look after nothing is under way any more. */
  async amiss(): Promise<Violation[]> {
    const { day, world, config, landscape, side, scheduler } = this.#parts
    if (day.stock.length === 0) return []
    const client = side()
    const query = queryOf(client)
    const locations = config.locations.map(({ code }) => code)
    const now = timeAt(scheduler.nowMs)
    const today = new Map(config.companies.map(({ code, timeZone }) => [code, localDate(now, timeZone)]))
    const erps = this.#erps
    return [
      ...(this.#suppliers ? await supplyAmiss(query, erps!, this.#suppliers) : []),
      ...(this.#suppliers ? await promisesAmiss(query, { locations, today }) : []),
      ...(erps ? await salesAmiss(query, [...erps.sold(), ...(this.#desks?.sold() ?? [])]) : []),
      ...(this.#lives ? await livesAmiss(query, world.today) : []),
      ...(this.#sourcers ? await this.#profiles.amiss(query) : []),
      ...(this.#planners ? await runsAmiss(query) : []),
      ...(this.#transfers ? await transfersAmiss(query) : []),
      ...(await this.#amissOfOwners(query)),
      ...(this.#x12 ? await x12Amiss(query, this.#x12) : []),
      ...(this.#papers ? await papersAmiss(query, landscape, this.#papers.taken) : []),
      ...(this.#reconcilers ? await reconciliationsAmiss(query) : []),
      ...(this.#machines ? await machinesAmiss(query, landscape) : []),
      ...(this.#silence ? await silenceAmiss(query) : []),
      ...(day.stock.includes('parcels') ? await parcelsAmiss(query, landscape) : []),
      ...(day.stock.includes('labels') ? await labelsAmiss(query, landscape) : []),
      ...(day.stock.includes('levels')
        ? await levelsAmiss({ queries: queriesOf(client), world, locations, landscape })
        : []),
    ]
  }

  /** By file, and of goods of others. */
  async #amissOfOwners(query: Query): Promise<Violation[]> {
    const { landscape, files } = this.#parts
    const [fed, kept] = [this.#files, this.#owners]
    const lying = [...(fed?.lying() ?? []), ...(kept?.lying() ?? []), ...(this.#x12?.lying() ?? [])]
    const told = fed && { landscape, files, bad: fed.bad, ofOthers: fed.heard() }
    return [...(told ? await filesAmiss(query, told) : []), ...(await ownersAmiss(query, lying))]
  }

  /** Nothing changes any more: what doors remember of stock that is not what the books say. */
  async forgotten(doors: () => readonly Door[]): Promise<Violation[]> {
    const { questions } = this.#people
    if (questions.length === 0) return []
    const { scheduler } = this.#parts
    this.#silence?.hush()
    await catchUp(scheduler)
    const found = await forgetful(scheduler, doors(), questions)
    return found.map((what) => ({
      invariant: 'what is remembered of stock is what the books say',
      found: what,
    }))
  }

  /** The time comes at which whoever has the turn reads the ERPs and warehouses again. */
  #readAgain(): void {
    const { scheduler, outside, look } = this.#parts
    scheduler.after(READ_MS, {
      actor: outside,
      label: 'systems are read again',
      run: () => {
        void look(`update reading.turn set due_at = now() where company <> '*' and due_at > now()`)
        this.#readAgain()
      },
    })
  }
}
