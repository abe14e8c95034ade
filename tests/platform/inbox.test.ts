import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { purgeMessages } from '#platform/inbox-upkeep.ts'
import {
  discardMessages,
  contentHash,
  receiveMessages,
  settleMessages,
  showMessage,
  type IncomingMessage,
} from '#platform/inbox.ts'
import { discard } from '#platform/parking.ts'
import { listParked, showParked } from '#platform/parking-views.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
beforeEach(() => house.run('truncate inbox.message, inbox.stream, inbox.held, parking.item, parking.edit'))

function message(messageId: string, body = `{"id":"${messageId}"}`): IncomingMessage {
  return {
    source: 'wms-north',
    messageId,
    company: 'north',
    type: 'ship-confirm',
    contentHash: contentHash(body),
    body,
  }
}
const receive = (messages: readonly IncomingMessage[], as: 'applied' | 'received' = 'applied') =>
  house.database.transaction((tx) => receiveMessages(tx, messages, as))
const stateOf = async (messageId: string) => (await showMessage(house.database, message(messageId)))?.state

test('a message that is decided where it is received is stored as it came, and its row is never updated', async () => {
  const incoming = {
    ...message('m1'),
    doc: 77,
    takenAt: new Date('2026-03-02T08:00:00Z'),
    sequence: 5,
    stream: 'sku-1',
  }
  const verdicts = await receive([incoming])
  expect(verdicts.get(incoming)).toBe('new')
  expect(await showMessage(house.database, incoming)).toMatchObject({
    ...incoming,
    state: 'applied',
    receivedTrace: null,
  })
  const [row] = await house.run<{ untouched: boolean }>(
    `select ctid = '(0,1)' and xmax = 0 as untouched from inbox.message`,
  )
  expect(row?.untouched).toBe(true)
})

test('a message delivered again is a duplicate, and its repeats are counted', async () => {
  await receive([message('m1')])
  const again = [message('m1'), message('m1'), message('m2')]
  const verdicts = await receive(again)
  expect(again.map((one) => verdicts.get(one))).toEqual(['duplicate', 'duplicate', 'new'])
  const rows = await house.run('select message_id, repeats from inbox.message order by 1')
  expect(rows).toEqual([
    { message_id: 'm1', repeats: 2 },
    { message_id: 'm2', repeats: 0 },
  ])
})

test('of two equal messages in one list only the first is new', async () => {
  const twins = [message('m1'), message('m1')]
  const verdicts = await receive(twins)
  expect(twins.map((one) => verdicts.get(one))).toEqual(['new', 'duplicate'])
})

test('a known id with other content is parked as a conflict, and the first content stays', async () => {
  await receive([message('m1', 'first')])
  const [other, alsoOther] = [message('m1', 'second'), message('m1', 'second')]
  const verdicts = await receive([other, alsoOther])
  expect([verdicts.get(other), verdicts.get(alsoOther)]).toEqual(['conflict', 'conflict'])
  expect(await showMessage(house.database, other)).toMatchObject({ body: 'first', state: 'applied' })
  const parked = await listParked(house.database)
  expect(parked).toHaveLength(1)
  expect(await showParked(house.database, parked[0]!.id)).toMatchObject({
    payload: 'second',
    system: 'wms-north',
    cause: { code: 'inbox.content_conflict' },
  })
})

test('two contents under one id in the same list: the first is new, the other is a conflict', async () => {
  const [one, other] = [message('m1', 'a'), message('m1', 'b')]
  const verdicts = await receive([one, other])
  expect([verdicts.get(one), verdicts.get(other)]).toEqual(['new', 'conflict'])
})

test('a message delivered on two connections at once is new to one of them alone', async () => {
  const copies = Array.from({ length: 4 }, () => message('m1'))
  const verdicts = await Promise.all(copies.map((copy) => receive([copy])))
  const outcomes = verdicts.map((answers, index) => answers.get(copies[index]!))
  expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(1)
  expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(3)
})

test('what turns out otherwise in the same transaction gets its own outcome', async () => {
  await house.database.transaction(async (tx) => {
    await receiveMessages(tx, [message('good'), message('late'), message('broken', '<html>')], 'applied')
    await settleMessages(tx, [
      { ...message('late'), outcome: 'superseded' },
      {
        ...message('broken'),
        outcome: 'quarantined',
        cause: { code: 'wms.not_json', message: 'it is not JSON' },
      },
    ])
  })
  expect(await Promise.all(['good', 'late', 'broken'].map(stateOf))).toEqual([
    'applied',
    'superseded',
    'quarantined',
  ])
  const parked = await listParked(house.database)
  expect(parked).toMatchObject([{ kind: 'message', key: 'wms-north/broken', company: 'north', sizeBytes: 6 }])
})

test('a message that was decided in an earlier transaction cannot be decided again', async () => {
  await receive([message('m1')])
  const second = house.database.transaction((tx) =>
    settleMessages(tx, [{ ...message('m1'), outcome: 'superseded' }]),
  )
  await expect(second).rejects.toThrow('wms-north/m1 is not in the inbox or was decided before')
  expect(await stateOf('m1')).toBe('applied')
})

test('discarding a parked message ends the message, and leaves the original of a conflict alone', async () => {
  await receive([message('known', 'first')])
  await receive([message('known', 'second')])
  await receive([message('bad')], 'received')
  const cause = { code: 'wms.unknown_order', message: 'no such order' }
  await house.database.transaction((tx) =>
    settleMessages(tx, [{ ...message('bad'), outcome: 'parked', cause }]),
  )
  const ids = (await listParked(house.database)).map((item) => item.id)
  await house.database.transaction(async (tx) => {
    const answers = await discard(tx, ids, { actor: 'user:ann', reason: 'sent by mistake' })
    const items = [...answers.values()].filter((answer) => 'context' in answer)
    discardMessages(tx, items)
  })
  expect(await Promise.all(['known', 'bad'].map(stateOf))).toEqual(['applied', 'discarded'])
})

test('decided messages leave after their retention; parked ones stay', async () => {
  await receive([message('old'), message('young')])
  await receive([message('parked')], 'received')
  const cause = { code: 'x.y', message: 'why' }
  await house.database.transaction((tx) =>
    settleMessages(tx, [{ ...message('parked'), outcome: 'parked', cause }]),
  )
  await house.run(
    `update inbox.message set received_at = now() - interval '14 months' where message_id in ('old', 'parked')`,
  )
  expect(await purgeMessages(house.database)).toBe(1)
  expect(await Promise.all(['old', 'young', 'parked'].map(stateOf))).toEqual([undefined, 'applied', 'parked'])
})
