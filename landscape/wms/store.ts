/** The warehouse at work: orders accepted, picked, shipped; stock moved; each of it an event in one sequence. */
import { type Fields, text } from '../fields.ts'
import type { Clock } from '#platform/clock.ts'
import type { FaultBoard } from '../faults.ts'
import { kept, type Keep, type Kept } from '../kept.ts'
import { purchaseOrderOf, type Receipt, type World } from '../world/world.ts'
import { type Adjustment, STATUS_CHANGES } from './adjustments.ts'
import { cutOffAt } from './cut-off.ts'
import { linesIn } from './lines.ts'
import { type Packing, packingId, putLabels, toldToLabel } from './labels.ts'
import { pack, pick, type Floor, type Picked, toldOfPackages, toldOfPicks } from './picking.ts'
import { STATUS, uom, type OutboundOrder, type Package, type ShortLine, type WmsEvent } from './shapes.ts'
import { WmsRefusal } from './refusal.ts'
import { type Place, Shelves, type ShelvesMemory } from './stock.ts'

export type Pace = { pickAfterMs: number; shipAfterMs: number }

export type WarehouseOptions = {
  clock: Clock
  seed: string
  world: World
  faults: FaultBoard
  keep: Keep
  visibilityLagMs: number
  pace: Pace
  announcePicking: boolean
  /** Sites that tell of picks and packages; the others tell of the shipment alone. */
  tellPicks: readonly string[]
  /** Sites that wait for labels of ours, and for how long: then they ship under labels of their own. */
  waitForLabels?: Readonly<Record<string, number>>
  enforceCutOff: boolean
  endlessStock: boolean
  /** Packages are numbered behind this one: no two warehouses give a carrier the same number. Default 0. */
  packagesAfter?: number
  publish: (event: WmsEvent) => void
}

/** A part of an order that ships at once: picked, and packed where that is told before it ships. */
type Part = { picked: Picked; packages?: Package[] }
export type Known = OutboundOrder & { seenFromMs: number; events: number; parts?: Part[]; packing?: Packing }
export type { Adjustment }

/** What the warehouse knows when its program ends. */
export type WarehouseMemory = {
  shelves: ShelvesMemory
  /** Of which receipt how much has come. */
  received: [asnId: string, quantity: number][]
  orders: Known[]
  last: { sequence: number; order: number; shipment: number; package: number; packing?: number }
}

export class Warehouse {
  readonly shelves: Shelves
  readonly inbound: Map<string, Receipt & { came: number }>
  private readonly options: WarehouseOptions
  private readonly floor: Floor
  readonly byId: Kept<Known>
  private readonly byReference: Kept<Known>
  private readonly timers = new Set<() => void>()
  private sequence = 0
  private lastOrder = 12_344
  private lastShipment = 0
  private lastPacking = 0
  private lastPackage: number

  constructor(options: WarehouseOptions) {
    const { world, keep, faults, seed } = options
    this.options = options
    this.lastPackage = options.packagesAfter ?? 0
    const numbered = new Set(world.items.flatMap((item) => (item.serialControlled ? [item.number] : [])))
    this.shelves = new Shelves(world.stock, options.endlessStock, (sku) => numbered.has(sku))
    this.inbound = new Map(world.receipts.map((receipt) => [`ASN-${receipt.id}`, { ...receipt, came: 0 }]))
    this.floor = {
      shelves: this.shelves,
      items: new Map(world.items.map((item) => [item.number, item])),
      faults,
      seed,
    }
    this.byId = kept(keep)
    this.byReference = kept(keep)
  }

