import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Refusal } from '#platform/faults.ts'
import { createPages, PageQuery, pageOf } from '#platform/http-cursor.ts'
import { HEARTBEAT_MS, frameOf, frames } from '#platform/http-events.ts'
import { route } from '#platform/http.ts'
import type { ServerEvent } from '#platform/http.ts'
import { assertMatch, etag, isUnchanged } from '#platform/http-preconditions.ts'
import { createRateLimits } from '#platform/http-rate.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { asWriter, house } from './http-house.ts'

const principal = { client: 'shop', scopes: new Set<string>() }
const listing = (query: object, client = principal) => {
  return { path: '/crates', principal: client, query: { limit: 2, ...query } }
}
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return (error as Refusal).code
  }
}

test('a cursor leads on from where its page ended', () => {
  const pages = createPages('secret')
  const { body, headers } = pages.answer(listing({ state: 'open' }), ['a', 'b'], ['2026-11-21', 17])
  expect(pages.after(listing({ state: 'open', cursor: body.nextCursor }))).toEqual(['2026-11-21', 17])
  expect(headers['link']).toBe(`</crates?limit=2&state=open&cursor=${body.nextCursor}>; rel="next"`)
  expect(pages.after(listing({}))).toBeUndefined()
  expect(pages.answer(listing({}), ['c'], undefined)).toEqual({
    status: 200,
    body: { items: ['c'] },
    headers: {},
  })
})

test('a cursor may change the page size, but not the filter, the client, the secret or a single character', () => {
  const pages = createPages('secret')
  const cursor = pages.answer(listing({ state: 'open' }), [], ['k', 1]).body.nextCursor!
  expect(codeOf(() => pages.after(listing({ state: 'open', limit: 9, cursor })))).toBe('none')
  expect(codeOf(() => pages.after(listing({ state: 'held', cursor })))).toBe('http.cursor_invalid')
  expect(codeOf(() => pages.after(listing({ cursor })))).toBe('http.cursor_invalid')
  expect(codeOf(() => pages.after(listing({ state: 'open', cursor }, { ...principal, client: 'x' })))).toBe(
    'http.cursor_invalid',
  )
  expect(codeOf(() => createPages('other').after(listing({ state: 'open', cursor })))).toBe(
    'http.cursor_invalid',
  )
  // The last character carries bits that the encoding ignores, so it is left alone.
  for (let at = 0; at < cursor.length - 1; at++) {
    const forged = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
    expect(codeOf(() => pages.after(listing({ state: 'open', cursor: forged })))).toBe('http.cursor_invalid')
  }
})

test('a door pages through a list with Link headers', async () => {
  const pages = createPages('secret')
  const numbers = [1, 2, 3, 4, 5]
  const list = route({
    method: 'GET',
    path: '/process/crates/v1/crates',
    operationId: 'crates.list',
    summary: 'Crates',
    scope: 'crates:read',
    rateClass: 'read',
    bodyLimitBytes: 0,
    query: PageQuery.extend({ min: z.int().default(0) }),
    answers: { 200: { description: 'A page', body: pageOf(z.int()) } },
    handler(request) {
      const [last = 0] = pages.after(request) ?? []
      const found = numbers.filter((number) => number > Number(last) && number >= request.query.min)
      const items = found.slice(0, request.query.limit)
      return pages.answer(request, items, found.length > items.length ? [items.at(-1)!] : undefined)
    },
  })
  const { server } = house([list])
  const seen: number[][] = []
  let url: string | undefined = '/process/crates/v1/crates?limit=2&min=2'
  while (url !== undefined) {
    const answer = await server.call({ method: 'GET', url, headers: asWriter })
    seen.push((JSON.parse(answer.body) as { items: number[] }).items)
    url = /<(.+)>; rel="next"/.exec(answer.headers['link'] ?? '')?.[1]
  }
  expect(seen).toEqual([
    [2, 3],
    [4, 5],
  ])
  const tooMany = await server.call({
    method: 'GET',
    url: '/process/crates/v1/crates?limit=201',
    headers: asWriter,
  })
  expect(tooMany.status).toBe(422)
})

test('in any second a bucket lets through at most its burst and what it gained', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(gaps, async (waits) => {
      const clock = fakeClock()
      const limits = createRateLimits({ read: { perSecond: 5, burst: 3 } }, clock)
      let passed = 0
      let elapsedMs = 0
      for (const waitMs of waits) {
        clock.shiftWall(-60_000)
        await clock.advance(waitMs)
        elapsedMs += waitMs
        if (codeOf(() => limits.take('c', 'read')) === 'none') passed++
      }
      expect(passed).toBeLessThanOrEqual(3 + (elapsedMs / 1_000) * 5 + 1e-6)
    }),
    { numRuns: 30 },
  )
})

test('a flood of client names does not grow the buckets without bound, nor reset those that are in use', () => {
  const limits = createRateLimits({ read: { perSecond: 1, burst: 1 } }, fakeClock())
  for (let client = 0; client < 25_000; client++) limits.take(`c${client}`, 'read')
  expect(codeOf(() => limits.take('c24999', 'read'))).toBe('http.rate_limited')
})

test('If-Match passes on the current version, a list with it, or a star', () => {
  const outcome = (header: string | undefined) => codeOf(() => assertMatch(header, 3))
  expect([etag(3), '"v2", "v3"', '*'].map(outcome)).toEqual(['none', 'none', 'none'])
  const stale = ['"v2"', 'W/"v3"', 'v3', '', undefined].map(outcome)
  expect(new Set(stale)).toEqual(new Set(['http.precondition_failed']))
})

test('If-None-Match compares weakly', () => {
  expect(isUnchanged('W/"v3"', '"v3"')).toBe(true)
  expect(isUnchanged('"v2"', '"v3"')).toBe(false)
  expect(isUnchanged(undefined, '"v3"')).toBe(false)
})

test('an event cannot forge another one', () => {
  expect(frameOf({ id: '1\ndata: x', event: 'a\r\nb', data: 'l1\nl2' })).toBe(
    'id: 1 data: x\nevent: a  b\ndata: "l1\\nl2"\n\n',
  )
})

test('a silent stream sends a heartbeat every 15 seconds and no event twice', async () => {
  const clock = fakeClock()
  const abort = new AbortController()
  let publish = (_event: ServerEvent) => {}
  async function* events(): AsyncGenerator<ServerEvent> {
    for (;;) yield await new Promise<ServerEvent>((resolve) => (publish = resolve))
  }
  const sent: string[] = []
  const reading = (async () => {
    for await (const frame of frames(events(), clock, abort.signal)) sent.push(frame)
  })()
  await clock.advance(HEARTBEAT_MS - 1)
  expect(sent).toEqual(['retry: 2000\n\n'])
  await clock.advance(HEARTBEAT_MS + 1)
  publish({ data: 1 })
  await clock.settle()
  await clock.advance(HEARTBEAT_MS)
  abort.abort()
  await reading
  expect(sent.slice(1)).toEqual([': still here\n\n', ': still here\n\n', 'data: 1\n\n', ': still here\n\n'])
  expect(clock.pending).toBe(0)
})

test('a source that fails ends the stream with its error', async () => {
  async function* broken(): AsyncGenerator<ServerEvent> {
    yield await Promise.reject(new Error('the log is gone'))
  }
  const stream = frames(broken(), fakeClock(), new AbortController().signal)
  await stream.next()
  await expect(stream.next()).rejects.toThrow('the log is gone')
})
