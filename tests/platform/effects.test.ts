import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Deferred,
  deferEffects,
  effectKey,
  intendEffects,
  type IntentKey,
  type IntentState,
  intentsOf,
  judge,
  nextAttempt,
  settleEffects,
  type Situation,
} from '#platform/effects.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const NOW = new Date('2026-03-02T09:00:00Z')
const seconds = (count: number): Date => new Date(NOW.getTime() + count * 1_000)

describe('what follows an outcome', () => {
  const situation = (overrides: Partial<Situation>): Situation => ({
    inDoubt: false,
    outcome: { kind: 'unknown', reason: 'timeout' },
    recovery: 'lookup',
    attempts: 0,
    attemptsMax: 5,
    absentAfter: null,
    now: NOW,
    askedAt: NOW,
    retryAt: seconds(2),
    doubtMs: 30_000,
    ...overrides,
  })
  const unknown = { kind: 'unknown', reason: 'timeout' } as const
  const retry = { kind: 'retry', reason: 'busy' } as const

  test('not found is no proof where the target was asked before its time, however late its answer is read', () => {
    const given = { inDoubt: true, outcome: { kind: 'absent' }, absentAfter: seconds(-1) } as const
    expect(judge(situation({ ...given, askedAt: seconds(-2) }))).toMatchObject({
      state: 'unknown',
      at: seconds(-1),
      absentAfter: seconds(-1),
    })
    expect(judge(situation({ ...given, askedAt: seconds(-1) }))).toMatchObject({ state: 'retry' })
  })

  test('a confirmation and a refusal are the last word, of a call and of a look-up', () => {
    const confirmed = { kind: 'confirmed', answer: 4711 } as const
    const refused = { kind: 'refused', code: 'erp.no', message: 'no' } as const
    for (const inDoubt of [false, true]) {
      expect(judge(situation({ inDoubt, outcome: confirmed }))).toEqual(confirmed)
      expect(judge(situation({ inDoubt, outcome: refused, attempts: 99 }))).toEqual(refused)
    }
  })

  test('what was surely not done is tried again, when the policy or the system says, whichever is later', () => {
    expect(judge(situation({ outcome: retry }))).toEqual({
      kind: 'deferred',
      state: 'retry',
      reason: 'busy',
      at: seconds(2),
      absentAfter: null,
      counts: true,
    })
    expect(judge(situation({ outcome: { ...retry, at: seconds(60) } }))).toMatchObject({ at: seconds(60) })
    expect(judge(situation({ outcome: { ...retry, at: seconds(1) } }))).toMatchObject({ at: seconds(2) })
  })

  test('a doubt remembers until when the effect may still show up, counted from the first doubt', () => {
    expect(judge(situation({}))).toEqual({
      kind: 'deferred',
      state: 'unknown',
      reason: 'timeout',
      at: seconds(2),
      absentAfter: seconds(30),
      counts: true,
    })
    expect(judge(situation({ absentAfter: seconds(5) }))).toMatchObject({ absentAfter: seconds(5) })
  })

  test('a look-up that fails leaves the doubt as it was, whatever kept it from answering', () => {
    for (const outcome of [retry, unknown]) {
      const verdict = judge(situation({ inDoubt: true, outcome, absentAfter: seconds(5) }))
      expect(verdict).toMatchObject({ state: 'unknown', absentAfter: seconds(5), counts: true })
    }
  })

  test('that a repetition was surely not done leaves the doubt about the call before it', () => {
    const verdict = judge(
      situation({ recovery: 'key', inDoubt: true, outcome: retry, absentAfter: seconds(5) }),
    )
    expect(verdict).toMatchObject({ state: 'unknown', at: seconds(2), absentAfter: seconds(5) })
  })

  test('not found before the target had time to show it is still a doubt, asked again then', () => {
    const early = situation({ inDoubt: true, outcome: { kind: 'absent' }, absentAfter: seconds(5) })
    expect(judge(early)).toEqual({
      kind: 'deferred',
      state: 'unknown',
      reason: 'not found at the target yet',
      at: seconds(5),
      absentAfter: seconds(5),
      counts: false,
    })
  })

  test('not found of an effect that a vanished process may have sent counts only after a whole time of doubt', () => {
    const found = situation({ inDoubt: true, outcome: { kind: 'absent' } })
    expect(judge(found)).toMatchObject({ state: 'unknown', at: seconds(30), absentAfter: seconds(30) })
  })

  test.each([0, 1])('not found after the target had time to show it is sent again at once', (late) => {
    const sure = situation({
      inDoubt: true,
      outcome: { kind: 'absent' },
      absentAfter: seconds(-late),
      attempts: 99,
    })
    expect(judge(sure)).toEqual({
      kind: 'deferred',
      state: 'retry',
      reason: 'not found at the target',
      at: NOW,
      absentAfter: null,
      counts: false,
    })
  })

  test.each([
    ['retry', retry, null],
    ['unknown', unknown, seconds(30)],
  ] as const)(
    'a %s at the last attempt is parked for a person, and not one before it',
    (_, outcome, absentAfter) => {
      expect(judge(situation({ outcome, attempts: 3 }))).not.toMatchObject({ state: 'parked' })
      expect(judge(situation({ outcome, attempts: 4 }))).toMatchObject({
        state: 'parked',
        at: null,
        absentAfter,
      })
    },
  )

  test('a doubt about what can neither be asked nor repeated is parked at once', () => {
    expect(judge(situation({ recovery: 'neither' }))).toMatchObject({ state: 'parked', at: null })
    expect(judge(situation({ recovery: 'neither', outcome: retry }))).toMatchObject({ state: 'retry' })
  })

  test('what is found written down is sent, looked up or parked by what the target promises', () => {
    const states: IntentState[] = ['retry', 'intended', 'unknown', 'parked']
    const table = (['key', 'lookup', 'neither'] as const).map((recovery) =>
      states.map((state) => nextAttempt(state, recovery)),
    )
    expect(table).toEqual([
      ['send', 'send', 'send', 'send'],
      ['send', 'look up', 'look up', 'look up'],
      ['send', 'park', 'park', 'park'],
    ])
  })
})

