/** The simulated counterparts, started beside the house as a process of their own that remembers. */
import { fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SystemName } from '#landscape/landscape.ts'
import type { LandscapeNews, LandscapeTask, LandscapeUrls, LandscapeWish } from '#landscape/main.ts'
import { openWorld } from '#landscape/world/source.ts'
import { Misconfiguration } from '#platform/misconfiguration.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { DemoSystems } from './demo.ts'

export type WorldSource = LandscapeTask['world']

export type DemoLandscape = {
  readonly systems: DemoSystems
  readonly source: WorldSource
  /** True when it goes on from an earlier run. */
  readonly remembered: boolean
  deliverTo(targets: Extract<LandscapeWish, { kind: 'deliver' }>['targets']): void
  /** Buyers place these orders of the world in its shop. */
  place(places: readonly number[]): void
  /** Writes down what it knows and ends. */
  stop(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('../landscape/main.ts', import.meta.url))

export async function startDemoLandscape(task: LandscapeTask, log: Log): Promise<DemoLandscape> {
  mkdirSync(dirname(task.file), { recursive: true })
  const child = fork(PROGRAM, [JSON.stringify(task)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let stopping = false
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.once('exit', (code) => {
    if (!stopping) log.error('the simulated systems have ended; the house takes it for an outage', { code })
  })
  const news = await new Promise<LandscapeNews>((resolve) => {
    child.once('message', (message) => resolve(message as LandscapeNews))
    child.once('exit', (code) => resolve({ kind: 'failed', message: `their process ended with ${code}` }))
    child.once('error', (error) => resolve({ kind: 'failed', message: error.message }))
  })
  if (news.kind === 'failed') {
    throw new Misconfiguration({
      problem: 'The simulated systems did not start.',
      reason: news.message,
      cure: 'Mend the cause, or start without them: crossdock up',
    })
  }
  const ask = (wish: LandscapeWish): void => void (child.connected && child.send(wish))
  return {
    systems: { ...urlsOf(news.urls), world: await openWorld(news.world) },
    source: news.world,
    remembered: news.remembered,
    deliverTo: (targets) => ask({ kind: 'deliver', targets }),
    place: (places) => ask({ kind: 'place', places }),
    async stop() {
      stopping = true
      ask({ kind: 'stop' })
      await ended
    },
  }
}

const urlsOf = (urls: LandscapeUrls): Record<SystemName, { url: string }> => ({
  legacyErp: { url: urls.legacyErp },
  cloudErp: { url: urls.cloudErp },
  wms: { url: urls.wms },
  shop: { url: urls.shop },
  carrier: { url: urls.carrier },
  tax: { url: urls.tax },
})
