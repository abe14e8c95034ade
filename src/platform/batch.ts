/**
 * The one batcher: a batch is whatever arrived while the previous one was being committed. Used by the doors, by the
 * desk and by the outcomes of effects. At light load nothing waits, and at saturation nothing has to: in between a door
 * may rest after a short batch, so that the same work is done in fewer transactions and leaves more of the machine to others.
 */
import type { Clock } from './clock.ts'
import { Refusal } from './faults.ts'

export type Door<Item, Answer> = {
  /** Resolves with the answer to this item alone; rejects with its own failure, never a neighbour's. */
  add(item: Item, share?: string): Promise<Answer>
  /** Refuses while more waits than may; for those who bring what they can bring again. */
  assertRoom(): void
  /** What is waiting or under way. */
  readonly size: number
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>
}

/** Lets one through at a time, in the order of coming. */
export interface Turnstile {
  /** Resolves when it is the caller's turn; the answer ends it. */
  enter(): Promise<() => void>
}

export function createTurnstile(): Turnstile {
  let last: Promise<void> = Promise.resolve()
  return {
    async enter() {
      const before = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = promise
      await before
      return resolve
    },
  }
}

export type DoorOptions<Item, Answer> = {
  readonly clock: Clock
  readonly batchMax: number
  /** With so many batches waiting there is no room: who comes next would have left before its answer. */
  readonly batchesWaitingMax?: number
  /** After a batch of several items that was far from full. */
  readonly restMs?: number
  /** Doors that share one take turns, so that their transactions do not wait for each other's locks. */
  readonly turnstile?: Turnstile
  /** Awaited before a batch is taken: what arrives meanwhile joins it. */
  ready?(): Promise<void>
  /** Answers by item, so that no answer can be handed to a neighbour. A missing answer is a bug of `run`. */
  run(items: readonly Item[]): Promise<ReadonlyMap<Item, Answer>>
  /** Whether a failure may be one item's fault, so that halves are tried apart; an outage is everybody's. */
  bisects?(error: unknown): boolean
  readonly onBisect?: () => void
}

/** For work on whose answer nobody waits. */
export const REST_MS = 10

const RETRY_AFTER_MS = 5_000
/** As a share of a full batch; a longer one costs little more than its items do. */
const SHORT = 1 / 4

type Waiting<Item, Answer> = {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

export function createDoor<Item, Answer>(options: DoorOptions<Item, Answer>): Door<Item, Answer> {
  const { clock, batchMax, batchesWaitingMax = Number.POSITIVE_INFINITY } = options
  const rest = restOf(options)
  const waitingMax = batchMax * batchesWaitingMax
  const queues = new Map<string, Waiting<Item, Answer>[]>()
  let [waiting, running] = [0, 0]
  let whenIdle: (() => void)[] = []

  /** One from each share in turn, so that a file of 5,000 lines does not starve a neighbour with one. */
  function takeBatch(): Waiting<Item, Answer>[] {
    const batch: Waiting<Item, Answer>[] = []
    for (const [share, queue] of queues) {
      batch.push(queue.shift()!)
      // To the end of the row, where this very loop comes by again.
      queues.delete(share)
      if (queue.length > 0) queues.set(share, queue)
      if (batch.length === batchMax) break
    }
    waiting -= batch.length
    return batch
  }

  async function flush(): Promise<void> {
    while (waiting > 0) {
      await rest.over()
      await options.ready?.()
      const leave = await options.turnstile?.enter()
      const batch = takeBatch()
      running = batch.length
      await runBatch(options, batch)
      running = 0
      leave?.()
      rest.after(batch.length)
    }
    const resolved = whenIdle
    whenIdle = []
    for (const resolve of resolved) resolve()
  }

  let flushing = false
  function start(): void {
    if (flushing) return
    flushing = true
    clock.soon(() => {
      void flush().finally(() => {
        flushing = false
        if (waiting > 0) start()
      })
    })
  }

  return {
    add: (item, share = '') =>
      new Promise((resolve, reject) => {
        const queue = queues.get(share)
        if (queue) queue.push({ item, resolve, reject })
        else queues.set(share, [{ item, resolve, reject }])
        waiting++
        start()
      }),
    assertRoom() {
      if (waiting >= waitingMax) throw noRoom(waiting)
    },
    get size() {
      return waiting + running
    },
    idle: () =>
      waiting + running === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve)),
  }
}

function restOf({
  clock,
  batchMax,
  restMs = 0,
}: Pick<DoorOptions<never, never>, 'clock' | 'batchMax' | 'restMs'>) {
  let untilMs = 0
  return {
    after(size: number): void {
      if (size > 1 && size < batchMax * SHORT) untilMs = clock.monotonicMs() + restMs
    },
    async over(): Promise<void> {
      const leftMs = untilMs - clock.monotonicMs()
      if (leftMs > 0) await clock.sleep(leftMs)
    },
  }
}

const noRoom = (waiting: number): Refusal =>
  new Refusal('work.door_full', `${waiting} wait at this door for their answers.`, {
    retryAfterMs: RETRY_AFTER_MS,
  })

async function runBatch<Item, Answer>(
  options: DoorOptions<Item, Answer>,
  batch: readonly Waiting<Item, Answer>[],
): Promise<void> {
  try {
    const answers = await options.run(batch.map((waiting) => waiting.item))
    for (const { item, resolve, reject } of batch) {
      if (answers.has(item)) resolve(answers.get(item) as Answer)
      else reject(new Error('the batch was committed without an answer to one of its items'))
    }
  } catch (error) {
    if (batch.length === 1 || options.bisects?.(error) === false) {
      for (const { reject } of batch) reject(error)
      return
    }
    options.onBisect?.()
    const middle = batch.length >> 1
    await runBatch(options, batch.slice(0, middle))
    await runBatch(options, batch.slice(middle))
  }
}
