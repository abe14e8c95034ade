/**
 * One turn at a subscription: what is due of it is sent, each document's events one after the other, and what came of it
 * is written down at the end. Whatever dies before that is sent again under the same ids.
 */
import type { EventWords } from './cloud-events.ts'
import type { Clock } from './clock.ts'
import type { Database, Queries, Transaction } from './database.ts'
import type { OpenExceptions } from './exceptions.ts'
import type { HttpClient } from './http-client.ts'
import type { Cursor, RecordedEvent } from './log.ts'
import { eventsNamed, readBatch } from './log-batches.ts'
import type { SecretBox } from './secret-box.ts'
import { wants } from './subscription-filter.ts'
import type { Subscription } from './subscriptions.ts'
import { secretsOf } from './subscription-secrets.ts'
import {
  type Attempt,
  endSubscriptionTurn,
  type Kept,
  type Waiting,
  waitingOf,
} from './subscription-turns.ts'
import { callWebhook, messageOf } from './webhook-call.ts'
import { afterFailure, pauseMs, type Plan } from './webhook-retries.ts'

/** Which of these events a partner may see. */
export type Visible = (
  queries: Queries,
  partner: string,
  events: readonly RecordedEvent[],
) => Promise<ReadonlySet<RecordedEvent>>

export type DeliveryPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly http: HttpClient
  readonly random: () => number
  readonly box: SecretBox
  readonly words: EventWords
  readonly visible: Visible
  readonly openExceptions: OpenExceptions
  readonly onAttempt: (outcome: Attempt['outcome']) => void
}

export type Turn = {
  readonly subscription: Subscription
  readonly holder: number
  /** False once another process may have taken over. */
  readonly isMine: () => boolean
  /** Aborts when the house stops. */
  readonly signal: AbortSignal
}

/** With so many undelivered the log is not read on: it is the queue. */
const WINDOW = 100
/** As many windows are read on in a turn where little of them is wanted. */
const WINDOWS = 10
/** Documents of one subscription that are told at once. */
const LANES = 8
const TURN_MS = 10_000
/** Failures in a row, whatever they are, after which the receiver is left alone. */
const FAILURES_IN_A_ROW = 5
/** After more than one failure in a row a success means that the receiver was away and is back. */
const AWAY_FAILURES = 2
const NOBODY = '*'

type Message = {
  readonly event: RecordedEvent
  attempts: number
  dueAt: Date
  firstFailedAt: Date | null
  lastFailedAt: Date | null
  cause: string | null
  state: 'waiting' | 'delivered' | 'dead'
}

/** True where there is more to do at once. */
export async function deliverTurn(ports: DeliveryPorts, turn: Turn): Promise<boolean> {
  const { database, box, clock } = ports
  const { subscription, holder } = turn
  const secrets = await secretsOf(database, box, subscription.id, clock.now())
  const work = await gather(ports, subscription)
  const round = new Round(ports, turn, secrets ?? [])
  if (secrets) await round.run(queuesOf(work.messages))
  else round.stop = 'its secret cannot be opened: it was sealed under another subscriptions.secretKey'
  const kept = keptOf(work.messages)
  const dueAt = round.dueAt(kept)
  const isEnded = await endSubscriptionTurn(
    database,
    {
      subscription,
      holder,
      attempts: round.attempts,
      delivered: [...work.lost, ...work.messages.filter((one) => one.state === 'delivered').map(nameOf)],
      kept,
      cursor: work.end,
      failures: round.failures,
      succeededAt: round.succeededAt,
      dueAt,
      leaveAloneUntil: round.leaveAloneUntil,
      ...(round.isBack ? { revivedAt: clock.now() } : {}),
      stop: round.stop,
    },
    (tx, { isMoved }) =>
      tellPeople(tx, ports, subscription, {
        dead: isMoved ? [] : work.messages.filter(isDead),
        stop: round.stop,
      }),
  )
  for (const { outcome } of round.attempts) ports.onAttempt(outcome)
  const isMore = work.isMore || work.messages.length > 0
  return isEnded && round.stop === undefined && dueAt <= clock.now() && isMore
}

const nameOf = ({ event: { key, keyVersion } }: Message) => ({ key, keyVersion })
const isDead = ({ state }: Message): boolean => state === 'dead'

type Read = {
  readonly wanted: readonly RecordedEvent[]
  readonly end: Cursor
  /** The log went on where it was read no further. */
  readonly isMore: boolean
}

type Work = Omit<Read, 'wanted'> & {
  readonly messages: readonly Message[]
  /** Waited for so long that they have left the log. */
  readonly lost: readonly Waiting[]
}

