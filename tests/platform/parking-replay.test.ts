/** Replay by a person: documents are looked at again, calls in doubt are looked up first, messages wait for their door. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enrollDocuments } from '#platform/desk.ts'
import { effectKey, intendEffects, intentsOf } from '#platform/effects.ts'
import { park, settleParked } from '#platform/parking.ts'
import {
  callCause,
  endRecovered,
  fatesOf,
  parkAgain,
  replayingMessages,
  replayParked,
  settleCalls,
  sharedCauses,
} from '#platform/parking-replay.ts'
import { listParked } from '#platform/parking-views.ts'
import { exceptionOpener, openExceptionsOf } from '#platform/exceptions.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

let open: OpenDatabase
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())

const decision = { actor: 'anna', reason: 'the system is mended' }
const cause = { code: 'work.effect_parked', message: 'nobody knows whether it was done' }

/** A document on the desk whose call is parked, in doubt or not. */
async function parkedCall(doc: number, inDoubt: boolean): Promise<number> {
  const intent = { doc, step: 'postToErp', subject: '', generation: 1 }
  await open.database.transaction(async (tx) => {
    enrollDocuments(tx, 1, [
      {
        doc,
        process: 'order-to-cash',
        company: 'NWF',
        priority: 2,
        share: 0,
        sleepsUntil: new Date('2030-01-01'),
      },
    ])
    intendEffects(tx, [
      { ...intent, system: 'erp', operation: 'erp.createSalesOrder', businessKey: `O-${doc}` },
    ])
    await park(tx, [{ kind: 'effect', key: effectKey(intent), company: 'NWF', doc, cause }])
  })
  await open.run(
    `update effects.intent set state = 'parked', attempts = 8, absent_after = ${inDoubt ? 'now()' : 'null'} where doc = ${doc}`,
  )
  const [item] = await listParked(open.database, { doc })
  return item!.id
}

test.each([
  [9_101, true, 'unknown'],
  [9_102, false, 'retry'],
] as const)(
  'the call of document %i (in doubt: %s) is %s again, and its document due',
  async (doc, inDoubt, state) => {
    const id = await parkedCall(doc, inDoubt)
    const answers = await replayParked(open.database, [id], decision)
    expect(answers.get(id)).toMatchObject({ kind: 'effect', doc })
    expect(await intentsOf(open.database, [doc])).toEqual([
      expect.objectContaining({ state, attempts: 0, dueAt: null }),
    ])
    const due = await open.run<{ due: boolean }>(
      `select due_at <= now() as due from desk.document where doc = ${doc}`,
    )
    expect(due).toEqual([{ due: true }])
    expect(await listParked(open.database, { doc })).toEqual([])
    const audited = await open.run(`select actor, action, reason from audit.entry where doc = ${doc}`)
    expect(audited).toEqual([{ ...decision, action: 'parking.replayed' }])
  },
)

const openExceptions = exceptionOpener({
  rules: [],
  otherwise: { owner: 'integration', severity: 'high', dueBusinessHours: 2 },
  calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
})
const stopped = async (doc: number, code: string) => {
  const occurrence = { company: 'NWF', code, title: 'stopped', suggestedAction: 'look' }
  await open.database.transaction((tx) =>
    openExceptions(tx, [{ ...occurrence, cause: `${code}:${doc}`, affects: { doc, kind: 'order' } }]),
  )
}
const codesOf = async (doc: number) =>
  ((await openExceptionsOf(open.database, [doc])).get(doc) ?? []).map(({ code }) => code)

test('a parked call that is settled by other means is parked no longer, and its exception closes; one that is not stays', async () => {
  for (const doc of [9_120, 9_121]) {
    await parkedCall(doc, true)
    await stopped(doc, 'work.effect_parked')
  }
  await open.run('delete from effects.intent where doc = 9120')
  expect(await endRecovered(open.database)).toBe(1)
  expect([await listParked(open.database, { doc: 9_120 }), await codesOf(9_120)]).toEqual([[], []])
  expect(await listParked(open.database, { doc: 9_121 })).toHaveLength(1)
  expect(await codesOf(9_121)).toEqual(['work.effect_parked'])
})

