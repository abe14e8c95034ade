/** Bugs that are planted into what a program does when it is told to stop. */
import type { Bug } from './bug.ts'

const RUNNER = 'src/platform/runner.ts'

/** Told to stop while calls are under way. */
const CALLING = {
  kinds: ['stop'],
  shares: { stop: 0.2 },
  places: { stop: 'call' },
  programs: ['all', 'all'],
  orders: 4,
} as const

export const STOP_BUGS: readonly Bug[] = [
  {
    name: 'who stops does not wait for what is under way',
    file: RUNNER,
    find: `if (how === 'drain') await this.#drain()`,
    replace: '',
    world: CALLING,
  },
  {
    name: 'who stops does not wait for transactions that wake documents',
    file: RUNNER,
    find: 'return this.owned === 0 && this.#underWay === 0',
    replace: 'return this.owned === 0',
    world: {
      kinds: ['stop', 'webhook-lost'],
      shares: { stop: 0.3, 'webhook-lost': 0.6 },
      places: { stop: 'desk.wake' },
      programs: ['all', 'all'],
      orders: 6,
      drowsy: [1, 1],
      peaceAfterMs: 40_000,
    },
  },
  {
    name: 'who stops keeps its lease',
    file: 'src/platform/worker.ts',
    find: `    await this.#lease?.release()\n    await this.#ended\n`,
    replace: `    await this.#ended\n`,
    world: CALLING,
  },
]
