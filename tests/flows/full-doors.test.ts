/** Each door from outside bounds what waits at it: who comes to a full one is turned away at once, and keeps nothing. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { callOfShop, documentOfShop } from '#tests/support/shop-calls.ts'
import { toOrderRequest } from '../../src/demo.ts'
import { BATCHES_WAITING_MAX } from '../../src/processes/doors.ts'

/** A batch is one item here: so many wait, and one may be worked on. */
const WAITING = BATCHES_WAITING_MAX
const TOO_MANY = 9

let house: House
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  house = await openHouse({ plannedOrders: 60, config: { worker: { batchMax: 1 } } })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
})

type Call = { readonly path: string; readonly headers: Record<string, string>; readonly body: string }

const anOrder = () =>
  house.landscape.world
    .orders(60)
    .find((one) => one.company === 'NWF' && one.case === 'regular' && one.expected === 'ships_at_once')!

const keyed = (path: string, body: object): Call => ({
  path: `/process/${path}`,
  headers: { 'idempotency-key': path },
  body: JSON.stringify(body),
})

function reservation(): Call {
  const { company, lines } = toOrderRequest(anOrder())
  const asked = lines.map(({ line, sku, quantity, unit }) => ({ line, sku, quantity, unit }))
  const body = { company, channel: 'portal', reference: 'cart', kind: 'soft', lines: asked }
  return keyed('available-to-promise/v1/reservations', body)
}

function paid(): Call {
  const { company, customer, currency } = anOrder()
  const body = { company, customer, currency, reference: 'paid', amount: '10.00' }
  return keyed('order-to-cash/v1/payments', body)
}

function toldByWarehouse(): Call {
  const event = { event_id: 'EV-FLOOD', type: 'outbound.picking', seq: 900_000 }
  const body = JSON.stringify({ delivery_id: 'flood', sent_at: '2026-11-02T12:00:00Z', events: [event] })
  const at = Math.floor(Date.now() / 1_000)
  const hmac = createHmac('sha256', DEFAULT_CREDENTIALS.wms.webhookSecret).update(`${at}.${body}`)
  const headers = { 'x-depot-delivery': 'flood', 'x-depot-signature': `t=${at},v1=${hmac.digest('hex')}` }
  return { path: '/system/wms/v1/events', headers, body }
}

function toldByShop(): Call {
  const { shop } = house.landscape
  shop.deliverTo(`${house.url}/nowhere`)
  return callOfShop('orders/create', 'flood', documentOfShop(shop, shop.place(anOrder()).id))
}

const DOORS: Readonly<Record<string, () => Call>> = {
  orders: () => keyed('order-to-cash/v1/orders', toOrderRequest(anOrder())),
  reservations: reservation,
  payments: paid,
  'what warehouses tell': toldByWarehouse,
  'what shops tell': toldByShop,
}

async function send({ path, headers, body }: Call) {
  const all = { 'content-type': 'application/json', ...headers }
  const response = await fetch(`${house.url}${path}`, { method: 'POST', headers: all, body })
  const { code } = (await response.json()) as { code?: string }
  return { status: response.status, retryAfter: response.headers.get('retry-after'), code }
}

describe('the door of', () => {
  test.each(Object.keys(DOORS))(
    '%s answers 429 at once to what is too much, and takes the rest',
    async (kind) => {
      const call = DOORS[kind]!()
      await query('begin')
      await query('lock table log.event, inbox.message, http.idempotency in exclusive mode')
      const turnedAway: unknown[] = []
      const sent = Array.from({ length: WAITING + 1 + TOO_MANY }, async () => {
        const answer = await send(call)
        if (answer.status === 429) turnedAway.push(answer)
        return answer.status
      })
      try {
        await vi.waitFor(() => expect(turnedAway.length).toBeGreaterThanOrEqual(TOO_MANY), {
          timeout: 20_000,
        })
      } finally {
        await query('rollback')
      }
      const taken = (await Promise.all(sent)).filter((status) => status !== 429)
      const full = { status: 429, retryAfter: '5', code: 'work.door_full' }
      expect(turnedAway).toEqual(turnedAway.map(() => full))
      expect(taken.length).toBeGreaterThanOrEqual(WAITING)
      expect(taken.filter((status) => status !== 200 && status !== 201)).toEqual([])
    },
  )
})
