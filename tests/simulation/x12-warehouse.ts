/** A warehouse that is run by X12: it is asked by 940, ships after a while, receives, adjusts and counts, and tells all of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../src/config-schema.ts'
import { faultBoard } from '#landscape/faults.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { WmsTruth } from '#landscape/wms/server.ts'
import { STATUS, type WmsEvent } from '#landscape/wms/shapes.ts'
import type { Shelf } from '#landscape/wms/stock.ts'
import { type Adjustment, Warehouse } from '#landscape/wms/store.ts'
import { type Stock, type World, worldAt } from '#landscape/world/world.ts'
import { thirdPartyGuide } from '#tests/support/third-party-guide.ts'
import { X12_SITE as SITE } from './counterparts.ts'
import { type Act, ACTS as ACTS_OF_OTHERS, Consigned, type Goods, RELEASE as LETS_GO } from './consigned.ts'
import { OWNERS } from './owner-people.ts'
import type { Heard } from './partners.ts'
import { PLENTY } from './stock-people.ts'
import { virtualClock } from './virtual-clock.ts'
import { type MailParts, X12Mail } from './x12-mail.ts'
import {
  ADJUSTED,
  adjustmentAdvice,
  CARRIERS,
  COUNTED,
  type Counted,
  inventoryAdvice,
  receiptAdvice,
  shipmentOf,
  shippingAdvice,
} from './x12-words.ts'

export const X12 = 'columbus-3pl'
const COMPANY = 'NWF'

/** As its documents call another owner. */
const nameOf = (owner: string): string => `${owner} TRADING`

const GUIDE = thirdPartyGuide({
  partner: X12,
  company: COMPANY,
  location: SITE,
  receives: ['944', '945', '947', '846', '997'],
  carriers: CARRIERS,
  warehouse: {
    adjustments: {
      [ADJUSTED.COUNT]: 'count',
      [ADJUSTED.DAMAGE]: 'damage',
      [ADJUSTED.HOLD]: 'quality-hold',
      [ADJUSTED.RELEASE]: 'quality-release',
    },
    owners: Object.fromEntries(OWNERS.map((owner) => [nameOf(owner), owner])),
  },
  stock: { [COUNTED.available]: 'available', [COUNTED.hold]: 'qualityHold', [COUNTED.damaged]: 'damaged' },
  timeZone: 'America/New_York',
})

export const writeX12Guide = (folder: string): void =>
  writeFileSync(join(folder, `${X12}.json`), JSON.stringify(GUIDE))

/** The site is asked by EDI instead of by its system. */
export const runByX12 = ({ locations }: Config): Pick<Config, 'locations'> => ({
  locations: locations.map((one) =>
    one.code === SITE ? { ...one, company: COMPANY, type: '3pl', wms: X12 } : one,
  ),
})

export type X12Parts = Omit<MailParts, 'guide' | 'asked'> & { readonly world: World }

const NO_WEBHOOKS = { queued: 0, delivered: 0, retried: 0, givenUp: 0, dropped: 0 } as const
const PACE = { pickAfterMs: 500, shipAfterMs: 900 }
const SHORT_SHARE = 0.15
const SPLIT_SHARE = 0.4
const ACTS_MS: [number, number] = [0, 4_500]
const COMES_MS: [number, number] = [500, 4_500]
const COUNTS: [number, number] = [1, 3]
/** Books were opened before the day began, by a clock that begins with it. */
const COUNTS_MS: [number, number] = [2_500, 6_000]
const SECOND_MS = 1_000
const ACTS: readonly Pick<Adjustment, 'delta' | 'reason'>[] = [
  { reason: 'COUNT', delta: 5 },
  { reason: 'HOLD', delta: -2 },
  { reason: 'DAMAGE', delta: -1 },
  { reason: 'COUNT', delta: -3 },
]
const [COMES, ...KEEPS] = ACTS_OF_OTHERS
const REASONS: Readonly<Record<string, keyof typeof ADJUSTED>> = {
  count: 'COUNT',
  damage: 'DAMAGE',
  'quality-hold': 'HOLD',
  'quality-release': 'RELEASE',
}
/** Nothing numbers what is told by X12, so only what we know to be on hold is let go. */
const RELEASE = { reason: 'RELEASE', delta: -1 } as const