async function gather(ports: DeliveryPorts, of: Subscription): Promise<Work> {
  const { database, clock } = ports
  const waiting = await waitingOf(database, of.id)
  const [{ wanted, ...read }, known] = await Promise.all([
    waiting.length < WINDOW ? readOn(ports, of) : { wanted: [], end: of.cursor, isMore: false },
    eventsNamed(database, waiting),
  ])
  const byName = new Map(known.map((event) => [`${event.key}.${event.keyVersion}`, event]))
  const eventOf = ({ key, keyVersion }: Waiting) => byName.get(`${key}.${keyVersion}`)
  const fresh = { attempts: 0, dueAt: clock.now(), firstFailedAt: null }
  return {
    ...read,
    lost: waiting.filter((row) => !eventOf(row)),
    messages: [
      ...waiting.flatMap((row) => messageFor(eventOf(row), row)),
      ...wanted.flatMap((event) => messageFor(event, fresh)),
    ],
  }
}

/** Window after window, until one is not full, enough is wanted, or a turn's share of the log is read. */
async function readOn({ database, words, visible }: DeliveryPorts, of: Subscription): Promise<Read> {
  const wanted: RecordedEvent[] = []
  let end = of.cursor
  let isMore = true
  for (let windows = 0; windows < WINDOWS && isMore && wanted.length < WINDOW; windows++) {
    const batch = await readBatch(database, end, WINDOW)
    const filtered = batch.events.flatMap(({ event }) => (wants(words, of, event) ? [event] : []))
    const seen = of.partner === null ? undefined : await visible(database, of.partner, filtered)
    wanted.push(...filtered.filter((event) => seen?.has(event) ?? true))
    end = batch.end
    isMore = batch.events.length >= WINDOW
  }
  return { wanted, end, isMore }
}

type Standing = Pick<Waiting, 'attempts' | 'dueAt' | 'firstFailedAt'>

const messageFor = (
  event: RecordedEvent | undefined,
  { attempts, dueAt, firstFailedAt }: Standing,
): Message[] =>
  event
    ? [{ event, attempts, dueAt, firstFailedAt, lastFailedAt: firstFailedAt, cause: null, state: 'waiting' }]
    : []

/** A queue for each document, those first that have failed least: one that always fails keeps nobody from a try. */
const queuesOf = (messages: readonly Message[]): Message[][] =>
  [...Map.groupBy(messages, ({ event }) => event.key).values()]
    .map((own) => own.toSorted((a, b) => a.event.keyVersion - b.event.keyVersion))
    .toSorted((a, b) => a[0]!.attempts - b[0]!.attempts)

/** What waits behind another event of its document is not due before that one. */
function keptOf(messages: readonly Message[]): Kept[] {
  return queuesOf(messages).flatMap((queue) => {
    let notBefore = 0
    return queue.flatMap(({ event, state, ...rest }) => {
      if (state === 'delivered') return []
      const { key, keyVersion, type, cursor } = event
      if (state === 'waiting') notBefore = Math.max(notBefore, rest.dueAt.getTime())
      return [{ key, keyVersion, type, cursor, state, ...rest, dueAt: new Date(notBefore || rest.dueAt) }]
    })
  })
}

class Round {
  readonly attempts: Attempt[] = []
  failures: number
  succeededAt: Date | null
  isBack = false
  /** It stops by itself, for this reason. */
  stop: string | undefined
  readonly #ports: DeliveryPorts
  readonly #turn: Turn
  readonly #secrets: readonly string[]
  #pausedUntil: Date | undefined
  /** As its receiver asked itself. */
  #askedUntil: Date | undefined
  #isOver = false

  constructor(ports: DeliveryPorts, turn: Turn, secrets: readonly string[]) {
    this.#ports = ports
    this.#turn = turn
    this.#secrets = secrets
    this.failures = turn.subscription.failures
    this.succeededAt = turn.subscription.succeededAt
  }