describe('intents', () => {
  let house: OpenDatabase
  beforeAll(async () => {
    house = await openTestDatabase()
  })
  afterAll(() => house.end())
  beforeEach(() => house.run('truncate effects.intent'))

  const key = (doc: number, subject = '', overrides: Partial<IntentKey> = {}): IntentKey => ({
    doc,
    step: 'release',
    subject,
    generation: 1,
    ...overrides,
  })
  const intend = (...keys: IntentKey[]): Promise<void> =>
    house.database.transaction(async (tx) =>
      intendEffects(
        tx,
        keys.map((one) => ({
          ...one,
          system: 'wms-depot',
          operation: 'wms.release',
          businessKey: `B${one.doc}`,
        })),
      ),
    )
  const settle = (...keys: IntentKey[]): Promise<void> =>
    house.database.transaction(async (tx) => settleEffects(tx, keys))
  const left = async (...docs: number[]): Promise<string[]> =>
    (await intentsOf(house.database, docs)).map(effectKey)

  test('are read back by document, as they were written', async () => {
    await intend(key(2), key(1, 'east'), key(1, 'east', { generation: 2 }), key(3))
    expect(await left(1, 2)).toEqual(['1/release/east/1', '1/release/east/2', '2/release//1'])
    expect((await intentsOf(house.database, [2]))[0]).toEqual({
      ...key(2),
      system: 'wms-depot',
      operation: 'wms.release',
      businessKey: 'B2',
      state: 'intended',
      attempts: 0,
      dueAt: null,
      absentAfter: null,
    })
  })

  test('with a key that is there already fail their transaction', async () => {
    await intend(key(1))
    await expect(intend(key(2), key(1))).rejects.toMatchObject({ code: '23505' })
    expect(await left(2)).toEqual([])
  })

  test('that are settled leave, and none of those that share parts of their names', async () => {
    const all = [1, 2].flatMap((doc) =>
      ['east', 'west'].flatMap((subject) => [1, 2].map((generation) => key(doc, subject, { generation }))),
    )
    await intend(...all, key(1, 'east', { step: 'cancel' }), key(11, 'east'))
    await settle(key(1, 'east'), key(2, 'west', { generation: 2 }), key(99))
    expect(await left(1, 2, 11)).toEqual([
      '1/cancel/east/1',
      '1/release/east/2',
      '1/release/west/1',
      '1/release/west/2',
      '2/release/east/1',
      '2/release/east/2',
      '2/release/west/1',
      '11/release/east/1',
    ])
  })

  test('that are deferred keep what is known, each its own, and their neighbours nothing', async () => {
    await intend(key(1, 'east'), key(1, 'west'), key(2, 'east'), key(2, 'west'))
    const deferred = (one: IntentKey, overrides: Partial<Deferred>): Deferred => ({
      ...one,
      state: 'retry',
      attempts: 1,
      dueAt: null,
      absentAfter: null,
      detail: 'busy',
      ...overrides,
    })
    await house.database.transaction(async (tx) =>
      deferEffects(tx, [
        deferred(key(1, 'east'), {
          state: 'unknown',
          attempts: 3,
          dueAt: seconds(9),
          absentAfter: seconds(30),
        }),
        deferred(key(2, 'west'), { state: 'parked' }),
      ]),
    )
    const untouched = { state: 'intended', attempts: 0, dueAt: null, absentAfter: null }
    expect(await intentsOf(house.database, [1, 2])).toMatchObject([
      { ...key(1, 'east'), state: 'unknown', attempts: 3, dueAt: seconds(9), absentAfter: seconds(30) },
      { ...key(1, 'west'), ...untouched },
      { ...key(2, 'east'), ...untouched },
      { ...key(2, 'west'), state: 'parked', attempts: 1, dueAt: null, absentAfter: null },
    ])
    expect(await house.run('select detail from effects.intent where doc = 1 order by subject')).toEqual([
      { detail: 'busy' },
      { detail: null },
    ])
  })
})
