/** What people decide on parked work: a message is given up with its trouble, what is owed is not, and edits are read first. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exceptionOpener } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { type Parkable, park, type ParkedItem } from '#platform/parking.ts'
import { listParked, showParked } from '#platform/parking-views.ts'
import type { AnyDoors } from '#processes/any-door.ts'
import { troubleOf } from '#processes/message-trouble.ts'
import { correctPayload, giveUp, readAs } from '#processes/parked-work.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

let open: OpenDatabase
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())

const ann = { actor: 'ann', reason: 'sent by mistake' }
const openExceptions = exceptionOpener({
  rules: [],
  otherwise: { owner: 'integration', severity: 'high', dueBusinessHours: 2 },
  calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
})

let named = 0
async function parkedAs(overrides: Partial<Parkable> = {}): Promise<ParkedItem> {
  const messageId = `m${++named}`
  const item: Parkable = {
    kind: 'message',
    key: `shop/${messageId}`,
    company: 'NWF',
    system: 'shop',
    payload: '{"quantity":"two"}',
    cause: { code: 'orders.item_unknown', message: 'no such item' },
    context: { source: 'shop', messageId, type: 'order' },
    ...overrides,
  }
  await open.database.transaction((tx) => park(tx, [item]))
  const found = await listParked(open.database)
  return found.find(({ key }) => key === item.key)!
}
const give = async (...items: readonly ParkedItem[]) => {
  const answers = await open.database.transaction((tx) =>
    giveUp(
      tx,
      items.map(({ id }) => id),
      ann,
    ),
  )
  return items.map(({ id }) => {
    const answer = answers.get(id)!
    return answer instanceof Refusal ? answer.code : answer.state
  })
}

describe('giving up', () => {
  test.each([
    ['a call', { kind: 'effect', key: '7/post//1', doc: 7 }],
    ['a document', { kind: 'document', key: '8', doc: 8 }],
    ['what a stream misses', { context: { gap: { stream: 'F-1', from: 3 } } }],
  ] as const)('%s is refused, since it is owed, and does not keep its neighbour', async (_, owed) => {
    const items = [await parkedAs(owed), await parkedAs()]
    expect(await give(...items)).toEqual(['parking.not_discardable', 'discarded'])
    expect(await showParked(open.database, items[0]!.id)).toMatchObject({ state: 'parked', settledBy: null })
  })

  test('a message closes its exception; one that others were put aside for as well stays until the last of them', async () => {
    const opened = (causes: readonly string[]) =>
      open.database.transaction((tx) =>
        openExceptions(
          tx,
          causes.map((cause) => ({
            company: 'NWF',
            cause,
            code: 'orders.item_unknown',
            title: 'x',
            suggestedAction: 'y',
          })),
        ),
      )
    const cause = { code: 'orders.item_unknown', message: 'no such item', facts: { about: 'SKU-9' } }
    const alone = await parkedAs()
    const pair = [await parkedAs({ cause }), await parkedAs({ cause })]
    const name = { source: 'shop', messageId: String(alone.context['messageId']) }
    const own = troubleOf(name, 'parked', alone.cause)
    const shared = troubleOf(name, 'quarantined', cause)
    await opened([own, shared])
    const stillOpen = async () =>
      (
        await open.run<{ cause: string }>(
          'select cause from exceptions.exception where closed_at is null order by id',
        )
      ).map((row) => row.cause)
    await give(alone)
    expect(await stillOpen()).toEqual([shared])
    await give(pair[0]!)
    expect(await stillOpen()).toEqual([shared])
    await give(pair[1]!)
    expect(await stillOpen()).toEqual([])
  })

  test('what was decided on is refused', async () => {
    const item = await parkedAs()
    expect([await give(item), await give(item)]).toEqual([['discarded'], ['parking.not_parked']])
  })
})

describe('an edited payload', () => {
  /** A door to which a quantity is a number. */
  const doors: AnyDoors = new Map([
    [
      'shop',
      {
        restore: ({ body, messageId, type }) =>
          body.includes('"quantity":2')
            ? { messageId, type, body, message: {} }
            : {
                messageId,
                type,
                body,
                unreadable: new Refusal('inbound.message_unreadable', 'quantity is no number'),
              },
        hear: () => Promise.reject(new Error('nobody replays')),
      },
    ],
  ])
  const edit = async (item: ParkedItem, payload: string) => {
    const reading = await readAs(doors)(item, payload)
    return open.database.transaction((tx) => correctPayload(tx, { id: item.id, payload, reading }, ann))
  }

  test('that its door cannot read is refused, and the refusal names the field', async () => {
    const item = await parkedAs()
    await expect(edit(item, '{"quantity":"three"}')).rejects.toMatchObject({
      code: 'parking.payload_unreadable',
      message: 'shop cannot read it: quantity is no number',
      pointer: '/payload',
    })
    expect(await showParked(open.database, item.id)).toMatchObject({ edited: false, edits: [] })
  })

  test('that its door can read is kept, with what changed', async () => {
    const item = await parkedAs()
    expect(await edit(item, '{"quantity":2}')).toMatchObject({ edited: true, version: item.version + 1 })
    const { edits } = (await showParked(open.database, item.id))!
    expect(edits).toMatchObject([{ editor: 'ann', changes: [{ at: '/quantity', before: 'two', after: 2 }] }])
  })

  test('is kept unread where no door here knows its system', async () => {
    const item = await parkedAs({ key: `elsewhere/${named}`, system: 'elsewhere' })
    expect(await readAs(doors)(item, '{}')).toBeUndefined()
    expect(await edit(item, '{}')).toMatchObject({ payload: '{}' })
  })
})
