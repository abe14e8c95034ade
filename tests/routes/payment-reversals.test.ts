/** The door of reversals: a payment is taken back whole and once, what it paid is due again, and the ERP hears of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { formatAmount } from '#platform/money.ts'
import { openWholesaler, type Placed, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { bearer, O2C, type Reply } from './front-door.ts'

const WITHIN = { timeout: 10_000 }

let house: Wholesaler
let partner: Readonly<Record<string, string>>
let reader: Readonly<Record<string, string>>
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '38001', stock: { DC1: 500 } },
      { number: '48001', company: 'NWI', stock: { DC3: 500 } },
    ],
    [
      { number: '520001' },
      { number: '520002' },
      { number: 'C62001', company: 'NWI' },
      { number: '520003', creditLimitMinor: 3_000 },
    ],
  )
  const own = { client: 'portal', scopes: ['process.payments:write'], partner: '520002' }
  partner = bearer(await house.key(own))
  reader = bearer(await house.key({ client: 'reader', scopes: ['process.orders:read'] }))
}, 60_000)
afterAll(() => house.end())

type Bill = { readonly order: Placed; readonly doc: number; readonly number: string; readonly total: number }
type Buyer = { readonly company?: 'NWF' | 'NWI'; readonly customer?: string }

/** A posted invoice over two pieces. */
async function bill({ company = 'NWF', customer = '520001' }: Buyer = {}): Promise<Bill> {
  const sku = company === 'NWF' ? '38001' : '48001'
  const order = await house.order({ company, customer, lines: [[sku, 2]] })
  const find = () =>
    house.query<{ doc: number; number: string; total: number }>(
      'select id as doc, number, total_minor as total from billing.invoice where order_id = $1 and posted_at is not null',
      [order.doc],
    )
  await expect.poll(find, WITHIN).toHaveLength(1)
  await house.closed(order)
  return { order, ...(await find())[0]! }
}

let references = 0
async function pay(
  bills: readonly Bill[],
  { company = 'NWF', customer = '520001', more = 0 }: Buyer & { more?: number } = {},
): Promise<{ id: string; body: object; amount: string }> {
  const currency = company === 'NWF' ? 'USD' : 'EUR'
  const money = (minor: number): string => formatAmount(minor, currency)
  const amount = money(bills.reduce((sum, { total }) => sum + total, more))
  const invoices = bills.map(({ number, total }) => ({ number, amount: money(total) }))
  const body = { company, customer, currency, reference: `REV-${++references}`, amount, invoices }
  const reply = await house.send('POST', `${O2C}/payments`, { body })
  expect(reply.status).toBe(201)
  return { id: reply.body.id, body, amount }
}

