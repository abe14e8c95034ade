/** How Crossdock is set up for the benchmark: two companies on two ERPs, one warehouse between them. */
import type { ConfigInput } from '../src/config-schema.ts'
import { SITE } from './world.ts'

/** Whether the targets take a list of documents in one call, or one document each. */
export type Mode = 'batch' | 'single'

const DOCUMENTS_IN_A_CALL = 50

export function benchConfig(urls: Record<string, string>, mode: Mode): Partial<ConfigInput> {
  const batchMax = mode === 'batch' ? DOCUMENTS_IN_A_CALL : 1
  const policy = { concurrencyPerProcess: mode === 'batch' ? 4 : 32, batchMax }
  return {
    companies: [
      {
        code: 'NWF',
        name: 'Northway Foods',
        currency: 'USD',
        country: 'US',
        timeZone: 'America/New_York',
        erp: 'erp-foods',
      },
      {
        code: 'NWI',
        name: 'Northway Industrial',
        currency: 'EUR',
        country: 'DE',
        timeZone: 'Europe/Berlin',
        erp: 'erp-industrial',
      },
    ],
    locations: [{ code: SITE, type: 'warehouse', wms: 'wms', timeZone: 'America/New_York' }],
    systems: {
      'erp-foods': {
        connector: 'erp-legacy',
        baseUrl: urls['legacyErp']!,
        credentials: { user: 'CROSSDOCK', password: 'secret' },
        options: { batchMax },
        policy,
      },
      'erp-industrial': {
        connector: 'erp-cloud',
        baseUrl: urls['cloudErp']!,
        credentials: { clientId: 'crossdock', clientSecret: 'secret' },
        options: { company: 'NWI', batchMax },
        policy,
      },
      wms: {
        connector: 'wms-depot',
        baseUrl: urls['wms']!,
        credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
        options: { batchMax },
        policy,
      },
    },
  }
}
