/** Signed heads: written each hour and at the end, verified with the keys that are trusted, whoever tampers is found. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AuditHeads, type AuditSettings, openAuditHeads, verifyHeads } from '#platform/audit-heads.ts'
import { sealAll, verifySeals } from '#platform/audit-seals.ts'
import { recordAudit } from '#platform/audit.ts'
import { auditChecks } from '../../src/cli-audit.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

const HOUR_MS = 3_600_000

let house: MessageDatabase
let folder: string
let settings: AuditSettings
const clock = fakeClock()

beforeAll(async () => {
  house = await messageDatabase()
  folder = await mkdtemp(join(tmpdir(), 'audit-heads-'))
})
afterAll(async () => {
  await house.end()
  await rm(folder, { recursive: true })
})
beforeEach(async (context) => {
  settings = { headsDirectory: join(folder, context.task.id), formerKeys: [] }
  await house.run('truncate audit.entry, audit.seal')
})

const headFile = (): string => join(settings.headsDirectory, 'heads.jsonl')
const open = (): Promise<AuditHeads> => openAuditHeads(settings, clock)
const numbers = async (): Promise<number[]> => (await verifyHeads(settings)).heads.map(({ number }) => number)

function newKey(): { pem: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(privateKey).export({ format: 'jwk' }).x!,
  }
}

/** Other databases of the same server hold xmin back now and then. */
async function sealed(...actions: string[]): Promise<void> {
  await house.database.transaction(async (tx) => {
    recordAudit(
      tx,
      actions.map((action) => ({ actor: 'user:ann', action, reason: 'why' })),
    )
  })
  await clock.until(async () => {
    await sealAll(house.database)
    const [row] = await house.run<{ left: number }>(
      `select (select count(*) from audit.entry)::int - coalesce(sum(entries), 0)::int as left from audit.seal`,
    )
    return row!.left === 0
  }, 'sealing everything')
}

/** Three seals, the last of them signed. */
async function signedTrail(): Promise<void> {
  const heads = await open()
  await sealed('a', 'b')
  await sealed('c')
  await sealed('d', 'e')
  await heads.sign(house.database)
}

const verified = async () => verifySeals(house.database, (await verifyHeads(settings)).heads)
const details = async (full = true): Promise<string[]> =>
  (await auditChecks(house.database, settings, { full })).filter(({ ok }) => !ok).map(({ detail }) => detail)
const trail = async (full: boolean): Promise<string> =>
  (await auditChecks(house.database, settings, { full }))[0]!.detail

describe('a head', () => {
  test('is signed at once, then each hour when something was added, and at the end of the program', async () => {
    const heads = await open()
    await heads.sign(house.database)
    expect(await numbers()).toEqual([])
    await sealed('a')
    await heads.sign(house.database)
    await sealed('b')
    await heads.sign(house.database)
    expect(await numbers()).toEqual([1])
    await clock.advance(HOUR_MS)
    await heads.sign(house.database)
    await clock.advance(HOUR_MS)
    await heads.sign(house.database)
    await heads.sign(house.database, 'at the end')
    expect(await numbers()).toEqual([1, 2])
    await sealed('c')
    await heads.sign(house.database, 'at the end')
    expect(await numbers()).toEqual([1, 2, 3])
  })

  test('is not signed again by a program that starts within the hour', async () => {
    await signedTrail()
    await sealed('f')
    await (await open()).sign(house.database)
    expect(await numbers()).toEqual([3])
  })

  test('is whole behind one that a crash cut off', async () => {
    await sealed('a')
    await (await open()).sign(house.database)
    const whole = await readFile(headFile(), 'utf8')
    await writeFile(headFile(), `${whole}${whole.slice(0, 40)}`)
    await sealed('b')
    await (await open()).sign(house.database, 'at the end')
    expect(await verifyHeads(settings)).toMatchObject({
      heads: [{ number: 1 }, { number: 2 }],
      faults: [{ line: 2, reason: 'it is no head' }],
    })
  })

  test('stands on a line of its own, readable by its owner alone', async () => {
    await signedTrail()
    expect((await readFile(headFile(), 'utf8')).split('\n')).toHaveLength(2)
    expect((await stat(headFile())).mode & 0o777).toBe(0o600)
  })
})

