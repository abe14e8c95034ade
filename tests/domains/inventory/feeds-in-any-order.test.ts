/** Facts, repetitions, snapshots and claims in any order: the books end as those that were told in order. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releaseOrders } from '#domains/inventory/operations.ts'
import { settleDoubts } from '#domains/inventory/operations/doubts.ts'
import { units } from '#platform/quantity.ts'
import {
  claim,
  factOf,
  leave,
  OTHER_SOURCE,
  SOURCE,
  take,
  tell,
} from '#tests/domains/inventory/feed-voice.ts'
import { AT, claimsOn, newItem, NORTH, positionOf } from '#tests/domains/inventory/stock.ts'
import { booksAgree } from '#tests/domains/inventory/ledger.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

describe('whatever comes in whatever order', () => {
  type World = { available: number; hold: number; damaged: number }
  const BUCKETS = {
    receipt: ['supplier', 'available'],
    found: ['adjustment', 'available'],
    lost: ['available', 'adjustment'],
    broken: ['available', 'damaged'],
    held: ['available', 'quality_hold'],
    freed: ['quality_hold', 'available'],
    shipped: ['available', 'shipped'],
  } as const
  type Kind = keyof typeof BUCKETS
  const KINDS = Object.keys(BUCKETS) as Kind[]
  /** These are told by another source of the place, in numbers of its own; it takes no snapshots. */
  const TOLD_ELSEWHERE: ReadonlySet<Kind> = new Set(['found', 'lost'])
  const FIELD = { available: 'available', quality_hold: 'hold', damaged: 'damaged' } as const

  type Step = {
    kind: Kind
    quantity: number
    source: string
    sequence: number | undefined
    mark: number
    after: World
    /** What a snapshot then says is the last of its source. */
    last: number
  }

  /** What really happens: nothing is taken that is not there, and each fact gets the next numbers. */
  function historyOf(wishes: readonly { kind: Kind; quantity: number }[]): Step[] {
    let world: World = { available: 0, hold: 0, damaged: 0 }
    const last = { own: 0, other: 0 }
    return wishes.flatMap(({ kind, quantity: wished }, at) => {
      const [from, to] = BUCKETS[kind]
      const taken = FIELD[from as keyof typeof FIELD] as keyof World | undefined
      const quantity = taken ? Math.min(wished, world[taken]) : wished
      if (quantity === 0) return []
      const target = FIELD[to as keyof typeof FIELD] as keyof World | undefined
      world = { ...world }
      if (taken) world[taken] -= quantity
      if (target) world[target] += quantity
      const teller = TOLD_ELSEWHERE.has(kind) ? 'other' : 'own'
      const sequence = kind === 'shipped' ? undefined : ++last[teller]
      const source = teller === 'own' ? SOURCE : OTHER_SOURCE
      return [{ kind, quantity, source, sequence, mark: at + 1, after: world, last: last.own }]
    })
  }

  type Event =
    | { what: 'fact'; step: Step }
    | { what: 'snapshot'; step: Step }
    | { what: 'reserve'; doc: number; quantity: number }
    | { what: 'cancel'; doc: number }

  async function deliver(item: number, events: readonly Event[]): Promise<void> {
    const left = new Set<number>()
    for (const event of events) {
      if (event.what === 'reserve') await grant(item, event)
      else if (event.what === 'cancel') {
        await db.database.transaction((tx) => releaseOrders(tx, [item * 10 + event.doc]))
        await settle(item)
      } else if (event.what === 'snapshot') {
        const { after, last, mark } = event.step
        const { available, hold, damaged } = after
        await take(db, item, {
          available: units(available),
          qualityHold: units(hold),
          damaged: units(damaged),
          sequence: last,
          mark,
        })
      } else if (event.step.kind !== 'shipped') {
        const { kind, quantity, ...told } = event.step
        const [from, to] = BUCKETS[kind]
        const { source, mark } = told
        const fact = factOf(
          item,
          { from, to, quantity: units(quantity) },
          { source, mark, sequence: told.sequence! },
        )
        await tell(db, fact)
      } else if (!left.has(event.step.mark)) {
        // the same shipment twice is known by its number before it comes to stock
        left.add(event.step.mark)
        await leave(db, item, event.step.quantity, { mark: event.step.mark })
      }
    }
  }

  /** No more than is free at that moment, whatever was told before. */
  async function grant(item: number, { doc, quantity }: { doc: number; quantity: number }): Promise<void> {
    const before = await positionOf(db, item)
    await claim(db, item * 10 + doc, item, units(quantity))
    const granted = ((await positionOf(db, item))?.reserved ?? 0) - (before?.reserved ?? 0)
    const free = before ? before.available - before.reserved + Math.min(0, before.unreconciled) : 0
    expect(granted).toBe(Math.min(units(quantity), Math.max(0, free)))
  }

  /** As the watch of doubts does, some time after claims have ended. */
  const settle = (item: number) =>
    db.database.transaction((tx) =>
      settleDoubts(tx, [{ itemId: item, location: NORTH }], {
        source: 'crossdock',
        sourceKey: 'claims',
        at: AT,
      }),
    )

  /** What is there, however it is split between claims and doubt. */
  async function physical(item: number) {
    const row = await positionOf(db, item)
    return {
      available: (row?.available ?? 0) + (row?.unreconciled ?? 0),
      hold: row?.quality_hold ?? 0,
      damaged: row?.damaged ?? 0,
    }
  }

  async function claimsAgree(item: number): Promise<void> {
    for (const { reserved, claimed } of await claimsOn(db, item)) expect(reserved).toBe(claimed)
  }

  const wish = fc.record({ kind: fc.constantFrom(...KINDS), quantity: fc.integer({ min: 1, max: 20 }) })
  const scenario = fc
    .array(wish, { minLength: 3, maxLength: 8 })
    .map((wishes) => historyOf([{ kind: 'receipt', quantity: 30 }, ...wishes]))
    .chain((history) => {
      const facts = history.map((step): Event => ({ what: 'fact', step }))
      const snapshots = history.map((step): Event => ({ what: 'snapshot', step }))
      const orders = [1, 2, 3].flatMap((doc): Event[] => [
        { what: 'reserve', doc, quantity: doc * 4 },
        { what: 'cancel', doc },
      ])
      return fc.record({
        history: fc.constant(history),
        told: fc.subarray(facts),
        again: fc.subarray(facts),
        counted: fc.subarray(snapshots, { maxLength: Math.min(3, snapshots.length) }),
        orders: fc.subarray(orders),
        order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      })
    })

  const shuffled = <T>(events: readonly T[], order: readonly number[]): T[] =>
    events
      .map((event, at) => ({ event, rank: order[at % order.length]! * 100 + at }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ event }) => event)
  const markOf = (event: Event): number =>
    'step' in event ? event.step.mark + (event.what === 'snapshot' ? 0.5 : 0) : Infinity

  test('what was told ends in the same position as in its order, and ledger and positions are equal', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ told, again, counted, orders, order }) => {
        const known = new Set(told)
        const repeated = again.filter((event) => known.has(event))
        const [one, other] = [newItem(), newItem()]
        const inOrder = [...told, ...counted].toSorted((a, b) => markOf(a) - markOf(b))
        await deliver(one, inOrder)
        await deliver(other, shuffled([...told, ...repeated, ...counted, ...orders], order))
        expect(await physical(other)).toEqual(await physical(one))
        await booksAgree(db, other)
        await claimsAgree(other)
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('a last snapshot makes it what is really there, and nobody lost a claim', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ history, told, counted, orders, order }) => {
        const item = newItem()
        const last = history.at(-1)!
        await deliver(item, shuffled([...told, ...counted, ...orders], order))
        const before = await positionOf(db, item)
        await deliver(item, [{ what: 'snapshot', step: last }])
        const { available, hold, damaged } = last.after
        const there = { available: units(available), hold: units(hold), damaged: units(damaged) }
        expect(await physical(item)).toEqual(there)
        const after = await positionOf(db, item)
        expect(after!.reserved).toBe(before?.reserved ?? 0)
        expect(after!.unreconciled).toBe(Math.min(0, units(available) - after!.reserved))
        await booksAgree(db, item)
        await claimsAgree(item)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})
