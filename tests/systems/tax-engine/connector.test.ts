/** The tax connector against the simulated engine: one transaction for each document, however often it is asked. */
import { beforeAll, expect, test } from 'vitest'
import { determineTax, type TaxRequest } from '#capabilities/tax.ts'
import { systemClock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import { units } from '#platform/quantity.ts'
import { createTaxEngineConnector } from '#systems/tax-engine/connector.ts'
import { effectOf, fresh, ground, send, sendAll, sendAfterLease } from '../landscape.ts'

const it = ground()
let tax: Connector

const connect = (license = 'secret'): Connector =>
  createTaxEngineConnector({
    instance: 'tax',
    settings: {
      baseUrl: it.landscape.tax.url,
      credentials: { account: 'northway', license },
      options: { locations: { DC1: { country: 'US', region: 'NJ', postalCode: '07102' } } },
    },
    http: it.http,
    clock: systemClock,
  })

beforeAll(() => void (tax = connect()))

function requestOf(overrides: Partial<TaxRequest> = {}) {
  const document = fresh('I')
  return effectOf(document, {
    company: 'NWF',
    document,
    customer: '100106',
    shipTo: { country: 'US', region: 'MA', postalCode: '02110' },
    shipFrom: 'DC1',
    currency: 'USD',
    date: '2026-11-03',
    lines: [{ line: 1, sku: '10000', taxClass: 'general', quantity: units(12), netMinor: 34_080 }],
    ...overrides,
  } satisfies TaxRequest)
}

const truthOf = (code: string) =>
  it.landscape.tax.truth().transactions.filter((transaction) => transaction.code === code)

test('the tax of a document is determined with its evidence', async () => {
  const request = requestOf()
  expect(await send(tax, determineTax, request)).toEqual({
    kind: 'confirmed',
    answer: {
      evidence: truthOf(request.businessKey)[0]!.id,
      jurisdiction: 'US-MA',
      taxMinor: 2_130,
      lines: [{ line: 1, taxMinor: 2_130, ratePpm: 62_500 }],
    },
  })
})

test('a batch with every kind of trouble fails item by item', async () => {
  const busy = requestOf()
  const nowhere = requestOf({ shipTo: { country: 'US' } })
  const unsayable = requestOf({ shipFrom: 'DC9' })
  const good = requestOf()
  it.landscape.tax.faults.set({ kind: 'item-failure', operation: 'commits', times: 1 })
  const before = it.landscape.tax.received.requests('commits')
  const outcomes = await sendAll(tax, determineTax, [busy, nowhere, unsayable, good])
  expect(it.landscape.tax.received.requests('commits')).toBe(before + 1)
  expect(outcomes[0]).toMatchObject({ kind: 'retry' })
  expect(outcomes[1]).toMatchObject({ kind: 'refused', code: 'InvalidAddress' })
  expect(outcomes[2]).toMatchObject({ kind: 'refused', code: 'connector.code_unmapped' })
  expect(outcomes[3]).toMatchObject({
    kind: 'confirmed',
    answer: { evidence: truthOf(good.businessKey)[0]!.id },
  })
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)(
  '%s after the effect is unknown, and the same document gets the first evidence',
  async (_, fault) => {
    for (const requests of [[requestOf()], [requestOf(), requestOf()]]) {
      it.landscape.tax.faults.set({ ...fault, times: 1 })
      const first = await sendAll(tax, determineTax, requests)
      expect(first.map((outcome) => outcome.kind)).toEqual(requests.map(() => 'unknown'))
      const second = await sendAll(tax, determineTax, requests)
      for (const [at, { businessKey }] of requests.entries()) {
        const [known, ...more] = truthOf(businessKey)
        expect(second[at]).toMatchObject({ kind: 'confirmed', answer: { evidence: known!.id } })
        expect(more).toEqual([])
      }
    }
  },
)

test('the same document with other content is refused', async () => {
  const request = requestOf()
  await send(tax, determineTax, request)
  const changed = { ...request, request: { ...(request.request as TaxRequest), date: '2026-11-04' } }
  expect(await send(tax, determineTax, changed)).toMatchObject({
    kind: 'refused',
    code: 'DocumentCodeConflict',
  })
})

test('a rate limit says when to come back, an error with a promise may be repeated', async () => {
  it.landscape.tax.faults.set({
    kind: 'rate-limit',
    perSecond: 0.001,
    burst: 0,
    retryAfterSeconds: 30,
    retryAfterAs: 'seconds',
  })
  expect(await send(tax, determineTax, requestOf())).toMatchObject({ kind: 'retry', at: expect.any(Date) })
  it.landscape.tax.faults.clear()
  it.landscape.tax.faults.set({ kind: 'server-error', status: 500, times: 1 })
  expect(await send(tax, determineTax, requestOf())).toMatchObject({ kind: 'retry' })
})

test('wrong credentials refuse no document', async () => {
  expect(await send(connect('wrong'), determineTax, requestOf())).toMatchObject({ kind: 'retry' })
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const late = requestOf()
  expect(await sendAfterLease(tax, determineTax, late)).toBe('not asked: withdrawn')
  expect(truthOf(late.businessKey)).toEqual([])
})
