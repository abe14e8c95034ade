/** Certificates of other systems: when they end, and who hears of it in time. */
import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { certificateEnd } from '#platform/http-certificates.ts'
import { watchCertificates } from '#platform/certificates-watch.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

/** Of nobody: signed by itself for localhost. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLpgXUyCTqITuLj+N
qWIKZ8w18Ok/dO30NES63JM8nnOhRANCAASRx6/Z9RJAD1q7RgnoCO5gTR1GSgns
jXjVbhJ3WnUmJCVPHyWKPnnCOd08LvaBjYvqiZmqXlZo/85bHGjC7jb/
-----END PRIVATE KEY-----
`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUP+TeonRP8rEV3t0YRatRtG8c1/QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzEwNTUyOVoYDzIxMjYxMTAz
MTA1NTI5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASRx6/Z9RJAD1q7RgnoCO5gTR1GSgnsjXjVbhJ3WnUmJCVPHyWKPnnC
Od08LvaBjYvqiZmqXlZo/85bHGjC7jb/o28wbTAdBgNVHQ4EFgQUDlhuj2hxXaoM
dll0TtnOYn1DSFgwHwYDVR0jBBgwFoAUDlhuj2hxXaoMdll0TtnOYn1DSFgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAMBEWaGPtla3BbxT7qiAhN9cnwT90/YmOIog5Z8ifW8wAiAn
9T26X4ZwvHWCasjxiDZ7kB4LbUwIUcSTmcwws1fUIw==
-----END CERTIFICATE-----
`
const ENDS = new Date('2126-11-03T10:55:29Z')

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `localhost:${(server.address() as AddressInfo).port}`
}

describe('a look at a certificate', () => {
  let secure: Server
  let plain: Server
  let address: { readonly secure: string; readonly plain: string }
  beforeAll(async () => {
    secure = createServer({ key: KEY, cert: CERTIFICATE })
    plain = createPlainServer((socket) => void socket.on('error', () => undefined))
    address = { secure: await listening(secure), plain: await listening(plain) }
  })
  afterAll(() => {
    secure.close()
    plain.close()
  })

  test('says when it ends, also of one that nobody would trust', async () => {
    expect(await certificateEnd(5_000)(`https://${address.secure}/api`)).toEqual(ENDS)
  })

  test('ends with an error where nothing answers the handshake', async () => {
    await expect(certificateEnd(50)(`https://${address.plain}/api`)).rejects.toThrow('did not answer in time')
  })
})

const openExceptions = exceptionOpener({
  rules: [],
  otherwise: { owner: 'operations', severity: 'normal', dueBusinessHours: 8 },
  calendarOf: () => ({ addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }),
})

describe('the watch', () => {
  let house: OpenDatabase
  beforeAll(async () => {
    house = await openTestDatabase()
  })
  afterAll(() => house.end())
  beforeEach(() => house.run('truncate exceptions.exception cascade'))

  const systems = new Map([
    ['erp', 'https://erp.example.com/api'],
    ['wms', 'https://wms.example.com'],
    ['shop', 'http://127.0.0.1:9000'],
  ])
  const clock = fakeClock('2026-03-02T09:00:00Z')
  const look = (ends: Readonly<Record<string, string>>) =>
    watchCertificates({
      database: house.database,
      clock,
      company: '*',
      systems,
      openExceptions,
      async endOf(url) {
        const end = ends[new URL(url).hostname.split('.')[0]!]
        if (end === undefined) throw new Error(`nothing is known of ${url}`)
        return new Date(end)
      },
    })
  const open = async () =>
    (await listExceptions(house.database, {})).map(({ code, owner, severity, facts }) => ({
      code,
      owner,
      severity,
      facts,
    }))

  test('opens one exception with an owner a month before the end, and closes it after the renewal', async () => {
    await look({ erp: '2026-04-02T09:00:00Z', wms: '2027-01-01T00:00:00Z' })
    expect(await open()).toEqual([])
    const soon = { erp: '2026-03-20T00:00:00Z', wms: '2027-01-01T00:00:00Z' }
    await look(soon)
    await look(soon)
    expect(await open()).toEqual([
      {
        code: 'systems.certificate_ending',
        owner: 'integration',
        severity: 'normal',
        facts: { system: 'erp', endsAt: '2026-03-20T00:00:00.000Z' },
      },
    ])
    await look({ ...soon, erp: '2026-06-20T00:00:00Z' })
    expect(await open()).toEqual([])
  })

  test('tells a person anew 14 and 3 days before the end, each time more urgently, also of one declined before', async () => {
    const told = async (erp: string) => {
      await look({ erp })
      return (await open()).map(({ severity }) => severity)
    }
    expect(await told('2026-03-16T09:00:00Z')).toEqual(['normal'])
    await house.run(
      `update exceptions.exception set state = 'wont_fix', closed_at = now(), closed_by = 'a', resolution = 'no'`,
    )
    expect(await told('2026-03-16T08:59:59Z')).toEqual(['high'])
    expect(await told('2026-03-05T09:00:00Z')).toEqual(['high'])
    expect(await told('2026-03-05T08:59:59Z')).toEqual(['critical'])
    expect(await told('2026-03-01T00:00:00Z')).toEqual(['critical'])
  })

  test('leaves a system as it was known that cannot be looked at now', async () => {
    await look({ erp: '2026-03-20T00:00:00Z' })
    await look({})
    expect(await open()).toHaveLength(1)
  })
})
