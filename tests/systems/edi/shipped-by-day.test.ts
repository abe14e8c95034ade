/** When goods left, were lost or put aside, of which the day alone is told: the last moment that it can be. */
import { expect, test } from 'vitest'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { receiveX12 } from '#systems/edi/receive.ts'
import { restoreWarehouse, warehouseMessages } from '#systems/edi/warehouse-inbound.ts'
import { fileText, guide, setText } from './x12-text.ts'

const GUIDES = indexGuides([
  guide({
    role: 'warehouse',
    location: 'DC9',
    receives: ['945', '947', '997'],
    warehouse: { adjustments: { PC: 'count', DM: 'damage', QH: 'quality-hold', QR: 'quality-release' } },
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
    timeZone: 'America/Los_Angeles',
  }),
])
const find = { items: () => Promise.resolve(new Map()), units: () => Promise.resolve(new Map()) }
const LINE = ['LX*1', 'W12*CC**1**EA**VN*A']

/** The group is of 2026-11-18, 09:15. */
async function told(head: readonly string[], written = '0915') {
  const isAdjusted = head[0]!.startsWith('W15')
  const set = isAdjusted ? setText([...head], '947') : setText([...head, ...LINE], '945')
  const text = fileText([set], isAdjusted ? 'AW' : 'SW').replace('*0915*7*', `*${written}*7*`)
  const lookups = () => Promise.resolve({ crosswalk: () => undefined, unitsOf: () => undefined })
  for await (const event of receiveX12([text], { guides: GUIDES, lookups }))
    if (event.kind === 'set') return warehouseMessages(event)[0]!
  throw new Error('nothing is told')
}

test.each([
  ['at the time that stands beside the day', ['G62*11*20261118*W*0601'], '14:01:00'],
  ['before the file of that day was written', [], '17:15:00'],
  ['so too with a G62 that has no time', ['G62*11*20261118'], '17:15:00'],
])('a shipment left %s', async (_, more, time) => {
  const message = await told(['W06*F*F-1*20261118*SH-1', ...more])
  expect(message).toMatchObject({ message: { shippedAt: new Date(`2026-11-18T${time}Z`) } })
})

test('of a day before its file, or read again from what is filed, a shipment left until the end of that day', async () => {
  const whole = { shippedFrom: new Date('2026-11-16T08:00:00Z'), shippedAt: new Date('2026-11-17T07:59:59Z') }
  const message = await told(['W06*F*F-1*20261116*SH-1'])
  expect(message).toMatchObject({ message: whole })
  expect(await restoreWarehouse(message, GUIDES, find)).toMatchObject({ message: whole })
})

test('a shipment of the day of its file is the same message whenever that was written', async () => {
  const head = ['W06*F*F-1*20261118*SH-1']
  const { messageId, body } = await told(head)
  expect(await told(head, '1630')).toMatchObject({
    messageId,
    body,
    message: { shippedAt: new Date('2026-11-19T00:30:00Z') },
  })
})

const DAY = '2026-11-18'
const [STARTS, WRITTEN] = [`${DAY}T08:00:00Z`, `${DAY}T17:15:00Z`]
test.each([
  ['lost', 'PC*-3', { at: new Date(WRITTEN), since: new Date(STARTS) }],
  ['damaged', 'DM*3', { at: new Date(WRITTEN), since: new Date(STARTS) }],
  ['put aside', 'QH*3', { at: new Date(WRITTEN), since: new Date(STARTS) }],
  ['found', 'PC*3', { at: new Date(STARTS) }],
  ['let go', 'QR*3', { at: new Date(STARTS) }],
])('what is %s counts from where no count of its day lets it be sold twice', async (_, adjusted, when) => {
  const { message } = await told(['W15*20261118*A-1', `W19*${adjusted}*EA**VN*A`])
  expect(message).toMatchObject(when)
  expect('since' in message!).toBe('since' in when)
})

test('what is lost at a time counts from that time', async () => {
  const message = await told(['W15*20261118*A-1', 'G62*07*20261118*W*0601', 'W19*PC*-3*EA**VN*A'])
  expect(message).toMatchObject({ message: { at: new Date(`${DAY}T14:01:00Z`) } })
})
