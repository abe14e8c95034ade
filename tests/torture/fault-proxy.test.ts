/** The bad network of the torture: each fault does to a connection what its name says, and nothing when it is over. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'

/** Repeats what it is told, and remembers it. */
let echo: Server
let heard: string
let proxy: FaultProxy
let callers: Caller[]

beforeEach(async () => {
  heard = ''
  callers = []
  echo = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => {
      heard += String(piece)
      socket.write(piece)
    })
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  proxy = await startFaultProxy({ target: () => port, random: () => 0.5 })
})
afterEach(async () => {
  for (const { socket } of callers) socket.destroy()
  await proxy.end()
  echo.close()
})

type Caller = { readonly socket: Socket; said: string; end: string | undefined }

function call(): Caller {
  const socket = connect(proxy.port, '127.0.0.1')
  const caller: Caller = { socket, said: '', end: undefined }
  callers.push(caller)
  socket.on('data', (piece: Buffer) => (caller.said += String(piece)))
  socket.on('end', () => (caller.end ??= 'end'))
  socket.on('error', (error: NodeJS.ErrnoException) => (caller.end = error.code))
  return caller
}

async function conversation(): Promise<Caller> {
  const caller = call()
  caller.socket.write('hello')
  await hears(caller, 'hello')
  return caller
}

const hears = (caller: Caller, said: string): Promise<void> =>
  vi.waitFor(() => expect(caller.said).toBe(said), { interval: 2 })
const ends = (caller: Caller, end: string): Promise<void> =>
  vi.waitFor(() => expect(caller.end).toBe(end), { interval: 2 })
const arrives = (text: string): Promise<void> => vi.waitFor(() => expect(heard).toBe(text), { interval: 2 })

test('without a fault it passes on what both sides say, and the end of a connection', async () => {
  const caller = await conversation()
  const large = 'x'.repeat(5_000_000)
  caller.said = ''
  caller.socket.write(large)
  await vi.waitFor(() => expect(caller.said).toHaveLength(large.length), { timeout: 10_000, interval: 10 })
  caller.socket.end()
  await ends(caller, 'end')
  expect(proxy.struck).toEqual({})
})

test('latency makes each piece late and keeps their order', async () => {
  const caller = await conversation()
  proxy.set({ kind: 'latency', ms: 40, jitterMs: 20 })
  const startedMs = performance.now()
  caller.socket.write(' and')
  caller.socket.write(' more')
  await hears(caller, 'hello and more')
  expect(performance.now() - startedMs).toBeGreaterThan(95)
  expect(proxy.struck).toEqual({ latency: 1 })
})

test('reset breaks the connections there are and those that come, until it is over', async () => {
  const caller = await conversation()
  proxy.set({ kind: 'reset' })
  await ends(caller, 'ECONNRESET')
  await ends(call(), 'ECONNRESET')
  expect(proxy.struck).toEqual({ reset: 2 })
  proxy.set(undefined)
  await conversation()
})

test('reset at a byte leaves exactly so much of an answer, and strikes only so many connections', async () => {
  proxy.set({ kind: 'reset-at-byte', atByte: 3, times: 1 })
  const caller = call()
  caller.socket.write('hello')
  await ends(caller, 'ECONNRESET')
  expect(caller.said).toBe('hel')
  expect(proxy.struck).toEqual({ 'reset-at-byte': 1 })
  await conversation()
})

test('half-open loses the other end without a word, and breaks when the network is well again', async () => {
  const caller = await conversation()
  proxy.set({ kind: 'half-open' })
  caller.socket.write(' anybody?')
  const late = call()
  late.socket.write(' and me?')
  await others()
  expect([caller.end, late.end, caller.said, late.said]).toEqual([undefined, undefined, 'hello', ''])
  expect(heard).toBe('helloothers')
  proxy.set(undefined)
  await Promise.all([ends(caller, 'ECONNRESET'), ends(late, 'ECONNRESET')])
  await conversation()
})

describe('a black hole', () => {
  test('on the way there swallows the request', async () => {
    const caller = await conversation()
    proxy.set({ kind: 'black-hole', way: 'there' })
    caller.socket.write(' request')
    await others()
    expect([heard, caller.said, caller.end]).toEqual(['helloothers', 'hello', undefined])
    proxy.set(undefined)
    await ends(caller, 'ECONNRESET')
  })

  test('on the way back lets the request be done and swallows the answer', async () => {
    const caller = await conversation()
    proxy.set({ kind: 'black-hole', way: 'back' })
    caller.socket.write(' request')
    await arrives('hello request')
    await others()
    expect([caller.said, caller.end]).toEqual(['hello', undefined])
    proxy.set(undefined)
    await ends(caller, 'ECONNRESET')
  })

  test('leaves connections alone on which nothing was said', async () => {
    const caller = await conversation()
    proxy.set({ kind: 'black-hole', way: 'there' })
    proxy.set(undefined)
    caller.socket.write(' again')
    await hears(caller, 'hello again')
    expect(proxy.struck).toEqual({})
  })
})

test('a forgotten connection stays silent when the network is well again', async () => {
  const caller = await conversation()
  proxy.set({ kind: 'half-open', forgotten: true })
  proxy.set(undefined)
  proxy.set({ kind: 'latency', ms: 1, jitterMs: 0 })
  proxy.set(undefined)
  caller.socket.write(' anybody?')
  await others()
  await conversation()
  expect([caller.end, caller.said]).toEqual([undefined, 'hello'])
})

test('a cut after the request lets it be done and breaks instead of answering, so many times', async () => {
  const [first, second] = [await conversation(), await conversation()]
  proxy.set({ kind: 'cut-after-request', times: 1 })
  first.socket.write(' order')
  await arrives('hellohello order')
  await ends(first, 'ECONNRESET')
  expect(first.said).toBe('hello')
  second.socket.write(' other')
  await hears(second, 'hello other')
  expect(proxy.struck).toEqual({ 'cut-after-request': 1 })
})

test('where nobody is behind it, who comes is reset', async () => {
  const lonely = await startFaultProxy({ target: () => undefined, random: () => 0 })
  const socket = connect(lonely.port, '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  await lonely.end()
})

/** What others say to the same server meanwhile, beside the proxy: after it, silence is silence. */
async function others(): Promise<void> {
  const socket = connect((echo.address() as AddressInfo).port, '127.0.0.1')
  socket.write('others')
  await once(socket, 'data')
  socket.destroy()
}
