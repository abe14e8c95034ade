/** The tax engine: one transaction per document code, rounded per line and jurisdiction, the same every time. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import { bench, call } from './bench.ts'

let landscape: Landscape
afterEach(() => landscape.stop())

async function start(): Promise<void> {
  ;({ landscape } = await bench())
}

const headers = { authorization: `Basic ${Buffer.from('northway:secret').toString('base64')}` }
const tax = (path: string, body?: unknown) => call(`${landscape.tax.url}/v1${path}`, { headers, body })
const US = { country: 'US', region: 'MA', postal_code: '02110' }
const DE = { country: 'DE', region: '', postal_code: '24103' }
const document = (change: Record<string, unknown> = {}) => ({
  code: 'I-1',
  company: 'NWF',
  date: '2026-11-03',
  currency: 'USD',
  customer: { code: '1' },
  ship_from: US,
  ship_to: US,
  lines: [
    { number: '1', item: 'a', tax_code: 'GENERAL', quantity: 1, amount: '0.24' },
    { number: '2', item: 'b', tax_code: 'GENERAL', quantity: 1, amount: '0.24' },
    { number: '3', item: 'c', tax_code: 'FOOD', quantity: 1, amount: '100.00' },
  ],
  ...change,
})

describe('the tax engine', () => {
  it('rounds each line half away from zero and sums the rounded taxes', async () => {
    await start()
    const taxed = (await tax('/transactions/quote', document())).json()
    expect(taxed).toMatchObject({
      total_amount: '100.48',
      total_tax: '0.04',
      total: '100.52',
      status: 'Quoted',
    })
    expect(taxed.summary).toEqual([
      { jurisdiction: 'US-MA', rate: '0.062500', taxable: '0.48', tax: '0.04' },
      { jurisdiction: 'US-MA', rate: '0.000000', taxable: '100.00', tax: '0.00' },
    ])
    expect(landscape.tax.truth().transactions).toEqual([])
  })

  it('commits a document code once, repeats the answer and refuses other content', async () => {
    await start()
    const first = await tax('/transactions', document())
    const again = await tax('/transactions', document())
    expect([first.status, again.status, again.text]).toEqual([201, 200, first.text])
    const other = await tax('/transactions', document({ ship_to: DE }))
    expect([other.status, other.json().error.code]).toEqual([409, 'DocumentCodeConflict'])
    expect((await tax('/companies/NWF/transactions/I-1')).json().id).toBe(first.json().id)
    expect((await tax('/companies/NWI/transactions/I-1')).status).toBe(404)
  })

  it('lets a voided code be used again', async () => {
    await start()
    await tax('/transactions', document())
    expect((await tax('/companies/NWF/transactions/I-1/void', {})).json().status).toBe('Voided')
    expect((await tax('/transactions', document({ ship_to: DE }))).status).toBe(201)
  })

  it.each([
    ['a resale certificate', { customer: { code: '1', exemption: 'RESALE' } }, '0.00'],
    [
      'a delivery within Germany',
      { ship_from: DE, ship_to: DE, customer: { code: '1', vat_number: 'DE1' } },
      '7.10',
    ],
    [
      'a reverse charge to France',
      { ship_from: DE, ship_to: { ...DE, country: 'FR' }, customer: { code: '1', vat_number: 'FR1' } },
      '0.00',
    ],
    ['a private delivery to France', { ship_from: DE, ship_to: { ...DE, country: 'FR' } }, '5.60'],
    ['state and city together', { ship_to: { country: 'US', region: 'IL', postal_code: '60606' } }, '2.31'],
    ['an export', { ship_to: { ...DE, country: 'BR' } }, '0.00'],
  ])('taxes %s', async (_what, change, total) => {
    await start()
    expect((await tax('/transactions/quote', document(change))).json().total_tax).toBe(total)
  })

  it.each([
    ['InvalidAddress', { ship_to: { country: '', region: '', postal_code: '' } }],
    ['InvalidLine', { lines: [{ number: '1', tax_code: 'WINE', amount: '1.00' }] }],
    ['InvalidLine', { lines: [{ number: '1', tax_code: 'FOOD', amount: '1.005' }] }],
  ])('refuses with %s', async (code, change) => {
    await start()
    const answer = await tax('/transactions', document(change))
    expect([answer.status, answer.json().error.code]).toEqual([422, code])
  })

  it('answers a batch by code, each with its own status', async () => {
    await start()
    await tax('/transactions', document({ code: 'I-2' }))
    const transactions = [document(), document({ code: 'I-2' }), document({ code: 'I-3', lines: [] })]
    const { results } = (await tax('/transactions/batch', { transactions })).json()
    const by = Object.fromEntries(
      results.map((one: { code: string; status: number }) => [one.code, one.status]),
    )
    expect(by).toEqual({ 'I-1': 201, 'I-2': 200, 'I-3': 422 })
    expect((await tax('/transactions/batch', { transactions: Array(51).fill(document()) })).status).toBe(422)
  })

  it('asks for its license', async () => {
    await start()
    expect((await call(`${landscape.tax.url}/v1/transactions`, { body: document() })).status).toBe(401)
  })
})
