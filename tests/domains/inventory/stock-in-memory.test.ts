/** Whatever changes stock, by whichever verb, is in the memory of who answers for it: nothing is missed. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { leaveQueue } from '#domains/inventory/operations.ts'
import { stockFacts } from '#domains/inventory/views/availability.ts'
import { promisableOf } from '#domains/inventory/views/promising.ts'
import { systemClock } from '#platform/clock.ts'
import { Memory } from '#platform/memory-copy.ts'
import { units } from '#platform/quantity.ts'
import { type ChannelStep, ChannelWalk } from '#tests/domains/inventory/channel-walk.ts'
import { PLACES, type Step, Walk } from '#tests/domains/inventory/claimants.ts'
import { AT, book, change, COMPANY, newItem, NORTH } from '#tests/domains/inventory/stock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const openMemory = () => {
  const memory = new Memory(db.database, systemClock)
  const stock = memory.copy({ topic: 'stock', keysMax: 100, load: stockFacts })
  return { stock, hold: (keys: readonly number[]) => memory.holdAll(0, [{ copy: stock, keys }]) }
}

const asking = (channel: string | undefined) => ({ locations: PLACES, channel })

const orders = fc.record({
  walk: fc.constant('orders' as const),
  step: fc.constantFrom<Step>(
    'order',
    'order',
    'release',
    'ship',
    'shortPick',
    'refuse',
    'cancel',
    'receive',
  ),
  quantity: fc.integer({ min: 1, max: 30 }).map(units),
})
const channels = fc.record({
  walk: fc.constant('channels' as const),
  step: fc.constantFrom<ChannelStep>(
    'receive',
    'reserve',
    'reserve',
    'extend',
    'firm',
    'release',
    'split',
    'expire',
    'order',
    'cancel',
    'keep',
  ),
  quantity: fc.integer({ min: 1, max: 20 }).map(units),
})

test('after any verbs in any order the memory of each process says what the database says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(orders, channels), { minLength: 4, maxLength: 14 }), async (turns) => {
      const [mine, theirs] = [new Walk(db), new ChannelWalk(db)]
      const items = [mine.item, theirs.item]
      const [one, other] = [openMemory(), openMemory()]
      await Promise.all([one.hold(items), other.hold(items)])
      for (const { walk, step, quantity } of turns) {
        if (walk === 'orders') await mine.take(step, quantity)
        else await theirs.take({ step, quantity, channel: 'shop' })
        await Promise.all([one.hold(items), other.hold(items)])
        const books = await stockFacts(db.database, items)
        for (const item of items) {
          expect(one.stock.peek(item)).toEqual(books.get(item))
          expect(other.stock.peek(item)).toEqual(books.get(item))
          for (const channel of [undefined, 'shop', 'portal']) {
            const known = promisableOf(item, one.stock.peek(item), asking(channel))
            expect(known).toEqual(promisableOf(item, books.get(item), asking(channel)))
          }
        }
      }
    }),
    { numRuns: 25 },
  )
})

const opening = (itemId: number) => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  lot: '',
  available: units(7),
  qualityHold: units(2),
  damaged: 0,
  source: 'erp',
  sourceKey: `opening-${itemId}`,
  at: AT,
})

test('an opening balance, a hold and a place in the queue that is given up are known as well', async () => {
  const item = newItem()
  const { stock, hold } = openMemory()
  await hold([item])
  expect(stock.peek(item)).toBeUndefined()
  await db.database.transaction((tx) => openBalances(tx, [opening(item)]))
  await hold([item])
  expect(promisableOf(item, stock.peek(item), asking(undefined))[0]).toMatchObject({
    available: units(7),
    onHand: units(9),
  })
  await book(
    db,
    change(item, { from: 'available', to: 'quarantine', quantity: units(2) }),
    change(item, { from: 'available', to: 'blocked', quantity: units(1) }),
  )
  await db.run(
    'insert into inventory.backorder (item_id, doc, line, company, quantity) values ($1, 1, 1, $2, 2)',
    [item, COMPANY],
  )
  await hold([item])
  expect(promisableOf(item, stock.peek(item), asking(undefined))[0]).toMatchObject({
    available: units(2),
    onHold: units(5),
    waiting: units(2),
  })
  await db.database.transaction(async (tx) => leaveQueue(tx, [{ itemId: item, doc: 1, line: 1 }]))
  await hold([item])
  expect(promisableOf(item, stock.peek(item), asking(undefined))[0]).toMatchObject({ available: units(4) })
})
