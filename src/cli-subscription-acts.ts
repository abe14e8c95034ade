/** `crossdock subscriptions create|pause|resume|rotate|ping|delete`: what its doors do, for the person at a terminal. */
import { type Context, EXIT, wrongUse } from './cli-context.ts'
import { openDatabase, type Opened } from './cli-database.ts'
import { systemClock } from './platform/clock.ts'
import { openHttpClient } from './platform/http-client.ts'
import { systemChance } from './platform/ids.ts'
import { openSecretBox } from './platform/secret-box.ts'

const ASKER = { principal: { client: 'cli' } } as const
const clock = systemClock

async function steeringOf() {
  const { subscriptionSteering } = await import('./app.ts')
  return subscriptionSteering
}

/** What making, signing and sending needs, as the program has it. */
async function portsOf(context: Context, { config, database }: Opened) {
  const { ports, trustedAddresses, typePrefix } = config.subscriptions
  const { eventWords } = await steeringOf()
  const rules = { ports, trusted: trustedAddresses }
  const http = openHttpClient({ clock, guard: { rules } })
  context.atEnd(() => http.close())
  const box = await openSecretBox(config.subscriptions, systemChance)
  return { queries: database, clock, chance: systemChance, words: eventWords(typePrefix), rules, http, box }
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

type Told = { readonly types?: string; readonly domains?: string; readonly companies?: string }

/** Lists are written with commas. */
function settingsOf({ args: [url], options }: Context): object {
  const { types, domains, companies } = options as Told
  const { name, owner, payload, partner, after } = options
  const lists = { types, domains, companies }
  const given = Object.entries(lists).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, listOf(text)]],
  )
  const others = Object.entries({ url, name, owner, payload, partner, after })
  return Object.fromEntries([...others.filter(([, value]) => value !== undefined), ...given])
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } }
type Issue = { readonly path: readonly PropertyKey[]; readonly message: string }

/** What a door would refuse by its schema. */
function fitting<T>(parsed: Parsed<T>): T {
  if (parsed.success) return parsed.data
  const said = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw wrongUse(said, 'See the options with --help, and the fields in docs/subscriptions.md.')
}

export async function subscriptionsCreate(context: Context): Promise<number> {
  const { CreateRequest, create } = await steeringOf()
  const settings = fitting(CreateRequest.safeParse(settingsOf(context)))
  const opened = await openDatabase(context)
  const ports = await portsOf(context, opened)
  const made = await opened.database.transaction((tx) => create(tx, ports, ASKER, settings))
  context.terminal.data(made, () => `${made.id}\n${made.secret}`)
  context.terminal.note('The secret is shown now and never again; the receiver checks signatures with it.')
  return EXIT.ok
}

export async function subscriptionsPause(context: Context): Promise<number> {
  const { PauseRequest, pause } = await steeringOf()
  const { reason } = fitting(PauseRequest.safeParse({ reason: context.options['reason'] }))
  const { database } = await openDatabase(context)
  const [id = ''] = context.args
  const view = await database.transaction((tx) => pause(tx, ASKER, { id, reason }, clock.now()))
  context.terminal.data(view, () => `${id} is sent nothing until it is resumed`)
  return EXIT.ok
}

export async function subscriptionsResume(context: Context): Promise<number> {
  const { resume } = await steeringOf()
  const { database } = await openDatabase(context)
  const [id = ''] = context.args
  const view = await database.transaction((tx) => resume(tx, ASKER, id, clock.now()))
  context.terminal.data(view, () => `${id} goes on behind ${view.cursor}`)
  return EXIT.ok
}

export async function subscriptionsRotate(context: Context): Promise<number> {
  const { RotateRequest, rotate } = await steeringOf()
  const hours = Number(context.options['keepPreviousHours'])
  const { keepPreviousHours } = fitting(RotateRequest.safeParse({ keepPreviousHours: hours }))
  const opened = await openDatabase(context)
  const ports = await portsOf(context, opened)
  const [id = ''] = context.args
  const made = await opened.database.transaction((tx) => rotate(tx, ports, ASKER, { id, keepPreviousHours }))
  context.terminal.data(made, () => made.secret)
  context.terminal.note(`The previous secret signs beside it until ${made.previousUntil}.`)
  return EXIT.ok
}

/** Ends with 1 where the receiver did not take it. */
export async function subscriptionsPing(context: Context): Promise<number> {
  const { knownFor, ping } = await steeringOf()
  const opened = await openDatabase(context)
  const [id = ''] = context.args
  const known = await knownFor(opened.database, id, ASKER.principal)
  const sent = await ping(await portsOf(context, opened), known, context.signal)
  context.terminal.data({ id, ...sent }, () =>
    sent.delivered ? `taken within ${sent.tookMs} ms` : `not taken: ${sent.cause ?? `HTTP ${sent.status}`}`,
  )
  return sent.delivered ? EXIT.ok : EXIT.failed
}

export async function subscriptionsDelete(context: Context): Promise<number> {
  const { remove } = await steeringOf()
  const { database } = await openDatabase(context)
  const [id = ''] = context.args
  await database.transaction((tx) => remove(tx, ASKER, id))
  context.terminal.data({ id, deleted: true }, () => `${id} is gone, with its log and its dead letters`)
  return EXIT.ok
}
