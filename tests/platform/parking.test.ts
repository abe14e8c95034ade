import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { Refusal } from '#platform/faults.ts'
import { listParked, parkingDepth, showParked } from '#platform/parking-views.ts'
import { discard, editPayload, park, replay, settleParked, type Parkable } from '#platform/parking.ts'
import { payloadChanges } from '#platform/payload-changes.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
beforeEach(() => house.run('truncate parking.item, parking.edit, audit.entry'))

const ann = { actor: 'user:ann', reason: 'the customer called' }
const broken = (key: string, overrides: Partial<Parkable> = {}): Parkable => ({
  kind: 'message',
  key,
  company: 'north',
  system: 'shop',
  payload: '{"qty":"two"}',
  cause: { code: 'shop.quantity_malformed', message: '"two" is no quantity', facts: { pointer: '/qty' } },
  context: { messageId: key },
  ...overrides,
})
const parkAll = (...items: Parkable[]) => house.database.transaction((tx) => park(tx, items))
const show = async (id: number) => (await showParked(house.database, id))!
const idOf = async (key: string) =>
  (await house.run<{ id: number }>('select id from parking.item where key = $1', [key]))[0]!.id
const codesOf = (answers: Map<number, unknown>) =>
  new Map([...answers].map(([id, answer]) => [id, answer instanceof Refusal ? answer.code : 'taken']))

test('parked work keeps payload, cause and context, and counts how often it failed', async () => {
  await parkAll(broken('m1'))
  const newer = { code: 'shop.item_unknown', message: 'no such item' }
  await parkAll(broken('m1', { cause: newer }), broken('m2'))
  const item = await show(await idOf('m1'))
  expect(item).toMatchObject({
    ...broken('m1'),
    cause: { ...newer, facts: {} },
    state: 'parked',
    attempts: 2,
    poison: false,
  })
  expect(item.lastFailedAt > item.firstFailedAt).toBe(true)
  expect(await show(await idOf('m2'))).toMatchObject({ attempts: 1, cause: { facts: { pointer: '/qty' } } })
})

test('work named twice in one list is parked once', async () => {
  await parkAll(broken('m1'), broken('m1'))
  expect(await listParked(house.database)).toHaveLength(1)
})

test('a replay answers what to drive, and refuses by id what is not parked', async () => {
  await parkAll(broken('m1'), broken('m2'))
  const [first, second] = [await idOf('m1'), await idOf('m2')]
  const answers = await house.database.transaction((tx) => replay(tx, [first], ann))
  expect(answers.get(first)).toMatchObject({ key: 'm1', payload: '{"qty":"two"}', state: 'replaying' })
  const again = await house.database.transaction((tx) => replay(tx, [first, second, 999], ann))
  expect(codesOf(again)).toEqual(
    new Map([
      [first, 'parking.not_parked'],
      [second, 'taken'],
      [999, 'parking.not_found'],
    ]),
  )
  expect(await listAudit(house.database, { action: 'parking.replayed' })).toMatchObject([
    { actor: 'user:ann', reason: ann.reason, company: 'north', before: { key: 'm2', state: 'parked' } },
    { before: { key: 'm1' } },
  ])
})

test('two people who replay the same item at once: one of them does', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  const answers = await Promise.all(
    [1, 2].map(() => house.database.transaction((tx) => replay(tx, [id], ann))),
  )
  expect(new Set(answers.map((answer) => codesOf(answer).get(id)))).toEqual(
    new Set(['taken', 'parking.not_parked']),
  )
})

test('work that fails again after a replay comes back as poison', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  await house.database.transaction((tx) => replay(tx, [id], ann))
  await parkAll(broken('m1'))
  expect(await show(id)).toMatchObject({ state: 'parked', poison: true, attempts: 2 })
  expect(await parkingDepth(house.database)).toMatchObject([
    { kind: 'message', causeCode: 'shop.quantity_malformed', count: 1, poison: 1 },
  ])
})

test('a replay that went well leaves the waiting list', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  await house.database.transaction((tx) => replay(tx, [id], ann))
  const settled = await house.database.transaction((tx) =>
    settleParked(tx, [broken('m1'), broken('never parked')]),
  )
  expect(settled.map((item) => item.key)).toEqual(['m1'])
  expect(await listParked(house.database)).toEqual([])
  expect(await listParked(house.database, { state: 'replayed' })).toMatchObject([
    { key: 'm1', state: 'replayed' },
  ])
})

