/** What each event means to somebody who has never seen one. */
import type { RecordedEvent } from '#platform/log.ts'
import { formatAmount } from '#platform/money.ts'
import { paymentNumber } from './ports.ts'

/** The fields of event data that titles use; each event has a few of them. */
type Told = {
  readonly act?: 'complete' | 'skip' | 'restart' | 'cancel'
  readonly amountMinor?: number
  readonly askedLots?: readonly string[]
  readonly allocation?: string
  readonly carrier?: string
  readonly channel?: string
  readonly currency?: string
  readonly customer?: string
  readonly customerOrder?: string
  readonly delivered?: number
  readonly differs?: readonly string[]
  readonly does?: string
  readonly entered?: Readonly<Record<string, string>>
  readonly evidence?: string
  readonly fulfillments?: readonly { readonly location: string }[]
  readonly holds?: readonly { readonly type: string; readonly reason: string }[]
  readonly lines?: number | readonly number[]
  readonly location?: string
  readonly lot?: string
  readonly lots?: readonly string[]
  readonly message?: string
  readonly netMinor?: number
  readonly number?: string
  readonly openMinor?: number
  readonly parcels?: number
  readonly outcome?: string
  readonly payment?: number
  readonly place?: string
  readonly promises?: readonly {
    readonly line: number
    readonly from: string | null
    readonly on: string | null
  }[]
  readonly proof?: readonly { readonly signedBy: string | null }[]
  readonly reason?: string
  readonly tooOld?: boolean
  readonly reference?: string
  readonly refused?: string
  readonly run?: number
  readonly shipments?: readonly string[]
  readonly short?: readonly number[]
  readonly taxMinor?: number
  readonly told?: Readonly<Record<string, string>>
  readonly totalMinor?: number
  readonly tracking?: readonly string[]
  readonly type?: string
}

type Words = (told: Told, money: (minor: number | undefined) => string) => string

