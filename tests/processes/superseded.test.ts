/** The system's own word, however late, stands in place of what a person entered; nothing is sent twice, and nobody is fooled. */
import { describe, expect, test } from 'vitest'
import { openHouse } from '#tests/support/house.ts'
import {
  ORDERS,
  QUICK_TO_PARK,
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
  house,
  invoiceOf,
  kept,
  keyedAtErp,
  order,
  override,
  post,
  stuck,
  titles,
  useStuckHouse,
} from './stuck-house.ts'

useStuckHouse()

describe("the system's own word", () => {
  test('stands in place of what was entered while the call was under way, and what differs is told', async () => {
    erp().faults.set(ORDERS.map((operation) => ({ kind: 'latency', ms: 1_200, operation })))
    const placed = await order()
    await stuck(placed, 'postToErp intended')
    const { body } = await override(placed, { act: 'complete', step: 'postToErp', reference: 'EARLY-1' })
    expect(body).toMatchObject({ was: 'under way' })
    expect(await kept(placed)).toMatchObject({ number: 'EARLY-1' })
    await expect.poll(async () => (await kept(placed)).number, WITHIN).not.toBe('EARLY-1')
    erp().faults.clear()
    await ended(placed)
    const [theirs, ...more] = atErp(placed)
    expect([(await kept(placed)).number, more]).toEqual([theirs!.number, []])
    expect(await exceptionsOf(placed)).toEqual(['orders.override_differs'])
    expect(await titles(placed)).toContain(
      `The system’s own word stands for “Post the order to the ERP”: number is ${theirs!.number}, by hand it was EARLY-1`,
    )
  })

  test('that says the same is told, and nobody has to look', async () => {
    erp().faults.set([
      ...ORDERS.map((operation) => ({ kind: 'no-answer' as const, operation, times: 1 })),
      { kind: 'outage', mode: 'unavailable', operation: 'findOrders' },
    ])
    const placed = await order()
    await expect.poll(() => atErp(placed), WITHIN).toHaveLength(1)
    await stuck(placed, 'postToErp unknown')
    const reference = atErp(placed)[0]!.number
    expect((await override(placed, { act: 'complete', step: 'postToErp', reference })).status).toBe(200)
    erp().faults.clear()
    await ended(placed)
    const same = 'The system confirms what was entered by hand of “Post the order to the ERP”'
    await expect.poll(() => titles(placed), WITHIN).toContain(same)
    expect(await kept(placed)).toEqual({ number: reference, closed: true })
    expect([atErp(placed).length, await exceptionsOf(placed)]).toEqual([1, []])
  })

  test('that refuses what was done by hand meanwhile stops nothing', async () => {
    const reference = await keyedAtErp({ doc: 1, body: { id: '', code: '' } })
    erpRefuses()
    erp().faults.set(ORDERS.map((operation) => ({ kind: 'latency', ms: 1_200, operation })))
    const placed = await order()
    await stuck(placed, 'postToErp intended')
    await override(placed, { act: 'complete', step: 'postToErp', reference })
    await expect.poll(() => calls(placed), WITHIN).not.toContain('postToErp intended')
    erpMends()
    erp().faults.clear()
    await ended(placed)
    expect(await kept(placed)).toEqual({ number: reference, closed: true })
    expect(await exceptionsOf(placed)).toEqual([])
    expect((await titles(placed)).some((title) => title.includes('was refused by the system'))).toBe(true)
  })

  test('takes the place of an invoice that was entered, once', async () => {
    const each = ['postInvoice', 'postInvoices'].map((operation) => ({
      kind: 'latency' as const,
      ms: 1_500,
      operation,
    }))
    erp().faults.set(each)
    const placed = await order()
    await stuck(placed, 'post intended')
    const facts = { postedAt: '2026-11-02T10:00:00Z' }
    const said = { act: 'complete', step: 'post', reference: `HAND-I-${placed.doc}`, facts } as const
    expect((await override(placed, said)).body).toMatchObject({ entered: { number: said.reference } })
    expect(await invoiceOf(placed)).toMatchObject({ number: said.reference, state: 'posted' })
    await expect.poll(async () => (await invoiceOf(placed)).number, WITHIN).not.toBe(said.reference)
    const ours = await invoiceOf(placed)
    const theirs = erp()
      .truth()
      .invoices.filter(({ reference }) => reference === `I-${ours.doc}`)
    expect(theirs).toMatchObject([{ number: ours.number, taxMinor: ours.tax }])
    expect(await exceptionsOf(placed)).toEqual(['billing.override_differs'])
    await ended(placed)
  })

  test('is heard by whoever works on the order, also where another process took the decision', async () => {
    const beside = await openHouse({ beside: house, policy: QUICK_TO_PARK })
    try {
      erp().faults.set(ORDERS.map((operation) => ({ kind: 'latency', ms: 1_200, operation })))
      const placed = await order()
      await stuck(placed, 'postToErp intended')
      const path = `${beside.url}/experience/control-tower/v1/orders/${placed.body.id}:override`
      const said = { act: 'complete', step: 'postToErp', reference: 'BESIDE-1', reason: WHY }
      const answer = await post(path, said, { 'idempotency-key': `beside-${placed.doc}` })
      expect(answer).toMatchObject({ was: 'under way' })
      await expect.poll(async () => (await kept(placed)).number, WITHIN).not.toBe('BESIDE-1')
      erp().faults.clear()
      await ended(placed)
      expect(await exceptionsOf(placed)).toEqual(['orders.override_differs'])
      expect(atErp(placed)).toHaveLength(1)
      expect(beside.complaints).toEqual([])
    } finally {
      await beside.end()
      const door = (system: string, path: string) => `${house.url}/system/${system}/v1/${path}`
      house.landscape.deliverTo({ wms: door('wms', 'events'), shop: door('shop', 'orders') })
    }
  })
})

test('what must hold in the tables holds after all of it, and nobody complains', async () => {
  expect(await wrongOf()).toEqual([])
})
