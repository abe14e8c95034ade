/** What people do with exceptions: take, hand over, comment, resolve; each act is a note on it and an audit row. */
import { recordAudit } from './audit.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'
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
    cause: 'Comments, hand-overs and resolutions are kept with the words of the person.',
    fix: 'Say in a few words what was done, or why.',
  },
} as const satisfies Record<string, RefusalCode>

type Act = 'assigned' | 'started' | 'commented' | 'resolved' | 'wont_fix'

/** Who acts and in which words. */
export type Remark = { readonly actor: string; readonly text: string }

const lockExceptions = sql(
  'exceptions.lock',
  `select id, company, code, owner, assignee, state, closed_at is not null as closed from exceptions.exception
   where id = any($1::bigint[]) order by company, cause for no key update`,
)
const assignTo = sql(
  'exceptions.assign',
  `update exceptions.exception set assignee = $2, owner = coalesce($3, owner),
     state = case when $2::text is null then 'open' else 'assigned' end
   where id = any($1::bigint[])`,
)
const startWork = sql(
  'exceptions.start',
  `update exceptions.exception set state = 'in_progress', assignee = $2 where id = any($1::bigint[])`,
)
const closeByPerson = sql(
  'exceptions.close_by_person',
  `with cleared as (
     update exceptions.affected set cleared_at = now(), cleared_how = $4
     where exception = any($1::bigint[]) and cleared_at is null)
   update exceptions.exception set state = $2, closed_at = now(), closed_by = $3, resolution = $4
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
  return act(tx, { ids, act: 'assigned', remark, after }, (open) =>
    tx.send(assignTo, [open, to.assignee ?? null, to.owner ?? null]),
  )
}

/** Somebody works on them now. */
export function startExceptions(
  tx: Transaction,
  ids: readonly number[],
  remark: Remark,
): Promise<ActAnswers> {
  const after = { state: 'in_progress', assignee: remark.actor }
  return act(tx, { ids, act: 'started', remark, after }, (open) => tx.send(startWork, [open, remark.actor]))
}

export function commentExceptions(
  tx: Transaction,
  ids: readonly number[],
  remark: Remark,
): Promise<ActAnswers> {
  return act(tx, { ids, act: 'commented', remark, after: undefined }, () => undefined)
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
  return act(tx, { ids, act: as, remark, after: { state: as } }, (open) =>
    tx.send(closeByPerson, [open, as, remark.actor, remark.text]),
  )
}

type Doing = {
  readonly ids: readonly number[]
  readonly act: Act
  readonly remark: Remark
  readonly after: object | undefined
}

async function act(tx: Transaction, doing: Doing, write: (ids: number[]) => void): Promise<ActAnswers> {
  const { ids, remark } = doing
  if (remark.text.trim() === '') {
    throw new Refusal('exceptions.text_missing', 'a few words are needed', {}, '/text')
  }
  const rows = await tx.query<LockedException>(lockExceptions, [ids])
  const found = new Map(rows.map((row) => [row.id, row]))
  const open = rows.filter((row) => !row.closed)
  if (open.length > 0) {
    const openIds = open.map((row) => row.id)
    write(openIds)
    tx.send(writeNotes, [openIds, remark.actor, doing.act, remark.text])
    recordAudit(
      tx,
      open.map((row) => auditOf(row, doing)),
    )
  }
  return new Map(ids.map((id) => [id, refuseUnlessOpen(id, found.get(id))]))
}

function auditOf(row: LockedException, { act: done, remark, after }: Doing) {
  const { id, company, code, owner, assignee, state } = row
  const action = `exceptions.${done}`
  return {
    actor: remark.actor,
    action,
    company,
    reason: remark.text,
    before: { id, code, owner, assignee, state },
    after,
  }
}

function refuseUnlessOpen(id: number, row: LockedException | undefined): Refusal | undefined {
  if (!row) return new Refusal('exceptions.not_found', `there is no exception ${id}`, { id })
  if (row.closed)
    return new Refusal('exceptions.closed', `exception ${id} is ${row.state}`, { id, state: row.state })
  return undefined
}