export function openX12Warehouse(parts: X12Parts): X12Warehouse {
  const warehouse = new X12Warehouse(parts)
  warehouse.begin()
  return warehouse
}

export class X12Warehouse {
  readonly mail: X12Mail
  readonly #parts: X12Parts
  readonly #warehouse: Warehouse
  readonly #consigned: Consigned
  readonly #events: WmsEvent[] = []
  /** What our files call the requests that it has. */
  readonly #names = new Map<string, string>()
  /** By request, what is told once the part before it is acknowledged. */
  readonly #behind = new Map<string, (() => void)[]>()
  #open = 0
  #counts = 0
  readonly #counted: {
    readonly atMs: number
    readonly skus: ReadonlySet<string>
    readonly wrong?: string | undefined
  }[] = []
  #movedMs = -1

  constructor(parts: X12Parts) {
    const { seed, world, scheduler, outside } = parts
    this.#parts = parts
    const clock = virtualClock(scheduler, outside)
    const faults = faultBoard(clock, seed, X12)
    faults.set([
      { kind: 'short-pick', share: SHORT_SHARE, adjust: true },
      { kind: 'split-shipment', share: SPLIT_SHARE },
    ])
    this.#warehouse = new Warehouse({
      clock,
      seed,
      world: worldAt(world, [SITE]),
      faults,
      keep: 'all',
      visibilityLagMs: 0,
      pace: PACE,
      announcePicking: false,
      tellPicks: [],
      enforceCutOff: false,
      endlessStock: false,
      publish: (event) => this.#tell(event),
    })
    this.mail = new X12Mail({ ...parts, guide: GUIDE, asked: (document) => this.#asked(document) })
    this.#consigned = new Consigned([this.#shelf()], (goods, act) => this.#tellOfOther(goods, act))
  }

  begin(): void {
    const { seed } = this.#parts
    for (const [asnId, { quantity }] of this.#warehouse.inbound) {
      const part = Math.ceil(quantity * draw(seed, 'x12 part', asnId))
      this.#later(drawInteger(seed, 'x12 comes', asnId, COMES_MS), () => this.#warehouse.receive(asnId, part))
      this.#later(drawInteger(seed, 'x12 rest comes', asnId, COMES_MS), () => this.#warehouse.receive(asnId))
    }
    const shelf = this.#shelf()
    for (const [step, ms] of this.#times(ACTS.length).entries())
      this.#later(ms, () => this.#adjust(shelf, ACTS[step]!))
    for (const goods of this.#consigned.goods)
      this.#later(drawInteger(seed, 'x12 comes', goods.owner, COMES_MS), () =>
        this.#consigned.act(goods, COMES),
      )
    for (let nth = 0; nth < drawInteger(seed, 'x12 counts', 0, COUNTS); nth++)
      this.#later(drawInteger(seed, 'x12 counts at', nth, COUNTS_MS), () => this.#count('line-bad'))
  }

  open = (): number =>
    this.#open +
    this.mail.open() +
    this.#warehouse.orders().filter(({ status }) => status === 'ACCEPTED' || status === 'PICKING').length

  /** What each other owner has there. */
  lying = (): string[] => this.#consigned.lying()

  /** As warehouse systems know what they have and did; our numbers of requests are the names of our files. */
  truth = (): WmsTruth => ({
    orders: this.#warehouse
      .orders()
      .map((order) => ({ ...order, wms_order_id: this.#names.get(order.external_ref)! })),
    events: this.#events.map((event) => ({
      ...event,
      shipment_id: `${shipmentOf(event)}/${String(event['external_ref'])}`,
    })),
    stock: this.#warehouse.shelves.rows(null, null).map(({ status, quantity, ...place }) => ({
      ...place,
      status: STATUS[status],
      qty: quantity,
    })),
    sequence: this.#warehouse.lastSequence(),
    webhooks: NO_WEBHOOKS,
  })

  /** Of so many acts, in order. */
  #times(count: number, owner = ''): number[] {
    const times = Array.from({ length: count }, (_, step) =>
      drawInteger(this.#parts.seed, 'x12 act', `${owner}${step}`, ACTS_MS),
    )
    return times.toSorted((a, b) => a - b)
  }

  #later(ms: number, run: () => void): void {
    const { scheduler, outside } = this.#parts
    this.#open++
    scheduler.after(ms, {
      actor: outside,
      label: 'warehouse by X12',
      run: () => {
        this.#open--
        run()
      },
    })
  }

  /** Of what nobody orders any more and there is plenty, or of what orders want as well. */
  #shelf(): Stock {
    const { seed, world } = this.#parts
    const awaited = new Set(world.receipts.map(({ item }) => item))
    const rows = world.stock.filter(
      ({ site, status, item, quantity }) =>
        site === SITE && status === 'available' && quantity >= PLENTY && !awaited.has(item),
    )
    return rows[drawInteger(seed, 'x12 shelf', 0, [0, rows.length - 1])]!
  }

  #release({ reason, ...event }: WmsEvent): void {
    const place = { site: SITE, owner: COMPANY, sku: String(event['sku']), lot: String(event['lot']) }
    if (reason === 'HOLD') this.#warehouse.adjust({ ...place, ...RELEASE })
  }

  #adjust({ item: sku, lot }: Stock, act: Pick<Adjustment, 'delta' | 'reason'>): void {
    this.#warehouse.adjust({ site: SITE, owner: COMPANY, sku, lot, ...act })
  }

  #asked(document: Heard): void {
    const { external_ref: reference, ...request } = requestIn(document)
    if (this.#names.has(reference)) return
    this.#names.set(reference, `940_${document.control.padStart(9, '0')}`)
    this.#warehouse.plan([this.#warehouse.accept({ ...request, external_ref: reference })])
  }

  #tell(event: WmsEvent): void {
    const { nowMs } = this.#parts.scheduler
    this.#events.push(event)
    this.#movedMs = nowMs
    switch (event.type) {
      case 'shipment.confirmed':
      case 'order.short':
        this.#tellShipment(event, nowMs)
        // Only who looks again knows what became of what was not found.
        if ((event['short_lines'] as unknown[]).length > 0) this.#later(0, () => this.#count())
        return
      case 'inventory.received':
        return this.mail.say('944', receiptAdvice(event, nowMs))
      case 'inventory.adjusted':
        return this.mail.say('947', adjustmentAdvice(event, nowMs), () => this.#release(event))
      default:
        throw new Error(`nothing in X12 says ${event.type}`)
    }
  }

  #tellOfOther(goods: Goods, { reason, quantity }: Act): void {
    const { scheduler, world } = this.#parts
    const { owner, shelf, sequence } = goods
    const { baseUnit } = world.items.find(({ number }) => number === shelf.item)!
    const told = { goods_of: nameOf(owner), sequence, sku: shelf.item, uom: baseUnit } as const
    if (reason === 'receipt')
      return this.mail.say('944', receiptAdvice({ ...told, qty: quantity }, scheduler.nowMs), () =>
        this.#keep(goods),
      )
    const advice = adjustmentAdvice(
      { ...told, reason: REASONS[reason], delta_qty: quantity },
      scheduler.nowMs,
    )
    this.mail.say('947', advice, () => {
      if (reason === 'quality-hold') this.#consigned.act(goods, LETS_GO)
    })
  }

  /** Nobody counts them for us, so of them too only what we know to be there goes. */
  #keep(goods: Goods): void {
    for (const [step, ms] of this.#times(KEEPS.length, goods.owner).entries())
      this.#later(ms, () => this.#consigned.act(goods, KEEPS[step]!))
    this.#later(COUNTS_MS[0], () => this.#countOfOther(goods))
  }

  /** Nothing numbers the parts of a request either: the last of them, which ends it, is told behind the others. */
  #tellShipment(event: WmsEvent, ms: number): void {
    const reference = String(event['external_ref'])
    const behind = this.#behind.get(reference)
    const tell = (): void =>
      this.mail.say('945', shippingAdvice(event, ms), () => this.#behind.get(reference)?.shift()?.())
    if (behind) return void behind.push(tell)
    this.#behind.set(reference, [])
    tell()
  }

  /** Items of which a line could not be read, and that no count of then or later has named otherwise. */
  unread(): ReadonlySet<string> {
    const since = new Map<string, number>()
    const ofItems = this.#counted.toSorted((a, b) => a.atMs - b.atMs)
    for (const { atMs, wrong } of ofItems) if (wrong !== undefined) since.set(wrong, atMs)
    for (const { atMs, skus, wrong } of ofItems)
      for (const sku of skus) if (sku !== wrong && atMs >= (since.get(sku) ?? atMs + 1)) since.delete(sku)
    return new Set(since.keys())
  }

  /** In a second in which nothing has moved yet, as of the one before: what moves from now on is told with a later one. */
  #count(fault?: 'line-bad'): void {
    const { seed, faults } = this.#parts
    const { nowMs } = this.#parts.scheduler
    const beganMs = nowMs - (nowMs % SECOND_MS)
    if (this.#movedMs >= beganMs) return this.#later(beganMs + SECOND_MS - nowMs, () => this.#count(fault))
    const shelves = this.#warehouse.shelves.rows(SITE, COMPANY)
    const number = `S-${++this.#counts}`
    const atMs = beganMs - SECOND_MS
    const isBad = fault !== undefined && faults.strikes(fault, `846 ${number}`)
    const wrong = isBad
      ? inSomeLots(shelves, (most) => drawInteger(seed, 'wrong', number, [0, most]))
      : undefined
    this.#counted.push({ atMs, skus: new Set(shelves.map(({ sku }) => sku)), wrong: wrong?.sku })
    this.#sayCount(shelves, { number, atMs, wrong })
  }

  /** We take no counts of others by X12, whatever stands in them: somebody is told. */
  #countOfOther({ owner, shelf, available }: Goods): void {
    const there = { sku: shelf.item, lot: '', status: 'available', quantity: available } as const
    const number = `S-${++this.#counts}`
    this.#sayCount([there], { number, atMs: this.#parts.scheduler.nowMs, goods_of: nameOf(owner) })
  }

  #sayCount(shelves: Parameters<typeof inventoryAdvice>[0], counted: Omit<Counted, 'unitOf'>): void {
    const { items } = this.#parts.world
    const unitOf = (sku: string): string => items.find(({ number }) => number === sku)!.baseUnit
    this.mail.say('846', inventoryAdvice(shelves, { ...counted, unitOf }))
  }
}

