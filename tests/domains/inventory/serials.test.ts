/** Where a unit is, decided from what was told of it before. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SerialPlace, SerialState, SerialTold } from '#domains/inventory/contract/serials.ts'
import { misfitOf, stepSerial } from '#domains/inventory/rules/serials.ts'

const UNHEARD: SerialState = {
  bucket: 'supplier',
  location: null,
  owner: 'own',
  lot: '',
  shipmentId: null,
  orderId: null,
  toldAt: null,
  doubt: null,
  doubtLocation: null,
  doubtOwner: 'own',
}

const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 2, 9, minute))
const place = (location: string, bucket: SerialPlace['bucket'] = 'available'): SerialPlace => ({
  bucket,
  location,
})
const OUT: SerialPlace = { bucket: 'supplier', location: null }
const GONE: SerialPlace = { bucket: 'shipped', location: null }
type Told = Pick<SerialTold, 'from' | 'to' | 'lot' | 'at' | 'shipment' | 'again'>
const told = (from: SerialPlace, to: SerialPlace, minute: number, more: Partial<Told> = {}): Told => ({
  from,
  to,
  lot: '',
  at: at(minute),
  ...more,
})

function after(...all: readonly Told[]): SerialState {
  let state = UNHEARD
  for (const one of all) {
    const step = stepSerial(state, one)
    if (step !== 'known') state = step.after
  }
  return state
}

const received = (location: string, minute: number) => told(OUT, place(location), minute)
const shipped = (location: string, minute: number, orderId = 7) =>
  told(place(location), GONE, minute, { shipment: { id: orderId * 10, orderId } })

test.each([
  [
    'arrives before it was told to be sent',
    [received('A', 0), told(place('B', 'in_transit'), place('B'), 5)],
    'B',
    'A',
  ],
  ['is told to be at two places', [received('A', 0), received('B', 5)], 'B', 'A'],
  ['was at another place before', [received('A', 5), received('B', 0)], 'A', 'B'],
] as const)(
  'a unit that %s is in one of them, and the other has to explain it',
  (_, facts, location, other) => {
    expect(after(...facts)).toMatchObject({ location, doubt: 'elsewhere', doubtLocation: other })
    const sent = told(place(other), place(location, 'in_transit'), 3)
    expect(after(...facts, sent)).toMatchObject({ location, bucket: 'available', doubt: null })
  },
)

test('a place that tells to have sent a unit where it is already has to explain how it had it', () => {
  const sent = told(place('B'), place('A', 'in_transit'), 9)
  expect(after(received('A', 0), sent)).toMatchObject({
    location: 'A',
    doubt: 'elsewhere',
    doubtLocation: 'B',
  })
})

describe('a unit that left', () => {
  test('with an order left with it once, in whichever words it is told again', () => {
    const state = after(received('A', 0), shipped('A', 5))
    expect(stepSerial(state, shipped('A', 6))).toBe('known')
    expect(stepSerial(state, shipped('A', 6, 8))).toMatchObject({ after: { doubt: 'never-here' } })
  })

  test('before it came by the time that is told stays gone', () => {
    const state = after(received('A', 0), shipped('A', 5))
    expect(stepSerial(state, received('A', 1))).toEqual({ after: state, moved: false })
    expect(after(received('A', 0), shipped('A', 5), received('A', 9))).toMatchObject({
      location: 'A',
      doubt: null,
    })
  })

  test('and came back is there, though nobody knew before that it had been', () => {
    const lost = (location: string, minute: number) =>
      told(place(location), { bucket: 'adjustment', location: null }, minute)
    const elsewhere = [received('B', 2), lost('B', 5)]
    const doubted = [...elsewhere, lost('A', 1)]
    expect(after(...doubted)).toMatchObject({ location: null, doubt: 'never-here', doubtLocation: 'A' })
    expect(after(...doubted, received('A', 0))).toMatchObject({ location: null, doubt: null })
    expect(after(...doubted, received('A', 7))).toMatchObject({ location: 'A', doubt: null })
  })

  test('and came back before its leaving was told is back', () => {
    const back = told(GONE, place('A', 'quarantine'), 9)
    expect(after(received('A', 0), back)).toMatchObject({ doubt: 'here-already' })
    expect(after(received('A', 0), back, shipped('A', 5))).toMatchObject({
      bucket: 'quarantine',
      doubt: null,
    })
  })
})

test('what people had entered before is known when it is told', () => {
  const state = after(received('A', 0))
  expect(stepSerial(state, { ...received('A', 4), again: true })).toBe('known')
  const lost = told(place('A'), { bucket: 'adjustment', location: null }, 5)
  expect(stepSerial(after(received('A', 0), lost), { ...lost, again: true })).toBe('known')
})

describe('a unit of another owner', () => {
  const theirs = (location: string): SerialPlace => ({ ...place(location), owner: 'ACME' })
  const came = told(OUT, theirs('A'), 0)

  test('that is told of among ours is ours since then, and his stock has to explain how it left', () => {
    const sold = after(came, shipped('A', 5))
    expect(sold).toMatchObject({ bucket: 'shipped', owner: 'own', orderId: 7 })
    expect(sold).toMatchObject({ doubt: 'elsewhere', doubtLocation: 'A', doubtOwner: 'ACME' })
    const found = after(came, received('A', 5))
    expect(found).toMatchObject({ location: 'A', owner: 'own', doubt: 'elsewhere', doubtOwner: 'ACME' })
    expect(after(came, received('A', 5), told(theirs('A'), place('A'), 3))).toMatchObject({
      owner: 'own',
      doubt: null,
      doubtOwner: 'own',
    })
  })

  test('that is told of among ours too late stays his, and our stock has to explain it', () => {
    const late = after(told(OUT, theirs('A'), 5), received('A', 2))
    expect(late).toMatchObject({ location: 'A', owner: 'ACME', doubt: 'elsewhere', doubtOwner: 'own' })
  })

  test('that is handed over lies where it lay, and whose it becomes, may be told of it', () => {
    const ours = after(came, told(theirs('A'), place('A'), 3))
    expect(ours).toMatchObject({ location: 'A', bucket: 'available', owner: 'own', doubt: null })
    expect(after(came, told(theirs('A'), place('A'), 3), shipped('A', 5))).toMatchObject({ doubt: null })
  })

  test('that has left may come back as anybody’s: what is not with us is nobody’s stock here', () => {
    const back = after(came, told(theirs('A'), OUT, 3), received('A', 5))
    expect(back).toMatchObject({ location: 'A', owner: 'own', doubt: null })
  })

  test('is named by people as his alone', () => {
    const said = { location: 'A', status: 'available', lot: '' } as const
    const misfit = (kind: 'lost' | 'handed-over' | 'counted', owner?: string) =>
      misfitOf(after(came), { ...said, kind, owner })
    expect([misfit('lost', 'ACME'), misfit('handed-over', 'ACME'), misfit('counted', 'ACME')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([misfit('lost'), misfit('handed-over', 'BETA'), misfit('counted')]).toEqual([
      'not-there',
      'not-there',
      'has-place',
    ])
  })
})

test('whatever is told in whatever order, a unit is in one place or none and one owner’s, and doubt names a place', () => {
  const locations = fc.constantFrom('A', 'B', 'C')
  const anywhere = fc.oneof(
    fc.constant(OUT),
    fc.constant(GONE),
    fc
      .tuple(locations, fc.constantFrom('available', 'damaged', 'in_transit'), fc.constantFrom('own', 'ACME'))
      .map(([location, bucket, owner]) => ({ ...place(location, bucket), owner })),
  )
  const fact = fc
    .tuple(anywhere, anywhere, fc.integer({ min: 0, max: 9 }))
    .filter(([from, to]) => from.location !== null || to.location !== null)
    .map(([from, to, minute]) => told(from, to, minute))
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 12 }), (facts) => {
      const state = after(...facts)
      expect(state.location === null).toBe(['supplier', 'shipped', 'adjustment'].includes(state.bucket))
      expect(state.doubt === null).toBe(state.doubtLocation === null)
      if (state.doubt === 'elsewhere')
        expect([state.doubtLocation, state.doubtOwner]).not.toEqual([state.location, state.owner])
      if (state.owner !== 'own') expect(state.shipmentId).toBeNull()
      const latest = facts.length > 0 ? Math.max(...facts.map((one) => one.at.getTime())) : undefined
      if (latest !== undefined) expect(state.toldAt!.getTime()).toBeLessThanOrEqual(latest)
    }),
    { numRuns: 500 },
  )
})

const here = after(received('A', 0))
const gone = after(received('A', 0), shipped('A', 5))
test.each([
  ['counted', 'A', undefined, undefined],
  ['counted', 'A', here, undefined],
  ['counted', 'B', here, 'has-place'],
  ['counted', 'A', gone, 'has-place'],
  ['found', 'A', here, 'has-place'],
  ['found', 'A', gone, 'has-place'],
  ['returned', 'A', gone, undefined],
  ['returned', 'A', here, 'has-place'],
  ['arrived', 'B', here, 'has-place'],
  ['lost', 'A', here, undefined],
  ['lost', 'B', here, 'not-there'],
  ['moved', 'A', undefined, 'not-there'],
  ['missing', 'A', here, 'not-there'],
  ['shipped', 'A', gone, 'not-there'],
] as const)(
  'people who say that it is %s at %s, of what is known, fit or not',
  (kind, location, known, misfit) => {
    expect(misfitOf(known, { kind, location, status: 'available', lot: '' })).toBe(misfit)
  },
)