  /** Refuses what is unknown or already here; picking is planned by `plan`, for all that came together. */
  accept(fields: Fields): Known {
    const reference = text(fields['external_ref'])
    if (reference === '') throw new WmsRefusal(422, 'VALIDATION', { field: 'external_ref' })
    const existing = this.byReference.get(reference)
    if (existing) throw new WmsRefusal(409, 'DUPLICATE_REF', { order: existing })
    const site = this.options.world.sites.find((one) => one.code === fields['site'])
    if (!site) throw new WmsRefusal(422, 'UNKNOWN_SITE', { field: 'site' })
    const now = this.options.clock.now()
    const order: Known = {
      wms_order_id: '',
      external_ref: reference,
      owner: text(fields['owner']),
      site: site.code,
      customer_ref: text(fields['customer_ref']),
      ship_to: (fields['ship_to'] ?? {}) as Fields,
      status: 'ACCEPTED',
      created_at: now.toISOString(),
      planned_ship_date: cutOffAt(site, now).shipDate,
      lines: linesIn(this.floor.items, fields),
      seenFromMs: this.options.clock.monotonicMs() + this.options.visibilityLagMs,
      events: 0,
    }
    order.wms_order_id = `OB${String(++this.lastOrder).padStart(8, '0')}`
    this.byId.set(order.wms_order_id, order)
    this.byReference.set(reference, order)
    return order
  }

  /** Orders that were accepted together are picked together: one timer for a whole batch. */
  plan(orders: readonly Known[]): void {
    const { pace, enforceCutOff, world, clock } = this.options
    const bySite = enforceCutOff ? Map.groupBy(orders, (order) => order.site) : new Map([['', orders]])
    for (const [code, group] of bySite) {
      const site = world.sites.find((one) => one.code === code)
      const waitMs = site ? cutOffAt(site, clock.now()).waitMs : 0
      if (group.length > 0) this.later(waitMs + pace.pickAfterMs, () => this.startPicking(group))
    }
  }

  cancel(id: string): Known {
    const order = this.byId.get(id)
    if (!order) throw new WmsRefusal(404, 'NOT_FOUND')
    if (order.status === 'PICKING') throw new WmsRefusal(409, 'PICKING_STARTED', { order })
    if (order.status === 'SHIPPED' || order.status === 'SHORT')
      throw new WmsRefusal(409, 'SHIPPED', { order })
    order.status = 'CANCELLED'
    return order
  }

  read = (id: string): Known | undefined => this.byId.get(id)

  find(references: readonly string[]): Known[] {
    const nowMs = this.options.clock.monotonicMs()
    const found = references.flatMap((reference) => this.byReference.get(reference) ?? [])
    return found.filter((order) => order.seenFromMs <= nowMs)
  }

  orders = (): Known[] => [...this.byId.values()]
  lastSequence = (): number => this.sequence

  /** All that has not come yet of it, or as much of that. */
  receive(asnId: string, part = Infinity): void {
    const receipt = this.inbound.get(asnId)
    const quantity = receipt ? Math.min(part, receipt.quantity - receipt.came) : 0
    if (!receipt || quantity <= 0) return
    receipt.came += quantity
    const { company: owner, site, item: sku, lot, expiresOn } = receipt
    const goods = { lot, expiresOn, status: 'available', quantity } as const
    const serials = this.shelves.put({ site, owner, sku }, goods)
    const named = { uom: this.baseUom(sku), ...(serials && { serials }) }
    const facts = { site, owner, sku, lot, expires_on: expiresOn || null, status: 'AVAIL', qty: quantity }
    const { number, line } = purchaseOrderOf(receipt)
    const of = { asn_id: asnId, po_number: number, po_line: line }
    this.tellStock({ ...facts, ...named, type: 'inventory.received', ...of })
  }

  adjust({ site, owner, sku, lot = '', expiresOn = '', delta, serials: named, reason }: Adjustment): void {
    const [left, gets] = STATUS_CHANGES[reason]
    const goods = { lot, expiresOn }
    const place = { site, owner, sku }
    const units = this.shelves.put(place, {
      ...goods,
      status: left,
      quantity: delta,
      ...(named && { serials: named }),
    })
    const serials = units && { serials: units }
    if (gets) this.shelves.put(place, { ...goods, status: gets, quantity: -delta, ...serials })
    const facts = { ...place, lot, status: STATUS[left], delta_qty: delta, uom: this.baseUom(sku), reason }
    this.tellStock({ type: 'inventory.adjusted', ...facts, ...serials })
  }

  later(ms: number, task: () => void): void {
    const cancel = this.options.clock.after(ms, () => {
      this.timers.delete(cancel)
      task()
    })
    this.timers.add(cancel)
  }

  stop(): void {
    for (const cancel of this.timers) cancel()
  }

