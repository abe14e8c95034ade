import { beforeEach, describe, expect, test } from 'vitest'
import type { LookUpOutcome } from '#platform/connector.ts'
import type { Verdict } from '#platform/effects.ts'
import { NotSent } from '#platform/http-client.ts'
import {
  type CallReport,
  createLane,
  type Gate,
  type Lane,
  type LaneOptions,
  type Sendable,
} from '#platform/lanes.ts'
import { SystemGate } from '#platform/policies-gate.ts'
import { Policy } from '#platform/policies.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { type Call, confirmed, heldBinding, TestGate } from './held-system.ts'

let clock: FakeClock
let calls: Call[]
let verdicts: Map<string, Verdict>
beforeEach(() => {
  clock = fakeClock()
  calls = []
  verdicts = new Map()
})

const fromNow = (ms: number): Date => new Date(clock.now().getTime() + ms)

const gateOf = (places: number): TestGate => new TestGate(clock, places)

function lane(gate: Gate = gateOf(1), options: Partial<LaneOptions> = {}): Lane {
  return createLane({
    connector: {
      instance: 'erp',
      operations: { post: heldBinding('post', 3, calls), cancel: heldBinding('cancel', 1, calls) },
    },
    gate,
    clock,
    random: () => 0.5,
    openMax: 100,
    callBack: async () => ({ count: 0, areMore: false }),
    mayStillSend: () => true,
    ...options,
  })
}

function sendable(key: string, overrides: Partial<Sendable> = {}): Sendable {
  return {
    intent: { doc: 1, step: 'post', subject: key, generation: 1 },
    operation: 'post',
    effect: { key, businessKey: key, request: {} },
    attempt: 'send',
    inDoubt: false,
    attempts: 0,
    absentAfter: null,
    priority: 2,
    async settled(verdict) {
      if (verdicts.has(key)) throw new Error(`${key} is settled twice`)
      verdicts.set(key, verdict)
    },
    ...overrides,
  }
}

function enqueue(to: Lane, ...keys: string[]): void {
  for (const key of keys) to.enqueue(sendable(key))
}

/** Answers every call as it comes; what was called, in order. */
async function answerAll(): Promise<(readonly string[])[]> {
  await clock.settle()
  for (let at = 0; at < calls.length; at++) {
    calls[at]!.answer()
    await clock.settle()
  }
  return calls.map(({ keys }) => keys)
}

