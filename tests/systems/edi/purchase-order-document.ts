/** A purchase order as it was read, before any guide: good by default, with whatever a test wants to change about it. */
import type { PurchaseOrderDocument, PurchaseOrderLine } from '#systems/edi/documents/purchase-order.ts'

export const at = { byte: 0, line: 1 }

export const line = (overrides: Partial<PurchaseOrderLine> = {}): PurchaseOrderLine => ({
  line: '1',
  assignedId: '001',
  quantity: '10',
  unit: 'CA',
  price: '24.9',
  priceBasis: 'PE',
  productIds: [{ qualifier: 'VN', value: 'NWF-1001' }],
  dates: [],
  references: [],
  allowances: [],
  notes: [],
  schedules: [],
  destinations: [],
  parties: [],
  at,
  ...overrides,
})

export const order = (overrides: Partial<PurchaseOrderDocument> = {}): PurchaseOrderDocument => ({
  purpose: 'original',
  type: 'SA',
  number: 'PO-1',
  date: '2026-11-17',
  currency: 'USD',
  references: [],
  contacts: [],
  terms: [],
  dates: [{ qualifier: '002', date: '2026-11-24' }],
  routing: [],
  allowances: [],
  notes: ['Dock 4'],
  parties: [
    {
      role: 'ST',
      name: 'Store 12',
      id: { qualifier: '92', value: 'S12' },
      lines: ['18 Quay'],
      city: 'Portland',
      region: 'OR',
      postalCode: '97201',
      country: 'US',
      references: [],
      contacts: [],
    },
  ],
  lines: [line()],
  at,
  ...overrides,
})
