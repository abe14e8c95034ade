/** Sharing stock out between channels: pure arithmetic over what is free, kept and waited for. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChannelStock } from '#domains/inventory/rules/channel-stock.ts'
import type { Kept, KeptKind } from '#domains/inventory/contract.ts'
import { stockKey } from '#domains/inventory/rules.ts'

const ITEM = 1
const PLACES = ['north', 'south']
const CHANNELS = ['shop', 'portal', 'pos', 'edi', 'api']

const kept = (over: Partial<Kept> & { readonly kind: KeptKind }): Kept => ({
  id: 1,
  itemId: ITEM,
  location: 'north',
  name: over.channels?.[0] ?? over.kind,
  channels: [],
  left: 0,
  ...over,
})

/** What is within a pool has fewer channels, others share none, as the door insists. */
const shares = fc.record({
  free: fc.record({ north: fc.integer({ min: -20, max: 100 }), south: fc.integer({ min: -20, max: 100 }) }),
  kept: fc
    .array(
      fc.record({
        kind: fc.constantFrom<KeptKind>('wall', 'minimum', 'pool'),
        location: fc.constantFrom(...PLACES),
        left: fc.nat(60),
      }),
      { maxLength: 6 },
    )
    .map((some) =>
      some.map((one, at) =>
        kept({ ...one, id: at, channels: at < 4 ? [CHANNELS[at]!] : [`extra-${at}`], name: String(at) }),
      ),
    ),
  around: fc.record({ location: fc.constantFrom(...PLACES), left: fc.nat(60) }),
  safety: fc.nat(30),
  waiting: fc.array(
    fc.record({ itemId: fc.constant(ITEM), channel: fc.constantFrom(...CHANNELS, ''), quantity: fc.nat(40) }),
    { maxLength: 5 },
  ),
})

type Shares = typeof shares extends fc.Arbitrary<infer T> ? T : never

/** All that is kept, with a pool around what is kept for the first two channels. */
const allKept = ({ kept: some, around }: Shares): Kept[] => [
  kept({
    ...around,
    kind: 'pool',
    id: 98,
    name: 'around',
    channels: [CHANNELS[0]!, CHANNELS[1]!, 'walk-in'],
  }),
  ...some,
]

const stockBefore = (shared: Shares) =>
  new ChannelStock({
    free: new Map(PLACES.map((place) => [stockKey(ITEM, place), shared.free[place as keyof Shares['free']]])),
    kept: [...allKept(shared), kept({ kind: 'safety', id: 99, left: shared.safety })],
  })
/** For who comes new. */
function stockOf(shared: Shares): ChannelStock {
  const stock = stockBefore(shared)
  stock.setAside(shared.waiting, PLACES)
  return stock
}

const reachOf = (stock: ChannelStock, channel: string) =>
  PLACES.reduce((sum, place) => sum + Math.max(0, stock.at(channel, ITEM, place)), 0)
const given = (stock: ChannelStock, channel: string, quantity: number) =>
  stock.allocate(channel, [{ itemId: ITEM, quantity }], PLACES)[0]!
const sumOf = (some: readonly { readonly quantity: number }[]) =>
  some.reduce((sum, { quantity }) => sum + quantity, 0)
/** What is kept for a channel alone, and there even when all others have taken theirs. */
function secured(shared: Shares, channel: string): number {
  const { free, safety } = shared
  return PLACES.reduce((sum, place) => {
    const here = allKept(shared).filter(({ location }) => location === place)
    const own = here.find(({ channels }) => channels.length === 1 && channels[0] === channel)?.left ?? 0
    const others = here.reduce((total, { left }) => total + left, 0) - own
    const left = free[place as keyof typeof free] - (place === 'north' ? safety : 0) - others
    return sum + Math.min(own, Math.max(0, left))
  }, 0)
}

test('what is told to be available is what is given, to the last unit and no further', () => {
  fc.assert(
    fc.property(shares, fc.constantFrom(...CHANNELS), (some, channel) => {
      const stock = stockOf(some)
      const told = reachOf(stock, channel)
      expect(sumOf(given(stock, channel, told + 7))).toBe(told)
      expect(reachOf(stock, channel)).toBe(0)
    }),
  )
})

test('what one channel takes leaves every other what is kept for it', () => {
  fc.assert(
    fc.property(shares, fc.constantFrom(...CHANNELS), fc.nat(200), (some, greedy, quantity) => {
      const stock = stockBefore(some)
      given(stock, greedy, quantity)
      for (const other of CHANNELS.filter((channel) => channel !== greedy)) {
        expect(reachOf(stock, other)).toBeGreaterThanOrEqual(secured(some, other))
      }
    }),
  )
})

