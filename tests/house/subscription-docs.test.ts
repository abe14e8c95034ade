/** The page on subscriptions: what it shows runs, and what it counts is what the house does. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { webhookHeaders } from '#platform/standard-webhooks.ts'
import { afterFailure } from '#platform/webhook-retries.ts'

let page: string
beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'subscriptions.md'), 'utf8')
})

type Check = (headers: Record<string, string>, body: string, secret: string, now: number) => boolean

test('its example tells our messages from those of others, from changed ones and from old ones', async () => {
  const [, source = ''] = /```js\n([^]*?)```/.exec(page) ?? []
  const { isFromCrossdock } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    isFromCrossdock: Check
  }
  const at = new Date('2026-11-21T08:30:00Z')
  const now = at.getTime() / 1_000
  const [secret, other] = ['whsec_c2VjcmV0', 'whsec_b3RoZXI=']
  const body = '{"a": 1}'
  const headers = webhookHeaders({ id: 'evt_1_1', at, body }, [other, secret])
  expect(isFromCrossdock(headers, body, secret, now)).toBe(true)
  expect(isFromCrossdock(headers, body, other, now + 299)).toBe(true)
  expect(isFromCrossdock(headers, body, 'whsec_bm9ib2R5', now)).toBe(false)
  expect(isFromCrossdock(headers, '{"a": 2}', secret, now)).toBe(false)
  expect(isFromCrossdock({ ...headers, 'webhook-id': 'evt_1_2' }, body, secret, now)).toBe(false)
  expect(isFromCrossdock(headers, body, secret, now + 301)).toBe(false)
})

test('it tells the schedule as it is', () => {
  const units = { s: 1_000, min: 60_000, h: 3_600_000 }
  const [, told = ''] = /at once, then after (.*?), each up to/.exec(page) ?? []
  const delays = told
    .split(/, | and /)
    .map((one) => one.split(' ') as [string, keyof typeof units])
    .map(([count, unit]) => Number(count) * units[unit])
  const wait = (attempts: number, random: number) => afterFailure({ attempts, random: () => random })
  expect(delays).toHaveLength(9)
  expect(delays.map((_, place) => wait(place + 1, 0))).toEqual(delays)
  expect(wait(10, 0)).toBeUndefined()
  for (const [place, delay] of delays.entries()) expect(wait(place + 1, 1)).toBeLessThanOrEqual(delay * 1.1)
})
