/** A step that is stuck goes on by a person's word: completed, left out, tried again, or taken back with all that was done. */
import { describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import {
  ELSEWHERE,
  ORDERS,
  SKU,
  TAXED,
  TAXED_BUYER,
  WHY,
  WITHIN,
  atErp,
  calls,
  ended,
  erp,
  erpMends,
  erpRefuses,
  exceptionsOf,
  wrongOf,
  heldOrder,
  house,
  invoiceOf,
  kept,
  keyedAtErp,
  keyedAtWarehouse,
  order,
  override,
  requestOf,
  shopOrder,
  steps,
  stuck,
  titles,
  useStuckHouse,
  wms,
} from './stuck-house.ts'

useStuckHouse()

describe('completing a step by hand', () => {
  test('takes an order that the ERP did not answer for to its end under the number that was keyed', async () => {
    erp().faults.set({ kind: 'outage', mode: 'unavailable' })
    const placed = await order()
    await stuck(placed, 'postToErp parked')
    expect(await exceptionsOf(placed)).toEqual(['work.effect_parked'])
    erp().faults.clear()
    const reference = await keyedAtErp(placed)
    const { status, body } = await override(placed, { act: 'complete', step: 'postToErp', reference })
    expect([status, body]).toMatchObject([200, { was: 'parked', entered: { number: reference } }])
    await ended(placed)
    expect(await kept(placed)).toEqual({ number: reference, closed: true })
    expect(atErp(placed)).toEqual([])
    expect(await exceptionsOf(placed)).toEqual([])
    await expect.poll(() => calls(placed), WITHIN).toEqual([])
    expect(await steps(placed)).toEqual(['postToErp done 1'])
    expect(await titles(placed)).toContain(
      `“Post the order to the ERP” was completed by hand with ${reference}: ${WHY}`,
    )
    const [entry] = await listAudit(house.app.database, { action: 'orders.step_completed', doc: placed.doc })
    expect(entry).toMatchObject({ kind: 'order', reason: WHY, before: { state: 'parked' } })
  })

  test('lets a warehouse ship that was handed the request on paper', async () => {
    wms().faults.set({ kind: 'outage', mode: 'unavailable' })
    const placed = await order()
    await stuck(placed, 'request parked')
    wms().faults.clear()
    const reference = await keyedAtWarehouse(placed)
    const { body } = await override(placed, { act: 'complete', step: 'request', reference })
    expect(body).toMatchObject({ document: `F-${(await requestOf(placed)).doc}`, was: 'parked' })
    await ended(placed)
    expect(await requestOf(placed)).toMatchObject({ state: 'done', number: reference })
    const theirs = wms()
      .truth()
      .orders.filter(({ external_ref }) => external_ref === body['document'])
    expect(theirs).toHaveLength(1)
  })

  test('goes on with the tax that was found out, asked for by name', async () => {
    house.landscape.tax.faults.set({ kind: 'outage', mode: 'unavailable' })
    const placed = await house.order({ company: 'NWI', customer: TAXED_BUYER, lines: [[TAXED, 2]] })
    await stuck(placed, 'tax parked')
    const said = { act: 'complete', step: 'tax', reference: 'phone, Mr Lee' } as const
    const lacking = await override(placed, said)
    expect([lacking.status, lacking.body.code]).toEqual([422, 'overrides.facts_missing'])
    expect(lacking.body['detail']).toContain('tax (the tax of the whole invoice')
    const facts = { tax: '3.80', jurisdiction: 'DE' }
    const { body } = await override(placed, { ...said, facts })
    expect(body).toMatchObject({ was: 'parked', entered: facts })
    await ended(placed)
    expect(await invoiceOf(placed)).toMatchObject({ tax: 380, total: 2_380 })
  })

  test('passes the hold that the refusal of the step has raised', async () => {
    erpRefuses()
    const placed = await order()
    await expect.poll(() => exceptionsOf(placed), WITHIN).toEqual(['orders.hold.manual'])
    erpMends()
    const reference = await keyedAtErp(placed)
    const { body } = await override(placed, { act: 'complete', step: 'postToErp', reference })
    expect(body).toMatchObject({ was: 'refused', releases: [expect.stringMatching(/^H-/)] })
    await ended(placed)
    expect(await kept(placed)).toEqual({ number: reference, closed: true })
    expect(await exceptionsOf(placed)).toEqual([])
  })

  test('does not pass a hold of another kind: the step is done, and the hold stands', async () => {
    const placed = await heldOrder()
    const { body } = await override(placed, { act: 'complete', step: 'postToErp', reference: 'HELD-1' })
    expect(body).toMatchObject({ was: 'held', releases: [] })
    expect(await house.stageOf(placed)).not.toBe('released')
    expect(await kept(placed)).toEqual({ number: 'HELD-1', closed: false })
    expect(await exceptionsOf(placed)).toEqual(['orders.hold.credit'])
  })

  test('changes nothing when it is only tried out', async () => {
    const placed = await heldOrder()
    const said = { act: 'complete', step: 'postToErp', reference: 'DRY-1', dryRun: true } as const
    const { body } = await override(placed, said)
    expect(body).toMatchObject({ dryRun: true, was: 'held', entered: { number: 'DRY-1' } })
    expect(await kept(placed)).toMatchObject({ number: null })
    expect(await steps(placed)).toEqual([])
    expect(await titles(placed)).toHaveLength(1)
  })

  test('is done once, however often it is said', async () => {
    const placed = await heldOrder()
    const said = { act: 'complete', step: 'postToErp', reference: 'ONCE-1' } as const
    const first = await override(placed, said, `once-${placed.doc}`)
    const again = await override(placed, said, `once-${placed.doc}`)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.body).toEqual(first.body)
    const anew = await override(placed, said)
    expect(anew.body).toMatchObject({ known: true, entered: { number: 'ONCE-1' } })
    const other = await override(placed, { ...said, reference: 'ONCE-2' })
    expect([other.status, other.body.code]).toEqual([409, 'overrides.not_open'])
    expect((await titles(placed)).filter((title) => title.includes('by hand'))).toHaveLength(1)
  })
})