/** One of those of which most lots are there. */
function inSomeLots<S extends Pick<Shelf, 'sku' | 'lot'>>(
  shelves: readonly S[],
  pick: (most: number) => number,
): S {
  const items = [...Map.groupBy(shelves, ({ sku }) => sku).values()]
  const lotsOf = (rows: readonly S[]): number => new Set(rows.map(({ lot }) => lot)).size
  const most = Math.max(...items.map(lotsOf))
  const rows = items.filter((own) => lotsOf(own) === most).flat()
  return rows[pick(rows.length - 1)]!
}

const WANTED = 'W01'

/** A 940 as the warehouse's own system has it. */
function requestIn({ segments }: Heard) {
  const [, , reference = '', customer] = segments.find(([name]) => name === 'W05')!
  const starts = segments.flatMap(([name], at) => (name === WANTED ? [at] : []))
  const lines = starts.map((at, nth) => {
    const [, qty, uom, , , sku, ...rest] = segments[at]!
    const after = segments.slice(at, starts[nth + 1])
    const valueOf = (name: string, qualifier: string): string | undefined =>
      after.find(([first, second]) => first === name && second === qualifier)?.[2]
    return {
      line_no: valueOf('N9', 'LI'),
      sku,
      qty,
      uom,
      // W0113
      lot: rest[7],
      min_expiry: valueOf('G62', '36')?.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'),
    }
  })
  return { external_ref: reference, owner: COMPANY, site: SITE, customer_ref: customer, lines }
}
