/** What each ERP says stands in its books under our references, asked of the simulated ones. */
import { describe, expect, test } from 'vitest'
import {
  cancelSalesOrder,
  createSalesOrder,
  type ErpBooks,
  type SalesOrder,
  type SalesOrderReference,
} from '#capabilities/erp.ts'
import { systemClock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import { units } from '#platform/quantity.ts'
import { createCloudErpConnector } from '#systems/erp-cloud/connector.ts'
import { createLegacyErpConnector } from '#systems/erp-legacy/connector.ts'
import { customerOf, effectOf, fresh, ground, itemOf, send } from './landscape.ts'

const it = ground()
const common = () => ({ http: it.http, clock: systemClock, onUnreadable: () => undefined })
const legacy = () =>
  createLegacyErpConnector({
    ...common(),
    instance: 'erp-north',
    settings: {
      baseUrl: it.landscape.legacyErp.url,
      timeoutMs: 5_000,
      credentials: { user: 'CROSSDOCK', password: 'secret' },
    },
  })
const cloud = () =>
  createCloudErpConnector({
    ...common(),
    instance: 'erp-south',
    settings: {
      baseUrl: it.landscape.cloudErp.url,
      timeoutMs: 5_000,
      credentials: { clientId: 'crossdock', clientSecret: 'secret' },
      options: { company: 'NWI' },
    },
  })

describe.each([
  ['legacy', 'NWF', 'USD', legacy],
  ['cloud', 'NWI', 'EUR', cloud],
] as const)('the %s ERP', (_, company, currency, connect) => {
  const order = (number: string): SalesOrder => {
    const { number: sku } = itemOf(company)
    const unit = company === 'NWF' ? 'CA' : 'BX'
    const line = { line: 1, sku, quantity: units(12), unit, priceMinor: 1_840, priceUnit: unit }
    return {
      company,
      number,
      customer: customerOf(company).number,
      customerOrder: 'PO-1',
      currency,
      lines: [line],
    }
  }
  async function created(erp: Connector, number: string): Promise<string> {
    const outcome = await send(erp, createSalesOrder, effectOf(number, order(number)))
    expect(outcome.kind).toBe('confirmed')
    return (outcome as { answer: SalesOrderReference }).answer.number
  }

  test('names every order that stands under a reference, and none that was cancelled', async () => {
    const erp: Connector & ErpBooks = connect()
    const [once, twice, never] = [fresh('O'), fresh('O'), fresh('O')]
    const first = await created(erp, once)
    const both = [await created(erp, twice), await created(erp, twice)]
    const standing = async () =>
      (await erp.standing('orders', [once, twice, never]))
        .map((one) => `${one.reference} ${one.number}`)
        .toSorted()
    expect(await standing()).toEqual(
      [`${once} ${first}`, ...both.map((number) => `${twice} ${number}`)].toSorted(),
    )
    const cancel = { company, number: twice, erpNumber: both[0]! }
    await send(erp, cancelSalesOrder, effectOf(twice, cancel))
    expect(await standing()).toEqual([`${once} ${first}`, `${twice} ${both[1]}`].toSorted())
  })

  test('takes as many references as it says, for invoices too', async () => {
    const erp = connect()
    const references = Array.from({ length: erp.referencesMax }, () => fresh('I'))
    expect(await erp.standing('invoices', references)).toEqual([])
  })

  test('that cannot be reached says so instead of having nothing', async () => {
    it.landscape[company === 'NWF' ? 'legacyErp' : 'cloudErp'].faults.set({
      kind: 'outage',
      mode: 'unavailable',
    })
    await expect(connect().standing('orders', [fresh('O')])).rejects.toThrow(/erp-(north|south)/)
  })
})