describe('a decision that makes no sense is refused', () => {
  test('with the document that has the number already', async () => {
    const first = await order()
    await ended(first)
    const { number } = await kept(first)
    const placed = await heldOrder()
    const { status, body } = await override(placed, { act: 'complete', step: 'postToErp', reference: number })
    expect([status, body.code]).toEqual([409, 'overrides.reference_taken'])
    expect(body['detail']).toBe(`${number} is the number of ${first.body.id}`)
    expect(await kept(placed)).toMatchObject({ number: null })
  })

  test('of two at once with one number, with the document that had it first', async () => {
    const [first, second] = [await heldOrder(), await heldOrder()]
    const said = { act: 'complete', step: 'postToErp', reference: `BOTH-${first.doc}` } as const
    const answers = await Promise.all([first, second].map((placed) => override(placed, said)))
    const codes = answers.map(({ status, body }) => (status === 200 ? 'taken' : body.code))
    expect(codes.toSorted()).toEqual(['overrides.reference_taken', 'taken'])
    const numbers = await Promise.all([first, second].map(kept))
    expect(numbers.filter(({ number }) => number === said.reference)).toHaveLength(1)
  })

  test('with the documents among which to choose', async () => {
    wms().faults.set({ kind: 'outage', mode: 'unavailable' })
    const lines = [SKU, ELSEWHERE].map((sku) => [sku, 2] as const)
    const placed = await house.order({ lines })
    await expect.poll(() => calls(placed), WITHIN).toEqual(['request parked', 'request parked'])
    const which = await override(placed, { act: 'restart', step: 'request' })
    expect([which.status, which.body.code]).toEqual([422, 'overrides.ambiguous'])
    wms().faults.clear()
    const { open } = which.body['facts'] as { open: readonly { document: string }[] }
    for (const { document } of open)
      expect((await override(placed, { act: 'restart', step: 'request', document })).body).toMatchObject({
        document,
      })
    await ended(placed)
  })
})

