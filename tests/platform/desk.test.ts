import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database, Transaction } from '#platform/database.ts'
import {
  claimDocuments,
  type DeskRow,
  enrollDocuments,
  type Enrolled,
  finishDocuments,
  failuresBy,
  type Fault,
  isAnyDue,
  letGoDocuments,
  restartSteps,
  sleepDocuments,
  stepRowsOf,
  wakeDocuments,
  type Woken,
  writeStepRows,
} from '#platform/desk.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let house: OpenDatabase
let database: Database
beforeAll(async () => {
  house = await openTestDatabase()
  database = house.database
})
afterAll(() => house.end())
beforeEach(() => house.run('truncate desk.document, desk.step'))

const ME = 7
const OTHER = 8
const TOMORROW = new Date('2100-01-01T00:00:00Z')
const LONG_AGO = new Date('2020-01-01T00:00:00Z')

const row = (doc: number, overrides: Partial<Enrolled> = {}): Enrolled => ({
  doc,
  process: 'order-to-cash',
  company: 'north',
  priority: 2,
  share: 0,
  ...overrides,
})
const due = (doc: number, overrides: Partial<Enrolled> = {}): Enrolled =>
  row(doc, { sleepsUntil: LONG_AGO, ...overrides })
const enroll = (epoch: number, ...rows: Enrolled[]): Promise<void> =>
  database.transaction(async (tx) => enrollDocuments(tx, epoch, rows))
const wake = (epoch: number | null, ...docs: number[]): Promise<ReadonlyMap<number, Woken>> =>
  database.transaction((tx) =>
    wakeDocuments(
      tx,
      epoch,
      docs.map((doc): DeskRow => row(doc)),
    ),
  )
const sleep = (epoch: number, version: number, ...docs: number[]): Promise<number[]> =>
  database.transaction((tx) => sleepDocuments(tx, epoch, { docs, version, until: TOMORROW }))
const finish = (epoch: number, version: number, ...docs: number[]): Promise<number[]> =>
  database.transaction((tx) => finishDocuments(tx, epoch, { docs, version }))
const claim = async (epoch: number, limit = 100): Promise<number[]> =>
  (await claimDocuments(database, epoch, limit)).map(({ doc }) => doc)

type Found = { owner: number | null; version: number; due: boolean; failures: number }
const find = async (doc: number): Promise<Found | undefined> =>
  (
    await house.run<Found>(
      'select owner, version, due_at <= now() as due, failures from desk.document where doc = $1',
      [doc],
    )
  )[0]

describe('enrolling', () => {
  test('makes a document this process’s own, or puts it to sleep', async () => {
    await enroll(ME, row(1), row(2, { sleepsUntil: TOMORROW }))
    expect(await find(1)).toEqual({ owner: ME, version: 1, due: true, failures: 0 })
    expect(await find(2)).toEqual({ owner: null, version: 1, due: false, failures: 0 })
  })
})

