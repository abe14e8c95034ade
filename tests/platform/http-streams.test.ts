import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Agent, request as send } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '#platform/clock.ts'
import { route } from '#platform/http.ts'
import type { Request, ServerEvent } from '#platform/http.ts'
import { frames } from '#platform/http-events.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { asWriter, closeHouses, codeOf, crateRoutes, reading, readsCrate, started } from './http-house.ts'

afterEach(closeHouses)

function eventRoute(
  events: (request: Request) => AsyncIterable<{ id: string; event: string; data: unknown }>,
) {
  return route({
    method: 'GET',
    path: '/process/crates/v1/events',
    operationId: 'crates.events',
    summary: 'What happens to crates',
    scope: 'crates:read',
    rateClass: 'read',
    bodyLimitBytes: 0,
    query: z.object({}),
    answers: { 200: { description: 'Events', contentType: 'text/event-stream' } },
    handler: (request) => ({ status: 200, events: events(request as unknown as Request) }),
  })
}

test('an event stream goes on after the last event seen, and ends the source when the reader leaves', async () => {
  let ended = false
  const { server } = started(
    [
      eventRoute(async function* ({ lastEventId, signal }) {
        try {
          yield { id: '8', event: 'packed', data: { after: lastEventId, text: 'two\nlines' } }
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        } finally {
          ended = true
        }
      }),
    ],
    { clock: systemClock },
  )
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 })
  const { headers, body } = await send(`${url}/process/crates/v1/events`, {
    headers: { ...asWriter, 'last-event-id': '7' },
  })
  expect(headers['content-type']).toBe('text/event-stream; charset=utf-8')
  let text = ''
  for await (const chunk of body) {
    text += String(chunk)
    if (text.includes('data:')) break
  }
  expect(text).toContain('id: 8\nevent: packed\ndata: {"after":"7","text":"two\\nlines"}\n\n')
  const clock = fakeClock()
  await clock.until(() => ended)
})

test('a closing server ends event streams, finishes what it has begun and takes nothing new', async () => {
  let finish = () => {}
  const begun = new Promise<void>((resolve) => (finish = resolve))
  let entered = false
  const { server } = started(
    [
      eventRoute(async function* () {
        yield { id: '1', event: 'packed', data: 1 }
        await new Promise(() => undefined)
      }),
      reading(async () => {
        entered = true
        await begun
        return { status: 200, body: { id: 'late', count: 1 } }
      }),
    ],
    { clock: systemClock },
  )
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 })
  const stream = await send(`${url}/process/crates/v1/events`, { headers: asWriter })
  const slow = send(`${url}${readsCrate.url}`, { headers: asWriter })
  await fakeClock().until(() => entered)
  const closed = server.close()
  expect(await stream.body.text()).toContain('id: 1')
  await expect(
    send(`${url}${readsCrate.url}`, { headers: asWriter, dispatcher: new Agent() }),
  ).rejects.toThrow('ECONNREFUSED')
  finish()
  expect(await (await slow).body.json()).toEqual({ id: 'late', count: 1 })
  await closed
})

test('more event streams than the limit are refused', async () => {
  const { server } = started(
    [
      eventRoute(async function* () {
        yield* []
      }),
    ],
    { maxStreams: 0 },
  )
  const answer = await server.call({ method: 'GET', url: '/process/crates/v1/events', headers: asWriter })
  expect(codeOf(answer)).toEqual([429, 'http.streams_exhausted'])
})

test('a taken port is an error that names the way out', async () => {
  const first = started(crateRoutes)
  const { port } = await first.server.listen({ host: '127.0.0.1', port: 0 })
  const second = started(crateRoutes)
  await expect(second.server.listen({ host: '127.0.0.1', port })).rejects.toThrow(/taken[^]*--port/)
})

test('an open event stream keeps nothing of the events that it has sent', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const sent: WeakRef<object>[] = []
  async function* events(): AsyncGenerator<ServerEvent> {
    for (;;) {
      const data = { number: sent.length }
      sent.push(new WeakRef(data))
      yield { data }
    }
  }
  const stream = frames(events(), fakeClock(), new AbortController().signal)
  for (let read = 0; read < 20; read++) await stream.next()
  const kept = (): number => {
    collect()
    return sent.filter((one) => one.deref() !== undefined).length
  }
  await fakeClock().until(() => kept() < 3, 'nearly all events are forgotten')
  expect(sent.length).toBeGreaterThan(18)
  await stream.return(undefined)
})
