import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from '#platform/faults.ts'
import { MAX_JSON_DEPTH, parseStrictJson } from '#platform/http-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))

function refusalOf(text: string | Uint8Array): Refusal {
  try {
    parseStrictJson(Buffer.from(text))
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error(`${JSON.stringify(String(text)).slice(0, 80)} was accepted`)
}
const pointersOf = (text: string) =>
  (refusalOf(text).facts['errors'] as { pointer: string }[]).map((e) => e.pointer)

test('what JSON.stringify writes is read back as it was', () => {
  const exact = fc.oneof(
    fc.integer(),
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  )
  const key = fc
    .string()
    .filter((text) => text !== '__proto__' && text !== 'constructor' && !text.includes('\0'))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      exact,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2), (original, indent) => {
      expect(JSON.stringify(parse(JSON.stringify(original, null, indent)))).toBe(JSON.stringify(original))
    }),
  )
})

test('no text is accepted that JSON.parse refuses', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '1',
    '-',
    '.',
    'e',
    'a',
    '\\u00',
    'true',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 14 }), (fragments) => {
      const text = fragments.join('')
      let plain: unknown
      try {
        plain = JSON.parse(text)
      } catch {
        expect(() => parse(text)).toThrow(Refusal)
        return
      }
      try {
        expect(parse(text)).toEqual(plain)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        expect(error.code).toBe('http.body_unsafe')
      }
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['{"a":1,"a":2}', ['/a']],
  ['{"lines":[{"q":1},{"q":1,"r":2,"q":3}]}', ['/lines/1/q']],
  [String.raw`{"a":1,"\u0061":2}`, ['/a']],
  ['{"a/b":{"~":1,"~":1}}', ['/a~1b/~0']],
])('a key that stands twice is refused with its place: %s', (text, pointers) => {
  expect(pointersOf(text)).toEqual(pointers)
})

test.each(['9007199254740993', '9007199254740992', '-9007199254740993', '1e999', '-1e999', '1e-400', '1e20'])(
  'the number %s, which a double cannot hold, is refused rather than rounded',
  (number) => {
    expect(pointersOf(`{"n":[0,${number}]}`)).toEqual(['/n/1'])
  },
)

test.each(['0.12345678901234567', '4503599627370497.55', '123456789012.12345'])(
  'the fraction %s, which would lose digits, is refused',
  (number) => {
    expect(refusalOf(`[${number}]`).code).toBe('http.body_unsafe')
  },
)

test.each([
  '9007199254740991',
  '-9007199254740991',
  '0.1',
  '1e3',
  '1E+2',
  '12.50',
  '0.00000000000000000',
  '1.000000000000000000',
])('the number %s keeps its value and passes', (number) => {
  expect(parse(`[${number}]`)).toEqual([Number(number)])
})

test('all losses of a body are named at once', () => {
  expect(pointersOf('{"a":1e999,"b":[9007199254740993],"b":2}')).toEqual(['/a', '/b/0', '/b'])
})

test('keys that reach prototypes are refused and change none', () => {
  expect(pointersOf('{"x":{"__proto__":{"admin":true}}}')).toEqual(['/x/__proto__'])
  expect(pointersOf('{"constructor":{"prototype":{}}}')).toEqual(['/constructor'])
  expect(pointersOf(String.raw`{"__proto\u005f_":1}`)).toEqual(['/__proto__'])
})

test.each([String.raw`{"a":"x\u0000"}`, String.raw`{"a":"\ud800"}`, String.raw`{"a":"\udc00\ud800"}`])(
  'text that PostgreSQL cannot store is refused: %s',
  (text) => {
    expect(pointersOf(text)).toEqual(['/a'])
  },
)

test('an escaped surrogate pair is text like any other', () => {
  expect(parse(String.raw`{"a":"\ud83d\ude00"}`)).toEqual({ a: '😀' })
})

test('a body is as deep as the limit and not deeper', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  expect(() => parse(nested(MAX_JSON_DEPTH))).not.toThrow()
  expect(refusalOf(nested(MAX_JSON_DEPTH + 1)).message).toContain('deeper')
  expect(refusalOf(nested(100_000)).code).toBe('http.body_malformed')
})

test('bytes that are not UTF-8, a byte-order mark and an empty body are refused in words', () => {
  expect(refusalOf(new Uint8Array([0x22, 0xff, 0x22])).message).toContain('UTF-8')
  expect(refusalOf('\ufeff{}').code).toBe('http.body_malformed')
  expect(refusalOf('').message).toContain('empty')
})

test('a long text with every character escaped does not exhaust the stack', () => {
  const text = JSON.stringify({ a: '\\'.repeat(200_000), b: '\u0007'.repeat(50_000) })
  expect(parse(text)).toEqual(JSON.parse(text))
})
