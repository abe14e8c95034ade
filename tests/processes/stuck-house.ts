/** A house in which steps get stuck soon, what is seen of its orders, and what people key into its systems by hand. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { units } from '#platform/quantity.ts'
import { toLegacyOrder } from '#systems/erp-legacy/map.ts'
import { toDepotOrder } from '#systems/wms-depot/map.ts'
import { checkInvariants } from '../../src/app-invariants.ts'
import { O2C } from '#tests/routes/front-door.ts'
import type { HouseOptions } from '#tests/support/house.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

export const WITHIN = { timeout: 15_000 }
export const SKU = '58001'
export const TAXED = '58002'
export const ELSEWHERE = '58003'
const BUYER = '580001'
export const TAXED_BUYER = 'C58001'
const LIMITED_BUYER = '580002'
export const WHY = 'seen at the system'

export const QUICK_TO_PARK = {
  timeoutMs: 4_000,
  retry: { maxAttempts: 3, baseMs: 20, maxMs: 40, budget: { perSecond: 100 } },
  breaker: { minCalls: 1_000 },
}

export let house: Wholesaler

/** For a whole test file: one house, whose systems are well again after each test. */
export function useStuckHouse(options: HouseOptions = {}): void {
  beforeAll(async () => {
    house = await openWholesaler(
      [
        { number: SKU, stock: { DC1: 500 } },
        { number: TAXED, company: 'NWI', stock: { DC3: 500 } },
        { number: ELSEWHERE, stock: { DC2: 500 } },
      ],
      [
        { number: BUYER },
        { number: TAXED_BUYER, company: 'NWI' },
        { number: LIMITED_BUYER, creditLimitMinor: 1_000 },
      ],
      { policy: QUICK_TO_PARK, ...options },
    )
  }, 60_000)
  afterAll(() => house.end())
  afterEach(() => {
    const { legacyErp, cloudErp, wms, tax, shop } = house.landscape
    for (const system of [legacyErp, cloudErp, wms, tax, shop]) system.faults.clear()
  })
}

/** What does not hold in the tables, and complaints, but of the end of another process. */
export async function wrongOf(): Promise<string[]> {
  const { violations } = await checkInvariants(house.app.database)
  const broken = violations.map(({ invariant, found }) => `${invariant.name}: ${found.join(', ')}`)
  const ofEnds = 'took over from processes that are gone'
  return [...broken, ...house.complaints.filter((line) => !line.includes(ofEnds))]
}

/** An order of a buyer who may order nothing on credit: it is on hold. */
export const heldOrder = () => house.order({ customer: LIMITED_BUYER, lines: [[SKU, 2]] })

type Said = {
  readonly act: 'complete' | 'skip' | 'restart' | 'cancel'
  readonly [name: string]: unknown
}
type Ours = Pick<Placed, 'doc' | 'body'>

export const override = ({ body }: Pick<Placed, 'body'>, said: Said, key?: string) =>
  house.send('POST', `/experience/control-tower/v1/orders/${body.id}:override`, {
    body: { reason: WHY, ...said },
    ...(key === undefined ? {} : { key }),
  })

export const order = (quantity = 2) => house.order({ lines: [[SKU, quantity]] })
export const erp = () => house.landscape.legacyErp
export const wms = () => house.landscape.wms
export const ORDERS = ['createOrder', 'createOrders'] as const

export const only = async <Row extends object>(text: string, values: unknown[]): Promise<Row> =>
  (await house.query<Row>(text, values))[0]!
export const kept = ({ doc }: Ours) =>
  only<{ number: string | null; closed: boolean }>(
    'select erp_number as number, closed_at is not null as closed from orders.sales_order where id = $1',
    [doc],
  )
const PAPERS = `select $1::bigint union all select id from shipments.fulfillment where order_id = $1
  union all select id from shipments.shipment where order_id = $1 union all select id from billing.invoice where order_id = $1`
export const calls = async ({ doc }: Ours): Promise<string[]> => {
  const found = `select step || ' ' || state as call from effects.intent where doc in (${PAPERS}) order by 1`
  return (await house.query<{ call: string }>(found, [doc])).map(({ call }) => call)
}
export const steps = async ({ doc }: Ours): Promise<string[]> => {
  const found = `select step || ' ' || state || ' ' || generation as row from desk.step where doc in (${PAPERS}) order by 1`
  return (await house.query<{ row: string }>(found, [doc])).map(({ row }) => row)
}
export const exceptionsOf = async ({ doc }: Ours): Promise<string[]> => {
  const found = `select e.code from exceptions.exception e join exceptions.affected a on a.exception = e.id
    where a.doc in (${PAPERS}) and a.cleared_at is null and e.closed_at is null order by 1`
  return (await house.query<{ code: string }>(found, [doc])).map(({ code }) => code)
}
export const requestOf = ({ doc }: Ours) =>
  only<{ doc: number; state: string; number: string | null }>(
    'select id as doc, state, wms_number as number from shipments.fulfillment where order_id = $1 order by id desc',
    [doc],
  )
