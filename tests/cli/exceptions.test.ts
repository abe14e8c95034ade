/** Exceptions as the person at a terminal works on them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { sql } from '#platform/database.ts'
import { exceptionOpener, type Occurrence } from '#platform/exceptions.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
})
afterAll(() => folder.end())

const exceptions = (...args: string[]) => crossdock('exceptions', ...args, '--data', folder.path)

const occurrence: Occurrence = {
  company: 'NWF',
  cause: 'credit:4711',
  code: 'orders.hold.credit',
  title: 'Customer 4711 has no credit left',
  suggestedAction: 'Ask for a payment',
  affects: { doc: 17, kind: 'order', value: { amountMinor: 12_345, currency: 'USD' } },
}
async function opened(): Promise<string> {
  const open = exceptionOpener({
    rules: [],
    otherwise: { owner: 'credit', severity: 'high', dueBusinessHours: 4 },
    calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
  })
  const ids = await folder.database.transaction((tx) => open(tx, [occurrence]))
  return String(ids.get(occurrence))
}

type Story = {
  state: string
  owner: string
  assignee: string | null
  notes: { author: string; act: string; text: string }[]
}

test('an exception is shown, handed to a person, to a queue, commented and resolved, each act with its words', async () => {
  const id = await opened()
  const shown = await exceptions('show', id)
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  for (const part of ['Customer 4711', 'Ask for a payment', '123.45 USD', 'O-17', 'high'])
    expect(shown.stdout).toContain(part)
  const [toAnn] = rowsOf<Story>(await exceptions('assign', id, '--to', 'ann', '--json'))
  expect(toAnn).toMatchObject({ state: 'assigned', owner: 'credit', assignee: 'ann' })
  const [toQueue] = rowsOf<Story>(await exceptions('assign', id, '--to', 'pricing', '--json'))
  expect(toQueue).toMatchObject({ state: 'open', owner: 'pricing', assignee: null })
  expect(await exceptions('comment', id, 'promised for Monday')).toMatchObject({ code: 0 })
  const ended = await exceptions('resolve', id, '--reason', 'paid', '--json')
  const [resolved] = rowsOf<Story>(ended)
  expect(resolved).toMatchObject({ state: 'resolved' })
  expect(resolved!.notes.map(({ author, act, text }) => [author, act, text])).toEqual([
    ['cli', 'assigned', 'to ann'],
    ['cli', 'assigned', 'to pricing'],
    ['cli', 'commented', 'promised for Monday'],
    ['cli', 'resolved', 'paid'],
  ])
  const trail = await listAudit(folder.database, { actor: 'cli' })
  expect(trail.map(({ action }) => action)).toContain('exceptions.resolved')
  const late = await exceptions('comment', id, 'too late')
  expect(late).toMatchObject({ code: 1, stdout: '' })
  expect(late.stderr).toContain('exceptions.closed')
}, 60_000)

test('what nobody will fix leaves the list and stays away', async () => {
  const id = await opened()
  const ids = async () => rowsOf<{ id: number }>(await exceptions('list', '--json')).map((row) => row.id)
  expect(await ids()).toEqual([Number(id)])
  const declined = await exceptions('resolve', id, '--reason', 'accepted', '--wont-fix')
  expect(declined.stdout).toContain('wont_fix by cli: accepted')
  expect(await opened()).toBe('undefined')
  expect(await ids()).toEqual([])
}, 60_000)

test.each([
  [['show', 'first'], 2, /crossdock exceptions list/],
  [['assign', '1'], 2, /--to/],
  [['resolve', '1'], 2, /--reason/],
  [['comment', '1'], 2, /missing required argument/],
  [['show', '999'], 1, /no exception 999/],
])('crossdock exceptions %j ends with %i', async (args, code, hint) => {
  const ended = await exceptions(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(hint)
})

test('a retry of many documents says how far it is, portion by portion', async () => {
  const { database } = folder
  const [row] = await database.query<{ id: number }>(
    sql(
      'test.many_refused',
      `with e as (
         insert into exceptions.exception (company, cause, code, title, owner, severity, suggested_action, due_at)
         values ('NWF', 'posting', 'billing.posting_refused', 'Refused', 'billing', 'high', 'Mend it', now()) returning id),
       a as (
         insert into exceptions.affected (exception, doc, kind)
         select id, n, 'invoice' from e, generate_series(50001, 50700) n)
       , s as (
         insert into desk.step (doc, step, state, actor, at)
         select n, 'post', 'refused', 'erp', now() - interval '1 minute' from generate_series(50001, 50700) n)
       select id from e`,
    ),
  )
  const retried = await exceptions('retry', String(row!.id), '--reason', 'the period is open')
  expect(retried.code).toBe(0)
  expect(retried.stderr.split('\n').filter((line) => line.includes('tried again'))).toEqual([
    '500 of 700 documents are tried again',
    '700 of 700 documents are tried again',
  ])
  const again = await exceptions('retry', String(row!.id), '--reason', 'the period is open')
  expect(again.stderr).toContain('exceptions.nothing_refused')
}, 60_000)