const reverse = (
  id: string,
  body: object = {},
  options: { key?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> =>
  house.send('POST', `${O2C}/payments/${id}:reverse`, {
    body: { company: 'NWF', reason: 'returned by the bank', ...body },
    ...options,
  })

const theirs = (id: string, company: 'NWF' | 'NWI' = 'NWF') => {
  const erp = company === 'NWF' ? house.landscape.legacyErp : house.landscape.cloudErp
  return erp.truth().payments.filter(({ reference }) => reference.split('/')[0] === id)
}
const registered = (id: string, company?: 'NWF' | 'NWI') =>
  expect.poll(() => theirs(id, company).length, WITHIN).toBeGreaterThan(0)
const takenBack = (id: string, company?: 'NWF' | 'NWI') =>
  expect.poll(() => theirs(id, company).every(({ reversal }) => reversal !== undefined), WITHIN).toBe(true)

/** What the house counts against the payer beside what the ERP told of it. */
async function exposure(customer: string): Promise<number> {
  const [account] = await house.query<{ open: number }>(
    `select a.open_minor as open from customers.credit_account a join customers.customer c on c.id = a.customer_id
     where c.number = $1`,
    [customer],
  )
  return account!.open
}

const invoiceOf = async ({ doc }: Bill) => {
  const [row] = await house.query<{ state: string; paid: number }>(
    'select state, paid_minor as paid from billing.invoice where id = $1',
    [doc],
  )
  return row!
}

describe('a payment that is reversed', () => {
  test('opens its invoice again, counts as credit, is taken back by the ERP, and the story says why', async () => {
    const due = await bill()
    const before = await exposure('520001')
    const { id, amount } = await pay([due])
    await registered(id)
    expect(await invoiceOf(due)).toEqual({ state: 'paid', paid: due.total })
    const reversed = await reverse(id, { amount }, { key: 'bounced-1' })
    expect([reversed.status, reversed.body]).toEqual([
      200,
      {
        id,
        state: 'reversed',
        amount,
        reason: 'returned by the bank',
        invoices: [
          { invoice: `I-${due.doc}`, number: due.number, amount, open: amount, invoiceState: 'posted' },
        ],
      },
    ])
    expect(await invoiceOf(due)).toEqual({ state: 'posted', paid: 0 })
    expect(await exposure('520001')).toBe(before)
    await takenBack(id)
    const legacy = house.landscape.legacyErp.truth()
    expect(legacy.invoices.find(({ number }) => number === due.number)).toMatchObject({
      openMinor: due.total,
    })
    const { body } = await house.send('GET', `${O2C}/orders/${due.order.body.id}/story`)
    expect(body).toMatchObject({ order: { closed: true }, money: { paid: '0.00', due: amount } })
    expect(body['documents']).toContainEqual(expect.objectContaining({ id, state: 'reversed' }))
    expect(body['entries']).toContainEqual(
      expect.objectContaining({
        type: 'invoice.payment_reversed',
        title: `${id} was taken back, ${amount} USD is due again: returned by the bank`,
      }),
    )
    const replayed = await reverse(id, { amount }, { key: 'bounced-1' })
    expect(replayed.headers.get('idempotency-replayed')).toBe('true')
    expect(replayed.body).toEqual(reversed.body)
    const trail = await listAudit(house.app.database, { action: 'billing.reverse_payment' })
    expect(trail).toMatchObject([
      { kind: 'payment', doc: Number(id.slice(2)), reason: 'returned by the bank' },
    ])
  })

  test('is told as reversed to who reports it again, and what comes after all is another payment', async () => {
    const due = await bill()
    const { id, body, amount } = await pay([due])
    await reverse(id)
    const again = await house.send('POST', `${O2C}/payments`, { body })
    expect([again.status, again.body]).toEqual([
      200,
      { id, state: 'reversed', amount, applied: '0.00', unapplied: '0.00', applications: [] },
    ])
    const paid = await pay([due])
    expect(await invoiceOf(due)).toEqual({ state: 'paid', paid: due.total })
    await registered(paid.id)
    await takenBack(id)
  })

  test('gives its place at the ERP to what is paid at once, however often that is reversed too', async () => {
    const due = await bill()
    const bounced: string[] = []
    for (let times = 0; times < 4; times++) {
      const { id } = await pay([due])
      expect((await reverse(id)).status).toBe(200)
      bounced.push(id)
    }
    const { id } = await pay([due])
    await registered(id)
    for (const each of bounced) await takenBack(each)
    expect(theirs(id)).toMatchObject([{ invoiceOpenMinor: 0 }])
    expect(await listExceptions(house.app.database, { code: 'billing.registration_refused' })).toEqual([])
  })

  test('takes back each invoice that it paid at the ERP that holds them', async () => {
    const buyer = { company: 'NWI', customer: 'C62001' } as const
    const dues = [await bill(buyer), await bill(buyer)]
    const { id } = await pay(dues, buyer)
    await expect.poll(() => theirs(id, 'NWI').length, WITHIN).toBe(2)
    const { body } = await reverse(id, { company: 'NWI' })
    expect(body['invoices']).toHaveLength(2)
    await takenBack(id, 'NWI')
    const done = `select erp_reversal as number from billing.payment where id = $1 and reversal_registered_at is not null`
    await expect
      .poll(() => house.query(done, [Number(id.slice(2))]), WITHIN)
      .toEqual([{ number: theirs(id, 'NWI')[0]!.reversal!.number }])
  })

  test('leaves nobody to ask what its rest on account is for, nor what it kept back', async () => {
    const [due, short] = [await bill(), await bill()]
    const rest = await pay([due], { more: 500 })
    const part = await pay([{ ...short, total: short.total - 100 }])
    const asked = async () => [
      ...(await listExceptions(house.app.database, { code: 'billing.unapplied_cash' })),
      ...(await listExceptions(house.app.database, { code: 'billing.short_payment' })),
    ]
    expect(await asked()).toHaveLength(2)
    for (const { id } of [rest, part]) expect((await reverse(id)).status).toBe(200)
    expect(await asked()).toEqual([])
  })

  test('that paid nothing is told to nobody', async () => {
    const body = {
      company: 'NWF',
      customer: '520002',
      currency: 'USD',
      reference: 'REV-ACCOUNT',
      amount: '7.00',
    }
    const { id } = (await house.send('POST', `${O2C}/payments`, { body })).body
    const before = await exposure('520002')
    expect((await reverse(id)).body).toMatchObject({ state: 'reversed', invoices: [] })
    expect((await exposure('520002')) - before).toBe(700)
    const left = () => house.query('select 1 from desk.document where doc = $1', [Number(id.slice(2))])
    await expect.poll(left, WITHIN).toEqual([])
    expect(theirs(id)).toEqual([])
  })

  test('uses up the credit that the next order would have had', async () => {
    const buyer = { customer: '520003' }
    const due = await bill(buyer)
    const { id } = await pay([due], buyer)
    expect((await reverse(id)).status).toBe(200)
    const next = await house.order({ ...buyer, lines: [['38001', 2]] })
    expect(await house.holdsOf(next)).toMatchObject([{ type: 'credit', status: 'open' }])
  })
})

test('of many reversals at once one takes the payment back and the others are told so', async () => {
  const due = await bill()
  const { id } = await pay([due])
  const replies = await Promise.all(Array.from({ length: 6 }, () => reverse(id)))
  const answers = replies.map(({ status, body }) => body.code ?? status)
  expect(answers.toSorted()).toEqual([200, ...Array<string>(5).fill('billing.payment_reversed')])
  expect(await invoiceOf(due)).toEqual({ state: 'posted', paid: 0 })
  await registered(id)
  await takenBack(id)
  const told = `select count(*)::int as n from log.event where type = 'payment.reversed' and key = $1`
  expect(await house.query(told, [Number(id.slice(2))])).toEqual([{ n: 1 }])
})

describe('a reversal is refused', () => {
  let paid: Promise<{ id: string }> | undefined
  const standing = async (): Promise<string> => {
    paid ??= bill().then((due) => pay([due]))
    return (await paid).id
  }

  test.each([
    ['billing.payment_unknown', 404, 'of no payment', async () => reverse('P-999999999')],
    ['billing.payment_unknown', 404, 'of what is no number of a payment', async () => reverse('O-17')],
    [
      'billing.payment_unknown',
      404,
      "of another company's payment",
      async () => reverse(await standing(), { company: 'NWI' }),
    ],
    [
      'billing.payment_unknown',
      404,
      "to a partner of another payer's payment",
      async () => reverse(await standing(), {}, { headers: partner }),
    ],
    ['billing.reversal_partial', 422, 'of a part', async () => reverse(await standing(), { amount: '0.01' })],
    [
      'money.malformed',
      422,
      'of an amount that there is not',
      async () => reverse(await standing(), { amount: '1.2345' }),
    ],
    ['http.invalid', 422, 'without a reason', async () => reverse(await standing(), { reason: '' })],
    [
      'access.scope_missing',
      403,
      'without the scope',
      async () => reverse(await standing(), {}, { headers: reader }),
    ],
  ])('%s with %i %s', async (code, status, _, ask) => {
    const refused = await ask()
    expect([refused.status, refused.body.code]).toEqual([status, code])
  })

  test('and then changes nothing', async () => {
    const id = await standing()
    const refused = await reverse(id, { amount: '0.01' }, { key: 'second-thoughts' })
    expect(refused.status).toBe(422)
    const [row] = await house.query<{ reversed: Date | null }>(
      'select reversed_at as reversed from billing.payment where id = $1',
      [Number(id.slice(2))],
    )
    expect(row!.reversed).toBeNull()
  })

  test('and a partner takes back its own payment', async () => {
    const own = await pay([await bill({ customer: '520002' })], { customer: '520002' })
    expect((await reverse(own.id, {}, { headers: partner })).status).toBe(200)
  })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