describe('waking', () => {
  test('takes a document that nobody owns', async () => {
    await enroll(ME, row(1, { sleepsUntil: TOMORROW }))
    expect(await wake(ME, 1)).toEqual(new Map([[1, { version: 2, mine: true }]]))
    expect(await find(1)).toMatchObject({ owner: ME, version: 2, due: true })
  })

  test('leaves a document to its owner, also when that is this process, and raises its version', async () => {
    await enroll(ME, row(1))
    await enroll(OTHER, row(2))
    const answers = await wake(ME, 2, 1)
    expect(answers).toEqual(
      new Map([
        [1, { version: 2, mine: false }],
        [2, { version: 2, mine: false }],
      ]),
    )
    expect([(await find(1))?.owner, (await find(2))?.owner]).toEqual([ME, OTHER])
  })

  test('brings back a document that was finished', async () => {
    await enroll(ME, row(1))
    expect(await finish(ME, 1, 1)).toEqual([1])
    expect(await wake(ME, 1)).toEqual(new Map([[1, { version: 1, mine: true }]]))
    expect(await find(1)).toMatchObject({ owner: ME, due: true })
  })

  test('by a process that works on nothing leaves the document due for others', async () => {
    await enroll(ME, row(1, { sleepsUntil: TOMORROW }))
    expect(await wake(null, 1, 2)).toEqual(
      new Map([
        [1, { version: 2, mine: false }],
        [2, { version: 1, mine: false }],
      ]),
    )
    expect(await claim(ME)).toEqual([1, 2])
  })

  test('of the same document twice in one list is one wake-up', async () => {
    await enroll(OTHER, row(1))
    expect(await wake(ME, 1, 1)).toEqual(new Map([[1, { version: 2, mine: false }]]))
  })

  test('a finished document from two transactions at once gives it to exactly one of them', async () => {
    const firstWoke = Promise.withResolvers<void>()
    const secondLooked = Promise.withResolvers<void>()
    const wakes: Woken[] = []
    const first = database.transaction(async (tx) => {
      const answer = await wakeDocuments(tx, ME, [row(1)])
      firstWoke.resolve()
      await secondLooked.promise
      return answer
    })
    await firstWoke.promise
    // The second finds no row yet, then waits for the first's.
    const second = database.transaction((tx) => wakeDocuments(tx, ME, [row(1)]))
    await someoneWaits()
    secondLooked.resolve()
    for (const answer of await Promise.all([first, second])) wakes.push(answer.get(1)!)
    expect(wakes).toEqual([
      { version: 1, mine: true },
      { version: 2, mine: false },
    ])
  })

  test('a document that another brought back and left free meanwhile does not leave it to nobody', async () => {
    const first = await heldTransaction((tx) => wakeDocuments(tx, null, [row(1)]))
    const second = database.transaction((tx) => wakeDocuments(tx, ME, [row(1)]))
    await someoneWaits()
    await first.commit()
    expect((await second).get(1)).toEqual({ version: 2, mine: true })
    expect(await find(1)).toMatchObject({ owner: ME })
  })
})

/** A transaction that has done `work` and stays open until told. */
async function heldTransaction(
  work: (tx: Transaction) => Promise<unknown>,
): Promise<{ commit(): Promise<void> }> {
  const worked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const ended = database.transaction(async (tx) => {
    await work(tx)
    worked.resolve()
    await release.promise
  })
  await worked.promise
  return {
    commit() {
      release.resolve()
      return ended
    },
  }
}

/** Resolves when a session waits for a lock. */
async function someoneWaits(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await house.run(waiting)).length === 0);
}

describe('going to sleep, and leaving', () => {
  test('succeed where nothing changed since the facts were read', async () => {
    await enroll(ME, row(1), row(2))
    expect(await sleep(ME, 1, 1)).toEqual([1])
    expect(await finish(ME, 1, 2)).toEqual([2])
    expect(await find(1)).toEqual({ owner: null, version: 1, due: false, failures: 0 })
    expect(await find(2)).toBeUndefined()
  })

  test('are refused to those who do not own the document', async () => {
    await enroll(OTHER, row(1))
    expect([await sleep(ME, 1, 1), await finish(ME, 1, 1)]).toEqual([[], []])
    expect(await find(1)).toMatchObject({ owner: OTHER })
  })

  test('are refused after a wake-up, and only for the document that was woken', async () => {
    await enroll(ME, row(1), row(2), row(3), row(4))
    await wake(OTHER, 1, 3)
    expect(await sleep(ME, 1, 1, 2)).toEqual([2])
    expect(await finish(ME, 1, 3, 4)).toEqual([4])
    expect(await find(1)).toMatchObject({ owner: ME, version: 2, due: true })
    expect(await find(3)).toMatchObject({ owner: ME, version: 2, due: true })
  })

  test.each([
    ['sleep', sleepOne],
    ['finish', finishOne],
  ])('a wake-up that commits first wins over a %s that waits for it', async (_, rest) => {
    await enroll(ME, row(1))
    const waking = await heldTransaction((tx) => wakeDocuments(tx, OTHER, [row(1)]))
    const resting = database.transaction(rest)
    await someoneWaits()
    await waking.commit()
    expect(await resting).toEqual([])
    expect(await find(1)).toMatchObject({ owner: ME, version: 2, due: true })
  })

  test.each([
    ['sleep', sleepOne, 2],
    ['finish', finishOne, 1],
  ])('a wake-up that comes behind a %s takes the document', async (_, rest, version) => {
    await enroll(ME, row(1))
    const resting = await heldTransaction(rest)
    const waking = wake(OTHER, 1)
    await someoneWaits()
    await resting.commit()
    expect((await waking).get(1)).toEqual({ version, mine: true })
    expect(await find(1)).toMatchObject({ owner: OTHER, due: true })
  })

  async function sleepOne(tx: Transaction): Promise<number[]> {
    return sleepDocuments(tx, ME, { docs: [1], version: 1, until: TOMORROW })
  }
  async function finishOne(tx: Transaction): Promise<number[]> {
    return finishDocuments(tx, ME, { docs: [1], version: 1 })
  }
})