test('together channels are never given more than is free beyond safety stock', () => {
  const orders = fc.array(fc.record({ channel: fc.constantFrom(...CHANNELS), quantity: fc.nat(50) }), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(shares, orders, (some, asked) => {
      const stock = stockOf(some)
      const north = asked
        .flatMap(({ channel, quantity }) => given(stock, channel, quantity))
        .filter(({ location }) => location === 'north')
      expect(sumOf(north)).toBeLessThanOrEqual(Math.max(0, some.free.north - some.safety))
      for (const { id, left } of allKept(some)) {
        const portions = north.flatMap(({ from = [] }) => from).filter((one) => one.id === id)
        const taken = sumOf(portions)
        expect(taken).toBeLessThanOrEqual(left)
      }
    }),
  )
})

test('nothing lies idle once everybody for whom it is has asked, also where more is kept than there is', () => {
  fc.assert(
    fc.property(shares, (some) => {
      const stock = stockBefore(some)
      const taken = [...CHANNELS, 'walk-in', 'extra-4', 'extra-5'].flatMap((channel) =>
        given(stock, channel, 1_000),
      )
      for (const place of PLACES) {
        const safety = place === 'north' ? some.safety : 0
        const here = sumOf(taken.filter(({ location }) => location === place))
        expect(here).toBe(Math.max(0, some.free[place as keyof typeof some.free] - safety))
      }
    }),
  )
})

test('who waits is given, in the order of the queue, what whoever comes new of his channel would be given', () => {
  fc.assert(
    fc.property(shares, (some) => {
      const [queue, news] = [stockBefore(some), stockBefore(some)]
      const inTurn = some.waiting.map(({ channel, quantity }) => {
        const there = Math.min(quantity, reachOf(news, channel))
        news.setAside([{ itemId: ITEM, channel, quantity: there }], PLACES)
        return there
      })
      expect(queue.setAside(some.waiting, PLACES)).toEqual(inTurn)
    }),
  )
})

test('what waits of one channel is nothing that is kept for another', () => {
  fc.assert(
    fc.property(shares, fc.constantFrom(...CHANNELS), (some, other) => {
      const stock = stockBefore(some)
      stock.setAside(
        some.waiting.filter(({ channel }) => channel !== other),
        PLACES,
      )
      expect(reachOf(stock, other)).toBeGreaterThanOrEqual(secured(some, other))
    }),
  )
})

test('whoever comes new is told to have no more than he could be given if those who wait had theirs', () => {
  fc.assert(
    fc.property(shares, fc.constantFrom(...CHANNELS), (some, channel) => {
      const stock = stockOf(some)
      const told = reachOf(stock, channel)
      expect(sumOf(given(stock, channel, 1_000))).toBe(told)
      const both = stockBefore(some)
      const had = both.setAside(some.waiting, PLACES)
      expect(sumOf(given(both, channel, 1_000))).toBe(told)
      expect(
        both
          .setAside(some.waiting, PLACES)
          .every((one, at) => one + had[at]! <= reachOf(stockBefore(some), some.waiting[at]!.channel)),
      ).toBe(true)
    }),
  )
})

test('who waits behind a wall has what is kept there, and nothing else', () => {
  const stock = new ChannelStock({
    free: new Map([[stockKey(ITEM, 'north'), 10]]),
    kept: [kept({ kind: 'wall', channels: ['edi'], left: 3 })],
  })
  const waits = (channel: string) => ({ itemId: ITEM, channel, quantity: 5 })
  expect(stock.setAside([waits('edi'), waits('edi'), waits('shop'), waits('shop')], PLACES)).toEqual([
    3, 0, 5, 2,
  ])
})

test('what an order gives back is for all but those whom a wall parts from it, and touches nothing that is kept', () => {
  const stock = new ChannelStock({
    free: new Map([[stockKey(ITEM, 'north'), 0]]),
    kept: [
      kept({ kind: 'minimum', channels: ['edi'], left: 4 }),
      kept({ kind: 'wall', channels: ['pos'], id: 2 }),
    ],
  })
  stock.giveBack('shop', { itemId: ITEM }, { location: 'north', quantity: 6 })
  const at = (channel: string) => stock.at(channel, ITEM, 'north')
  stock.giveBack('pos', { itemId: ITEM }, { location: 'north', quantity: 1 })
  expect([at('shop'), at('portal'), at('edi'), at('pos')]).toEqual([6, 6, 6, 1])
  given(stock, 'portal', 2)
  expect([at('shop'), at('portal'), at('edi'), at('pos')]).toEqual([4, 4, 4, 1])
  expect(stock.leftOf('shop', { itemId: ITEM }, 'north')).toBe(4)
  expect([stock.rest.get(stockKey(ITEM, 'north')), stock.keptFor('edi', ITEM, 'north')]).toEqual([-4, 4])
})

test('where nothing is kept back, what waits is all that is left out', () => {
  const stock = new ChannelStock({ free: new Map([[stockKey(ITEM, 'north'), 10]]), kept: [] })
  stock.setAside([{ itemId: ITEM, channel: 'api', quantity: 4 }], PLACES)
  expect(stock.at('shop', ITEM, 'north')).toBe(6)
  expect(given(stock, 'shop', 9)).toEqual([{ location: 'north', quantity: 6 }])
})
