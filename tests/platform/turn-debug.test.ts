import { test } from 'vitest'
import { lockToy, toyRow, writeNote } from './toy-process.ts'
import { CAUSE, openToyWorld } from './toy-world.ts'
test('x', async () => {
  const world = await openToyWorld()
  for (let i = 0; i < 30; i++) {
    const worker = await world.worker()
    await world.enroll({ doc: 1, plan: { open: true } })
    const claimed = worker.connections.pause('desk.claim', 'after')
    worker.runner.start()
    await claimed.reached
    const pause = worker.connections.pause('turn.versions', 'after')
    claimed.resume()
    let step = 'wait'
    const timer = setTimeout(async () => {
      console.log(i, step, world.clock.pending, worker.runner.owned, worker.errors)
      console.log(await world.house.run(`select pid, state, wait_event_type, wait_event, left(query,90) q, pg_blocking_pids(pid) from pg_stat_activity where datname = current_database()`))
    }, 4000)
    await pause.reached
    step = 'reached'
    let woken = false
    const ended = worker.runner.transaction(CAUSE, async (tx, turn) => {
      lockToy(tx, 1)
      step = 'locked'
      writeNote(tx, 1, 'late')
      await turn.wake([toyRow(1)])
      step = 'woken'
    }).then(() => { woken = true })
    await world.until(async () => woken)
    step = 'door done'
    pause.resume()
    await ended
    await world.polled(() => world.asleep(1), 'sleep')
    step = 'slept'
    await world.reset()
    clearTimeout(timer)
  }
  await world.end()
})
