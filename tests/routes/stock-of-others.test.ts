/** Stock of other owners over HTTP: entered, handed over, read by owner, and sold to nobody until it is ours. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkInvariants } from '../../src/app-invariants.ts'
import type { AdjustmentAnswer } from '#domains/inventory/contract/adjustments.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, type Reply } from './front-door.ts'

const INVENTORY = '/process/inventory/v1'
const PATH = `${INVENTORY}/adjustments`
const OWNER = 'ACME'
const SKUS = Array.from({ length: 9 }, (_, at) => String(46_001 + at))
const LOTTED = '46901'
const SERIAL = '46902'

let house: Wholesaler
let second: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...SKUS.map((number) => ({ number, stock: { DC1: 100 } })),
      { number: LOTTED, item: { lotControlled: true } },
      { number: SERIAL, item: { serialControlled: true } },
    ],
    [{ number: '500001' }],
  )
  second = bearer(await house.key({ client: 'bob', scopes: ['process.adjustments:approve'] }))
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!

type Adjusted = Reply & { readonly body: AdjustmentAnswer }
const adjust = async (...lines: readonly object[]) =>
  (await house.send('POST', PATH, {
    body: { company: 'NWF', reason: 'ownership', reference: 'note 1', lines },
  })) as Adjusted
const at = (sku: string, kind: string, quantity: string, more: object = {}) => ({
  kind,
  sku,
  location: 'DC1',
  quantity,
  ...more,
})
const of = (sku: string, kind: string, quantity: string, more: object = {}) =>
  at(sku, kind, quantity, { owner: OWNER, ...more })
const read = async (door: string, sku: string, more = '') =>
  (await house.send('GET', `${INVENTORY}/${door}?company=NWF&sku=${sku}&location=DC1${more}`)).body[
    'items'
  ] as Readonly<Record<string, string>>[]
const whose = async (sku: string) =>
  Object.fromEntries((await read('positions', sku)).map((row) => [row['owner'], row['available']]))
const promised = async (sku: string) => {
  const path = `/process/available-to-promise/v1/availability?company=NWF&location=DC1&sku=${sku}&maxAgeMs=0`
  const { body } = await house.send('GET', path)
  return (body['items'] as { available: string }[])[0]!.available
}
const faultsOf = ({ status, body }: Reply) => [
  status,
  (body['errors'] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`),
]

describe('what is entered of another owner', () => {
  test('is his, worth nothing to us, and not promised', async () => {
    const sku = next()
    const { status, body } = await adjust(of(sku, 'found', '9000'))
    expect([status, body.value]).toEqual([201, '0.00'])
    expect(body.lines).toMatchObject([{ owner: OWNER, quantity: '9000' }])
    expect(await whose(sku)).toEqual({ own: '100', [OWNER]: '9000' })
    expect(await promised(sku)).toBe('100')
  })

  test('is in doubt where more left than his books had, which is told with his name until he is counted', async () => {
    const sku = next()
    const told = async () => (await house.openExceptions('inventory.unreconciled')).map(({ title }) => title)
    await adjust(of(sku, 'found', '3'))
    await adjust(of(sku, 'lost', '5'))
    expect(await told()).toEqual([`More of ${OWNER} left DC1 than our books had`])
    const [doubtful] = await read('positions', sku, `&owner=${OWNER}`)
    expect(doubtful).toMatchObject({ available: '0', unreconciled: '-2' })
    expect(await promised(sku)).toBe('100')
    expect((await checkInvariants(house.app.database)).violations).toEqual([])
    await adjust(of(sku, 'counted', '1'))
    expect(await told()).toEqual([])
  })

  test('is counted beside ours, each against its own books', async () => {
    const sku = next()
    await adjust(of(sku, 'found', '30'))
    const { body } = await adjust(of(sku, 'counted', '28'), at(sku, 'counted', '99'))
    expect(body.lines.map(({ difference }) => difference)).toEqual(['-2', '-1'])
    expect(await whose(sku)).toEqual({ own: '99', [OWNER]: '28' })
  })

  test('is read by owner, in positions and movements, page by page', async () => {
    const sku = next()
    await adjust(of(sku, 'found', '4'))
    expect(await read('positions', sku, `&owner=${OWNER}`)).toMatchObject([{ owner: OWNER, available: '4' }])
    expect(await read('positions', sku, '&owner=own')).toMatchObject([{ owner: 'own', available: '100' }])
    expect(await read('movements', sku, `&owner=${OWNER}`)).toMatchObject([{ owner: OWNER, quantity: '4' }])
    for (const { owner } of await read('movements', sku, '&owner=own')) expect(owner).toBe('own')
    const page = (cursor = '') =>
      house.send('GET', `${INVENTORY}/positions?company=NWF&sku=${sku}&location=DC1&limit=1${cursor}`)
    const first = (await page()).body
    const rest = (await page(`&cursor=${first['nextCursor'] as string}`)).body
    expect([first['items'], rest['items']]).toMatchObject([[{ owner: OWNER }], [{ owner: 'own' }]])
  })
})

describe('what is handed over', () => {
  test('is taken over as two movements of one document, and given back', async () => {
    const sku = next()
    await adjust(of(sku, 'found', '30'))
    const { status, body } = await adjust(of(sku, 'handed-over', '12', { toOwner: 'own' }))
    expect([status, body.lines[0]]).toMatchObject([201, { owner: OWNER, toOwner: 'own' }])
    expect(await whose(sku)).toEqual({ own: '112', [OWNER]: '18' })
    expect(await promised(sku)).toBe('112')
    const moved = await read('movements', sku, `&document=${body.id}`)
    expect(moved.map(({ owner, from, to, quantity }) => [owner, from, to, quantity])).toEqual([
      ['own', 'owner', 'available', '12'],
      [OWNER, 'available', 'owner', '12'],
    ])
    await adjust(at(sku, 'handed-over', '2', { toOwner: OWNER }))
    expect(await whose(sku)).toEqual({ own: '110', [OWNER]: '20' })
  })

  test('goes to orders that wait, which what was found of another owner does not', async () => {
    const sku = next()
    const order = await house.order({ lines: [[sku, 103]] })
    const asked = async () => {
      const [row] = await house.query<{ quantity: string }>(
        `select coalesce(sum(l.quantity), 0)::text as quantity from shipments.fulfillment f
         join shipments.fulfillment_line l on l.fulfillment_id = f.id where f.order_id = $1`,
        [order.doc],
      )
      return Number(row!.quantity)
    }
    const waits = () =>
      house.query('select trim_scale(quantity)::float8 as quantity from inventory.backorder where doc = $1', [
        order.doc,
      ])
    await adjust(of(sku, 'found', '3'))
    expect(await waits()).toEqual([{ quantity: 3 }])
    await adjust(of(sku, 'handed-over', '3', { toOwner: 'own' }))
    await expect.poll(asked, { timeout: 10_000 }).toBe(103)
    expect(await waits()).toEqual([])
  })

  test('waits for another person above the value, and is refused then where it has gone meanwhile', async () => {
    const sku = next()
    await adjust(of(sku, 'found', '200'))
    const waiting = await adjust(of(sku, 'handed-over', '200', { toOwner: 'own' }))
    expect([waiting.status, waiting.body.value]).toEqual([202, '2000.00'])
    await adjust(of(sku, 'lost', '1'))
    const approve = () =>
      house.send('POST', `${PATH}/${waiting.body.id}:approve`, { body: { reason: 'seen' }, headers: second })
    expect(faultsOf(await approve())).toEqual([422, ['/lines/0/quantity inventory.owner_has_less']])
    await adjust(of(sku, 'found', '1'))
    expect((await approve()).status).toBe(200)
    expect(await whose(sku)).toEqual({ own: '300', [OWNER]: '0' })
  })

  test('by lot comes from that lot of his and lies in that lot of ours', async () => {
    await adjust(of(LOTTED, 'found', '5', { lot: 'L1' }), of(LOTTED, 'found', '5', { lot: 'L2' }))
    const more = { toOwner: 'own', lot: 'L1' }
    expect(faultsOf(await adjust(of(LOTTED, 'handed-over', '6', more)))[1]).toEqual([
      '/lines/0/quantity inventory.owner_has_less',
    ])
    await adjust(of(LOTTED, 'handed-over', '4', more))
    const lots = async (owner: string) =>
      (await read('positions', LOTTED, `&owner=${owner}&lot=L1`)).map(({ available }) => available)
    expect([await lots('own'), await lots(OWNER)]).toEqual([['4'], ['1']])
  })
})

test('a lot that we hold is held of ours alone, and what of it becomes ours is on hold', async () => {
  await adjust(of(LOTTED, 'found', '5', { lot: 'L3' }))
  const body = { company: 'NWF', sku: LOTTED, lot: 'L3', reason: 'recall' }
  expect((await house.send('POST', `${INVENTORY}/lots:hold`, { body })).status).toBe(200)
  await adjust(of(LOTTED, 'handed-over', '2', { toOwner: 'own', lot: 'L3' }))
  const rows = await read('positions', LOTTED, '&lot=L3')
  expect(rows.map(({ owner, available, qualityHold }) => [owner, available, qualityHold])).toEqual([
    [OWNER, '3', '0'],
    ['own', '0', '2'],
  ])
})

describe('a line of another owner', () => {
  test.each([
    ['a code that is none', [at('SKU', 'found', '1', { owner: 'A B' })], '/body/lines/0/owner'],
    ['our own code in other letters', [at('SKU', 'found', '1', { owner: 'Own' })], '/body/lines/0/owner'],
  ])('with %s is refused by field, with what a code is', async (_, lines, pointer) => {
    const answer = await adjust(...lines)
    expect(answer.status).toBe(422)
    expect(answer.body['errors' as never]).toMatchObject([
      { pointer: expect.stringContaining(pointer.slice(5)), message: expect.stringContaining('1 to 20') },
    ])
  })

  test.each([
    [
      'hands over without saying to whom',
      of('SKU', 'handed-over', '1'),
      '/lines/0/toOwner inventory.adjustment_contradicts',
    ],
    [
      'hands over to whose it is',
      at('SKU', 'handed-over', '1', { toOwner: 'own' }),
      '/lines/0/toOwner inventory.adjustment_contradicts',
    ],
    [
      'names a next owner of what is lost',
      of('SKU', 'lost', '1', { toOwner: 'own' }),
      '/lines/0/toOwner inventory.adjustment_contradicts',
    ],
    [
      'hands over more than there is',
      of('SKU', 'handed-over', '1', { toOwner: 'own' }),
      '/lines/0/quantity inventory.owner_has_less',
    ],
    [
      'takes from a lot that he never had',
      of(LOTTED, 'lost', '1', { lot: 'L9' }),
      '/lines/0/lot inventory.lot_unknown',
    ],
  ])('that %s is refused by field', async (_, line, error) => {
    const sku = SKUS[0]!
    const named = line.sku === 'SKU' ? { ...line, sku } : line
    expect(faultsOf(await adjust(named))).toEqual([422, [error]])
    expect(await whose(sku)).toEqual({ own: '100' })
  })
})

describe('units with serials of another owner', () => {
  const units = (kind: string, serials: readonly string[], more: object = {}) =>
    at(SERIAL, kind, String(serials.length), { serials, owner: OWNER, ...more })
  const listed = async (more = '') =>
    (await read('serials', SERIAL, more)).map(({ serial, status, owner }) => `${serial} ${status} ${owner}`)

  test('are entered, counted, moved and listed as his, and none of them is promised', async () => {
    await adjust(units('found', ['SN-1', 'SN-2']), units('found', ['SN-9'], { owner: 'own' }))
    expect(await listed()).toEqual([
      `SN-1 available ${OWNER}`,
      `SN-2 available ${OWNER}`,
      'SN-9 available own',
    ])
    expect([await whose(SERIAL), await promised(SERIAL)]).toEqual([{ own: '1', [OWNER]: '2' }, '1'])
    expect((await adjust(units('counted', ['SN-1', 'SN-2', 'SN-3']))).status).toBe(201)
    await adjust(units('moved', ['SN-2'], { toStatus: 'damaged' }), units('lost', ['SN-1']))
    expect(await listed(`&owner=${OWNER}`)).toEqual([`SN-2 damaged ${OWNER}`, `SN-3 available ${OWNER}`])
    expect(await listed('&owner=own')).toEqual(['SN-9 available own'])
    expect(await house.openExceptions('inventory.serials_differ')).toEqual([])
  })

  test.each([
    ['is ours', units('lost', ['SN-9']), 'inventory.serial_not_there'],
    ['is his, and told of as ours', units('lost', ['SN-3'], { owner: 'own' }), 'inventory.serial_not_there'],
    ['is ours, found of his', units('found', ['SN-9']), 'inventory.serial_has_place'],
    ['is ours, counted of his', units('counted', ['SN-3', 'SN-9']), 'inventory.serial_has_place'],
    ['is of nobody', units('handed-over', ['SN-0'], { toOwner: 'own' }), 'inventory.serial_not_there'],
  ])('are refused by field where one %s', async (_, line, code) => {
    const [status, [error]] = faultsOf(await adjust(line)) as [number, string[]]
    expect([status, error]).toEqual([422, expect.stringMatching(new RegExp(`/serials/\\d ${code}$`))])
  })

  test('become ours one by one where they lie, and ours become his', async () => {
    const over = (serial: string, owner: string, toOwner: string) =>
      adjust(units('handed-over', [serial], { owner, toOwner }))
    expect((await over('SN-3', OWNER, 'own')).status).toBe(201)
    expect([await listed('&owner=own'), await promised(SERIAL)]).toEqual([
      ['SN-3 available own', 'SN-9 available own'],
      '2',
    ])
    expect((await over('SN-9', 'own', 'BETA')).status).toBe(201)
    expect(await listed()).toEqual([`SN-2 damaged ${OWNER}`, 'SN-3 available own', 'SN-9 available BETA'])
    const { body } = await house.send('GET', `${INVENTORY}/serials/SN-9?company=NWF`)
    expect(body).toMatchObject({
      owner: 'BETA',
      history: [{ from: 'available', fromOwner: 'own', to: 'available', toOwner: 'BETA' }, {}],
    })
    expect(await house.openExceptions('inventory.serials_differ')).toEqual([])
  })

  test('wait for another person where they are worth much, and are refused then where one has gone', async () => {
    const many = Array.from({ length: 120 }, (_, nth) => `V-${nth}`)
    await adjust(units('found', [...many, 'V-120']))
    const waiting = await adjust(units('handed-over', many, { toOwner: 'own' }))
    expect(waiting.status).toBe(202)
    await adjust(units('lost', ['V-7']))
    const approve = () =>
      house.send('POST', `${PATH}/${waiting.body.id}:approve`, { body: { reason: 'seen' }, headers: second })
    expect(faultsOf(await approve())).toEqual([422, ['/lines/0/serials/7 inventory.serial_not_there']])
    await adjust(units('found', ['V-7']))
    expect((await approve()).status).toBe(200)
    expect((await listed('&owner=own&limit=200')).filter((row) => row.startsWith('V-'))).toHaveLength(120)
  })
})

test('what of ours is reserved is handed over to nobody', async () => {
  const sku = next()
  await house.order({ lines: [[sku, 60]] })
  const errors = faultsOf(await adjust(at(sku, 'handed-over', '100', { toOwner: OWNER })))
  expect(errors).toEqual([422, ['/lines/0/quantity inventory.owner_has_less']])
})

test('every ledger says what its positions say, whoever owns them', async () => {
  const { violations } = await checkInvariants(house.app.database)
  expect(violations.filter(({ invariant }) => invariant.name.startsWith('inventory.'))).toEqual([])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
