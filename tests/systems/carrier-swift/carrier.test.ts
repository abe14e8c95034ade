/** The Swift carrier: labels that are made once, and scans that are named in our words. */
import { createHmac } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import {
  createLabel,
  type Label,
  type LabelRequest,
  type TrackingMessage,
  voidLabel,
} from '#capabilities/carrier.ts'
import { systemClock } from '#platform/clock.ts'
import { Outage, Refusal } from '#platform/faults.ts'
import { type Fields, fieldsOf } from '#platform/fields.ts'
import { createSwiftConnector, type SwiftConnector } from '#systems/carrier-swift/connector.ts'
import { toLabel, toTracking } from '#systems/carrier-swift/map.ts'
import { effectOf, fresh, ground, send, sendAfterLease } from '../landscape.ts'
import { sample } from '../samples.ts'

const it = ground()
let carrier: SwiftConnector

const connect = (password = 'secret'): SwiftConnector =>
  createSwiftConnector({
    instance: 'carrier',
    settings: {
      baseUrl: it.landscape.carrier.url,
      credentials: { user: 'crossdock', password, webhookSecret: 'carrier-secret' },
    },
    http: it.http,
    clock: systemClock,
  })

beforeAll(() => void (carrier = connect()))

const scans = sample('carrier-swift/tracking') as Fields[]

test('the way of a parcel is told in our words', () => {
  expect(scans.map((scan) => toTracking(scan).milestone)).toEqual([
    'manifested',
    'picked_up',
    'in_transit',
    'delayed',
    'out_for_delivery',
    'delivered',
  ])
  expect(toTracking(scans.at(-1)!)).toEqual({
    type: 'parcel-scanned',
    tracking: 'SW700000001',
    sscc: '006141410000123457',
    milestone: 'delivered',
    code: 'DLV',
    reason: undefined,
    at: new Date('2026-11-21T02:54:06.870Z'),
    sequence: 6,
    city: 'Newark',
    country: 'US',
    signedBy: 'RECEIVING',
  } satisfies TrackingMessage)
})

test.each([
  ['EXC', 'WEATHER', 'delayed'],
  ['EXC', 'REFUSED', 'refused'],
  ['EXC', 'DAMAGED', 'damaged'],
  ['EXC', 'LOST', 'lost'],
  ['EXC', 'ALIENS', 'exception'],
  ['EXC', null, 'exception'],
  ['XYZ', null, 'unknown'],
  ['constructor', null, 'unknown'],
])('%s for %s is %s, never a guess', (status, reason, milestone) => {
  expect(toTracking({ ...scans[0]!, status, reason })).toMatchObject({ milestone, code: status })
})

test('a recorded label is read with its parcels and charge', () => {
  expect(toLabel(fieldsOf(sample('carrier-swift/label')))).toMatchObject({
    number: 'CS80001',
    packages: [{ sscc: '006141410000123457', tracking: 'SW500000001', format: 'ZPL' }],
    chargeMinor: 1_742,
    currency: 'USD',
  })
})

function labelOf(overrides: Partial<LabelRequest> = {}) {
  const shipment = fresh('S')
  return effectOf(shipment, {
    company: 'NWF',
    shipment,
    service: 'GROUND',
    shipFrom: { city: 'Newark', country: 'US' },
    shipTo: { name: 'Stone Bridge Catering', city: 'Boston', country: 'US' },
    packages: [{ sscc: '006141410000123457', weightGrams: 31_200 }],
    ...overrides,
  } satisfies LabelRequest)
}

const truthOf = (reference: string) =>
  it.landscape.carrier.truth().shipments.filter((shipment) => shipment.reference === reference)

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
] as const)(
  '%s after the effect is unknown, and the same request gets the first labels',
  async (_, fault) => {
    const label = labelOf()
    it.landscape.carrier.faults.set({ ...fault, times: 1 })
    expect(await send(carrier, createLabel, label)).toMatchObject({ kind: 'unknown' })
    const outcome = await send(carrier, createLabel, label)
    const [known, ...more] = truthOf(label.businessKey)
    expect(outcome).toMatchObject({ kind: 'confirmed', answer: { number: known!.shipment_id } })
    expect(more).toEqual([])
  },
)

test('the same shipment with other content is refused', async () => {
  const label = labelOf()
  await send(carrier, createLabel, label)
  const other = { ...label, request: { ...(label.request as LabelRequest), service: 'AIR' } }
  expect(await send(carrier, createLabel, other)).toMatchObject({
    kind: 'refused',
    code: 'REFERENCE_CONFLICT',
  })
})

