/** The guard of calls to addresses that others name: every notation of what is not public, as written, resolved and dialled. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import {
  AddressRefused,
  type AddressRules,
  isPublicAddress,
  refuseConnected,
  refusedAddress,
  type Resolve,
} from '#platform/http-address-guard.ts'
import { NotSent, type OpenHttpClient, openHttpClient } from '#platform/http-client.ts'

const strict: AddressRules = { ports: [443, 8443], trusted: [] }

/** IPv4 that nobody outside may have us call. */
const INNER_V4 = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200', // metadata of Alibaba
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16', // Azure's host: unicast by its range
  '169.254.0.1',
  '169.254.169.254', // metadata of most clouds
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192', // metadata of Oracle
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
]

const INNER_V6 = [
  '::',
  '::1',
  '::2',
  '::127.0.0.1',
  '::8.8.8.8',
  '64:ff9b::8.8.8.8',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001:db8::1',
  '2001::1', // Teredo
  '2002:7f00:1::', // 6to4
  '2002:a9fe:a9fe::1',
  'fc00::1',
  'fd00:ec2::254', // metadata of Amazon
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '4000::1',
  '0:0:0:0:0:0:0:1',
]

/** The ways in which the same IPv4 address is written into a URL. */
function notations(address: string): string[] {
  const bytes = address.split('.').map(Number) as [number, number, number, number]
  const [a, b, c, d] = bytes
  const whole = ((a * 256 + b) * 256 + c) * 256 + d
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'))
  return [
    address,
    `${address}.`,
    String(whole),
    `0x${whole.toString(16)}`,
    `0${whole.toString(8)}`,
    `${a}.${b * 65_536 + c * 256 + d}`,
    `0x${a.toString(16)}.${b}.${c * 256 + d}`,
    bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
    bytes.map((byte) => `0x${byte.toString(16)}`).join('.'),
    `[::ffff:${address}]`,
    `[::ffff:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}]`,
    `[64:ff9b::${address}]`,
    `[2002:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}::1]`,
    address.replaceAll(/./g, (sign) =>
      sign === '.' ? '。' : String.fromCodePoint(sign.codePointAt(0)! + 0xfee0),
    ),
  ]
}

const HOSTILE = [
  ...INNER_V4.flatMap((address) => notations(address).map((host) => `https://${host}/hook`)),
  ...INNER_V6.map((address) => `https://[${address}]/hook`),
  'https://localhost/',
  'https://LOCALHOST/',
  'https://localhost./',
  'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
  'https://api.localhost/',
  'https://printer.local/',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://erp/',
  'https://erp.corp/',
  'https://router.lan/',
  'https://router.home.arpa/',
  'https://wiki.intranet/',
  'http://example.com/',
  'http://93.184.216.34/',
  'https://example.com:22/',
  'https://example.com:80/',
  'https://example.com:5432/',
  'https://example.com:6379/',
  'https://user@example.com/',
  'https://user:password@example.com/',
  'https://example.com@127.0.0.1/',
  'https://example.com:443@10.0.0.1/',
  'https://example.com/#fragment',
  'https://[fe80::1%25eth0]/',
  'https://[::1%eth0]/',
  'unix:/var/run/docker.sock',
  'gopher://example.com/',
  'file:///etc/passwd',
  'ftp://example.com/',
  'data:text/plain,x',
  'javascript:alert(1)',
  'ws://example.com/',
  '//example.com/',
  'example.com',
  '',
  'https://',
  'https:///example.com:0',
  `https://example.com/${'a'.repeat(2_000)}`,
]

describe('an address that is named', () => {
  test('there are kinds enough to be refused', () => {
    expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(300)
  })

  test.each(HOSTILE.map((url) => [url]))('%s is refused', (url) => {
    expect(refusedAddress(strict, url)).toEqual(expect.any(String))
  })

  test.each([
    'https://example.com/hook',
    'https://example.com:8443/hook?token=a',
    'https://hooks.example.co.uk/',
    'https://bücher.example/',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
    'https://172.32.0.1/',
    'https://11.0.0.1/',
  ])('%s may be called', (url) => expect(refusedAddress(strict, url)).toBeUndefined())

  test('that the operator trusts may be called without TLS and on any port, and no other by its grace', () => {
    const rules = { ports: [443], trusted: ['127.0.0.1'] }
    expect(refusedAddress(rules, 'http://127.0.0.1:8123/hook')).toBeUndefined()
    expect(refusedAddress(rules, 'http://2130706433:8123/hook')).toBeUndefined()
    expect(refusedAddress(rules, 'http://[::ffff:127.0.0.1]:8123/hook')).toBeUndefined()
    expect(refusedAddress(rules, 'http://127.0.0.2:8123/hook')).toBeDefined()
    expect(refusedAddress(rules, 'http://localhost:8123/hook')).toBeDefined()
  })
})

test.each([...INNER_V4, ...INNER_V6, 'not an address', ''])('%s is no public address', (address) =>
  expect(isPublicAddress(address)).toBe(false),
)

test('who turns out to be of the inner network is hung up on, whatever was dialled', () => {
  const gone: string[] = []
  const socket = (remoteAddress: string | undefined) =>
    ({ remoteAddress, destroy: () => void gone.push(String(remoteAddress)) }) as never
  expect(refuseConnected(strict, socket('::ffff:10.0.0.7'))).toBeInstanceOf(AddressRefused)
  expect(refuseConnected(strict, socket(undefined))).toBeInstanceOf(AddressRefused)
  expect(refuseConnected(strict, socket('93.184.216.34'))).toBeUndefined()
  expect(gone).toEqual(['::ffff:10.0.0.7', 'undefined'])
})

describe('a guarded client', () => {
  let server: Server
  let asked = 0
  let port: number
  const clients: OpenHttpClient[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked += 1
      if (request.url === '/elsewhere') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      else response.end('yes')
    })
    server.on('connection', () => (asked += 100))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    server.close()
  })

  function call(url: string, rules: AddressRules, resolve?: Resolve) {
    const client = openHttpClient({
      clock: systemClock,
      guard: resolve ? { rules, resolve } : { rules },
    })
    clients.push(client)
    return client.request({ method: 'POST', url, timeoutMs: 5_000 })
  }

  test.each(['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', 'localhost'])(
    'does not even connect to %s',
    async (host) => {
      const before = asked
      const error = await call(`http://${host}:${port}/`, strict).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NotSent)
      expect((error as NotSent).cause).toBeInstanceOf(AddressRefused)
      expect(asked).toBe(before)
    },
  )

  test('does not follow a name to an inner address, nor one that has both', async () => {
    const before = asked
    const inner = { address: '127.0.0.1', family: 4 }
    const outer = { address: '93.184.216.34', family: 4 }
    for (const addresses of [[inner], [outer, inner], []]) {
      const error = await call(`http://rebound.example.com:${port}/`, strict, async () => addresses).catch(
        (thrown: unknown) => thrown,
      )
      expect((error as NotSent).cause).toBeInstanceOf(AddressRefused)
    }
    expect(asked).toBe(before)
  })

  test('reaches what is trusted, and takes a redirect for the answer that it is', async () => {
    const rules = { ports: [443], trusted: ['127.0.0.1'] }
    expect((await call(`http://127.0.0.1:${port}/`, rules)).text()).toBe('yes')
    const named = await call(`http://hooks.example.com:${port}/`, rules, async () => [
      { address: '127.0.0.1', family: 4 },
    ])
    expect(named.text()).toBe('yes')
    expect((await call(`http://127.0.0.1:${port}/elsewhere`, rules)).status).toBe(302)
  })
})
