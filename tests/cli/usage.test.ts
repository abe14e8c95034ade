/** How commands are typed wrongly, and what they answer without a database. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { crossdock, crossdockAfresh, dataFolder, rowsOf } from './program.ts'

const folder = dataFolder()
afterAll(() => folder.remove())

const sample = (name: string): string =>
  fileURLToPath(new URL(`../systems/edi/samples/${name}`, import.meta.url))

describe('wrong use ends with 2 and says what to type instead', () => {
  test.each([
    [['frobnicate'], /unknown command/],
    [['orders', 'list', '--limit', 'many'], /--limit 50/],
    [['orders', 'list', '--state', 'lost'], /open, held, closed/],
    [['trace'], /missing required argument/],
    [['inventory', 'supply', '--before', '2026-02-31'], /--before 2026-12-01/],
    [['parking', 'replay', '1'], /--reason/],
    [['parking', 'replay', 'one', '--reason', 'because'], /crossdock parking list/],
    [['parking', 'edit', '1', '--reason', 'because'], /--file/],
    [['parking', 'edit', '1', '--reason', 'because', '--file', 'nowhere.json'], /standard input/],
    [['parking', 'discard', '1'], /--reason/],
    [['parking', 'list', '--document', '1000017'], /O-1000017/],
    [['effects', 'resolve', '1/post//1', '--reason', 'seen'], /--outcome/],
    [
      ['effects', 'resolve', '1/post//1', '--reason', 'seen', '--outcome', 'done'],
      /confirmed, refused, absent/,
    ],
    [
      ['effects', 'resolve', '1/post//1', '--reason', 'seen', '--outcome', 'confirmed', '--fact', 'net'],
      /netMinor=10000/,
    ],
    [['effects', 'retry', '1/post//1'], /--reason/],
    [['demo', 'run', '--orders', '0'], /--orders/],
    [['edi', 'check', 'nowhere.edi'], /does not exist/],
    [['edi', 'check'], /missing required argument/],
  ])('crossdock %j', async (args, hint) => {
    const ended = await crossdock(...args)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(hint)
  })
})

test('help is data and no error', async () => {
  const ended = await crossdockAfresh('--help')
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(ended.stdout).toContain('crossdock [options] [command]')
})

test.each([
  ['orders', 'list'],
  ['trace', 'O-1'],
  ['migrate', '--dry-run'],
])('crossdock %s %s says how to get a database where there is none', async (...args) => {
  const ended = await crossdockAfresh(...args, '--data', folder.path)
  expect(ended).toMatchObject({ code: 1, stdout: '' })
  expect(ended.stderr).toContain('npm start')
})

test('doctor tells that there is no database and ends with 3', async () => {
  const ended = await crossdockAfresh('doctor', '--json', '--data', folder.path)
  expect(ended.code).toBe(3)
  expect(rowsOf<{ check: string; ok: boolean }>(ended)).toContainEqual(
    expect.objectContaining({ check: 'database', ok: false, next: expect.stringContaining('npm start') }),
  )
})

test('with --json an error is one JSON object on stderr', async () => {
  const ended = await crossdock('orders', 'list', '--json', '--data', folder.path)
  expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code: 'setup', next: expect.any(String) } })
})

test('config print shows the settings in force, without secrets', async () => {
  const file = join(folder.path, 'crossdock.yaml')
  writeFileSync(file, 'http: { port: 7999 }\ndatabase: { url: "postgresql://me:hunter2@db.example.com/x" }\n')
  const ended = await crossdock('config', 'print', '--config', file)
  expect(ended.code).toBe(0)
  expect(ended.stdout).toContain('port: 7999')
  expect(ended.stdout).not.toContain('hunter2')
})

test('a setting that does not exist is named with the file that has it', async () => {
  const file = join(folder.path, 'wrong.yaml')
  writeFileSync(file, 'http:\n  prot: 7999\n')
  const ended = await crossdock('config', 'print', '--config', file)
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain('did you mean')
})

test('edi check says what would become of each set, and ends with 3 when not all would be taken', async () => {
  const ended = await crossdock('edi', 'check', '--json', sample('clean-order.edi'), sample('truncated.edi'))
  expect(ended.code).toBe(3)
  const checks = rowsOf<{ clean: boolean; counts: Record<string, number> }>(ended)
  expect(checks).toHaveLength(2)
  expect(checks[0]).toMatchObject({ clean: false, counts: { quarantine: 1 } })
})

test('edi check takes a known partner by the guides of the configured folder', async () => {
  const partners = fileURLToPath(new URL('../../src/systems/edi/partners', import.meta.url))
  const file = join(folder.path, 'partners.yaml')
  writeFileSync(file, `edi: { partnersDirectory: ${JSON.stringify(partners)} }\n`)
  const ended = await crossdock('edi', 'check', '--config', file, sample('clean-order.edi'))
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('would be taken') })
  expect(ended.stdout).toContain('850 0001 becomes order')
})

test('demo load refuses a folder that is no world and names the files it needs', async () => {
  const ended = await crossdockAfresh('demo', 'load', folder.path, '--data', folder.path)
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain('carriers, customers, items')
})

test('up refuses a port that is taken and names the way out', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  const ended = await crossdockAfresh('up', '--port', String(port), '--data', join(folder.path, 'taken'))
  holder.close()
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain('--port')
})

test('up refuses to listen beyond loopback while nobody would be asked for credentials', async () => {
  const ended = await crossdockAfresh(
    'up',
    '--host',
    '0.0.0.0',
    '--port',
    '0',
    '--data',
    join(folder.path, 'open'),
  )
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain('without credentials')
})