describe('claiming', () => {
  test('takes what is due and nobody’s, and nothing else', async () => {
    await enroll(OTHER, due(1), row(2), row(3, { sleepsUntil: TOMORROW }), due(4, { company: 'south' }))
    expect(await claimDocuments(database, ME, 10)).toEqual([
      { ...row(1), version: 1, failures: 0 },
      { ...row(4, { company: 'south' }), version: 1, failures: 0 },
    ])
    expect(await claim(ME)).toEqual([])
    expect((await find(2))?.owner).toBe(OTHER)
  })

  test('is worth while only where something is due and nobody’s', async () => {
    await enroll(OTHER, row(2), row(3, { sleepsUntil: TOMORROW }))
    expect(await isAnyDue(database)).toBe(false)
    await enroll(OTHER, due(1, { priority: 4 }))
    expect(await isAnyDue(database)).toBe(true)
    expect([await claim(ME), await isAnyDue(database)]).toEqual([[1], false])
  })

  test('serves a more urgent priority first, however long the others have been due', async () => {
    await enroll(ME, due(1, { priority: 4 }), due(2, { priority: 0, sleepsUntil: new Date('2021-01-01') }))
    expect([await claim(ME, 1), await claim(ME, 1)]).toEqual([[2], [1]])
  })

  test('serves shares of one priority in turns, and the longest due of each share first', async () => {
    const at = (minute: number): Date => new Date(LONG_AGO.getTime() + minute * 60_000)
    const file = [1, 2, 3, 4].map((doc) => due(doc, { share: 1, sleepsUntil: at(doc) }))
    const portal = [11, 12].map((doc) => due(doc, { share: 2, sleepsUntil: at(doc) }))
    await enroll(ME, ...file, ...portal)
    const claimed: number[][] = []
    for (let turn = 0; turn < 3; turn++) claimed.push(await claim(ME, 2))
    expect(claimed).toEqual([
      [1, 11],
      [2, 12],
      [3, 4],
    ])
  })

  test('passes over what another is taking at this moment', async () => {
    await enroll(ME, due(1), due(2))
    const taking = await heldTransaction((tx) => claimDocuments(tx, OTHER, 1))
    expect(await claim(ME)).toEqual([2])
    await taking.commit()
    expect((await find(1))?.owner).toBe(OTHER)
  })

  test('by several workers at once never gives a document to two of them, and leaves none', async () => {
    const docs = Array.from({ length: 300 }, (_, at) => at + 1)
    await enroll(ME, ...docs.map((doc) => due(doc, { share: doc % 7, priority: doc % 5 })))
    const claimed: number[] = []
    const work = async (epoch: number): Promise<void> => {
      for (let idle = 0; idle < 3;) {
        const taken = await claim(epoch, 10)
        claimed.push(...taken)
        idle = taken.length === 0 ? idle + 1 : 0
      }
    }
    await Promise.all([11, 12, 13, 14].map(work))
    claimed.push(...(await claim(15, 1_000)))
    expect(claimed.toSorted((a, b) => a - b)).toEqual(docs)
  })
})

