/** What the doors of sourcing are shown with. */
import type { z } from 'zod'
import type { SourcingComparison, SourcingComparisonQuestion } from './sourcing-comparison.ts'
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

export const comparisonQuestion = {
  company: 'NWF',
  rules,
  decidedBy: 'midwest',
  from: '2026-11-01T00:00:00.000Z',
  until: '2026-11-21T00:00:00.000Z',
} satisfies z.input<typeof SourcingComparisonQuestion>

export const comparison = {
  company: 'NWF',
  orders: 412,
  decisions: { compared: 418, same: 377, changed: 41, notComparable: 0 },
  before: { splits: 63, worth: '221840.00', distance: 140, cost: '3218.40' },
  after: { splits: 39, worth: '221840.00', distance: 122, cost: '2954.10' },
  costed: 418,
  sample: [
    {
      order: 'O-1000017',
      cause: 'accepted',
      at: '2026-11-02T08:30:00.000Z',
      decidedBy: { id: 6, name: 'midwest', version: 1 },
      shipTo: 'US-TX',
      before: {
        given: [{ location: 'CHI-1', quantity: '120' }],
        splits: 0,
        worth: '540.00',
        distance: 1,
        cost: '6.90',
      },
      after: {
        given: [{ location: 'DAL-2', quantity: '120' }],
        splits: 0,
        worth: '540.00',
        distance: 0,
        cost: '6.90',
      },
      why: 'before the next by nearest: 0 against 1',
      whyNotBefore: 'nearest: 0 against 1',
    },
  ],
} satisfies SourcingComparison
