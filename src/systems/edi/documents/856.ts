/** The advance ship notice (856): what is on the truck, level by level, one SSCC a MAN segment. */
import { isSscc } from '#capabilities/sscc.ts'
import { Refusal } from '#platform/faults.ts'
import type { Position } from '../findings.ts'
import type { SegmentData } from '../x12-writer.ts'
import {
  isoDate,
  optional,
  party,
  present,
  productIds,
  qualifiedDates,
  references,
  writeDates,
  writeParty,
  writeProductIds,
  writeReferences,
  x12Date,
} from './parts.ts'
import type {
  Hierarchy,
  HierarchyLevel,
  ShipNotice,
  ShipNoticeItem,
  ShipNoticeOrder,
  ShipNoticePackage,
} from './ship-notice.ts'
import { arrange, STRUCTURE_CODES } from './ship-notice.ts'
import type { Loop } from './structure.ts'
import { all, element, first, loopsOf, structure } from './structure.ts'

export const SHIP_NOTICE = structure(`
  ST M 1; BSN M 1; DTM O 10
  HL M 200000 (
    LIN O 1; SN1 O 1; SLN O 1000; PRF O 1; PO4 O 1; PID O 200; MEA O 40; PWK O 25; PKG O 25
    TD1 O 20; TD5 O 12; TD3 O 12; TD4 O 5; TSD O 1; REF O >1; PER O 3
    MAN O >1; DTM O 10; FOB O 1; PAL O 1
    N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; REF O 12; PER O 3; FOB O 1; )
    SDQ O 50; ETD O 1; CUR O 1; SAC O >1 (; CUR O 1; )
    GF O 1; YNQ O 10; LM O 10 (; LQ M 100; )
    V1 O >1
  )
  CTT O 1; SE O 1
`)

/** The segments between ST and SE. Refuses a package whose SSCC does not check. */
export function buildShipNotice(notice: ShipNotice, hierarchy: Hierarchy = 'SOPI'): SegmentData[] {
  const segments: SegmentData[] = [
    ['BSN', '00', notice.number, x12Date(notice.date), notice.time, STRUCTURE_CODES[hierarchy]],
  ]
  const levels = arrange(notice.orders, hierarchy)
  let count = 0
  const write = (level: HierarchyLevel, parent: string): void => {
    const id = String(++count)
    segments.push(['HL', id, parent, level.level, level.children.length > 0 ? '1' : '0'])
    segments.push(...writeLevel(level, notice))
    for (const child of level.children) write(child, id)
  }
  write({ level: 'S', children: levels }, '')
  segments.push(['CTT', String(count)])
  return segments
}

function writeLevel(level: HierarchyLevel, notice: ShipNotice): SegmentData[] {
  switch (level.level) {
    case 'S':
      return writeShipment(notice)
    case 'O': {
      const { number, release, date } = level.order
      return [['PRF', number, release, '', date && x12Date(date)]]
    }
    case 'P':
      return writePackage(level.package)
    case 'I':
      return writeItem(level.item, level.marks)
  }
}

function writeShipment({ shipment, orders }: ShipNotice): SegmentData[] {
  const packages = new Set(orders.flatMap((order) => order.packages.map(({ sscc }) => sscc)))
  const { carrier, weight, freightPayment } = shipment
  const segments: SegmentData[] = [
    ['TD1', 'CTN', String(packages.size), '', '', '', ...(weight ? ['G', weight.value, weight.unit] : [])],
  ]
  if (carrier) {
    const { scac, method, routing } = carrier
    segments.push(['TD5', '', scac && '2', scac, method, routing])
  }
  segments.push(...writeReferences(shipment.references), ...writeDates(shipment.dates))
  if (freightPayment) segments.push(['FOB', freightPayment])
  return [...segments, ...shipment.parties.flatMap(writeParty)]
}