describe('the key', () => {
  test('is made in the folder when none is configured, for its owner alone, and kept', async () => {
    await signedTrail()
    const path = join(settings.headsDirectory, 'signing-key.pem')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const made = await readFile(path, 'utf8')
    await open()
    expect([await readFile(path, 'utf8'), await numbers()]).toEqual([made, [3]])
  })

  test('is one key, also when several processes make it at once', async () => {
    const all = await Promise.all([open(), open(), open()])
    for (const heads of all) {
      await sealed('a')
      await heads.sign(house.database, 'at the end')
    }
    expect(await numbers()).toEqual([1, 2, 3])
  })

  test('that is configured is used, and nothing is made', async () => {
    settings = { ...settings, signingKey: newKey().pem }
    await expect(open().then((heads) => heads.sign(house.database))).resolves.toBeUndefined()
    await expect(stat(join(settings.headsDirectory, 'signing-key.pem'))).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })

  test.each([
    ['no key at all', 'secret-of-ours'],
    [
      'a key of another kind',
      generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('that is %s stops the start without being repeated', async (_what, signingKey) => {
    settings = { ...settings, signingKey }
    const failure = await open().catch((error: Error) => error)
    expect(failure).toMatchObject({ explanation: { cure: expect.stringContaining('openssl genpkey') } })
    expect(JSON.stringify(failure)).not.toContain(signingKey)
    expect((failure as Error).message).not.toContain(signingKey)
  })

  test('may be changed: the new one signs at once, and heads of the former one count while that is named', async () => {
    const [former, next] = [newKey(), newKey()]
    settings = { ...settings, signingKey: former.pem }
    await sealed('a')
    await (await open()).sign(house.database)
    settings = { ...settings, signingKey: next.pem }
    await (await open()).sign(house.database)
    expect(await verifyHeads(settings)).toMatchObject({
      heads: [{ number: 1, key: next.publicKey }],
      faults: [{ line: 1, reason: expect.stringContaining(former.publicKey) }],
    })
    settings = { ...settings, formerKeys: [former.publicKey] }
    expect(await verifyHeads(settings)).toMatchObject({ heads: [{ number: 1 }, { number: 1 }], faults: [] })
    expect(await details()).toEqual([])
  })

  test('in a folder that cannot be used is told with what to do', async () => {
    await writeFile(settings.headsDirectory, 'a file where the folder should be')
    await expect(open()).rejects.toMatchObject({
      explanation: { cure: expect.stringContaining('audit.headsDirectory') },
    })
  })
})

describe('tampering is found', () => {
  test.each([
    ['an entry that was changed', `update audit.entry set reason = 'x' where action = 'c'`, 2],
    ['an entry that was deleted', `delete from audit.entry where action = 'a'`, 1],
    ['a seal that was changed', `update audit.seal set hash = sha256('x') where number = 2`, 2],
    ['a range of seals that was deleted', `delete from audit.seal where number in (1, 2)`, 1],
    ['the newest seals deleted', `delete from audit.seal where number > 1`, 2],
    ['all of it emptied', `truncate audit.seal, audit.entry`, 1],
  ])('with its first seal named: %s', async (_what, tampering, number) => {
    await signedTrail()
    expect(await details()).toEqual([])
    await house.run(tampering)
    expect(await details()).toEqual([expect.stringMatching(`^seal ${number} does not verify: `)])
  })

  test('although the whole chain was made anew to fit', async () => {
    await signedTrail()
    await house.run(`update audit.entry set reason = 'another'`)
    await house.run('truncate audit.seal')
    await sealed('f')
    await sealed('g')
    await sealed('h')
    expect(await verifySeals(house.database)).toMatchObject({ intact: true })
    expect(await verified()).toEqual({
      intact: false,
      broken: { number: 3, reason: 'its hash is not the one that was signed' },
    })
  })

  test.each([
    ['its number', (line: string) => line.replace('"number":3', '"number":2'), 'its signature is not of'],
    [
      'what it says',
      (line: string) => line.replace(/(?<="hash":")./, (digit) => (digit === '0' ? '1' : '0')),
      'its signature is not of',
    ],
    ['its form', () => '{}', 'it is no head'],
    ['its text', () => 'nothing', 'it is no head'],
  ])('in a line of the head file, by %s', async (_what, change, reason) => {
    await signedTrail()
    const line = await readFile(headFile(), 'utf8')
    await writeFile(headFile(), change(line))
    expect(await verifyHeads(settings)).toMatchObject({
      heads: [],
      faults: [{ line: 1, reason: expect.stringContaining(reason) }],
    })
    expect(await details()).toEqual([expect.stringContaining(`line 1: ${reason}`)])
  })

  test('in heads that somebody signed with a key of his own', async () => {
    await signedTrail()
    const own = { ...settings, signingKey: newKey().pem }
    await (await openAuditHeads(own, clock)).sign(house.database)
    expect((await verifyHeads(settings)).faults).toMatchObject([
      { line: 2, reason: expect.stringContaining('neither the key in use nor a former one') },
    ])
  })
})

describe('what came after the newest head', () => {
  test('is all that is recomputed unless the whole is asked for, and the range is said', async () => {
    await sealed('a')
    expect(await trail(false)).toBe('1 entries under seals 1 to 1, the whole trail')
    await (await open()).sign(house.database)
    expect(await trail(false)).toMatch(/^nothing after seal 1, which is signed; --full/)
    await sealed('b', 'c')
    await sealed('d')
    expect(await trail(false)).toMatch(/^3 entries under seals 2 to 3 after seal 1, which is signed; --full/)
    expect(await trail(true)).toBe('4 entries under seals 1 to 3, the whole trail')
  })

  test.each([
    ['an entry after it that was changed', `update audit.entry set reason = 'x' where action = 'f'`, 4],
    ['a seal after it that was deleted', `delete from audit.seal where number = 4`, 4],
    ['the seal under it that was changed', `update audit.seal set hash = sha256('x') where number = 3`, 3],
    ['the seal under it that was deleted', `delete from audit.seal where number = 3`, 3],
    ['all of it emptied', `truncate audit.seal, audit.entry`, 3],
  ])('is found to be tampered with: %s', async (_what, tampering, number) => {
    await signedTrail()
    await sealed('f')
    await sealed('g')
    expect(await details(false)).toEqual([])
    await house.run(tampering)
    expect(await details(false)).toEqual([expect.stringMatching(`^seal ${number} does not verify: `)])
  })

  test('does not vouch for the entries before it: those are for the whole', async () => {
    await signedTrail()
    await house.run(`update audit.entry set reason = 'x' where action = 'c'`)
    expect([await details(false), await details(true)]).toEqual([
      [],
      [expect.stringMatching('^seal 2 does not verify: ')],
    ])
  })
})
