/** People of a warehouse whose system is away: they go on by paper, and enter what the papers say while it says nothing. */
import { checkDigit } from '#capabilities/sscc.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Stock, World } from '#landscape/world/world.ts'
import type { Called } from '#platform/http-server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { warehousesOf } from '#tests/support/house-books.ts'
import { type CallerParts, openCaller } from './caller.ts'
import { CONFIGURED, type Counterparts, EAST_SITES, NEAR_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import { PLENTY } from './stock-people.ts'
import { timeAt } from './virtual-clock.ts'

/** A paper that was taken: once, whatever was lost on the way. */
export type Paper = { readonly reference: string; readonly lines: number }

export type PaperPeople = {
  readonly open: () => number
  readonly wrong: readonly string[]
  readonly taken: readonly Paper[]
}

type Parts = CallerParts & {
  readonly seed: string
  readonly world: World
  readonly landscape: Counterparts
  readonly day: WholeDay
  readonly look: Query
}

type Teller = 'wms' | 'eastWms'
type Open = {
  readonly request: string
  readonly company: string
  readonly location: string
  readonly line: number
  readonly sku: string
  readonly hasLots: boolean
  readonly quantity: number
}
type Line = {
  readonly line: number
  readonly quantity: string
  readonly lot?: string
  readonly short?: true
}
type Sheet = {
  readonly reference: string
  readonly kind: 'picked' | 'shipped'
  readonly final?: true
  readonly lines: readonly Line[]
}

const BY_HAND = '/process/inventory/v1/by-hand'
const ADJUSTMENTS = '/process/inventory/v1/adjustments'
const BEGINS_MS: [number, number] = [200, 1_500]
const AWAY_MS: [number, number] = [4_000, 7_000]
const LOOK_MS = 600
const PAUSE_MS: [number, number] = [0, 900]
/** A paper that lies for so long is entered when the system is back. */
const LIES_MS: [number, number] = [2_000, 9_000]
const COUNTS: [number, number] = [1, 3]
/** What one may enter alone, and what another has to see. */
const SOME: [number, number] = [1, 9]
const MUCH: [number, number] = [3_000, 5_000]
const SITES: Readonly<Record<Teller, readonly string[]>> = { wms: NEAR_SITES, eastWms: EAST_SITES }
/** What the house says of a paper of which it knows already. */
const KNOWN = new Set([
  'inventory.paper_known',
  'inventory.told_by_warehouse',
  'inventory.more_than_requested',
  'inventory.request_line_unknown',
])

/** Units with serials are told by their numbers, which nobody here has written down. */
const OPEN_REQUESTS = `
  select 'F-' || f.id as request, f.company, f.location, l.line, i.sku, i.lot_controlled as "hasLots",
    (l.quantity - l.shipped - l.short)::float8 as quantity
  from shipments.fulfillment f join shipments.fulfillment_line l on l.fulfillment_id = f.id
  join items.item i on i.id = l.item_id
  where f.location = any($1) and f.state in ('requested', 'accepted', 'picking')
    and l.quantity > l.shipped + l.short
  order by f.id, l.line`

export function openPaperPeople(parts: Parts): PaperPeople {
  const work = new PaperWork(parts)
  const tellers = ['wms', 'eastWms'] as const
  const drawn = tellers.filter((teller) => draw(parts.seed, 'away', teller) < 0.5)
  for (const teller of drawn.length > 0 ? drawn : tellers) work.begin(teller)
  return work
}

class PaperWork implements PaperPeople {
  readonly wrong: string[] = []
  readonly taken: Paper[] = []
  readonly #parts: Parts
  readonly #caller
  readonly #begun = new Set<string>()
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#caller = openCaller(parts)
  }

  /** The warehouses still work on what people have told of already. */
  open = (): number =>
    this.#open +
    warehousesOf(this.#parts.landscape)
      .flatMap(({ orders }) => orders)
      .filter(({ status }) => status === 'ACCEPTED' || status === 'PICKING').length

  begin(teller: Teller): void {
    const { seed, scheduler, outside } = this.#parts
    const run = (): void => void this.#away(teller).finally(() => this.#open--)
    this.#open++
    scheduler.after(drawInteger(seed, 'away-at', teller, BEGINS_MS), { actor: outside, label: 'away', run })
  }

  #side(work: Promise<void>): void {
    this.#open++
    void work.finally(() => this.#open--)
  }

  /** Nobody reaches it and it reaches nobody; what it was asked before goes on behind its closed doors. */
  async #away(teller: Teller): Promise<void> {
    const { seed, network, landscape, scheduler } = this.#parts
    const path = `/system/${CONFIGURED[teller]}/v1/events`
    const untilMs = scheduler.nowMs + drawInteger(seed, 'away-for', teller, AWAY_MS)
    network.cutOff.add(path)
    const [outage] = landscape[teller].faults.set({ kind: 'outage', mode: 'unavailable' })
    for (let nth = 0; nth < drawInteger(seed, 'paper-counts', teller, COUNTS); nth++)
      this.#side(this.#count(teller, `${teller}-${nth}`))
    while (scheduler.nowMs < untilMs) {
      await this.#lookAround(teller)
      await this.#caller.sleep(LOOK_MS)
    }
    landscape[teller].faults.clear(outage)
    network.cutOff.delete(path)
  }

  /** Somebody takes each request that is open: most of them are done by paper, some wait for the system. */
  async #lookAround(teller: Teller): Promise<void> {
    const rows = await this.#parts.look<Open>(OPEN_REQUESTS, [SITES[teller]])
    for (const [request, lines] of Map.groupBy(rows, (row) => row.request)) {
      if (this.#begun.has(request)) continue
      this.#begun.add(request)
      if (draw(this.#parts.seed, 'by-paper', request) < 0.8) this.#side(this.#do(lines))
    }
  }

  /** What is done of a request: one paper or two, in one of the ways in which people do it. */
  async #do(open: readonly Open[]): Promise<void> {
    const { seed } = this.#parts
    const { request } = open[0]!
    const all = open.map((line) => this.#lineOf(line, line.quantity))
    const some = open.map((line) => this.#lineOf(line, Math.ceil(line.quantity / 2)))
    const rest = open
      .filter(({ quantity }) => quantity > 1)
      .map((line) => this.#lineOf(line, Math.floor(line.quantity / 2)))
    const picked: Sheet = { reference: `pick-${request}`, kind: 'picked', lines: all }
    const whole: Sheet = { reference: `note-${request}`, kind: 'shipped', final: true, lines: all }
    const part: Sheet = { reference: `part-${request}`, kind: 'shipped', lines: some }
    const { reference, kind } = picked
    const found = some.map((line, nth) => ({ line, short: open[nth]!.quantity - Number(line.quantity) }))
    const short = found.flatMap(({ line, short: quantity }): Line[] =>
      quantity > 0 ? [{ line: line.line, quantity: String(quantity), short: true }] : [],
    )
    const ways: readonly (readonly Sheet[])[] = [
      [whole],
      [picked],
      [picked, whole],
      [part, { ...whole, lines: rest }],
      [{ ...part, final: true }],
      [{ reference, kind, lines: [...some, ...short] }],
      [part],
    ]
    const way = ways[Math.floor(draw(seed, 'way', request) * ways.length)]!
    await this.#pause(request)
    if (draw(seed, 'lies', request) < 0.3) await this.#sleep('lies-for', request, LIES_MS)
    for (const sheet of way) {
      await this.#enter(open[0]!, sheet)
      await this.#pause(sheet.reference)
    }
  }

  /** The lot that lies in front; the system may say another. */
  #lineOf({ company, location, line, sku, hasLots }: Open, quantity: number): Line {
    const told = { line, quantity: String(quantity) }
    if (!hasLots) return told
    const { landscape } = this.#parts
    const { stock } = (EAST_SITES.includes(location) ? landscape.eastWms : landscape.wms).truth()
    const lots = stock.filter((row) => row.site === location && row.owner === company && row.sku === sku)
    const enough = lots.find(({ qty, status }) => status === 'AVAIL' && qty >= quantity) ?? lots[0]
    return { ...told, lot: enough?.lot ?? 'L0' }
  }

  /** Two people may find the same paper, and neither knows of the other. */
  async #enter({ request, company }: Open, sheet: Sheet): Promise<void> {
    const { seed, scheduler } = this.#parts
    if (sheet.lines.length === 0) return
    const at = timeAt(scheduler.nowMs).toISOString()
    const label = sheet.kind === 'shipped' && { sscc: labelOf(request, sheet.final ?? false) }
    const body = { company, request, at, ...label, ...sheet }
    const keys = draw(seed, 'twice', sheet.reference) < 0.4 ? ['', '-again'] : ['']
    const answers = await Promise.all(
      keys.map((again) => this.#caller.post(BY_HAND, `${sheet.reference}${again}`, body)),
    )
    const accepted = answers.filter(({ status }) => status === 201)
    if (accepted.length > 0) this.taken.push({ reference: sheet.reference, lines: sheet.lines.length })
    if (accepted.length > 1) this.wrong.push(`${sheet.reference} was taken twice`)
    for (const answer of answers)
      if (answer.status !== 201 && !KNOWN.has(codeOf(answer)))
        this.wrong.push(`${sheet.reference} was not taken: ${answer.status} ${answer.body}`)
  }

  /** People find or miss some; when the system is back it is told the same, something else, parts of it, or nothing. */
  async #count(teller: Teller, key: string): Promise<void> {
    const { seed, network } = this.#parts
    const { company, item: sku, site: location, lot } = this.#shelf(teller, key)
    const isMuch = draw(seed, 'counted-much', key) < 0.3
    const quantity = drawInteger(seed, 'counted', key, isMuch ? MUCH : SOME)
    // a lot that only came is not known to be there before somebody names it
    const kind = isMuch || lot !== '' || draw(seed, 'counted-found', key) < 0.6 ? 'found' : 'lost'
    const delta = kind === 'found' ? quantity : -quantity
    const half = Math.trunc(delta / 2)
    const words = [[delta], [delta + 2], [half, delta - half], [delta, 1], []]
    const said = words[Math.floor(draw(seed, 'counts-said', key) * words.length)]!
    await this.#pause(`count ${key}`)
    const line = { kind, sku, location, quantity: String(quantity), ...(lot && { lot }) }
    this.#side(this.#enterCount({ company, key, line }))
    const path = `/system/${CONFIGURED[teller]}/v1/events`
    while (network.cutOff.has(path)) await this.#caller.sleep(LOOK_MS)
    for (const [nth, one] of said.filter((some) => some !== 0).entries()) {
      await this.#pause(`told ${key} ${nth}`)
      const place = { site: location, owner: company, sku, lot }
      this.#parts.landscape[teller].adjust({ ...place, delta: one, reason: 'COUNT' })
    }
  }

  async #enterCount({ company, key, line }: { company: string; key: string; line: object }): Promise<void> {
    const { seed } = this.#parts
    const reference = `sheet-${key}`
    const body = { company, reason: 'outage', reference, lines: [line] }
    const entered = await this.#caller.post(ADJUSTMENTS, reference, body)
    const { id, state } = JSON.parse(entered.body) as { readonly id?: string; readonly state?: string }
    if (entered.status >= 300) return void this.wrong.push(`${reference} was not taken: ${entered.body}`)
    this.taken.push({ reference, lines: 1 })
    if (state === 'booked') return
    await this.#sleep('decides', key, LIES_MS)
    const verdict = draw(seed, 'decision', key) < 0.7 ? 'approve' : 'reject'
    const url = `${ADJUSTMENTS}/${id}:${verdict}`
    const decided = await this.#caller.post(
      url,
      `${reference}-${verdict}`,
      { reason: reference },
      'controller',
    )
    if (decided.status !== 200) this.wrong.push(`${reference} was not decided: ${decided.body}`)
  }

  /** Of which there is more than orders claim. */
  #shelf(teller: Teller, key: string): Stock {
    const { seed, world } = this.#parts
    const rows = world.stock.filter(
      ({ status, quantity, site }) =>
        status === 'available' && quantity >= PLENTY && SITES[teller].includes(site),
    )
    return rows[drawInteger(seed, 'counts-at', key, [0, rows.length - 1])]!
  }

  #pause = (key: string): Promise<void> => this.#sleep('paper-pause', key, PAUSE_MS)

  #sleep(name: string, key: string, ms: [number, number]): Promise<void> {
    return this.#caller.sleep(drawInteger(this.#parts.seed, name, key, ms))
  }
}

/** Of all that is done of a request by one paper; partners by EDI scan it. */
function labelOf(request: string, isLast: boolean): string {
  const digits = `0061414${isLast ? 9 : 8}${request.replace('F-', '').padStart(9, '0')}`
  return `${digits}${checkDigit(digits)}`
}

const codeOf = ({ body }: Called): string => (JSON.parse(body) as { readonly code?: string }).code ?? ''
