/** Invoices on a real database: one line for each shipment line, and immutable once posted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordPosted, recordSent, recordTax } from '#domains/billing/operations.ts'
import { invoicesOfOrders, linesOfInvoices, lockInvoices } from '#domains/billing/views.ts'
import {
  CAUSE,
  draft,
  invoice,
  newDoc,
  numberOf,
  post,
  POSTED_AT,
  toldOf,
} from '#tests/domains/billing/invoice-fixtures.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const headerOf = async (doc: number) => (await lockInvoices(db.database, [doc]))[0]

test('an invoice goes from draft to sent, each step a version and an event', async () => {
  const drafted = await draft(db)
  const { doc } = drafted
  expect(await invoicesOfOrders(db.database, [drafted.orderId])).toMatchObject([
    { doc, state: 'draft', netMinor: 100, taxMinor: null, totalMinor: null, number: null, version: 1 },
  ])
  const taxed = {
    ...drafted,
    taxMinor: 8,
    evidence: 'T-1',
    jurisdiction: 'US-ME',
    lines: [{ line: 1, taxMinor: 8, ratePpm: 80_000 }],
  }
  await db.database.transaction((tx) => recordTax(tx, [taxed], CAUSE))
  expect(await headerOf(doc)).toMatchObject({
    state: 'taxed',
    taxMinor: 8,
    totalMinor: 108,
    taxEvidence: 'T-1',
    taxJurisdiction: 'US-ME',
  })
  expect(await linesOfInvoices(db.database, [doc])).toMatchObject([
    { doc, taxMinor: 8, taxRatePpm: 80_000, unit: 'CA' },
  ])
  const posted = { ...drafted, number: numberOf(drafted), taxMinor: 8, postedAt: POSTED_AT, effectKey: 'k' }
  await db.database.transaction((tx) => recordPosted(tx, [posted], CAUSE))
  expect(await headerOf(doc)).toMatchObject({
    state: 'posted',
    number: numberOf(drafted),
    postedAt: POSTED_AT,
  })
  const sent = [{ ...drafted, reference: '810-1' }]
  const changed = await db.database.transaction((tx) => recordSent(tx, sent, CAUSE))
  expect(changed.get(doc)).toMatchObject({ version: 4, state: 'sent' })
  expect((await toldOf(db, doc)).map(({ type, version }) => [type, version])).toEqual([
    ['invoice.drafted', 1],
    ['invoice.taxed', 2],
    ['invoice.posted', 3],
    ['invoice.sent', 4],
  ])
})

test('an invoice falls due when its terms have passed since it was posted', async () => {
  const { doc } = await post(db, { termsDays: 14 })
  const [row] = await db.run('select due_date::text from billing.invoice where id = $1', [doc])
  expect(row).toEqual({ due_date: '2026-03-16' })
})

describe('a shipment line', () => {
  test('is billed once for each event, whatever happens', async () => {
    const first = await draft(db)
    const again = draft(db, { shipmentId: first.shipmentId })
    await expect(again).rejects.toMatchObject({ code: '23505' })
    const twice = [draft, draft].map((each) => each(db, { shipmentId: 987_654 }))
    const outcomes = await Promise.allSettled(twice)
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const [line] = invoice({ doc: first.doc, shipmentId: first.shipmentId }).lines
    const freight = db.run(
      `insert into billing.invoice_line (invoice_id, n, shipment_id, shipment_line, event, order_line, item_id, quantity,
         unit, price_minor, price_unit, net_minor) values ($1, 2, $2, $3, 'freight', 1, 1, 1, 'CA', 5, 'CA', 5)`,
      [first.doc, first.shipmentId, line!.shipmentLine],
    )
    await expect(freight).resolves.toEqual([])
  })
})

describe('a posted invoice', () => {
  test.each([
    'net_minor = net_minor + 1, total_minor = total_minor + 1',
    'tax_minor = 1, total_minor = net_minor + 1',
    "number = 'OTHER'",
    'number = null',
    "currency = 'EUR'",
    'posted_at = null',
    "due_date = '2030-01-01'",
    'customer_id = customer_id + 1',
    'order_id = order_id + 1',
    "tax_evidence = 'OTHER'",
  ])('cannot be changed by: %s', async (assignment) => {
    const { doc } = await post(db)
    const tamper = db.run(`update billing.invoice set ${assignment} where id = $1`, [doc])
    await expect(tamper).rejects.toMatchObject({ code: 'CD002' })
  })

  test.each(['update billing.invoice_line set net_minor = 1', 'delete from billing.invoice_line'])(
    'keeps its lines: no %s',
    async (statement) => {
      const [posted, drafted] = [await post(db), await draft(db)]
      await expect(db.run(`${statement} where invoice_id = $1`, [posted.doc])).rejects.toMatchObject({
        code: 'CD002',
      })
      await expect(db.run(`${statement} where invoice_id = $1`, [drafted.doc])).resolves.toEqual([])
    },
  )

  test('cannot be deleted, as a draft can', async () => {
    const [posted, drafted] = [await post(db), await draft(db)]
    const remove = (doc: number) => db.run('delete from billing.invoice where id = $1', [doc])
    await expect(remove(posted.doc)).rejects.toMatchObject({ code: 'CD002' })
    await expect(remove(drafted.doc)).resolves.toEqual([])
  })

  test('is never paid beyond its total, nor a draft at all', async () => {
    const [posted, drafted] = [await post(db), await draft(db)]
    const pay = (doc: number, amount: number) =>
      db.run('update billing.invoice set paid_minor = $2 where id = $1', [doc, amount])
    await expect(pay(posted.doc, 101)).rejects.toMatchObject({ code: '23514' })
    await expect(pay(drafted.doc, 1)).rejects.toMatchObject({ code: '23514' })
    await expect(pay(posted.doc, 100)).resolves.toEqual([])
  })

  test('has a number that no other invoice of the company has', async () => {
    const first = await post(db)
    const second = await draft(db)
    const taken = { ...second, number: numberOf(first), taxMinor: 0, postedAt: POSTED_AT, effectKey: 'k' }
    const steal = db.database.transaction((tx) => recordPosted(tx, [taken], CAUSE))
    await expect(steal).rejects.toMatchObject({ code: '23505' })
    expect(await headerOf(second.doc)).toMatchObject({ state: 'draft' })
  })
})

test('an invoice that is paid before the channel has it stays paid when it is sent', async () => {
  const posted = await post(db)
  await db.run("update billing.invoice set state = 'paid', paid_minor = 100 where id = $1", [posted.doc])
  const sent = [{ ...posted, reference: undefined }]
  const changed = await db.database.transaction((tx) => recordSent(tx, sent, CAUSE))
  expect(changed.get(posted.doc)?.state).toBe('paid')
  expect(await headerOf(newDoc())).toBeUndefined()
})
