/** Subscriptions as the person at a terminal sees them and sends again. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { cursorText } from '#platform/log-batches.ts'
import { createSubscription, findSubscription } from '#platform/subscriptions.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
const ID = 'sub_0123456789abcdef01234567'
const END = { generation: 1, xid: '900', position: 9 }
beforeAll(async () => {
  folder = await folderDatabase()
  await folder.database.transaction(async (tx) =>
    createSubscription(
      tx,
      {
        id: ID,
        name: 'Dashboard',
        url: 'https://dashboard.example.com/hook',
        client: 'tests',
        partner: 'smith',
        owner: 'integration',
        types: ['order.*'],
        domains: [],
        companies: [],
        payload: 'thin',
        cursor: END,
      },
      new Date(),
    ),
  )
})
afterAll(() => folder.end())

const subscriptions = (...args: string[]) => crossdock('subscriptions', ...args, '--data', folder.path)

test('they are listed and shown, with whose they are and what they are told', async () => {
  const [row] = rowsOf<{ id: string; dead: number }>(await subscriptions('list', '--json'))
  expect(row).toMatchObject({ id: ID, dead: 0, waiting: 0 })
  const shown = await subscriptions('show', ID)
  expect(shown).toMatchObject({ code: 0 })
  for (const part of ['Dashboard', 'order.*', 'for partner smith', '1.900.9', 'active'])
    expect(shown.stdout).toContain(part)
})

test('one is sent again from a position, with a trace of it', async () => {
  const replayed = await subscriptions('replay', ID, '--after', '1.800.0')
  expect(replayed).toMatchObject({ code: 0, stdout: 'everything behind 1.800.0 is sent again\n' })
  const known = await findSubscription(folder.database, ID)
  expect(cursorText(known!.cursor)).toBe('1.800.0')
  expect(await subscriptions('replay', ID, '--dead-letters')).toMatchObject({
    code: 0,
    stdout: '0 dead letters are sent again\n',
  })
  const entries = await listAudit(folder.database, { actor: 'cli', action: 'subscriptions.replayed' })
  expect(entries.map(({ after }) => after)).toEqual([
    { subscription: ID, deadLetters: true },
    { subscription: ID, after: '1.800.0' },
  ])
})

test('what cannot be done is said, and nothing is changed', async () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await subscriptions(...args)
    return [code, stderr] as const
  }
  expect(await refused('show', 'sub_1')).toEqual([1, expect.stringContaining('no subscription sub_1')])
  expect(await refused('replay', ID)).toEqual([2, expect.stringContaining('--after')])
  expect(await refused('replay', ID, '--after', '1.1.1', '--dead-letters')).toEqual([2, expect.any(String)])
  expect(await refused('replay', ID, '--since', 'yesterday')).toEqual([
    2,
    expect.stringContaining('yesterday'),
  ])
  expect(await refused('replay', ID, '--after', '1.950.0')).toEqual([
    1,
    expect.stringContaining('only been read'),
  ])
})