export const invoiceOf = ({ doc }: Ours) =>
  only<{ doc: number; number: string | null; state: string; tax: number | null; total: number | null }>(
    'select id as doc, number, state, tax_minor as tax, total_minor as total from billing.invoice where order_id = $1',
    [doc],
  )
export const titles = async ({ body }: Ours): Promise<string[]> => {
  const { body: story } = await house.send('GET', `${O2C}/orders/${body.id}/story`)
  return (story['entries'] as { title: string }[]).map(({ title }) => title)
}
export const atErp = ({ body }: Ours) =>
  erp()
    .truth()
    .orders.filter(({ reference }) => reference === body.id)

export async function stuck(placed: Ours, call: string): Promise<void> {
  await expect.poll(() => calls(placed), WITHIN).toEqual([call])
}

const JSON_TYPE = { 'content-type': 'application/json' }
export const post = async (url: string, fields: object, headers: object = {}) => {
  const body = JSON.stringify(fields)
  const response = await fetch(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body })
  return (await response.json()) as Record<string, string>
}

/** Somebody at the ERP keys the order in, under a reference of his own. */
export async function keyedAtErp({ doc }: Ours, quantity = 2): Promise<string> {
  const { SID } = await post(`${erp().url}/logon`, { BNAME: 'CROSSDOCK', BCODE: 'secret' })
  const line = {
    line: 1,
    sku: SKU,
    quantity: units(quantity),
    unit: 'EA',
    priceMinor: 1_000,
    priceUnit: 'EA',
  }
  const sales = {
    company: 'NWF',
    number: `HAND-${doc}`,
    customer: BUYER,
    customerOrder: 'by phone',
    currency: 'USD',
  }
  const fields = toLegacyOrder({ ...sales, lines: [line] })
  return (await post(`${erp().url}/rfc/SD_ORDER_CREATE`, fields, { 'x-sid': SID }))['VBELN']!
}

/** Somebody at the warehouse keys the request in, under our number. */
export async function keyedAtWarehouse(placed: Ours, quantity = 2): Promise<string> {
  const { doc } = await requestOf(placed)
  const request = { company: 'NWF', number: `F-${doc}`, order: placed.body.id, customerOrder: 'by phone' }
  const lines = [{ line: 1, sku: SKU, quantity: units(quantity), unit: 'EA' }]
  const fields = toDepotOrder({ ...request, location: 'DC1', customer: BUYER, shipTo: {}, lines })
  return (await post(`${wms().url}/api/outbound_orders`, fields, { 'x-api-key': 'secret' }))['wms_order_id']!
}

let pos = 0
/** An order that a buyer places in the shop. */
export async function shopOrder(): Promise<Ours> {
  const poNumber = `SHOP-${++pos}`
  const line = { line: 1, item: SKU, quantity: 1, unit: 'EA', priceMinor: 1_000, priceUnit: 'EA' as const }
  house.landscape.shop.place({
    nth: 900_000 + pos,
    company: 'NWF',
    door: 'shop',
    customer: BUYER,
    poNumber,
    lines: [line],
    orderedOn: '2026-11-02',
    requestedOn: '2026-11-05',
    shipTo: '',
    currency: 'USD',
    case: 'regular',
    repeats: undefined,
    expected: 'ships_at_once',
  })
  const found = () =>
    house.query<{ doc: number }>('select id as doc from orders.sales_order where customer_order = $1', [
      poNumber,
    ])
  await expect.poll(found, WITHIN).toHaveLength(1)
  const [{ doc }] = (await found()) as [{ doc: number }]
  return { doc, body: { id: `O-${doc}`, code: '' } }
}

/** The ERP takes no order of the buyer, whose currency it believes to be another. */
export const erpRefuses = () => erp().changeCustomer(BUYER, { currency: 'EUR' })
export const erpMends = () => erp().changeCustomer(BUYER, { currency: 'USD' })

export const ended = (placed: Ours) => house.closed(placed as Placed)
