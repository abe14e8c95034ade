/** What a configuration says of sources of stock: nothing is counted twice, and what is wrong is named by its setting. */
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { ConfigInput } from '../../src/config-schema.ts'

const place = (code: string, wms?: string) => ({
  code,
  type: 'warehouse' as const,
  timeZone: 'America/Chicago',
  ...(wms !== undefined && { wms }),
})
const systems = { wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' } }
const locations = [place('CHI-1', 'wms'), place('SHOP')]
const load = (feeds: ConfigInput['feeds']) =>
  loadConfig({ environment: {}, file: undefined, defaults: { systems, locations, feeds } })

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