describe('letting go', () => {
  const letGo = ({ doc = 1, version = 1, delayMs = 0, failed = undefined as Fault | undefined }) =>
    letGoDocuments(database, ME, { seen: [{ doc, version }], delayMs, ...(failed ? { failed } : {}) })

  test('of a document that was woken meanwhile makes it due at once, however long it was to wait', async () => {
    await enroll(ME, row(1), row(2))
    await database.transaction((tx) => wakeDocuments(tx, null, [row(2)]))
    expect(await letGo({ doc: 1, delayMs: 3_600_000, failed: 'own' })).toEqual([1])
    expect(await letGo({ doc: 2, delayMs: 3_600_000, failed: 'own' })).toEqual([])
    expect(await find(1)).toMatchObject({ owner: null, due: false, failures: 1 })
    expect(await find(2)).toMatchObject({ owner: null, due: true, failures: 1 })
  })

  test('makes a document due again later; only a failed look counts against it', async () => {
    await enroll(ME, row(1), row(2), row(3))
    await letGo({ doc: 1 })
    await letGo({ doc: 2, delayMs: 3_600_000, failed: 'own' })
    expect(await find(1)).toMatchObject({ owner: null, due: true, failures: 0 })
    expect(await find(2)).toMatchObject({ owner: null, due: false, failures: 1 })
    expect(await find(3)).toMatchObject({ owner: ME })
  })

  test('leaves alone what another owns by now', async () => {
    await enroll(OTHER, row(1))
    expect(await letGo({ doc: 1, failed: 'own' })).toEqual([])
    expect(await find(1)).toMatchObject({ owner: OTHER, failures: 0 })
  })

  test('counts its own failures and locks of others apart, and neither beyond what fits', async () => {
    await enroll(ME, row(1))
    const fail = async (...faults: Fault[]) => {
      for (const failed of faults) {
        await letGo({ doc: 1, failed })
        await claimDocuments(database, ME, 1)
      }
      const { failures } = (await find(1))!
      return [failuresBy(failures, 'own'), failuresBy(failures, 'busy')]
    }
    expect(await fail('busy', 'own', 'busy', 'busy', 'own')).toEqual([2, 3])
    await house.run('update desk.document set failures = 30099')
    expect(await fail('busy', 'own')).toEqual([99, 300])
  })

  test('failures are forgiven when the document comes to rest', async () => {
    await enroll(ME, row(1))
    await letGo({ doc: 1, failed: 'own' })
    expect(await claimDocuments(database, ME, 1)).toMatchObject([{ failures: 1, version: 1 }])
    await sleep(ME, 1, 1)
    expect(await find(1)).toMatchObject({ failures: 0 })
  })
})

describe('step rows', () => {
  const refused = { doc: 1, step: 'release', subject: 'east', state: 'refused', generation: 1 } as const
  const by = { actor: 'wms-depot', reason: 'address unknown' }

  test('are written once per subject, and a later word replaces the earlier', async () => {
    await database.transaction(async (tx) => {
      writeStepRows(tx, [{ ...refused, ...by }])
      writeStepRows(tx, [{ ...refused, subject: 'west', ...by }])
    })
    await database.transaction(async (tx) => writeStepRows(tx, [{ ...refused, ...by, state: 'skipped' }]))
    expect(await stepRowsOf(database, [1, 2])).toEqual([
      { ...refused, state: 'skipped' },
      { ...refused, subject: 'west' },
    ])
  })

  test('a restart gives what was refused a new generation, and leaves the rest', async () => {
    await database.transaction(async (tx) =>
      writeStepRows(tx, [
        { ...refused, ...by },
        { ...refused, subject: 'west', state: 'skipped', ...by },
        { ...refused, doc: 2, ...by },
      ]),
    )
    await database.transaction(async (tx) => restartSteps(tx, [1], 'user:ann'))
    expect(await stepRowsOf(database, [1, 2])).toEqual([
      { ...refused, state: 'waiting', generation: 2 },
      { ...refused, subject: 'west', state: 'skipped' },
      { ...refused, doc: 2 },
    ])
  })
})
