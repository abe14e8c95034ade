/** `crossdock keys create`, `list`, `revoke`: the API keys of those who call the doors. */
import { type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { EVERY_SCOPE } from './platform/access.ts'
import { createKey, listKeys, revokeKey } from './platform/access-keys.ts'
import { systemClock } from './platform/clock.ts'
import { databaseIds } from './platform/ids.ts'

const DAY_MS = 24 * 3_600_000
const DAYS_MAX = 3_650
const SCOPE = /^[a-z][a-z0-9.-]*:[a-z]+$/
const CLIENT = /^[\w.-]{1,80}$/

export async function keysCreate(context: Context): Promise<number> {
  const [client = ''] = context.args
  const {
    scopes: given,
    partner,
    days,
  } = context.options as { scopes: string; partner?: string; days?: string }
  const scopes = given.split(',').map((scope) => scope.trim())
  const wrong = scopes.find((scope) => scope !== EVERY_SCOPE && !SCOPE.test(scope))
  if (wrong !== undefined) {
    throw wrongUse(
      `--scopes: "${wrong}" is no scope`,
      'Write layer.object:verb, such as process.orders:read.',
    )
  }
  if (!CLIENT.test(client))
    throw wrongUse(`"${client}" is no client name`, 'Use letters, digits, "_", "-" and ".".')
  const expiresAt = days === undefined ? undefined : expiryOf(days)
  const { database } = await openDatabase(context)
  const key = await createKey(database, databaseIds(database), {
    client,
    scopes,
    ...(partner === undefined ? {} : { partner }),
    ...(expiresAt ? { expiresAt } : {}),
  })
  context.terminal.data({ client, scopes, partner, expiresAt, key }, () => key)
  context.terminal.note('Keep it where secrets are kept: it is not stored and cannot be shown again.')
  return EXIT.ok
}

function expiryOf(days: string): Date {
  const count = Number(days)
  if (!Number.isInteger(count) || count < 1 || count > DAYS_MAX) {
    throw wrongUse(`--days: "${days}" is no number of days`, `Write a whole number from 1 to ${DAYS_MAX}.`)
  }
  return new Date(systemClock.now().getTime() + count * DAY_MS)
}

export async function keysList(context: Context): Promise<number> {
  const { database } = await openDatabase(context)
  const found = await listKeys(database)
  printList(context.terminal, found, {
    KEY: ({ prefix }) => prefix,
    CLIENT: ({ client }) => client,
    SCOPES: ({ scopes }) => scopes.join(','),
    PARTNER: ({ partner }) => partner ?? '–',
    EXPIRES: ({ expiresAt }) => expiresAt?.toISOString().slice(0, 10) ?? 'never',
    REVOKED: ({ revokedAt }) => revokedAt?.toISOString().slice(0, 10) ?? '–',
  })
  if (found.length === 0) context.terminal.note('There are no keys: callers on loopback need none.')
  return EXIT.ok
}

export async function keysRevoke(context: Context): Promise<number> {
  const [prefix = ''] = context.args
  const { database } = await openDatabase(context)
  if (await revokeKey(database, prefix)) {
    context.terminal.note(`Key ${prefix} is refused within five seconds.`)
    return EXIT.ok
  }
  throw wrongUse(`there is no usable key ${prefix}`, 'Find it with crossdock keys list.')
}
