/** What systems refuse of a document stops it, with somebody who must look; tried again and taken, nobody has to any more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { endRefusals } from '../../src/processes/refusals.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const DOOR = '/experience/control-tower/v1/exceptions'
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '38001', stock: { DC1: 50 } },
      { number: '48001', company: 'NWI', stock: { DC3: 50 } },
    ],
    [
      { number: '520001' },
      { number: 'C62001', company: 'NWI' },
      { number: '520002', creditLimitMinor: 1_000 },
    ],
  )
}, 60_000)
afterAll(() => house.end())

const open = (code: string) => listExceptions(house.app.database, { code })
const retry = (id: number, reason = 'mended') =>
  house.send('POST', `${DOOR}/${id}:retry`, { body: { reason } })
const posted = (order: Placed) =>
  house.query('select 1 from billing.invoice where order_id = $1 and posted_at is not null', [order.doc])
const atErp = async (order: Placed) => {
  const find = () =>
    house.query('select 1 from orders.sales_order where id = $1 and erp_number is not null', [order.doc])
  await expect.poll(find, WITHIN).toHaveLength(1)
}

/** The one exception of this code, once it is there. */
async function refused(code: string): Promise<number> {
  await expect.poll(() => open(code), WITHIN).toHaveLength(1)
  return (await open(code))[0]!.id
}

/** Tried again with the cause still there it is refused again; with the cause gone it goes through and closes. */
async function goesThrough(code: string, mend: () => void): Promise<void> {
  const id = await refused(code)
  const steps = () =>
    house.query<{ generation: number }>(
      `select s.generation from desk.step s join exceptions.affected a on a.doc = s.doc
       where a.exception = $1 and s.state = 'refused'`,
      [id],
    )
  expect((await retry(id)).status).toBe(200)
  await expect.poll(steps, WITHIN).toEqual([{ generation: 2 }])
  expect((await open(code)).map((one) => one.id)).toEqual([id])
  mend()
  const { status, body } = await retry(id)
  expect([status, body['retry']]).toMatchObject([200, { done: 1, remaining: 0 }])
  await expect.poll(() => open(code), WITHIN).toEqual([])
  expect((await house.send('GET', `${DOOR}/${id}`)).body).toMatchObject({
    state: 'resolved',
    closedBy: 'crossdock',
    resolution: 'it went through',
  })
}

test('an invoice that the ERP refuses to post is posted once the cause is mended, and its exception closes itself', async () => {
  house.landscape.wms.faults.set({ kind: 'latency', ms: 500 })
  const order = await house.order({ lines: [['38001', 2]] })
  await atErp(order)
  const theirs = house.landscape.legacyErp.truth().orders.at(-1)!
  Object.assign(theirs, { currency: 'EUR' })
  house.landscape.wms.faults.clear()
  await goesThrough('billing.posting_refused', () => Object.assign(theirs, { currency: 'USD' }))
  await expect.poll(() => posted(order), WITHIN).toHaveLength(1)
  const keys = await house.query<{ key: string }>(
    `select data ->> 'effectKey' as key from log.event e join billing.invoice i on i.id = e.key
     where i.order_id = $1 and e.type = 'invoice.posted'`,
    [order.doc],
  )
  expect(keys).toEqual([{ key: expect.stringMatching(/\/post\/\/3$/) as string }])
  const trail = await listAudit(house.app.database, { action: 'work.try_again' })
  expect(trail).toMatchObject([
    { kind: 'invoice', reason: 'mended' },
    { kind: 'invoice', reason: 'mended' },
  ])
})

test('an invoice for which the tax system refuses to determine tax goes on the same way', async () => {
  house.landscape.wms.faults.set({ kind: 'latency', ms: 500 })
  const order = await house.order({ company: 'NWI', customer: 'C62001', lines: [['48001', 2]] })
  await atErp(order)
  const taxAs = (taxClass: string) =>
    house.query('update orders.line set tax_class = $2 where order_id = $1', [order.doc, taxClass])
  const [{ taxClass }] = (await house.query<{ taxClass: string }>(
    'select tax_class as "taxClass" from orders.line where order_id = $1',
    [order.doc],
  )) as [{ taxClass: string }]
  await taxAs('NOBODY KNOWS')
  house.landscape.wms.faults.clear()
  const id = await refused('billing.tax_refused')
  await taxAs(taxClass)
  await retry(id)
  await expect.poll(() => open('billing.tax_refused'), WITHIN).toEqual([])
  await expect.poll(() => posted(order), WITHIN).toHaveLength(1)
})

test('a payment that the ERP refuses to register goes on the same way', async () => {
  const order = await house.order({ lines: [['38001', 2]] })
  await expect.poll(() => posted(order), WITHIN).toHaveLength(1)
  const [invoice] = await house.query<{ number: string; total: number }>(
    'select number, total_minor as total from billing.invoice where order_id = $1',
    [order.doc],
  )
  const theirs = house.landscape.legacyErp.truth().invoices.find(({ number }) => number === invoice!.number)!
  const openMinor = theirs.openMinor
  Object.assign(theirs, { openMinor: 0 })
  const amount = (invoice!.total / 100).toFixed(2)
  const body = {
    company: 'NWF',
    customer: '520001',
    currency: 'USD',
    reference: 'WIRE-R',
    amount,
    invoices: [{ number: invoice!.number, amount }],
  }
  expect((await house.send('POST', `${O2C}/payments`, { body })).status).toBe(201)
  await goesThrough('billing.registration_refused', () => Object.assign(theirs, { openMinor }))
})

describe('trying again', () => {
  test('is refused where nothing was refused, and where a hold has to be released first', async () => {
    const order = await house.order({ customer: '520002', lines: [['38001', 2]] })
    const [hold] = await open('orders.hold.credit')
    const again = await retry(hold!.id)
    expect([again.status, again.body.code]).toEqual([409, 'exceptions.nothing_refused'])
    const { body } = await house.send('GET', `${DOOR}/${hold!.id}`)
    expect(body['history']).toEqual([])
    await house.releaseHold(order, 'credit')
    await house.closed(order)
    const closed = await retry(hold!.id)
    expect([closed.status, closed.body.code]).toEqual([409, 'exceptions.closed'])
    expect((await retry(999_999)).body.code).toBe('exceptions.not_found')
    expect((await retry(hold!.id, ' ')).body.code).toBe('exceptions.text_missing')
  })

  test('asks nothing of the database for what goes through at its first try', async () => {
    const asked = house.app.database.transaction((tx) => {
      const spy = new Proxy(tx, {
        get: () => () => {
          throw new Error('it asked')
        },
      })
      const answers = [{ effectKey: '17/post//1' }]
      return endRefusals(spy, [{ facts: { doc: 17 }, answers }], 'billing.posting_refused')
    })
    await expect(asked).resolves.toBeUndefined()
  })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