test('a label is void once and for all, but not after the first scan', async () => {
  const label = labelOf()
  const { answer } = (await send(carrier, createLabel, label)) as { answer: Label }
  const voiding = effectOf(label.businessKey, { shipment: label.businessKey, number: answer.number })
  expect(await send(carrier, voidLabel, voiding)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await send(carrier, voidLabel, voiding)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await send(carrier, createLabel, label)).toMatchObject({ kind: 'refused', code: 'VOIDED' })
  const travelling = (await send(carrier, createLabel, labelOf())) as { answer: Label }
  it.landscape.carrier.scan(travelling.answer.packages[0]!.tracking)
  const late = effectOf('S-0', { shipment: 'S-0', number: travelling.answer.number })
  expect(await send(carrier, voidLabel, late)).toMatchObject({ kind: 'refused', code: 'ALREADY_SCANNED' })
})

test('trouble and wrong credentials refuse no document', async () => {
  it.landscape.carrier.faults.set({ kind: 'server-error', status: 500, times: 1 })
  expect(await send(carrier, createLabel, labelOf())).toMatchObject({ kind: 'retry' })
  expect(await send(connect('wrong'), createLabel, labelOf())).toMatchObject({ kind: 'retry' })
})

const signed = (body: string, secret = 'carrier-secret') => ({
  'x-swift-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
})

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'none'
}

test('a scan comes in under its own name, with its place on the way of the parcel', () => {
  const body = JSON.stringify(scans[2])
  const [message] = carrier.inbound.read(signed(body), Buffer.from(body))
  expect(message).toMatchObject({
    messageId: 'TE00000003',
    type: 'tracking.updated',
    stream: 'parcel/SW700000001',
    sequence: 3,
    message: { milestone: 'in_transit' },
  })
  expect(carrier.inbound.restore(message!)).toEqual(message)
})

test('what is not signed by the carrier does not come in, and what says nothing is kept apart', () => {
  const body = JSON.stringify(scans[0])
  expect(codeOf(() => carrier.inbound.read({}, Buffer.from(body)))).toBe('inbound.signature_missing')
  expect(codeOf(() => carrier.inbound.read(signed(body, 'x'), Buffer.from(body)))).toBe(
    'inbound.signature_invalid',
  )
  expect(codeOf(() => carrier.inbound.read(signed('[]'), Buffer.from('[]')))).toBe('inbound.malformed')
  const nameless = JSON.stringify({ ...scans[0], id: undefined })
  const [message] = carrier.inbound.read(signed(nameless), Buffer.from(nameless))
  expect(message!.unreadable?.code).toBe('inbound.message_unreadable')
})

test('the way of a parcel is read as its webhooks tell it, under names that are the same each time', async () => {
  const number = fresh('SW')
  it.landscape.carrier.manifest(number, '006141410000123457', { city: 'Newark', country: 'US' })
  for (let nth = 0; nth < 3; nth++) it.landscape.carrier.scan(number)
  const way = (await carrier.track(number))!
  expect(way).toMatchObject(
    ['manifested', 'picked_up', 'in_transit'].map((milestone, place) => ({
      type: 'tracking.updated',
      stream: `parcel/${number}`,
      sequence: place + 1,
      message: { tracking: number, sscc: '006141410000123457', milestone, city: 'Newark' },
    })),
  )
  expect(way.map((one) => carrier.inbound.restore(one))).toEqual(way)
  it.landscape.carrier.scan(number)
  expect((await carrier.track(number))!.slice(0, 3)).toEqual(way)
})

test('a parcel is unknown only by the carrier’s own word, and what is no answer is none', async () => {
  expect(await carrier.track('NOBODY')).toBeUndefined()
  const { faults } = it.landscape.carrier
  const number = fresh('SW')
  it.landscape.carrier.manifest(number, '', {})
  faults.set({ kind: 'wrong-body', body: 'html', operation: 'track', times: 1 })
  await expect(carrier.track(number)).rejects.toThrow(Outage)
  faults.set({
    kind: 'rate-limit',
    perSecond: 0.1,
    burst: 0,
    retryAfterSeconds: 7,
    operation: 'track',
    times: 1,
  })
  await expect(carrier.track(number)).rejects.toMatchObject({ retryAt: expect.any(Date) })
  await expect(connect('wrong').track(number)).rejects.toThrow(Outage)
  expect(await carrier.track(number)).toEqual([])
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const late = labelOf()
  expect(await sendAfterLease(carrier, createLabel, late)).toBe('not asked: withdrawn')
  expect(truthOf(late.businessKey)).toEqual([])
})
