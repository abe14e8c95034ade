/** Bugs that are planted into what subscribers are told. */
import type { Bug } from './bug.ts'

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
]
