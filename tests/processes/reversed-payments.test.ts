/** What the ERP is told of payments that are taken back: once, whatever is lost, late or refused on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { formatAmount } from '#platform/money.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { checkInvariants } from '../../src/app-invariants.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const WITHIN = { timeout: 10_000 }
const POLICY = {
  timeoutMs: 1_000,
  retry: { baseMs: 20, maxMs: 100, maxAttempts: 30, budget: { perSecond: 500, max: 1_000 } },
  breaker: { minCalls: 10_000 },
}

const COMPANIES = {
  NWF: { customer: '520001', sku: '38001', currency: 'USD' },
  NWI: { customer: 'C62001', sku: '48001', currency: 'EUR' },
} as const
type Company = keyof typeof COMPANIES

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '38001', stock: { DC1: 500 } },
      { number: '48001', company: 'NWI', stock: { DC3: 500 } },
    ],
    [{ number: '520001' }, { number: 'C62001', company: 'NWI' }],
    { policy: POLICY, config: { worker: { claimPollMs: 50 } } },
  )
}, 60_000)
afterEach(() => {
  for (const company of ['NWF', 'NWI'] as const) erpOf(company).faults.clear()
})
afterAll(() => house.end())

const erpOf = (company: Company) => (company === 'NWF' ? house.landscape.legacyErp : house.landscape.cloudErp)

type Bill = { readonly company: Company; readonly number: string; readonly total: number }

async function bill(company: Company): Promise<Bill> {
  const { customer, sku } = COMPANIES[company]
  const order = await house.order({ company, customer, lines: [[sku, 2]] })
  const find = () =>
    house.query<{ number: string; total: number }>(
      'select number, total_minor as total from billing.invoice where order_id = $1 and posted_at is not null',
      [order.doc],
    )
  await expect.poll(find, WITHIN).toHaveLength(1)
  return { company, ...(await find())[0]! }
}

const PARKED = '/experience/control-tower/v1/parked-items'

let references = 0
async function pay({ company, number, total }: Bill): Promise<string> {
  const { customer, currency } = COMPANIES[company]
  const amount = formatAmount(total, currency)
  const reference = `BACK-${++references}`
  const body = { company, customer, currency, reference, amount, invoices: [{ number, amount }] }
  return (await house.send('POST', `${O2C}/payments`, { body })).body.id
}

async function reverse(id: string, company: Company): Promise<void> {
  const body = { company, reason: 'returned by the bank' }
  expect((await house.send('POST', `${O2C}/payments/${id}:reverse`, { body })).status).toBe(200)
}

const theirs = (id: string, company: Company) =>
  erpOf(company)
    .truth()
    .payments.filter(({ reference }) => reference === id)
const theirInvoice = ({ company, number }: Bill) =>
  erpOf(company)
    .truth()
    .invoices.find((invoice) => invoice.number === number)!
const registered = (id: string, company: Company) =>
  expect.poll(() => theirs(id, company), WITHIN).toHaveLength(1)
/** It has left the desk: nothing will be done with it any more. */
const settled = (id: string) =>
  expect
    .poll(() => house.query('select 1 from desk.document where doc = $1', [Number(id.slice(2))]), WITHIN)
    .toEqual([])
const numberOf = async (id: string) => {
  const [row] = await house.query<{ number: string | null; done: boolean }>(
    'select erp_reversal as number, reversal_registered_at is not null as done from billing.payment where id = $1',
    [Number(id.slice(2))],
  )
  return row!
}

describe('when the answer to a reversal is lost after the effect', () => {
  test.each([
    ['legacy ERP, which is asked what became of it', 'NWF', 1],
    ['cloud ERP, which is sent it again under its key', 'NWI', 2],
  ] as const)('it is made once at the %s', async (_, company, times) => {
    const due = await bill(company)
    const id = await pay(due)
    await registered(id, company)
    await settled(id)
    const { faults, received } = erpOf(company)
    const looked = received.times('findPayments', id)
    faults.set({ kind: 'no-answer', operation: 'reversePayment', times: 1 })
    await reverse(id, company)
    await settled(id)
    const [payment] = theirs(id, company)
    expect(await numberOf(id)).toEqual({ number: payment!.reversal!.number, done: true })
    expect(received.times('reversePayment', id)).toBe(times)
    expect(received.times('findPayments', id) > looked).toBe(company === 'NWF')
    expect(theirInvoice(due).openMinor).toBe(due.total)
  })
})

test('a payment that is reversed while it is being registered is registered and then taken back', async () => {
  const due = await bill('NWF')
  erpOf('NWF').faults.set({ kind: 'latency', operation: 'registerPayment', ms: 500 })
  const id = await pay(due)
  await reverse(id, 'NWF')
  expect(theirs(id, 'NWF')).toEqual([])
  await settled(id)
  expect(theirs(id, 'NWF')).toMatchObject([{ reversal: { reason: 'returned by the bank' } }])
  expect(theirInvoice(due).openMinor).toBe(due.total)
})

