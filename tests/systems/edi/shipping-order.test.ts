/** What a warehouse that speaks EDI is asked: a 940 for each request, left once, and one that takes it back. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  cancelFulfillment,
  type FulfillmentCancellation,
  type FulfillmentRequest,
  requestFulfillment,
} from '#capabilities/wms.ts'
import type { Effect, EffectOutcome, Operation } from '#platform/connector.ts'
import { operationKey } from '#platform/connector.ts'
import { units } from '#platform/quantity.ts'
import { createEdiConnector, type EdiConnector } from '#systems/edi/connector.ts'
import { SHIPPING_ORDER } from '#systems/edi/documents/940.ts'
import { diskFiles } from '#systems/edi/files.ts'
import { parsePartnerGuide } from '#systems/edi/partner-guide.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { fleetingPlace } from '#tests/support/fleeting-place.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { assertWarehouses } from '../../../src/app-systems.ts'
import { loadConfig } from '../../../src/config.ts'
import { guide, validate } from './x12-text.ts'

let open: OpenDatabase
let root: string
let connector: EdiConnector

const warehouse = (partner: string, location: string, more: object = {}) =>
  guide({
    partner,
    role: 'warehouse',
    location,
    theirs: { qualifier: 'ZZ', id: partner.toUpperCase(), groupId: partner.toUpperCase() },
    receives: ['945', '997'],
    sends: ['940'],
    items: [{ qualifier: 'VN', is: 'sku' }],
    ...more,
  })

const connect = (reader: string): EdiConnector => {
  const folder = (name: string): string => join(root, name)
  return createEdiConnector({
    instance: 'edi',
    settings: {
      inboxDirectory: folder('inbox'),
      outboxDirectory: folder('outbox'),
      archiveDirectory: folder('archive'),
      rejectDirectory: folder('reject'),
      partnersDirectory: folder('partners'),
      pollMs: 1_000,
      maxFileBytes: 100_000,
    },
    files: diskFiles,
    database: open.database,
    clock: fakeClock('2026-11-20T09:00:00Z'),
    reader,
    findItems: () => Promise.resolve(new Map()),
    findUnits: () => Promise.resolve(new Map()),
    openExceptions: () => Promise.resolve(new Map()),
    onError: (error) => {
      throw error
    },
  })
}

beforeAll(async () => {
  open = await openTestDatabase()
  root = mkdtempSync(join(fleetingPlace(), 'crossdock-edi-'))
  mkdirSync(join(root, 'partners'))
  const guides = [
    warehouse('threepl', 'DC9', { warehouse: { cancellations: true, shipping: { payment: 'CC' } } }),
    warehouse('strict', 'DC8'),
    guide(),
  ]
  for (const one of guides) writeFileSync(join(root, `partners/${one.partner}.json`), JSON.stringify(one))
  connector = connect('aa')
})
afterAll(async () => {
  rmSync(root, { recursive: true, force: true })
  await open.end()
})

const request = (number: string, overrides: Partial<FulfillmentRequest> = {}): FulfillmentRequest => ({
  company: 'NWF',
  number,
  order: 'O-1000017',
  customerOrder: 'PO-7781',
  location: 'DC9',
  customer: 'C-1001',
  shipTo: {
    name: 'Harbor Foods',
    code: 'STORE-12',
    lines: ['12 Pier Road', 'Gate B'],
    city: 'Boston',
    region: 'MA',
    postalCode: '02110',
    country: 'US',
  },
  requestedDate: '2026-11-23',
  lines: [
    { line: 1, sku: '10012', quantity: units(24), unit: 'EA' },
    { line: 3, sku: '10013', quantity: units(2.5), unit: 'KGM', requestedDate: '2026-11-24' },
  ],
  ...overrides,
})

let effects = 0
async function send<Request, Answer>(
  to: EdiConnector,
  operation: Operation<Request, Answer>,
  ...requests: readonly Request[]
): Promise<EffectOutcome[]> {
  const sent = requests.map((one): Effect => {
    const key = `${++effects}/step/x/1`
    return { key, businessKey: key, request: one }
  })
  const terms = { signal: new AbortController().signal, mayStillSend: () => true }
  const outcomes = await to.operations[operationKey(operation)]!.send(sent, terms)
  return sent.map((effect) => outcomes.get(effect)!)
}
const ask = (one: FulfillmentRequest) => send(connector, requestFulfillment, one)
const takeBack = (number: string, location = 'DC9') =>
  send<FulfillmentCancellation, object>(connector, cancelFulfillment, {
    number,
    location,
    reason: 'order cancelled',
  })

const left = (partner: string): string[] => readdirSync(join(root, 'outbox', partner)).toSorted()
const segmentsOf = (partner: string, name: string): string[] => {
  const all = readFileSync(join(root, 'outbox', partner, name), 'utf8').split('~')
  const [from, to] = [
    all.findIndex((one) => one.startsWith('ST*')),
    all.findIndex((one) => one.startsWith('SE*')),
  ]
  return all.slice(from + 1, to)
}

test('a request says where to, from where, by when, and what in which unit', async () => {
  const [outcome] = await ask(request('F-1000031'))
  expect(outcome).toEqual({ kind: 'confirmed', answer: { number: '940_000000001' } })
  const segments = segmentsOf('threepl', '940_000000001.edi')
  expect(segments).toEqual([
    'W05*N*F-1000031*PO-7781',
    'N1*ST*Harbor Foods*91*STORE-12',
    'N3*12 Pier Road*Gate B',
    'N4*Boston*MA*02110*US',
    'N1*SF**91*DC9',
    'N9*VN*O-1000017',
    'G62*10*20261123',
    'W66*CC*M',
    'LX*1',
    'W01*24*EA**VN*10012',
    'N9*LI*1',
    'LX*2',
    'W01*2.5*KG**VN*10013',
    'N9*LI*3',
    'G62*10*20261124',
    'W76*26.5',
  ])
  expect((await validate(SHIPPING_ORDER, segments, '940')).errors).toEqual([])
  expect(readFileSync(join(root, 'outbox/threepl/940_000000001.edi'), 'utf8')).toContain('GS*OW*')
  expect(await open.run('select acknowledgment, type from edi.outbound')).toEqual([
    { acknowledgment: 'waiting', type: '940' },
  ])
})

test('a line that is to come from certain lots stands once for each and once for the rest, and says how long all must live', async () => {
  const lots = [
    { lot: 'L-1', quantity: units(10) },
    { lot: 'L-2', quantity: units(4) },
  ]
  const line = { line: 1, sku: '10012', quantity: units(24), unit: 'EA', lots, minimumExpiry: '2027-01-26' }
  const [outcome] = await ask(request('F-1000050', { location: 'DC8', lines: [line] }))
  const { number } = (outcome as { answer: { number: string } }).answer
  const segments = segmentsOf('strict', `${number}.edi`)
  expect(segments.filter((one) => /^(W01|N9\*LI|G62\*36|W76)/.test(one))).toEqual([
    'W01*10*EA**VN*10012********L-1',
    'N9*LI*1',
    'G62*36*20270126',
    'W01*4*EA**VN*10012********L-2',
    'N9*LI*1',
    'G62*36*20270126',
    'W01*10*EA**VN*10012',
    'N9*LI*1',
    'G62*36*20270126',
    'W76*24',
  ])
  expect((await validate(SHIPPING_ORDER, segments, '940')).errors).toEqual([])
})

test('it is one document, whoever sends it again, under whatever key, also before its file was written', async () => {
  await ask(request('F-1000032'))
  const before = left('threepl')
  rmSync(join(root, 'outbox/threepl', before.at(-1)!))
  await open.run(`update edi.outbound set written_at = null where about = '940/F-1000032'`)
  const others = await Promise.all([
    send(connector, requestFulfillment, request('F-1000032')),
    send(connect('bb'), requestFulfillment, request('F-1000032'), request('F-1000031')),
  ])
  expect(others.flat().map((outcome) => outcome.kind === 'confirmed' && outcome.answer)).toEqual([
    { number: '940_000000002' },
    { number: '940_000000002' },
    { number: '940_000000001' },
  ])
  expect(left('threepl')).toEqual(before)
})

test('what it takes back is repeated under W05 F, once; what was never asked for is not known there', async () => {
  expect(await takeBack('F-1000031')).toEqual([{ kind: 'confirmed', answer: {} }])
  expect(await takeBack('F-1000031')).toEqual([{ kind: 'confirmed', answer: {} }])
  const names = left('threepl')
  expect(names).toHaveLength(3)
  const [asked, cancelled] = [names[0]!, names[2]!].map((name) => segmentsOf('threepl', name))
  expect(cancelled).toEqual(['W05*F*F-1000031*PO-7781', ...asked!.slice(1)])
  expect(await takeBack('F-9')).toMatchObject([{ kind: 'refused', code: 'NOT_FOUND' }])
})

test.each<[string, FulfillmentRequest, string]>([
  ['a location where nobody takes a 940', request('F-1', { location: 'DC7' }), 'edi.document_not_agreed'],
  [
    'a unit that the warehouse has no code for',
    request('F-2', { lines: [{ line: 1, sku: 'A', quantity: units(1), unit: 'XYZ' }] }),
    'edi.unit_unmapped',
  ],
  [
    'an address that X12 cannot carry',
    request('F-3', { shipTo: { name: 'A*B', city: 'Boston' } }),
    'edi.delimiter_in_data',
  ],
])('%s is refused before anything is left', async (_, one, code) => {
  const before = left('threepl')
  const [bad, good] = await send(connector, requestFulfillment, one, request('F-1000031'))
  expect(bad).toMatchObject({ kind: 'refused', code })
  expect(good).toMatchObject({ kind: 'confirmed' })
  expect(left('threepl')).toEqual(before)
})

test('a warehouse that has not agreed to it is not asked to stop anything', async () => {
  await ask(request('F-1000040', { location: 'DC8', shipTo: { name: 'Harbor', city: 'Boston' } }))
  expect(await takeBack('F-1000040', 'DC8')).toMatchObject([
    { kind: 'refused', code: 'edi.cancellation_not_agreed' },
  ])
  expect(left('strict')).toHaveLength(2)
})

test('only a warehouse takes a 940', () => {
  const own = JSON.stringify({ ...guide(), sends: ['940'] })
  expect(() => parsePartnerGuide(own, 'own.json')).toThrow('sends: a customer takes no 940')
})

test.each<[string, object, string]>([
  ['threepll', {}, 'neither a system nor an EDI partner; did you mean "threepl"?'],
  ['buyer', {}, 'role: warehouse, location: DC9 and 940 among sends'],
  ['strict', {}, 'location: DC9 and 940 among sends'],
  ['threepl', { company: 'NWI' }, 'keeps goods of NWF'],
])(
  'a location that %s is to run does not start: the setting and the reason are named',
  (wms, more, reason) => {
    const location = { code: 'DC9', company: 'NWF', type: '3pl' as const, timeZone: 'UTC', wms, ...more }
    const company = { name: 'N', currency: 'USD', timeZone: 'UTC', country: 'US', erp: 'erp' }
    const config = loadConfig({
      environment: {},
      file: undefined,
      defaults: {
        companies: ['NWF', 'NWI'].map((code) => ({ ...company, code })),
        systems: { erp: { connector: 'erp-cloud', baseUrl: 'http://127.0.0.1:1/' } },
        locations: [location],
        edi: { enabled: true },
      },
    })
    const named = () => assertWarehouses(config, connector)
    expect(named).toThrow('locations[0].wms')
    expect(named).toThrow(reason)
  },
)
