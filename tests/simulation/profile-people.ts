/** People who change from where orders are served, version by version, while orders come that no single place can serve. */
import type { SourcingProfile } from '../../src/domains/inventory/contract/sourcing.ts'
import { draw, drawInteger, drawOne } from '#landscape/random.ts'
import type { Item, World } from '#landscape/world/world.ts'
import type { Clients } from './clients.ts'
import type { WholeDay } from './day.ts'
import { orderOf } from './made-orders.ts'
import { type People, type PeopleParts, Work } from './people.ts'
import type { ProfileHistory } from './profile-history.ts'
import { timeAt } from './virtual-clock.ts'

type Parts = PeopleParts & {
  readonly world: World
  readonly clients: Clients
  readonly day: WholeDay
  readonly history: ProfileHistory
}

const PROFILES = '/process/inventory/v1/sourcing-profiles'
const VERSIONS: [number, number] = [2, 4]
const ORDERS: [number, number] = [2, 4]
/** Versions are made before orders come and between them. */
const ORDERS_AFTER_MS = 300
/** Of items of which there is little at the first place. */
const WANTED: [number, number] = [1, 5]
const LATER_MS: [number, number] = [400, 1_500]
const NAMES = ['first', 'second'] as const
const STRATEGIES = ['single-location', 'fewest-splits', 'nearest', 'lowest-cost', 'oldest-lot'] as const
const SHIPS = ['ship-available', 'line-complete', 'ship-complete', 'cancel-rest'] as const
const COUNTRIES = ['US', 'DE']

export function openProfilePeople(parts: Parts): People {
  const work = new ProfileWork(parts)
  const { seed } = parts
  for (let nth = 0; nth < drawInteger(seed, 'versions', 0, VERSIONS); nth++) work.version(`version-${nth}`)
  for (let nth = 0; nth < drawInteger(seed, 'sourced', 0, ORDERS); nth++) work.order(`sourced-${nth}`)
  return work
}

class ProfileWork extends Work<Parts> {
  version(key: string): void {
    const { seed, scheduler, history, day } = this.parts
    this.later(key, drawInteger(seed, 'sourcing', key, [0, day.withinMs]), async () => {
      const company = drawOne(seed, 'profile of', key, ['NWF', 'NWF', 'NWI'])
      const later = drawInteger(seed, 'effective', key, LATER_MS)
      const asked = {
        company,
        name: drawOne(seed, 'profile', key, NAMES),
        inUse: draw(seed, 'in use', key) < 0.85,
        rules: this.#rules(key, company),
        reason: key,
      }
      const when =
        draw(seed, 'at once', key) < 0.7
          ? {}
          : { effectiveFrom: timeAt(scheduler.nowMs + later).toISOString() }
      const answer = await this.caller.post(PROFILES, key, { ...asked, ...when })
      // Whose request or clock is late is told that the time has passed.
      if (answer.status === 422 && answer.body.includes('effective_in_past')) return
      if (answer.status !== 201) return this.fail(key, answer)
      const made = JSON.parse(answer.body) as SourcingProfile
      history.made.set(made.id, made)
    })
  }

  order(key: string): void {
    const { seed, world, clients, scheduler, history, day } = this.parts
    const company = drawOne(seed, 'sourced by', key, ['NWF', 'NWF', 'NWI'])
    const wanted = this.#items(company).map(
      (item, nth) => [item, drawInteger(seed, `sourced ${nth}`, key, WANTED)] as const,
    )
    const some = draw(seed, 'sourced lines', key) < 0.5 ? wanted : wanted.slice(0, 1)
    const order = orderOf(world, { seed, key, company }, some)
    const shippingRule = drawOne(seed, 'sourced ships', key, SHIPS)
    const within: [number, number] = [ORDERS_AFTER_MS, ORDERS_AFTER_MS + day.withinMs]
    this.later(key, drawInteger(seed, 'sourcing', key, within), () => {
      history.askedMs.set(order.poNumber, scheduler.nowMs)
      return clients.submit(order, key, { shippingRule })
    })
  }

  /** What is sold and lies at two places. */
  #items = (company: string): Item[] =>
    this.parts.world.items
      .filter((one) => one.company === company && !one.discontinued && one.sites.length > 1)
      .filter(({ supply, serialControlled }) => supply === 'ample' && !serialControlled)
      .toSorted((a, b) => (Number(b.number) % 2) - (Number(a.number) % 2))

  #rules(key: string, company: string): SourcingProfile['rules'] {
    const { seed, world } = this.parts
    const sites = [
      ...new Set(world.stock.filter((row) => row.company === company).map(({ site }) => site)),
    ].toSorted((a, b) => draw(seed, `network ${a}`, key) - draw(seed, `network ${b}`, key))
    const network = draw(seed, 'whole network', key) < 0.8 ? sites : sites.slice(0, 1)
    const worth = (name: string): string => drawOne(seed, name, key, ['0', '0', '300'])
    return {
      network,
      strategies: STRATEGIES.toSorted((a, b) => draw(seed, a, key) - draw(seed, b, key)).slice(
        0,
        drawInteger(seed, 'strategies', key, [1, 3]),
      ),
      tieBreakers: [],
      maxSplits: drawInteger(seed, 'max splits', key, [0, 2]),
      minSplitOrder: worth('order worth'),
      minSplitLine: worth('line worth'),
      nearest: COUNTRIES.map((shipTo) => ({ shipTo, locations: network.toReversed() })),
      costs: network.map((location, at) => ({ location, perShipment: String(10 - at), perLine: '1' })),
    }
  }
}
