import { beforeEach, expect, test } from 'vitest'
import { createDoor, type Door } from '#platform/batch.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'

type Item = { readonly name: string }
type Run = { readonly items: readonly Item[]; finish(): void; fail(error: unknown): void }

let clock: FakeClock
let runs: Run[]
beforeEach(() => {
  clock = fakeClock()
  runs = []
})

const item = (name: string): Item => ({ name })
const items = (count: number, prefix = 'i'): Item[] =>
  Array.from({ length: count }, (_, at) => item(`${prefix}${at}`))
const names = (run: Run): string[] => run.items.map(({ name }) => name)
const upper = (batch: readonly Item[]): Map<Item, string> =>
  // In reverse, since the order of answers must not matter.
  new Map([...batch].toReversed().map((one) => [one, one.name.toUpperCase()]))

/** A door whose runs end when the test says so. */
function heldDoor(batchMax = 100, batchesWaitingMax?: number): Door<Item, string> {
  return createDoor({
    clock,
    batchMax,
    ...(batchesWaitingMax === undefined ? {} : { batchesWaitingMax }),
    run: (batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<Map<Item, string>>()
      runs.push({ items: batch, finish: () => resolve(upper(batch)), fail: reject })
      return promise
    },
  })
}

/** A door in which items named poison fail whatever batch they are in. */
function pickyDoor(bisects?: (error: unknown) => boolean): Door<Item, string> {
  return createDoor({
    clock,
    batchMax: 100,
    ...(bisects ? { bisects } : {}),
    run: async (batch) => {
      runs.push({ items: batch, finish: () => undefined, fail: () => undefined })
      const poison = batch.find(({ name }) => name.startsWith('poison'))
      if (poison) throw new Error(`${poison.name} is bad`)
      return upper(batch)
    },
  })
}

const outcomes = async (answers: readonly Promise<string>[]): Promise<string[]> =>
  (await Promise.allSettled(answers)).map((one) =>
    one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
  )

test('what arrives in one turn travels together, and what arrives during a run is the next batch', async () => {
  const door = heldDoor()
  const first = items(3, 'a').map((one) => door.add(one))
  await clock.settle()
  const second = items(2, 'b').map((one) => door.add(one))
  await clock.settle()
  expect(runs.map(names)).toEqual([['a0', 'a1', 'a2']])
  runs[0]!.finish()
  await clock.settle()
  expect(runs.map(names)).toEqual([
    ['a0', 'a1', 'a2'],
    ['b0', 'b1'],
  ])
  runs[1]!.finish()
  expect(await Promise.all([...first, ...second])).toEqual(['A0', 'A1', 'A2', 'B0', 'B1'])
})

test('waiting takes no time of the clock', async () => {
  const door = pickyDoor()
  const answer = door.add(item('a'))
  expect(clock.pending).toBe(0)
  expect(await answer).toBe('A')
})

test('a batch is never larger than it may be', async () => {
  const door = heldDoor(4)
  const answers = items(10).map((one) => door.add(one))
  for (let run = 0; run < 3; run++) {
    await clock.settle()
    runs[run]!.finish()
  }
  await Promise.all(answers)
  expect(runs.map(({ items }) => items.length)).toEqual([4, 4, 2])
})

test('a door that is full turns away who comes next, and nobody who waits', async () => {
  const door = heldDoor(2, 3)
  const first = door.add(item('first'))
  await clock.settle()
  const waiting = items(6).map((one) => door.add(one))
  const full = { code: 'work.door_full', facts: { retryAfterMs: 5_000 } }
  expect(() => door.assertRoom()).toThrow(expect.objectContaining(full))
  runs[0]!.finish()
  await clock.settle()
  door.assertRoom()
  const next = door.add(item('next'))
  for (let run = 1; run < 5; run++) {
    runs[run]?.finish()
    await clock.settle()
  }
  expect(await Promise.all([first, ...waiting, next])).toHaveLength(8)
})

test('a neighbour with one item rides in the next batch, however long the file before it is', async () => {
  const door = heldDoor(10)
  for (const one of items(5_000, 'file')) void door.add(one, 'file')
  void door.add(item('portal'), 'portal')
  await clock.settle()
  expect(names(runs[0]!)).toContain('portal')
  expect(names(runs[0]!)).toHaveLength(10)
})

