import { openStage, drained } from './stage.ts'
import { closedLoad, percentile } from './load.ts'
import { orderMaker } from './world.ts'
const mode = (process.argv[2] ?? 'batch') as 'batch' | 'single'
const count = Number(process.argv[3] ?? 4000)
const t0 = performance.now()
const stage = await openStage(mode)
console.log('stage', Math.round(performance.now() - t0))
const warm = await closedLoad(stage.url, orderMaker(stage.world, 'warm'), { count: 500, clients: 32 })
await drained(stage.client, 500).catch(async (e) => { for (const q of ['select state, system, detail, attempts, count(*) from effects.intent group by 1,2,3,4', 'select state,type,count(*) from inbox.message group by 1,2', 'select type,count(*) from log.event group by 1', 'select state,count(*) from shipments.fulfillment group by 1','select process, owner is null as free, due_at > now() + interval \'1 day\' as far, failures, count(*) from desk.document group by 1,2,3,4', 'select sum(backordered) from orders.line', 'select title,code from exceptions.exception limit 5', 'select * from parking.item limit 2', 'select state, count(*) from billing.invoice group by 1'])
  try { console.log(q, JSON.stringify((await stage.client.query(q)).rows)) } catch (e) { console.log(q, String(e)) }
 throw e})
await stage.client.query('vacuum analyze')
const run = await stage.measure(async () => {
  const load = await closedLoad(stage.url, orderMaker(stage.world, 'run'), { count, clients: 64 })
  await drained(stage.client, 500 + count)
  return load
})
console.log({ mode, perSecond: count / run.used.seconds, accept: run.result.accepted / run.result.seconds, p50: percentile(run.result.latenciesMs, .5), p99: percentile(run.result.latenciesMs, .99), tx: run.used.transactions / count, wal: run.used.walBytes / count, cpu: run.used.cpuSeconds, warm: warm.accepted })
const { measureCeiling } = await import('./ceiling.ts')
const c = await measureCeiling(stage.databaseUrl, 5)
console.log(c, 'ratio', count / run.used.seconds / c.perSecond)
await stage.end()
