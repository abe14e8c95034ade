/** Bugs that are planted into what subscribers are told. */
import type { Bug } from './bug.ts'

const CALL = 'src/platform/webhook-call.ts'
const TURN = 'src/platform/webhook-turn.ts'
const TURNS = 'src/platform/subscription-turns.ts'
const TOLD = { subscribers: 2, orders: 4, programs: ['all', 'all'] } as const

export const SUBSCRIBER_BUGS: readonly Bug[] = [
  {
    name: 'the position of a subscriber moves on without what he did not take',
    file: TURNS,
    find: 'if (kept.length > 0) tx.send(keep, [id, ...keptColumns(kept)])',
    replace: '',
    world: { ...TOLD, kinds: ['subscriber-error'] },
  },
  {
    name: 'the position of a subscriber is what he wanted last',
    file: TURN,
    find: '    end = batch.end\n',
    replace: '    end = filtered.at(-1)?.cursor ?? end\n',
    world: { ...TOLD, kinds: [] },
  },
  {
    name: 'a subscriber is told events of a document side by side',
    file: TURN,
    find: 'Map.groupBy(messages, ({ event }) => event.key)',
    replace: 'Map.groupBy(messages, ({ event }) => `${event.key}.${event.keyVersion}`)',
    world: { ...TOLD, kinds: ['subscriber-error'] },
  },
  {
    name: 'what a dead process was telling a subscriber is told by nobody',
    file: TURNS,
    find: `or not exists (select from desk.node n where n.epoch = c.holder and not n.dead))`,
    replace: `or c.holder < 0)`,
    world: { ...TOLD, kinds: ['crash'], shares: { crash: 0.3 }, places: { crash: 'subscriber' } },
  },
  {
    name: 'a subscriber that asks to be left alone is not',
    file: CALL,
    find: '...(isAway ? { retryAfterMs: waitMs } : {})',
    replace: '',
    world: { ...TOLD, kinds: ['subscriber-busy'], shares: { 'subscriber-busy': 0.3 } },
  },
  {
    name: 'what a subscriber asked for is forgotten when it answers another call',
    file: TURN,
    find: 'return this.#isBackAtLast ? this.#askedUntil : this.#pausedUntil',
    replace: 'return this.failures === 0 ? undefined : this.#pausedUntil',
    world: { ...TOLD, kinds: ['subscriber-busy'], shares: { 'subscriber-busy': 0.3 } },
  },
  {
    name: 'what a subscriber asked for is forgotten when a person moves its position',
    file: TURNS,
    find: 'due_at = greatest(due_at, $5::timestamptz)',
    replace: 'due_at = coalesce(due_at, $5::timestamptz)',
    world: {
      ...TOLD,
      kinds: ['subscriber-busy', 'answer-slow'],
      shares: { 'subscriber-busy': 0.4, 'answer-slow': 0.6 },
    },
  },
  {
    name: 'who stood still tells a subscriber what others have told it meanwhile',
    file: 'src/app-subscriptions.ts',
    find: 'worker.life?.mayStillSend() ? worker.life.epoch : undefined',
    replace: 'worker.life?.epoch',
    world: {
      ...TOLD,
      peaceAfterMs: 30_000,
      drowsy: [1, 1],
      kinds: ['subscriber-busy', 'zombie'],
      shares: { 'subscriber-busy': 0.5, zombie: 0.3 },
      places: { zombie: 'subscriptions.waiting' },
    },
  },
  {
    name: 'a subscriber that is gone is told on',
    file: TURN,
    find: `if (sent.outcome === 'gone') return`,
    replace: `if (sent.outcome === 'gone' && this.failures < 0) return`,
    world: { ...TOLD, kinds: ['subscriber-gone'] },
  },
  {
    name: 'a subscription that stops is left to nobody',
    file: TURN,
    find: '...(stop === undefined',
    replace: '...(stop !== undefined',
    world: { ...TOLD, kinds: ['subscriber-gone'] },
  },
  {
    name: 'a subscription that is resumed leaves out what it had not taken',
    file: 'src/platform/subscriptions.ts',
    find: 'tx.send(reviveWaiting, [id, now])',
    replace: 'tx.send(forgetBehind, [id, 0, 0, 0])',
    world: { ...TOLD, kinds: ['subscriber-gone'] },
  },
  {
    name: 'what a subscriber does not take to the end of the schedule is dropped',
    file: TURN,
    find: `message.state = 'dead'`,
    replace: `message.state = 'delivered'`,
    world: { ...TOLD, kinds: ['subscriber-refuses'] },
  },
  {
    name: 'a dead letter is given up before its schedule ends',
    file: 'src/platform/webhook-retries.ts',
    find: '  24 * HOUR_MS,\n',
    replace: '',
    world: { ...TOLD, kinds: ['subscriber-refuses'] },
  },
  {
    name: 'dead letters that a person sends again are only taken off the list',
    file: 'src/platform/subscriptions.ts',
    find: `  \`update subscription.delivery set state = 'waiting', attempts = 0, due_at = $2, first_failed_at = null
   where subscription = $1 and state = 'dead' returning key\`,`,
    replace: `  \`delete from subscription.delivery where subscription = $1 and state = 'dead' and $2::timestamptz is not null
   returning key\`,`,
    world: { ...TOLD, kinds: ['subscriber-refuses'] },
  },
]