describe('what is paid again', () => {
  const waiting = () => listExceptions(house.app.database, { code: 'billing.registration_waits' })
  const refused = () => listExceptions(house.app.database, { code: 'billing.registration_refused' })
  test.each([
    ['answers late', { kind: 'latency', ms: 500 }],
    ['is away for it', { kind: 'outage', mode: 'unavailable', times: 8 }],
  ] as const)('waits where the ERP %s, and is registered by itself, once', async (_, fault) => {
    const due = await bill('NWF')
    const first = await pay(due)
    await registered(first, 'NWF')
    erpOf('NWF').faults.set({ ...fault, operation: 'reversePayment' })
    await reverse(first, 'NWF')
    const second = await pay(due)
    await settled(first)
    await settled(second)
    expect(erpOf('NWF').received.times('registerPayment', second)).toBe(1)
    expect(theirs(second, 'NWF')).toHaveLength(1)
    expect(theirInvoice(due).openMinor).toBe(0)
    expect([await refused(), await waiting()]).toEqual([[], []])
  })

  test('and was paid before the reversal waits for nothing, since both have room', async () => {
    const due = await bill('NWF')
    const half = Math.floor(due.total / 2)
    const first = await pay({ ...due, total: half })
    await registered(first, 'NWF')
    erpOf('NWF').faults.set({ kind: 'outage', mode: 'unavailable', operation: 'registerPayment', times: 4 })
    const second = await pay({ ...due, total: due.total - half })
    erpOf('NWF').faults.set({ kind: 'latency', ms: 500, operation: 'reversePayment' })
    await reverse(first, 'NWF')
    await settled(first)
    await settled(second)
    expect(theirs(second, 'NWF')).toHaveLength(1)
    expect(theirInvoice(due).openMinor).toBe(half)
  })

  test('and reversed while it waits gives its place to the next', async () => {
    const due = await bill('NWF')
    const first = await pay(due)
    await registered(first, 'NWF')
    erpOf('NWF').faults.set({ kind: 'outage', mode: 'unavailable', operation: 'reversePayment', times: 8 })
    await reverse(first, 'NWF')
    const second = await pay(due)
    await reverse(second, 'NWF')
    await settled(second)
    const third = await pay(due)
    await settled(third)
    expect(await numberOf(second)).toMatchObject({ done: true })
    expect(theirs(third, 'NWF')).toHaveLength(1)
    expect(await waiting()).toEqual([])
  })

  test('says for what it waits where a person has to decide on a call, and goes on by itself after that', async () => {
    const due = await bill('NWF')
    const first = await pay(due)
    await registered(first, 'NWF')
    erpOf('NWF').faults.set({ kind: 'outage', mode: 'unavailable', operation: 'reversePayment' })
    await reverse(first, 'NWF')
    const second = await pay(due)
    await expect
      .poll(waiting, WITHIN)
      .toMatchObject([{ owner: 'billing', title: expect.stringContaining(first) as string }])
    erpOf('NWF').faults.clear()
    const { body } = await house.send('GET', `${PARKED}?document=${first}`)
    const [item] = (body as unknown as { items: { id: number }[] }).items
    const replay = { body: { reason: 'the ERP is back' } }
    expect((await house.send('POST', `${PARKED}/${item!.id}:replay`, replay)).status).toBe(200)
    await settled(second)
    expect(theirs(second, 'NWF')).toHaveLength(1)
    expect(await waiting()).toEqual([])
  })
})

describe('a payment that the ERP would not register', () => {
  test('is nothing to mend any more once it is reversed', async () => {
    const due = await bill('NWF')
    Object.assign(theirInvoice(due), { openMinor: 0 })
    const id = await pay(due)
    const open = () => listExceptions(house.app.database, { code: 'billing.registration_refused' })
    await expect.poll(open, WITHIN).toHaveLength(1)
    await reverse(id, 'NWF')
    await settled(id)
    expect(await open()).toEqual([])
    expect(await numberOf(id)).toEqual({ number: null, done: true })
    expect(theirs(id, 'NWF')).toEqual([])
  })

  test('is done with also where its refusal comes after the reversal', async () => {
    const due = await bill('NWF')
    Object.assign(theirInvoice(due), { openMinor: 0 })
    erpOf('NWF').faults.set({ kind: 'latency', operation: 'registerPayment', ms: 500 })
    const id = await pay(due)
    await reverse(id, 'NWF')
    await settled(id)
    expect(await numberOf(id)).toEqual({ number: null, done: true })
    expect(await listExceptions(house.app.database, { code: 'billing.registration_refused' })).toEqual([])
  })
})

test('a reversal that the ERP refuses is for a person, as is what waits for it, and all go through once the cause is mended', async () => {
  const due = await bill('NWF')
  const id = await pay(due)
  await registered(id, 'NWF')
  const [payment] = theirs(id, 'NWF')
  const { customer } = payment!
  Object.assign(payment!, { customer: 'nobody' })
  erpOf('NWF').faults.set({ kind: 'latency', ms: 300, operation: 'reversePayment' })
  await reverse(id, 'NWF')
  const next = await pay(due)
  const open = () => listExceptions(house.app.database, { code: 'billing.reversal_refused' })
  const waiting = () => listExceptions(house.app.database, { code: 'billing.registration_waits' })
  await expect.poll(open, WITHIN).toMatchObject([{ owner: 'billing' }])
  await reverse(next, 'NWF')
  expect(await waiting()).toEqual([])
  const last = await pay(due)
  expect(await waiting()).toMatchObject([{ owner: 'billing', title: expect.stringContaining(id) as string }])
  Object.assign(payment!, { customer })
  const [exception] = await open()
  const path = `/experience/control-tower/v1/exceptions/${exception!.id}:retry`
  expect((await house.send('POST', path, { body: { reason: 'mended' } })).status).toBe(200)
  await settled(id)
  expect(await open()).toEqual([])
  expect(theirs(id, 'NWF')).toMatchObject([{ reversal: { reason: 'returned by the bank' } }])
  await settled(last)
  expect([theirs(next, 'NWF'), await waiting()]).toEqual([[], []])
  expect(theirs(last, 'NWF')).toHaveLength(1)
})

test('the tables agree with all of it', async () => {
  expect((await checkInvariants(house.app.database)).violations).toEqual([])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
