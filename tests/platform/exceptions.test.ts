import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { businessCalendar, Calendar } from '#platform/calendars.ts'
import { responsibilityFor, type Ownership } from '#platform/exception-ownership.ts'
import { listExceptions, showException } from '#platform/exceptions-views.ts'
import {
  assignExceptions,
  commentExceptions,
  resolveExceptions,
  startExceptions,
} from '#platform/exceptions-work.ts'
import {
  closeExceptions,
  exceptionOpener,
  openExceptionsOf,
  type Occurrence,
  restateExceptions,
} from '#platform/exceptions.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

const always = businessCalendar(
  Calendar.parse({
    timeZone: 'UTC',
    week: Object.fromEntries(
      ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((day) => [day, [{ from: '00:00', to: '24:00' }]]),
    ),
  }),
)
const ownership: Ownership = {
  rules: [
    { prefix: 'orders', owner: 'order-desk', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'orders.credit', owner: 'credit-control', severity: 'high', dueBusinessHours: 4 },
  ],
  otherwise: { owner: 'integration', severity: 'low', dueBusinessHours: 16 },
  calendarOf: () => always,
}
const openExceptions = exceptionOpener(ownership)

let house: MessageDatabase
beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
beforeEach(() =>
  house.run('truncate exceptions.exception, exceptions.affected, exceptions.note, audit.entry'),
)

const overLimit = (doc: number, overrides: Partial<Occurrence> = {}): Occurrence => ({
  company: 'north',
  cause: 'credit/4711',
  code: 'orders.credit.exceeded',
  title: 'Customer 4711 is over its credit limit',
  suggestedAction: 'Raise the limit or ask for a payment',
  affects: { doc, kind: 'order', value: { amountMinor: 10_000, currency: 'EUR' } },
  ...overrides,
})
const open = (...occurrences: Occurrence[]) =>
  house.database.transaction((tx) => openExceptions(tx, occurrences))
const close = (...gone: { company: string; cause: string; doc?: number }[]) =>
  house.database.transaction((tx) => closeExceptions(tx, gone, 'the limit was raised'))
const cause = { company: 'north', cause: 'credit/4711' }
const list = () => listExceptions(house.database)

describe('ownership', () => {
  test.each([
    ['orders.credit.exceeded', 'credit-control'],
    ['orders.credit', 'credit-control'],
    ['orders.creditworthy', 'order-desk'],
    ['orders', 'order-desk'],
    ['shipments.lost', 'integration'],
  ])('%s belongs to %s', (code, owner) => {
    expect(responsibilityFor(ownership, code).owner).toBe(owner)
  })
})

test('how a cause stands now is said of the exception that is open: who has it and until when stays', async () => {
  await open(overLimit(1))
  const [before] = await list()
  await house.database.transaction((tx) =>
    assignExceptions(tx, [before!.id], { assignee: 'anna' }, { actor: 'anna' }),
  )
  const now = overLimit(1, { title: 'Customer 4711 is far over its credit limit', facts: { orders: 3 } })
  const restate = () =>
    house.database.transaction(async (tx) =>
      restateExceptions(tx, [now, { ...now, cause: 'credit/none', title: 'of nobody' }]),
    )
  await restate()
  const [after] = await list()
  expect(after).toMatchObject({ id: before!.id, title: now.title, facts: { orders: 3 }, assignee: 'anna' })
  expect(after!.dueAt).toEqual(before!.dueAt)
  await close(cause)
  await restate()
  expect(await list()).toEqual([])
})

test('an exception has owner, severity, due time, value at stake and a suggested action', async () => {
  await open(overLimit(1))
  const [exception] = await list()
  expect(exception).toMatchObject({
    company: 'north',
    title: 'Customer 4711 is over its credit limit',
    owner: 'credit-control',
    severity: 'high',
    state: 'open',
    suggestedAction: 'Raise the limit or ask for a payment',
    affected: 1,
    stake: [{ amountMinor: 10_000, currency: 'EUR' }],
    overdue: false,
  })
  const hours = (exception!.dueAt.getTime() - exception!.openedAt.getTime()) / 3_600_000
  expect(hours).toBeCloseTo(4, 5)
})

