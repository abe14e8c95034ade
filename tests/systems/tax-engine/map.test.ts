/** The tax engine's words and ours, on a recorded transaction. */
import { expect, test } from 'vitest'
import type { TaxRequest } from '#capabilities/tax.ts'
import { fieldsOf, Unexpected } from '#platform/fields.ts'
import { units } from '#platform/quantity.ts'
import { toDetermination, toEngineDocument } from '#systems/tax-engine/map.ts'
import { sample } from '../samples.ts'

const locations = { DC1: { country: 'US', region: 'NJ', postalCode: '07102' } }
const request: TaxRequest = {
  company: 'NWF',
  document: 'I-1000001',
  customer: '100106',
  shipTo: { country: 'US', region: 'MA', postalCode: '02110' },
  shipFrom: 'DC1',
  currency: 'USD',
  date: '2026-11-03',
  lines: [{ line: 1, sku: '10000', taxClass: 'food', quantity: units(12), netMinor: 34_080 }],
}

test('an invoice is said in the words of the engine', () => {
  expect(toEngineDocument({ ...request, exemption: 'RESALE' }, locations)).toEqual({
    code: 'I-1000001',
    company: 'NWF',
    type: 'SalesInvoice',
    date: '2026-11-03',
    currency: 'USD',
    customer: { code: '100106', exemption: 'RESALE', vat_number: null },
    ship_from: { country: 'US', region: 'NJ', postal_code: '07102' },
    ship_to: { country: 'US', region: 'MA', postal_code: '02110' },
    lines: [{ number: '1', item: '10000', tax_code: 'FOOD', quantity: 12, amount: '340.80' }],
  })
})

test.each([
  ['a location nobody described', { shipFrom: 'DC9' }],
  ['a tax class it does not know', { lines: [{ ...request.lines[0]!, taxClass: 'luxury' }] }],
])('%s is refused before anything is sent', (_, change) => {
  expect(() => toEngineDocument({ ...request, ...change }, locations)).toThrow(
    expect.objectContaining({ code: 'connector.code_unmapped' }),
  )
})

test('a transaction is the evidence, with tax and rate of each line', () => {
  expect(toDetermination(fieldsOf(sample('tax-engine/transaction')))).toEqual({
    evidence: 'TX-a9aa6cfb451288ca',
    jurisdiction: 'US-MA',
    taxMinor: 2_130,
    lines: [
      { line: 1, taxMinor: 2_130, ratePpm: 62_500 },
      { line: 2, taxMinor: 0, ratePpm: 0 },
    ],
  })
})

test.each([
  ['a rate in per cent', { rate: '6.25' }],
  ['a rate that is no text', { rate: 0.0625 }],
])('%s is never guessed', (_, change) => {
  const transaction = structuredClone(sample('tax-engine/transaction')) as { lines: { details: object[] }[] }
  Object.assign(transaction.lines[0]!.details[0]!, change)
  expect(() => toDetermination(fieldsOf(transaction))).toThrow(Unexpected)
})
