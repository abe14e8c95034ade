/** A warehouse that tells of stock by files in a folder: in its numbering, now and then, and again when something is missing. */
import { join } from 'node:path'
import type { Config } from '../../src/config-schema.ts'
import { Feeds } from '../../src/config-stock.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { WmsEvent } from '#landscape/wms/shapes.ts'
import type { Adjustment } from '#landscape/wms/store.ts'
import type { Stock, World } from '#landscape/world/world.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type Act, ACTS as ACTS_OF_OTHERS, Consigned, type Goods, RELEASE } from './consigned.ts'
import { CONFIGURED, type Counterparts, EAST_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { FaultScript } from './fault-script.ts'
import type { MemoryFiles } from './memory-files.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { PLENTY } from './stock-people.ts'
import { timeAt } from './virtual-clock.ts'

export const FEED = 'east-files'
export const FOLDER = '/feeds/east'

/** Only what ships is told by its messages. */
const BY_MESSAGE = { ship: 'none', 'ship-other': 'none' } as const
const BY_FILE = {
  receipt: 'none',
  count: 'none',
  'pick-short': 'none',
  damage: 'none',
  'quality-hold': 'none',
  'quality-release': 'none',
} as const

/** The eastern warehouse tells by files what its messages then do not move. */
export function fed(config: Config): Pick<Config, 'systems' | 'feeds'> {
  const name = CONFIGURED.eastWms
  const { stock, ...system } = config.systems[name]!
  const moves = { ...stock.moves, ...BY_FILE }
  return {
    systems: { ...config.systems, [name]: { ...system, stock: { ...stock, moves } } },
    feeds: Feeds.parse({ [FEED]: { locations: EAST_SITES, directory: FOLDER, moves: BY_MESSAGE } }),
  }
}

export type FilePeople = {
  readonly open: () => number
  /** Names of files of which a line cannot be taken. */
  readonly bad: readonly string[]
  /** What each other owner has there, and how much was told of it. */
  lying(): string[]
  heard(): string[]
  /** Faults have ended: the warehouse counts once more what it has told of, so that a lost word leaves a gap. */
  peace(): void
}

type Parts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly outside: Actor
  readonly landscape: Counterparts
  readonly files: MemoryFiles
  readonly day: WholeDay
  readonly look: Query
}

const HEAD =
  'company,location,sku,owner,lot,reason,quantity,sequence,mark,purchase_order,purchase_order_line,at' as const
const COUNT_HEAD = 'company,location,sku,owner,available,quality_hold,damaged,sequence,mark,taken_at' as const
const TELLS_MS = 900
const LATE_MS: [number, number] = [1_000, 6_000]
/** Whoever finds out that a file was cut or had a wrong line sends what is right. */
const MENDS_MS: [number, number] = [1_500, 4_000]
const LOOKS_MS = 3_000
const ACTS_MS: [number, number] = [0, 4_000]
const COUNTS: [number, number] = [1, 2]
const ACTS: readonly Pick<Adjustment, 'delta' | 'reason'>[] = [
  { reason: 'COUNT', delta: 5 },
  { reason: 'HOLD', delta: -2 },
  { reason: 'DAMAGE', delta: -1 },
  { reason: 'COUNT', delta: -3 },
  { reason: 'RELEASE', delta: -1 },
]
const REASONS: Readonly<Record<string, string>> = {
  COUNT: 'count',
  PICK_SHORT: 'pick-short',
  DAMAGE: 'damage',
  HOLD: 'quality-hold',
  RELEASE: 'quality-release',
}
const ALL_OF_OTHERS: readonly Act[] = [...ACTS_OF_OTHERS, RELEASE]
/** On so many days who counts looks through the goods of others too. */
const LOOKED_THROUGH_SHARE = 0.5
const STILL_MISSING = `
  select from exceptions.exception where code = 'inventory.facts_missing' and closed_at is null`

export function openFilePeople(parts: Parts): FilePeople {
  const work = new FileWork(parts)
  work.begin()
  return work
}

