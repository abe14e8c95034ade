/** Steps that end or take back what was done at another system: a person may say that they were done, and never leave them out. */
import { describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import {
  atErp,
  calls,
  ended,
  erp,
  house,
  order,
  override,
  requestOf,
  SKU,
  steps,
  stuck,
  titles,
  useStuckHouse,
  WITHIN,
  wms,
} from './stuck-house.ts'

useStuckHouse({ landscape: { pace: { pickAfterMs: 3_000, shipAfterMs: 0 } } })

const down = { kind: 'outage', mode: 'unavailable' } as const
const cancel = async ({ body }: { body: { id: string } }) =>
  expect(
    await house.send('POST', `${O2C}/orders/${body.id}:cancel`, { body: { reason: 'changed' } }),
  ).toMatchObject({ status: 202 })

/** Parked, so that a person has to do with it; leaving it out is refused with what to do instead. */
async function isOwed(placed: Parameters<typeof stuck>[0], step: string): Promise<void> {
  await stuck(placed, `${step} parked`)
  const { status, body } = await override(placed, { act: 'skip', step })
  expect([status, body.code]).toEqual([409, 'overrides.skip_not_allowed'])
}

describe('what a person says was done', () => {
  test('at the ERP takes the order back to its end', async () => {
    const placed = await house.order({ lines: [[SKU, 900]], shippingRule: 'ship-complete' })
    await expect.poll(() => atErp(placed), WITHIN).toHaveLength(1)
    erp().faults.set({ ...down, operation: 'cancelOrder' })
    await cancel(placed)
    await isOwed(placed, 'postToErp:undo')
    const said = { act: 'complete', step: 'postToErp:undo', reference: 'Ms Roth, by phone' } as const
    expect((await override(placed, said)).body).toMatchObject({ was: 'parked' })
    await ended(placed)
    expect(await house.stageOf(placed)).toBe('cancelled')
    expect([await calls(placed), atErp(placed)[0]!.cancelled]).toEqual([[], false])
    expect(await steps(placed)).toContain('postToErp:undo done 1')
  })

  test('of the rest of a line lets the order end, and the line is not closed again', async () => {
    erp().faults.set({ ...down, operation: 'closeOrderLines' })
    wms().faults.set({ kind: 'short-pick', times: 1 })
    const placed = await house.order({ lines: [[SKU, 4]], shippingRule: 'cancel-rest' })
    await isOwed(placed, 'closeAtErp')
    erp().faults.clear()
    const said = { act: 'complete', step: 'closeAtErp', reference: 'change 17' } as const
    expect((await override(placed, said)).body).toMatchObject({
      was: 'parked',
      subject: expect.stringMatching(/^1:/),
    })
    await ended(placed)
    const [line] = atErp(placed)[0]!.lines
    expect(line).toMatchObject({ invoicedMilli: 2_000, cancelledMilli: 0 })
    expect((await titles(placed)).some((title) => title.includes('was completed by hand'))).toBe(true)
  })

  test('at the warehouse takes the request back', async () => {
    wms().faults.set({ ...down, operation: 'cancelOrder' })
    const placed = await order()
    await expect.poll(async () => (await requestOf(placed))?.state, WITHIN).toBe('accepted')
    await cancel(placed)
    await isOwed(placed, 'cancel')
    const said = { act: 'complete', step: 'cancel', reference: 'shift lead, by phone' } as const
    expect((await override(placed, said)).body).toMatchObject({ was: 'parked' })
    await expect.poll(async () => (await requestOf(placed)).state, WITHIN).toBe('cancelled')
  })
})
