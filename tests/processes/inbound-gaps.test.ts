/** The watch over messages that never came: nobody is told of one that its sender was not asked for. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { gapWatch } from '../../src/processes/inbound-gaps.ts'

let house: OpenDatabase
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())

test('a gap that grows old while its neighbour is asked for is itself asked for before anybody is told', async () => {
  const asked: string[][] = []
  await house.run(`insert into inbox.stream (source, stream, missing_from, missing_to, blocked_since)
    values ('wms', 'old', 1, 1, now() - interval '1 hour'), ('wms', 'young', 1, 1, now())`)
  const look = gapWatch({
    clock: fakeClock(new Date()),
    database: house.database,
    openExceptions: exceptionOpener({
      rules: [],
      otherwise: { owner: 'integration', severity: 'high', dueBusinessHours: 2 },
      calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
    }),
    afterMs: 60_000,
    onError: (_, error) => expect.unreachable(String(error)),
    doors: new Map([
      [
        'wms',
        {
          restore: () => expect.unreachable(),
          hear: () => expect.unreachable(),
          askAgain: async (gaps) => {
            asked.push(gaps.map(({ stream }) => stream))
            await house.run(`update inbox.stream set blocked_since = now() - interval '1 hour'`)
            return []
          },
        },
      ],
    ]),
  })
  const told = async () =>
    (await listExceptions(house.database, { code: 'inbound.message_missing' })).map(
      ({ facts }) => facts['stream'],
    )

  await look()
  expect(asked).toEqual([['old']])
  expect(await told()).toEqual(['old'])
  await look()
  expect(asked).toEqual([['old'], ['young']])
  expect(await told()).toEqual(expect.arrayContaining(['old', 'young']))
})
