/** Selections: what is frozen, what is refused, what its rehearsal shows, and when it is forgotten. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Outage } from '#platform/faults.ts'
import { systemClock } from '#platform/clock.ts'
import { editPayload, park } from '#platform/parking.ts'
import { rehearsePortion } from '#platform/repair-rehearsal.ts'
import { forgetRepairs, type RepairFilter } from '#platform/repair-selection.ts'
import { itemsOfRepair, showRepair } from '#platform/repair-views.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { cause, CHANGES, repairWorld } from './repair-world.ts'

let open: OpenDatabase
let world: ReturnType<typeof repairWorld>
beforeAll(async () => {
  open = await openTestDatabase()
  world = repairWorld(open)
})
afterAll(() => open.end())

const anna = { actor: 'anna', reason: 'the sender said what it meant' }

describe('a selection', () => {
  test.each([
    ['no condition', {}],
    ['conditions that say nothing', { text: '  ', system: '', company: undefined }],
  ] as [string, RepairFilter][])('with %s is refused', async (_, filter) => {
    await expect(world.select({ filter })).rejects.toMatchObject({ code: 'repairs.filter_empty' })
  })

  test('without ids, or with those of nothing that is parked, is refused', async () => {
    await expect(world.select({ ids: [] })).rejects.toMatchObject({ code: 'repairs.filter_empty' })
    await expect(world.select({ ids: [987_654] })).rejects.toMatchObject({ code: 'repairs.nothing_selected' })
    await expect(world.select({ filter: { system: 'nobody' } })).rejects.toMatchObject({
      code: 'repairs.nothing_selected',
    })
  })

  test('of more than a job takes is refused, and nothing of it stays', async () => {
    await open.run(
      `insert into parking.item (kind, key, system, cause_code, cause_message)
       select 'message', 'crowd/' || n, 'crowd', 'x', 'x' from generate_series(1, 50001) n`,
    )
    await expect(world.select({ filter: { system: 'crowd' } })).rejects.toMatchObject({
      code: 'repairs.too_many',
    })
    expect(await open.run(`select 1 from repair.job where asked->'filter'->>'system' = 'crowd'`)).toEqual([])
    await open.run(`delete from parking.item where system = 'crowd'`)
  }, 30_000)

  test('has what meets every condition of its filter', async () => {
    const [first, second] = (await world.parked('conditions', 3)) as [number, number, number]
    await open.run(
      `update parking.item set step = 'postToErp', doc = 77, poison = true, company = 'NWI',
         last_failed_at = '2026-01-01' where id = $1`,
      [first],
    )
    const itemsOf = async (filter: RepairFilter) => {
      const id = await world.select({ filter: { system: 'conditions', ...filter } })
      return (await itemsOfRepair(open.database, id, { limit: 10 })).map((item) => item.id)
    }
    const only: RepairFilter[] = [
      { step: 'postToErp' },
      { docs: [77, 78] },
      { poison: true },
      { company: 'NWI' },
      { failedBefore: new Date('2026-02-01') },
      { text: 'CONDITIONS/0' },
    ]
    for (const filter of only) expect(await itemsOf(filter)).toEqual([first])
    expect(await itemsOf({ text: '/1', failedAfter: new Date('2026-02-01') })).toEqual([second])
    expect(await itemsOf({ causeCode: 'customers', kind: 'message', poison: false })).toHaveLength(2)
  })

  test('is frozen: what is parked later is no part of it', async () => {
    await world.parked('frozen', 2)
    const id = await world.select({ filter: { system: 'frozen' } })
    await open.database.transaction((tx) =>
      park(tx, [{ kind: 'message', key: 'frozen/late', system: 'frozen', cause }]),
    )
    expect(await world.story(id)).toMatchObject({
      total: 2,
      stake: [{ currency: 'USD', amountMinor: 100 }],
      asked: { filter: { system: 'frozen' } },
    })
  })

  test('leaves the tables when nobody starts it in time', async () => {
    await world.parked('forgotten', 1)
    const id = await world.select({ filter: { system: 'forgotten' } })
    await open.run(`update repair.job set expires_at = now() - interval '1 second' where id = $1`, [id])
    while ((await forgetRepairs(open.database)) > 0);
    expect(await showRepair(open.database, id)).toBeUndefined()
    expect(await open.run('select 1 from repair.item where job = $1', [id])).toEqual([])
  })

  test('is not forgotten while it can be started', async () => {
    await world.parked('kept', 1)
    const id = await world.select({ filter: { system: 'kept' } })
    await forgetRepairs(open.database)
    expect(await showRepair(open.database, id)).toBeDefined()
  })
})

describe('a rehearsal', () => {
  test('counts what would become of the items, and keeps the changes of the first twenty', async () => {
    const ids = await world.parked('rehearsed', 70)
    const id = await world.select({ filter: { system: 'rehearsed' } })
    expect(await world.story(id)).toMatchObject({ state: 'previewing', rehearsed: 0 })
    await world.rehearseAll(async (item) =>
      item.id === ids[0] ? { expected: 'rejection', cause, changes: [], events: [], calls: [] } : CHANGES,
    )
    const story = await world.story(id)
    expect(story).toMatchObject({ state: 'ready', rehearsed: 70 })
    expect(story.expectations).toEqual([
      { expected: 'change', code: null, count: 69, sends: 69, suppresses: 0 },
      { expected: 'rejection', code: cause.code, count: 1, sends: 0, suppresses: 0 },
    ])
    expect(story.samples).toHaveLength(20)
    expect(story.samples[0]).toMatchObject({ id: ids[1], sample: { changes: CHANGES.changes } })
  })

  test('says of what was settled or changed meanwhile that it is not as it was selected', async () => {
    const [settled, edited] = (await world.parked('meanwhile', 2)) as [number, number]
    const id = await world.select({ filter: { system: 'meanwhile' } })
    await open.run(`update parking.item set state = 'replayed' where id = $1`, [settled])
    await open.database.transaction((tx) => editPayload(tx, edited, '{"n":2}', anna))
    await world.rehearseAll()
    expect(await itemsOfRepair(open.database, id, { limit: 9 })).toMatchObject([
      {
        expected: 'nothing',
        expectedCode: 'parking.not_parked',
        expectedMessage: 'it is replayed meanwhile',
      },
      { expected: 'rejection', expectedCode: 'repairs.item_changed' },
    ])
  })

  test('goes on where it was when a system is away, and when its process died', async () => {
    const ids = await world.parked('away', 3)
    const id = await world.select({ filter: { system: 'away' } })
    const away = rehearsePortion({
      database: open.database,
      clock: systemClock,
      async rehearse(item) {
        if (item.id === ids[1]) throw new Outage('erp', 'away')
        return CHANGES
      },
    })
    await expect(away).rejects.toThrow('away')
    expect(await world.story(id)).toMatchObject({ state: 'previewing', rehearsed: 1 })

    await open.run(`update repair.job set leased_until = now() + interval '1 minute' where id = $1`, [id])
    await world.rehearseAll()
    expect(await world.story(id)).toMatchObject({ state: 'previewing', rehearsed: 1 })
    await open.run(`update repair.job set leased_until = now() - interval '1 second' where id = $1`, [id])
    const seen: number[] = []
    await world.rehearseAll(async (item) => (seen.push(item.id), CHANGES))
    expect(seen).toEqual(ids.slice(1))
    expect(await world.story(id)).toMatchObject({ state: 'ready', rehearsed: 3 })
  })

  test('of a large selection keeps no small one waiting', async () => {
    await world.parked('large', 120)
    await world.parked('small', 1)
    const large = await world.select({ filter: { system: 'large' } })
    const seen: string[] = []
    const rehearse = async ({ system }: { system: string | null }) => (seen.push(system!), CHANGES)
    await rehearsePortion({ database: open.database, clock: systemClock, rehearse })
    await world.select({ filter: { system: 'small' } })
    await world.rehearseAll(rehearse)
    expect(seen.indexOf('small')).toBe(50)
    expect(await world.story(large)).toMatchObject({ state: 'ready', rehearsed: 120 })
  })

  test('whose lease another process took writes nothing', async () => {
    await world.parked('lost', 1)
    const id = await world.select({ filter: { system: 'lost' } })
    await rehearsePortion({
      database: open.database,
      clock: systemClock,
      async rehearse() {
        await open.run(`update repair.job set leased_until = now() + interval '9 minutes' where id = $1`, [
          id,
        ])
        return CHANGES
      },
    })
    expect(await world.story(id)).toMatchObject({ state: 'previewing', rehearsed: 0, samples: [] })
  })
})
