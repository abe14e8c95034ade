import { describe, expect, test } from 'vitest'
import { accepts, driftOf, driftWatch, shapeOf } from '#platform/inbox-drift.ts'
import { fakeClock } from '#tests/support/clock.ts'

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

describe('what a record has grown to hold', () => {
  test.each([
    [{ path: 'carrier.code', kind: 'new', found: 'string' }, true],
    [{ path: 'order', kind: 'retyped', found: 'number' }, false],
    [{ path: 'lines[].qty', kind: 'retyped', found: 'string' }, true],
    [{ path: 'gift', kind: 'new', found: 'boolean' }, false],
    [{ path: 'carrier', kind: 'missing' }, true],
    [{ path: 'order', kind: 'missing' }, false],
    [{ path: 'never-recorded', kind: 'missing' }, true],
  ] as const)('%j is accepted: %s', (drift, accepted) => {
    expect(accepts(shape, drift)).toBe(accepted)
  })
})

describe('a watch', () => {
  const message = (number: number, content: object = { order: 'A' }, type = 'order') => ({
    type,
    messageId: `m${number}`,
    body: JSON.stringify(content),
  })

  test('compares a type ten times a second at most, and every message where few come', async () => {
    const clock = fakeClock()
    const watch = driftWatch({ order: samples }, clock)
    for (let number = 0; number < 50; number++) watch.notice(message(number))
    expect(watch.take()[0]!.drifts.get('lines missing')).toMatchObject({ messageId: 'm0', times: 1 })
    for (let number = 0; number < 3; number++) {
      await clock.advance(100)
      watch.notice(message(number))
    }
    expect(watch.take()[0]!.drifts.get('lines missing')).toMatchObject({ messageId: 'm2', times: 3 })
  })

  test('says which types it looked at, and nothing of those without a sample or without a message', () => {
    const watch = driftWatch({ order: samples, other: samples }, fakeClock())
    watch.notice(message(1, samples[0]))
    watch.notice(message(2, {}, 'unknown'))
    expect(watch.take()).toEqual([{ type: 'order', shape, drifts: new Map() }])
    expect(watch.take()).toEqual([])
  })

  test('does not follow a source that makes up field names without end', () => {
    const watch = driftWatch({ order: samples }, fakeClock())
    const madeUp = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`field-${n}`, n]))
    watch.notice(message(1, { ...samples[0], ...madeUp }))
    expect(watch.take()[0]!.drifts.size).toBe(20)
  })
})
