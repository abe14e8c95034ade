/** The door to steps that are stuck: whom it opens to, what it takes, and each refusal with its cure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearer, openFrontDoor, type FrontDoor, isHeld, type Reply } from './front-door.ts'

const SCOPE = 'experience.overrides:write'
const door = (id: string) => `/experience/control-tower/v1/orders/${id}:override`

let house: FrontDoor
let held: string
let staff: Record<string, string>
let partner: Record<string, string>
beforeAll(async () => {
  house = await openFrontDoor()
  const order = house.next(isHeld)
  held = (await house.submit(order)).body.id
  staff = bearer(await house.key({ client: 'tower', scopes: [SCOPE] }))
  partner = bearer(await house.key({ client: 'shop', scopes: [SCOPE], partner: order.customer }))
}, 60_000)
afterAll(() => house.end())

const decide = (id: string, body: object, headers = staff): Promise<Reply> =>
  house.send('POST', door(id), { body: { reason: 'keyed by Ann', ...body }, headers })

describe('a decision', () => {
  const said = { act: 'complete', step: 'postToErp', reference: 'TRIED-1', dryRun: true }

  test('that is only tried out is answered with what it would be', async () => {
    const { status, body } = await decide(held, said)
    expect([status, body]).toMatchObject([
      200,
      {
        order: held,
        document: held,
        was: 'held',
        entered: { number: 'TRIED-1' },
        dryRun: true,
        known: false,
      },
    ])
    expect(body['follows']).toEqual(['The order goes on as if the system had said so.'])
  })

  test.each([
    [422, 'overrides.step_unknown', { act: 'restart', step: 'pray' }],
    [409, 'overrides.not_open', { act: 'complete', step: 'post', reference: 'X' }],
    [409, 'overrides.not_open', { act: 'complete', step: 'postToErp', reference: 'X', document: 'O-1' }],
    [422, 'overrides.facts_missing', { act: 'complete', step: 'postToErp' }],
    [
      422,
      'overrides.fact_invalid',
      { act: 'complete', step: 'postToErp', reference: 'X', facts: { tax: '1' } },
    ],
    [409, 'overrides.skip_not_allowed', { act: 'skip', step: 'postToErp' }],
    [409, 'overrides.held', { act: 'restart', step: 'postToErp' }],
    [422, 'http.invalid', { act: 'restart', step: 'postToErp', reason: ' ' }],
  ])('is refused with %i %s: %j', async (status, code, body) => {
    const answer = await decide(held, body)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('on an order that does not exist, and any decision of a partner, is refused alike', async () => {
    for (const answer of [await decide('O-1', said), await decide(held, said, partner)])
      expect([answer.status, answer.body.code]).toEqual([404, 'orders.unknown'])
  })
})
