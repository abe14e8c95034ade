/** The demo: the simulated landscape as configured systems, and its order stream in our words. */
import type { SystemName } from '#landscape/landscape.ts'
import { DEFAULT_SHOPS } from '#landscape/shop/server.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import type { OrderRequest } from '#domains/orders/contract.ts'
import { formatAmount } from '#platform/money.ts'
import type { ConfigInput } from './config-schema.ts'

/** Where the simulated systems answer, in whichever process they run. */
export type DemoSystems = Readonly<Record<SystemName, { readonly url: string }>> & { readonly world: World }

const ZONES = { NWF: 'America/New_York', NWI: 'Europe/Berlin' } as const

/** Companies, systems and locations as the landscape has them. */
export function demoConfig(
  landscape: DemoSystems,
  policy: Readonly<Record<string, unknown>> = {},
): Partial<ConfigInput> {
  const { legacyErp, cloudErp, wms, shop, tax, world } = landscape
  return {
    companies: world.companies.map((company) => ({
      code: company.code,
      name: company.name,
      currency: company.currency,
      country: company.country,
      timeZone: ZONES[company.code],
      erp: company.code === 'NWF' ? 'erp-foods' : 'erp-industrial',
      tax: 'tax',
    })),
    // Whoever tries the demo has his receiver on the same machine.
    subscriptions: { trustedAddresses: ['127.0.0.1', '::1'] },
    locations: world.sites.map((site) => ({
      code: site.code,
      type: 'warehouse' as const,
      wms: 'wms',
      timeZone: site.timeZone,
    })),
    systems: {
      'erp-foods': {
        connector: 'erp-legacy',
        baseUrl: legacyErp.url,
        credentials: { user: 'CROSSDOCK', password: 'secret' },
        options: { timeZone: ZONES.NWF },
        policy,
      },
      'erp-industrial': {
        connector: 'erp-cloud',
        baseUrl: cloudErp.url,
        credentials: { clientId: 'crossdock', clientSecret: 'secret' },
        options: { company: 'NWI', timeZone: ZONES.NWI },
        policy,
      },
      wms: {
        connector: 'wms-depot',
        baseUrl: wms.url,
        credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
        policy,
      },
      shop: { ...shopSystem(shop.url), policy },
      tax: {
        connector: 'tax-engine',
        baseUrl: tax.url,
        credentials: { account: 'northway', license: 'secret' },
        options: {
          locations: Object.fromEntries(
            world.sites.map(({ code, country, region, postalCode }) => [
              code,
              { country, region, postalCode },
            ]),
          ),
        },
        policy,
      },
    },
  }
}

/** Who carries what the demo ships. */
export const carrierSystem = (baseUrl: string): NonNullable<ConfigInput['systems']>[string] => ({
  connector: 'carrier-swift',
  baseUrl,
  credentials: { user: 'crossdock', password: 'secret', webhookSecret: 'carrier-secret' },
})

/** Both companies' shops stand on one platform. */
function shopSystem(baseUrl: string) {
  const named = DEFAULT_SHOPS.map((shop) => {
    const name = shop.company.toLowerCase()
    return { ...shop, tokenCredential: `${name}Token`, secretCredential: `${name}Secret` }
  })
  return {
    connector: 'shop-hosted',
    baseUrl,
    credentials: Object.fromEntries(
      named.flatMap(({ token, secret, tokenCredential, secretCredential }) => [
        [tokenCredential, token],
        [secretCredential, secret],
      ]),
    ),
    options: {
      shops: named.map(({ company, domain, tokenCredential, secretCredential }) => ({
        company,
        domain,
        tokenCredential,
        secretCredential,
      })),
    },
  }
}

/** X12 and plain codes to UN/ECE Recommendation 20 and 21. */
const UNITS: Readonly<Record<string, string>> = { PL: 'XPX', KG: 'KGM', BG: 'XBG' }

/** An order of the world as a client of our API would send it. */
export function toOrderRequest(order: WorldOrder): OrderRequest {
  return {
    company: order.company,
    customer: order.customer,
    customerOrder: order.poNumber,
    orderDate: order.orderedOn,
    requestedDate: order.requestedOn,
    channel: 'api',
    currency: order.currency,
    shipTo: { code: order.shipTo },
    lines: order.lines.map((line) => ({
      line: String(line.line),
      sku: line.item,
      quantity: String(line.quantity),
      unit: UNITS[line.unit] ?? line.unit,
      price: formatAmount(line.priceMinor, order.currency),
    })),
  }
}

export type { World }
