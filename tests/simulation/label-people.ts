/** One site waits for labels of ours, and now and then its people pack anew what has not left. */
import type { Config } from '../../src/config-schema.ts'
import { draw } from '#landscape/random.ts'
import { CONFIGURED, type Counterparts, LABELLED_SITE } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import type { Actor, Scheduler } from './scheduler.ts'

const LABELS = {
  carrier: CONFIGURED.carrier,
  service: 'GROUND',
  shipFrom: { name: 'Northway', lines: ['1 Dock Rd'], city: 'Newark', postalCode: '07101', country: 'US' },
}
const LOOK_MS = 200
const ANEW_SHARE = 0.15

export const withLabels = ({ locations }: Config): Pick<Config, 'locations'> => ({
  locations: locations.map((location) =>
    location.code === LABELLED_SITE ? { ...location, labels: LABELS } : location,
  ),
})

type Parts = {
  readonly seed: string
  readonly scheduler: Scheduler
  readonly outside: Actor
  readonly landscape: Pick<Counterparts, 'wms'>
  readonly day: WholeDay
}

/** Until faults end. */
export function openPackers({ seed, scheduler, outside, landscape, day }: Parts): void {
  const look = (): void => {
    for (const { external_ref, site, status } of landscape.wms.truth().orders)
      if (site === LABELLED_SITE && status === 'PICKING' && isAnew(`${external_ref} ${scheduler.nowMs}`))
        landscape.wms.repack(external_ref)
  }
  const isAnew = (site: string): boolean => draw(seed, 'packed-anew', site) < ANEW_SHARE
  for (let ms = LOOK_MS; ms < day.peaceAfterMs; ms += LOOK_MS)
    scheduler.after(ms, { actor: outside, label: 'packed anew', run: look })
}