test('no exception can be stored without owner, due time or suggested action', async () => {
  const columns = { owner: `''`, due_at: 'null', suggested_action: `''` }
  await open(overLimit(1))
  for (const [column, value] of Object.entries(columns)) {
    await expect(house.run(`update exceptions.exception set ${column} = ${value}`)).rejects.toThrow(
      /constraint/,
    )
  }
})

test('one cause is one exception, however many documents share it and however often it is seen', async () => {
  const dollars = { doc: 3, kind: 'order', value: { amountMinor: 500, currency: 'USD' } }
  const occurrences = [overLimit(1), overLimit(2), overLimit(3, { affects: dollars }), overLimit(1)]
  const answers = await open(...occurrences)
  await open(overLimit(1))
  const [exception, ...others] = await list()
  expect(others).toEqual([])
  expect(exception).toMatchObject({
    affected: 3,
    stake: [
      { amountMinor: 20_000, currency: 'EUR' },
      { amountMinor: 500, currency: 'USD' },
    ],
  })
  expect(occurrences.map((occurrence) => answers.get(occurrence))).toEqual(
    occurrences.map(() => exception!.id),
  )
})

test('the same cause at another company is another exception', async () => {
  await open(overLimit(1), overLimit(2, { company: 'south' }))
  expect((await list()).map((exception) => exception.company).toSorted()).toEqual(['north', 'south'])
})

test('it closes itself when its last document leaves, and says how', async () => {
  await open(overLimit(1), overLimit(2))
  const id = (await list())[0]!.id
  expect(await close({ ...cause, doc: 1 })).toEqual([])
  expect(await list()).toMatchObject([{ id, affected: 1 }])
  expect(await close({ ...cause, doc: 2 }, { company: 'north', cause: 'never opened', doc: 2 })).toEqual([id])
  expect(await list()).toEqual([])
  expect(await showException(house.database, id)).toMatchObject({
    state: 'resolved',
    closedBy: 'crossdock',
    resolution: 'the limit was raised',
    documents: [{ doc: 1, clearedHow: 'the limit was raised' }, { doc: 2 }],
  })
})

test('a document that was never affected does not close it', async () => {
  await open(
    overLimit(1),
    overLimit(5, { cause: 'feed', affects: undefined } as unknown as Partial<Occurrence>),
  )
  expect(await close({ ...cause, doc: 9 }, { company: 'north', cause: 'feed', doc: 9 })).toEqual([])
  expect(await list()).toHaveLength(2)
})

test('a cause that is gone altogether closes it with all its documents', async () => {
  await open(overLimit(1), overLimit(2))
  expect(await close(cause)).toHaveLength(1)
  expect(await openExceptionsOf(house.database, [1, 2])).toEqual(new Map())
})

test('a cause that returns opens a new exception', async () => {
  const first = await open(overLimit(1))
  await close({ ...cause, doc: 1 })
  const second = await open(overLimit(1))
  expect([...second.values()][0]).not.toBe([...first.values()][0])
  expect(await list()).toHaveLength(1)
})

test('a document that joins while the last one leaves is never left without an open exception', async () => {
  for (let round = 0; round < 15; round++) {
    await open(overLimit(1))
    await Promise.all([close({ ...cause, doc: 1 }), open(overLimit(2))])
    const stopped = await openExceptionsOf(house.database, [1, 2])
    expect([...stopped.keys()]).toEqual([2])
    await close(cause)
  }
})

test('many doors that open the same cause at once open it once', async () => {
  await Promise.all([1, 2, 3, 4, 5, 6].map((doc) => open(overLimit(doc))))
  expect(await list()).toMatchObject([{ affected: 6 }])
})

