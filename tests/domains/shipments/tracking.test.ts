/** Which scan of a parcel counts, and what parcels make of a shipment. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AskingAnswer,
  type Parcel,
  PARCEL_MILESTONES,
  type ParcelMilestone,
  type ParcelScan,
} from '#domains/shipments/contract/tracking.ts'
import {
  afterAsking,
  afterScan,
  firstAsking,
  milestoneOf,
  shipmentMilestone,
  troubleOf,
} from '#domains/shipments/rules/tracking.ts'

const parcel: Parcel = {
  doc: 1,
  n: 1,
  sscc: null,
  tracking: 'SW1',
  carrier: null,
  last: null,
  unknown: null,
  asking: null,
  lastAsked: null,
  missed: null,
}
const scan = (milestone: ParcelMilestone, sequence: number, minute = sequence): ParcelScan => ({
  source: 'carrier',
  messageId: `${milestone}-${sequence}`,
  tracking: 'SW1',
  milestone,
  code: milestone.toUpperCase(),
  sequence,
  at: new Date(Date.UTC(2026, 10, 28, 8, minute)),
})
const after = (scans: readonly ParcelScan[]): Parcel =>
  scans.reduce((before, one) => afterScan(before, one) ?? before, parcel)
const reached = (scans: readonly ParcelScan[]) => milestoneOf(after(scans))

const anyScan = fc
  .record({
    milestone: fc.constantFrom<ParcelMilestone>(...PARCEL_MILESTONES, 'unknown'),
    sequence: fc.integer({ min: 1, max: 6 }),
    minute: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ milestone, sequence, minute }) => scan(milestone, sequence, minute))
const anyOrder = fc
  .array(anyScan, { minLength: 1, maxLength: 10 })
  .chain((scans) =>
    fc.tuple(fc.constant(scans), fc.shuffledSubarray([...scans, ...scans], { minLength: scans.length * 2 })),
  )

describe('of the scans of a parcel', () => {
  test('it comes to the same in whatever order they come, and however often', () => {
    fc.assert(
      fc.property(anyOrder, ([scans, shuffled]) => {
        expect(after(shuffled)).toEqual(after(scans))
      }),
    )
  })

  test('none that was booked tells anything new', () => {
    fc.assert(
      fc.property(fc.array(anyScan, { minLength: 1, maxLength: 10 }), (scans) => {
        const end = after(scans)
        for (const one of scans) expect(afterScan(end, one)).toBeUndefined()
      }),
    )
  })

  test.each([
    [
      'the higher sequence counts, whatever its time',
      [scan('out_for_delivery', 4, 1), scan('in_transit', 3, 9)],
      'out_for_delivery',
    ],
    [
      'of one sequence the later time counts',
      [scan('out_for_delivery', 3, 1), scan('in_transit', 3, 9)],
      'in_transit',
    ],
    [
      'of one sequence and time what is further on counts',
      [scan('out_for_delivery', 3), scan('in_transit', 3)],
      'out_for_delivery',
    ],
    ['an older one does not take a delivery back', [scan('delivered', 5), scan('refused', 4)], 'delivered'],
    ['a newer one corrects a delivery', [scan('delivered', 5), scan('in_transit', 6)], 'in_transit'],
    ['a newer code that nobody knows is unknown', [scan('in_transit', 3), scan('unknown', 4)], 'unknown'],
    ['an older one is not', [scan('unknown', 2), scan('in_transit', 3)], 'in_transit'],
    ['nor one that comes after a delivery', [scan('delivered', 5), scan('unknown', 6)], 'delivered'],
    [
      'but a correction behind that counts',
      [scan('delivered', 5), scan('unknown', 6), scan('lost', 7)],
      'lost',
    ],
  ] as const)('%s', (_, scans, milestone) => {
    expect(reached(scans)).toBe(milestone)
    expect(reached(scans.toReversed())).toBe(milestone)
  })

  test('nothing is known before the first', () => {
    expect(milestoneOf(parcel)).toBeNull()
  })

  test.each(['delayed', 'exception', 'damaged', 'lost', 'refused', 'unknown'] as const)(
    '%s is trouble',
    (milestone) => {
      expect(troubleOf(after([scan('in_transit', 1), scan(milestone, 2)]))).toBe(milestone)
      expect(troubleOf(after([scan(milestone, 2), scan('out_for_delivery', 3)]))).toBeUndefined()
    },
  )
})

test.each([
  [['manifested', 'manifested'], null],
  [['manifested', 'picked_up'], 'in_transit'],
  [['in_transit', 'out_for_delivery'], 'out_for_delivery'],
  [['delivered', 'out_for_delivery'], 'partially_delivered'],
  [['delivered', 'lost'], 'partially_delivered'],
  [['delivered', 'delivered'], 'delivered'],
  [['damaged', 'manifested'], 'in_transit'],
  [['unknown', 'unknown'], null],
] as const)('a shipment of parcels that are %j is %s', (milestones, expected) => {
  const parcels = milestones.map((milestone) => after([scan(milestone, 1)]))
  expect(shipmentMilestone(parcels, null)).toBe(expected)
  expect(shipmentMilestone(parcels, 'delivered')).toBe(expected ?? 'in_transit')
})

describe('a parcel of which nothing is heard', () => {
  const HOUR_MS = 3_600_000
  const BEGIN = new Date(Date.UTC(2026, 10, 28))
  const at = (hours: number): Date => new Date(BEGIN.getTime() + hours * HOUR_MS)
  const paceAt = (hours: number) => ({
    now: at(hours),
    afterMs: 12 * HOUR_MS,
    missedAfterMs: 100 * HOUR_MS,
    unansweredAfterMs: 48 * HOUR_MS,
  })
  const left: Parcel = { ...parcel, asking: firstAsking('carrier', paceAt(0)) }
  const hoursOf = ({ asking }: Parcel): number => (asking!.at.getTime() - BEGIN.getTime()) / HOUR_MS

  function askedUntil(until: number, answer: AskingAnswer = 'nothing_new'): { hours: number[]; end: Parcel } {
    const hours: number[] = []
    let end = left
    while (end.asking && hoursOf(end) <= until) {
      hours.push(hoursOf(end))
      end = afterAsking(end, answer, paceAt(hoursOf(end)))
    }
    return { hours, end }
  }

  test('is asked about after pauses that double up to a day, when it is missed, and for sixty days', () => {
    expect(askedUntil(150).hours).toEqual([12, 24, 48, 72, 96, 100, 124, 148])
    const { hours, end } = askedUntil(Infinity)
    expect(end.asking).toBeNull()
    expect(hours.at(-1)).toBeGreaterThanOrEqual(60 * 24)
    expect(hours.at(-1)).toBeLessThan(62 * 24)
  })

  test('is missed when it has been silent for long, and at once where its carrier does not know it', () => {
    expect(askedUntil(99).end.missed).toBeNull()
    expect(askedUntil(100).end.missed).toBe('silent')
    expect(askedUntil(12, 'not_known').end.missed).toBe('not_known')
    const found = afterAsking(askedUntil(12, 'not_known').end, 'nothing_new', paceAt(24))
    expect(found.missed).toBeNull()
  })

  test('is not missed for want of an answer, and is asked about again soon', () => {
    const unheard = afterAsking(left, 'unanswered', paceAt(200))
    expect(unheard).toMatchObject({ missed: null, asking: { times: 0 } })
    expect(hoursOf(unheard)).toBe(200.25)
    expect(afterAsking(left, 'unanswered', paceAt(61 * 24)).asking).toBeNull()
  })

  const unansweredAt = (...hours: readonly number[]): Parcel =>
    hours.reduce((before, hour) => afterAsking(before, 'unanswered', paceAt(hour)), left)

  test.each([
    ['three times in two days', [12, 13, 60], 'unanswered'],
    ['as often within a shorter time', [12, 13, 14, 15, 59.9], null],
    ['more seldom, however long', [12, 100], null],
  ])('is a person’s when its carrier gave no answer %s', (_, hours, missed) => {
    expect(unansweredAt(...hours).missed).toBe(missed)
  })

  test('is asked about as seldom as at first once a person knows that its carrier does not answer', () => {
    expect(hoursOf(unansweredAt(12, 13, 60))).toBe(72)
  })

  test('is a person’s no more with an answer, from which want of answers counts anew', () => {
    const answered = afterAsking(unansweredAt(12, 13, 60), 'nothing_new', paceAt(72))
    expect(answered).toMatchObject({ missed: null, asking: { unanswered: null } })
    expect(afterAsking(answered, 'unanswered', paceAt(90)).missed).toBeNull()
    expect(afterScan(unansweredAt(12, 13, 60), scan('in_transit', 2))).toMatchObject({ missed: null })
  })

  test('stays what somebody knows of it when its carrier does not answer either', () => {
    const silent = askedUntil(100).end
    const end = [101, 120, 160].reduce(
      (before, hour) => afterAsking(before, 'unanswered', paceAt(hour)),
      silent,
    )
    expect(end.missed).toBe('silent')
    const lost = afterScan(left, scan('lost', 2))!
    const seenTo = [12, 13, 60].reduce((before, hour) => afterAsking(before, 'unanswered', paceAt(hour)), {
      ...lost,
      asking: left.asking,
    })
    expect(seenTo.missed).toBeNull()
  })

  test('says when it was last asked about, and what came of it', () => {
    expect(unansweredAt(12, 13).lastAsked).toEqual({ at: paceAt(13).now, answer: 'unanswered' })
    expect(afterAsking(left, 'unanswered', paceAt(61 * 24)).lastAsked).toMatchObject({ answer: 'unanswered' })
  })

  test.each(['exception', 'damaged', 'lost', 'refused'] as const)(
    'is nobody else’s when it is %s, since somebody has it already, and is asked about all the same',
    (milestone) => {
      const stopped = afterScan(left, scan(milestone, 2))!
      const end = afterAsking(stopped, 'nothing_new', paceAt(200))
      expect(end).toMatchObject({ missed: null, asking: { times: 1 } })
    },
  )

  test('is missed no more with its next scan', () => {
    expect(afterScan(askedUntil(100).end, scan('in_transit', 2))).toMatchObject({ missed: null })
    expect(afterScan(askedUntil(100).end, scan('unknown', 2))).toMatchObject({ missed: null })
  })
})