function writePackage({ sscc, tracking, weight }: ShipNoticePackage): SegmentData[] {
  const segments: SegmentData[] = []
  if (weight) segments.push(['TD1', '', '', '', '', '', 'G', weight.value, weight.unit])
  segments.push(mark(sscc))
  if (tracking) segments.push(['MAN', 'CP', tracking])
  return segments
}

function writeItem(item: ShipNoticeItem, marks: readonly string[]): SegmentData[] {
  const segments: SegmentData[] = [
    ['LIN', item.assignedId, ...writeProductIds(item.productIds)],
    ['SN1', '', item.quantity, item.unit],
  ]
  if (item.description) segments.push(['PID', 'F', '', '', '', item.description])
  const named = (qualifier: string, values: readonly string[] = []): SegmentData[] =>
    values.map((value) => ['REF', qualifier, value])
  segments.push(...named('LT', item.lots), ...named('SE', item.serials), ...marks.map(mark))
  return segments
}

/** MAN GM carries the SSCC behind its application identifier 00. */
function mark(sscc: string): SegmentData {
  if (!isSscc(sscc)) {
    throw new Refusal('edi.sscc_invalid', `${JSON.stringify(sscc)} is no SSCC`, { sscc })
  }
  return ['MAN', 'GM', `00${sscc}`]
}

type Node = {
  readonly loop: Loop
  readonly level: string
  readonly parent: Node | undefined
  readonly depth: number
  readonly children: Node[]
}

/** Four levels are all we know; a file that nests deeper is cut there instead of nesting us. */
const MAX_DEPTH = 6

/** Reads a notice in any of the four hierarchies into the same shape. */
export function parseShipNotice(root: Loop): ShipNotice {
  const bsn = first(root, 'BSN')
  const shipment = nodesOf(root).find((node) => node.level === 'S')
  const td1 = shipment && first(shipment.loop, 'TD1')
  const td5 = shipment && first(shipment.loop, 'TD5')
  return {
    number: element(bsn, 2),
    date: isoDate(element(bsn, 3)),
    time: element(bsn, 4),
    shipment: {
      ...present({
        carrier:
          td5 && present({ scac: optional(td5, 3), method: optional(td5, 4), routing: optional(td5, 5) }),
        weight: element(td1, 7) ? { value: element(td1, 7), unit: element(td1, 8) } : undefined,
        freightPayment: optional(shipment && first(shipment.loop, 'FOB'), 1),
      }),
      references: shipment ? references(shipment.loop) : [],
      dates: shipment ? qualifiedDates(shipment.loop) : [],
      parties: shipment ? loopsOf(shipment.loop, 'N1').map(party) : [],
    },
    orders: shipment ? ordersBelow(shipment) : [],
  }
}

/** The levels as a tree; a level whose parent is unknown stands at the top. */
function nodesOf(root: Loop): Node[] {
  const byId = new Map<string, Node>()
  for (const loop of loopsOf(root, 'HL')) {
    const hl = first(loop, 'HL')
    const parent = byId.get(element(hl, 2))
    const node: Node = { loop, level: element(hl, 3), parent, depth: (parent?.depth ?? 0) + 1, children: [] }
    if (parent && node.depth <= MAX_DEPTH) parent.children.push(node)
    byId.set(element(hl, 1), node)
  }
  return [...byId.values()]
}

/** An item as it stands on the notice once, however many packages it is in. */
export type NoticeItem = ShipNoticeItem & {
  readonly order?: string
  /** Of its package, where it is in one alone. */
  readonly sscc?: string
  readonly expiresOn?: string
  readonly at: Position
}

