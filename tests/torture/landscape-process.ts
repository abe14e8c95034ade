/** The counterparts of the torture, in a process of their own that no fault kills: their books are the evidence. */
import { startLandscape } from '#landscape/landscape.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { worldOf, type WorldOfRun } from './world.ts'

export type LandscapeWish =
  | { readonly kind: 'deliver'; readonly wms: string }
  | { readonly kind: 'redeliver' }
  | { readonly kind: 'receive-all' }

const run = JSON.parse(process.argv[2]!) as WorldOfRun
const landscape = await startLandscape({ clock, seed: run.seed, world: worldOf(run) })

process.on('message', (wish: LandscapeWish) => {
  if (wish.kind === 'deliver') landscape.deliverTo({ wms: wish.wms })
  if (wish.kind === 'redeliver') landscape.wms.redeliver()
  if (wish.kind === 'receive-all') landscape.wms.receiveAll()
})
process.on('disconnect', () => process.exit(0))

const { legacyErp, cloudErp, wms, shop, carrier, tax } = landscape
const urls = Object.fromEntries(
  Object.entries({ legacyErp, cloudErp, wms, shop, carrier, tax }).map(([name, { url }]) => [name, url]),
)
process.send!(urls)
