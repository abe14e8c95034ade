/** The doors of orders: each status that they declare, and what a partner sees. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { bearer, type FrontDoor, isHeld, isPriceHeld, O2C, openFrontDoor, shipsAtOnce } from './front-door.ts'

let door: FrontDoor
let mine: WorldOrder
let partner: Readonly<Record<string, string>>
let stranger: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor()
  mine = door.next(shipsAtOnce)
  const scopes = ['process.orders:read', 'process.orders:write', 'process.holds:release']
  partner = bearer(await door.key({ client: 'portal', scopes, partner: mine.customer }))
  stranger = bearer(await door.key({ client: 'stock-only', scopes: ['process.availability:read'] }))
}, 60_000)
afterAll(() => door.end())

type Listed = { items: { id: string; stage: string; holds: unknown[] }[]; nextCursor?: string }
const list = async (query: string, headers?: Record<string, string>): Promise<Listed> =>
  (await door.send('GET', `${O2C}/orders${query}`, headers ? { headers } : {})).body as unknown as Listed

/** A new order that has reached the stage. */
async function orderIn(stage: string, wanted = shipsAtOnce): Promise<string> {
  const { id } = (await door.submit(door.next(wanted))).body
  await expect
    .poll(async () => (await door.send('GET', `${O2C}/orders/${id}`)).body['stage'], { timeout: 10_000 })
    .toBe(stage)
  return id
}

const reason = { reason: 'asked for by a test' }

describe('submitting an order', () => {
  test('answers 201, and the same under the same key again, marked as replayed', async () => {
    const order = door.next(shipsAtOnce)
    const first = await door.submit(order, { key: 'twice' })
    const second = await door.submit(order, { key: 'twice' })
    expect([first.status, second.status]).toEqual([201, 201])
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
  })

  test('answers 200 with the same order when the same document comes under another key', async () => {
    const order = door.next(shipsAtOnce)
    const first = await door.submit(order)
    const second = await door.submit(order)
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.body.id).toBe(first.body.id)
  })

  test('refuses a customer that nobody knows by its field', async () => {
    const refused = await door.submit(door.next(({ expected }) => expected === 'rejected_unknown_customer'))
    expect([refused.status, refused.body.code]).toEqual([422, 'orders.customer_unknown'])
    expect(refused.body['errors']).toMatchObject([{ pointer: '/customer' }])
  })

  test('refuses an amount that its currency cannot hold', async () => {
    const body = {
      company: 'NWF',
      customer: '100101',
      customerOrder: 'too-fine',
      lines: [{ line: '1', sku: '10012', quantity: '1', unit: 'CA', price: '1.2345' }],
    }
    const refused = await door.send('POST', `${O2C}/orders`, { body })
    expect([refused.status, refused.body.code]).toEqual([422, 'money.malformed'])
  })
})

describe('listing orders', () => {
  test('gives the newest first, page by page, each order once', async () => {
    for (let count = 0; count < 5; count++) await door.submit(door.next(shipsAtOnce))
    const seen: string[] = []
    let query = '?limit=2'
    for (;;) {
      const page = await list(query)
      seen.push(...page.items.map((order) => order.id))
      if (!page.nextCursor) break
      query = `?limit=2&cursor=${encodeURIComponent(page.nextCursor)}`
    }
    const numbers = seen.map((id) => Number(id.slice(2)))
    expect(new Set(numbers).size).toBeGreaterThanOrEqual(5)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => b - a))
  })

  test('refuses a cursor with another filter than it was made for', async () => {
    const { nextCursor } = await list('?limit=1')
    const path = `${O2C}/orders?limit=1&state=held&cursor=${encodeURIComponent(nextCursor!)}`
    const refused = await door.send('GET', path)
    expect([refused.status, refused.body.code]).toEqual([400, 'http.cursor_invalid'])
  })

  test('refuses a filter that does not exist instead of listing everything', async () => {
    expect((await door.send('GET', `${O2C}/orders?stat=held`)).body.code).toBe('http.invalid')
  })

  test('filters by state, company, time and any number', async () => {
    const held = await orderIn('held', isHeld)
    const { body } = await door.send('GET', `${O2C}/orders/${held}`)
    const inState = await list('?state=held')
    expect(inState.items.map((order) => order.stage)).toEqual(inState.items.map(() => 'held'))
    expect(inState.items[0]!.holds).toHaveLength(1)
    expect((await list(`?text=${String(body['customerOrder'])}`)).items.map((order) => order.id)).toEqual([
      held,
    ])
    expect((await list('?company=NOPE')).items).toEqual([])
    expect((await list('?from=2999-01-01')).items).toEqual([])
    expect((await list('?to=2999-01-01T00:00:00Z&state=held')).items.length).toBeGreaterThan(0)
  })
})

