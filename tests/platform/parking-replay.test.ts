/** Replay by a person: documents are looked at again, calls in doubt are looked up first, messages stay their senders'. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enrollDocuments } from '#platform/desk.ts'
import { effectKey, intendEffects, intentsOf } from '#platform/effects.ts'
import { park } from '#platform/parking.ts'
import { replayParked } from '#platform/parking-replay.ts'
import { listParked } from '#platform/parking-views.ts'
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

test('a message is refused with what to do instead, and its neighbours are replayed', async () => {
  const id = await parkedCall(9_103, true)
  await open.database.transaction((tx) =>
    park(tx, [
      {
        kind: 'message',
        key: 'edi/1',
        company: 'NWF',
        payload: 'ISA',
        cause: { code: 'edi.x', message: 'unreadable' },
      },
    ]),
  )
  const message = (await listParked(open.database, { kind: 'message' }))[0]!.id
  const answers = await replayParked(open.database, [message, id, 1_000_000], decision)
  expect(answers.get(message)).toMatchObject({ code: 'parking.sent_again_only' })
  expect(answers.get(1_000_000)).toMatchObject({ code: 'parking.not_found' })
  expect(answers.get(id)).toMatchObject({ kind: 'effect' })
  expect(await listParked(open.database, { kind: 'message' })).toHaveLength(1)
})

test('work that is replayed already is not replayed twice', async () => {
  const id = await parkedCall(9_104, true)
  await replayParked(open.database, [id], decision)
  expect((await replayParked(open.database, [id], decision)).get(id)).toMatchObject({
    code: 'parking.not_parked',
  })
})
