/** Natural keys on a real database: a business document is one order, whatever key it comes under. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimNaturalKeys, giveBackNaturalKeys } from '#domains/orders/operations.ts'
import type { NaturalKey } from '#domains/orders/store/natural-keys.ts'
import { COMPANY, newCustomer, newDoc } from '#tests/domains/orders/order-fixtures.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
let customerId: number
beforeAll(async () => {
  db = await openTestDatabase()
  customerId = await newCustomer(db, 'C-1')
})
afterAll(() => db.end())

const HASH = 'ab'.repeat(32)
const OTHER_HASH = 'cd'.repeat(32)

const key = (overrides: Partial<NaturalKey> = {}): NaturalKey => ({
  company: COMPANY,
  sender: 'portal',
  customerId,
  customerOrder: 'PO-1',
  period: '2026',
  orderId: newDoc(),
  contentHash: HASH,
  ...overrides,
})

const claim = async (...keys: readonly NaturalKey[]) => {
  const claimed = await db.database.transaction((tx) => claimNaturalKeys(tx, keys))
  return keys.map((each) => claimed.get(each))
}

describe('a business document', () => {
  test('is new once, and afterwards known by whatever is the same in it', async () => {
    const first = key({ customerOrder: 'PO-A' })
    expect(await claim(first)).toEqual([{ state: 'new' }])
    const again = { ...first, orderId: newDoc() }
    const changed = { ...again, contentHash: OTHER_HASH }
    expect(await claim(again)).toEqual([{ state: 'known', doc: first.orderId, same: true }])
    expect(await claim(changed)).toEqual([{ state: 'known', doc: first.orderId, same: false }])
  })

  test.each([
    ['company', { company: 'NWI' }],
    ['sender', { sender: 'edi-4711' }],
    ['customer', { customerId: 4_711 }],
    ['number', { customerOrder: 'PO-B2' }],
    ['year', { period: '2027' }],
  ])('is another one for another %s', async (name, overrides) => {
    const base = key({ customerOrder: `PO-B ${name}` })
    await claim(base)
    expect(await claim({ ...base, ...overrides, orderId: newDoc() })).toEqual([{ state: 'new' }])
  })

  test('that stands twice in one list is new the first time only', async () => {
    const first = key({ customerOrder: 'PO-C' })
    const [second, third] = [
      key({ customerOrder: 'PO-C' }),
      key({ customerOrder: 'PO-C', contentHash: OTHER_HASH }),
    ]
    expect(await claim(first, second, third)).toEqual([
      { state: 'new' },
      { state: 'known', doc: first.orderId, same: true },
      { state: 'known', doc: first.orderId, same: false },
    ])
  })

  test('that comes eight times at once, in lists of different order, is new exactly once', async () => {
    const numbers = ['PO-D1', 'PO-D2', 'PO-D3']
    const lists = Array.from({ length: 8 }, (_, turn) =>
      (turn % 2 === 0 ? numbers : numbers.toReversed()).map((customerOrder) => key({ customerOrder })),
    )
    const answers = await Promise.all(lists.map((keys) => claim(...keys)))
    for (const number of numbers) {
      const claimed = lists.flatMap((keys, list) =>
        keys.flatMap((each, place) =>
          each.customerOrder === number ? [{ each, answer: answers[list]![place] }] : [],
        ),
      )
      const [winner, ...others] = claimed.filter(({ answer }) => answer?.state === 'new')
      expect(others).toEqual([])
      const rest = claimed.filter((row) => row !== winner)
      expect(rest.map(({ answer }) => answer)).toEqual(
        rest.map(() => ({ state: 'known', doc: winner!.each.orderId, same: true })),
      )
    }
  })

  test('that is refused after all gives its key back, and no other', async () => {
    const [refused, kept] = [key({ customerOrder: 'PO-E1' }), key({ customerOrder: 'PO-E2' })]
    await db.database.transaction(async (tx) => {
      await claimNaturalKeys(tx, [refused, kept])
      giveBackNaturalKeys(tx, [refused, { ...kept, orderId: refused.orderId }])
    })
    expect(await claim({ ...refused, orderId: newDoc() }, { ...kept, orderId: newDoc() })).toEqual([
      { state: 'new' },
      { state: 'known', doc: kept.orderId, same: true },
    ])
  })
})