  /** A receiver that failed the last time is tried with one message before it is sent more. */
  async run(queues: Message[][]): Promise<void> {
    const untilMs = this.#ports.clock.monotonicMs() + TURN_MS
    const lanes = this.failures > 0 ? 1 : LANES
    const lane = async (): Promise<void> => {
      for (let queue = queues.shift(); queue; queue = queues.shift()) {
        for (const message of queue) if (!(await this.#send(message, untilMs))) break
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  /** What is taken after a failure says that the receiver is back, but not that it may be called before it said. */
  get leaveAloneUntil(): Date | undefined {
    return this.#isBackAtLast ? this.#askedUntil : this.#pausedUntil
  }

  get #isBackAtLast(): boolean {
    return this.isBack && this.failures === 0
  }

  /** When there is something to do again. */
  dueAt(kept: readonly Kept[]): Date {
    const now = this.#ports.clock.now()
    if (this.leaveAloneUntil) return this.leaveAloneUntil
    if (this.#isBackAtLast) return now
    const waiting = kept.filter((row) => row.state === 'waiting')
    if (waiting.length < WINDOW) return now
    return new Date(Math.min(...waiting.map((row) => row.dueAt.getTime())))
  }

  /** True where the next event of the document may follow. */
  async #send(message: Message, untilMs: number): Promise<boolean> {
    const { clock } = this.#ports
    const at = clock.now()
    const isLate = clock.monotonicMs() >= untilMs || this.#turn.signal.aborted
    if (this.#isOver || isLate || message.dueAt > at) return false
    const startedMs = clock.monotonicMs()
    const sent = await this.#call(message)
    if (sent.outcome === 'interrupted') {
      this.#isOver = true
      return false
    }
    const { key, keyVersion, type } = message.event
    this.attempts.push({
      key,
      keyVersion,
      type,
      number: message.attempts + 1,
      at,
      tookMs: Math.round(clock.monotonicMs() - startedMs),
      outcome: sent.outcome === 'delivered' ? 'delivered' : 'failed',
      status: sent.status,
      cause: sent.cause,
    })
    if (sent.outcome === 'delivered') return this.#delivered(message, at)
    if (sent.outcome === 'gone') return this.#stopFor('its receiver answered 410 Gone')
    return this.#failed(message, at, sent)
  }

  #call({ event }: Message): ReturnType<typeof callWebhook> {
    const { subscription, signal, isMine } = this.#turn
    return callWebhook(this.#ports, {
      receiver: { url: subscription.url, secrets: this.#secrets },
      event: messageOf(this.#ports.words, event, subscription.payload),
      signal,
      mayStillSend: isMine,
    })
  }

  #delivered(message: Message, at: Date): boolean {
    message.state = 'delivered'
    if (this.failures >= AWAY_FAILURES) this.isBack = true
    this.failures = 0
    this.succeededAt = at
    return true
  }

  #failed(
    message: Message,
    at: Date,
    sent: Pick<Plan, 'retryAfterMs'> & { isAway: boolean; cause?: string },
  ): boolean {
    const { random, clock } = this.#ports
    const nowMs = clock.now().getTime()
    this.failures += 1
    message.attempts += 1
    message.firstFailedAt ??= at
    message.lastFailedAt = at
    message.cause = sent.cause ?? null
    const { retryAfterMs } = sent
    if (sent.isAway || this.failures >= FAILURES_IN_A_ROW) {
      const isFirst = this.#turn.subscription.failures === 0
      const waitMs = pauseMs({ attempts: isFirst ? 1 : 2, retryAfterMs, random })
      this.#pausedUntil = laterOf(this.#pausedUntil, nowMs + waitMs)
      if (retryAfterMs !== undefined) this.#askedUntil = laterOf(this.#askedUntil, nowMs + retryAfterMs)
      this.#isOver = true
    }
    const waitMs = afterFailure({ attempts: message.attempts, retryAfterMs, random })
    if (waitMs !== undefined) {
      message.dueAt = new Date(nowMs + waitMs)
      return false
    }
    if (this.succeededAt === null || this.succeededAt < message.firstFailedAt)
      return this.#stopFor('nothing was taken since the first of ten attempts failed')
    message.state = 'dead'
    return true
  }

  #stopFor(reason: string): false {
    this.stop = reason
    this.#isOver = true
    return false
  }
}

/** Of several that are called at once the one that asks for most counts. */
const laterOf = (one: Date | undefined, otherMs: number): Date =>
  new Date(Math.max(one?.getTime() ?? 0, otherMs))

type News = { readonly dead: readonly Message[]; readonly stop: string | undefined }

export const causeOfDeadLetters = (id: string) => ({
  company: NOBODY,
  cause: `subscriptions.dead_letter:${id}`,
})
export const causeOfStop = (id: string) => ({ company: NOBODY, cause: `subscriptions.stopped:${id}` })

async function tellPeople(
  tx: Transaction,
  { openExceptions }: DeliveryPorts,
  { id, name, owner }: Subscription,
  { dead, stop }: News,
): Promise<void> {
  await openExceptions(tx, [
    ...dead.map(({ event, cause }) => ({
      ...causeOfDeadLetters(id),
      code: 'subscriptions.dead_letter',
      title: `"${name}" does not take some of its events`,
      suggestedAction: `Ask the receiver why (${cause}), then replay its dead letters: crossdock subscriptions replay ${id} --dead-letters`,
      owner,
      affects: { doc: event.key, kind: event.type.slice(0, event.type.indexOf('.')) },
    })),
    ...(stop === undefined
      ? []
      : [
          {
            ...causeOfStop(id),
            code: 'subscriptions.stopped',
            title: `"${name}" is told nothing any more`,
            suggestedAction: `It stopped because ${stop}. Have the receiver mended, then resume the subscription: crossdock subscriptions resume ${id}. It goes on where it stood.`,
            owner,
          },
        ]),
  ])
}
