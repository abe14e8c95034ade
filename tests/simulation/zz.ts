import { openLane } from './lane.ts'
import { simulate } from './simulate.ts'
const lane = await openLane()
const [from, to, mode='liveness', kinds] = process.argv.slice(2)
for (let i=Number(from);i<Number(to);i++){
  const t=performance.now()
  const o = await simulate(lane, { seed: String(i), mode: mode as never, ...(kinds!==undefined?{kinds: kinds.split(',').filter(Boolean) as never}:{}), ...(process.env.TRACE?{trace:(l:string)=>console.log(l)}:{}) })
  console.log(i, o.steps, 'steps', o.virtualMs,'ms', o.orders,'orders', o.messages,'msgs', Math.round(performance.now()-t),'real ms', o.history.slice(0,8), o.struck.length, JSON.stringify(o.violations).slice(0,1500))
  if (process.env.COMPLAIN) console.log(o.complaints.join('\n'))
}
await lane.end()