test('of several calls of a document the one that goes on leaves the exceptions of the others, alike or not', async () => {
  const doc = 9_123
  await parkedCall(doc, true)
  const stillOpen = async () =>
    ((await openExceptionsOf(open.database, [doc])).get(doc) ?? []).map((one) => one.cause).toSorted()
  const calls = [
    ['a', 'erp.closeSalesOrderLine'],
    ['b', 'erp.closeSalesOrderLine'],
    ['c', 'channel.acknowledge'],
  ] as const
  await open.database.transaction(async (tx) => {
    await park(
      tx,
      calls.map(([key, operation]) => ({
        kind: 'effect' as const,
        key: `${doc}/${key}//1`,
        company: 'NWF',
        system: 'erp',
        doc,
        cause,
        context: { operation },
      })),
    )
    await openExceptions(
      tx,
      [callCause('erp', 'erp.closeSalesOrderLine'), callCause('erp', 'channel.acknowledge')].map((name) => ({
        company: 'NWF',
        cause: name,
        code: cause.code,
        title: 'stopped',
        suggestedAction: 'look',
        affects: { doc, kind: 'order' },
      })),
    )
  })
  const settle = (step: string) =>
    open.database.transaction((tx) => settleCalls(tx, [{ doc, step, subject: '', generation: 1 }], decision))
  const [acknowledgement, closing] = await stillOpen()
  await settle('a')
  expect(await stillOpen()).toEqual([acknowledgement, closing])
  await settle('b')
  expect(await stillOpen()).toEqual([acknowledgement])
  await settle('c')
  expect(await stillOpen()).toEqual([])
})

test('a parked document that was woken and worked on is parked no longer, and its exception closes', async () => {
  const doc = 9_122
  const code = 'work.document_parked'
  await parkedCall(doc, false)
  await open.database.transaction((tx) =>
    park(tx, [{ kind: 'document', key: String(doc), company: 'NWF', doc, cause: { code, message: 'x' } }]),
  )
  await stopped(doc, code)
  await open.run(`update desk.document set failures = 5 where doc = ${doc}`)
  await endRecovered(open.database)
  expect(await codesOf(doc)).toEqual([code])
  await open.run(`update desk.document set failures = 0, owner = 1 where doc = ${doc}`)
  await endRecovered(open.database)
  expect(await codesOf(doc)).toEqual([code])
  await open.run(`update desk.document set owner = null where doc = ${doc}`)
  await endRecovered(open.database)
  expect(await codesOf(doc)).toEqual([])
  expect(await listParked(open.database, { doc })).toMatchObject([{ kind: 'effect' }])
})

/** Parks a message that nobody filed, as far as parked work goes. */
async function parkedMessage(key: string, about?: string): Promise<number> {
  const facts = about === undefined ? {} : { about }
  const message = { kind: 'message', key, company: 'NWF', system: 'edi', payload: 'ISA' } as const
  await open.database.transaction((tx) =>
    park(tx, [{ ...message, cause: { code: 'edi.x', message: 'unreadable', facts } }]),
  )
  return (await listParked(open.database, { kind: 'message' })).find((item) => item.key === key)!.id
}

test('a message is handed to whichever process has its door, and its neighbours are replayed', async () => {
  const id = await parkedCall(9_103, true)
  const message = await parkedMessage('edi/1')
  const answers = await replayParked(open.database, [message, id, 1_000_000], decision)
  expect(answers.get(1_000_000)).toMatchObject({ code: 'parking.not_found' })
  expect(answers.get(id)).toMatchObject({ kind: 'effect' })
  expect(await replayingMessages(open.database)).toMatchObject([
    { id: message, state: 'replaying', settledBy: 'anna', payload: 'ISA' },
  ])
})

test('a replay is taken by one process alone, and once it has ended by none', async () => {
  const id = await parkedMessage('edi/2')
  await replayParked(open.database, [id], decision)
  const [item] = (await replayingMessages(open.database)).filter((one) => one.id === id)
  const take = () =>
    open.database.transaction((tx) => parkAgain(tx, item!, { code: 'edi.y', message: 'still' }))
  expect(new Set(await Promise.all([take(), take()]))).toEqual(new Set([true, false]))
  expect(await fatesOf(open.database, [id])).toMatchObject([
    { id, state: 'parked', causeCode: 'edi.y', causeMessage: 'still', outcome: null },
  ])
})

test('a cause is shared as long as another message of its kind is put aside for it', async () => {
  const ids = [await parkedMessage('edi/3', 'ACME'), await parkedMessage('edi/4', 'ACME')]
  const other = await parkedMessage('edi/5', 'OTHER')
  const items = (await listParked(open.database)).filter(({ id }) => [...ids, other].includes(id))
  const end = (key: string) =>
    open.database.transaction(async (tx) => {
      await settleParked(tx, [{ kind: 'message', key, outcome: 'applied' }])
      return [...(await sharedCauses(tx, items))].map((item) => item.key).toSorted()
    })
  expect(await end('edi/5')).toEqual(['edi/3', 'edi/4'])
  expect(await end('edi/4')).toEqual(['edi/3', 'edi/4'])
  expect(await end('edi/3')).toEqual([])
})

test('work that is replayed already is not replayed twice', async () => {
  const id = await parkedCall(9_104, true)
  await replayParked(open.database, [id], decision)
  expect((await replayParked(open.database, [id], decision)).get(id)).toMatchObject({
    code: 'parking.not_parked',
  })
})
