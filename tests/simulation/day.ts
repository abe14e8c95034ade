/** What a seed's day is like: who works, what is ordered, what goes wrong and how often. What is not said is drawn. */
import type { Config } from '../../src/config-schema.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { CounterpartName } from './counterparts.ts'

export type Role = Config['role']

/**
 * What happens to stock beside orders: channels reserve, warehouses count, people put right and hold, callers ask; planners
 * have backorder runs done, customers want goods to live long, people change from where orders are served; machines are
 * known by their serials, goods go from place to place, warehouses go on by paper, one tells by files, one is run by X12, books are compared;
 * purchase orders move and come in parts, ERPs and warehouses sell by themselves, a
 * warehouse falls silent, shops are told levels, a carrier scans what was shipped, others have goods in our stores,
 * a site waits for labels of ours.
 */
export const STOCK_FACTS = [
  'reservations',
  'counts',
  'adjustments',
  'lots',
  'questions',
  'runs',
  'lives',
  'profiles',
  'machines',
  'transfers',
  'papers',
  'files',
  'x12',
  'reconciliations',
  'supply',
  'sales',
  'desks',
  'silence',
  'levels',
  'parcels',
  'owners',
  'labels',
] as const
export type StockFact = (typeof STOCK_FACTS)[number]

export type Day = {
  readonly orders?: number
  /** Kinds of fault that this day has. */
  readonly kinds?: readonly string[]
  /** Of those that are not said, these it has not. */
  readonly without?: readonly string[]
  /** Shares at which kinds strike, where the usual ones would seldom meet what is looked for. */
  readonly shares?: Readonly<Record<string, number>>
  /** Kinds that strike at places of this name only: `{ zombie: 'call' }`. */
  readonly places?: Readonly<Record<string, string>>
  /** Counterparts whose bad days these are; all unless said. */
  readonly systems?: readonly CounterpartName[]
  readonly programs?: readonly Role[]
  /** Orders arrive within so long. */
  readonly withinMs?: number
  /** How many times longer than asked long sleeps of programs last: drawn for each between these. */
  readonly drowsy?: readonly [least: number, most: number]
  /** Faults end after so long, where they end. */
  readonly peaceAfterMs?: number
  /** Some customers order by EDI, whose folder is looked at again and again. */
  readonly partners?: boolean
  /** So many programs outside are sent events. */
  readonly subscribers?: number
  /** The share of accepted orders that is cancelled. */
  readonly cancels?: number
  /** What happens to stock beside orders. */
  readonly stock?: readonly StockFact[]
  /** Programs start on an empty database and migrate it, as after the first installation. */
  readonly unmigrated?: boolean
  /** All want what the orders at these places of the stream want, in turns. */
  readonly alike?: readonly number[]
}

/** Most days have two programs that do everything; some keep doors and work apart, or have one more. */
const PROGRAMS: readonly (readonly [share: number, programs: readonly Role[]])[] = [
  [0.65, ['all', 'all']],
  [0.85, ['api', 'worker', 'worker']],
  [0.95, ['all', 'worker']],
  [1, ['all', 'all', 'all']],
]

const PARTNERS_SHARE = 0.25
const SUBSCRIBERS_SHARE = 0.2
const STOCK_SHARE = 0.15
const UNMIGRATED_SHARE = 0.03
/** Those for which other systems are read, heard or told all day cost more. */
const COSTLY: ReadonlySet<StockFact> = new Set([
  'supply',
  'sales',
  'desks',
  'silence',
  'levels',
  'parcels',
  'labels',
])
const COSTLY_SHARE = 0.06
/** A silence is noticed, lasts a while and is over before faults end. */
const SILENCE_OVER_MS = 30_000
/** Supply moves before and after somebody has looked who waits for it. */
const SUPPLIED_MS = 20_000

const READ_ALL_DAY: ReadonlySet<StockFact> = new Set(['supply', 'sales', 'desks'])

/** ERPs and warehouses are read all day, not only at its beginning. */
export const readsAllDay = ({ stock }: Pick<WholeDay, 'stock'>): boolean =>
  stock.some((fact) => READ_ALL_DAY.has(fact))

/**
 * Not on one day: who counts, as warehouses do whose desks sell, does not know what papers say of goods that people have
 * sent already, nor of goods that somebody is about to hand over to us; what others claim uses up what may be promised of a
 * silent place; who is asked for what was not heard is silent no more; papers name no units, and differ for as long as their
 * warehouse knows nothing of them; files name no units, and whoever tells by them is neither asked for what he counts nor
 * heard by messages; the site that is run by X12 is one of those that files, other warehouses' messages, people who count or
 * carry, and sellers tell of, and it does nothing of that itself; papers, files and X12 name no parcels, or not all that a
 * carrier scans; and who may be served from some places only waits for what is at others.
 */
const APART: Readonly<Partial<Record<StockFact, readonly StockFact[]>>> = {
  transfers: ['counts', 'desks', 'files', 'reconciliations'],
  desks: ['silence'],
  reconciliations: ['silence'],
  papers: ['machines', 'silence', 'reconciliations'],
  files: ['machines', 'silence', 'reconciliations', 'desks'],
  x12: ['counts', 'lives', 'machines', 'transfers', 'papers', 'files', 'desks', 'silence', 'questions'],
  lives: ['profiles'],
  parcels: ['papers', 'files', 'x12'],
  labels: ['papers', 'files', 'x12'],
  owners: ['counts', 'desks', 'papers', 'reconciliations', 'silence'],
}

