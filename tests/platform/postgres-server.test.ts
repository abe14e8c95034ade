import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client, type QueryResultRow } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { Misconfiguration } from '#platform/misconfiguration.ts'
import { assertDurable, assertSupported } from '#platform/postgres-checks.ts'
import { canEnter } from '#platform/postgres-programs.ts'
import { findPostgres, openPostgres, type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import type { Log } from '#platform/telemetry-log.ts'
import { migratedFolder, testDatabase } from '#tests/support/database.ts'
import { fleetingPlace } from '#tests/support/fleeting-place.ts'

const PROGRAM = join(import.meta.dirname, '../support/postgres-program.ts')
const NOBODY = { uid: 65_534, gid: 65_534 }
const canBeNobody = process.getuid?.() === 0 && (await canEnter(NOBODY, import.meta.dirname))

function listeningLog() {
  const lines: unknown[] = []
  let heard: ((message: string) => void) | undefined
  const hear = (message: string, facts?: object) => {
    lines.push({ message, facts })
    heard?.(message)
  }
  const log: Log = { debug: hear, info: hear, warn: hear, error: hear, with: () => log }
  const says = (expected: string) =>
    new Promise<void>((resolve) => {
      heard = (message) => (message === expected ? resolve() : undefined)
    })
  return { log, lines, says }
}

let counter = 0
const folders: string[] = []
function newFolder(): string {
  const folder = join(fleetingPlace(), `crossdock-server-${process.pid}-${counter++}`)
  folders.push(folder)
  return folder
}

/** Where a server has been before, which takes a fraction of making one; `beside` is a path within. */
async function usedFolder(beside = ''): Promise<string> {
  const folder = join(newFolder(), beside)
  await migratedFolder(folder)
  return folder
}

const { log: quiet } = listeningLog()
const running: PostgresServer[] = []
async function start(dataDirectory: string, options: { durable?: boolean; log?: Log } = {}) {
  const server = await startPostgres({
    clock: systemClock,
    log: quiet,
    durable: false,
    dataDirectory,
    ...options,
  })
  running.push(server)
  return server
}

async function ask<Row extends QueryResultRow>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}

const byTcp = (url: string): string => url.replace(/\?host=.*$/, '')

async function serverPid(folder: string): Promise<number> {
  return Number.parseInt(await readFile(join(folder, 'cluster/data/postmaster.pid'), 'utf8'), 10)
}

type Program = { process: ChildProcess; url: string; adopted: boolean }

async function startProgram(folder: string, account: object = {}): Promise<Program> {
  const child = spawn(process.execPath, [PROGRAM, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...account,
  })
  for await (const line of createInterface(child.stdout)) return { process: child, ...JSON.parse(line) }
  throw new Error('the program said nothing')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
})
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

