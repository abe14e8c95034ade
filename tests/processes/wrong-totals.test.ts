/** Totals of an invoice as a system of record has them, which are not ours: told, and never corrected. */
import { expect, test } from 'vitest'
import {
  erp,
  ended,
  exceptionsOf,
  house,
  invoiceOf,
  only,
  order,
  stuck,
  useStuckHouse,
  WITHIN,
} from './stuck-house.ts'

useStuckHouse()

const EFFECTS = '/experience/control-tower/v1/effects'

test('that differ from ours stand beside them, and a person is told', async () => {
  const down = { kind: 'outage', mode: 'unavailable' } as const
  erp().faults.set(['postInvoice', 'postInvoices'].map((operation) => ({ ...down, operation })))
  const placed = await order()
  await stuck(placed, 'post parked')
  erp().faults.clear()
  const { doc } = await invoiceOf(placed)
  const { net } = await only<{ net: number }>('select net_minor as net from billing.invoice where id = $1', [
    doc,
  ])
  const { body } = await house.send('GET', `${EFFECTS}?document=I-${doc}`)
  const [call] = body['items'] as [{ id: string }]
  const facts = { netMinor: net + 1, taxMinor: 0, totalMinor: net + 1, postedAt: '2026-11-02T10:00:00Z' }
  const said = { outcome: 'confirmed', reference: `WRONG-${doc}`, facts, reason: 'read in the ERP' }
  expect((await house.send('POST', `${EFFECTS}/${call.id}:resolve`, { body: said })).status).toBe(200)
  await expect.poll(() => exceptionsOf(placed), WITHIN).toEqual(['billing.totals_differ'])
  await ended(placed)
  expect(await invoiceOf(placed)).toMatchObject({ number: `WRONG-${doc}`, total: net })
})
