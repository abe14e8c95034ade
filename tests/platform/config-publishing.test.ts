/** What a configuration says of who is told what can be promised: what is wrong is named by its setting. */
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { ConfigInput } from '../../src/config-schema.ts'

const base: Partial<ConfigInput> = {
  companies: [
    {
      code: 'NWF',
      name: 'Foods',
      currency: 'USD',
      country: 'US',
      timeZone: 'America/New_York',
      erp: 'erp',
    },
  ],
  systems: {
    erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
    shop: { connector: 'shop-hosted', baseUrl: 'http://127.0.0.1:2/' },
  },
}
const load = (publishing: ConfigInput['publishing']) =>
  loadConfig({ environment: {}, file: undefined, defaults: { ...base, publishing } })

const shop = { system: 'shop', company: 'NWF', channel: 'shop' }
const file = { name: 'feed', company: 'NWF', channel: 'shop', directory: '/srv/feeds' }
const partner = { partner: 'buyer', company: 'NWF', channel: 'shop' }

test('a shop is told of the channels that are reckoned', () => {
  const { publishing } = load({ channels: ['shop'], shops: [shop], partners: [partner] })
  expect(publishing).toMatchObject({ shops: [shop], partners: [{ ...partner, minutes: 60 }] })
})

test.each<[string, ConfigInput['publishing'], string]>([
  [
    'a channel that is not reckoned',
    { channels: ['portal'], shops: [shop] },
    'publishing.shops[0].channel: "shop" is not among publishing.channels: portal',
  ],
  [
    'a channel of a partner that is not reckoned',
    { partners: [partner] },
    'publishing.partners[0].channel: "shop" is not among publishing.channels: none',
  ],
  [
    'a company that is not there',
    { channels: ['shop'], shops: [{ ...shop, company: 'ACME' }] },
    'publishing.shops[0].company: names "ACME", which is not configured',
  ],
  [
    'a system that is not there',
    { channels: ['shop'], shops: [{ ...shop, system: 'store' }] },
    'publishing.shops[0].system: names "store", which is not configured',
  ],
  [
    'a system that is no shop',
    { channels: ['shop'], shops: [{ ...shop, system: 'erp' }] },
    'publishing.shops[0].system: names "erp", which is no shop but erp-legacy',
  ],
  [
    'a shop that is told of a company twice',
    { channels: ['shop', 'portal'], shops: [shop, { ...shop, channel: 'portal' }] },
    'publishing.shops[1].system: tells shop of NWF a second time',
  ],
  [
    'a feed file of a channel that is not reckoned',
    { files: [file] },
    'publishing.files[0].channel: "shop" is not among publishing.channels: none',
  ],
  [
    'a feed file of a company that is not there',
    { channels: ['shop'], files: [{ ...file, company: 'ACME' }] },
    'publishing.files[0].company: names "ACME", which is not configured',
  ],
  [
    'a name of feed files that is given twice',
    { channels: ['shop'], files: [file, { ...file, format: 'jsonl' }] },
    'publishing.files[1].name: "feed" is given twice',
  ],
  [
    'a feed file without a folder',
    { channels: ['shop'], files: [{ ...file, directory: '' }] },
    'publishing.files[0].directory',
  ],
])('%s is named', (_, publishing, message) => {
  expect(() => load(publishing)).toThrow(message)
})
