/** Each switch does what it says, on a system without its own business in the way: the tax engine. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import type { Call } from '#landscape/server.ts'
import type { FakeClock } from '#tests/support/clock.ts'
import { bench, call } from './bench.ts'

let landscape: Landscape
let clock: FakeClock
afterEach(() => landscape.stop())

async function start(): Promise<void> {
  const started = await bench()
  landscape = started.landscape
  clock = started.clock
}

const headers = { authorization: `Basic ${Buffer.from('northway:secret').toString('base64')}` }
const place = { country: 'US', region: 'MA', postal_code: '02110' }
const transaction = (code: string) => ({
  code,
  company: 'NWF',
  date: '2026-11-02',
  currency: 'USD',
  customer: { code: '1' },
  ship_from: place,
  ship_to: place,
  lines: [{ number: '1', item: 'a', tax_code: 'GENERAL', quantity: 1, amount: '10.00' }],
})
const commit = (code: string) =>
  call(`${landscape.tax.url}/v1/transactions`, { headers, body: transaction(code) })
const committed = () => landscape.tax.truth().transactions.map((one) => one.code)
const direct = (code: string): Call => ({
  method: 'POST',
  path: '/v1/transactions',
  query: '',
  headers,
  body: JSON.stringify(transaction(code)),
})

describe('fault switches', () => {
  it('latency lets the answer and the effect wait', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'latency', ms: 200 })
    const answer = landscape.tax.answer(direct('I-1'))
    await clock.settle()
    expect(committed()).toEqual([])
    await clock.advance(200)
    expect(await answer).toMatchObject({ status: 201 })
    expect(committed()).toEqual(['I-1'])
  })

  it('a rate limit answers 429 with Retry-After in seconds until a token has grown again', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'rate-limit', perSecond: 2, retryAfterSeconds: 3 })
    const statuses = [await commit('I-1'), await commit('I-2'), await commit('I-3')].map((one) => one.status)
    expect(statuses).toEqual([201, 201, 429])
    await clock.advance(500)
    const after = await commit('I-3')
    expect(after.status).toBe(201)
    expect((await commit('I-4')).headers.get('retry-after')).toBe('3')
  })

  it('a rate limit can say Retry-After as a date', async () => {
    await start()
    landscape.tax.faults.set({
      kind: 'rate-limit',
      perSecond: 0,
      retryAfterSeconds: 60,
      retryAfterAs: 'date',
    })
    expect((await commit('I-1')).headers.get('retry-after')).toBe('Mon, 02 Nov 2026 09:01:00 GMT')
  })

  it('a server error has no effect and stops after so many times', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'server-error', status: 502, times: 2 })
    expect([(await commit('I-1')).status, (await commit('I-1')).status]).toEqual([502, 502])
    expect(committed()).toEqual([])
    expect((await commit('I-1')).status).toBe(201)
  })

  it('strikes only the operation it names', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'server-error', operation: 'find' })
    expect((await commit('I-1')).status).toBe(201)
    expect((await call(`${landscape.tax.url}/v1/companies/NWF/transactions/I-1`, { headers })).status).toBe(
      503,
    )
  })

  it('strikes the same share of the same keys whenever the seed is the same', async () => {
    const struck = async (): Promise<string> => {
      await start()
      landscape.tax.faults.set({ kind: 'server-error', share: 0.5 })
      const statuses: number[] = []
      for (let n = 0; n < 40; n++) statuses.push((await commit(`I-${n}`)).status)
      await landscape.stop()
      return statuses.join()
    }
    const first = await struck()
    expect(await struck()).toBe(first)
    expect(first.split('503').length - 1).toBeGreaterThan(8)
    expect(first.split('201').length - 1).toBeGreaterThan(8)
  })

  it('begins and ends with its window', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'server-error', afterMs: 100, forMs: 50 })
    const statuses = [(await commit('I-1')).status]
    await clock.advance(100)
    statuses.push((await commit('I-2')).status)
    await clock.advance(50)
    statuses.push((await commit('I-3')).status)
    expect(statuses).toEqual([201, 503, 201])
  })

  it('no answer breaks the connection although the effect is done', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'no-answer', times: 1 })
    await expect(commit('I-1')).rejects.toThrow('fetch failed')
    expect(committed()).toEqual(['I-1'])
    expect(await landscape.tax.answer(direct('I-1'))).toMatchObject({ status: 200 })
  })

  it('no answer can also hang', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'no-answer', mode: 'hang', hangMs: 900 })
    expect(await landscape.tax.answer(direct('I-1'))).toEqual({ silent: 'hang', ms: 900 })
    expect(committed()).toEqual(['I-1'])
  })

  it.each([
    ['html', (text: string) => text.startsWith('<!DOCTYPE html>')],
    ['empty', (text: string) => text === ''],
    ['truncated', (text: string) => text.startsWith('{') && !text.endsWith('}')],
  ] as const)('a wrong body (%s) comes with status 200 after the effect', async (body, looksSo) => {
    await start()
    landscape.tax.faults.set({ kind: 'wrong-body', body })
    const answer = await commit('I-1')
    expect([answer.status, looksSo(answer.text), committed()]).toEqual([200, true, ['I-1']])
  })

  it('an outage resets or answers 503, without effect', async () => {
    await start()
    const [id] = landscape.tax.faults.set({ kind: 'outage', mode: 'reset' })
    await expect(commit('I-1')).rejects.toThrow('fetch failed')
    landscape.tax.faults.clear(id)
    landscape.tax.faults.set({ kind: 'outage', mode: 'unavailable' })
    expect((await commit('I-1')).status).toBe(503)
    expect(committed()).toEqual([])
  })

  it('a refused outage closes the port and opens the same one again', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'outage', mode: 'refused', forMs: 60_000 })
    await expect(commit('I-1')).rejects.toThrow('fetch failed')
    await clock.advance(60_002)
    await clock.settle()
    expect((await commit('I-1')).status).toBe(201)
  })

  it('an item failure spares the neighbours in the batch', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'item-failure', operation: 'commits', share: 0.5 })
    const transactions = Array.from({ length: 30 }, (_, n) => transaction(`I-${n}`))
    const { results } = (
      await call(`${landscape.tax.url}/v1/transactions/batch`, { headers, body: { transactions } })
    ).json()
    const good = results
      .filter((one: { status: number }) => one.status === 201)
      .map((one: { code: string }) => one.code)
    expect(good.length).toBeGreaterThan(5)
    expect(good.length).toBeLessThan(25)
    expect(new Set(good)).toEqual(new Set(committed()))
  })

  it('are set, listed and cleared over HTTP, also while the system fails', async () => {
    await start()
    const admin = `${landscape.tax.url}/_faults`
    const set = (
      await call(admin, {
        body: [
          { kind: 'outage', mode: 'reset' },
          { kind: 'latency', ms: 1 },
        ],
      })
    ).json()
    expect(set.ids).toHaveLength(2)
    expect((await call(`${admin}/${set.ids[0]}`, { method: 'DELETE' })).json()).toMatchObject([
      { fault: { kind: 'latency' } },
    ])
    await call(admin, { method: 'DELETE' })
    expect(landscape.tax.faults.list()).toEqual([])
    expect((await call(admin, { body: { kind: 'earthquake' } })).status).toBe(400)
  })
})

describe('counters', () => {
  it('count requests, items and how often each key came, whatever the answer', async () => {
    await start()
    landscape.tax.faults.set({ kind: 'server-error', times: 1 })
    await commit('I-1')
    await commit('I-1')
    await commit('I-2')
    const { received } = landscape.tax
    expect([received.requests('commit'), received.items('commit'), received.times('commit', 'I-1')]).toEqual([
      3, 3, 2,
    ])
    expect((await call(`${landscape.tax.url}/_received`)).json().operations.commit).toEqual({
      requests: 3,
      items: 3,
      distinctKeys: 2,
      repeats: { 'I-1': 2 },
    })
  })
})
