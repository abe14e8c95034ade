/** The examples of the published contract: one order as it is sent, answered, listed, read and changed. */
import type { z } from 'zod'
import type { CancelAnswer, HoldReleased, Milestones, OrderSummary, OrderView } from './answers.ts'
import type { OrderAnswer, OrderRequest } from '../contract.ts'

export const request = {
  company: 'NWF',
  customer: '100123',
  customerOrder: 'PO-88123',
  lines: [{ line: '1', sku: '10012', quantity: '4', unit: 'CA' }],
} satisfies z.input<typeof OrderRequest>

const hold = {
  id: 'H-1000020',
  type: 'credit' as const,
  reason: 'over the credit limit by 412.00 USD',
  blocks: ['postToErp', 'release'],
}

export const answer = {
  id: 'O-1000017',
  customerOrder: 'PO-88123',
  outcome: 'accepted-with-holds',
  currency: 'USD',
  total: '153.60',
  holds: [hold],
  lines: [
    {
      line: '1',
      sku: '10012',
      outcome: 'reserved',
      quantity: '4',
      unit: 'CA',
      reserved: '4',
      backordered: '0',
      price: '38.40',
    },
  ],
} satisfies OrderAnswer

export const summary = {
  id: 'O-1000017',
  company: 'NWF',
  customer: '100123',
  customerOrder: 'PO-88123',
  channel: 'api',
  stage: 'held',
  currency: 'USD',
  total: '153.60',
  lineCount: 1,
  acceptedAt: '2026-11-21T08:30:00.123456Z',
  holds: [hold],
} satisfies OrderSummary

export const order = {
  id: 'O-1000017',
  version: 1,
  company: 'NWF',
  customer: '100123',
  customerOrder: 'PO-88123',
  channel: 'api',
  stage: 'held',
  shippingRule: 'ship-available',
  shipTo: '100123-S1',
  currency: 'USD',
  total: '153.60',
  cancelRequested: false,
  holds: [hold],
  lines: [
    {
      line: '1',
      sku: '10012',
      quantity: '4',
      unit: 'CA',
      price: '38.40',
      priceUnit: 'CA',
      net: '153.60',
      baseUnit: 'EA',
      ordered: '48',
      cancelled: '0',
      open: '0',
      backordered: '0',
      reserved: '48',
      released: '0',
      picked: '0',
      packed: '0',
      shipped: '0',
    },
  ],
  numbers: [{ scheme: 'customer-order', value: 'PO-88123' }],
} satisfies OrderView

export const milestones = {
  order: 'O-1000017',
  milestones: [
    {
      milestone: 'accepted',
      at: '2026-11-21T08:30:00.123Z',
      source: 'api',
      document: 'O-1000017',
      event: 'order.accepted',
    },
    {
      milestone: 'shipped',
      at: '2026-11-21T15:12:41.007Z',
      source: 'wms',
      document: 'O-1000017',
      event: 'order.shipped',
    },
  ],
} satisfies Milestones

export const cancelled = { id: 'O-1000017', state: 'cancel_requested', version: 4 } satisfies CancelAnswer

export const holdReleased = { id: 'O-1000017', released: hold, holds: [], version: 2 } satisfies HoldReleased
