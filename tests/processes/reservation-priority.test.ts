/** Requests of one moment are decided by priority, then in the order in which they came. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ReservationRequest } from '#domains/inventory/contract/reservations.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { fingerprintOf } from '#platform/http-idempotency.ts'
import { databaseIds } from '#platform/ids.ts'
import { Care } from '../../src/processes/care.ts'
import type { CompanyRules } from '../../src/processes/ports.ts'
import { reservationDoor } from '../../src/processes/reservation-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '45001'
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 5 } }], [{ number: '500001' }])
}, 60_000)
afterAll(() => house.end())

test('of those that share a transaction the lower number is served first, whoever came first', async () => {
  const { database, worker } = house.app
  const rules: CompanyRules = {
    code: 'NWF',
    currency: 'USD',
    timeZone: 'UTC',
    locations: ['DC1'],
    locationGroups: new Map(),
    taxedBy: 'erp',
    credit: { staleAfterMs: 1, fallback: 'hold' },
    price: { tolerancePpm: 0, toleranceMinor: 0, within: 'ours', beyond: 'hold' },
    holdsExpireAfterMs: undefined,
    adjustments: { approveAboveMinor: 0 },
    reservations: { softMs: 60_000, softMaxMs: 60_000 },
  }
  const company = () => rules
  const ports = {
    clock,
    ids: databaseIds(database),
    company,
    findCompany: company,
    care: new Care([], clock),
  }
  const door = reservationDoor({
    clock,
    batchMax: 10,
    queries: database,
    runner: () => worker.runner(),
    ports,
  })
  const ask = (reference: string, priority: number, quantity: number) => {
    const line = { line: '1', sku: SKU, quantity: String(quantity), unit: 'EA' }
    const body = { company: 'NWF', channel: 'portal', reference, priority, kind: 'firm', lines: [line] }
    const request = ReservationRequest.parse(body)
    const claim = { client: 'test', key: reference, fingerprint: fingerprintOf('POST', reference, request) }
    return door.add({ request, client: 'test', partner: undefined, traceId: 'a'.repeat(32), claim })
  }
  const receipts = await Promise.all([
    ask('last', 9, 3),
    ask('first', 1, 2),
    ask('second', 5, 3),
    ask('third', 5, 1),
  ])
  expect(receipts.map(({ kind }) => kind)).toEqual(['refused', 'granted', 'granted', 'refused'])
})
