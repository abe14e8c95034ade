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

test('one is made, paused, resumed, given a new secret, tried and deleted, by the rules of the doors and with a trace', async () => {
  const json = async (...args: string[]) =>
    rowsOf<Record<string, unknown>>(await subscriptions(...args, '--json'))[0]!
  const url = 'https://nobody.invalid/hook'
  const made = await json('create', url, '--name', 'Made', '--types', 'order.*, shipment.confirmed')
  const id = String(made['id'])
  expect(made).toMatchObject({
    url,
    client: 'cli',
    types: ['order.*', 'shipment.confirmed'],
    state: 'active',
  })
  expect(await json('pause', id, '--reason', 'it moves')).toMatchObject({
    state: 'paused',
    reason: 'it moves',
  })
  expect(await json('resume', id)).toMatchObject({ id, state: 'active' })
  expect(await subscriptions('resume', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('active'),
  })
  const rotated = await json('rotate', id, '--keep-previous-hours', '1')
  expect(rotated['secret']).toMatch(/^whsec_/)
  expect(rotated['secret']).not.toBe(made['secret'])
  const sent = await subscriptions('ping', id, '--json')
  expect([sent.code, rowsOf(sent)]).toEqual([1, [expect.objectContaining({ id, delivered: false })]])
  expect(await subscriptions('delete', id)).toMatchObject({ code: 0 })
  expect(await findSubscription(folder.database, id)).toBeUndefined()
  const entries = await listAudit(folder.database, { actor: 'cli' })
  const acts = entries.filter(({ after }) => (after as { subscription?: string }).subscription === id)
  expect(acts.map(({ action }) => action.replace('subscriptions.', ''))).toEqual([
    'deleted',
    'secret_rotated',
    'resumed',
    'paused',
    'created',
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
  const named = ['--name', 'New']
  expect(await refused('create', 'http://a.example.com/', ...named)).toEqual([
    1,
    expect.stringContaining('the address cannot be called'),
  ])
  expect(await refused('create', 'https://a.example.com/', ...named, '--payload', 'fat')).toEqual([
    2,
    expect.stringContaining('payload'),
  ])
  expect(await refused('pause', 'sub_1', '--reason', 'x')).toEqual([1, expect.stringContaining('sub_1')])
  expect(await refused('rotate', ID, '--keep-previous-hours', 'long')).toEqual([2, expect.any(String)])
  expect(await refused('replay', ID, '--after', '1.950.0')).toEqual([
    1,
    expect.stringContaining('only been read'),
  ])
})
