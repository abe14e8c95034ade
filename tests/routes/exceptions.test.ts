/** The doors of exceptions: who may look, what people do with one, and that nobody overwrites what he has not seen. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { closeExceptions, exceptionOpener } from '#platform/exceptions.ts'
import { businessCalendar } from '#platform/calendars.ts'
import { bearer, type FrontDoor, openFrontDoor, type Reply } from './front-door.ts'

const DOOR = '/experience/control-tower/v1/exceptions'
const weekday = [{ from: '00:00', to: '24:00' }]
const open = exceptionOpener({
  rules: [],
  otherwise: { owner: 'credit', severity: 'high', dueBusinessHours: 4 },
  calendarOf: () =>
    businessCalendar({
      timeZone: 'UTC',
      week: {
        mon: weekday,
        tue: weekday,
        wed: weekday,
        thu: weekday,
        fri: weekday,
        sat: weekday,
        sun: weekday,
      },
      holidays: [],
      specialDays: {},
      cutOffs: [],
    }),
})

let door: FrontDoor
let staff: Readonly<Record<string, string>>
let reader: Readonly<Record<string, string>>
let partner: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor()
  const scopes = ['experience.exceptions:read', 'experience.exceptions:write']
  staff = bearer(await door.key({ client: 'desk', scopes }))
  reader = bearer(await door.key({ client: 'screen', scopes: scopes.slice(0, 1) }))
  partner = bearer(await door.key({ client: 'portal', scopes, partner: '100101' }))
}, 60_000)
afterAll(() => door.end())

let causes = 0
async function opened(overrides: Partial<Occurrence> = {}): Promise<{ id: number; occurrence: Occurrence }> {
  const occurrence: Occurrence = {
    company: 'NWF',
    cause: `credit:${++causes}`,
    code: 'orders.hold.credit',
    title: 'Customer 4711 has no credit left',
    suggestedAction: 'Ask for a payment',
    facts: { reason: 'over the limit' },
    affects: { doc: 1_000_000 + causes, kind: 'order', value: { amountMinor: 12_345, currency: 'USD' } },
    ...overrides,
  }
  const ids = await door.app.database.transaction((tx) => open(tx, [occurrence]))
  return { id: ids.get(occurrence)!, occurrence }
}

const read = (id: number, headers = staff) => door.send('GET', `${DOOR}/${id}`, { headers })
const act = (id: number, verb: string, body: object, more: { key?: string; headers?: object } = {}) =>
  door.send('POST', `${DOOR}/${id}:${verb}`, {
    body,
    ...(more.key === undefined ? {} : { key: more.key }),
    headers: { ...staff, ...more.headers },
  })
const told = ({ status, body }: Reply) => [status, body.code]

describe('the worklist', () => {
  test('shows what is open with owner, due time, value at stake and what to do, in pages without gap or repetition', async () => {
    const ids = [await opened(), await opened(), await opened({ severity: 'low' })].map(({ id }) => id)
    const seen: number[] = []
    let cursor = ''
    do {
      const page = await door.send('GET', `${DOOR}?limit=2${cursor}`, { headers: reader })
      expect(page.status).toBe(200)
      const { items, nextCursor } = page.body as unknown as { items: { id: number }[]; nextCursor?: string }
      seen.push(...items.map(({ id }) => id))
      cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
    } while (cursor !== '')
    expect(seen).toEqual(expect.arrayContaining(ids))
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.at(-1)).toBe(ids[2])
    const { body } = await door.send('GET', `${DOOR}?owner=credit&overdue=false&code=orders.hold`, {
      headers: reader,
    })
    expect((body['items'] as object[])[0]).toMatchObject({
      owner: 'credit',
      state: 'open',
      affected: 1,
      atStake: [{ amount: '123.45', currency: 'USD' }],
      suggestedAction: 'Ask for a payment',
      overdue: false,
    })
  })

  test('refuses a cursor of another list', async () => {
    const refused = await door.send('GET', `${DOOR}?cursor=invented`, { headers: reader })
    expect(told(refused)).toEqual([400, 'http.cursor_invalid'])
  })

  test('has closed exceptions apart', async () => {
    const { id } = await opened()
    await act(id, 'resolve', { reason: 'paid' })
    const ids = async (state: string) => {
      const { body } = await door.send('GET', `${DOOR}?state=${state}&limit=200`, { headers: reader })
      return (body['items'] as { id: number }[]).map((one) => one.id)
    }
    expect(await ids('closed')).toContain(id)
    expect(await ids('open')).not.toContain(id)
  })
})

describe('an exception', () => {
  test('goes from open through assigned and in progress to resolved, each act in its history and in the audit trail', async () => {
    const { id } = await opened()
    const assigned = await act(id, 'assign', { assignee: 'ann', owner: 'pricing', text: 'Ann knows him' })
    expect(assigned.body).toMatchObject({ state: 'assigned', assignee: 'ann', owner: 'pricing', version: 2 })
    expect((await act(id, 'start', {})).body).toMatchObject({ state: 'in_progress', assignee: 'desk' })
    expect((await act(id, 'comment', { text: 'promised for Monday' })).body).toMatchObject({ version: 4 })
    const resolved = await act(id, 'resolve', { reason: 'paid this morning' })
    expect(resolved.body).toMatchObject({
      state: 'resolved',
      closedBy: 'desk',
      resolution: 'paid this morning',
      affected: 0,
    })
    const { body } = await read(id)
    expect(body).toEqual(resolved.body)
    expect(body['history']).toMatchObject([
      { by: 'desk', act: 'assigned', text: 'Ann knows him' },
      { by: 'desk', act: 'started' },
      { by: 'desk', act: 'commented', text: 'promised for Monday' },
      { by: 'desk', act: 'resolved', text: 'paid this morning' },
    ])
    const trail = await listAudit(door.app.database, { actor: 'desk' })
    expect(trail.slice(0, 4).map(({ action }) => action)).toEqual([
      'exceptions.resolved',
      'exceptions.commented',
      'exceptions.started',
      'exceptions.assigned',
    ])
    expect(trail[0]).toMatchObject({ reason: 'paid this morning', traceId: expect.any(String) as string })
  })

  test("that nobody will fix says so, and doesn't come back for its documents", async () => {
    const { id, occurrence } = await opened()
    const declined = await act(id, 'resolve', { reason: 'known and accepted', as: 'wont_fix' })
    expect(declined.body).toMatchObject({ state: 'wont_fix', resolution: 'known and accepted' })
    const again = await door.app.database.transaction((tx) => open(tx, [occurrence]))
    expect(again.get(occurrence)).toBeUndefined()
  })

  test('without an assignee is given back to its queue', async () => {
    const { id } = await opened()
    await act(id, 'assign', { assignee: 'ann' })
    const back = await act(id, 'assign', {})
    expect(back.body).toMatchObject({ state: 'open', owner: 'credit' })
    expect(back.body).not.toHaveProperty('assignee')
  })

  test('is not sent again to who has it, until a document joins or somebody acts', async () => {
    const { id, occurrence } = await opened()
    const etag = async () => (await read(id)).headers.get('etag')!
    const first = await etag()
    const headers = { ...staff, 'if-none-match': first }
    expect((await read(id, headers)).status).toBe(304)
    const joining = { ...occurrence, affects: { ...occurrence.affects!, doc: 999 } }
    await door.app.database.transaction((tx) => open(tx, [joining]))
    expect((await read(id, headers)).status).toBe(200)
    await act(id, 'comment', { text: 'looking' })
    expect(await etag()).not.toBe(first)
  })

  test('is changed only as the caller has seen it; a document that joined since is no obstacle', async () => {
    const { id, occurrence } = await opened()
    const seen = (await read(id)).headers.get('etag')!
    const joining = { ...occurrence, affects: { ...occurrence.affects!, doc: 998 } }
    await door.app.database.transaction((tx) => open(tx, [joining]))
    const headers = { 'if-match': seen }
    expect((await act(id, 'assign', { assignee: 'ann' }, { headers })).status).toBe(200)
    const late = await act(id, 'assign', { assignee: 'bob' }, { headers })
    expect(told(late)).toEqual([412, 'http.precondition_failed'])
    expect((await read(id)).body).toMatchObject({ assignee: 'ann' })
  })

  test('is acted on once for a key', async () => {
    const { id } = await opened()
    const comment = () => act(id, 'comment', { text: 'once' }, { key: 'comment-once' })
    const [first, second] = [await comment(), await comment()]
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect((await read(id)).body['history']).toHaveLength(1)
    const other = await act(id, 'comment', { text: 'twice' }, { key: 'comment-once' })
    expect(told(other)).toEqual([422, 'http.idempotency_key_reused'])
  })

  test('that is closed takes no more acts', async () => {
    const { id, occurrence } = await opened()
    const { company, cause } = occurrence
    await door.app.database.transaction((tx) => closeExceptions(tx, [{ company, cause }], 'paid'))
    for (const [verb, body] of [
      ['assign', { assignee: 'ann' }],
      ['start', {}],
      ['comment', { text: 'too late' }],
      ['resolve', { reason: 'too late' }],
    ] as const) {
      expect([verb, ...told(await act(id, verb, body))]).toEqual([verb, 409, 'exceptions.closed'])
    }
    expect((await read(id)).body).toMatchObject({
      state: 'resolved',
      closedBy: 'crossdock',
      resolution: 'paid',
    })
  })
})

describe('a door', () => {
  test('refuses what is unknown, wordless, malformed or without a key', async () => {
    const { id } = await opened()
    expect(told(await read(999_999))).toEqual([404, 'exceptions.not_found'])
    expect(told(await act(999_999, 'start', {}))).toEqual([404, 'exceptions.not_found'])
    expect(told(await act(id, 'comment', { text: ' ' }))).toEqual([422, 'exceptions.text_missing'])
    expect((await act(id, 'comment', {})).body.code).toBe('http.invalid')
    expect((await act(id, 'resolve', { reason: 'x', as: 'forgotten' })).body.code).toBe('http.invalid')
    expect((await door.send('GET', `${DOOR}/first`, { headers: staff })).body.code).toBe('http.invalid')
    const keyless = await fetch(`${door.url}${DOOR}/${id}:start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...staff },
      body: '{}',
    })
    expect(keyless.status).toBe(400)
  })

  test('opens to its scope only, and to no partner', async () => {
    const { id } = await opened()
    const refused = await act(id, 'start', {}, { headers: reader })
    expect(told(refused)).toEqual([403, 'access.scope_missing'])
    expect(told(await read(id, partner))).toEqual([404, 'exceptions.not_found'])
    expect(told(await act(id, 'start', {}, { headers: partner }))).toEqual([404, 'exceptions.not_found'])
    const list = await door.send('GET', DOOR, { headers: partner })
    expect(list.body).toEqual({ items: [] })
  })
})

test('no door met a defect', () => expect(door.complaints).toEqual([]))
