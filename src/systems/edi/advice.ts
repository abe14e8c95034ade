/** What advices have in common: when they were written, which item a line is of, how much; pure. */
import { convertQuantity, parseQuantity, type Quantity, type UnitFactor } from '#platform/quantity.ts'
import { timeZone } from '#platform/time-zone.ts'
import { isOwn } from '#domains/inventory/contract/owners.ts'
import { isoDate, party, type ProductId } from './documents/parts.ts'
import { type Loop, loopsOf } from './documents/structure.ts'
import type { Finding, FindingCode, Position } from './findings.ts'
import { finding } from './findings.ts'
import { type ItemCrosswalk, quantityOf, skuOf } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { toUnece } from './units.ts'
import type { Group } from './x12-envelopes.ts'

/** How an item of ours is counted. */
export type ItemUnits = {
  readonly units: ReadonlyMap<string, UnitFactor>
  /** Counted by piece, and weighed. */
  readonly catchWeight: boolean
}

/** Of one of our item numbers; undefined of one that we do not have. */
export type UnitsOf = (sku: string) => ItemUnits | undefined

/** What a document is read with. */
export type Advised = {
  readonly guide: PartnerGuide
  readonly crosswalk: ItemCrosswalk
  readonly unitsOf: UnitsOf
  readonly group: Pick<Group, 'date' | 'time'>
  readonly at: Position
}

/** A document in our words, or what keeps it from being used. */
export type Advice<T> = { readonly message?: T; readonly findings: readonly Finding[] }

/** Ends the reading of a line that cannot be used. */
export class Unreadable extends Error {
  readonly finding: Finding

  constructor(code: FindingCode, at: Position, detail?: string) {
    const found = finding(code, at, detail)
    super(found.message)
    this.finding = found
  }
}

/** Reads every line, so that all that is wrong is told at once; with one that cannot be used there is no message. */
export function advice<Line, Read, T>(
  lines: readonly Line[],
  read: (line: Line, index: number) => Read,
  compose: (lines: readonly Read[]) => T,
): Advice<T> {
  const tried = lines.map((line, index) => attempt(() => read(line, index)))
  const done = tried.flatMap((one) => ('read' in one ? [one.read] : []))
  const whole = attempt(() => compose(done))
  const findings = [...tried, whole].flatMap((one) => ('finding' in one ? [one.finding] : []))
  return 'read' in whole && findings.length === 0 ? { message: whole.read, findings } : { findings }
}

/** What was read, or why it cannot be used. */
export function attempt<Read>(read: () => Read): { readonly read: Read } | { readonly finding: Finding } {
  try {
    return { read: read() }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { finding: error.finding }
  }
}

/** When the group was written, by the clock of the partner. */
export function writtenAt({ group, guide, at }: Advised): Date {
  return instantOf(group.date, group.time, guide) ?? unreadable('advice.date_unusable', at, `(${group.date})`)
}

function unreadable(code: FindingCode, at: Position, detail?: string): never {
  throw new Unreadable(code, at, detail)
}

/** CCYYMMDD, and HHMM or HHMMSS; without a time the start of the day. */
export function instantOf(date: string, time: string, guide: PartnerGuide): Date | undefined {
  const [, hours = '00', minutes = '00', seconds = '00'] =
    /^(\d\d)(\d\d)(\d\d)?/.exec(time.padEnd(4, '0')) ?? []
  const local = Date.parse(`${isoDate(date)}T${hours}:${minutes}:${seconds}Z`)
  return Number.isNaN(local) ? undefined : new Date(timeZone(guide.timeZone).toUtcMs(local))
}

const DAY_ENDS = '235959'

/**
 * When what is told with a day has happened at the latest: at its end, or when the group was written on it. What is read
 * again from our own file does not say any more when that was.
 */
export function latestOf(date: string, { guide, group }: Pick<Advised, 'guide' | 'group'>): Date | undefined {
  const [from, to] = [instantOf(date, '', guide), instantOf(date, DAY_ENDS, guide)]
  const written = instantOf(group.date, group.time, guide)
  return from && to && written && written >= from && written < to ? written : to
}

type Line = { readonly productIds: readonly ProductId[]; readonly at: Position }

export const skuIn = (line: Line, { guide, crosswalk }: Advised): string =>
  skuOf(line, guide, crosswalk) ?? unreadable('advice.item_unidentified', line.at)

/** UN/ECE; undefined where the line has none. */
export function unitIn(unit: string, { guide }: Advised, at: Position): string | undefined {
  if (unit === '') return undefined
  return toUnece(unit, guide.units) ?? unreadable('advice.unit_unknown', at, `(${unit})`)
}

/** Zero or more. */
export function countIn(text: string, at: Position): Quantity {
  if (/^0*(?:\.0*)?$/.test(text) && text !== '') return 0
  const plain = quantityOf(text)
  return plain === undefined
    ? unreadable('advice.quantity_unusable', at, text === '' ? undefined : `(${text})`)
    : parseQuantity(plain)
}

/** Less than zero for what is taken away. */
export const signedIn = (text: string, at: Position): Quantity =>
  text.startsWith('-') ? -countIn(text.slice(1), at) : countIn(text, at)

/** X12 98: the owner of the goods. */
const OWNER = 'OW'

export const ownerLoops = (loop: Loop): Loop[] => loopsOf(loop, 'N1').filter((n1) => party(n1).role === OWNER)

/** Whose goods it tells of, by the guide; absent where it does not say. */
export function ownerIn(loop: Loop, { guide }: Pick<Advised, 'guide'>): string | undefined {
  const [named] = ownerLoops(loop)
  if (!named) return undefined
  const { id, name = '' } = party(named)
  const key = id?.value ?? name
  const { owners } = guide.warehouse
  return Object.hasOwn(owners, key)
    ? owners[key]
    : unreadable('advice.owner_unknown', named.segments[0]!.at, `(N1*OW ${key})`)
}

/** Of documents that tell of our own goods alone. */
export function assertOurs(loop: Loop, advised: Pick<Advised, 'guide'>): void {
  const owner = ownerIn(loop, advised)
  if (!isOwn({ owner }))
    unreadable('advice.owner_of_others', ownerLoops(loop)[0]!.segments[0]!.at, `(${owner})`)
}

type Counted = { readonly sku: string; readonly unit: string; readonly at: Position }

/** Of an item that we do not have the quantity as it is told: nobody books it. */
export function inBase(quantity: Quantity, { sku, unit, at }: Counted, advised: Advised): Quantity {
  const told = unitIn(unit, advised, at)
  const item = advised.unitsOf(sku)
  if (!item || told === undefined) return quantity
  const factor = item.units.get(told) ?? unreadable('advice.unit_unknown', at, `(${unit} of ${sku})`)
  return (
    convertQuantity(quantity, factor) ?? unreadable('advice.quantity_unusable', at, `(${unit} of ${sku})`)
  )
}

/** Our line's number, where the partner repeats it. */
export const lineIn = (text: string | undefined): number | undefined => {
  const line = /^0*([1-9]\d{0,8})$/.exec(text ?? '')?.[1]
  return line === undefined ? undefined : Number(line)
}
