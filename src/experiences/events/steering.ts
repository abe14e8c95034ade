/** What is done to subscriptions, whoever asks: a caller of the doors, or a person at a terminal. */
import type { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import type { Chance } from '#platform/ids.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Clock } from '#platform/clock.ts'
import type { EventWords } from '#platform/cloud-events.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { type AddressRules, refusedAddress } from '#platform/http-address-guard.ts'
import type { HttpClient } from '#platform/http-client.ts'
import type { Pages } from '#platform/http-cursor.ts'
import { headOfLog, type Cursor } from '#platform/log.ts'
import { compareCursors, cursorText, positionAtTime } from '#platform/log-batches.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { newWebhookSecret } from '#platform/standard-webhooks.ts'
import { deadLettersOf, type Undelivered, undeliveredOf } from '#platform/subscription-log.ts'
import { addSecret, secretsOf } from '#platform/subscription-secrets.ts'
import * as store from '#platform/subscriptions.ts'
import { callWebhook } from '#platform/webhook-call.ts'
import { causeOfDeadLetters, causeOfStop } from '#platform/webhook-turn.ts'
import type { CreateRequest, PingView, ReplayRequest, SubscriptionView } from './contract.ts'
import { cursorOf } from './reading.ts'
import { assertKnown } from './told.ts'

export type SubscriptionPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
  readonly clock: Clock
  readonly chance: Chance
  readonly words: EventWords
  readonly rules: AddressRules
  readonly http: HttpClient
  readonly box: SecretBox
}

/** Who asks, and in which trace. */
export type Asker = {
  readonly principal: Pick<Principal, 'client' | 'partner'>
  readonly trace?: { readonly traceId: string }
}

const SUBSCRIPTIONS_MAX = 25
const HOUR_MS = 3_600_000

export async function create(
  tx: Transaction,
  ports: Pick<SubscriptionPorts, 'rules' | 'words' | 'chance' | 'clock' | 'box'>,
  asker: Asker,
  { after, partner, ...settings }: z.output<typeof CreateRequest>,
): Promise<SubscriptionView & { secret: string }> {
  assertFits(ports, settings)
  const { principal } = asker
  const { client } = principal
  if ((await store.countSubscriptions(tx, client)) >= SUBSCRIPTIONS_MAX)
    throw new Refusal('subscriptions.too_many', `"${client}" has ${SUBSCRIPTIONS_MAX} subscriptions`)
  const id = `sub_${ports.chance.token(12)}`
  const secret = newWebhookSecret(ports.chance)
  const now = ports.clock.now()
  const cursor = after === undefined ? await headOfLog(tx) : cursorOf(after, '/after')
  const whose = { client, partner: principal.partner ?? partner }
  store.createSubscription(tx, { id, ...whose, ...settings, cursor }, now)
  addSecret(tx, ports.box, { subscription: id, secret, now })
  audit(tx, asker, { id, action: 'created', after: settings })
  return { ...(await viewFor(tx, id, principal)), secret }
}

/** The address may be called, and the filter lets something through. */
export function assertFits(
  { rules, words }: Pick<SubscriptionPorts, 'rules' | 'words'>,
  settings: store.SubscriptionSettings,
): void {
  assertKnown(words, settings, '')
  const why = refusedAddress(rules, settings.url)
  if (why !== undefined)
    throw new Refusal('subscriptions.address_refused', `the address cannot be called: ${why}`, {}, '/url')
}

export async function pause(
  tx: Transaction,
  asker: Asker,
  { id, reason }: { readonly id: string; readonly reason: string },
  now: Date,
): Promise<SubscriptionView> {
  await lockedFor(tx, id, asker.principal)
  store.pauseSubscription(tx, id, reason, now)
  audit(tx, asker, { id, action: 'paused', reason })
  return viewFor(tx, id, asker.principal)
}

/** One that stopped, too. */
export async function resume(
  tx: Transaction,
  asker: Asker,
  id: string,
  now: Date,
): Promise<SubscriptionView> {
  const { state } = await lockedFor(tx, id, asker.principal)
  if (state === 'active') throw new Refusal('subscriptions.not_stopped', `${id} is active`)
  store.resumeSubscription(tx, id, now)
  await closeExceptions(tx, [causeOfStop(id)], `${asker.principal.client} resumed it`)
  audit(tx, asker, { id, action: 'resumed' })
  return viewFor(tx, id, asker.principal)
}

export async function rotate(
  tx: Transaction,
  { clock, chance, box }: Pick<SubscriptionPorts, 'clock' | 'chance' | 'box'>,
  asker: Asker,
  { id, keepPreviousHours }: { readonly id: string; readonly keepPreviousHours: number },
): Promise<{ id: string; secret: string; previousUntil: string }> {
  await lockedFor(tx, id, asker.principal)
  const now = clock.now()
  const until = new Date(now.getTime() + keepPreviousHours * HOUR_MS)
  const secret = newWebhookSecret(chance)
  addSecret(tx, box, { subscription: id, secret, now }, until)
  audit(tx, asker, { id, action: 'secret_rotated', after: { keepPreviousHours } })
  return { id, secret, previousUntil: until.toISOString() }
}

