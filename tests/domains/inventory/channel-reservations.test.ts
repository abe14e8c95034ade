/** What channels are granted never exceeds what there is, whatever becomes of their reservations and in what order. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from '#platform/database.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { createDatabase } from '#platform/database.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { channelReservations } from '#domains/inventory/views/reservations.ts'
import { type ChannelStep, ChannelWalk, grant, type Turn } from '#tests/domains/inventory/channel-walk.ts'
import { claimsOn, newItem, receive } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
let crowd: ConnectionPool
let crowded: Database
beforeAll(async () => {
  db = await openTestDatabase()
  crowd = openConnections({
    url: db.url,
    size: 8,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 20_000,
    plans: 'hot',
    onError: () => undefined,
  })
  crowded = createDatabase(crowd, { clock, random: () => 0.5, assertLockOrder: true })
})
afterAll(async () => {
  await crowd.end()
  await db.end()
})

const turn: fc.Arbitrary<Turn> = fc.record({
  step: fc.constantFrom<ChannelStep>(
    'receive',
    'reserve',
    'reserve',
    'reserve',
    'extend',
    'firm',
    'release',
    'split',
    'expire',
    'order',
    'order',
    'cancel',
    'keep',
  ),
  quantity: fc.integer({ min: 1, max: 20 }).map(units),
  channel: fc.constantFrom('shop', 'portal'),
})

/** Claims of channels and of orders, and whether the books agree with them. */
async function look(walk: ChannelWalk) {
  const positions = await claimsOn(db, walk.item)
  const found = await channelReservations(db.database, walk.reservations)
  const [orders] = await db.run<{ quantity: Quantity }>(
    'select coalesce(sum(quantity), 0) as quantity from inventory.reservation where item_id = $1',
    [walk.item],
  )
  const lines = [...found.values()].flatMap((reservation) => reservation.lines)
  const open = lines.reduce((sum, line) => sum + line.open, 0)
  return { positions, lines, promised: open + orders!.quantity }
}

test('reserved, extended, split, released, expired, ordered and cancelled in any order, it is never more than the supply', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 4, maxLength: 16 }), async (turns) => {
      const walk = new ChannelWalk(db)
      await walk.take({ step: 'receive', quantity: units(20), channel: '' })
      for (const each of turns) {
        await walk.take(each)
        const { positions, lines, promised } = await look(walk)
        expect(promised).toBeLessThanOrEqual(walk.supply)
        expect(positions.reduce((sum, { reserved }) => sum + reserved, 0)).toBe(promised)
        for (const { reserved, claimed } of positions) expect(reserved).toBe(claimed)
        for (const line of lines) {
          expect(line.granted).toBe(line.open + line.committed + line.released + line.expired)
          expect(line.places.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(line.open)
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('of eight transactions at once, each all or nothing, exactly what there is is granted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 8, maxLength: 8 }),
      async (wanted) => {
        const item = newItem()
        await receive(db, item, units(9))
        const made = await Promise.all(
          wanted.map((count) =>
            crowded.transaction((tx) => grant(tx, item, { quantity: units(count), channel: 'shop' })),
          ),
        )
        const granted = made.reduce((sum, one) => sum + (one?.lines[0]!.granted ?? 0), 0)
        const refused = wanted.filter((_, at) => made[at] === undefined)
        const left = units(9) - granted
        expect(left).toBeGreaterThanOrEqual(0)
        // who was refused asked for more than was left at the end, and so all the more before
        for (const count of refused) expect(units(count)).toBeGreaterThan(left)
        const [position] = await claimsOn(db, item)
        expect(position).toMatchObject({ reserved: granted, claimed: granted })
      },
    ),
    { numRuns: 10 },
  )
})