describe('an embedded server that was made anew', () => {
  const folder = newFolder()
  const { log, lines } = listeningLog()
  let server: PostgresServer
  let url: string
  beforeAll(async () => {
    await mkdir(join(folder, 'cluster.new-999999999-left/data'), { recursive: true })
    server = await startPostgres({ clock: systemClock, log, dataDirectory: folder })
    ;({ url } = server)
  })
  afterAll(() => server.stop())

  test('keeps what it is told, speaks UTF-8 and checks its pages', async () => {
    const rows = await ask<{ name: string; setting: string }>(
      url,
      `select name, setting from pg_settings where name in
       ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'server_encoding', 'TimeZone')`,
    )
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
    })
  })

  test('listens on loopback only, and asks for a password that is kept private and never logged', async () => {
    const { password, hostname } = new URL(url)
    expect(hostname).toBe('127.0.0.1')
    expect(await ask(url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    expect((await stat(join(folder, 'cluster/password'))).mode & 0o777).toBe(0o600)
    expect(lines).not.toEqual([])
    expect(JSON.stringify(lines)).not.toContain(password)
    await expect(ask(url.replace(password, 'wrong'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    )
    await expect(ask(byTcp(url).replace(password, 'wrong'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    )
  })

  test('is reached by a socket of its own account, and by TCP as well', async () => {
    const peer = 'select inet_client_addr() is null as "bySocket"'
    expect(await ask(url, peer)).toEqual([{ bySocket: true }])
    expect(await ask(byTcp(url), peer)).toEqual([{ bySocket: false }])
    const { host } = Object.fromEntries(new URL(url).searchParams)
    const socket = await stat(join(host!, `.s.PGSQL.${new URL(url).port}`))
    expect(socket.mode & 0o077).toBe(0)
    expect((await stat(host!)).mode & 0o077).toBe(0)
  })

  test('has swept a cluster that a killed program left half made', async () => {
    expect(await readdir(folder)).toEqual(['cluster'])
  })
})

describe('an embedded server', () => {
  test('is reached by TCP alone where the path of a socket would be too long', async () => {
    const { url } = await start(await usedFolder('deep'.repeat(25)))
    expect(new URL(url).search).toBe('')
    expect(await ask(url, 'show unix_socket_directories')).toEqual([{ unix_socket_directories: '' }])
  })

  test('keeps its socket in a folder whose name has a quote and a comma', async () => {
    const { url } = await start(await usedFolder("it's a, b"))
    expect(await ask(url, 'select inet_client_addr() is null as "bySocket"')).toEqual([{ bySocket: true }])
  })

  test('finds its data again at the next start, and answers its address to a command beside it', async () => {
    const find = (dataDirectory: string) => findPostgres({ clock: systemClock, log: quiet, dataDirectory })
    expect(await find(newFolder())).toBeUndefined()
    const folder = await usedFolder()
    expect(await find(folder)).toBeUndefined()
    const first = await start(folder)
    await ask(first.url, 'create table kept as select 42 as answer')
    expect(await find(folder)).toBe(first.url)
    await first.stop()
    await first.stop()
    const second = await start(folder)
    expect(second.adopted).toBe(false)
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('survives a kill -9 of its program, and the next one adopts it with everything committed', async () => {
    const folder = await usedFolder()
    const killed = await startProgram(folder)
    await ask(killed.url, 'create table kept as select 42 as answer')
    const pid = await serverPid(folder)
    await end(killed.process, 'SIGKILL')

    const next = await start(folder)
    expect(next).toMatchObject({ url: killed.url, adopted: true })
    expect(await serverPid(folder)).toBe(pid)
    expect(await ask(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('stops with its program', async () => {
    const folder = await usedFolder()
    const program = await startProgram(folder)
    await end(program.process, 'SIGTERM')
    await expect(ask(program.url, 'select 1')).rejects.toThrow('ENOENT')
    await expect(ask(byTcp(program.url), 'select 1')).rejects.toThrow('ECONNREFUSED')
    expect(await readdir(join(folder, 'cluster/data'))).not.toContain('postmaster.pid')
  })
})

describe('an embedded server in trouble', () => {
  test('belongs to one of two programs that start at once; the other is told the way out', async () => {
    const folder = newFolder()
    const outcomes = await Promise.allSettled([start(folder), start(folder)])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(refused?.reason).toBeInstanceOf(Misconfiguration)
    expect(String(refused?.reason)).toMatch(
      /is in use by another program \(crossdock process \d+\)[\s\S]*--data DIR/,
    )
  })

  test('is brought back on the same port when it crashes under a living program', async () => {
    const { log, says } = listeningLog()
    const folder = await usedFolder()
    const { url } = await start(folder, { durable: true, log })
    await ask(url, 'create table kept as select 42 as answer')
    const back = says('PostgreSQL is running again')
    process.kill(await serverPid(folder), 'SIGQUIT')
    await back
    expect(await ask(url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('stops even while it is being brought back', async () => {
    const { log, says } = listeningLog()
    const folder = await usedFolder()
    const server = await start(folder, { log })
    const noticed = says('PostgreSQL has ended the connection of its owner')
    process.kill(await serverPid(folder), 'SIGQUIT')
    await noticed
    await server.stop()
    expect(await findPostgres({ clock: systemClock, log, dataDirectory: folder })).toBeUndefined()
  })

  test.each([
    ['a process that is gone', () => 999_999_999],
    ['another program', () => process.pid],
  ])('starts over a pid file that names %s', async (_, pid) => {
    const folder = await usedFolder()
    const lines = [pid(), join(folder, 'cluster/data'), 1, 1, '', '127.0.0.1', '', 'ready   ', '']
    await writeFile(join(folder, 'cluster/data/postmaster.pid'), lines.join('\n'), { mode: 0o644 })
    const { url, adopted } = await start(folder)
    expect(adopted).toBe(false)
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('does not touch the data of another major version', async () => {
    const folder = newFolder()
    await mkdir(join(folder, 'cluster/data'), { recursive: true })
    await writeFile(join(folder, 'cluster/data/PG_VERSION'), '17\n')
    await writeFile(join(folder, 'cluster/password'), 'secret\n')
    await expect(start(folder)).rejects.toThrow(/belongs to PostgreSQL 17[\s\S]*Dump it/)
    expect(await readdir(join(folder, 'cluster/data'))).toEqual(['PG_VERSION'])
  })

  test('that cannot start says what PostgreSQL wrote', async () => {
    const folder = await usedFolder()
    await writeFile(join(folder, 'cluster/data/postgresql.auto.conf'), `shared_buffers = 'plenty'\n`)
    await expect(start(folder)).rejects.toThrow(/did not start[\s\S]*shared_buffers[\s\S]*plenty/)
  })

  test.skipIf(!canBeNobody)(
    'runs for a plain user as it does for root',
    async () => {
      const folder = newFolder()
      await mkdir(folder)
      await chmod(folder, 0o777)
      const program = await startProgram(join(folder, 'data'), { ...NOBODY, cwd: '/' })
      expect(await ask(program.url, 'select 1 as one')).toEqual([{ one: 1 }])
      await end(program.process, 'SIGTERM')
    },
    20_000,
  )
})

describe('a server that could lose an acknowledged commit', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ clock: systemClock, log: quiet, dataDirectory: await usedFolder() })
  })
  afterAll(() => server.stop())

  /** A reload takes effect when each process gets to it. */
  async function setEverywhere(name: string, value: string, expected: string): Promise<void> {
    await ask(server.url, `alter system ${value === '' ? 'reset' : 'set'} ${name} ${value}`)
    for (;;) {
      await ask(server.url, 'select pg_reload_conf()')
      if ((await ask<Record<string, string>>(server.url, `show ${name}`))[0]?.[name] === expected) return
    }
  }

  test.each(['fsync', 'full_page_writes', 'synchronous_commit'])(
    'is refused at boot: %s off',
    async (name) => {
      const open = () => openPostgres({ url: server.url, clock: systemClock, log: quiet, dataDirectory: '' })
      await setEverywhere(name, '= off', 'off')
      await expect(open()).rejects.toThrow(
        new RegExp(
          `${name} is off \\(set by: .*postgresql.auto.conf\\)[\\s\\S]*With ${name} off[\\s\\S]*alter system set ${name} = on`,
        ),
      )
      await setEverywhere(name, '', 'on')
      await expect(open()).resolves.toMatchObject({ url: server.url, adopted: false })
    },
  )

  test('is refused for the role or the connection alone, each with its own cure', async () => {
    await ask(server.url, 'alter role crossdock set synchronous_commit = off')
    const byRole = openPostgres({ url: server.url, clock: systemClock, log: quiet, dataDirectory: '' })
    await expect(byRole).rejects.toThrow('alter role current_user reset synchronous_commit')
    await ask(server.url, 'alter role crossdock reset synchronous_commit')
    const url = `${byTcp(server.url)}?options=-c%20synchronous_commit%3Doff`
    const byClient = openPostgres({ url, clock: systemClock, log: quiet, dataDirectory: '' })
    await expect(byClient).rejects.toThrow('Take synchronous_commit out of the options in DATABASE_URL')
  })

  test('is named with all that is off at once', async () => {
    const throwAway = await testDatabase('empty')
    const client = new Client({ connectionString: throwAway.url })
    await client.connect()
    await expect(assertDurable(client)).rejects.toThrow(
      /fsync is off.*full_page_writes is off.*synchronous_commit is off/,
    )
    await client.end()
    await throwAway.end()
  })
})

function answering(number: number, version: string): Client {
  return { query: () => Promise.resolve({ rows: [{ number, version }] }) } as unknown as Client
}

describe('a server of the user', () => {
  test('older than PostgreSQL 15 is refused by name', async () => {
    await expect(assertSupported(answering(140_018, '14.18'))).rejects.toThrow(
      /PostgreSQL 14\.18[\s\S]*15 or later/,
    )
    await expect(assertSupported(answering(150_000, '15.0'))).resolves.toBeUndefined()
  })

  test('that does not answer is refused with the way out and without its password', async () => {
    const url = 'postgresql://someone:hush@127.0.0.1:1/none'
    const failure = openPostgres({ url, clock: systemClock, log: quiet, dataDirectory: '' })
    await expect(failure).rejects.toThrow(/cannot be reached[\s\S]*ECONNREFUSED[\s\S]*DATABASE_URL/)
    await expect(failure).rejects.not.toThrow('hush')
  })
})
