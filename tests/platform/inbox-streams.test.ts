import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import type { Queries } from '#platform/database.ts'
import type { Discipline } from '#platform/inbox-order.ts'
import { lastingGaps } from '#platform/inbox-gaps.ts'
import { arrangeMessages, skipGap } from '#platform/inbox-streams.ts'
import { contentHash, receiveMessages, showMessage, type IncomingMessage } from '#platform/inbox.ts'
import { listParked } from '#platform/parking-views.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
const empty = () => house.run('truncate inbox.message, inbox.stream, inbox.held, parking.item, parking.edit')
beforeEach(empty)

const item: Discipline = { by: 'item', first: 1 }
const message = (
  sequence: number | undefined,
  stream = 'sku-1',
  body = `${stream} ${sequence}`,
): IncomingMessage => {
  return {
    source: 'wms-north',
    messageId: body,
    type: 'stock',
    contentHash: contentHash(body),
    body,
    stream,
    sequence,
  }
}
const stateOf = async (one: IncomingMessage) => (await showMessage(house.database, one))?.state

const gaps = (queries: Queries = house.database) => lastingGaps(queries, 0)

/** Receives and arranges as the door does; answers the bodies in the order in which they are to be applied, and all gaps. */
function deliver(messages: readonly IncomingMessage[], discipline = item) {
  return house.database.transaction(async (tx) => {
    const verdicts = await receiveMessages(tx, messages, 'applied')
    const fresh = messages.filter((one) => verdicts.get(one) === 'new')
    const { rulings, released } = await arrangeMessages(tx, discipline, fresh)
    const now = [...rulings].filter(([, ruling]) => ruling === 'apply').map(([one]) => one.body)
    return { applied: [...now, ...released.map((one) => one.body)], gaps: await gaps(tx) }
  })
}

test('a message that came too early waits, blocks its own stream alone, and is applied after the missing one', async () => {
  expect(await deliver([message(1), message(1, 'sku-2')])).toMatchObject({ gaps: [] })
  expect(await deliver([message(3), message(4), message(2, 'sku-2')])).toEqual({
    applied: ['sku-2 2'],
    gaps: [{ source: 'wms-north', stream: 'sku-1', missing: { from: 2, to: 2 } }],
  })
  expect(await stateOf(message(3))).toBe('parked')
  expect(await deliver([message(2)])).toEqual({ applied: ['sku-1 2', 'sku-1 3', 'sku-1 4'], gaps: [] })
  expect(await stateOf(message(3))).toBe('applied')
})

test('a message waits again when another one is missing behind the one that came', async () => {
  await deliver([message(1), message(3), message(6)])
  expect(await deliver([message(2)])).toEqual({
    applied: ['sku-1 2', 'sku-1 3'],
    gaps: [{ source: 'wms-north', stream: 'sku-1', missing: { from: 4, to: 5 } }],
  })
})

test('a late message is superseded', async () => {
  await deliver([message(1), message(2)])
  const late = message(1, 'sku-1', 'other content of 1')
  expect(await deliver([late])).toEqual({ applied: [], gaps: [] })
  expect(await stateOf(late)).toBe('superseded')
})

test('a second message under a number that already waits is superseded', async () => {
  await deliver([message(1), message(3)])
  const twin = message(3, 'sku-1', 'twin of 3')
  await deliver([twin])
  expect(await stateOf(twin)).toBe('superseded')
})

test('a message without its place is quarantined and its neighbours go on', async () => {
  const placeless = message(undefined)
  expect(await deliver([placeless, message(1)])).toEqual({ applied: ['sku-1 1'], gaps: [] })
  expect(await stateOf(placeless)).toBe('quarantined')
  expect(await listParked(house.database)).toMatchObject([{ cause: { code: 'inbox.place_missing' } }])
})

test('however messages are shuffled, repeated and cut into lists, each stream is applied once and in order', async () => {
  const sequences = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 8 })
  const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(sequences, cuts, async (order, sizes) => {
      await empty()
      const arriving = order.flatMap((sequence) => [message(sequence), message(sequence)])
      const applied: string[] = []
      for (const size of [...sizes, arriving.length]) {
        applied.push(...(await deliver(arriving.splice(0, size))).applied)
      }
      expect(applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((sequence) => `sku-1 ${sequence}`))
    }),
    { numRuns: 25 },
  )
})

test('a global gap goes on, and ends when somebody has seen to what is missing', async () => {
  const global: Discipline = { by: 'global' }
  const feed = { source: 'wms-north', stream: 'feed' }
  await deliver([message(1, 'feed')], global)
  expect(await deliver([message(4, 'feed')], global)).toEqual({
    applied: ['feed 4'],
    gaps: [{ ...feed, missing: { from: 2, to: 3 } }],
  })
  expect(await deliver([message(5, 'feed')], global)).toEqual({
    applied: ['feed 5'],
    gaps: [{ ...feed, missing: { from: 2, to: 3 } }],
  })
  const decision = { actor: 'user:ann', reason: 'the snapshot has it' }
  expect(await house.database.transaction((tx) => skipGap(tx, { ...feed, from: 2 }, decision))).toEqual([])
  expect(await gaps()).toEqual([])
})

test('a person gives up on a missing message, audited, and what waited for it is applied', async () => {
  await deliver([message(1), message(3), message(4), message(7)])
  const name = { source: 'wms-north', stream: 'sku-1', from: 2 }
  const decision = { actor: 'user:ann', reason: 'the warehouse lost it' }
  const released = await house.database.transaction((tx) => skipGap(tx, name, decision))
  expect(released.map((one) => one.sequence)).toEqual([3, 4])
  expect(await gaps()).toMatchObject([{ missing: { from: 5, to: 6 } }])
  const [audited] = await listAudit(house.database, { action: 'inbox.gap_skipped' })
  expect(audited).toMatchObject({
    actor: 'user:ann',
    reason: 'the warehouse lost it',
    before: { stream: 'sku-1', missing: { from: 2, to: 2 } },
  })
})

test('by the time taken, an older state is superseded whatever the order of the list', async () => {
  const state = (time: string) => ({
    ...message(undefined, 'sku-1', time),
    takenAt: new Date(`2026-03-02T${time}Z`),
  })
  await deliver([state('09:30:00'), state('09:00:00')], { by: 'taken' })
  expect(await deliver([state('09:15:00')], { by: 'taken' })).toEqual({ applied: [], gaps: [] })
  expect(await stateOf(state('09:15:00'))).toBe('superseded')
})

test('two doors that bring the same stream at once wait for each other', async () => {
  const applied = await Promise.all([1, 2, 3, 4].map((sequence) => deliver([message(sequence)])))
  expect(applied.flatMap((outcome) => outcome.applied).toSorted()).toEqual([
    'sku-1 1',
    'sku-1 2',
    'sku-1 3',
    'sku-1 4',
  ])
  expect(await gaps()).toEqual([])
})