/** The items of a notice, whatever its hierarchy; the order is that of the level above, else of the item itself. */
export function noticeItems(root: Loop): NoticeItem[] {
  return nodesOf(root)
    .filter(({ level }) => level === 'I')
    .map((node) => {
      const above = ancestorsOf(node)
      const order = [node, ...above].flatMap(({ loop }) => optional(first(loop, 'PRF'), 1) ?? [])[0]
      const marked = [node, ...above, ...node.children].flatMap(({ loop }) => ssccsOf(loop))
      const expiry = qualifiedDates(node.loop).find(({ qualifier }) => qualifier === '036')
      const hl = first(node.loop, 'HL')!
      return {
        ...itemOf(node.loop),
        ...present({
          order,
          sscc: marked.length === 1 ? marked[0] : undefined,
          expiresOn: expiry?.date,
        }),
        at: hl.at,
      }
    })
}

function ancestorsOf({ parent }: Node): Node[] {
  const above: Node[] = []
  for (let node = parent; node && above.length < MAX_DEPTH; node = node.parent) above.push(node)
  return above
}

const ssccsOf = (loop: Loop): string[] =>
  all(loop, 'MAN')
    .filter((man) => element(man, 1) === 'GM')
    .map((man) => element(man, 2).slice(-18))
    .filter((sscc) => /^\d{18}$/.test(sscc))

function ordersBelow(shipment: Node): ShipNoticeOrder[] {
  const orders = new Map<
    string,
    { order: Omit<ShipNoticeOrder, 'packages'>; packages: Map<string, ShipNoticePackage> }
  >()
  const visit = (node: Node, context: { prf?: Loop; pack?: Loop; item?: Loop }): void => {
    const here = { ...context, ...contextOf(node) }
    for (const child of node.children) visit(child, here)
    if (node.children.length > 0 || !here.prf || !here.item) return
    const order = orderOf(here.prf)
    const key = `${order.number} ${order.release ?? ''}`
    const entry = orders.get(key) ?? { order, packages: new Map() }
    orders.set(key, entry)
    const pack = packageOf(here.pack ?? here.item)
    const known = entry.packages.get(pack.sscc)
    entry.packages.set(pack.sscc, { ...pack, items: [...(known?.items ?? []), itemOf(here.item)] })
  }
  visit(shipment, {})
  return [...orders.values()].map(({ order, packages }) => ({ ...order, packages: [...packages.values()] }))
}

function contextOf({ level, loop }: Node): { prf?: Loop; pack?: Loop; item?: Loop } {
  if (level === 'O') return { prf: loop }
  if (level === 'P' || level === 'T') return { pack: loop }
  return level === 'I' ? { item: loop } : {}
}

function orderOf(loop: Loop): Omit<ShipNoticeOrder, 'packages'> {
  const prf = first(loop, 'PRF')
  const date = optional(prf, 4)
  return { number: element(prf, 1), ...present({ release: optional(prf, 2), date: date && isoDate(date) }) }
}

function packageOf(loop: Loop): Omit<ShipNoticePackage, 'items'> {
  const marks = all(loop, 'MAN')
  const gm = element(
    marks.find((man) => element(man, 1) === 'GM'),
    2,
  )
  const td1 = first(loop, 'TD1')
  return {
    sscc: gm.length === 20 ? gm.slice(2) : gm,
    ...present({
      tracking: optional(
        marks.find((man) => element(man, 1) === 'CP'),
        2,
      ),
      weight: element(td1, 7) ? { value: element(td1, 7), unit: element(td1, 8) } : undefined,
    }),
  }
}

function itemOf(loop: Loop): ShipNoticeItem {
  const lin = first(loop, 'LIN')
  const sn1 = first(loop, 'SN1')
  const named = (wanted: string): string[] =>
    references(loop).flatMap(({ qualifier, value }) => (qualifier === wanted ? [value] : []))
  const serials = named('SE')
  return {
    ...present({ assignedId: optional(lin, 1), description: optional(first(loop, 'PID'), 5) }),
    productIds: lin ? productIds(lin, 2) : [],
    quantity: element(sn1, 2),
    unit: element(sn1, 3),
    lots: named('LT'),
    ...present({ serials: serials.length > 0 ? serials : undefined }),
  }
}
