/** What the doors of adjustments, positions and movements are shown with. */
import type { z } from 'zod'
import type { AdjustmentAnswer, AdjustmentRequest } from './adjustments.ts'
import type { MovementView, PositionView } from './ledger.ts'

export const request = {
  company: 'NWF',
  reason: 'count',
  reference: 'count sheet 2026-114',
  lines: [{ kind: 'counted', sku: '10012', location: 'CHI-1', quantity: '470', unit: 'EA' }],
} satisfies z.input<typeof AdjustmentRequest>

export const adjustment = {
  id: 'A-1000071',
  company: 'NWF',
  state: 'booked',
  reason: 'count',
  reference: 'count sheet 2026-114',
  value: '84.00',
  currency: 'USD',
  requestedBy: 'ann',
  requestedAt: '2026-11-21T08:30:00.000Z',
  version: 1,
  lines: [
    {
      n: 1,
      kind: 'counted',
      sku: '10012',
      location: 'CHI-1',
      status: 'available',
      quantity: '470',
      unit: 'EA',
      difference: '-10',
      explained: '0',
    },
  ],
  dryRun: false,
} satisfies AdjustmentAnswer

export const position = {
  sku: '10012',
  location: 'CHI-1',
  owner: 'own',
  available: '470',
  reserved: '96',
  qualityHold: '24',
  quarantine: '0',
  damaged: '0',
  blocked: '0',
  inTransit: '0',
  unreconciled: '0',
  unit: 'EA',
  toldAt: '2026-11-21T08:30:00.000Z',
} satisfies PositionView

export const movement = {
  id: '48112',
  sku: '10012',
  location: 'CHI-1',
  owner: 'own',
  from: 'available',
  to: 'adjustment',
  quantity: '10',
  unit: 'EA',
  reason: 'count',
  source: 'adjustment',
  sourceKey: 'A-1000071/1',
  document: 'A-1000071',
  at: '2026-11-21T08:30:00.000Z',
  recordedAt: '2026-11-21T08:30:00.000Z',
} satisfies MovementView
