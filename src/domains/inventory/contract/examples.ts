/** What the doors of reservations are shown with. */
import type { z } from 'zod'
import type { ReservationAnswer, ReservationRequest } from './reservations.ts'

export const request = {
  company: 'NWF',
  channel: 'portal',
  reference: 'cart-88123',
  kind: 'soft',
  expiresAt: '2026-11-21T08:45:00Z',
  lines: [{ line: '1', sku: '10012', quantity: '10', unit: 'CA' }],
} satisfies z.input<typeof ReservationRequest>

export const reservation = {
  id: 'R-1000060',
  company: 'NWF',
  channel: 'portal',
  reference: 'cart-88123',
  kind: 'soft',
  class: 'standard',
  priority: 5,
  state: 'open',
  expiresAt: '2026-11-21T08:45:00.000Z',
  createdAt: '2026-11-21T08:30:00.000Z',
  version: 1,
  lines: [
    {
      line: '1',
      sku: '10012',
      requested: '10',
      unit: 'CA',
      baseUnit: 'EA',
      granted: '120',
      open: '120',
      committed: '0',
      released: '0',
      expired: '0',
      places: [{ location: 'CHI-1', open: '120' }],
    },
  ],
} satisfies ReservationAnswer

const [line] = reservation.lines
const half = { ...line!, granted: '60', open: '60', places: [{ location: 'CHI-1', open: '60' }] }

export const splitRequest = { reference: 'cart-88124', lines: [{ line: '1', quantity: '60' }] }
export const split = {
  kept: { ...reservation, version: 2, lines: [half] },
  split: {
    ...reservation,
    id: 'R-1000061',
    reference: 'cart-88124',
    lines: [{ ...half, requested: '60', unit: 'EA' }],
  },
}
