/** Parked documents and calls, put to work again by a person: in one transaction, by the process that owns them next. */
import type { Database } from './database.ts'
import { sql, type Transaction } from './database.ts'
import { closeExceptions, openExceptionsOf } from './exceptions.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import { type Decision, type ParkedItem, replay, settleParked } from './parking.ts'

export const replayRefusals = {
  'parking.sent_again_only': {
    status: 409,
    title: 'A message is replayed by its sender',
    cause: 'What came in is judged as its door reads it, and the door answers its sender.',
    fix: 'Mend the cause, then have it sent again: a file with crossdock edi ingest FILE, a webhook from its system.',
  },
} as const satisfies Record<string, RefusalCode>

/** A call in doubt is looked up before it is sent; one that surely did nothing is sent. Both begin to count anew. */
const reviveIntents = sql(
  'parking.revive_intents',
  `update effects.intent set state = case when absent_after is null then 'retry' else 'unknown' end, attempts = 0,
     due_at = null
   where doc = any($1::bigint[]) and state = 'parked'
     and doc || '/' || step || '/' || subject || '/' || generation = any($2::text[])`,
)
const wakeParked = sql(
  'parking.wake',
  `update desk.document set version = version + 1, due_at = now(), failures = 0
   where doc = any(array(select doc from desk.document where doc = any($1::bigint[]) order by doc for update))`,
)

/** Answers by id what is worked on again, or why not. */
export function replayParked(
  database: Database,
  ids: readonly number[],
  decision: Decision,
): Promise<ReadonlyMap<number, ParkedItem | Refusal>> {
  return database.transaction(async (tx) => {
    const kinds = await tx.query<{ id: number; kind: string }>(kindsOf, [ids])
    const messages = new Set(kinds.filter(({ kind }) => kind === 'message').map(({ id }) => id))
    const answers = new Map(
      await replay(
        tx,
        ids.filter((id) => !messages.has(id)),
        decision,
      ),
    )
    const items = [...answers.values()].filter((item): item is ParkedItem => !(item instanceof Refusal))
    const docs = items.flatMap(({ doc }) => doc ?? []).toSorted((a, b) => a - b)
    tx.locking('desk row', docs)
    tx.send(wakeParked, [docs])
    tx.send(reviveIntents, [docs, items.filter(({ kind }) => kind === 'effect').map(({ key }) => key)])
    await settleParked(tx, items)
    await closeItsExceptions(tx, items, `${decision.actor} had it worked on again: ${decision.reason}`)
    for (const id of messages)
      answers.set(id, new Refusal('parking.sent_again_only', `parked item ${id} is a message`, { id }))
    return answers
  })
}

/** What it was parked for is over for its document; it opens anew where the work fails again. */
async function closeItsExceptions(tx: Transaction, items: readonly ParkedItem[], how: string): Promise<void> {
  const open = await openExceptionsOf(
    tx,
    items.flatMap(({ doc }) => doc ?? []),
  )
  const gone = items.flatMap(({ doc, cause: { code } }) =>
    doc === null
      ? []
      : (open.get(doc) ?? [])
          .filter((exception) => exception.code === code)
          .map(({ company, cause }) => ({ company, cause, doc })),
  )
  await closeExceptions(tx, gone, how)
}

const kindsOf = sql(
  'parking.kinds',
  'select id, kind from parking.item where id = any($1::bigint[]) order by id',
)
