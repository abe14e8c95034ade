/** The counterparts of a seed, each with its own truth: two ERPs, two warehouse systems, two shop platforms, tax. */
import type { ConfigInput } from '../../src/config-schema.ts'
import { demoConfig, type DemoSystems } from '../../src/demo.ts'
import { type Landscape, manifest, startLandscape, type SystemName } from '#landscape/landscape.ts'
import { startShop, type ShopHandle } from '#landscape/shop/server.ts'
import type { Post } from '#landscape/webhooks.ts'
import { startWms, type Wms } from '#landscape/wms/server.ts'
import { type World, worldAt } from '#landscape/world/world.ts'
import type { Clock } from '#platform/clock.ts'
import type { WholeDay } from './day.ts'

export type CounterpartName = SystemName | 'eastWms' | 'tradeShop'

export type Counterparts = Landscape & {
  /** Runs the sites that the first does not, more slowly, and numbers its documents from the same number. */
  readonly eastWms: Wms
  /** Sells to tradesmen on another platform, which numbers its orders as the first does. */
  readonly tradeShop: ShopHandle
  readonly otherWarehouses: Readonly<Record<string, Pick<Wms, 'truth'>>>
}

/** Counterparts as the configuration names them. The carrier is a system of ours only on days that have parcels. */
export const CONFIGURED: Readonly<Record<CounterpartName, string>> = {
  legacyErp: 'erp-foods',
  cloudErp: 'erp-industrial',
  wms: 'wms',
  eastWms: 'wms-east',
  shop: 'shop',
  tradeShop: 'shop-trade',
  carrier: 'carrier',
  tax: 'tax',
}

export const NEAR_SITES = ['DC1']
export const EAST_SITES = ['DC2', 'DC3']
/** On some days it is not run by the eastern warehouse system. */
export const X12_SITE = 'DC2'
/** On some days it waits so long for labels of ours. */
export const LABELLED_SITE = 'DC1'
const PATIENCE_MS = 1_000
/** A carrier never carries two parcels under one number. */
const EAST_PACKAGES = 50_000_000
const SCANS = { scanEveryMs: 400, exceptionShare: 0.3 }
const EAST = { apiKey: 'east-secret', webhookSecret: 'east-webhook-secret' }
export const TRADE = {
  company: 'NWI',
  domain: 'northway-trade.shop.example',
  token: 'trade',
  secret: 'trade-secret',
} as const

type CounterpartOptions = {
  clock: Clock
  erpClock?: Clock
  post: Post
  /** Whether they listen on ports of their own. */
  sockets?: 'free' | 'none'
  stock?: WholeDay['stock']
}

export async function counterpartsOf(
  seed: string,
  world: World,
  { clock, erpClock = clock, post, sockets = 'none', stock = [] }: CounterpartOptions,
): Promise<Counterparts> {
  const landscape = await startLandscape({
    clock,
    erpClock,
    seed,
    world,
    ...(sockets === 'none' ? { ports: sockets } : {}),
    post,
    pace: { pickAfterMs: 200, shipAfterMs: 300 },
    depotSites: NEAR_SITES,
    tellPicks: NEAR_SITES,
    ...(stock.includes('labels') && { waitForLabels: { [LABELLED_SITE]: PATIENCE_MS } }),
    ...(stock.includes('parcels') && { trackShipments: true, ...SCANS }),
  })
  const port = sockets === 'none' ? undefined : 0
  const own = { clock, seed, host: '127.0.0.1', port, keep: 'all', visibilityLagMs: 0, post } as const
  const eastSites = EAST_SITES.filter((site) => site !== X12_SITE || !stock.includes('x12'))
  const eastWms = await startWms(worldAt(world, eastSites), {
    ...own,
    ...EAST,
    name: CONFIGURED.eastWms,
    pace: { pickAfterMs: 400, shipAfterMs: 700 },
    webhookUrl: undefined,
    webhookBatch: 10,
    announcePicking: true,
    tellPicks: [],
    enforceCutOff: false,
    endlessStock: false,
    dayMs: 0,
    packagesAfter: EAST_PACKAGES,
    onEvent: (event) => stock.includes('parcels') && manifest(landscape.carrier, world, event),
  })
  const tradeShop = await startShop(world, {
    ...own,
    name: CONFIGURED.tradeShop,
    shops: [TRADE],
    webhookUrl: undefined,
  })
  return {
    ...landscape,
    eastWms,
    tradeShop,
    otherWarehouses: { [CONFIGURED.eastWms]: eastWms },
    async stop() {
      await Promise.all([landscape, eastWms, tradeShop].map((one) => one.stop()))
    },
  }
}

/** What the carrier sees of parcels. */
export const deliverScansToUs = ({ carrier }: Counterparts): void =>
  carrier.deliverTo(`http://crossdock.invalid/system/${CONFIGURED.carrier}/v1/scans`)

/** Those who tell us by webhooks. */
export const TELLERS = ['wms', 'eastWms', 'shop', 'tradeShop'] as const
export type Teller = (typeof TELLERS)[number]

/** Where the webhooks of each go. */
export function deliverToUs(
  { wms, eastWms, shop, tradeShop }: Counterparts,
  at: (teller: Teller) => string = () => 'http://crossdock.invalid',
): void {
  const door = (teller: Teller, path: string): string =>
    `${at(teller)}/system/${CONFIGURED[teller]}/v1/${path}`
  wms.deliverTo(door('wms', 'events'))
  eastWms.deliverTo(door('eastWms', 'events'))
  shop.deliverTo(door('shop', 'orders'))
  tradeShop.deliverTo(door('tradeShop', 'orders'))
}

/** Where they answer, in whichever process they run. */
export type CounterpartAddresses = DemoSystems &
  Readonly<Record<'eastWms' | 'tradeShop', { readonly url: string }>>

export function configFor(
  counterparts: CounterpartAddresses,
  policy: Readonly<Record<string, unknown>> = {},
): Partial<ConfigInput> {
  const demo = demoConfig(counterparts, policy)
  const { eastWms, tradeShop } = counterparts
  return {
    ...demo,
    locations: demo.locations!.map((location) =>
      EAST_SITES.includes(location.code) ? { ...location, wms: CONFIGURED.eastWms } : location,
    ),
    systems: {
      ...demo.systems,
      [CONFIGURED.eastWms]: {
        connector: 'wms-depot',
        baseUrl: eastWms.url,
        credentials: EAST,
        options: { batchMax: 1 },
        policy,
      },
      [CONFIGURED.tradeShop]: {
        connector: 'shop-hosted',
        baseUrl: tradeShop.url,
        credentials: { token: TRADE.token, secret: TRADE.secret },
        options: {
          shops: [
            {
              company: TRADE.company,
              domain: TRADE.domain,
              tokenCredential: 'token',
              secretCredential: 'secret',
            },
          ],
        },
        policy,
      },
    },
  }
}