export async function remove(tx: Transaction, asker: Asker, id: string): Promise<void> {
  const { name, url } = await lockedFor(tx, id, asker.principal)
  store.deleteSubscription(tx, id)
  const causes = [causeOfStop(id), causeOfDeadLetters(id)]
  await closeExceptions(tx, causes, `${asker.principal.client} deleted the subscription`)
  audit(tx, asker, { id, action: 'deleted', before: { name, url } })
}

export async function ping(
  { queries, clock, http, box, words, chance }: Omit<SubscriptionPorts, 'database' | 'pages' | 'rules'>,
  { id, url }: store.Subscription,
  signal: AbortSignal,
): Promise<z.output<typeof PingView>> {
  const secrets = (await secretsOf(queries, box, id, clock.now())) ?? []
  if (secrets.length === 0) throw new Error(`the secrets of ${id} cannot be opened with the key in use`)
  const startedMs = clock.monotonicMs()
  const sent = await callWebhook(
    { http, clock },
    {
      receiver: { url: url, secrets },
      event: {
        specversion: '1.0',
        id: `ping_${chance.token(12)}`,
        source: '/systems/crossdock/subscriptions',
        type: `${words.typePrefix}.subscriptions.subscription.pinged.v1`,
        subject: id,
        time: clock.now().toISOString(),
        datacontenttype: 'application/json',
        partitionkey: id,
        sequence: '0000000000',
        company: '*',
        correlationid: id,
        dataversion: '1',
        data: { subscription: id },
      },
      signal,
      mayStillSend: () => true,
    },
  )
  const tookMs = Math.round(clock.monotonicMs() - startedMs)
  const { outcome, status, cause } = sent
  return {
    delivered: outcome === 'delivered',
    tookMs,
    ...(status === undefined ? {} : { status }),
    ...(cause === undefined ? {} : { cause }),
  }
}

export async function replay(
  tx: Transaction,
  { id, cursor }: store.Subscription,
  asked: z.output<typeof ReplayRequest>,
  now: Date,
): Promise<{ cursor: string; deadLetters: number }> {
  if ('deadLetters' in asked) {
    const deadLetters = await store.replayDeadLetters(tx, id, now)
    await closeExceptions(tx, [causeOfDeadLetters(id)], 'its dead letters are sent again')
    return { cursor: cursorText(cursor), deadLetters }
  }
  const wanted = await positionOf(tx, asked)
  if (compareCursors(wanted, cursor) > 0)
    throw new Refusal('subscriptions.position_ahead', `${id} has only been read up to ${cursorText(cursor)}`)
  store.moveSubscription(tx, id, wanted, now)
  if ((await deadLettersOf(tx, id, { limit: 1 })).length === 0)
    await closeExceptions(tx, [causeOfDeadLetters(id)], 'its dead letters are sent again')
  return { cursor: cursorText(wanted), deadLetters: 0 }
}

const positionOf = async (
  tx: Transaction,
  asked: { readonly after: string } | { readonly since: string },
): Promise<Cursor> =>
  'after' in asked ? cursorOf(asked.after, '/after') : positionAtTime(tx, new Date(asked.since))

const unknown = (id: string): Refusal =>
  new Refusal('subscriptions.not_found', `there is no subscription ${id}`, { id })

/** A partner sees its own only. */
const isOf = ({ partner }: Asker['principal'], known: store.Subscription): boolean =>
  partner === undefined || partner === known.partner

export async function lockedFor(
  tx: Transaction,
  id: string,
  principal: Asker['principal'],
): Promise<store.Subscription> {
  const known = await store.lockSubscription(tx, id)
  if (!known || !isOf(principal, known)) throw unknown(id)
  return known
}

export async function knownFor(
  queries: Queries,
  id: string,
  principal: Asker['principal'],
): Promise<store.Subscription> {
  const known = await store.findSubscription(queries, id)
  if (!known || !isOf(principal, known)) throw unknown(id)
  return known
}

export async function viewFor(
  queries: Queries,
  id: string,
  principal: Asker['principal'],
): Promise<SubscriptionView> {
  const known = await knownFor(queries, id, principal)
  return viewOf(known, (await undeliveredOf(queries, [id])).get(id))
}

export function viewOf(row: store.Subscription, undelivered: Undelivered | undefined): SubscriptionView {
  const { id, version, name, url, owner, types, domains, companies, payload, client, state, failures } = row
  return {
    id,
    version,
    name,
    url,
    owner,
    types: [...types],
    domains: [...domains],
    companies: [...companies],
    payload,
    client,
    state,
    failures,
    ...(row.partner === null ? {} : { partner: row.partner }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    cursor: cursorText(row.cursor),
    waiting: undelivered?.waiting ?? 0,
    deadLetters: undelivered?.dead ?? 0,
    ...(row.succeededAt === null ? {} : { lastDeliveredAt: row.succeededAt.toISOString() }),
    createdAt: row.createdAt.toISOString(),
  }
}

type Act = {
  readonly id: string
  readonly action: string
  readonly reason?: string
  readonly before?: object
  readonly after?: object
}

export const audit = (
  tx: Transaction,
  { principal, trace }: Asker,
  { id, action, reason, before, after }: Act,
): void =>
  recordAudit(tx, [
    {
      actor: principal.client,
      action: `subscriptions.${action}`,
      kind: 'subscription',
      reason,
      before,
      after: { subscription: id, ...after },
      traceId: trace?.traceId,
    },
  ])
