import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driftOf, driftWarnings, driftWatch, recordDrift, shapeOf } from '#platform/inbox-drift.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

const samples = [
  { order: 'A-1', lines: [{ sku: 'x', qty: 2, lot: null }], carrier: { code: 'UPS' } },
  {
    order: 'A-2',
    lines: [
      { sku: 'y', qty: 1 },
      { sku: 'z', qty: '3', lot: 'L7' },
    ],
  },
]
const shape = shapeOf(samples)

describe('the recorded shape', () => {
  test('holds every path with its types, and marks what a sample leaves out', () => {
    expect(shape).toEqual({
      '': 'object',
      carrier: 'object?',
      'carrier.code': 'string',
      lines: 'array',
      'lines[]': 'object',
      'lines[].lot': 'null|string?',
      'lines[].qty': 'number|string',
      'lines[].sku': 'string',
      order: 'string',
    })
  })
  test.each(samples.map((sample, index) => [index, sample]))(
    'sample %i does not drift from it',
    (_index, sample) => {
      expect(driftOf(shape, sample)).toEqual([])
    },
  )
})

describe('drift', () => {
  test('a new field is reported once for all lines, and not what is inside it', () => {
    const payload = {
      order: 'A-3',
      lines: [
        { sku: 'x', qty: 1, weight: { kg: 2 } },
        { sku: 'y', qty: 1, weight: { kg: 1 } },
      ],
    }
    expect(driftOf(shape, payload)).toEqual([{ path: 'lines[].weight', kind: 'new', found: 'object' }])
  })
  test('a field of another type is reported with both', () => {
    expect(driftOf(shape, { order: 12, lines: [] })).toEqual([
      { path: 'order', kind: 'retyped', expected: 'string', found: 'number' },
    ])
  })
  test('a required field that one line leaves out is missing; an optional one and an empty list are not', () => {
    expect(driftOf(shape, { order: 'A-4', lines: [{ sku: 'x', qty: 1 }, { sku: 'y' }] })).toEqual([
      { path: 'lines[].qty', kind: 'missing', expected: 'number|string' },
    ])
    expect(driftOf(shape, { order: 'A-4', lines: [] })).toEqual([])
  })
  test('a payload that is no object at all is retyped as a whole', () => {
    expect(driftOf(shape, 'maintenance')).toEqual([
      { path: '', kind: 'retyped', expected: 'object', found: 'string' },
    ])
  })
  test('names of Object.prototype are fields like any other', () => {
    const payload = JSON.parse('{"order":"A","lines":[],"constructor":1}') as unknown
    expect(driftOf(shape, payload)).toEqual([{ path: 'constructor', kind: 'new', found: 'number' }])
  })
})

test('the first payloads of a type are compared, then only one in so many', () => {
  const watch = driftWatch({ ship: shape }, { first: 2, every: 5 })
  const looks = Array.from({ length: 11 }, () => watch.inspect('ship', { order: 'A' }).length > 0)
  expect(looks.flatMap((looked, index) => (looked ? [index + 1] : []))).toEqual([1, 2, 5, 10])
  expect(watch.inspect('unknown', 1)).toEqual([])
})

describe('warnings', () => {
  let house: MessageDatabase
  beforeAll(async () => {
    house = await messageDatabase()
  })
  afterAll(() => house.end())

  test('each path warns once, with the first message that showed it', async () => {
    const drift = { path: 'order', kind: 'retyped', expected: 'string', found: 'number' } as const
    for (const messageId of ['m1', 'm2']) {
      const seen = { source: 'shop', type: 'order', messageId, drift }
      await house.database.transaction(async (tx) => recordDrift(tx, [seen, seen]))
    }
    expect(await driftWarnings(house.database, 'shop')).toMatchObject([{ ...drift, messageId: 'm1' }])
    expect(await driftWarnings(house.database, 'other')).toEqual([])
  })
})