describe('leaving a step out', () => {
  test.each([
    ['acknowledge', 'orders.acknowledgement_refused'],
    ['notify', 'shipments.notice_refused'],
  ])('of what the channel refuses to be told lets the order end: %s', async (step, code) => {
    house.landscape.shop.faults.set({ kind: 'server-error', status: 422 })
    const placed = await shopOrder()
    await expect.poll(() => exceptionsOf(placed), WITHIN).toContain(code)
    const { body } = await override(placed, { act: 'skip', step })
    expect(body).toMatchObject({ was: 'refused', follows: [expect.stringMatching(/channel/)] })
    expect(await exceptionsOf(placed)).not.toContain(code)
    expect(await steps(placed)).toContain(`${step} skipped 1`)
    expect((await titles(placed)).some((title) => title.includes('was left out by hand'))).toBe(true)
    const known = await override(placed, { act: 'skip', step })
    expect(known.body).toMatchObject({ known: true })
  })

  test.each(['postToErp', 'request', 'post'])('is refused where what follows needs it: %s', async (step) => {
    const [system] = step === 'request' ? [wms()] : [erp()]
    const operations = step === 'post' ? ['postInvoice', 'postInvoices'] : ['*']
    system.faults.set(operations.map((operation) => ({ kind: 'outage', mode: 'unavailable', operation })))
    const placed = await order()
    await stuck(placed, `${step} parked`)
    const { status, body } = await override(placed, { act: 'skip', step })
    expect([status, body.code]).toEqual([409, 'overrides.skip_not_allowed'])
    expect(await calls(placed)).toEqual([`${step} parked`])
    system.faults.clear()
    expect((await override(placed, { act: 'restart', step })).status).toBe(200)
    await ended(placed)
  })
})

describe('trying a step again', () => {
  test('that was refused is a new call, so that the system does not answer with the old refusal', async () => {
    erpRefuses()
    const placed = await order()
    await expect.poll(() => exceptionsOf(placed), WITHIN).toEqual(['orders.hold.manual'])
    erpMends()
    const { body } = await override(placed, { act: 'restart', step: 'postToErp' })
    expect(body).toMatchObject({ was: 'refused', releases: [expect.stringMatching(/^H-/)] })
    await ended(placed)
    expect(atErp(placed)).toHaveLength(1)
    expect(await steps(placed)).toEqual(['postToErp waiting 2'])
  })

  test('that is in doubt looks it up before anything is sent', async () => {
    erp().faults.set([
      ...ORDERS.map((operation) => ({ kind: 'no-answer' as const, operation, times: 1 })),
      { kind: 'outage', mode: 'unavailable', operation: 'findOrders' },
    ])
    const placed = await order()
    await stuck(placed, 'postToErp parked')
    erp().faults.clear()
    expect((await override(placed, { act: 'restart', step: 'postToErp' })).body).toMatchObject({
      was: 'parked',
    })
    await ended(placed)
    expect(atErp(placed)).toHaveLength(1)
  })

  test('is refused while a hold blocks it, and where nothing has failed', async () => {
    const placed = await heldOrder()
    const held = await override(placed, { act: 'restart', step: 'postToErp' })
    expect([held.status, held.body.code]).toEqual([409, 'overrides.held'])
    erp().faults.set(ORDERS.map((operation) => ({ kind: 'latency', ms: 800, operation })))
    const going = await order()
    await stuck(going, 'postToErp intended')
    const early = await override(going, { act: 'restart', step: 'postToErp' })
    expect([early.status, early.body.code]).toEqual([409, 'overrides.not_stuck'])
    await ended(going)
  })

  test('that was left out in doubt is refused, since it might be done twice', async () => {
    house.landscape.shop.faults.set({ kind: 'no-answer', operation: 'note' })
    const placed = await shopOrder()
    await expect.poll(() => calls(placed), WITHIN).toContain('acknowledge parked')
    expect((await override(placed, { act: 'skip', step: 'acknowledge' })).body).toMatchObject({
      was: 'parked',
    })
    await expect.poll(() => calls(placed), WITHIN).not.toContain('acknowledge parked')
    const { status, body } = await override(placed, { act: 'restart', step: 'acknowledge' })
    expect([status, body.code]).toEqual([409, 'overrides.in_doubt'])
  })

  test('does what was left out after all', async () => {
    house.landscape.shop.faults.set({ kind: 'server-error', status: 422 })
    const placed = await shopOrder()
    await expect.poll(() => exceptionsOf(placed), WITHIN).toContain('shipments.notice_refused')
    await override(placed, { act: 'skip', step: 'notify' })
    house.landscape.shop.faults.clear()
    expect((await override(placed, { act: 'restart', step: 'notify' })).body).toMatchObject({
      was: 'skipped',
    })
    const told = () =>
      house.query('select 1 from shipments.shipment where order_id = $1 and notified_at is not null', [
        placed.doc,
      ])
    await expect.poll(told, WITHIN).toHaveLength(1)
  })
})

