/** What the doors of availability and allocations are shown with. */
import type { z } from 'zod'
import type { Allocations, AllocationsRequest } from './allocations.ts'
import type { AvailabilityAnswer, AvailabilityQuestion } from './availability.ts'
import type { Sources } from './freshness.ts'

export const question = {
  company: 'NWF',
  channel: 'shop',
  dates: true,
  explain: true,
  items: [{ sku: '10012', quantity: '10', unit: 'CA' }],
} satisfies z.input<typeof AvailabilityQuestion>

export const answer = {
  company: 'NWF',
  channel: 'shop',
  formula: { version: 4, text: 'free = onHand - onHold - reserved + …' },
  asOf: '2026-11-21T08:30:00.000Z',
  ageMs: 310,
  items: [
    {
      sku: '10012',
      unit: 'EA',
      available: '120',
      asked: { quantity: '10', unit: 'CA', canBePromised: true },
      places: [
        {
          location: 'CHI-1',
          available: '120',
          ageSeconds: 3_600,
          confidence: 'normal',
          dates: [
            { date: '2026-11-21', available: '120' },
            { date: '2026-12-01', available: '240' },
          ],
          explain: {
            onHand: '500',
            onHold: '60',
            reservedByOrders: '0',
            reservedFirm: '320',
            reservedSoft: '0',
            reservedExternally: '0',
            unreconciled: '0',
            safetyStock: '0',
            keptForOthers: '0',
            keptForChannel: '0',
            coming: '0',
            waiting: '0',
            steps: [
              { what: 'on hand', change: '500', leaves: '500' },
              { what: 'on hold, in quarantine, damaged or blocked', change: '-60', leaves: '440' },
              { what: 'reserved firmly by channels', change: '-320', leaves: '120' },
            ],
          },
        },
      ],
    },
  ],
} satisfies AvailabilityAnswer

const kept = { name: 'shop', kind: 'minimum', channels: ['shop'], quantity: '40' } as const

export const allocate = {
  company: 'NWF',
  reason: 'Autumn promotion',
  places: [{ sku: '10012', location: 'CHI-1', allocations: [{ ...kept, channels: ['shop'] }] }],
} satisfies z.input<typeof AllocationsRequest>

export const allocated = {
  company: 'NWF',
  items: [
    {
      ...kept,
      channels: ['shop'],
      sku: '10012',
      location: 'CHI-1',
      taken: '0',
      setBy: 'planner',
      setAt: '2026-11-21T08:30:00.000Z',
    },
  ],
} satisfies Allocations

export const sources = {
  items: [
    {
      source: 'wms-chicago',
      flow: 'messages',
      locations: ['CHI-1'],
      budgetSeconds: 1_800,
      rule: 'buffer',
      least: '12',
      factor: 1,
      origin: 'configured',
      heardAt: '2026-11-21T08:30:00.000Z',
      ageSeconds: 42,
      state: 'heard',
    },
  ],
  openDoubts: 0,
} satisfies Sources