describe('a lane sends', () => {
  test('what arrived in one turn in batches as large as the connector takes', async () => {
    const erp = lane(gateOf(9))
    enqueue(erp, 'a', 'b', 'c', 'd')
    expect(await answerAll()).toEqual([['a', 'b', 'c'], ['d']])
    expect([...verdicts]).toEqual(['a', 'b', 'c', 'd'].map((key) => [key, confirmed]))
  })

  test('no more in a call than the policy allows, where that is less', async () => {
    const policy = Policy.parse({ batchMax: 2 })
    const gate = new SystemGate({
      instance: 'erp',
      policy,
      clock,
      random: () => 0.5,
      workers: () => 1,
      ask: () => undefined,
    })
    enqueue(lane(gate), 'a', 'b', 'c')
    expect(await answerAll()).toEqual([['a', 'b'], ['c']])
  })

  test('by priority, then age, also across operations', async () => {
    const erp = lane()
    enqueue(erp, 'first')
    await clock.settle()
    erp.enqueue(sendable('bulk', { priority: 4 }))
    enqueue(erp, 'old')
    erp.enqueue(sendable('cancel', { operation: 'cancel' }))
    enqueue(erp, 'young', 'younger', 'youngest')
    erp.enqueue(sendable('money', { priority: 1 }))
    expect(await answerAll()).toEqual([
      ['first'],
      ['money', 'old', 'young'],
      ['cancel'],
      ['younger', 'youngest', 'bulk'],
    ])
  })

  test('an operation with a stream of newcomers before no older call of another', async () => {
    const erp = lane()
    enqueue(erp, 'a1', 'a2', 'a3', 'a4')
    erp.enqueue(sendable('cancel', { operation: 'cancel' }))
    await clock.settle()
    enqueue(erp, 'a5', 'a6', 'a7', 'a8')
    expect((await answerAll()).slice(0, 3)).toEqual([['a1', 'a2', 'a3'], ['a4', 'a5', 'a6'], ['cancel']])
  })

  test('calls and look-ups of one operation apart', async () => {
    const erp = lane(gateOf(9))
    erp.enqueue(sendable('sent'))
    erp.enqueue(sendable('doubted', { attempt: 'look up', inDoubt: true }))
    await clock.settle()
    expect(calls.map(({ operation, keys }) => [operation, ...keys])).toEqual([
      ['post', 'sent'],
      ['post?', 'doubted'],
    ])
  })

  test('as many calls at once as the gate has places, and the next when one ends', async () => {
    const erp = lane(gateOf(2))
    enqueue(erp, ...'abcdefghi'.split(''))
    await clock.settle()
    expect([calls.length, erp.waiting]).toEqual([2, 3])
    calls[0]!.answer()
    await clock.settle()
    expect([calls.length, erp.waiting, clock.pending]).toEqual([3, 0, 2])
  })

  test('nothing once the process may have been replaced, and lets its documents go', async () => {
    let alive = true
    const gate = gateOf(1)
    const erp = lane(gate, { mayStillSend: () => alive })
    enqueue(erp, 'a')
    await clock.settle()
    enqueue(erp, 'b')
    alive = false
    calls[0]!.answer()
    await clock.settle()
    expect(calls).toHaveLength(1)
    expect(verdicts.get('b')).toMatchObject({ kind: 'deferred', state: 'retry', counts: false })
    expect(gate.reports).toHaveLength(1)
  })

  test('nothing of what still queues for a connection then, without holding that against the system', async () => {
    let alive = true
    const gate = gateOf(1)
    const erp = lane(gate, { mayStillSend: () => alive })
    enqueue(erp, 'a')
    await clock.settle()
    expect(calls[0]!.terms.mayStillSend()).toBe(true)
    alive = false
    expect(calls[0]!.terms.mayStillSend()).toBe(false)
    calls[0]!.fail(new NotSent('erp', 'withdrawn'))
    await clock.settle()
    expect(verdicts.get('a')).toMatchObject({ kind: 'deferred', state: 'retry', counts: false })
    expect(gate.reports).toMatchObject([{ outcome: 'withheld' }])
  })

  test('nothing after it was stopped; a call under way gives its place back and settles nothing', async () => {
    const gate = gateOf(1)
    const erp = lane(gate)
    enqueue(erp, 'a', 'b', 'c', 'd')
    await clock.settle()
    erp.stop()
    enqueue(erp, 'e')
    expect(await answerAll()).toEqual([['a', 'b', 'c']])
    expect([verdicts.size, gate.reports.length]).toEqual([0, 1])
  })
})

