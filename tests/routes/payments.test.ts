/** The door of payments: money is applied once, told to the ERP, and what pays nothing has an owner. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import { findCustomers, lockCreditAccounts } from '#domains/customers/operations.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { formatAmount } from '#platform/money.ts'
import { bearer, type FrontDoor, O2C, openFrontDoor, shipsAtOnce } from './front-door.ts'

let door: FrontDoor
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor()
  partner = bearer(
    await door.key({ client: 'portal', scopes: ['process.payments:write'], partner: '100101' }),
  )
}, 60_000)
afterAll(() => door.end())

type Bill = {
  company: string
  customer: string
  currency: string
  number: string
  totalMinor: number
  order: string
}

/** An order's posted invoice. */
async function bill(): Promise<Bill> {
  const byWeight = new Set(
    door.landscape.world.items.flatMap((item) => (item.catchWeight ? [item.number] : [])),
  )
  const order = door.next((one) => {
    return shipsAtOnce(one) && one.company === 'NWF' && one.lines.every((line) => !byWeight.has(line.item))
  })
  const { id } = (await door.submit(order)).body
  const doc = Number(id.slice(2))
  await expect
    .poll(async () => (await invoicesOfOrders(door.app.database, [doc]))[0]?.number ?? null, {
      timeout: 10_000,
    })
    .not.toBeNull()
  const [invoice] = await invoicesOfOrders(door.app.database, [doc])
  const { company, customer, currency } = order
  return {
    company,
    customer,
    currency,
    number: invoice!.number!,
    totalMinor: invoice!.totalMinor!,
    order: id,
  }
}

const pay = (body: object, options: { key?: string; headers?: Readonly<Record<string, string>> } = {}) =>
  door.send('POST', `${O2C}/payments`, { body, ...options })

const paymentOf = (
  { company, customer, currency, number, totalMinor }: Bill,
  reference: string,
  amountMinor = totalMinor,
) => ({
  company,
  customer,
  currency,
  reference,
  amount: formatAmount(amountMinor, currency),
  invoices: [{ number, amount: formatAmount(Math.min(amountMinor, totalMinor), currency) }],
})

async function exposure({ company, customer }: Bill): Promise<number> {
  const key = { company, number: customer }
  const found = await findCustomers(door.app.database, [key])
  const { id } = found.get(customerKey(company, customer))!
  const accounts = await door.app.database.transaction((tx) => lockCreditAccounts(tx, [id]))
  return accounts.get(id)!.openMinor
}

const registered = () => door.landscape.legacyErp.truth().payments

test('a payment pays its invoice, frees the credit and is registered by the ERP once', async () => {
  const due = await bill()
  const before = await exposure(due)
  const received = await pay(paymentOf(due, 'WIRE-1'), { key: 'wire-1' })
  expect(received.status).toBe(201)
  expect(received.body).toMatchObject({
    state: 'applied',
    unapplied: '0.00',
    applications: [{ number: due.number, invoiceState: 'paid' }],
  })
  expect(before - (await exposure(due))).toBe(due.totalMinor)
  await expect.poll(() => registered().length, { timeout: 10_000 }).toBe(1)
  const replayed = await pay(paymentOf(due, 'WIRE-1'), { key: 'wire-1' })
  expect(replayed.headers.get('idempotency-replayed')).toBe('true')
  const known = await pay(paymentOf(due, 'WIRE-1'))
  expect([known.status, known.body]).toEqual([200, received.body])
  expect(registered()).toHaveLength(1)
  const story = await door.send('GET', `${O2C}/orders/${received.body.id}/story`)
  expect((story.body['order'] as { id: string }).id).toBe(due.order)
})

test('the same reference with another amount is refused', async () => {
  const due = await bill()
  await pay(paymentOf(due, 'WIRE-2', 100))
  const refused = await pay(paymentOf(due, 'WIRE-2', 200))
  expect([refused.status, refused.body.code]).toEqual([409, 'billing.payment_repeated'])
})

test('more than an invoice is open for is refused by its field', async () => {
  const due = await bill()
  const payment = paymentOf(due, 'WIRE-3', due.totalMinor + 1)
  const refused = await pay({ ...payment, invoices: [{ number: due.number, amount: payment.amount }] })
  expect([refused.status, refused.body.code]).toEqual([422, 'billing.invoice_overpaid'])
  expect(refused.body['errors']).toMatchObject([{ pointer: '/invoices/0/amount' }])
})

test('cash beyond the open invoices stays on account, with an exception that billing owns', async () => {
  const due = await bill()
  const received = await pay(paymentOf(due, 'WIRE-4', due.totalMinor + 500))
  expect(received.body).toMatchObject({ state: 'partially_applied', unapplied: '5.00' })
  const open = await listExceptions(door.app.database, { code: 'billing.unapplied_cash' })
  expect(open).toMatchObject([{ owner: 'billing', stake: [{ amountMinor: 500, currency: 'USD' }] }])
})

async function deductionsOf({ number }: Bill) {
  const open = await listExceptions(door.app.database, { code: 'billing.short_payment' })
  return open.filter(({ title }) => title.endsWith(` on ${number}`))
}

test('a payment that is short of the invoice it names is for a person, until the rest is paid', async () => {
  const due = await bill()
  const part = due.totalMinor - 250
  expect((await pay(paymentOf(due, 'WIRE-7', part))).body).toMatchObject({
    applications: [{ number: due.number, invoiceState: 'partially_paid' }],
  })
  expect(await deductionsOf(due)).toMatchObject([
    {
      owner: 'billing',
      title: `Customer ${due.customer} paid 2.50 USD too little on ${due.number}`,
      stake: [{ amountMinor: 250, currency: 'USD' }],
    },
  ])
  await pay(paymentOf(due, 'WIRE-8', 250))
  expect(await deductionsOf(due)).toEqual([])
})

test('what is left of the oldest invoice by cash that names none is no deduction', async () => {
  const due = await bill()
  const { invoices: _, ...payment } = paymentOf(due, 'WIRE-9', 100)
  expect((await pay(payment)).body).toMatchObject({ state: 'applied' })
  expect(await deductionsOf(due)).toEqual([])
})

test.each([
  ['billing.customer_unknown', { customer: 'nobody' }],
  ['billing.invoice_unknown', { invoices: [{ number: '1', amount: '1.00' }] }],
  ['billing.applications_exceed_payment', { amount: '0.50' }],
  ['money.malformed', { amount: '1.2345' }],
])('%s is a 422', async (code, change) => {
  const due = await bill()
  const refused = await pay({ ...paymentOf(due, `REFUSED-${code}`, 100), ...change })
  expect([refused.status, refused.body.code]).toEqual([422, code])
})

test('an invoice in another currency is refused', async () => {
  const due = await bill()
  const refused = await pay({ ...paymentOf(due, 'WIRE-5', 100), currency: 'EUR' })
  expect([refused.status, refused.body.code]).toEqual([422, 'billing.currency_differs'])
})

test('a partner reports its own payments only', async () => {
  const due = await bill()
  const refused = await pay({ ...paymentOf(due, 'WIRE-6'), customer: '100199' }, { headers: partner })
  expect([refused.status, refused.body.code]).toEqual([422, 'billing.customer_unknown'])
})

test('no door met a defect', () => {
  expect(door.complaints).toEqual([])
})
