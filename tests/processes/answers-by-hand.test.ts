/** What people say of calls: for each operation of the house what its step goes on with, or that nobody can say it. */
import { describe, expect, test } from 'vitest'
import * as carrier from '#capabilities/carrier.ts'
import * as channel from '#capabilities/channel.ts'
import * as erp from '#capabilities/erp.ts'
import * as tax from '#capabilities/tax.ts'
import * as wms from '#capabilities/wms.ts'
import { operationKey } from '#platform/connector.ts'
import { findingOf } from '#processes/answers-by-hand.ts'

const operations = [carrier, channel, erp, tax, wms].flatMap((capability) =>
  Object.values(capability).map((operation) => operationKey(operation)),
)
const NEVER = ['carrier.createLabel', 'channel.setStock', 'tax.determineTax']
const confirmed = { outcome: 'confirmed' } as const
const codeOf = (say: () => unknown): string => {
  try {
    say()
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('no operation of the house is left out', () => {
  expect(operations.length).toBeGreaterThan(10)
  const unsayable = operations.filter(
    (operation) => codeOf(() => findingOf(operation, confirmed, 'seen')) === 'effects.answer_not_by_hand',
  )
  expect(unsayable.toSorted()).toEqual(NEVER)
})

test.each(operations)('of %s can be said that the system refused it or has nothing of it', (operation) => {
  expect(findingOf(operation, { outcome: 'absent' }, 'looked')).toEqual({ kind: 'absent' })
  expect(findingOf(operation, { outcome: 'refused' }, 'they will not')).toEqual({
    kind: 'refused',
    code: 'by_hand',
    message: 'they will not',
  })
})

describe('a call that was done', () => {
  const totals = { netMinor: 10_000, taxMinor: 700, totalMinor: 10_700, postedAt: '2026-11-21T08:30:00Z' }

  test.each([
    ['erp.createSalesOrder', { reference: 'SO-1' }, { number: 'SO-1' }],
    ['wms.requestFulfillment', { reference: ' W-7 ' }, { number: 'W-7' }],
    ['erp.cancelSalesOrder', {}, {}],
    ['erp.reversePayment', {}, {}],
    ['channel.acknowledge', { reference: 'A-1' }, { reference: 'A-1' }],
    [
      'erp.postInvoice',
      { reference: 'RE-1', facts: totals },
      { number: 'RE-1', ...totals, postedAt: new Date('2026-11-21T08:30:00Z') },
    ],
  ])('%s goes on with what was said', (operation, said, answer) => {
    expect(findingOf(operation, { ...confirmed, ...said }, 'seen')).toEqual({ kind: 'confirmed', answer })
  })

  test.each([
    ['erp.createSalesOrder', {}, '/reference'],
    ['erp.createSalesOrder', { reference: ' ' }, '/reference'],
    ['erp.cancelSalesOrder', { facts: { number: 'C-1' } }, '/facts/number'],
    ['erp.postInvoice', { reference: 'RE-1' }, '/facts/netMinor'],
    ['erp.postInvoice', { reference: 'RE-1', facts: { ...totals, totalMinor: 1 } }, '/facts/totalMinor'],
  ])('%s with %j is refused, and the refusal names %s', (operation, said, pointer) => {
    expect(() => findingOf(operation, { ...confirmed, ...said }, 'seen')).toThrow(
      expect.objectContaining({ code: 'effects.answer_incomplete', pointer }),
    )
  })
})
