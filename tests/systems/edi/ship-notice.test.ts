/** What left the house, in the words of a partner's 856. */
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { checkDigit } from '#capabilities/sscc.ts'
import { buildShipNotice } from '#systems/edi/documents/856.ts'
import { toShipNotice } from '#systems/edi/map-ship-notice.ts'
import { line, order } from './purchase-order-document.ts'
import { guide } from './x12-text.ts'

const SSCC = `00360000000000001${checkDigit('00360000000000001')}`

const shipNotice = {
  company: 'NWF',
  shipment: 'S-1',
  order: 'O-1',
  customer: 'C-1',
  customerOrder: 'PO-1',
  carrier: 'FEDX',
  location: 'W1',
  shippedAt: new Date('2026-11-19T14:05:00Z'),
  packages: [
    {
      sscc: SSCC,
      tracking: '1Z',
      weightGrams: 18_500,
      lines: [{ line: '1', sku: 'NWF-1001', quantity: units(10), unit: 'CA', lot: 'L1', serials: ['SN-1'] }],
    },
  ],
}

test("a ship notice speaks the partner's units and ids", () => {
  const notice = toShipNotice(
    shipNotice,
    order({ lines: [line({ unit: 'CS' })] }),
    guide({ units: { CS: 'CA' } }),
  )
  expect(notice).toMatchObject({
    number: 'S-1',
    date: '2026-11-19',
    time: '1405',
    shipment: { carrier: { scac: 'FEDX' }, weight: { value: '18.5', unit: 'KG' } },
    orders: [
      {
        number: 'PO-1',
        packages: [
          { items: [{ assignedId: '001', quantity: '10', unit: 'CS', lots: ['L1'], serials: ['SN-1'] }] },
        ],
      },
    ],
  })
  expect(notice.shipment.parties).toMatchObject([
    { role: 'ST', city: 'Portland' },
    { role: 'SF', id: { value: 'W1' } },
  ])
  expect(buildShipNotice(notice)).toContainEqual(['MAN', 'GM', `00${SSCC}`])
})

test('what a notice repeats of an order and cannot write is left out, not refused', () => {
  const [party] = order().parties
  const document = order({
    parties: [{ ...party!, name: 'Store*12', region: 'Oregon', city: 'Portland~' }],
    lines: [line({ description: 'Olives * green' })],
  })
  const notice = toShipNotice(shipNotice, document, guide({ weightUnit: 'LB' }))
  expect(notice.shipment.parties[0]).toEqual({
    role: 'ST',
    id: { qualifier: '92', value: 'S12' },
    lines: ['18 Quay'],
    postalCode: '97201',
    country: 'US',
    references: [],
    contacts: [],
  })
  expect(notice.orders[0]?.packages[0]).toMatchObject({ weight: { value: '40.7855', unit: 'LB' } })
  expect(notice.orders[0]?.packages[0]?.items[0]).not.toHaveProperty('description')
})

test.each([
  ['FEDX', {}, ['TD5', '', '2', 'FEDX', undefined, undefined]],
  ['SWIFT', {}, ['TD5', '', undefined, undefined, undefined, 'SWIFT']],
  ['SWIFT', { carriers: { SWIFT: 'SWFT' } }, ['TD5', '', '2', 'SWFT', undefined, undefined]],
])('the carrier %s is named by its SCAC, else as it is called', (carrier, changes, expected) => {
  const built = buildShipNotice(toShipNotice({ ...shipNotice, carrier }, order(), guide(changes)))
  expect(built).toContainEqual(expected)
})

test('what left in the evening left on that day where the partner reads it', () => {
  const evening = { ...shipNotice, shippedAt: new Date('2026-11-20T01:30:00Z') }
  const notice = toShipNotice(evening, order(), guide({ timeZone: 'America/New_York' }))
  expect(notice).toMatchObject({ date: '2026-11-19', time: '2030' })
  expect(notice.shipment.dates).toEqual([{ qualifier: '011', date: '2026-11-19' }])
  expect(toShipNotice(evening, order(), guide())).toMatchObject({ date: '2026-11-20', time: '0130' })
})

test('a location whose code X12 cannot carry is left out', () => {
  const { shipment } = toShipNotice({ ...shipNotice, location: '1' }, order(), guide())
  expect(shipment.parties.map(({ role }) => role)).toEqual(['ST'])
})

test('a unit that the partner has no code for is refused', () => {
  const packages = shipNotice.packages.map((pack) => ({
    ...pack,
    lines: pack.lines.map((shipped) => ({ ...shipped, unit: 'XQQ' })),
  }))
  expect(() => toShipNotice({ ...shipNotice, packages }, order(), guide())).toThrow(
    expect.objectContaining({ code: 'edi.unit_unmapped', message: expect.stringContaining('XQQ') }),
  )
})
