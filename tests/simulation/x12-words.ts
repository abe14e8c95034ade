/** What a warehouse tells, in the segments of X12: what left, came, changed, and is there. */
import type { SegmentData } from '../../src/systems/edi/x12-writer.ts'
import { type Fields, records, text } from '#landscape/fields.ts'
import type { Content, Package, ShortLine, WmsEvent } from '#landscape/wms/shapes.ts'
import { STATUS } from '#landscape/wms/shapes.ts'
import type { Shelf } from '#landscape/wms/stock.ts'
import type { StockStatus } from '#landscape/world/world.ts'
import { onTheWall } from './x12-mail.ts'

/** Our word for who carries, and theirs. */
export const CARRIERS = { SWIFT: 'SWFT' } as const
/** X12 894, by the warehouse's reasons: what a pick did not find is a count. */
export const ADJUSTED = { COUNT: 'PC', PICK_SHORT: 'PC', DAMAGE: 'DM', HOLD: 'QH', RELEASE: 'QR' } as const
/** X12 673. */
export const COUNTED: Readonly<Record<StockStatus, string>> = { available: '33', hold: 'QH', damaged: '20' }
/** X12 368: complete, and more follows. */
const [COMPLETE, MORE] = ['CC', 'BP']

const day = (date: string): string => date.replaceAll('-', '')
const expiring = (date: string): SegmentData[] => (date === '' ? [] : [['G62', '36', day(date)]])
const moment = (qualifier: string, ms: number): SegmentData => {
  const { date, time } = onTheWall(ms)
  return ['G62', qualifier, day(date), 'W', time]
}

/** A 945 of what left, or of nothing where nothing was found; it ends the request unless more follows. */
export function shippingAdvice(event: WmsEvent, ms: number): SegmentData[] {
  const status = event['final'] === false ? MORE : COMPLETE
  const packages = records(event['packages']) as unknown as Package[]
  const short = records(event['short_lines']) as unknown as ShortLine[]
  const nothing = short.filter(({ shipped_qty: shipped }) => shipped === 0)
  return [
    ['W06', 'F', text(event['external_ref']), day(onTheWall(ms).date), shipmentOf(event)],
    moment('11', ms),
    ['W27', 'M', CARRIERS.SWIFT, 'GROUND'],
    ...packages.flatMap(({ sscc, tracking_number: tracking, contents }, nth): SegmentData[] => [
      ['LX', String(nth + 1)],
      ['MAN', 'GM', `00${sscc}`],
      ['MAN', 'CP', tracking],
      ...contents.flatMap((content) => shippedLine(content, status)),
    ]),
    ...(nothing.length > 0 ? [['LX', String(packages.length + 1)] satisfies SegmentData] : []),
    ...nothing.flatMap(({ sku, uom, line_no: line }): SegmentData[] => [
      ['W12', status, '', '0', '', uom, '', 'VN', sku],
      ['N9', 'LI', String(line)],
    ]),
  ]
}

/** Where nothing left the request itself names what is told. */
export const shipmentOf = (event: WmsEvent): string =>
  text(event['shipment_id']) || `NONE-${text(event['wms_order_id'])}`

function shippedLine(content: Content, status: string): SegmentData[] {
  const { sku, qty, uom, lot, expires_on: expires, catch_weight_kg: kilograms, line_no: line } = content
  const weighed = kilograms === null ? [] : [String(kilograms), 'G', 'K']
  return [
    ['W12', status, '', String(qty), '', uom, '', 'VN', sku, lot ?? '', ...weighed],
    ['N9', 'LI', String(line)],
    ...expiring(expires ?? ''),
  ]
}

/** `goods_of` is an owner's name: of ours there is none. */
type Told = Fields & Pick<WmsEvent, 'sequence'> & { readonly goods_of?: unknown }

/** Each owner's are numbered by themselves. */
const numberOf = (event: Told): string => `${text(event['goods_of'])}${event.sequence}`

/** Whose it is, where it is not ours. */
const ownedBy = (event: { readonly goods_of?: unknown }): SegmentData[] =>
  event['goods_of'] === undefined ? [] : [['N1', 'OW', text(event['goods_of'])]]

/** A 944, by the minute in which it came: a count of the same day may be without it. */
export function receiptAdvice(event: Told, ms: number): SegmentData[] {
  const { date, time } = onTheWall(ms)
  const number = `R-${numberOf(event)}`
  return [
    ['W17', 'F', day(date), number, '', '', 'W', time],
    ...ownedBy(event),
    ['W07', text(event['qty']), text(event['uom']), '', 'VN', text(event['sku']), text(event['lot'])],
    ...(event['po_number'] === undefined
      ? []
      : [
          ['N9', 'PO', text(event['po_number'])] satisfies SegmentData,
          ['N9', 'LI', text(event['po_line'])] satisfies SegmentData,
        ]),
    ...expiring(text(event['expires_on'])),
    ['W14', '1'],
  ]
}

/** A 947; only what was counted may be less. */
export function adjustmentAdvice(event: Told, ms: number): SegmentData[] {
  const code = ADJUSTED[text(event['reason']) as keyof typeof ADJUSTED]
  const delta = Number(event['delta_qty'])
  const quantity = String(code === ADJUSTED.COUNT ? delta : Math.abs(delta))
  return [
    ['W15', day(onTheWall(ms).date), `A-${numberOf(event)}`],
    ...ownedBy(event),
    moment('07', ms),
    ['W19', code, quantity, text(event['uom']), '', 'VN', text(event['sku']), text(event['lot'])],
  ]
}

type CountedShelf = Pick<Shelf, 'sku' | 'lot' | 'status' | 'quantity'>

export type Counted = {
  readonly goods_of?: string | undefined
  readonly number: string
  readonly atMs: number
  readonly unitOf: (sku: string) => string
  /** Of one lot in a unit that nobody knows. */
  readonly wrong?: CountedShelf | undefined
}
/** X12 355: as partners agree; ours have not. */
const NO_UNIT = 'ZZ'

/** An 846 of all that lies on these shelves, item by item and lot by lot. */
export function inventoryAdvice(
  shelves: readonly CountedShelf[],
  { number, atMs, unitOf, wrong, ...of }: Counted,
): SegmentData[] {
  const { date, time } = onTheWall(atMs)
  const lots = [...Map.groupBy(shelves, ({ sku, lot }) => JSON.stringify([sku, lot])).values()]
  return [
    ['BIA', '00', 'DD', number, day(date), time],
    ...ownedBy(of),
    ...lots.flatMap((rows, nth): SegmentData[] => {
      const { sku, lot } = rows[0]!
      const there = (status: StockStatus): number =>
        rows.reduce((sum, row) => (row.status === status ? sum + row.quantity : sum), 0)
      const statuses = Object.keys(STATUS) as StockStatus[]
      const unit = sku === wrong?.sku && lot === wrong.lot ? NO_UNIT : unitOf(sku)
      return [
        ['LIN', String(nth + 1), 'VN', sku],
        ...(lot === '' ? [] : [['REF', 'LT', lot] satisfies SegmentData]),
        ...statuses.map((one): SegmentData => ['QTY', COUNTED[one], String(there(one)), [unit]]),
      ]
    }),
    ['CTT', String(lots.length)],
  ]
}