test('discarded work is kept with its reason and opens again should it fail again', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  await house.database.transaction((tx) => discard(tx, [id], ann))
  expect(await house.run('select state, settled_by, settled_reason from parking.item')).toEqual([
    { state: 'discarded', settled_by: 'user:ann', settled_reason: ann.reason },
  ])
  expect(await listAudit(house.database)).toMatchObject([{ action: 'parking.discarded' }])
  await parkAll(broken('m1'))
  expect(await show(id)).toMatchObject({ state: 'parked', poison: false })
})

test('an edit keeps what was there and what changed; audit holds hashes, not the payload', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  const edited = await house.database.transaction((tx) => editPayload(tx, id, '{"qty":"2"}', ann))
  expect(edited).toMatchObject({ payload: '{"qty":"2"}', edited: true })
  expect(await show(id)).toMatchObject({
    payload: '{"qty":"2"}',
    edits: [
      {
        number: 1,
        editor: 'user:ann',
        payloadBefore: '{"qty":"two"}',
        changes: [{ at: '/qty', before: 'two', after: '2' }],
      },
    ],
  })
  const [entry] = await listAudit(house.database, { action: 'parking.edited' })
  expect(JSON.stringify(entry)).not.toContain('two')
  expect(entry?.after).toEqual({ payloadHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
})

test('another failure does not overwrite a corrected payload', async () => {
  await parkAll(broken('m1'))
  const id = await idOf('m1')
  await house.database.transaction((tx) => editPayload(tx, id, '{"qty":"2"}', ann))
  await parkAll(broken('m1'))
  expect(await show(id)).toMatchObject({ payload: '{"qty":"2"}', attempts: 2 })
})

test('what has no payload cannot be edited, and nothing is decided without a reason', async () => {
  await parkAll(broken('order 5', { kind: 'document', payload: null, doc: 5 }))
  const id = await idOf('order 5')
  const edit = house.database.transaction((tx) => editPayload(tx, id, '{}', ann))
  await expect(edit).rejects.toMatchObject({ code: 'parking.nothing_to_edit' })
  const blank = house.database.transaction((tx) => discard(tx, [id], { actor: 'user:ann', reason: ' ' }))
  await expect(blank).rejects.toMatchObject({ code: 'parking.reason_missing', pointer: '/reason' })
})

test('the list pages by cursor and filters', async () => {
  await parkAll(...['a', 'b', 'c'].map((key) => broken(key)))
  await parkAll(broken('d', { system: 'erp', kind: 'effect', doc: 7, company: 'south' }))
  const first = await listParked(house.database, { limit: 3 })
  expect(first.map((item) => item.key)).toEqual(['d', 'c', 'b'])
  const second = await listParked(house.database, { limit: 3, before: first.at(-1)!.id })
  expect(second.map((item) => item.key)).toEqual(['a'])
  for (const filter of [{ system: 'erp' }, { kind: 'effect' as const }, { doc: 7 }, { company: 'south' }]) {
    expect((await listParked(house.database, filter)).map((item) => item.key)).toEqual(['d'])
  }
  expect(await listParked(house.database, { causeCode: 'no.such' })).toEqual([])
})

describe('changes between payloads', () => {
  test('JSON is compared by field, whatever its layout', () => {
    expect(payloadChanges('{"a/b":[1,{"c":2}],"gone":0}', '{ "a/b": [1, {"c": 3}, 4] }')).toEqual([
      { at: '/a~1b/1/c', before: 2, after: 3 },
      { at: '/a~1b/2', after: 4 },
      { at: '/gone', before: 0 },
    ])
    expect(payloadChanges('{"a":1}', '{ "a": 1 }')).toEqual([])
    expect(payloadChanges('{"a":[]}', '{"a":{}}')).toEqual([{ at: '/a', before: [], after: {} }])
  })
  test('any other text is compared by line', () => {
    expect(payloadChanges('ST*850\nBEG*00', 'ST*850\nBEG*01\nSE*3')).toEqual([
      { at: 'line 2', before: 'BEG*00', after: 'BEG*01' },
      { at: 'line 3', after: 'SE*3' },
    ])
  })
})
