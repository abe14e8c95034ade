/** What people do with exceptions: take, hand over, comment, resolve; each act is a note on it and an audit row. */
import { recordAudit } from './audit.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'
import type { Act } from './exceptions-views.ts'
import type { ExceptionState } from './exceptions.ts'
import { Refusal, type RefusalCode } from './faults.ts'

export const exceptionRefusals = {
  'exceptions.not_found': {
    status: 404,
    title: 'No such exception',
    cause: 'The id names nothing that was ever opened.',
    fix: 'List exceptions and use an id from there.',
  },
  'exceptions.closed': {
    status: 409,
    title: 'The exception is closed',
    cause: 'Somebody resolved it, or its cause went away by itself.',
    fix: 'Nothing needs to be done; should the cause return, a new exception opens.',
  },
  'exceptions.text_missing': {
    status: 422,
    title: 'A few words are needed',
    cause: 'Comments and resolutions are kept with the words of the person.',
    fix: 'Say in a few words what was done, or why.',
  },
} as const satisfies Record<string, RefusalCode>

/** Who acts and in which words; taking and handing over speak for themselves. */
export type Remark = {
  readonly actor: string
  readonly text?: string | undefined
  readonly traceId?: string | undefined
}

const lockExceptions = sql(
  'exceptions.lock',
  `select id, company, code, owner, assignee, state, closed_at is not null as closed from exceptions.exception
   where id = any($1::bigint[]) order by company, cause for no key update`,
)
const assignTo = sql(
  'exceptions.assign',
  `update exceptions.exception set version = version + 1, assignee = $2, owner = coalesce($3, owner),
     state = case when $2::text is null then 'open' else 'assigned' end
   where id = any($1::bigint[])`,
)
const startWork = sql(
  'exceptions.start',
  `update exceptions.exception set version = version + 1, state = 'in_progress', assignee = $2
   where id = any($1::bigint[])`,
)
const raiseVersion = sql(
  'exceptions.raise_version',
  'update exceptions.exception set version = version + 1 where id = any($1::bigint[])',
)
const lockVersion = sql(
  'exceptions.lock_version',
  'select version from exceptions.exception where id = $1 for no key update',
)
const closeByPerson = sql(
  'exceptions.close_by_person',
  `with cleared as (
     update exceptions.affected set cleared_at = now(), cleared_how = $4
     where exception = any($1::bigint[]) and cleared_at is null)
   update exceptions.exception set version = version + 1, state = $2, closed_at = now(), closed_by = $3, resolution = $4
   where id = any($1::bigint[])`,
)
const writeNotes = sql(
  'exceptions.note',
  `insert into exceptions.note (exception, author, act, text) select id, $2, $3, $4 from unnest($1::bigint[]) as id`,
)

type LockedException = {
  readonly id: number
  readonly company: string
  readonly code: string
  readonly owner: string
  readonly assignee: string | null
  readonly state: ExceptionState
  readonly closed: boolean
}

/** The version that people's acts have brought it to, which stays so until the transaction ends. */
export async function versionForAct(tx: Transaction, id: number): Promise<number | undefined> {
  const [row] = await tx.query<{ version: number }>(lockVersion, [id])
  return row?.version
}

/** By id: undefined when done, else why not. */
export type ActAnswers = Map<number, Refusal | undefined>

/** Gives exceptions to a person, to another queue, or both. Without an assignee they are open to the whole queue. */
export function assignExceptions(
  tx: Transaction,
  ids: readonly number[],
  to: { readonly assignee?: string | undefined; readonly owner?: string | undefined },
  remark: Remark,
): Promise<ActAnswers> {
  const after = { assignee: to.assignee ?? null, ...(to.owner ? { owner: to.owner } : {}) }
  const text = remark.text ?? `to ${to.assignee ?? to.owner ?? 'its queue'}`
  return act(tx, { ...remark, ids, act: 'assigned', text, after }, (open) =>
    tx.send(assignTo, [open, to.assignee ?? null, to.owner ?? null]),
  )
}

/** Somebody works on them now. */
export function startExceptions(
  tx: Transaction,
  ids: readonly number[],
  remark: Remark,
): Promise<ActAnswers> {
  const { actor, text = 'working on it' } = remark
  const after = { state: 'in_progress', assignee: actor }
  return act(tx, { ...remark, ids, act: 'started', text, after }, (open) => tx.send(startWork, [open, actor]))
}

export function commentExceptions(
  tx: Transaction,
  ids: readonly number[],
  remark: Remark,
): Promise<ActAnswers> {
  return act(tx, { ...remark, ids, act: 'commented', after: undefined }, (open) =>
    tx.send(raiseVersion, [open]),
  )
}

/**
 * Closes exceptions by a person's word. `resolved` opens again should the cause still be there; `wont_fix` is
 * remembered for its documents.
 */
export function resolveExceptions(
  tx: Transaction,
  ids: readonly number[],
  as: 'resolved' | 'wont_fix',
  remark: Remark,
): Promise<ActAnswers> {
  return act(tx, { ...remark, ids, act: as, after: { state: as } }, (open) =>
    tx.send(closeByPerson, [open, as, remark.actor, remark.text]),
  )
}

type Doing = Remark & {
  readonly ids: readonly number[]
  readonly act: Act
  readonly after: object | undefined
}

async function act(tx: Transaction, doing: Doing, write: (ids: number[]) => void): Promise<ActAnswers> {
  const { ids, actor, text = '' } = doing
  if (text.trim() === '') {
    throw new Refusal('exceptions.text_missing', 'a few words are needed', {}, '/text')
  }
  const rows = await tx.query<LockedException>(lockExceptions, [ids])
  const found = new Map(rows.map((row) => [row.id, row]))
  const open = rows.filter((row) => !row.closed)
  if (open.length > 0) {
    const openIds = open.map((row) => row.id)
    write(openIds)
    tx.send(writeNotes, [openIds, actor, doing.act, text])
    recordAudit(
      tx,
      open.map((row) => auditOf(row, doing)),
    )
  }
  return new Map(ids.map((id) => [id, refuseUnlessOpen(id, found.get(id))]))
}

function auditOf(row: LockedException, { act: done, actor, text, traceId, after }: Doing) {
  const { id, company, code, owner, assignee, state } = row
  const action = `exceptions.${done}`
  return {
    actor,
    action,
    company,
    reason: text,
    before: { id, code, owner, assignee, state },
    after,
    traceId,
  }
}

function refuseUnlessOpen(id: number, row: LockedException | undefined): Refusal | undefined {
  if (!row) return new Refusal('exceptions.not_found', `there is no exception ${id}`, { id })
  if (row.closed)
    return new Refusal('exceptions.closed', `exception ${id} is ${row.state}`, { id, state: row.state })
  return undefined
}
