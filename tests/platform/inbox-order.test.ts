import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  gapBefore,
  inOrder,
  rule,
  untouched,
  type Discipline,
  type StreamPosition,
} from '#platform/inbox-order.ts'

const item: Discipline = { by: 'item', first: 1 }
const global: Discipline = { by: 'global' }
const taken: Discipline = { by: 'taken' }
const at = (lastSequence: number): StreamPosition => ({ ...untouched, lastSequence })
const takenAt = (time: string) => ({ takenAt: new Date(`2026-03-02T${time}Z`) })

describe('without an order', () => {
  test('every message applies and nothing is remembered', () => {
    expect(rule({ by: 'none' }, untouched, { sequence: 3 })).toEqual({ ruling: 'apply', position: untouched })
  })
})

describe('by the time taken', () => {
  const seen = rule(taken, untouched, takenAt('09:00:00')).position
  test.each([
    ['a later state applies', '09:00:01', 'apply'],
    ['of two states of one moment the later arrival applies', '09:00:00', 'apply'],
    ['an older state is superseded', '08:59:59', 'superseded'],
  ])('%s', (_title, time, ruling) => {
    expect(rule(taken, seen, takenAt(time)).ruling).toBe(ruling)
  })
  test('a message without its time is unordered', () => {
    expect(rule(taken, seen, {}).ruling).toBe('unordered')
  })
})

describe('by the sequence of an item', () => {
  test('the next one applies, an earlier one is superseded, a later one waits for what is missing', () => {
    expect(rule(item, at(3), { sequence: 4 })).toEqual({ ruling: 'apply', position: at(4) })
    expect(rule(item, at(3), { sequence: 3 })).toEqual({ ruling: 'superseded', position: at(3) })
    expect(rule(item, at(3), { sequence: 6 })).toEqual({
      ruling: 'wait',
      position: { ...at(3), missing: { from: 4, to: 5 } },
    })
  })
  test('what is missing ends before the earliest that waits', () => {
    const blocked = rule(item, at(3), { sequence: 6 }).position
    expect(rule(item, blocked, { sequence: 9 }).position.missing).toEqual({ from: 4, to: 5 })
    expect(rule(item, blocked, { sequence: 5 }).position.missing).toEqual({ from: 4, to: 4 })
  })
  test('a source that promises a first number has a gap before anything came; another starts anywhere', () => {
    expect(rule(item, untouched, { sequence: 2 }).ruling).toBe('wait')
    expect(rule({ by: 'item' }, untouched, { sequence: 2 })).toEqual({ ruling: 'apply', position: at(2) })
  })
  test('a message without its number is unordered', () => {
    expect(rule(item, at(3), { sequence: null }).ruling).toBe('unordered')
  })
  test('after a release the gap reaches to the next that waits', () => {
    expect(gapBefore(5, 9)).toEqual({ from: 6, to: 8 })
    expect(gapBefore(5, undefined)).toBeNull()
  })
  test('whatever the order of arrival, nothing applies before all its predecessors or twice', () => {
    const arrivals = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 })
    fc.assert(
      fc.property(arrivals, (sequences) => {
        let position = untouched
        const applied: number[] = []
        for (const sequence of sequences) {
          const ruled = rule(item, position, { sequence })
          if (ruled.ruling === 'apply') applied.push(sequence)
          position = ruled.position
        }
        expect(applied).toEqual(applied.map((_, index) => index + 1))
      }),
    )
  })
})

describe('by one global sequence', () => {
  test('a gap does not stop it but is remembered until the delta comes', () => {
    const gap = rule(global, at(3), { sequence: 6 })
    expect(gap).toEqual({ ruling: 'apply', position: { ...at(6), missing: { from: 4, to: 5 } } })
    expect(rule(global, gap.position, { sequence: 7 })).toEqual({
      ruling: 'apply',
      position: { ...at(7), missing: { from: 4, to: 5 } },
    })
    expect(rule(global, gap.position, { sequence: 9 }).position.missing).toEqual({ from: 4, to: 8 })
  })
  test('a late message inside the gap is superseded by the delta', () => {
    const gap = rule(global, at(3), { sequence: 6 }).position
    expect(rule(global, gap, { sequence: 4 })).toEqual({ ruling: 'superseded', position: gap })
  })
})

test('messages of one stream are decided by their place, ties by arrival', () => {
  const [third, first, alsoFirst] = [{ sequence: 3 }, { sequence: 1, name: 'a' }, { sequence: 1, name: 'b' }]
  expect(inOrder(item, [third, first, alsoFirst])).toEqual([first, alsoFirst, third])
})
