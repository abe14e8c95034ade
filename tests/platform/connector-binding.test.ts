/** What every connector does alike: statuses become outcomes, and what cannot be said is refused at home. */
import { expect, test } from 'vitest'
import {
  bind,
  confirmed,
  legible,
  legibleAll,
  type OutcomeMap,
  outcomeOfStatus,
  readable,
  type Ready,
} from '#platform/connector-binding.ts'
import { codeList } from '#platform/connector-codes.ts'
import { readRows, type UnreadableRow } from '#platform/connector-rows.ts'
import { type Effect, operation } from '#platform/connector.ts'
import { Outage } from '#platform/faults.ts'
import { text, Unexpected } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'

const NOW = new Date('2026-11-02T08:00:00Z')

const response = (status: number, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  body: Buffer.alloc(0),
  text: () => '',
  json: () => ({}),
})

test.each([
  [200, {}, false, undefined],
  [201, {}, false, undefined],
  [404, {}, false, undefined],
  [409, {}, false, undefined],
  [401, {}, false, { kind: 'retry' }],
  [403, {}, false, { kind: 'retry' }],
  [429, {}, false, { kind: 'retry', at: undefined, throttled: true }],
  [429, { 'retry-after': '30' }, false, { kind: 'retry', at: new Date('2026-11-02T08:00:30Z') }],
  [
    503,
    { 'retry-after': 'Mon, 02 Nov 2026 08:01:00 GMT', date: 'Mon, 02 Nov 2026 08:00:00 GMT' },
    false,
    { kind: 'retry', at: new Date('2026-11-02T08:01:00Z') },
  ],
  [503, {}, false, { kind: 'unknown' }],
  [503, {}, true, { kind: 'retry' }],
  [500, {}, false, { kind: 'unknown' }],
  [500, {}, true, { kind: 'retry' }],
  [502, { 'retry-after': '30' }, false, { kind: 'unknown' }],
  [302, { location: '/login' }, false, { kind: 'unknown' }],
])('status %i with %j, undone: %s', (status, headers, undone, expected) => {
  const outcome = outcomeOfStatus(response(status, headers), NOW, () => undone)
  if (expected === undefined) expect(outcome).toBeUndefined()
  else expect(outcome).toMatchObject(expected)
})

const say = operation<{ word: string }, string>('test', 'say')
const words = codeList('word', { hello: 'HALLO', hi: 'HALLO', bye: 'TSCHUESS' })
const effectOf = (word: string, traceparent?: string): Effect => ({
  key: word,
  businessKey: word,
  request: { word },
  traceparent,
})

const TERMS = { signal: new AbortController().signal, mayStillSend: () => true }

function speaker() {
  const calls: { bodies: string[]; traceparent: string | undefined }[] = []
  const { 'test.say': binding } = bind(say, {
    batchMax: 50,
    recovery: 'key',
    translate: ({ word }) => words.theirs(word),
    send(ready: readonly Ready<{ word: string }, string>[], { traceparent }): Promise<OutcomeMap<string>> {
      calls.push({ bodies: ready.map(({ body }) => body), traceparent })
      return Promise.resolve(new Map(ready.map(({ effect, body }) => [effect, confirmed(body)])))
    },
  })
  return { calls, send: (effects: Effect[]) => binding!.send(effects, TERMS) }
}

test('what cannot be said in their words is refused at home, and its neighbours go on', async () => {
  const { calls, send } = speaker()
  const effects = [effectOf('hello'), effectOf('servus'), effectOf('bye')]
  const outcomes = await send(effects)
  expect(effects.map((effect) => outcomes.get(effect)?.kind)).toEqual(['confirmed', 'refused', 'confirmed'])
  expect(calls).toEqual([{ bodies: ['HALLO', 'TSCHUESS'], traceparent: undefined }])
})

test('a defect that one effect meets in translation is its own, and its neighbours go on', async () => {
  const { calls, send } = speaker()
  const [good, bad] = [effectOf('hello'), { ...effectOf('broken'), request: undefined }]
  const outcomes = await send([good, bad])
  expect(calls).toMatchObject([{ bodies: ['HALLO'] }])
  expect(outcomes.get(good)).toEqual(confirmed('HALLO'))
  expect(outcomes.get(bad)).toMatchObject({ kind: 'retry', reason: expect.stringContaining('TypeError') })
})

test('nothing is called when nothing can be said', async () => {
  const { calls, send } = speaker()
  await send([effectOf('servus')])
  expect(calls).toEqual([])
})

test('a call for one effect carries its trace, a call for several carries none', async () => {
  const { calls, send } = speaker()
  await send([effectOf('hello', '00-a-b-01')])
  await send([effectOf('hello', '00-a-b-01'), effectOf('bye', '00-c-d-01')])
  expect(calls.map((call) => call.traceparent)).toEqual(['00-a-b-01', undefined])
})

test('of two words with one code the first is read back, and an unknown code is never guessed', () => {
  expect(words.ours('HALLO')).toBe('hello')
  expect(() => words.ours('SERVUS')).toThrow(Unexpected)
})

const senseless = () => {
  throw new Unexpected('price is missing')
}
const bug = () => {
  throw new TypeError('ours')
}

test('an answer that makes no sense is in doubt, for one and for all, and a bug stays a bug', () => {
  const ready = [{ effect: effectOf('hello') }, { effect: effectOf('bye') }]
  expect(legible(senseless)).toMatchObject({
    kind: 'unknown',
    reason: expect.stringContaining('price is missing'),
  })
  expect([...legibleAll(ready, senseless).values()]).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }])
  expect(() => readable('erp', senseless)).toThrow(Outage)
  for (const read of [
    legible,
    (work: () => never) => legibleAll(ready, work),
    (work: () => never) => readable('erp', work),
  ]) {
    expect(() => read(bug)).toThrow(TypeError)
  }
})

test('a row that cannot be read is reported and left out', () => {
  const reported: UnreadableRow[] = []
  const source = { instance: 'erp', kind: 'items', report: (row: UnreadableRow) => void reported.push(row) }
  expect(
    readRows([{ sku: 'a' }, { sku: 1 }, 'noise', { sku: 'b' }], source, (row) => text(row, 'sku')),
  ).toEqual(['a', 'b'])
  expect(reported.map(({ kind, reason }) => [kind, reason])).toEqual([
    ['items', 'sku is not a text'],
    ['items', 'the row is not an object'],
  ])
  expect(() => readRows([{}], source, bug)).toThrow(TypeError)
})
