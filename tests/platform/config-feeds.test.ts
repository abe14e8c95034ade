/** What a configuration says of sources of stock: nothing is counted twice, and what is wrong is named by its setting. */
import { expect, test } from 'vitest'
import { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { assertWarehouses } from '../../src/app-systems.ts'
import { loadConfig } from '../../src/config.ts'
import type { ConfigInput } from '../../src/config-schema.ts'

const place = (code: string, wms?: string) => ({
  code,
  type: 'warehouse' as const,
  timeZone: 'America/Chicago',
  ...(wms !== undefined && { wms }),
})
const systems = { wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' } }
const locations = [place('CHI-1', 'wms'), place('SHOP'), place('3PL', 'threepl')]
const load = (feeds: ConfigInput['feeds']) =>
  loadConfig({
    environment: {},
    file: undefined,
    defaults: { systems, locations, feeds, edi: { enabled: true } },
  })

const none = {
  receipt: 'none',
  return: 'none',
  count: 'none',
  'pick-short': 'none',
  damage: 'none',
  'quality-hold': 'none',
  'quality-release': 'none',
  'status-change': 'none',
  'transfer-out': 'none',
  'transfer-in': 'none',
  'transfer-missing': 'none',
} as const

test('a feed moves what nobody else tells of its locations', () => {
  const config = load({ till: { locations: ['SHOP'], moves: { ship: 'available > shipped' } } })
  expect(config.feeds['till']).toMatchObject({
    moves: { ship: 'available > shipped', receipt: 'supplier > available' },
  })
})

test.each<[string, ConfigInput['feeds'], string]>([
  [
    'ship confirms of a warehouse count already',
    { till: { locations: ['SHOP', 'CHI-1'], moves: { ...none, ship: 'available > shipped' } } },
    'feeds.till.moves.ship: must be "none": what leaves CHI-1 is counted by the ship confirms of wms already',
  ],
  [
    'the warehouse moves the same',
    { till: { locations: ['CHI-1'], moves: { ...none, receipt: 'supplier > available' } } },
    'feeds.till.moves.receipt: "receipt" at CHI-1 is moved by another source as well',
  ],
  [
    'another feed moves the same',
    {
      a: { locations: ['SHOP'], moves: { ...none, count: 'adjustment > available' } },
      b: { locations: ['SHOP'], moves: { ...none, count: 'adjustment > available' } },
    },
    'feeds.b.moves.count: "count" at SHOP is moved by another source as well',
  ],
  [
    'its location is none',
    { till: { locations: ['MOON'] } },
    'feeds.till.locations[0]: names "MOON", which is not configured',
  ],
  ['it has the name of a system', { wms: { locations: ['SHOP'] } }, 'feeds.wms: is the name of a system'],
])('a feed is refused by its setting where %s', (_, feeds, message) => {
  expect(() => load(feeds)).toThrow(message)
})

const partner = PartnerGuide.parse({
  partner: 'threepl',
  name: 'Third Party',
  owner: 'edi-desk',
  role: 'warehouse',
  company: 'NWF',
  location: '3PL',
  currency: 'USD',
  theirs: { qualifier: 'ZZ', id: 'THREEPL', groupId: 'THREEPL' },
  ours: { qualifier: 'ZZ', id: 'US', groupId: 'US' },
  usage: 'P',
  receives: ['944', '945', '947'],
  sends: ['940'],
  warehouse: { adjustments: { '07': 'count' } },
})

test('nor does a feed move what the EDI partner of its location tells by its guide, and moves by its own feed', () => {
  const start = (moves: object, guide: Partial<PartnerGuide> = {}, own: ConfigInput['feeds'] = {}) => {
    const till = { locations: ['3PL'], moves: { ...none, ...moves } }
    const config = load({ till, ...own })
    const locations = config.locations.map((one) => ({ ...one, company: 'NWF' }))
    return () =>
      assertWarehouses(
        { ...config, locations },
        { partners: new Map([['threepl', { ...partner, ...guide }]]) },
      )
  }
  const receipts = { receipt: 'supplier > available' }
  const told = (reason: string) =>
    `feeds.till.moves.${reason}: "${reason}" at 3PL is moved by the EDI partner threepl as well`
  expect(start(receipts)).toThrow(told('receipt'))
  expect(start({ count: 'adjustment > available' })).toThrow(told('count'))
  expect(start({ damage: 'available > damaged' })).toThrow(told('damage'))
  expect(start({ 'quality-hold': 'available > quality_hold' })).not.toThrow()
  expect(start(receipts, { receives: ['945', '947'] })).not.toThrow()
  const own = (receipt: 'none' | 'supplier > available') => ({
    threepl: { locations: ['3PL'], moves: { ...none, 'ship-other': 'none' as const, receipt } },
  })
  expect(start({}, {}, own('supplier > available'))).not.toThrow()
  expect(start(receipts, {}, own('none'))).not.toThrow()
  expect(() => start(receipts, {}, own('supplier > available'))).toThrow('is moved by another source as well')
})
