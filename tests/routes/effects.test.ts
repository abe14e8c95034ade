/** The doors of open calls: what is seen of one, what a person says of it, and that its order goes on from there. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Fault } from '#landscape/faults.ts'
import { listAudit } from '#platform/audit.ts'
import { sql } from '#platform/database.ts'
import { bearer, type FrontDoor, O2C, openFrontDoor, type Reply, shipsAtOnce } from './front-door.ts'

const DOOR = '/experience/control-tower/v1/effects'

let door: FrontDoor
let staff: Readonly<Record<string, string>>
let reader: Readonly<Record<string, string>>
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor({
    policy: {
      timeoutMs: 400,
      retry: { maxAttempts: 2, baseMs: 5, maxMs: 10 },
      breaker: { minCalls: 10_000 },
    },
    config: { worker: { claimPollMs: 50 } },
  })
  const scopes = ['experience.effects:read', 'experience.effects:write', 'process.orders:read']
  staff = bearer(await door.key({ client: 'desk', scopes }))
  reader = bearer(await door.key({ client: 'screen', scopes: scopes.slice(0, 1) }))
  partner = bearer(await door.key({ client: 'portal', scopes, partner: '100101' }))
}, 60_000)
afterAll(() => door.end())

type Call = { id: string; key: string; state: string; businessKey: string }

const told = ({ status, body }: Reply) => [status, body.code]
const act = (id: string, verb: string, body: object, { query = '', headers = staff, key = '' } = {}) =>
  door.send('POST', `${DOOR}/${id}:${verb}${query}`, { body, headers, ...(key ? { key } : {}) })
const read = (id: string, headers = reader) => door.send('GET', `${DOOR}/${id}`, { headers })
const list = async (query: string): Promise<Call[]> => {
  const { body } = await door.send('GET', `${DOOR}?${query}`, { headers: reader })
  return body['items'] as Call[]
}

/** An order of which the ERP's answer was lost, as a rule after it was done; nor does the ERP answer questions. */
async function parkedOrder(lost: Fault = { kind: 'no-answer' }): Promise<Call> {
  const { faults } = door.landscape.legacyErp
  faults.set([
    { ...lost, operation: 'createOrder' },
    { ...lost, operation: 'createOrders' },
    { kind: 'server-error', operation: 'findOrders' },
  ])
  const order = door.next((one) => shipsAtOnce(one) && one.company === 'NWF')
  const { id } = (await door.submit(order)).body
  await vi.waitFor(async () => expect(await list(`document=${id}&state=parked`)).toHaveLength(1), {
    timeout: 15_000,
  })
  faults.clear()
  return (await list(`document=${id}`))[0]!
}

const SHOWS_UP = sql(
  'test.shows_up',
  `update effects.intent set absent_after = now() + make_interval(secs => $2)
   where doc = $1 and absent_after is not null returning doc`,
)
/** Whatever of it was on its way may arrive there for so long from now on. */
async function showsUpFor({ businessKey }: Call, seconds: number): Promise<void> {
  const doc = Number(businessKey.slice('O-'.length))
  expect(await door.app.database.query(SHOWS_UP, [doc, seconds])).toHaveLength(1)
}

const orderOf = async (number: string) =>
  (await door.send('GET', `${O2C}/orders/${number}`, { headers: staff })).body
const open = ({ businessKey }: Call) => list(`document=${businessKey}&step=postToErp`)

