/** `crossdock exceptions …`: what waits for a person, and what people do with it. */
import { type Context, EXIT, fieldLines, minute, printList, type Terminal, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import type { Database, Transaction } from './platform/database.ts'
import {
  type ExceptionStory,
  type ExceptionView,
  listExceptions,
  ownsAny,
  showException,
} from './platform/exceptions-views.ts'
import {
  type ActAnswers,
  assignExceptions,
  commentExceptions,
  resolveExceptions,
} from './platform/exceptions-work.ts'
import { Refusal } from './platform/faults.ts'
import { formatAmount } from './platform/money.ts'

/** Who acts, in history and audit: whoever may run commands on this machine. */
const ACTOR = 'cli'

export async function exceptionsList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { company, owner } = context.options as { company?: string; owner?: string }
  const { database } = await openDatabase(context)
  const found = await listExceptions(database, { limit, company, owner })
  printList(context.terminal, found, {
    ID: ({ id }) => String(id),
    SEVERITY: ({ severity }) => severity,
    OWNER: (row) => row.assignee ?? row.owner,
    DUE: ({ dueAt, overdue }) => minute(dueAt) + (overdue ? ' overdue' : ''),
    COMPANY: ({ company: code }) => code,
    DOCUMENTS: ({ affected }) => String(affected),
    'AT STAKE': stakeOf,
    TITLE: ({ title }) => title,
    'WHAT TO DO': ({ suggestedAction }) => suggestedAction,
  })
  if (found.length === 0) context.terminal.note('Nothing waits for a person.')
  return EXIT.ok
}

const stakeOf = ({ stake }: ExceptionView): string =>
  stake
    .map(({ amountMinor, currency }) => `${formatAmount(amountMinor, currency)} ${currency}`)
    .join(' + ') || '–'

export async function exceptionsShow(context: Context): Promise<number> {
  const id = idOf(context)
  const { database } = await openDatabase(context)
  await tell(context.terminal, await storyOf(database, id))
  return EXIT.ok
}

export function exceptionsAssign(context: Context): Promise<number> {
  const { to, text } = context.options as { to: string; text?: string }
  return actOn(context, async (tx, id) => {
    const { exceptionWork } = await import('./app.ts')
    const isQueue = exceptionWork.queues.has(to) || (await ownsAny(tx, to))
    return assignExceptions(tx, [id], isQueue ? { owner: to } : { assignee: to }, { actor: ACTOR, text })
  })
}

export function exceptionsComment(context: Context): Promise<number> {
  const [, text] = context.args
  return actOn(context, (tx, id) => commentExceptions(tx, [id], { actor: ACTOR, text }))
}

/** Portion by portion; broken off, it goes on where it was when it is asked for again. */
export async function exceptionsRetry(context: Context): Promise<number> {
  const id = idOf(context)
  const { reason } = context.options as { reason: string }
  const { terminal, signal } = context
  const { database } = await openDatabase(context)
  const { tryAgain } = (await import('./app.ts')).exceptionWork
  const portion = (asOf?: Date) =>
    database.transaction(async (tx) => {
      const retry = await tryAgain(tx, id, { actor: ACTOR, text: reason }, asOf)
      if (retry instanceof Refusal) throw retry
      return retry
    })
  let done = 0
  for (let left = Number.POSITIVE_INFINITY, asOf: Date | undefined; left > 0 && !signal.aborted;) {
    const retry = await portion(asOf)
    done += retry.done
    ;({ asOf, remaining: left } = retry)
    terminal.note(`${done} of ${done + left} documents are tried again`)
  }
  await tell(terminal, await storyOf(database, id))
  return EXIT.ok
}

export function exceptionsResolve(context: Context): Promise<number> {
  const { reason, wontFix } = context.options as { reason: string; wontFix?: boolean }
  const as = wontFix ? 'wont_fix' : 'resolved'
  return actOn(context, (tx, id) => resolveExceptions(tx, [id], as, { actor: ACTOR, text: reason }))
}

function idOf({ args }: Context): number {
  const [text = ''] = args
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw wrongUse(`"${text}" is not the id of an exception.`, 'See what waits: crossdock exceptions list')
}

/** Does it in a transaction of its own and tells how the exception is then. */
async function actOn(
  context: Context,
  act: (tx: Transaction, id: number) => Promise<ActAnswers>,
): Promise<number> {
  const id = idOf(context)
  const { database } = await openDatabase(context)
  await database.transaction(async (tx) => {
    const refusal = (await act(tx, id)).get(id)
    if (refusal) throw refusal
  })
  await tell(context.terminal, await storyOf(database, id))
  return EXIT.ok
}

async function storyOf(database: Database, id: number): Promise<ExceptionStory> {
  const story = await showException(database, id)
  if (!story) throw new Refusal('exceptions.not_found', `there is no exception ${id}`, { id })
  return story
}

async function tell(terminal: Terminal, story: ExceptionStory): Promise<void> {
  const { numberOf } = (await import('./app.ts')).exceptionWork
  const { id, title, state, severity, owner, assignee, company, code, suggestedAction, resolution } = story
  const fields = {
    State: resolution === null ? state : `${state} by ${story.closedBy}: ${resolution}`,
    Severity: severity,
    Owner: assignee === null ? owner : `${assignee} (${owner})`,
    Due: minute(story.dueAt) + (story.overdue ? ' overdue' : ''),
    Company: company,
    Code: code,
    'At stake': stakeOf(story),
    'What to do': suggestedAction,
    Facts: JSON.stringify(story.facts),
  }
  terminal.data(story, () =>
    [
      terminal.paint('bold', `${id}  ${title}`),
      ...fieldLines(fields),
      ...story.documents.map(
        ({ kind, doc, clearedHow }) =>
          `  ${numberOf(kind, doc)}${clearedHow === null ? '' : `: ${clearedHow}`}`,
      ),
      ...story.notes.map(
        ({ notedAt, author, act, text }) =>
          `  ${minute(notedAt)}  ${author} ${act.replace('_', ' ')}: ${text}`,
      ),
    ].join('\n'),
  )
}