  remember(): WarehouseMemory {
    return {
      shelves: this.shelves.remember(),
      received: [...this.inbound].map(([asnId, { came }]) => [asnId, came]),
      orders: this.orders(),
      last: {
        sequence: this.sequence,
        order: this.lastOrder,
        shipment: this.lastShipment,
        package: this.lastPackage,
        packing: this.lastPacking,
      },
    }
  }

  /** The work goes on: what was accepted is picked, what was being picked ships. */
  recall({ shelves, received, orders, last }: WarehouseMemory): void {
    this.shelves.recall(shelves)
    for (const [asnId, came] of received) {
      const receipt = this.inbound.get(asnId)
      if (receipt) receipt.came = came
    }
    for (const order of orders) {
      order.seenFromMs = 0
      this.byId.set(order.wms_order_id, order)
      this.byReference.set(order.external_ref, order)
    }
    this.sequence = last.sequence
    this.lastOrder = last.order
    this.lastShipment = last.shipment
    this.lastPackage = last.package
    this.lastPacking = last.packing ?? 0
    this.plan(orders.filter((order) => order.status === 'ACCEPTED'))
    const begun = orders.filter((order) => order.status === 'PICKING')
    if (begun.length > 0)
      this.later(this.options.pace.shipAfterMs, () => begun.forEach((order) => this.ship(order)))
  }

  startPicking(orders: readonly Known[]): void {
    const open = orders.filter((order) => order.status === 'ACCEPTED')
    for (const order of open) {
      order.status = 'PICKING'
      if (this.options.announcePicking) this.tellOf(order, 'order.picking_started', {})
    }
    const { pace, tellPicks } = this.options
    const [telling, silent] = [true, false].map((aloud) =>
      open.filter(({ site }) => (tellPicks.includes(site) || this.waitsAt(site)) === aloud),
    ) as [Known[], Known[]]
    if (silent.length > 0) this.later(pace.shipAfterMs, () => silent.forEach((order) => this.ship(order)))
    if (telling.length > 0) this.workAloud(telling, Math.floor(pace.shipAfterMs / 3))
  }

  /** Picks, packs and ships, each a while after the other and each told. */
  private workAloud(orders: readonly Known[], afterMs: number): void {
    this.later(afterMs, () => {
      for (const order of orders) this.tellPicked(order)
      this.later(afterMs, () => {
        for (const order of orders) this.tellPacked(order)
        const patient = orders.filter(({ site }) => this.waitsAt(site))
        const others = orders.filter((order) => !patient.includes(order))
        this.later(afterMs, () => others.forEach((order) => this.ship(order)))
        for (const order of patient)
          this.later(this.options.waitForLabels?.[order.site] ?? 0, () => this.ship(order))
      })
    })
  }

  private tellPicked(order: Known): void {
    const picks = this.partsOf(order).map(({ picked }) => picked)
    this.tellOf(order, 'order.picked', toldOfPicks(this.floor.items, picks))
    this.tellLosses(order, picks)
  }

  private tellPacked(order: Known): void {
    const parts = this.partsOf(order).filter(({ picked }) => picked.contents.length > 0)
    for (const part of parts) part.packages = this.packed(part.picked)
    const packages = parts.flatMap((part) => part.packages ?? [])
    if (packages.length > 0) this.tellPackages(order, packages)
  }

  private waitsAt = (site: string): boolean => this.options.waitForLabels?.[site] !== undefined

  private tellPackages(order: Known, packages: readonly Package[]): void {
    if (!this.waitsAt(order.site)) return this.tellOf(order, 'order.packed', toldOfPackages(packages))
    order.packing = { id: packingId(++this.lastPacking) }
    this.tellOf(order, 'order.packed', toldToLabel(order.packing, packages))
  }

  /** Packs anew what has not left; labels of before are of no use any more. */
  repack(reference: string): void {
    const order = this.byReference.get(reference)
    if (order?.status === 'PICKING' && order.packing) this.tellPacked(order)
  }