class FileWork implements FilePeople {
  readonly bad: string[] = []
  readonly #parts: Parts
  readonly #told: string[] = []
  readonly #shelves: readonly Stock[]
  readonly #consigned: Consigned
  /** Lines of others for the next file. */
  readonly #untold: string[] = []
  readonly #looksThrough: boolean
  #countedMs = -1
  #seen = 0
  #open = 0
  #names = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#shelves = shelvesOf(parts)
    this.#consigned = new Consigned(this.#shelves, (goods, act) =>
      this.#untold.push(this.#lineOf(goods, act)),
    )
    this.#looksThrough = draw(parts.seed, 'others are counted', 0) < LOOKED_THROUGH_SHARE
  }

  begin(): void {
    const { seed, day } = this.#parts
    for (const [nth, shelf] of this.#shelves.entries()) {
      const times = ACTS.map((_, step) => drawInteger(seed, 'file-act', `${nth}-${step}`, ACTS_MS))
      for (const [step, ms] of times.toSorted((a, b) => a - b).entries())
        this.#later(ms, () => this.#adjust(shelf, ACTS[step]!))
    }
    for (const goods of this.#consigned.goods)
      for (const [step] of ALL_OF_OTHERS.entries())
        this.#later(drawInteger(seed, 'file-act', `${goods.owner}-${step}`, ACTS_MS), () => this.#keep(goods))
    for (let nth = 0; nth < drawInteger(seed, 'file-counts', 0, COUNTS); nth++)
      this.#later(drawInteger(seed, 'file-counts-at', nth, [0, day.peaceAfterMs]), () => this.#count())
    this.#tell()
  }

  open = (): number => {
    const { files } = this.#parts
    const isPutAway = (path: string): boolean =>
      path.startsWith(`${FOLDER}/done/`) || path.startsWith(`${FOLDER}/refused/`)
    const lying = files.below(FOLDER).filter((path) => !isPutAway(path))
    return this.#open + lying.length + this.#events().length - this.#seen + this.#untold.length
  }

  lying = (): string[] => this.#consigned.lying()
  heard = (): string[] => this.#consigned.heard()

  /** Half of them send all again by themselves, the others when they are told that something is missing, or count. */
  peace(): void {
    const { seed, landscape } = this.#parts
    const places = new Map(
      this.#events().map((event) => [`${word(event['site'])} ${word(event['sku'])}`, event]),
    )
    for (const { site, owner, sku, lot } of [...places.values()] as unknown as Place[])
      landscape.eastWms.adjust({ site, owner, sku, lot, delta: 1, reason: 'COUNT' })
    this.#consigned.countOneMore()
    if (this.#looksThrough) this.#countOthers()
    const ways = [() => this.#sendAgain(), () => this.#untilComplete(), () => this.#count()]
    const way = ways[Math.floor(draw(seed, 'files-mended', 0) * ways.length)]!
    this.#later(TELLS_MS, way)
    this.#later(LOOKS_MS, () => this.#untilComplete())
  }

  /** The next of their acts, whichever of two at one moment comes first; not in a moment that a count contains. */
  #keep(goods: Goods): void {
    if (this.#parts.scheduler.nowMs === this.#countedMs) return this.#later(1, () => this.#keep(goods))
    this.#consigned.act(goods, ALL_OF_OTHERS[goods.sequence]!)
  }

  #later(ms: number, run: () => void): void {
    const { scheduler, outside } = this.#parts
    this.#open++
    scheduler.after(ms, {
      actor: outside,
      label: 'files of stock',
      run: () => {
        this.#open--
        run()
      },
    })
  }

  #events = (): WmsEvent[] =>
    this.#parts.landscape.eastWms.truth().events.filter((event) => 'stock_sequence' in event)

  #adjust({ site, company: owner, item: sku, lot }: Stock, act: Pick<Adjustment, 'delta' | 'reason'>): void {
    this.#parts.landscape.eastWms.adjust({ site, owner, sku, lot, ...act })
  }

  /** What was told since the last file is the next one. */
  #tell(): void {
    const { scheduler, outside } = this.#parts
    const events = this.#events().slice(this.#seen)
    this.#seen += events.length
    const lines = [...events.map(lineOf), ...this.#untold.splice(0)]
    this.#told.push(...lines)
    if (lines.length > 0) this.#send(`${++this.#names}.csv`, HEAD, lines)
    scheduler.after(TELLS_MS, { actor: outside, label: 'files of stock', run: () => this.#tell() })
  }

  #sendAgain(): void {
    if (this.#told.length > 0) this.#send(`again-${++this.#names}.csv`, HEAD, this.#told)
  }

  /** Somebody looks whether the house misses something, and sends all again. */
  #untilComplete(): void {
    this.#parts.scheduler.after(LOOKS_MS, {
      actor: this.#parts.outside,
      label: 'what is missing is looked for',
      run: () => void this.#mendMissing(),
    })
  }

  async #mendMissing(): Promise<void> {
    const missing = await this.#parts.look(STILL_MISSING)
    if (missing.length > 0) this.#sendAgain()
    this.#untilComplete()
  }

  /** Of what nothing ships, so that no message of a shipment is on its way that the count contains. */
  #count(): void {
    const { landscape, scheduler } = this.#parts
    const { stock, events } = landscape.eastWms.truth()
    const takenAt = timeAt(scheduler.nowMs).toISOString()
    const mark = Math.max(0, ...events.map(({ sequence }) => sequence))
    const lines = this.#shelves.map(({ company, site, item }) => {
      const here = stock.filter((row) => row.owner === company && row.site === site && row.sku === item)
      const there = (status: string): number =>
        here.reduce((sum, row) => (row.status === status ? sum + row.qty : sum), 0)
      const own = events.filter((event) => event['site'] === site && event['sku'] === item)
      const sequence = Math.max(0, ...own.map((event) => Number(event['stock_sequence'] ?? 0)))
      const counted = [there('AVAIL'), there('HOLD'), there('DAMAGED')]
      return [company, site, item, '', ...counted, sequence, mark, takenAt].join(',')
    })
    const others = this.#looksThrough ? this.#linesOfOthers(mark) : []
    this.#send(`count-${++this.#names}.csv`, COUNT_HEAD, [...lines, ...others])
  }

  /** Beside none of ours. */
  #countOthers(): void {
    const lines = this.#linesOfOthers('')
    if (lines.length > 0) this.#send(`count-${++this.#names}.csv`, COUNT_HEAD, lines)
  }

  #linesOfOthers(mark: number | ''): string[] {
    const { nowMs } = this.#parts.scheduler
    this.#countedMs = nowMs
    this.#consigned.lookThrough()
    return this.#consigned.here.map(({ shelf, owner, available, hold, damaged, sequence }) => {
      const place = [shelf.company, shelf.site, shelf.item, owner]
      return [...place, available, hold, damaged, sequence, mark, timeAt(nowMs).toISOString()].join(',')
    })
  }

  #lineOf({ shelf, owner, sequence }: Goods, { reason, quantity }: Act): string {
    const { company, site, item } = shelf
    const at = timeAt(this.#parts.scheduler.nowMs).toISOString()
    return [company, site, item, owner, '', reason, quantity, sequence, '', '', '', at].join(',')
  }

  #send(name: string, head: string, lines: readonly string[]): void {
    const { seed, faults } = this.#parts
    const ms = (what: string, range: [number, number]): number => drawInteger(seed, what, name, range)
    const whole = textOf(head, lines)
    if (faults.strikes('file-twice', name)) this.#drop(`twice-${name}`, whole, ms('twice-late', LATE_MS))
    if (faults.strikes('file-lost', name)) return
    const lateMs = faults.strikes('file-late', name) ? ms('file-late', LATE_MS) : 0
    if (faults.strikes('file-cut', name)) {
      const at = drawInteger(seed, 'cut-at', name, [head.length + 2, whole.length - 2])
      this.#drop(`cut-${name}`, whole.slice(0, at), lateMs)
      return this.#drop(name, whole, lateMs + ms('mended', MENDS_MS))
    }
    if (!faults.strikes('line-bad', name)) return this.#drop(name, whole, lateMs)
    const nth = drawInteger(seed, 'bad-line', name, [0, lines.length - 1])
    const wrong = lines[nth]!.replace(/^([^,]+,[^,]+),[^,]+/, '$1,NOTHING')
    const isCount = head === COUNT_HEAD
    // of all that is there, and of no item of its site that it does not name may it be taken to say that it is gone;
    // what is wrong of another owner leaves our count whole
    const named = isCount && ownerOf(wrong) === '' ? name.replace('.csv', '.whole.csv') : name
    const isWithIt = (line: string): boolean => !isCount || siteOf(line) === siteOf(wrong)
    const others = lines.filter((line) => !isWithIt(line))
    this.bad.push(named)
    this.#drop(named, textOf(head, lines.with(nth, wrong).filter(isWithIt)), lateMs)
    if (others.length > 0) this.#drop(`others-${name}`, textOf(head, others), lateMs)
    this.#drop(`right-${name}`, textOf(head, [lines[nth]!]), lateMs + ms('mended', MENDS_MS))
  }

  #drop(name: string, text: string, afterMs: number): void {
    const { files } = this.#parts
    if (afterMs === 0) return files.put(join(FOLDER, name), text)
    this.#later(afterMs, () => files.put(join(FOLDER, name), text))
  }
}