describe('a parked call', () => {
  test('is shown with its key, its attempts, what was heard of it and what comes next', async () => {
    const call = await parkedOrder()
    const { status, body } = await read(call.id)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      key: `${call.businessKey.slice(2)}/postToErp//1`,
      document: call.businessKey,
      system: 'erp-foods',
      operation: 'erp.createSalesOrder',
      generation: 1,
      state: 'parked',
      next: 'decide',
      attempts: expect.any(Number),
      detail: expect.any(String),
      parkedItem: expect.any(Number),
      exceptions: [{ owner: 'integration' }],
    })
  })

  test('that was done goes on from what a person says, once, with the person in audit and story', async () => {
    const call = await parkedOrder()
    const said = { outcome: 'confirmed', reference: 'SO-BY-HAND', reason: 'seen in the order list' }
    const dry = await act(call.id, 'resolve', said, { query: '?dryRun=true' })
    expect(dry.body).toMatchObject({
      dryRun: true,
      changes: expect.arrayContaining([{ at: '/state', before: 'parked', after: 'resolved' }]),
    })
    expect((await read(call.id)).body).toMatchObject({ state: 'parked' })

    const done = await act(call.id, 'resolve', said, { key: 'once' })
    expect(done.body).toMatchObject({ dryRun: false, state: 'resolved', next: 'take' })
    const again = await act(call.id, 'resolve', said, { key: 'once' })
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([done.body, 'true'])
    await expect.poll(() => read(call.id).then(told), { timeout: 10_000 }).toEqual([404, 'effects.not_found'])

    const story = await door.send('GET', `${O2C}/orders/${call.businessKey}/story`, { headers: staff })
    expect(JSON.stringify(story.body)).toContain('SO-BY-HAND')
    const [entry] = await listAudit(door.app.database, { action: 'effects.resolved' })
    expect(entry).toMatchObject({ actor: 'desk', reason: said.reason, company: 'NWF' })
  })

  test('that was refused holds its order for a person, as a refusal of the system does', async () => {
    const call = await parkedOrder()
    await act(call.id, 'resolve', { outcome: 'refused', reason: 'the ERP has blocked the customer' })
    await expect
      .poll(async () => JSON.stringify((await orderOf(call.businessKey))['holds'] ?? []), { timeout: 10_000 })
      .toContain('the ERP has blocked the customer')
  })

  test('of which the system has nothing is sent again under its key, once it can no longer show up', async () => {
    const call = await parkedOrder({ kind: 'outage', mode: 'reset' })
    const absent = { outcome: 'absent', reason: 'not in the order list' }
    await showsUpFor(call, 3_600)
    expect(told(await act(call.id, 'resolve', absent))).toEqual([409, 'effects.may_still_show'])
    await showsUpFor(call, -1)
    expect((await act(call.id, 'resolve', absent)).status).toBe(200)
    await expect.poll(() => open(call), { timeout: 15_000 }).toEqual([])
    const { orders } = door.landscape.legacyErp.truth()
    expect(orders.filter(({ reference }) => reference === call.businessKey)).toHaveLength(1)
  }, 60_000)

  test('that is hurried is looked up first, and found at its target', async () => {
    const call = await parkedOrder()
    const dry = await act(call.id, 'retry', { reason: 'the ERP answers' }, { query: '?dryRun=true' })
    expect(dry.body).toMatchObject({ dryRun: true, state: 'unknown', next: 'look up' })
    const looked = door.landscape.legacyErp.received.requests('findOrders')
    expect((await act(call.id, 'retry', { reason: 'the ERP answers' })).status).toBe(200)
    await expect.poll(() => open(call), { timeout: 15_000 }).toEqual([])
    expect(door.landscape.legacyErp.received.requests('findOrders')).toBeGreaterThan(looked)
  })
})

describe('a word on a call is refused', () => {
  let call: Call
  beforeAll(async () => {
    call = await parkedOrder()
  }, 30_000)
  const confirmed = { outcome: 'confirmed', reference: 'SO-1', reason: 'seen' }

  test('that lacks what its step goes on with, and the refusal names the field', async () => {
    const { status, body } = await act(call.id, 'resolve', { outcome: 'confirmed', reason: 'seen' })
    expect([status, body.code]).toEqual([422, 'effects.answer_incomplete'])
    expect(body['errors']).toMatchObject([{ pointer: '/reference' }])
  })

  test('without a reason that says anything', async () => {
    expect(told(await act(call.id, 'resolve', { ...confirmed, reason: ' ' }))).toEqual([
      422,
      'parking.reason_missing',
    ])
  })

  test('from whoever may only look, and from a partner, who sees none', async () => {
    expect((await act(call.id, 'resolve', confirmed, { headers: reader })).status).toBe(403)
    expect(told(await act(call.id, 'resolve', confirmed, { headers: partner }))).toEqual([
      404,
      'effects.not_found',
    ])
    expect(told(await read(call.id, partner))).toEqual([404, 'effects.not_found'])
    const { body } = await door.send('GET', DOOR, { headers: partner })
    expect(body['items']).toEqual([])
  })

  test('that is not open', async () => {
    expect(told(await read('bm9uZQ'))).toEqual([404, 'effects.not_found'])
    expect(told(await act('bm9uZQ', 'retry', { reason: 'why' }))).toEqual([404, 'effects.not_found'])
  })
})

test('the list has pages without gap or repetition, and refuses a cursor of another list', async () => {
  await parkedOrder()
  const all = await list('limit=200')
  const seen: string[] = []
  let cursor = ''
  do {
    const { body } = await door.send('GET', `${DOOR}?limit=1${cursor}`, { headers: reader })
    const { items, nextCursor } = body as unknown as { items: Call[]; nextCursor?: string }
    seen.push(...items.map(({ key }) => key))
    cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
  } while (cursor !== '')
  expect(seen).toEqual(all.map(({ key }) => key))
  expect(seen.length).toBeGreaterThan(1)
  const refused = await door.send('GET', `${DOOR}?cursor=invented`, { headers: reader })
  expect(told(refused)).toEqual([400, 'http.cursor_invalid'])
  expect(await list('system=elsewhere')).toEqual([])
  expect((await list('intendedBefore=2020-01-01T00:00:00Z')).length).toBe(0)
})