const apart = (facts: readonly StockFact[]): readonly StockFact[] =>
  facts.filter((fact) => !APART[fact]?.some((other) => facts.includes(other)))

/** What a warehouse never tells is found by counting, which names no unit, and leaves papers open. */
const NEVER_TOLD = ['webhook-drop']
const TELL_ALL: ReadonlySet<StockFact> = new Set(['machines', 'papers', 'files', 'owners'])
/** Subscribers have been told much, and said that they cannot take it, before faults end. */
const TOLD_MS = 9_000
/** Files are taken when two looks have seen them; by then some of our answers to them have been lost. */
const ANSWERED_MS = 12_000
/** A warehouse is away for a while and has come back before faults end. */
const BACK_MS = 10_000

/** What is sold to us as a label is scanned once it travels. */
const scanned = (facts: readonly StockFact[]): readonly StockFact[] =>
  facts.includes('labels') && !facts.includes('parcels') ? [...facts, 'parcels'] : facts

export type WholeDay = Day &
  Required<
    Pick<
      Day,
      | 'orders'
      | 'programs'
      | 'withinMs'
      | 'drowsy'
      | 'peaceAfterMs'
      | 'partners'
      | 'subscribers'
      | 'cancels'
      | 'stock'
      | 'unmigrated'
    >
  >

const isUnmigrated = (seed: string, share: number): boolean => draw(seed, 'unmigrated', 0) < share

export function dayOf(seed: string, given: Day): WholeDay {
  const lot = draw(seed, 'programs', 0)
  const isUsual = given.kinds === undefined && !given.unmigrated
  const unmigrated =
    given.unmigrated ?? (isUsual && given.stock === undefined && isUnmigrated(seed, UNMIGRATED_SHARE))
  const isFull = isUsual && !unmigrated
  const stock = scanned(given.stock ?? (isFull ? apart(STOCK_FACTS.filter(drawn)) : []))
  const subscribers = given.subscribers ?? (isFull ? subscribersOf(seed, SUBSCRIBERS_SHARE) : 0)
  const isSilent = stock.includes('silence')
  function drawn(fact: StockFact): boolean {
    return draw(seed, 'stock', fact) < (COSTLY.has(fact) ? COSTLY_SHARE : STOCK_SHARE)
  }
  return {
    orders: drawInteger(seed, 'orders', 0, unmigrated ? [1, 2] : [2, 6]),
    programs: PROGRAMS.find(([share]) => lot < share)![1],
    withinMs: draw(seed, 'rush', 0) < 0.3 ? 60 : 2_000,
    drowsy: isSilent ? [1, 1] : stock.includes('supply') ? [1, 2] : [1, 5],
    peaceAfterMs: Math.max(peaceAfter(stock), subscribers > 0 ? TOLD_MS : 0),
    partners: isFull && draw(seed, 'partners', 0) < PARTNERS_SHARE,
    subscribers,
    cancels: 0.2,
    ...given,
    stock,
    unmigrated,
    without: [...(given.without ?? []), ...(stock.some((fact) => TELL_ALL.has(fact)) ? NEVER_TOLD : [])],
  }
}

const subscribersOf = (seed: string, share: number): number =>
  draw(seed, 'subscribers', 0) < share ? drawInteger(seed, 'subscribers', 1, [1, 2]) : 0

function peaceAfter(stock: readonly StockFact[]): number {
  if (stock.includes('silence')) return SILENCE_OVER_MS
  if (stock.includes('supply')) return SUPPLIED_MS
  if (stock.includes('x12')) return ANSWERED_MS
  return stock.includes('papers') ? BACK_MS : 5_000
}

/** What fits into a short day too, on few of them. */
const BRIEF = ['runs', 'papers'] as const satisfies readonly StockFact[]
const BRIEF_SHARE = 0.04
/** To migrate takes as long as ten such days. */
const BRIEF_UNMIGRATED_SHARE = 0.01

/**
 * A day of which many fit into a second: one order or two, one program or two that leave upkeep for later, peace soon, and
 * no fault that lets everybody wait for long.
 */
export function shortDayOf(seed: string): Day {
  const stock = apart(BRIEF.filter((fact) => draw(seed, 'brief', fact) < BRIEF_SHARE))
  const subscribers = subscribersOf(seed, BRIEF_SHARE)
  return {
    orders: drawInteger(seed, 'orders', 0, [1, 2]),
    programs: draw(seed, 'programs', 0) < 0.5 ? ['all'] : ['all', 'all'],
    without: ['zombie', 'coma'],
    withinMs: 60,
    drowsy: [3, 5],
    peaceAfterMs: stock.includes('papers') ? BACK_MS : subscribers > 0 ? TOLD_MS : 1_500,
    partners: false,
    subscribers,
    stock,
    unmigrated: isUnmigrated(seed, BRIEF_UNMIGRATED_SHARE),
  }
}