describe('reading an order', () => {
  test('gives its lines, numbers and version, and 304 to who knows that version', async () => {
    const id = await orderIn('closed')
    const read = await door.send('GET', `${O2C}/orders/${id}`)
    expect(read.status).toBe(200)
    expect(read.headers.get('etag')).toBe(`"v${String(read.body['version'])}"`)
    expect(read.body['numbers']).toEqual(
      expect.arrayContaining([expect.objectContaining({ scheme: 'erp-order' })]),
    )
    const again = await door.send('GET', `${O2C}/orders/${id}`, {
      headers: { 'if-none-match': read.headers.get('etag')! },
    })
    expect(again.status).toBe(304)
  })

  test.each(['O-999999999', 'PO-1', 'S-1'])('answers 404 to %s and says where to search', async (id) => {
    const missing = await door.send('GET', `${O2C}/orders/${id}`)
    expect([missing.status, missing.body.code]).toEqual([404, 'orders.unknown'])
    expect(missing.body['facts']).toEqual({ search: `${O2C}/orders?text=${id}` })
  })

  test('tells the story under any of its numbers', async () => {
    const id = await orderIn('closed')
    const { body } = await door.send('GET', `${O2C}/orders/${id}`)
    const numbers = (body['numbers'] as { value: string }[]).map(({ value }) => value)
    expect(numbers.length).toBeGreaterThanOrEqual(4)
    for (const number of [id, ...numbers]) {
      const story = await door.send('GET', `${O2C}/orders/${encodeURIComponent(number)}/story`)
      expect([number, story.status, (story.body['order'] as { id: string }).id]).toEqual([number, 200, id])
    }
    expect((await door.send('GET', `${O2C}/orders/nobody-knows-me/story`)).body.code).toBe('orders.unknown')
  })

  test('names the milestones in the order in which they were reached', async () => {
    const id = await orderIn('closed')
    const { status, body } = await door.send('GET', `${O2C}/orders/${id}/milestones`)
    expect(status).toBe(200)
    const reached = (body['milestones'] as { milestone: string }[]).map(({ milestone }) => milestone)
    expect(reached.filter((one) => ['accepted', 'released', 'shipped', 'closed'].includes(one))).toEqual([
      'accepted',
      'released',
      'shipped',
      'closed',
    ])
    expect((await door.send('GET', `${O2C}/orders/O-1/milestones`)).status).toBe(404)
  })
})

