/** The counterparts of the benchmark, in a process of their own. */
import { startLandscape } from '#landscape/landscape.ts'
import { systemClock } from '#platform/clock.ts'
import type { Pace } from '#landscape/wms/store.ts'
import { benchWorld } from './world.ts'
import type { LandscapeMessage } from './processes.ts'

/** Handed over once and read by the warehouse at every order, so that it can be changed on the way. */
const pace: Pace = { pickAfterMs: 0, shipAfterMs: 0 }

const { items } = JSON.parse(process.argv[2]!) as { items?: number }

const landscape = await startLandscape({
  clock: systemClock,
  seed: 'bench',
  world: benchWorld(items),
  keep: 5_000,
  endlessStock: true,
  pace,
})

process.on('message', (message: LandscapeMessage) => {
  if (message.kind === 'deliver') {
    Object.assign(pace, message.pace)
    landscape.deliverTo({ wms: message.to })
  }
  if (message.kind === 'answer-after') {
    for (const system of ['legacyErp', 'cloudErp', 'wms'] as const) {
      landscape[system].faults.clear()
      landscape[system].faults.set({ kind: 'latency', ms: message.ms[system] })
    }
  }
  if (message.kind === 'usage')
    process.send!({ kind: 'usage', cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
})
process.on('disconnect', () => process.exit(0))

const { legacyErp, cloudErp, wms } = landscape
process.send!({ kind: 'ready', urls: { legacyErp: legacyErp.url, cloudErp: cloudErp.url, wms: wms.url } })
