/** Parked messages and jobs over them, on a database of the test's own: nobody has a door for them but the test. */
import { discard, park, settleParked } from '#platform/parking.ts'
import { parkAgain, replayingMessages } from '#platform/parking-replay.ts'
import { listParked } from '#platform/parking-views.ts'
import { actOnRepair, type JobAct, startRepair } from '#platform/repair-jobs.ts'
import { type Expectation, type Rehearse, rehearsePortion } from '#platform/repair-rehearsal.ts'
import { type Asked, type RepairAction, select } from '#platform/repair-selection.ts'
import { itemsOfRepair, type RepairStory, showRepair } from '#platform/repair-views.ts'
import { workRepairs } from '#platform/repair-work.ts'
import { systemClock } from '#platform/clock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const CHANGES: Expectation = {
  expected: 'change',
  changes: [{ at: '/O-1/stage', before: 'held', after: 'released' }],
  events: ['order.released O-1'],
  calls: [{ key: '1/release//1', system: 'wms', operation: 'wms.release', fate: 'sent' }],
}
export const cause = { code: 'customers.not_found', message: 'no such customer' }

export function repairWorld(open: OpenDatabase) {
  const { database } = open

  /** Parks so many messages of a system that nobody else in the file uses; answers their ids in order. */
  async function parked(system: string, many: number, code = cause.code): Promise<number[]> {
    const items = Array.from({ length: many }, (_, n) => ({
      kind: 'message' as const,
      key: `${system}/${n}`,
      company: 'NWF',
      system,
      payload: `{"n":${n}}`,
      cause: { ...cause, code },
      context: { messageId: String(n), source: system },
    }))
    await database.transaction((tx) => park(tx, items))
    const ids: number[] = []
    for (let before: number | undefined; ;) {
      const page = await listParked(database, { system, ...(before ? { before } : {}) })
      ids.push(...page.map(({ id }) => id))
      before = page.at(-1)?.id
      if (page.length === 0) return ids.toReversed()
    }
  }

  const selectThose = (asked: Asked, action: RepairAction = 'replay'): Promise<number> =>
    database.transaction((tx) =>
      select(tx, {
        action,
        asked,
        actor: 'anna',
        stakeOf: async () => [{ currency: 'USD', amountMinor: 100 }],
      }),
    )

  async function rehearsed(asked: Asked, action: RepairAction = 'replay'): Promise<number> {
    const id = await selectThose(asked, action)
    await rehearseAll()
    return id
  }

  async function rehearseAll(rehearse: Rehearse = async () => CHANGES): Promise<void> {
    while (await rehearsePortion({ database, clock: systemClock, rehearse }));
  }

  const start = async (id: number, perSecond = 500): Promise<void> => {
    const { total } = await story(id)
    const words = { name: `job ${id}`, reason: 'the customers are there', actor: 'anna' }
    await database.transaction((tx) => startRepair(tx, id, { ...words, count: total, perSecond }))
  }

  async function story(id: number): Promise<RepairStory> {
    return (await showRepair(database, id))!
  }

  /** A round as if the last one had been long ago. */
  async function round(): Promise<void> {
    await open.run(
      `update repair.job set handed_at = clock_timestamp() - interval '1 minute' where state = 'running'`,
    )
    await workRepairs(database, discard)
  }

  /** What a door does: takes in what is asked to be replayed, or puts it aside again. */
  async function takeIn(fails: (key: string) => boolean = () => false): Promise<number> {
    const items = await replayingMessages(database, 10_000)
    for (const item of items) {
      if (fails(item.key)) await database.transaction((tx) => parkAgain(tx, item, cause))
      else await database.transaction((tx) => settleParked(tx, [{ ...item, outcome: 'applied' }]))
    }
    return items.length
  }

  const act = (id: number, what: JobAct): Promise<void> =>
    database.transaction((tx) => actOnRepair(tx, id, what, { actor: 'bob' }))

  const states = async (id: number) =>
    (await itemsOfRepair(database, id, { limit: 10_000 })).map(({ state }) => state)

  /** How often each item was replayed, by the audit trail. */
  async function replays(system: string): Promise<number[]> {
    const rows = await open.run<{ times: number }>(
      `select count(a.action)::int as times from parking.item i left join audit.entry a
         on a.action = 'parking.replayed' and a.before->>'id' = i.id::text
       where i.system = $1 group by i.id order by i.id`,
      [system],
    )
    return rows.map(({ times }) => times)
  }

  return {
    parked,
    select: selectThose,
    rehearsed,
    rehearseAll,
    start,
    story,
    round,
    takeIn,
    act,
    states,
    replays,
  }
}