type Place = { readonly site: string; readonly owner: string; readonly sku: string; readonly lot: string }

const ownerOf = (line: string): string | undefined => line.split(',')[3]
const siteOf = (line: string): string | undefined => line.split(',')[1]

const textOf = (head: string, lines: readonly string[]): string => `${[head, ...lines].join('\n')}\n`

/** Times stand last, so that a line that is cut cannot be read. */
function lineOf(event: WmsEvent): string {
  const { type, site, owner, sku, lot, delta_qty: delta, qty, po_number: number, po_line: line } = event
  const isReceipt = type === 'inventory.received'
  const reason = isReceipt ? 'receipt' : REASONS[word(event['reason'])]!
  const moved = Number(isReceipt ? qty : delta)
  const quantity = reason.startsWith('quality') ? Math.abs(moved) : moved
  const numbers = [event['stock_sequence'], event.sequence]
  const order = isReceipt ? [number, line] : ['', '']
  return [owner, site, sku, '', lot, reason, quantity, ...numbers, ...order, event['occurred_at']]
    .map(word)
    .join(',')
}

/** Of what nobody orders any more and there is plenty. */
function shelvesOf({ seed, world }: Parts): Stock[] {
  const old = new Set(
    world.items.flatMap(({ number, discontinued, lotControlled }) =>
      discontinued && !lotControlled ? [number] : [],
    ),
  )
  const rows = world.stock.filter(
    ({ status, item, site, quantity }) =>
      status === 'available' && old.has(item) && EAST_SITES.includes(site) && quantity >= PLENTY,
  )
  const first = drawInteger(seed, 'files-shelf', 0, [0, rows.length - 1])
  return [...new Set([rows[first]!, rows[(first + 1) % rows.length]!])]
}

const word = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
