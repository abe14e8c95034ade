/** Subscribers without a network: a log, receivers that answer as a test says, and a clock that stands still. */
import { createHmac } from 'node:crypto'
import { exceptionOpener } from '#platform/exceptions.ts'
import { Answer, type HttpClient, type HttpRequest } from '#platform/http-client.ts'
import { systemChance } from '#platform/ids.ts'
import { headOfLog } from '#platform/log.ts'
import { secretBox } from '#platform/secret-box.ts'
import { newWebhookSecret } from '#platform/standard-webhooks.ts'
import { addSecret } from '#platform/subscription-secrets.ts'
import {
  createSubscription,
  findSubscription,
  type NewSubscription,
  type Subscription,
} from '#platform/subscriptions.ts'
import { takeSubscriptionTurns } from '#platform/subscription-turns.ts'
import { deliverTurn, type DeliveryPorts } from '#platform/webhook-turn.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { settledLog } from '#tests/support/settled-log.ts'

export type Message = {
  readonly url: string
  readonly id: string
  readonly timestamp: number
  readonly signatures: readonly string[]
  readonly text: string
  readonly event: { readonly type: string; readonly subject: string; readonly data: Record<string, unknown> }
}

type Reply = number | { readonly status: number; readonly headers: Readonly<Record<string, string>> } | Error

export type WebhookWorld = {
  readonly open: OpenDatabase
  readonly clock: FakeClock
  readonly ports: DeliveryPorts
  /** Everything that any receiver was sent, in its order. */
  readonly sent: Message[]
  /** What receivers answer from now on. */
  answer: (message: Message) => Reply | Promise<Reply>
  subscribe(settings?: Partial<NewSubscription>): Promise<{ id: string; secret: string }>
  /** A row in the log, in a transaction of its own. */
  append(
    company: string,
    key: number,
    version: number,
    more?: { type?: string; data?: object },
  ): Promise<void>
  /** A process that lives, by its epoch. */
  process(): Promise<number>
  /** Every turn that is due, one round of each; answers how many there were. */
  round(holder?: number): Promise<number>
  /** Rounds until nothing is due. */
  deliver(holder?: number): Promise<void>
  find(id: string): Promise<Subscription>
  end(): Promise<void>
}

const everyDay = Object.fromEntries(
  ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [{ from: '00:00', to: '24:00' }]]),
)

export async function webhookWorld(): Promise<WebhookWorld> {
  const { businessCalendar } = await import('#platform/calendars.ts')
  const clock = fakeClock()
  const open = await openTestDatabase()
  const { database } = open
  const box = secretBox('the key of this world', systemChance)
  const sent: Message[] = []
  const calendar = businessCalendar({
    timeZone: 'UTC',
    week: everyDay,
    holidays: [],
    specialDays: {},
    cutOffs: [],
  })
  const http: HttpClient = {
    async request(request) {
      const message = messageIn(request)
      sent.push(message)
      const reply = await world.answer(message)
      if (reply instanceof Error) throw reply
      const { status, headers } = typeof reply === 'number' ? { status: reply, headers: {} } : reply
      return new Answer(request.url, status, headers, Buffer.alloc(0))
    },
  }
  let nobody: number | undefined
  const world: WebhookWorld = {
    open,
    clock,
    sent,
    answer: () => 204,
    ports: {
      database,
      clock,
      http,
      random: () => 0,
      box,
      words: {
        typePrefix: 'com.example',
        root: 'crate',
        domains: { crate: 'storage', lid: 'storage' },
        numberOf: (object, doc) => `${object}-${doc}`,
      },
      visible: async (_, partner, events) =>
        new Set(events.filter(({ data }) => (data as { partner?: string }).partner === partner)),
      openExceptions: exceptionOpener({
        rules: [],
        otherwise: { owner: 'operations', severity: 'normal', dueBusinessHours: 8 },
        calendarOf: () => calendar,
      }),
      onAttempt: () => undefined,
    },
    async subscribe(settings = {}) {
      const id = `sub_${systemChance.token(12)}`
      const secret = newWebhookSecret(systemChance)
      await settledLog(open.database)
      const cursor = await headOfLog(database)
      await database.transaction(async (tx) => {
        createSubscription(
          tx,
          {
            id,
            name: 'Dashboard',
            url: `https://${id}.example.com/hook`,
            client: 'tests',
            partner: undefined,
            owner: 'dashboards',
            types: [],
            domains: [],
            companies: [],
            payload: 'thin',
            cursor,
            ...settings,
          },
          clock.now(),
        )
        addSecret(tx, box, { subscription: id, secret, now: clock.now() })
      })
      return { id, secret }
    },
    async append(company, key, version, { type = 'crate.packed', data = {} } = {}) {
      await open.run(
        `insert into log.event (type, key, key_version, company, correlation_id, data, source, actor)
         values ($1, $2, $3, $4, $2, $5, 'test', 'test')`,
        [type, key, version, company, JSON.stringify(data)],
      )
    },
    async process() {
      const [row] = await open.run<{ epoch: number }>(
        `insert into desk.node (name) values ('test') returning epoch`,
      )
      return row!.epoch
    },
    async round(holder) {
      await settledLog(open.database)
      const mine = holder ?? (nobody ??= await world.process())
      const head = await headOfLog(database)
      const taken = await takeSubscriptionTurns(database, { holder: mine, now: clock.now(), busy: [], head })
      const { signal } = new AbortController()
      for (const subscription of taken)
        await deliverTurn(world.ports, { subscription, holder: mine, isMine: () => true, signal })
      return taken.length
    },
    async deliver(holder) {
      let rounds = 0
      while ((await world.round(holder)) > 0)
        if (++rounds > 100) throw new Error('a hundred rounds and still something is due')
    },
    async find(id) {
      return (await findSubscription(database, id))!
    },
    end: () => open.end(),
  }
  return world
}

function messageIn({ url, headers = {}, body }: HttpRequest): Message {
  const text = String(body)
  return {
    url,
    id: headers['webhook-id']!,
    timestamp: Number(headers['webhook-timestamp']),
    signatures: headers['webhook-signature']!.split(' '),
    text,
    event: JSON.parse(text) as Message['event'],
  }
}

/** As a receiver checks it. */
export function isSignedBy({ id, timestamp, signatures, text }: Message, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64')
  return signatures.includes(`v1,${expected}`)
}

/** Companies of a test's own, so that it hears of nobody else's events. */
export function openPlaces(world: () => WebhookWorld) {
  let places = 0
  let here = ''
  const place = (): string => (here = `place-${++places}`)
  const keyOf = (number: number): number => places * 1_000 + number
  return {
    place,
    /** The company of the newest subscription. */
    company: () => here,
    keyOf,
    append: (number: number, version = 1, more?: { type?: string; data?: object }) =>
      world().append(here, keyOf(number), version, more),
    subscribe: (settings = {}) => world().subscribe({ companies: [place()], ...settings }),
    idsSent: (): string[] => world().sent.map(({ id }) => id),
    idOf: (number: number, version = 1): string => `evt_${keyOf(number)}_${version}`,
    inTx: (work: Parameters<WebhookWorld['open']['database']['transaction']>[0]) =>
      world().open.database.transaction(work),
  }
}
