/** Stock put right at the terminal: tried out, booked, decided on by another, listed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demoConfig } from '../../src/demo.ts'
import { type FrontDoor, openFrontDoor, shipsAtOnce } from '#tests/routes/front-door.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
let house: FrontDoor
let settings: string
let sku: string
beforeAll(async () => {
  folder = await folderDatabase()
  const database = { url: folder.url, end: async (): Promise<void> => undefined }
  house = await openFrontDoor({ database })
  // JSON is YAML
  settings = join(folder.path, 'crossdock.yaml')
  writeFileSync(settings, JSON.stringify(demoConfig(house.landscape)))
  sku = house.landscape.world.items.find(
    ({ company, lotControlled }) => company === 'NWF' && !lotControlled,
  )!.number
}, 60_000)
afterAll(async () => {
  await house.end()
  await folder.end()
})

const inventory = (...words: readonly string[]) =>
  crossdock('inventory', ...words, '--data', folder.path, '--config', settings)
const KNOWN = ['--company', 'NWF', '--location', 'DC1', '--reason', 'count', '--reference', 'sheet 7']
const adjustOf = (kind: string, item: string, quantity: string, ...more: readonly string[]) =>
  inventory('adjust', kind, item, '--quantity', quantity, ...KNOWN, ...more)
const adjust = (kind: string, quantity: string, ...more: readonly string[]) =>
  adjustOf(kind, sku, quantity, ...more)

test('a change is only told when it is tried out, and is booked when it is not', async () => {
  const tried = await adjust('found', '1', '--dry-run')
  expect(tried).toMatchObject({ code: 0, stderr: '' })
  expect(tried.stdout).toMatch(/It would be booked, worth [\d.]+ USD\n {2}found 1 [A-Z]+ of/)
  const booked = await adjust('found', '1', '--by', 'ann', '--json')
  const [row] = rowsOf<{ id: string }>(booked)
  expect(row).toMatchObject({ state: 'booked', requestedBy: 'cli:ann', reference: 'sheet 7' })
  const listed = rowsOf<{ id: string }>(await inventory('adjustments', '--company', 'NWF', '--json'))
  expect(listed.map(({ id }) => id)).toEqual([row!.id])
}, 60_000)

test('what is worth much waits until another person decides', async () => {
  const [waiting] = rowsOf<{ id: string }>(await adjust('found', '900000', '--by', 'ann', '--json'))
  expect(waiting).toMatchObject({ state: 'pending' })
  const decide = (...words: readonly string[]) =>
    inventory('decide', waiting!.id, '--reason', 'counted again', ...words)
  const own = await decide('--approve', '--by', 'ann')
  expect([own.code, own.stderr]).toEqual([1, expect.stringContaining('inventory.second_person_needed')])
  const rejected = await decide('--reject', '--by', 'bob')
  expect([rejected.code, rejected.stdout]).toEqual([0, expect.stringContaining('is rejected')])
  const pending = await inventory('adjustments', '--company', 'NWF', '--state', 'pending')
  expect([pending.stdout.trim().split('\n').length, pending.stderr]).toEqual([1, 'There is none.\n'])
}, 60_000)

test.each([
  [
    ['adjust', 'eaten', 'SKU', '--quantity', '1'],
    2,
    /kind is not one of the known values: send counted, found/,
  ],
  [['adjust', 'lost', 'SKU', '--quantity', '-1'], 1, /items.quantity_not_positive/],
  [['adjust', 'lost', 'nothing', '--quantity', '1'], 1, /inventory.item_unknown/],
])(
  '%j ends with %i and says why',
  async (words, code, why) => {
    const named = words.map((word) => (word === 'SKU' ? sku : word))
    const more = ['--company', 'NWF', '--location', 'DC1', '--reason', 'count', '--reference', 'sheet 8']
    const ended = await inventory(...named, ...more)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toMatch(why)
  },
  60_000,
)

test('what is wrong with a line is told by its field with a cure, as text and as JSON', async () => {
  const weighed = house.landscape.world.items.find(
    ({ company, catchWeight, lotControlled, serialControlled }) =>
      company === 'NWF' && catchWeight && !lotControlled && !serialControlled,
  )!.number
  const wrong = [
    ['nothing', '1', 'EA', 1, 'sku', 'inventory.item_unknown'],
    [sku, '1', 'DR', 1, 'unit', 'items.unit_unknown'],
    [weighed, '0.0001', 'KGM', 1, 'quantity', 'items.quantity_not_exact'],
    [sku, '-1', undefined, 1, 'quantity', 'items.quantity_not_positive'],
    [sku, '1.00001', undefined, 1, 'quantity', 'quantity.malformed'],
    [sku, '1,5', undefined, 2, 'quantity', 'http.field_invalid'],
  ] as const
  for (const [item, quantity, unit, ends, field, code] of wrong) {
    const more = unit ? ['--unit', unit] : []
    const ended = await adjustOf('found', item, quantity, ...more, '--json')
    const told = JSON.parse(ended.stderr) as { error: object }
    const next = expect.stringMatching(/\w{3,}/)
    expect([ended.code, told.error]).toMatchObject([
      ends,
      { errors: [{ pointer: `/lines/0/${field}`, code }], next },
    ])
    expect((await adjustOf('found', item, quantity, ...more)).stderr).toContain(`lines.0.${field}`)
  }
  const comma = await adjust('found', '1,5')
  expect(comma.stderr).toMatch(
    /lines.0.quantity does not have the right form: send Decimal as text[^^]*--help/,
  )
}, 90_000)

test.each([
  [['decide', 'A-1', '--reason', 'why'], /--approve or --reject/],
  [['decide', 'X', '--approve', '--reason', 'why'], /no number of an adjustment/],
  [['adjustments'], /--company/],
])(
  '%j is told how it is meant',
  async (words, why) => {
    const ended = await inventory(...words)
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toMatch(why)
  },
  60_000,
)

test('a lot is held with those whose stock it was, listed as held, and let go', async () => {
  const { number } = house.landscape.world.items.find(
    ({ company, lotControlled }) => company === 'NWF' && lotControlled,
  )!
  const line = { kind: 'found', sku: number, lot: 'CLI-1', location: 'DC1', quantity: '5' }
  const body = { company: 'NWF', reason: 'count', reference: 'sheet 9', lines: [line] }
  await house.send('POST', '/process/inventory/v1/adjustments', { body })
  const act = (verb: string) =>
    inventory(`${verb}-lot`, number, 'CLI-1', '--company', 'NWF', '--reason', 'recall 8', '--by', 'ann')
  const held = await act('hold')
  const told = expect.stringMatching(/^Lot CLI-1 of \d+ is held\n {2}5 [A-Z]+ at DC1/)
  expect([held.code, held.stdout]).toEqual([0, told])
  const lots = rowsOf<object>(await inventory('lots', number, '--company', 'NWF', '--json'))
  const row = { lot: 'CLI-1', location: 'DC1', held: true, available: '0', qualityHold: '5' }
  expect(lots).toContainEqual(row)
  expect((await act('release')).stdout).toContain('is released')
}, 90_000)

test('all to whom a lot was shipped are named, and that nobody was is said', async () => {
  const { items } = house.landscape.world
  const lotted = new Set(items.filter(({ lotControlled }) => lotControlled).map(({ number }) => number))
  const { body } = await house.submit(
    house.next((order) => shipsAtOnce(order) && order.lines.some((line) => lotted.has(line.item))),
  )
  const { query, end } = await openQuery(house.databaseUrl)
  const shipped = () =>
    query<{ sku: string; lot: string; company: string }>(
      `select i.sku, l.lot, s.company from shipments.shipment s join shipments.shipment_line l on l.shipment_id = s.id
       join items.item i on i.id = l.item_id where s.order_id = $1 and l.lot is not null limit 1`,
      [Number(body.id.slice(2))],
    )
  await expect.poll(shipped, { timeout: 20_000 }).toHaveLength(1)
  const [one] = await shipped()
  await end()
  const asked = [one!.sku, one!.lot, '--company', one!.company]
  const found = rowsOf<object>(await inventory('where-shipped', ...asked, '--json'))
  expect(found).toContainEqual(expect.objectContaining({ order: body.id, shipment: expect.any(String) }))
  const nobody = await inventory('where-shipped', one!.sku, 'NONE', '--company', one!.company)
  expect([nobody.code, nobody.stdout]).toEqual([0, ''])
  expect(nobody.stderr).toContain(`No shipment of lot NONE of ${one!.sku} is booked`)
  const unknown = await inventory('where-shipped', 'X-1', 'L1', '--company', 'NWF')
  expect(unknown.code).toBeGreaterThan(0)
  expect(unknown.stderr).toContain('NWF has no item X-1')
}, 90_000)

test('what a warehouse ships while it is away is tried out, entered, listed and settled', async () => {
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable' })
  const { body } = await house.submit(house.next(shipsAtOnce))
  const { query, end } = await openQuery(house.databaseUrl)
  const requests = () =>
    query<{ id: number; line: number; quantity: number; lots: boolean; company: string }>(
      `select f.id, l.line, l.quantity, i.lot_controlled as lots, f.company from shipments.fulfillment f
       join shipments.fulfillment_line l on l.fulfillment_id = f.id join items.item i on i.id = l.item_id
       where f.order_id = $1 order by f.id, l.line limit 1`,
      [Number(body.id.slice(2))],
    )
  await expect.poll(requests, { timeout: 10_000 }).toHaveLength(1)
  const [{ id, line, quantity, lots, company }] = (await requests()) as [
    Awaited<ReturnType<typeof requests>>[0] & object,
  ]
  await end()
  const paper = ['--company', company, '--reference', 'note 3', '--at', '2026-11-20T16:10:00Z', '--by', 'ann']
  const contents = `${line}=${quantity}${lots ? '@L9' : ''}`
  const enter = (...words: readonly string[]) =>
    inventory('by-hand', 'ship', `F-${id}`, ...paper, '--line', contents, ...words)
  const tried = await enter('--dry-run')
  expect([tried.code, tried.stdout]).toEqual([0, expect.stringMatching(/It would be booked on F-/)])
  const [entered] = rowsOf<{ document: string }>(await enter('--json'))
  const list = async () =>
    rowsOf<object>(await inventory('by-hand-list', '--company', company, '--open', '--json'))
  expect(await list()).toMatchObject([{ document: entered!.document, actor: 'cli:ann', reference: 'note 3' }])
  const settled = await inventory(
    'by-hand-settle',
    entered!.document,
    '--reason',
    'it burnt down',
    '--by',
    'bob',
  )
  expect([settled.code, await list()]).toEqual([0, []])
}, 90_000)

test.each([
  [['by-hand', 'eat', 'F-1', '--reference', 'x', '--at', '2026-11-20T16:10:00Z'], /Either pick or ship/],
  [
    ['by-hand', 'pick', 'F-1', '--reference', 'x', '--at', '2026-11-20T16:10:00Z', '--line', 'one'],
    /LINE=QUANTITY/,
  ],
  [
    ['by-hand', 'pick', 'F-1', '--reference', 'x', '--at', 'noon', '--company', 'NWF'],
    /at does not have the right form: send a time like/,
  ],
])(
  '%j is told what is wrong with it',
  async (words, why) => {
    const ended = await inventory(...words)
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toMatch(why)
  },
  60_000,
)
