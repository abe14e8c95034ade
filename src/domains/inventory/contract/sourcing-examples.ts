/** What the doors of sourcing are shown with. */
import type { z } from 'zod'
import type {
  SourcingDecision,
  SourcingPreview,
  SourcingProfile,
  SourcingProfileRequest,
  SourcingQuestion,
  SourcingRules,
} from './sourcing.ts'

const rules = {
  network: ['CHI-1', 'DAL-2'],
  strategies: ['single-location', 'nearest'],
  tieBreakers: ['most-stock'],
  maxSplits: 1,
  minSplitOrder: '250',
  minSplitLine: '40',
  nearest: [{ shipTo: 'US-TX', locations: ['DAL-2', 'CHI-1'] }],
  costs: [{ location: 'CHI-1', perShipment: '6.5', perLine: '0.4' }],
} satisfies SourcingRules

export const newProfile = {
  company: 'NWF',
  name: 'midwest',
  rules,
  reason: 'Dallas opens',
} satisfies z.input<typeof SourcingProfileRequest>

export const profile = {
  id: 7,
  company: 'NWF',
  name: 'midwest',
  version: 2,
  effectiveFrom: '2026-11-21T08:30:00.000Z',
  inUse: true,
  rules,
  reason: 'Dallas opens',
  madeBy: 'planner',
  madeAt: '2026-11-21T08:30:00.000Z',
} satisfies SourcingProfile

export const question = {
  company: 'NWF',
  shipTo: 'US-TX',
  lines: [{ line: '1', sku: '10012', quantity: '10', unit: 'CA' }],
} satisfies z.input<typeof SourcingQuestion>

export const preview = {
  at: '2026-11-21T08:30:00.000Z',
  profile: { id: 7, name: 'midwest', version: 2 },
  shipTo: 'US-TX',
  lines: [{ line: '1', sku: '10012', wanted: '120', given: [{ location: 'DAL-2', quantity: '120' }] }],
  candidates: [
    {
      locations: ['DAL-2'],
      verdict: 'chosen',
      why: 'before the next by nearest: 0 against 1',
      linesWhole: 1,
      value: '0.00',
      scores: { 'single-location': 0, nearest: 0, 'most-stock': -2_400_000 },
    },
    {
      locations: ['CHI-1'],
      verdict: 'beaten',
      why: 'nearest: 0 against 1',
      linesWhole: 1,
      value: '0.00',
      scores: { 'single-location': 0, nearest: 1, 'most-stock': -4_800_000 },
    },
  ],
  looked: 2,
} satisfies SourcingPreview

export const decisions = {
  order: 'O-1000017',
  decisions: [{ cause: 'accepted', ...preview }],
} satisfies { order: string; decisions: SourcingDecision[] }