describe('people', () => {
  const remark = { actor: 'user:ann', text: 'calling the customer' }
  const act = <T>(work: Parameters<typeof house.database.transaction<T>>[0]) =>
    house.database.transaction(work)
  async function opened(): Promise<number> {
    return [...(await open(overLimit(1))).values()][0]!
  }

  test('assign, start and comment; every act is a note and an audit row', async () => {
    const id = await opened()
    await act((tx) => assignExceptions(tx, [id], { assignee: 'user:bob', owner: 'sales' }, remark))
    expect(await list()).toMatchObject([{ state: 'assigned', assignee: 'user:bob', owner: 'sales' }])
    await act((tx) => startExceptions(tx, [id], { actor: 'user:bob', text: 'on it' }))
    expect(await list()).toMatchObject([{ state: 'in_progress', assignee: 'user:bob' }])
    await act((tx) => commentExceptions(tx, [id], { actor: 'user:bob', text: 'promised for Monday' }))
    const shown = await showException(house.database, id)
    expect(shown?.notes.map(({ author, act: done, text }) => [author, done, text])).toEqual([
      ['user:ann', 'assigned', 'calling the customer'],
      ['user:bob', 'started', 'on it'],
      ['user:bob', 'commented', 'promised for Monday'],
    ])
    const actions = (await listAudit(house.database)).map((entry) => entry.action)
    expect(actions).toEqual(['exceptions.commented', 'exceptions.started', 'exceptions.assigned'])
  })

  test('handing back to a queue opens it to all of the queue', async () => {
    const id = await opened()
    await act((tx) => startExceptions(tx, [id], remark))
    await act((tx) => assignExceptions(tx, [id], { owner: 'sales' }, remark))
    expect(await list()).toMatchObject([{ state: 'open', assignee: null, owner: 'sales' }])
  })

  test('resolving by a person closes it; the cause, still there, opens a new one', async () => {
    const id = await opened()
    const answers = await act((tx) => resolveExceptions(tx, [id, 999], 'resolved', remark))
    expect([answers.get(id), answers.get(999)?.code]).toEqual([undefined, 'exceptions.not_found'])
    expect(await showException(house.database, id)).toMatchObject({
      state: 'resolved',
      closedBy: 'user:ann',
      affected: 0,
    })
    await open(overLimit(1))
    expect(await list()).toHaveLength(1)
  })

  test("won't fix is remembered for its documents, not for others", async () => {
    const id = await opened()
    await act((tx) => resolveExceptions(tx, [id], 'wont_fix', remark))
    const [same, other] = [overLimit(1), overLimit(2)]
    const answers = await open(same, other)
    expect(answers.get(same)).toBeUndefined()
    expect(answers.get(other)).toBeTypeOf('number')
    expect(await list()).toMatchObject([{ affected: 1 }])
  })

  test('a closed exception refuses further acts, and no act goes without words', async () => {
    const id = await opened()
    await close(cause)
    const answers = await act((tx) => assignExceptions(tx, [id], { assignee: 'user:bob' }, remark))
    expect(answers.get(id)).toMatchObject({ code: 'exceptions.closed' })
    const wordless = act((tx) => commentExceptions(tx, [id], { actor: 'user:ann', text: ' ' }))
    await expect(wordless).rejects.toMatchObject({ code: 'exceptions.text_missing' })
  })
})

test('the worklist runs from the gravest to the mildest, then by due time, and pages by cursor', async () => {
  await open(
    overLimit(1, { cause: 'mild', code: 'x.y' }),
    overLimit(2, { cause: 'grave', severity: 'critical' }),
    overLimit(3, { cause: 'later', code: 'orders.late' }),
    overLimit(4, { cause: 'sooner', code: 'orders.late' }),
  )
  await house.run(`update exceptions.exception set due_at = now() - interval '1 hour' where cause = 'sooner'`)
  const order = ['grave', 'sooner', 'later', 'mild']
  expect((await list()).map((exception) => exception.cause)).toEqual(order)
  const first = await listExceptions(house.database, { limit: 2 })
  const rest = await listExceptions(house.database, { limit: 9, after: first[1]! })
  expect([...first, ...rest].map((exception) => exception.cause)).toEqual(order)
  const causes = async (filter: Parameters<typeof listExceptions>[1]) =>
    (await listExceptions(house.database, filter)).map((exception) => exception.cause)
  expect(await causes({ overdue: true })).toEqual(['sooner'])
  expect(await causes({ code: 'orders' })).toEqual(['grave', 'sooner', 'later'])
  expect(await causes({ owner: 'integration' })).toEqual(['mild'])
  expect(await causes({ closed: true })).toEqual([])
})