test('more shares than a batch holds take turns over the batches', async () => {
  const door = heldDoor(2)
  for (const share of ['a', 'b', 'c']) for (const one of items(2, share)) void door.add(one, share)
  for (let run = 0; run < 3; run++) {
    await clock.settle()
    runs[run]!.finish()
  }
  await clock.settle()
  expect(runs.map(names)).toEqual([
    ['a0', 'b0'],
    ['c0', 'a1'],
    ['b1', 'c1'],
  ])
})

test('a poisonous item fails alone, with its own error, and all its neighbours succeed', async () => {
  const door = pickyDoor()
  const all = items(9)
  all.splice(4, 0, item('poison 1'))
  all.push(item('poison 2'))
  const answered = await outcomes(all.map((one) => door.add(one)))
  expect(answered).toEqual(
    all.map(({ name }) => (name.startsWith('poison') ? `${name} is bad` : name.toUpperCase())),
  )
})

test('an outage is told to everybody and not tried in halves', async () => {
  const door = pickyDoor(() => false)
  expect(await outcomes([item('a'), item('poison'), item('b')].map((one) => door.add(one)))).toEqual([
    'poison is bad',
    'poison is bad',
    'poison is bad',
  ])
  expect(runs).toHaveLength(1)
})

test('an item that is left without an answer fails, and only that item', async () => {
  const door = createDoor<Item, string>({
    clock,
    batchMax: 10,
    run: async (batch) => upper(batch.filter(({ name }) => name !== 'forgotten')),
  })
  expect(await outcomes([item('a'), item('forgotten'), item('b')].map((one) => door.add(one)))).toEqual([
    'A',
    'the batch was committed without an answer to one of its items',
    'B',
  ])
})

test('an answer of undefined is an answer', async () => {
  const door = createDoor<Item, undefined>({
    clock,
    batchMax: 10,
    run: async (batch) => new Map(batch.map((one) => [one, undefined])),
  })
  await expect(door.add(item('a'))).resolves.toBeUndefined()
})

test('a door is idle when nothing waits and nothing is under way, and not before', async () => {
  const door = heldDoor(1)
  await expect(door.idle()).resolves.toBeUndefined()
  void door.add(item('a'))
  void door.add(item('b'))
  let idle = false
  void door.idle().then(() => (idle = true))
  await clock.settle()
  expect([door.size, idle]).toEqual([2, false])
  runs[0]!.finish()
  await clock.settle()
  expect([door.size, idle]).toEqual([1, false])
  runs[1]!.finish()
  await clock.settle()
  expect([door.size, idle]).toEqual([0, true])
})

test('a door that failed goes on with what comes next', async () => {
  const door = heldDoor()
  const failed = door.add(item('a'))
  await clock.settle()
  runs[0]!.fail(new Error('the disk is full'))
  await expect(failed).rejects.toThrow('the disk is full')
  const next = door.add(item('b'))
  await clock.settle()
  runs[1]!.finish()
  expect(await next).toBe('B')
})

const resting = (): Door<Item, string> =>
  createDoor({
    clock,
    batchMax: 100,
    restMs: 10,
    run: async (batch) => {
      runs.push({ items: batch, finish: () => undefined, fail: () => undefined })
      return upper(batch)
    },
  })

test('after a short batch a door rests, and takes what comes meanwhile together', async () => {
  const door = resting()
  await outcomes(items(2, 'a').map((one) => door.add(one)))
  const first = door.add(item('b0'))
  await clock.advance(6)
  const second = door.add(item('b1'))
  await clock.advance(3)
  expect(runs).toHaveLength(1)
  await clock.advance(1)
  expect(await outcomes([first, second])).toEqual(['B0', 'B1'])
  expect(runs.map(names)).toEqual([
    ['a0', 'a1'],
    ['b0', 'b1'],
  ])
})

test.each([
  ['one item', 1],
  ['a long batch', 25],
])('after %s a door does not rest', async (_, count) => {
  const door = resting()
  await outcomes(items(count).map((one) => door.add(one)))
  await outcomes([door.add(item('next'))])
  expect(runs).toHaveLength(2)
})

test('a door that rests is idle, and takes what comes after its rest at once', async () => {
  const door = resting()
  await outcomes(items(2).map((one) => door.add(one)))
  await door.idle()
  await clock.advance(10)
  await outcomes([door.add(item('next'))])
  expect(runs).toHaveLength(2)
})
