/** How processes divide slots and tokens, whatever the order in which they ask. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { CLOSED } from '#platform/breaker.ts'
import { divide, type Share, type SharedState, type Wish } from '#platform/policies-shares.ts'
import { Policy } from '#platform/policies.ts'
import { quiet } from './quiet-wish.ts'

const fresh: SharedState = {
  instance: 'erp',
  revision: 7,
  pausedUntilMs: null,
  pausedReason: null,
  breaker: CLOSED,
  tokens: null,
  tokensAtMs: 0,
}
const share = (holder: number, overrides: Partial<Share> = {}): Share => ({
  holder,
  slots: 0,
  probes: 0,
  active: true,
  waitingSinceMs: null,
  ...overrides,
})
const ask = (
  policy: z.input<typeof Policy>,
  wish: Partial<Wish>,
  rest: { state?: Partial<SharedState>; mine?: Share; others?: Share[]; nowMs?: number } = {},
) =>
  divide({
    policy: Policy.parse(policy),
    wish: { ...quiet, ...wish },
    state: { ...fresh, ...rest.state },
    mine: rest.mine ?? share(1),
    others: rest.others ?? [],
    nowMs: rest.nowMs ?? 0,
  })

test('while nobody waits, one process may take every slot that is free', () => {
  const { grant, mine } = ask({ concurrency: 10 }, { slotsWanted: 10 }, { others: [share(2, { slots: 3 })] })
  expect([grant.slots, mine.slots, mine.waitingSinceMs]).toEqual([7, 7, 0])
})

test('when another waits, a process comes down to its part as its calls end', () => {
  const others = [share(2, { waitingSinceMs: 0 })]
  const mine = share(1, { slots: 10 })
  const busy = ask({ concurrency: 10 }, { slotsWanted: 10, slotsInUse: 9 }, { mine, others })
  expect([busy.grant.slots, busy.mine.slots, busy.tellOthers]).toEqual([5, 9, true])
  const later = ask({ concurrency: 10 }, { slotsWanted: 10, slotsInUse: 4 }, { mine: busy.mine, others })
  expect([later.grant.slots, later.mine.slots]).toEqual([5, 5])
})

test('the odd slot goes to the lower number', () => {
  const part = (holder: number): number =>
    ask(
      { concurrency: 5 },
      { slotsWanted: 5 },
      { mine: share(holder), others: [share(3 - holder, { waitingSinceMs: 0 })] },
    ).grant.slots
  expect([part(1), part(2)]).toEqual([3, 2])
})

test('the last token goes to whoever has waited longest', () => {
  const rate = { perSecond: 1, burst: 1 }
  const others = [share(2, { waitingSinceMs: 100 })]
  const late = ask(
    { rate },
    { tokensWanted: 1 },
    { mine: share(1, { waitingSinceMs: 200 }), others, nowMs: 300 },
  )
  expect(late.grant.tokens).toBe(0)
  const early = ask(
    { rate },
    { tokensWanted: 1 },
    { mine: share(1, { waitingSinceMs: 50 }), others, nowMs: 300 },
  )
  expect(early.grant).toMatchObject({ tokens: 1, nextTokenInMs: 1_000 })
})

test('what a process saw before others changed the state is dropped', () => {
  const tripped = (revision: number) => ask({}, { events: [{ event: 'tripped', revision }] }).state
  expect(tripped(7)).toMatchObject({ revision: 8, breaker: { state: 'open' } })
  expect(tripped(6)).toMatchObject({ revision: 7, breaker: { state: 'closed' } })
})

test('a transaction that waited for the row earns nothing twice', () => {
  const rate = { perSecond: 10, burst: 10 }
  const state = { tokens: 3, tokensAtMs: 50_000 }
  const late = ask({ rate }, {}, { state, nowMs: 49_000 }).state
  expect([late.tokens, late.tokensAtMs]).toEqual([3, 50_000])
})

test('a database clock that was set back by an hour does not stop the rate', () => {
  const rate = { perSecond: 10, burst: 10 }
  const state = { tokens: 0, tokensAtMs: 3_650_000 }
  const back = ask({ rate }, {}, { state, nowMs: 50_000 }).state
  expect(back.tokens).toBe(0)
  expect(ask({ rate }, {}, { state: back, nowMs: 50_500 }).state.tokens).toBe(5)
})

const LIMIT = 6
/** A process asks for so many slots, having so many of its granted ones in use. */
const step = fc.record({
  holder: fc.integer({ min: 1, max: 4 }),
  wanted: fc.nat(8),
  using: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('in no order of asking do the processes hold more slots than there are', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shares = new Map<number, Share>()
      const granted = new Map<number, number>()
      steps.forEach(({ holder, wanted, using }, nowMs) => {
        const slotsInUse = Math.round(using * (granted.get(holder) ?? 0))
        const others = [...shares.values()].filter((other) => other.holder !== holder)
        const mine = shares.get(holder) ?? share(holder)
        const { mine: held, grant } = ask(
          { concurrency: LIMIT },
          { slotsInUse, slotsWanted: Math.max(wanted, slotsInUse) },
          { mine, others, nowMs },
        )
        shares.set(holder, held)
        granted.set(holder, grant.slots)
        expect(held.slots).toBeGreaterThanOrEqual(Math.max(slotsInUse, grant.slots))
        expect([...shares.values()].reduce((sum, one) => sum + one.slots, 0)).toBeLessThanOrEqual(LIMIT)
      })
    }),
  )
})

test('tokens handed out never exceed what was saved and what time has earned', () => {
  const asking = fc.record({
    afterMs: fc.nat(700),
    wanted: fc.nat(20),
    holder: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(asking, { maxLength: 60 }), (steps) => {
      let state: SharedState = fresh
      let nowMs = 0
      let handedOut = 0
      for (const { afterMs, wanted, holder } of steps) {
        nowMs += afterMs
        const others = [1, 2, 3].filter((other) => other !== holder).map((other) => share(other))
        const division = ask(
          { rate: { perSecond: 10, burst: 5 } },
          { tokensWanted: wanted },
          { state, mine: share(holder), others, nowMs },
        )
        state = division.state
        handedOut += division.grant.tokens
        expect(handedOut).toBeLessThanOrEqual(5 + nowMs / 100 + 1e-6)
        expect(state.tokens).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})
