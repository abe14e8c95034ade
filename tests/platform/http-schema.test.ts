import { expect, test } from 'vitest'
import { z } from 'zod'
import { compileCheck, jsonSchemaOf } from '#platform/http-schema.ts'

const Line = z.object({ item: z.string().min(1), quantity: z.int().min(1).max(99) }).meta({ id: 'TestLine' })
const Payment = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('card'), last4: z.string().length(4) }),
  z.object({ kind: z.literal('terms'), days: z.int() }),
])
const Order = z.object({
  number: z.string(),
  orderedOn: z.iso.date(),
  lines: z.array(Line).min(1),
  payment: Payment.optional(),
  state: z.enum(['open', 'held']).optional(),
  note: z.string().nullable().optional(),
})
const check = compileCheck(jsonSchemaOf(Order), { coerce: false, root: '' })
const good = { number: '1', orderedOn: '2026-11-21', lines: [{ item: 'a', quantity: 1 }] }
const saysOf = (change: object) =>
  check({ ...good, ...change }).map(({ pointer, message }) => `${pointer}: ${message}`)

test('a good value has no errors', () => {
  expect(check(good)).toEqual([])
  expect(saysOf({ note: null, payment: { kind: 'terms', days: 30 } })).toEqual([])
})

test('all wrong fields are reported at once, each with its pointer, reason and cure', () => {
  const wrong = {
    orderedOn: '21.11.2026',
    lines: [
      { item: '', quantity: 100 },
      { item: 'b', quantity: 'two' },
    ],
  }
  expect(check(wrong)).toEqual([
    {
      pointer: '/number',
      code: 'http.field_missing',
      message: 'number is missing: send text (a JSON string)',
    },
    {
      pointer: '/orderedOn',
      code: 'http.field_invalid',
      message: 'orderedOn does not have the right form: send a date like 2026-11-21',
    },
    {
      pointer: '/lines/0/item',
      code: 'http.field_invalid',
      message: 'lines.0.item is empty: send some text',
    },
    {
      pointer: '/lines/0/quantity',
      code: 'http.field_invalid',
      message: 'lines.0.quantity is too large: send 99 or less',
    },
    {
      pointer: '/lines/1/quantity',
      code: 'http.field_type',
      message: 'lines.1.quantity is text (a JSON string): send a whole number',
    },
  ])
})

test('a union reports the errors of the form that was meant', () => {
  expect(saysOf({ payment: { kind: 'card', last4: '12' } })).toEqual([
    '/payment/last4: payment.last4 is too short: send at least 4 characters',
  ])
})

test('a union whose tag fits no form lists the tags', () => {
  expect(saysOf({ payment: { kind: 'cash' } })).toEqual([
    '/payment/kind: payment.kind is not one of the known values: send card, terms',
  ])
})

test('a value of the wrong kind for a union is one error', () => {
  expect(saysOf({ payment: 3 })).toHaveLength(1)
  expect(saysOf({ note: 3 })).toEqual(['/note: note is a number: send text (a JSON string) or null'])
})

test('an enumeration names the values it knows', () => {
  expect(saysOf({ state: 'shut' })).toEqual(['/state: state is not one of the known values: send open, held'])
})

test('text is read as numbers and flags only where the door says so', () => {
  const query = z.object({
    limit: z.int(),
    deep: z.boolean().optional(),
    state: z.array(z.string()).optional(),
  })
  const coercing = compileCheck(jsonSchemaOf(query), { coerce: true, root: '/query' })
  const value = { limit: '5', deep: 'true', state: 'open' }
  expect(coercing(value)).toEqual([])
  expect(value).toEqual({ limit: 5, deep: true, state: ['open'] })
  expect(coercing({ limit: 'five' })[0]?.pointer).toBe('/query/limit')
  expect(coercing({ limit: ['5', '6'] })).toHaveLength(1)
})

test('a transform or a custom refinement cannot be published and fails the boot', () => {
  expect(() => jsonSchemaOf(z.object({ a: z.string().transform(Number) }))).toThrow(/[Tt]ransform/)
  expect(() => jsonSchemaOf(z.object({ a: z.string().refine((text) => text !== 'x') }))).toThrow(
    'custom refinement',
  )
})
