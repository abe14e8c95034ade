/**
 * Reads the fields of what another system sent, one by one and by hand: only what is used is checked, so that a big
 * answer costs little and a new field breaks nothing. What is not as it must be is `Unexpected`, with its place.
 */
import { Refusal } from './faults.ts'
import { parseAmount } from './money.ts'
import { parseQuantity, type Quantity, units } from './quantity.ts'

/** The other system said something that it never should; what that means is the caller's to decide. */
export class Unexpected extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Unexpected'
  }
}

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown, what = 'the body'): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unexpected(`${what} is not an object`)
  }
  return value as Fields
}

const missing = (name: string, kind: string, value: unknown): Unexpected =>
  new Unexpected(`${name} is ${value === undefined ? 'missing' : `not ${kind}`}`)

export function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw missing(name, 'a text', value)
  return value
}

/** A text that says something; `""` is as good as missing. */
export function filledText(fields: Fields, name: string): string {
  const value = text(fields, name)
  if (value === '') throw new Unexpected(`${name} is empty`)
  return value
}

/** Undefined where it is absent, null or empty. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return value === undefined || value === null || value === '' ? undefined : text(fields, name)
}

export function number(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw missing(name, 'a number', value)
  return value
}

export function integer(fields: Fields, name: string): number {
  const value = number(fields, name)
  if (!Number.isSafeInteger(value)) throw new Unexpected(`${name} is not a whole number`)
  return value
}

/** Undefined where it is absent or null. */
export function optionalInteger(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return value === undefined || value === null ? undefined : integer(fields, name)
}

export function truth(fields: Fields, name: string): boolean {
  const value = fields[name]
  if (typeof value !== 'boolean') throw missing(name, 'true or false', value)
  return value
}

export function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw missing(name, 'a list', value)
  return value
}

/** Each entry of a list read by `read`; the place of a bad one stands in the message. */
export function listOf<T>(fields: Fields, name: string, read: (entry: Fields) => T): T[] {
  return list(fields, name).map((entry, at) => {
    try {
      return read(fieldsOf(entry, 'the entry'))
    } catch (error) {
      throw error instanceof Unexpected ? new Unexpected(`${name}/${at}: ${error.message}`) : error
    }
  })
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** An instant in ISO 8601 that names its offset. */
export function instant(fields: Fields, name: string): Date {
  const value = text(fields, name)
  const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) throw new Unexpected(`${name} is not an instant: "${value.slice(0, 40)}"`)
  return new Date(ms)
}

/** A JSON number as an exact quantity; what has more than four places is never rounded. */
export function quantity(fields: Fields, name: string): Quantity {
  const value = number(fields, name)
  const scaled = Math.round(value * units(1))
  if (!Number.isSafeInteger(scaled) || scaled / units(1) !== value) {
    throw new Unexpected(`${name} is not a quantity with at most four places: ${value}`)
  }
  return scaled
}

/** A quantity as the JSON number that prints as the same decimal. */
export const quantityNumber = (quantity: Quantity): number => quantity / units(1)

/** Their decimal text as minor units of a currency. */
export const amountOf = (text: string, currency: string, name: string): number =>
  exactly(name, () => parseAmount(text, currency))

/** Their decimal text as an exact quantity. */
export const quantityOf = (text: string, name: string): Quantity => exactly(name, () => parseQuantity(text))

/** What would be a refusal of something we were asked is, in their mouth, something they should never say. */
function exactly(name: string, parse: () => number): number {
  try {
    return parse()
  } catch (error) {
    throw error instanceof Refusal ? new Unexpected(`${name}: ${error.message}`) : error
  }
}
