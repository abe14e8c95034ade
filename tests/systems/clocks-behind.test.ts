/** ERPs whose clock is behind ours: what changes there after a reading is among the changes since that reading. */
import { expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { createCloudErpConnector } from '#systems/erp-cloud/connector.ts'
import { createLegacyErpConnector } from '#systems/erp-legacy/connector.ts'
import { customerOf, ground } from './landscape.ts'

const BEHIND_MS = 180_000
const it = ground({ erpClock: { ...systemClock, now: () => new Date(Date.now() - BEHIND_MS) } })

const common = { clock: systemClock, onUnreadable: () => expect.unreachable() }
const SETTINGS = { timeoutMs: 5_000 }

const legacy = () =>
  createLegacyErpConnector({
    ...common,
    http: it.http,
    instance: 'erp-north',
    settings: {
      ...SETTINGS,
      baseUrl: it.landscape.legacyErp.url,
      credentials: { user: 'CROSSDOCK', password: 'secret' },
      options: { rowsPerPage: 1_000 },
    },
  })
const cloud = () =>
  createCloudErpConnector({
    ...common,
    http: it.http,
    instance: 'erp-south',
    settings: {
      ...SETTINGS,
      baseUrl: it.landscape.cloudErp.url,
      credentials: { clientId: 'crossdock', clientSecret: 'secret' },
      options: { company: 'NWI', rowsPerPage: 1_000 },
    },
  })

test.each([
  ['legacy', legacy, customerOf('NWF').number, () => it.landscape.legacyErp],
  ['cloud', cloud, customerOf('NWI').number, () => it.landscape.cloudErp],
] as const)(
  'of a %s ERP that is three minutes behind no change is passed over, whoever asks',
  async (_, connect, number, erp) => {
    const reader = connect()
    const { asOf } = await reader.customers({})
    erp().changeCustomer(number, { creditLimitMinor: 77_700 })
    for (const asking of [reader, connect()]) {
      const { items } = await asking.customers({ changedSince: asOf })
      expect(items.map((one) => [one.number, one.creditLimitMinor])).toEqual([[number, 77_700]])
    }
  },
)
