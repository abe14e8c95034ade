/** When a shipment left of which a 945 tells the day alone: the last moment that it can be. */
import { expect, test } from 'vitest'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { receiveX12 } from '#systems/edi/receive.ts'
import { restoreWarehouse, warehouseMessages } from '#systems/edi/warehouse-inbound.ts'
import { fileText, guide, setText } from './x12-text.ts'

const GUIDES = indexGuides([
  guide({
    role: 'warehouse',
    location: 'DC9',
    receives: ['945', '997'],
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
    timeZone: 'America/Los_Angeles',
  }),
])
const find = { items: () => Promise.resolve(new Map()), units: () => Promise.resolve(new Map()) }
const LINE = ['LX*1', 'W12*CC**1**EA**VN*A']

/** The group is of 2026-11-18, 09:15. */
async function told(head: readonly string[], written = '0915') {
  const text = fileText([setText([...head, ...LINE], '945')], 'SW').replace('*0915*7*', `*${written}*7*`)
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
