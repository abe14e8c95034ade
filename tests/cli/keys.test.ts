/** API keys as the person who hands them out meets them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccess } from '#platform/access.ts'
import { keyVerifier } from '#platform/access-keys.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
})
afterAll(() => folder.end())

const keys = (...args: string[]) => crossdock('keys', ...args, '--data', folder.path)

test('a key that was made opens the door with its scopes, is listed without its secret, and is refused once revoked', async () => {
  const made = await keys(
    'create',
    'portal',
    '--scopes',
    'process.orders:read',
    '--partner',
    'ACME',
    '--json',
  )
  expect(made).toMatchObject({ code: 0 })
  const [{ key }] = rowsOf<{ key: string }>(made) as [{ key: string }]
  const credentials = { authorization: `Bearer ${key}`, apiKey: undefined, host: undefined, forwarded: false }
  const enter = async () => {
    const access = createAccess([keyVerifier(folder.database, fakeClock())], { openOnLoopback: false })
    return access.authenticate({ ...credentials, remoteAddress: '203.0.113.7' })
  }
  expect(await enter()).toMatchObject({
    client: 'portal',
    partner: 'ACME',
    scopes: new Set(['process.orders:read']),
  })

  const listed = await keys('list', '--json')
  const [row] = rowsOf<{ prefix: string; client: string }>(listed)
  expect(row).toMatchObject({ client: 'portal' })
  expect(listed.stdout).not.toContain(key.split('_')[2])

  expect(await keys('revoke', row!.prefix)).toMatchObject({ code: 0 })
  await expect(enter()).rejects.toMatchObject({ code: 'access.credentials_invalid' })
  expect(await keys('revoke', row!.prefix)).toMatchObject({ code: 2 })
})

test.each([
  [['create', 'portal', '--scopes', 'everything'], /no scope/],
  [['create', 'por tal', '--scopes', 'process.orders:read'], /no client name/],
  [['create', 'portal', '--scopes', 'process.orders:read', '--days', '0'], /whole number/],
])('crossdock keys %j is refused with the way out', async (args, hint) => {
  const ended = await keys(...args)
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toMatch(hint)
})