const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`
const linesOf = ({ lines = 0 }: Told): string =>
  count(typeof lines === 'number' ? lines : lines.length, 'line')
const because = (text: string | undefined): string => (text ? `: ${text}` : '')

const lotsIn = (lots: readonly string[]): string => `${lots.length === 1 ? 'lot' : 'lots'} ${lots.join(', ')}`
const otherLots = ({ lots, askedLots }: Told): string =>
  lots && askedLots ? `; from ${lotsIn(lots)}, where ${lotsIn(askedLots)} was asked for` : ''

const seenIn = ({ place }: Told): string => (place ? `, seen in ${place}` : '')

function signedIn({ proof = [] }: Told): string {
  const names = [...new Set(proof.flatMap(({ signedBy }) => signedBy ?? []))]
  return names.length === 0 ? '' : `, signed for by ${names.join(' and ')}`
}

const ALLOCATIONS: Readonly<Record<string, string>> = {
  reserved: 'all in stock',
  partially_allocated: 'partly in stock',
  backordered: 'waiting for stock',
}

const quoted = ({ does = '' }: Told): string => `“${does[0]?.toUpperCase() ?? ''}${does.slice(1)}”`

function overridden(told: Told): string {
  const why = because(told.reason)
  if (told.act === 'complete') return `${quoted(told)} was completed by hand with ${told.reference}${why}`
  if (told.act === 'skip') return `${quoted(told)} was left out by hand${why}`
  if (told.act === 'restart') return `${quoted(told)} was started again by hand${why}`
  return `The order is taken back because of what was stuck${why}`
}

function superseded(told: Told): string {
  const { told: said = {}, entered = {}, differs = [] } = told
  if (said['refused'] !== undefined)
    return `${quoted(told)} was refused by the system, after it was decided by hand${because(said['refused'])}`
  if (told.act === 'skip') return `${quoted(told)} was left out by hand, and the system did it after all`
  const different = differs.map(
    (name) => `${name} is ${said[name] ?? 'unknown'}, by hand it was ${entered[name] ?? 'unknown'}`,
  )
  if (different.length === 0) return `The system confirms what was entered by hand of ${quoted(told)}`
  return `The system’s own word stands for ${quoted(told)}: ${different.join('; ')}`
}

const promisedDay = ({ line, from, on }: NonNullable<Told['promises']>[number]): string =>
  `line ${line} is expected ${on === null ? 'on no day that is known' : `on ${on}`}${from === null ? '' : `, not on ${from}`}`

const OVERRIDES: Readonly<Record<string, Words>> = Object.fromEntries(
  ['order', 'fulfillment', 'shipment', 'invoice'].flatMap((kind) => [
    [`${kind}.step_overridden`, overridden],
    [`${kind}.override_superseded`, superseded],
  ]),
)

const WORDS: Readonly<Record<string, Words>> = {
  ...OVERRIDES,
  'order.accepted': (told, money) =>
    [
      `Order ${told.customerOrder} of customer ${told.customer} accepted`,
      `${linesOf(told)} worth ${money(told.totalMinor)}`,
      ALLOCATIONS[told.allocation ?? ''],
      told.holds && `held: ${told.holds.map((hold) => hold.reason).join('; ')}`,
    ]
      .filter(Boolean)
      .join(', '),
  'order.hold_released': ({ type, reason }) =>
    `Hold ${type?.replaceAll('_', ' ')} released${because(reason)}`,
  'order.allocated': (told) =>
    told.run === undefined
      ? `Stock arrived for ${linesOf(told)} that waited for it`
      : `Backorder run ${told.run} gave stock to ${linesOf(told)}${because(told.reason)}`,
  'order.allocation_lost': (told) => {
    if (told.run !== undefined)
      return `Backorder run ${told.run} took stock from ${linesOf(told)}${because(told.reason)}`
    if (told.tooOld)
      return `Stock of ${linesOf(told)} has become too old for the customer, who waits for lots that live longer`
    const what = told.lot === undefined ? 'A lot' : `Lot ${told.lot}`
    return `${what} is held: stock of ${linesOf(told)} is lost, which waits again${because(told.reason)}`
  },
  'order.release_stopped': ({ lot, reason, fulfillments = [] }) =>
    `Lot ${lot} is held: ${fulfillments.map((request) => request.location).join(' and ')} was asked to stop${because(reason)}`,
  'order.promised': ({ promises = [] }) => promises.map(promisedDay).join('; '),
  'order.promise_slipped': ({ promises = [] }) =>
    `The promise slipped: ${promises.map(promisedDay).join('; ')}`,
  'order.posted_to_erp': ({ number }) => `The ERP has the order as ${number}`,
  'order.erp_refused': ({ message, refused = 'The ERP refused the order' }) =>
    `${refused}${because(message)}`,
  'order.erp_cancelled': () => 'The ERP cancelled the order',
  'order.lines_closed_at_erp': (told) => `The ERP expects less of ${linesOf(told)}`,
  'order.released': ({ fulfillments = [] }) =>
    `Released to ${fulfillments.map((request) => request.location).join(' and ')}`,
  'order.release_taken_back': (told) => `The release of ${linesOf(told)} was taken back`,
  'order.shipped': ({ shipments = [], short = [] }) =>
    `${count(shipments.length, 'shipment')} left${short.length > 0 ? `, ${count(short.length, 'line')} short` : ''}`,
  'order.picked': (told) => `${linesOf(told)} picked${told.lots ? `, ${lotsIn(told.lots)}` : ''}`,
  'order.packed': (told) => `${linesOf(told)} packed`,
  'order.picked_short': ({ short = [] }) =>
    `The warehouse did not find all of ${count(short.length, 'line')}`,
  'order.held': ({ reason }) => `Put on hold${because(reason)}`,
  'order.acknowledged': () => 'The customer was told what becomes of the order',
  'order.acknowledgement_refused': ({ message }) => `The acknowledgement was refused${because(message)}`,
  'order.cancel_requested': ({ reason }) => `Cancellation was asked for${because(reason)}`,
  'order.cancel_refused': ({ reason }) => `Too late to cancel${because(reason)}`,
  'order.lines_cancelled': (told) =>
    told.lines ? `${linesOf(told)} cancelled${because(told.reason)}` : 'What had not shipped was cancelled',
  'order.cancelled': () => 'The order was cancelled',
  'order.closed': () => 'Nothing is left to ship; the order is closed',
  'fulfillment.requested': (told) =>
    `${told.location} was asked to ship ${linesOf(told)}${told.lots ? `, from ${lotsIn(told.lots)}` : ''}`,
  'fulfillment.accepted': ({ number }) => `The warehouse has the request as ${number}`,
  'fulfillment.refused': ({ reason }) => `The warehouse refused the request${because(reason)}`,
  'fulfillment.picking': () => 'The warehouse is picking',
  'fulfillment.packed': () => 'The warehouse has packed what it will ship',
  'fulfillment.label_asked': (told) =>
    `A label for ${count(told.parcels ?? 0, 'parcel')} is asked of ${told.carrier}`,
  'fulfillment.labelled': ({ carrier, amountMinor = 0, currency = '' }) =>
    `Label bought at ${carrier}, ${formatAmount(amountMinor, currency)} ${currency}`,
  'fulfillment.label_refused': ({ carrier, reason }) => `${carrier} sold no label${because(reason)}`,
  'fulfillment.label_given': () => 'The warehouse has the label',
  'fulfillment.label_used': () => 'The goods left under our label',
  'fulfillment.label_in_doubt': () => 'Goods left by paper, perhaps under our label',
  'fulfillment.label_unwanted': ({ reason }) => `A label is not needed any more${because(reason)}`,
  'fulfillment.label_void': ({ carrier }) => `The label is void at ${carrier}`,
  'fulfillment.label_not_void': ({ carrier, reason }) =>
    `${carrier} did not void the label${because(reason)}`,
  'fulfillment.shipped': () => 'The warehouse is done with the request',
  'fulfillment.cancel_requested': ({ reason }) => `The warehouse was asked to stop${because(reason)}`,
  'fulfillment.cancel_refused': ({ reason }) => `The warehouse could not stop${because(reason)}`,
  'fulfillment.cancelled': () => 'The request was taken back',
  'shipment.confirmed': (told) =>
    `${linesOf(told)} left ${told.location} with ${told.carrier}${because(told.tracking?.join(', '))}${otherLots(told)}`,
  'shipment.in_transit': (told) => `On its way with the carrier${seenIn(told)}`,
  'shipment.out_for_delivery': (told) => `Out for delivery${seenIn(told)}`,
  'shipment.partially_delivered': (told) =>
    `${told.delivered} of ${count(told.parcels ?? 0, 'parcel')} delivered${signedIn(told)}`,
  'shipment.delivered': (told) => `Delivered${signedIn(told)}`,
  'shipment.channel_notified': () => 'The customer was sent the ship notice',
  'invoice.drafted': (told, money) => `Invoice drafted for ${linesOf(told)}, ${money(told.netMinor)} net`,
  'invoice.taxed': (told, money) => `Tax determined: ${money(told.taxMinor)}${because(told.evidence)}`,
  'invoice.posted': ({ number }) => `Invoice ${number} posted by the ERP`,
  'invoice.sent': () => 'The customer was sent the invoice',
  'invoice.partially_paid': (told, money) =>
    `${money(told.amountMinor)} paid by ${paymentNumber(told.payment ?? 0)}, ${money(told.openMinor)} still due`,
  'invoice.paid': (told, money) =>
    `${money(told.amountMinor)} paid by ${paymentNumber(told.payment ?? 0)}; nothing is due`,
  'invoice.payment_reversed': (told, money) =>
    `${paymentNumber(told.payment ?? 0)} was taken back, ${money(told.openMinor)} is due again${because(told.reason)}`,
}

/** One sentence in business words; an event that is not known here is named as the log names it. */
export function titleOf({ type, data }: Pick<RecordedEvent, 'type' | 'data'>, currency: string): string {
  const words = WORDS[type]
  if (!words) return type.replaceAll(/[._]/g, ' ')
  return words(data, (minor = 0) => `${formatAmount(minor, currency)} ${currency}`)
}