describe('an outcome', () => {
  test('is handed out by effect, and one that the answer leaves out is in doubt', async () => {
    enqueue(lane(), 'a', 'b', 'c')
    await clock.settle()
    calls[0]!.answerEach({ c: { kind: 'refused', code: 'erp.no', message: 'no' }, a: confirmed })
    await clock.settle()
    expect(verdicts.get('a')).toEqual(confirmed)
    expect(verdicts.get('b')).toEqual({
      kind: 'deferred',
      state: 'unknown',
      reason: 'the answer leaves this call out',
      at: fromNow(1_000),
      absentAfter: fromNow(30_000),
      counts: true,
    })
    expect(verdicts.get('c')).toMatchObject({ kind: 'refused' })
  })

  test('of a transport that sent nothing is another try; of one that broke, a doubt', async () => {
    const gate = gateOf(2)
    const erp = lane(gate)
    enqueue(erp, 'a')
    erp.enqueue(sendable('b', { operation: 'cancel' }))
    await clock.settle()
    calls[0]!.fail(new NotSent('erp', 'connect'))
    calls[1]!.fail(new Error('connection reset'))
    await clock.settle()
    expect(verdicts.get('a')).toMatchObject({ state: 'retry', absentAfter: null, counts: true })
    expect(verdicts.get('b')).toMatchObject({ state: 'unknown', reason: 'connection reset', counts: true })
    expect(gate.reports.map(({ outcome }) => outcome)).toEqual(['failure', 'failure'])
  })

  test('of a system that is down and was not reached is no attempt: the document is called back', async () => {
    const gate = gateOf(1)
    const asked: number[] = []
    const callBack = async (limit: number) => ({ count: asked.push(limit) - asked.length, areMore: false })
    const erp = lane(gate, { callBack })
    gate.isDown = true
    enqueue(erp, 'a')
    erp.enqueue(sendable('b', { operation: 'cancel', inDoubt: true }))
    await clock.settle()
    calls[0]!.fail(new NotSent('erp', 'connect'))
    await clock.settle()
    calls[1]!.fail(new NotSent('erp', 'connect'))
    await clock.settle()
    expect(verdicts.get('a')).toMatchObject({ state: 'retry', counts: false, held: true })
    expect(verdicts.get('b')).toMatchObject({ state: 'unknown', counts: false, held: true })
    expect(gate.reports.map(({ outcome }) => outcome)).toEqual(['failure', 'failure'])
    await clock.advance(2_000)
    expect(asked[0]).toBe(10)
    erp.stop()
  })

  test('is waited for only as long as the policy says: then the call is cut off', async () => {
    enqueue(lane(), 'a')
    await clock.settle()
    const { terms, fail } = calls[0]!
    const { signal } = terms
    signal.addEventListener('abort', () => fail(new NotSent('erp', 'aborted')))
    await clock.advance(9_999)
    expect(signal.aborted).toBe(false)
    await clock.advance(1)
    // Cut off, the transport still knows that nothing was sent.
    expect(verdicts.get('a')).toMatchObject({ state: 'retry' })
    expect(clock.pending).toBe(0)
  })

  test('of a connector that does not heed being cut off is a doubt, and its place is free again', async () => {
    const gate = gateOf(1)
    const erp = lane(gate)
    enqueue(erp, 'a')
    await clock.settle()
    await clock.advance(11_000)
    expect(verdicts.get('a')).toMatchObject({ state: 'unknown', reason: 'no answer within 10000 ms' })
    enqueue(erp, 'b')
    await clock.settle()
    expect(calls).toHaveLength(2)
  })

  test.each<[string, Readonly<Record<string, LookUpOutcome>>, CallReport['outcome']]>([
    [
      'one good answer makes the call a success',
      { a: confirmed, b: { kind: 'unknown', reason: '?' } },
      'success',
    ],
    [
      'a refusal is an answer like any other',
      { a: { kind: 'refused', code: 'x', message: '' }, b: confirmed },
      'success',
    ],
    ['no good answer makes it a failure', { a: { kind: 'retry', reason: '503' } }, 'failure'],
    [
      'a named time makes it a request for silence',
      { a: confirmed, b: { kind: 'retry', reason: '429', at: new Date(1) } },
      'throttled',
    ],
    [
      'so does one that asks for silence and names none',
      { a: { kind: 'retry', reason: '429', throttled: true } },
      'throttled',
    ],
  ])('tells the gate how the system fares: %s', async (_, outcomes, expected) => {
    const gate = gateOf(1)
    enqueue(lane(gate), 'a', 'b')
    await clock.settle()
    await clock.advance(40)
    calls[0]!.answerEach(outcomes)
    await clock.settle()
    expect(gate.reports).toMatchObject([{ outcome: expected, tookMs: 40 }])
  })

  test('counts the attempts that were made before it', async () => {
    const erp = lane(gateOf(9))
    erp.enqueue(sendable('third', { attempts: 2 }))
    erp.enqueue(sendable('last', { attempts: 4 }))
    await clock.settle()
    calls[0]!.answer({ kind: 'retry', reason: '503' })
    await clock.settle()
    expect(verdicts.get('third')).toMatchObject({ state: 'retry', at: fromNow(3_000) })
    expect(verdicts.get('last')).toMatchObject({ state: 'parked' })
  })
})