describe('taking the order back', () => {
  test('whose ERP call is in doubt looks it up first, then cancels what was done', async () => {
    erp().faults.set([
      ...ORDERS.map((operation) => ({ kind: 'no-answer' as const, operation, times: 1 })),
      { kind: 'outage', mode: 'unavailable', operation: 'findOrders' },
    ])
    const placed = await order()
    await stuck(placed, 'postToErp parked')
    erp().faults.clear()
    expect((await override(placed, { act: 'cancel', step: 'postToErp' })).status).toBe(200)
    await ended(placed)
    expect(await house.stageOf(placed)).toBe('cancelled')
    expect(atErp(placed)).toMatchObject([{ cancelled: true }])
    expect(await exceptionsOf(placed)).toEqual([])
    expect((await override(placed, { act: 'cancel' })).body.code).toBe('orders.too_late_to_cancel')
  })

  test('whose request is in doubt at the warehouse takes it back there and at the ERP', async () => {
    const each = ['releaseOrder', 'releaseOrders'].map((operation) => ({
      kind: 'no-answer' as const,
      operation,
    }))
    wms().faults.set(each)
    const placed = await order()
    await stuck(placed, 'request parked')
    wms().faults.clear()
    wms().faults.set({ kind: 'webhook-delay', ms: 5_000 })
    const { doc } = await requestOf(placed)
    await override(placed, { act: 'cancel', step: 'request' })
    await ended(placed)
    const theirs = wms()
      .truth()
      .orders.filter(({ external_ref }) => external_ref === `F-${doc}`)
    const stage = await house.stageOf(placed)
    expect(theirs).toHaveLength(1)
    expect([stage, atErp(placed)[0]!.cancelled]).toEqual(
      stage === 'cancelled' ? ['cancelled', true] : ['closed', false],
    )
  })

  test('that the ERP refused gives back all that it kept', async () => {
    erpRefuses()
    const placed = await order()
    await expect.poll(() => exceptionsOf(placed), WITHIN).toEqual(['orders.hold.manual'])
    erpMends()
    await override(placed, { act: 'cancel', step: 'postToErp' })
    await ended(placed)
    expect(await house.lines(placed)).toMatchObject([{ cancelled: 2, reserved: 0 }])
    expect(await exceptionsOf(placed)).toEqual([])
    expect(atErp(placed)).toEqual([])
  })
})

test('what must hold in the tables holds after all of it, and nobody complains', async () => {
  expect(await wrongOf()).toEqual([])
})