  /** Takes labels for cartons that stand there; what waited for them ships. */
  label(id: string, fields: Fields): void {
    const order = this.orders().find(({ packing }) => packing?.id === id)
    if (!order) throw new WmsRefusal(409, 'PACKED_ANEW')
    const packages = (order.parts ?? []).flatMap((part) => part.packages ?? [])
    if (putLabels(order, packages, fields))
      this.later(Math.floor(this.options.pace.shipAfterMs / 3), () => this.ship(order))
  }

  /** Picks the order unless that is done. */
  private partsOf(order: Known): Part[] {
    if (order.parts) return order.parts
    const { faults } = this.options
    const splits =
      !faults.quiet && order.lines.length > 1 && faults.strike('split-shipment', 'pick', order.external_ref)
    const parts = splits ? [order.lines.slice(0, 1), order.lines.slice(1)] : [order.lines]
    order.parts = parts.map((lines) => ({ picked: pick(this.floor, order, lines) }))
    return order.parts
  }

  private packed({ contents }: Picked): Package[] {
    const packages = pack(this.floor.items, contents, this.lastPackage + 1)
    this.lastPackage += packages.length
    return packages
  }

  private ship(order: Known): void {
    if (order.status !== 'PICKING') return
    const parts = this.partsOf(order)
    const short = parts.flatMap(({ picked }) => picked.short)
    const shipped = parts.filter(({ picked }) => picked.contents.length > 0)
    order.status = shipped.length > 0 ? 'SHIPPED' : 'SHORT'
    shipped.forEach((part, nth) => this.confirm(order, part, nth === shipped.length - 1 ? short : undefined))
    if (shipped.length === 0) this.tellOf(order, 'order.short', { short_lines: short })
    this.tellLosses(
      order,
      parts.map(({ picked }) => picked),
    )
    delete order.parts
  }

  /** Once: at the pick where that is told, beside the shipment where not. */
  private tellLosses(order: Known, picks: readonly Picked[]): void {
    for (const lost of picks.flatMap((one) => one.writtenOff.splice(0))) {
      const facts = {
        site: order.site,
        owner: order.owner,
        sku: lost.sku,
        lot: lost.lot,
        status: 'AVAIL',
        uom: lost.uom,
      }
      const serials = lost.serials && { serials: lost.serials }
      const told = { ...facts, delta_qty: -lost.quantity, reason: 'PICK_SHORT', ...serials }
      this.tellStock({ ...told, type: 'inventory.adjusted' })
    }
  }

  /** The last shipment of an order is final and names all that is short. */
  private confirm(order: Known, part: Part, short: ShortLine[] | undefined): void {
    this.tellOf(order, 'shipment.confirmed', {
      shipment_id: `SH${String(++this.lastShipment).padStart(8, '0')}`,
      final: short !== undefined,
      carrier: 'SWIFT',
      service: 'GROUND',
      shipped_at: this.options.clock.now().toISOString(),
      packages: part.packages ?? this.packed(part.picked),
      short_lines: short ?? [],
    })
  }

  private tellOf(order: Known, type: string, facts: Fields): void {
    const { wms_order_id, external_ref, owner, site } = order
    this.tell(type, { wms_order_id, external_ref, owner, site, order_sequence: ++order.events, ...facts })
  }

  /** Events about an item at a site are numbered of their own, so that whoever listens notices a lost one. */
  tellStock({ type, ...facts }: Place & Fields & { type: string }): void {
    this.tell(type, { stock_sequence: this.shelves.tell(facts), ...facts })
  }

  /** What is off the shelf and has not left. */
  picked(): (Place & { lot: string; quantity: number })[] {
    return this.orders().flatMap(({ site, owner, parts = [] }) =>
      parts
        .flatMap(({ picked }) => picked.contents)
        .map(({ sku, lot, base_qty }) => ({ site, owner, sku, lot: lot ?? '', quantity: base_qty })),
    )
  }

  private tell(type: string, facts: Fields): void {
    const sequence = ++this.sequence
    const digits = String(sequence).padStart(10, '0')
    const head = { event_id: `E${digits}`, transaction_id: `T${digits}`, sequence, type }
    this.options.publish({ ...head, occurred_at: this.options.clock.now().toISOString(), ...facts })
  }

  private baseUom(sku: string): string {
    return uom(this.floor.items.get(sku)?.baseUnit ?? 'EA')
  }
}