describe('a gate that is closed', () => {
  test('for longer sends the documents away until it opens, and counts no attempt', async () => {
    const gate = gateOf(1)
    gate.closedUntil = fromNow(60_000)
    const erp = lane(gate)
    const absentAfter = fromNow(5_000)
    erp.enqueue(sendable('a'))
    erp.enqueue(sendable('b', { attempt: 'look up', inDoubt: true, absentAfter }))
    await clock.settle()
    const letGo = { kind: 'deferred', reason: 'breaker_open: the system fails', counts: false, held: true }
    expect(verdicts.get('a')).toEqual({ ...letGo, state: 'retry', at: fromNow(60_000), absentAfter: null })
    expect(verdicts.get('b')).toEqual({ ...letGo, state: 'unknown', at: fromNow(60_000), absentAfter })
    expect([erp.waiting, calls.length]).toEqual([0, 0])
  })

  test('for a moment is waited for', async () => {
    const gate = gateOf(1)
    gate.closedUntil = fromNow(200)
    enqueue(lane(gate), 'a')
    await clock.advance(199)
    expect([calls.length, verdicts.size]).toEqual([0, 0])
    await clock.advance(1)
    expect(calls.map(({ keys }) => keys)).toEqual([['a']])
  })

  test('is never waited for in vain, though it names no time and no call is under way', async () => {
    // Its places are taken by calls of somebody else, whose end this lane does not hear of.
    const gate = gateOf(0)
    const erp = lane(gate)
    enqueue(erp, 'a')
    await clock.advance(1_000)
    expect([calls.length, erp.waiting]).toEqual([0, 1])
    gate.report({ outcome: 'success', tookMs: 1 })
    await clock.advance(5)
    expect(calls.map(({ keys }) => keys)).toEqual([['a']])
  })
})

test('a full lane lets go of what comes, at once and alone', async () => {
  const erp = lane(gateOf(1), { openMax: 2 })
  enqueue(erp, 'a', 'b', 'c')
  expect([...verdicts]).toEqual([
    [
      'c',
      {
        kind: 'deferred',
        state: 'retry',
        reason: 'the lane is full',
        at: fromNow(0),
        absentAfter: null,
        counts: false,
        held: true,
      },
    ],
  ])
  expect(await answerAll()).toEqual([['a', 'b']])
})

test('a full lane sends the least urgent away, whoever comes', async () => {
  const erp = lane(gateOf(0), { openMax: 2 })
  enqueue(erp, 'a')
  erp.enqueue(sendable('bulk', { priority: 4, operation: 'cancel' }))
  erp.enqueue(sendable('money', { priority: 1 }))
  expect([...verdicts.keys()]).toEqual(['bulk'])
})

test('what is under way has its place in the lane, so that a slow system does not fill the process', async () => {
  const erp = lane(gateOf(1), { openMax: 4 })
  enqueue(erp, 'a', 'b', 'c')
  await clock.settle()
  enqueue(erp, 'd', 'e')
  expect([calls.length, ...verdicts.keys()]).toEqual([1, 'e'])
})

test('a lane whose system is slow does not keep another waiting', async () => {
  const [slow, quick] = [lane(), lane()]
  enqueue(slow, 'slow')
  await clock.settle()
  enqueue(quick, 'quick')
  await clock.settle()
  calls[1]!.answer()
  await clock.settle()
  expect([...verdicts.keys()]).toEqual(['quick'])
})

test('an operation that the system does not have is a bug of the caller', () => {
  expect(() => lane().enqueue(sendable('a', { operation: 'paint' }))).toThrow('erp does not implement paint')
})
