/** Repair jobs: started once, by count; portion by portion; paused, aborted and resumed exactly; each item once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { discard, editPayload } from '#platform/parking.ts'
import { paceRepair, startRepair } from '#platform/repair-jobs.ts'
import { forgetRepairs } from '#platform/repair-selection.ts'
import { countRepairs, itemsOfRepair, listRepairs, showRepair } from '#platform/repair-views.ts'
import { workRepairs } from '#platform/repair-work.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { cause, repairWorld } from './repair-world.ts'

let open: OpenDatabase
let world: ReturnType<typeof repairWorld>
beforeAll(async () => {
  open = await openTestDatabase()
  world = repairWorld(open)
})
afterAll(() => open.end())

const words = { name: 'after the sync', reason: 'the customers are there', actor: 'anna' }
const startWith = (id: number, more: { count: number; reason?: string }) =>
  open.database.transaction((tx) => startRepair(tx, id, { ...words, ...more }))
const all = <T>(many: number, what: T): T[] => Array<T>(many).fill(what)

describe('a start', () => {
  test('needs the rehearsal to have ended, the count that was seen, and a reason', async () => {
    await world.parked('start', 2)
    const id = await world.select({ filter: { system: 'start' } })
    await expect(startWith(id, { count: 2 })).rejects.toMatchObject({ code: 'repairs.not_rehearsed' })
    await world.rehearseAll()
    await expect(startWith(id, { count: 1 })).rejects.toMatchObject({
      code: 'repairs.count_differs',
      facts: { count: 1, total: 2 },
    })
    await expect(startWith(id, { count: 2, reason: ' ' })).rejects.toMatchObject({
      code: 'parking.reason_missing',
    })
    await expect(startWith(9_999, { count: 2 })).rejects.toMatchObject({ code: 'repairs.not_found' })
    await open.run(`update repair.job set expires_at = now() - interval '1 second' where id = $1`, [id])
    await expect(startWith(id, { count: 2 })).rejects.toMatchObject({ code: 'repairs.selection_expired' })
    expect(await world.story(id)).toMatchObject({ state: 'ready' })
  })

  test('of a selection that was started changes nothing, whatever is said', async () => {
    await world.parked('twice', 1)
    const id = await world.rehearsed({ filter: { system: 'twice' } })
    await startWith(id, { count: 1 })
    await world.act(id, 'pause')
    await startWith(id, { count: 7, reason: 'another' })
    expect(await world.story(id)).toMatchObject({ state: 'paused', reason: words.reason })
    const trail = await listAudit(open.database, { action: 'repairs.started' })
    expect(trail.filter(({ after }) => (after as { job: number }).job === id)).toHaveLength(1)
  })
})

describe('a job', () => {
  test('replays its items once each, under its name, and says what became of them', async () => {
    await world.parked('whole', 30)
    const id = await world.rehearsed({ filter: { system: 'whole' } })
    await world.start(id)
    await world.round()
    expect(await world.states(id)).toEqual(all(30, 'replaying'))
    expect(await world.story(id)).toMatchObject({ state: 'running', done: 0 })
    await world.takeIn((key) => key === 'whole/4')
    await world.round()
    const story = await world.story(id)
    expect(story).toMatchObject({ state: 'ended', done: 29, failed: 1 })
    expect(story.outcomes).toEqual([
      { state: 'done', outcome: 'applied', code: null, count: 29 },
      { state: 'failed', outcome: 'parked again', code: cause.code, count: 1 },
    ])
    expect(await itemsOfRepair(open.database, id, { state: 'failed', limit: 9 })).toMatchObject([
      { key: 'whole/4', code: cause.code, message: cause.message, settledAt: expect.any(Date) as Date },
    ])
    expect(await world.replays('whole')).toEqual(all(30, 1))
    const [entry] = await listAudit(open.database, { action: 'parking.replayed', limit: 1 })
    expect(entry).toMatchObject({ actor: 'anna', reason: `job ${id}: the customers are there` })
  })

  test('discards its items with its reason', async () => {
    await world.parked('given-up', 3)
    const id = await world.rehearsed({ filter: { system: 'given-up' } }, 'discard')
    await world.start(id)
    await world.round()
    expect(await world.story(id)).toMatchObject({ state: 'ended', done: 3 })
    expect(
      await open.run(
        `select distinct state, settled_by, settled_reason from parking.item where system = 'given-up'`,
      ),
    ).toEqual([
      { state: 'discarded', settled_by: 'anna', settled_reason: `job ${id}: the customers are there` },
    ])
  })

  test('leaves alone what was settled since, and what is not as it was rehearsed', async () => {
    const [settled, edited, left] = (await world.parked('since', 3)) as [number, number, number]
    const id = await world.rehearsed({ filter: { system: 'since' } })
    await world.start(id)
    await open.run(`update parking.item set state = 'replayed' where id = $1`, [settled])
    await open.database.transaction((tx) => editPayload(tx, edited, '{"n":7}', words))
    await world.round()
    expect(await itemsOfRepair(open.database, id, { limit: 9 })).toMatchObject([
      { id: settled, state: 'done', outcome: 'settled meanwhile' },
      { id: edited, state: 'failed', code: 'repairs.item_changed' },
      { id: left, state: 'replaying' },
    ])
    expect(await world.replays('since')).toEqual([0, 0, 1])
  })

  test('hands over no more than its rate, and waits while ten seconds of it are under way', async () => {
    await world.parked('slow', 40)
    const id = await world.rehearsed({ filter: { system: 'slow' } })
    await world.start(id, 2)
    const handed: number[] = []
    for (let rounds = 0; rounds < 7; rounds++) {
      await world.round()
      handed.push((await world.states(id)).filter((state) => state === 'replaying').length)
    }
    expect(handed).toEqual([4, 8, 12, 16, 20, 20, 20])
    await workRepairs(open.database, discard)
    expect((await world.states(id)).filter((state) => state !== 'waiting')).toHaveLength(20)
    await world.takeIn()
    await open.database.transaction((tx) => paceRepair(tx, id, 500, words))
    await world.round()
    expect((await world.states(id)).filter((state) => state === 'waiting')).toEqual([])
    await world.takeIn()
    await world.round()
    expect(await world.story(id)).toMatchObject({ state: 'ended', done: 40, perSecond: 500 })
    expect(await world.replays('slow')).toEqual(all(40, 1))
  })

  test.each(['pause', 'abort'] as const)(
    'after %s hands over nothing, counts what was under way, and goes on exactly there',
    async (act) => {
      const system = `${act}d`
      await world.parked(system, 10)
      const id = await world.rehearsed({ filter: { system } })
      await world.start(id, 2)
      await world.round()
      await world.act(id, act)
      await world.round()
      await world.takeIn()
      await world.round()
      expect(await world.states(id)).toEqual([...all(4, 'done'), ...all(6, 'waiting')])
      expect(await world.story(id)).toMatchObject({ done: 4 })
      await world.act(id, 'resume')
      for (let rounds = 0; rounds < 3; rounds++) {
        await world.round()
        await world.takeIn()
      }
      await world.round()
      expect(await world.story(id)).toMatchObject({ state: 'ended', done: 10 })
      expect(await world.replays(system)).toEqual(all(10, 1))
      const trail = await listAudit(open.database, { actor: 'bob' })
      const mine = trail.filter(({ after }) => (after as { job: number }).job === id)
      expect(mine.map(({ action }) => action)).toEqual([
        'repairs.resumed',
        `repairs.${act === 'pause' ? 'paused' : 'aborted'}`,
      ])
    },
  )

  test('whose process dies within a portion has done nothing of it, and does it once afterwards', async () => {
    await world.parked('killed', 5)
    const id = await world.rehearsed({ filter: { system: 'killed' } }, 'discard')
    await world.start(id)
    await open.run(`update repair.job set started_at = now() - interval '1 minute' where id = $1`, [id])
    const dying = workRepairs(open.database, async (tx, ids, decision) => {
      await discard(tx, ids, decision)
      throw new Error('killed')
    })
    await expect(dying).rejects.toThrow('killed')
    expect(await world.states(id)).toEqual(all(5, 'waiting'))
    await world.round()
    expect(await world.story(id)).toMatchObject({ state: 'ended', done: 5 })
    const trail = await listAudit(open.database, { action: 'parking.discarded', limit: 5 })
    expect(trail.map(({ reason }) => reason)).toEqual(all(5, `job ${id}: the customers are there`))
  })

  test('that cannot go on keeps no other from it', async () => {
    for (const system of ['stuck', 'beside']) await world.parked(system, 1)
    const stuck = await world.rehearsed({ filter: { system: 'stuck' } }, 'discard')
    const beside = await world.rehearsed({ filter: { system: 'beside' } }, 'discard')
    for (const id of [stuck, beside]) await world.start(id)
    await open.run(`update repair.job set started_at = now() - interval '1 minute' where id = any($1)`, [
      [stuck, beside],
    ])
    const [first] = await itemsOfRepair(open.database, stuck, { limit: 1 })
    const round = workRepairs(open.database, async (tx, ids, decision) => {
      if (ids.includes(first!.id)) throw new Error('stuck')
      return discard(tx, ids, decision)
    })
    await expect(round).rejects.toThrow('stuck')
    expect(await world.story(stuck)).toMatchObject({ state: 'running', done: 0 })
    expect(await world.story(beside)).toMatchObject({ state: 'ended', done: 1 })
  })

  test('that several processes work on hands over each item once', async () => {
    await world.parked('many-hands', 300)
    const id = await world.rehearsed({ filter: { system: 'many-hands' } })
    await world.start(id, 100)
    for (let rounds = 0; rounds < 3; rounds++) {
      await Promise.all([world.round(), world.round(), world.round()])
      await Promise.all([world.takeIn(), world.round()])
    }
    await world.round()
    expect(await world.story(id)).toMatchObject({ state: 'ended', done: 300, failed: 0 })
    expect(await world.replays('many-hands')).toEqual(all(300, 1))
  }, 30_000)

  test('refuses what its state does not allow', async () => {
    await world.parked('states', 1)
    const id = await world.rehearsed({ filter: { system: 'states' } })
    const notNow = { code: 'repairs.not_possible_now' }
    await expect(world.act(id, 'pause')).rejects.toMatchObject(notNow)
    await world.start(id)
    await expect(world.act(id, 'pause')).resolves.toBeUndefined()
    await expect(world.act(id, 'pause')).resolves.toBeUndefined()
    await world.act(id, 'resume')
    await world.round()
    await world.takeIn()
    await world.round()
    await expect(world.act(id, 'resume')).rejects.toMatchObject(notNow)
    await expect(open.database.transaction((tx) => paceRepair(tx, id, 5, words))).rejects.toMatchObject(
      notNow,
    )
  })

  test('has what failed of it selected anew, as long as something did', async () => {
    await world.parked('again', 3)
    const id = await world.rehearsed({ filter: { system: 'again' } })
    await expect(world.select({ failedOf: id })).rejects.toMatchObject({ code: 'repairs.nothing_failed' })
    await world.start(id)
    await world.round()
    await world.takeIn((key) => key !== 'again/0')
    await world.round()
    const second = await world.rehearsed({ failedOf: id })
    expect((await itemsOfRepair(open.database, second, { limit: 9 })).map(({ key }) => key)).toEqual([
      'again/1',
      'again/2',
    ])
  })

  test('is listed while it is kept, and leaves the tables after a month', async () => {
    await world.parked('old', 1)
    const id = await world.rehearsed({ filter: { system: 'old' } })
    const listed = async () => (await listRepairs(open.database, { limit: 500 })).map((job) => job.id)
    expect(await listed()).not.toContain(id)
    const before = await countRepairs(open.database)
    await world.start(id)
    expect(await countRepairs(open.database)).toEqual({ ...before, running: before.running + 1 })
    expect(await listed()).toContain(id)
    await world.round()
    await world.takeIn()
    await world.round()
    await forgetRepairs(open.database)
    expect(await listed()).toContain(id)
    await open.run(`update repair.job set ended_at = now() - interval '31 days' where id = $1`, [id])
    while ((await forgetRepairs(open.database)) > 0);
    expect(await showRepair(open.database, id)).toBeUndefined()
  })
})
