/** `crossdock subscriptions …`: who has events sent to him, how that goes, and sending them again. */
import { type Context, EXIT, minute, printList, type Terminal, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { recordAudit } from './platform/audit.ts'
import type { Database } from './platform/database.ts'
import { systemClock } from './platform/clock.ts'
import { Refusal } from './platform/faults.ts'
import { cursorText } from './platform/log-batches.ts'
import { attemptsOf, deadLettersOf, undeliveredOf } from './platform/subscription-log.ts'
import {
  findSubscription,
  listSubscriptions,
  lockSubscription,
  type Subscription,
} from './platform/subscriptions.ts'

const SHOWN = 20

export async function subscriptionsList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { database } = await openDatabase(context)
  const found = await listSubscriptions(database, { limit })
  const undelivered = await undeliveredOf(
    database,
    found.map(({ id }) => id),
  )
  const rows = found.map((row) => ({ ...row, ...(undelivered.get(row.id) ?? { waiting: 0, dead: 0 }) }))
  printList(context.terminal, rows, {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    STATE: ({ state }) => state,
    WAITING: ({ waiting }) => String(waiting),
    'DEAD LETTERS': ({ dead }) => String(dead),
    OWNER: ({ owner }) => owner,
    PARTNER: ({ partner }) => partner ?? '–',
    'LAST DELIVERED': ({ succeededAt }) => (succeededAt ? minute(succeededAt) : 'never'),
    URL: ({ url }) => url,
  })
  if (found.length === 0) context.terminal.note('Nobody has subscribed.')
  return EXIT.ok
}

export async function subscriptionsShow(context: Context): Promise<number> {
  const { database } = await openDatabase(context)
  await tell(context.terminal, database, await subscriptionOf(database, context))
  return EXIT.ok
}

const unknown = (id: string): Refusal =>
  new Refusal('subscriptions.not_found', `there is no subscription ${id}`, { id })

async function subscriptionOf(database: Database, { args }: Context): Promise<Subscription> {
  const [id = ''] = args
  const found = await findSubscription(database, id)
  if (!found) throw unknown(id)
  return found
}

async function tell(terminal: Terminal, database: Database, row: Subscription): Promise<void> {
  const [attempts, deadLetters] = await Promise.all([
    attemptsOf(database, row.id, { limit: SHOWN }),
    deadLettersOf(database, row.id, { limit: SHOWN }),
  ])
  const listOf = (names: readonly string[]): string => names.join(', ') || 'all'
  const fields = {
    State: row.reason === null ? row.state : `${row.state}: ${row.reason}`,
    URL: row.url,
    Owner: row.owner,
    Client: row.partner === null ? row.client : `${row.client}, for partner ${row.partner}`,
    Types: listOf(row.types),
    Domains: listOf(row.domains),
    Companies: listOf(row.companies),
    Payload: row.payload,
    Position: cursorText(row.cursor),
  }
  const width = Math.max(...Object.keys(fields).map((name) => name.length))
  terminal.data({ ...row, cursor: cursorText(row.cursor), attempts, deadLetters }, () =>
    [
      terminal.paint('bold', `${row.id}  ${row.name}`),
      ...Object.entries(fields).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
      ...deadLetters.map(
        ({ type, key, keyVersion, cause }) => `  dead letter: ${type} ${key}.${keyVersion}: ${cause ?? '–'}`,
      ),
      ...attempts.map(
        ({ at, type, key, keyVersion, number, outcome, cause }) =>
          `  ${minute(at)}  ${type} ${key}.${keyVersion}, attempt ${number}: ${cause ?? outcome}`,
      ),
    ].join('\n'),
  )
}

export async function subscriptionsReplay(context: Context): Promise<number> {
  const asked = positionOf(context)
  const { database } = await openDatabase(context)
  const { id } = await subscriptionOf(database, context)
  const { subscriptionSteering } = await import('./app.ts')
  const answer = await database.transaction(async (tx) => {
    const known = await lockSubscription(tx, id)
    if (!known) throw unknown(id)
    recordAudit(tx, [
      {
        actor: 'cli',
        action: 'subscriptions.replayed',
        kind: 'subscription',
        after: { subscription: id, ...asked },
      },
    ])
    return subscriptionSteering.replay(tx, known, asked, systemClock.now())
  })
  context.terminal.data({ id, ...answer }, () =>
    'deadLetters' in asked
      ? `${answer.deadLetters} dead letters are sent again`
      : `everything behind ${answer.cursor} is sent again`,
  )
  return EXIT.ok
}

type Asked = { readonly after: string } | { readonly since: string } | { readonly deadLetters: true }

function positionOf({ options }: Context): Asked {
  const { after, since, deadLetters } = options as { after?: string; since?: string; deadLetters?: true }
  const given: Asked[] = [
    ...(after === undefined ? [] : [{ after }]),
    ...(since === undefined ? [] : [{ since }]),
    ...(deadLetters ? [{ deadLetters }] : []),
  ]
  const [asked] = given
  if (!asked || given.length > 1)
    throw wrongUse('Say from where to send again.', 'One of --after CURSOR, --since TIME and --dead-letters.')
  if (since !== undefined && Number.isNaN(Date.parse(since)))
    throw wrongUse(`--since: "${since}" is no time`, 'For example: --since 2026-11-20T06:00:00Z')
  return asked
}
