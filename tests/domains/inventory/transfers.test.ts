/** Stock between two places: sent, on its way, arrived in parts or with a difference, or lost. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { move } from '#domains/inventory/operations.ts'
import { takeTransfers, type TransferTold } from '#domains/inventory/operations/transfers.ts'
import { stepTransfer, type TransferState } from '#domains/inventory/rules/transfers.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { booksAgree } from './ledger.ts'
import { AT, change, COMPANY, newItem, NORTH, positionOf, receive, SOUTH } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

let numbers = 0
const transferOf = (itemId: number) => {
  const number = `T-${++numbers}`
  return (act: TransferTold['act'], quantity: number, more: Partial<TransferTold> = {}): TransferTold => ({
    company: COMPANY,
    number,
    itemId,
    lot: '',
    from: NORTH,
    to: SOUTH,
    act,
    quantity: units(quantity),
    status: 'available',
    source: 'wms-test',
    sourceKey: `${number} ${act} ${quantity}`,
    at: AT,
    ...more,
  })
}

const tell = (...told: readonly TransferTold[]) =>
  db.database.transaction(async (tx) => {
    const changes = await takeTransfers(tx, told)
    return move(
      tx,
      told.flatMap((one) => changes.get(one)!),
    )
  })

describe('what is sent', () => {
  test('is in transit to the other place, and for sale nowhere until it arrives, in parts', async () => {
    const item = newItem()
    const told = transferOf(item)
    await receive(db, item, units(10))
    await tell(told('sent', 6))
    expect(await positionOf(db, item)).toMatchObject({ available: units(4) })
    expect(await positionOf(db, item, SOUTH)).toMatchObject({ available: 0, in_transit: units(6) })
    await tell(told('arrived', 2), told('arrived', 3, { status: 'damaged', sourceKey: 'second' }))
    expect(await positionOf(db, item, SOUTH)).toMatchObject({
      available: units(2),
      damaged: units(3),
      in_transit: units(1),
    })
    await booksAgree(db, item)
  })

  test('and never arrives leaves our books once it is known to be missing', async () => {
    const item = newItem()
    const told = transferOf(item)
    await receive(db, item, units(10))
    await tell(told('sent', 6), told('arrived', 5), told('missing', 6))
    expect(await positionOf(db, item, SOUTH)).toMatchObject({ available: units(5), in_transit: 0 })
    expect(await db.run('select missing from inventory.transfer where item_id = $1', [item])).toEqual([
      { missing: units(1) },
    ])
    await booksAgree(db, item)
  })

  test('beyond the books leaves the difference in doubt at the place that sent it', async () => {
    const item = newItem()
    await receive(db, item, units(2))
    expect(await tell(transferOf(item)('sent', 5))).toMatchObject([{ location: NORTH, quantity: units(3) }])
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: -units(3) })
    await booksAgree(db, item)
  })
})

describe('what arrives', () => {
  test('beyond what was sent is in doubt, and takes nothing of other transfers', async () => {
    const item = newItem()
    const [mine, other] = [transferOf(item), transferOf(item)]
    await receive(db, item, units(20))
    await tell(mine('sent', 5), other('sent', 5))
    await tell(mine('arrived', 7))
    expect(await positionOf(db, item, SOUTH)).toMatchObject({
      available: units(7),
      in_transit: units(5),
      unreconciled: -units(2),
    })
    await booksAgree(db, item)
  })

  test('before its sending is told is explained by it', async () => {
    const item = newItem()
    const told = transferOf(item)
    await receive(db, item, units(10))
    await tell(told('arrived', 6, { from: undefined }))
    expect(await positionOf(db, item, SOUTH)).toMatchObject({ available: units(6), unreconciled: -units(6) })
    await tell(told('sent', 6))
    expect(await positionOf(db, item, SOUTH)).toMatchObject({ available: units(6), unreconciled: 0 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(4) })
    await booksAgree(db, item)
  })
})

test('a transfer never has more arrived and missing than was sent, and goes to another place', async () => {
  const item = newItem()
  await receive(db, item, units(5))
  await tell(transferOf(item)('sent', 3))
  const tamper = (what: string) => db.run(`update inventory.transfer set ${what} where item_id = $1`, [item])
  await expect(tamper('arrived = 4')).rejects.toThrow(/arrives_of_what_was_sent/)
  await expect(tamper('ahead = 1')).rejects.toThrow(/arrives_of_what_was_sent/)
  await expect(tamper('from_location = to_location')).rejects.toThrow(/between_two_places/)
})

test('what came back from a customer is booked into quarantine and nowhere else', async () => {
  const item = newItem()
  const back = change(item, { from: 'shipped', to: 'quarantine', quantity: units(2), reason: 'return' })
  await db.database.transaction((tx) => move(tx, [back]))
  expect(await positionOf(db, item)).toMatchObject({ quarantine: units(2), available: 0 })
  await expect(db.database.transaction((tx) => move(tx, [{ ...back, to: 'available' }]))).rejects.toThrow(
    /returns_are_quarantined/,
  )
  await booksAgree(db, item)
})

test('a bucket that nobody knows is refused', async () => {
  const odd = change(newItem(), { to: 'shelf' as 'available', quantity: units(2) })
  await expect(db.database.transaction((tx) => move(tx, [odd]))).rejects.toThrow(/buckets_are_known/)
})

test('in any order of what is told of it, a transfer keeps each unit at one place', () => {
  const acts = fc.record({
    act: fc.constantFrom('sent', 'sent', 'arrived', 'arrived', 'missing'),
    quantity: fc.integer({ min: 1, max: 20 }),
  })
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 8 }), (told) => {
      let state: TransferState = { sent: 0, arrived: 0, missing: 0, ahead: 0 }
      const buckets = new Map<string, number>()
      for (const one of told) {
        const { after, moves } = stepTransfer(state, { ...one, status: 'available' })
        state = after
        for (const { at, from, to, quantity } of moves) {
          expect(quantity).toBeGreaterThan(0)
          buckets.set(`${at} ${from}`, (buckets.get(`${at} ${from}`) ?? 0) - quantity)
          buckets.set(`${at} ${to}`, (buckets.get(`${at} ${to}`) ?? 0) + quantity)
        }
      }
      const sum = (act: string) =>
        told.filter((one) => one.act === act).reduce((all, { quantity }) => all + quantity, 0)
      expect(buckets.get('to in_transit') ?? 0).toBe(state.sent - state.arrived - state.missing)
      expect((buckets.get('from transfer') ?? 0) + (buckets.get('to transfer') ?? 0)).toBe(0)
      expect(buckets.get('to available') ?? 0).toBe(sum('arrived'))
      expect(state.arrived + state.ahead).toBe(sum('arrived'))
      expect(buckets.get('to unreconciled') ?? 0).toBe(-state.ahead || 0)
    }),
  )
})
