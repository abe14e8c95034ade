/** What a difference is taken to come of. */
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { reasonOf } from '../../src/processes/difference-reasons.ts'

const there = (available: number, qualityHold = 0) => ({
  available: units(available),
  qualityHold: units(qualityHold),
  damaged: 0,
})
const left = (document: string, shipped: number, gone = 0) => ({
  source: 'erp',
  document,
  shipped: units(shipped),
  gone: units(gone),
})

test.each([
  ['less', there(10), there(7), []],
  ['more', there(7), there(10), []],
  ['status', there(10), there(6, 4), []],
  ['less', there(10), there(5, 4), []],
  ['left erp S-1', there(10), there(7), [left('S-1', 3)]],
  ['left erp S-1', there(10), there(7), [left('S-1', 2), left('S-1', 5, 4), left('S-2', 4, 4)]],
  ['less', there(10), there(7), [left('S-1', 2)]],
  ['less', there(10), there(7), [left('S-1', 2), left('S-2', 1)]],
  ['more', there(7), there(10), [left('S-1', 3)]],
])('it is "%s" where books say %o and the count %o, of what was sold %o', (reason, ours, theirs, sold) => {
  expect(reasonOf({ ours, theirs }, { isUntold: false, sold })).toBe(reason)
  expect(reasonOf({ ours, theirs }, { isUntold: true, sold })).toBe('untold')
})
