/** Calls to other systems in the hands of a person: what became of one in doubt, and one that is to be tried now. */
import { isDeepStrictEqual } from 'node:util'
import { recordAudit } from './audit.ts'
import { sql, type Transaction } from './database.ts'
import { databaseTime } from './database-time.ts'
import {
  effectKey,
  type Intent,
  intentsOf,
  parseEffectKey,
  type Resolution,
  reviveEffects,
  writeResolution,
} from './effects.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import { assertReason, type Decision } from './parking.ts'
import { settleCalls } from './parking-replay.ts'

export const effectRefusals = {
  'effects.not_found': {
    status: 404,
    title: 'No such call is open',
    cause: 'The key names no call, or one whose outcome is known: it is in the story of its document.',
    fix: 'List the open calls, or read the story of the order.',
  },
  'effects.not_in_doubt': {
    status: 409,
    title: 'The call is not in doubt',
    cause: 'It will be made by itself, or it surely did nothing and is tried again.',
    fix: 'Have it tried now, or wait until it is parked.',
  },
  'effects.under_way': {
    status: 409,
    title: 'The call may be under way at this moment',
    cause: 'A process works on its document now.',
    fix: 'Ask again in a moment; look first whether the call still needs anybody.',
  },
  'effects.resolved': {
    status: 409,
    title: 'Somebody has said already what became of the call',
    cause: 'What he said is taken as the outcome as soon as a process looks at the document.',
    fix: 'Wait a moment and read the story of the order; correct there what is wrong.',
  },
  'effects.may_still_show': {
    status: 409,
    title: 'It is too early to say that the system has nothing of the call',
    cause: 'A call whose answer did not come may still take effect at its target for a while.',
    fix: 'Look again at the time that the refusal names, then say so.',
  },
} as const satisfies Record<string, RefusalCode>

/** `absent`: the system has nothing of it, so that it is sent again under the same key. */
export type Finding = Resolution['verdict'] | { readonly kind: 'absent' }

const lockDesk = sql(
  'effects.lock_desk',
  'select owner, company from desk.document where doc = $1 for update',
)
const wake = sql(
  'effects.wake',
  'update desk.document set version = version + 1, due_at = now() where doc = $1',
)
const change = sql(
  'effects.change_by_hand',
  `update effects.intent set state = $5, resolution = $6::jsonb, due_at = null,
     attempts = case when $5 = 'retry' then 0 else attempts end,
     absent_after = case when $5 = 'retry' then null else absent_after end
   where doc = $1 and step = $2 and subject = $3 and generation = $4`,
)

type Found = {
  readonly intent: Intent
  readonly company: string
  readonly isOwned: boolean
  readonly at: Date
}

/**
 * The call, with its place on the desk locked: nobody can take its document up meanwhile. A parked one is in nobody's
 * hands, whoever owns the document for another call's sake.
 */
async function lockCall(tx: Transaction, key: string): Promise<Found> {
  const doc = parseEffectKey(key)?.doc
  if (doc === undefined) throw unknown(key)
  tx.locking('desk row', [doc])
  const [[row], intents, at] = await Promise.all([
    tx.query<{ owner: number | null; company: string }>(lockDesk, [doc]),
    intentsOf(tx, [doc]),
    databaseTime(tx),
  ])
  const intent = intents.find((one) => effectKey(one) === key)
  if (!row || !intent) throw unknown(key)
  return { intent, company: row.company, isOwned: row.owner !== null, at }
}

const unknown = (key: string): Refusal =>
  new Refusal('effects.not_found', `no call is open under ${key}`, { key })

function assertFree({ intent, isOwned }: Found): void {
  const key = effectKey(intent)
  if (isOwned && intent.state !== 'parked')
    throw new Refusal('effects.under_way', `the document of ${key} is being worked on`, { key })
}

/**
 * What a person found out about a call in doubt becomes its outcome, by the same way as an answer of the system: a
 * process takes it when it looks at the document, which is due at once. Said again in the same words, it changes
 * nothing. `decide` is asked with the call as it is, and may refuse.
 */
export async function resolveCall(
  tx: Transaction,
  key: string,
  decide: (intent: Intent) => Finding,
  { actor, reason, traceId }: Decision & { readonly traceId?: string },
): Promise<void> {
  assertReason(reason)
  const found = await lockCall(tx, key)
  const { intent, at } = found
  const finding = decide(intent)
  if (intent.state === 'resolved') return assertSame(intent, finding)
  if (intent.state !== 'parked' && intent.state !== 'unknown')
    throw new Refusal('effects.not_in_doubt', `call ${key} is ${intent.state}`, { key, state: intent.state })
  assertFree(found)
  if (finding.kind === 'absent') {
    assertLateEnough(intent, at)
    write(tx, intent, 'retry', null)
  } else {
    write(tx, intent, 'resolved', writeResolution({ verdict: finding, actor, traceId }))
  }
  const after = { ...nameOf(intent), outcome: finding.kind }
  recordAudit(tx, [{ ...auditOf(found), actor, reason, traceId, action: 'effects.resolved', after }])
  await settleCalls(tx, [intent], { actor, reason })
}

/** Has a call that waits made now: one in doubt is looked up before it is sent, where its system can be asked. */
export async function retryCall(
  tx: Transaction,
  key: string,
  { actor, reason, traceId }: Decision & { readonly traceId?: string },
): Promise<void> {
  assertReason(reason)
  const found = await lockCall(tx, key)
  const { intent } = found
  if (intent.state === 'resolved') throw alreadyResolved(key)
  assertFree(found)
  tx.send(wake, [intent.doc])
  reviveEffects(tx, [intent])
  const after = nameOf(intent)
  recordAudit(tx, [{ ...auditOf(found), actor, reason, traceId, action: 'effects.retried', after }])
  if (intent.state === 'parked') await settleCalls(tx, [intent], { actor, reason })
}

/** `retry` begins to count its attempts anew. */
function write(
  tx: Transaction,
  intent: Intent,
  state: 'retry' | 'resolved',
  resolution: string | null,
): void {
  const { doc, step, subject, generation } = intent
  tx.send(wake, [doc])
  tx.send(change, [doc, step, subject, generation, state, resolution])
}

function assertSame({ resolution, ...intent }: Intent, finding: Finding): void {
  if (!isDeepStrictEqual(resolution?.verdict, finding)) throw alreadyResolved(effectKey(intent))
}

const alreadyResolved = (key: string): Refusal =>
  new Refusal('effects.resolved', `somebody has said what became of ${key}`, { key })

function assertLateEnough(intent: Intent, now: Date): void {
  const { absentAfter } = intent
  if (absentAfter === null || absentAfter <= now) return
  const key = effectKey(intent)
  throw new Refusal(
    'effects.may_still_show',
    `call ${key} may still take effect at ${intent.system} until ${absentAfter.toISOString()}`,
    { key, until: absentAfter },
  )
}

const nameOf = (intent: Intent): object => ({
  key: effectKey(intent),
  system: intent.system,
  operation: intent.operation,
  was: intent.state,
})

const auditOf = ({ company, intent: { doc } }: Found) => ({ company, kind: 'effect', doc })