describe('cancelling an order', () => {
  test('is taken with 202 and ends with everything given back', async () => {
    const id = await orderIn('held', isHeld)
    const cancelled = await door.send('POST', `${O2C}/orders/${id}:cancel`, { body: reason })
    expect([cancelled.status, cancelled.body['state']]).toEqual([202, 'cancel_requested'])
    await expect
      .poll(async () => (await door.send('GET', `${O2C}/orders/${id}`)).body['stage'])
      .toBe('cancelled')
  })

  test('is answered the same under the same key, and changes nothing', async () => {
    const id = await orderIn('held', isHeld)
    const first = await door.send('POST', `${O2C}/orders/${id}:cancel`, { body: reason, key: 'cancel-once' })
    const second = await door.send('POST', `${O2C}/orders/${id}:cancel`, { body: reason, key: 'cancel-once' })
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    const other = await door.send('POST', `${O2C}/orders/${id}:cancel`, {
      body: { reason: 'another' },
      key: 'cancel-once',
    })
    expect([other.status, other.body.code]).toEqual([422, 'http.idempotency_key_reused'])
  })

  test('is refused when everything has shipped', async () => {
    const id = await orderIn('closed')
    const refused = await door.send('POST', `${O2C}/orders/${id}:cancel`, { body: reason })
    expect([refused.status, refused.body.code]).toEqual([409, 'orders.too_late_to_cancel'])
  })

  test('is refused at another version than the one that If-Match names', async () => {
    const id = await orderIn('held', isHeld)
    const stale = await door.send('POST', `${O2C}/orders/${id}:cancel`, {
      body: reason,
      headers: { 'if-match': '"v99"' },
    })
    expect([stale.status, stale.body.code]).toEqual([412, 'http.precondition_failed'])
  })

  test('needs a key, a reason and an order', async () => {
    const without = await fetch(`${door.url}${O2C}/orders/O-1:cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(reason),
    })
    expect(without.status).toBe(400)
    expect((await door.send('POST', `${O2C}/orders/O-1:cancel`, { body: {} })).body.code).toBe('http.invalid')
    expect((await door.send('POST', `${O2C}/orders/O-1:cancel`, { body: reason })).body.code).toBe(
      'orders.unknown',
    )
    expect((await door.send('POST', `${O2C}/orders/PO-1:cancel`, { body: reason })).body.code).toBe(
      'orders.unknown',
    )
  })
})

describe('releasing a hold', () => {
  async function held(wanted = isHeld): Promise<{ id: string; hold: string; etag: string }> {
    const id = await orderIn('held', wanted)
    const { body, headers } = await door.send('GET', `${O2C}/orders/${id}`)
    return { id, hold: (body['holds'] as { id: string }[])[0]!.id, etag: headers.get('etag')! }
  }

  test('lets the order go on to its end', async () => {
    const { id, hold, etag } = await held(isPriceHeld)
    const released = await door.send('POST', `${O2C}/orders/${id}/holds/${hold}:release`, {
      body: reason,
      headers: { 'if-match': etag },
    })
    expect(released.status).toBe(200)
    expect(released.body).toMatchObject({ id, released: { id: hold }, holds: [] })
    await expect
      .poll(async () => (await list('?state=held')).items.map((order) => order.id))
      .not.toContain(id)
    const again = await door.send('POST', `${O2C}/orders/${id}/holds/${hold}:release`, { body: reason })
    expect([again.status, again.body.code]).toEqual([404, 'orders.hold_unknown'])
  })

  test('is refused at another version, for another order, and for what is no hold', async () => {
    const { id, hold } = await held()
    const at = (path: string, headers = {}) =>
      door.send('POST', `${O2C}/orders/${path}:release`, { body: reason, headers })
    expect((await at(`${id}/holds/${hold}`, { 'if-match': '"v99"' })).status).toBe(412)
    expect((await at(`O-1/holds/${hold}`)).body.code).toBe('orders.unknown')
    expect((await at(`${id}/holds/credit`)).body.code).toBe('orders.hold_unknown')
  })
})

describe('a partner', () => {
  test('sees its own orders only, through every door', async () => {
    const headers = partner
    const other = door.next((order) => shipsAtOnce(order) && order.customer !== mine.customer)
    const [own, foreign] = [(await door.submit(mine)).body.id, (await door.submit(other)).body.id]
    const ids = (await list('', headers)).items.map((order) => order.id)
    expect(ids).toContain(own)
    expect(ids).not.toContain(foreign)
    const statuses = await Promise.all([
      door.send('GET', `${O2C}/orders/${own}`, { headers }),
      door.send('GET', `${O2C}/orders/${foreign}`, { headers }),
      door.send('GET', `${O2C}/orders/${foreign}/story`, { headers }),
      door.send('GET', `${O2C}/orders/${foreign}/milestones`, { headers }),
      door.send('POST', `${O2C}/orders/${foreign}:cancel`, { headers, body: reason }),
      door.submit(other, { headers }),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 404, 404, 404, 422])
  })

  test('without the scope may not even look', async () => {
    const refused = await door.send('GET', `${O2C}/orders`, { headers: stranger })
    expect([refused.status, refused.body.code]).toEqual([403, 'access.scope_missing'])
  })
})

test('no door met a defect', () => {
  expect(door.complaints).toEqual([])
})
