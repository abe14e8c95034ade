/** Whose goods a warehouse's documents tell of, by their N1*OW and its guide: never taken for ours where they are not. */
import { expect, test } from 'vitest'
import { INVENTORY_ADVICE } from '#systems/edi/documents/846.ts'
import { toStockCounted } from '#systems/edi/map-stock.ts'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { type ReceivedEvent, receiveX12 } from '#systems/edi/receive.ts'
import { restoreWarehouse, warehouseMessages } from '#systems/edi/warehouse-inbound.ts'
import { fileText, guide, setText, validate } from './x12-text.ts'

const GUIDE = guide({
  role: 'warehouse',
  location: 'DC9',
  receives: ['944', '945', '947', '846', '997'],
  sends: [],
  items: [{ qualifier: 'VN', is: 'sku' }],
  warehouse: { adjustments: { PC: 'count' }, owners: { 'ACME FOODS': 'ACME', 4711: 'own' } },
})
const units = { units: new Map([['EA', { numerator: 1, denominator: 1 }]]), catchWeight: false }
const find = {
  items: () => Promise.resolve(new Map()),
  units: (items: readonly { company: string; sku: string }[]) =>
    Promise.resolve(new Map(items.map(({ company, sku }) => [`${company}\0${sku}`, units]))),
}

const HEADS = { 944: 'W17*F*20261120*R-1', 947: 'W15*20261120*A-1', 945: 'W06*F*F-1*20261120*SH-1' } as const
const UNITS = ['N9*SE*SN-1', 'N9*SE*SN-2']
const LINES = {
  944: ['N9*ZZ*X', 'W07*2*EA**VN*A', ...UNITS],
  947: ['W19*PC*-2*EA**VN*A', ...UNITS],
  945: ['LX*1', 'W12*CC*1*1**EA**VN*A'],
} as const

async function told(type: keyof typeof HEADS, ...head: readonly string[]) {
  const found: Extract<ReceivedEvent, { kind: 'set' }>[] = []
  const lookups = () => Promise.resolve({ crosswalk: () => undefined, unitsOf: () => units })
  const functionalId = { 944: 'RE', 947: 'AW', 945: 'SW' }[type]
  const text = fileText([setText([HEADS[type], ...head, ...LINES[type]], String(type))], functionalId)
  for await (const event of receiveX12([text], { guides: indexGuides([GUIDE]), lookups }))
    if (event.kind === 'set') found.push(event)
  expect(found[0]!.reading.acknowledgment?.status).toBe('A')
  return warehouseMessages(found[0]!)
}

const ACME = ['N1*ST*SOMEWHERE', 'N1*OW*ACME FOODS', 'N3*1 STREET']

test.each([944, 947] as const)(
  'a %s moves the stock of whom its guide names, and its units, also when it is read again',
  async (type) => {
    const messages = await told(type, ...ACME)
    expect(messages).toMatchObject([{ message: { sku: 'A', owner: 'ACME', serials: ['SN-1', 'SN-2'] } }])
    expect(await restoreWarehouse(messages[0]!, indexGuides([GUIDE]), find)).toEqual(messages[0])
  },
)

test.each([944, 947, 945] as const)('a %s of ours says so, or names nobody', async (type) => {
  for (const head of [[], ['N1*OW*WE*92*4711']]) {
    const [one] = await told(type, ...head)
    expect(one!.message).toBeDefined()
    expect(['own', undefined]).toContain((one!.message as { owner?: string }).owner)
  }
})

test.each([944, 947, 945] as const)(
  'a %s of somebody who is not in the guide is put aside, and stays so',
  async (type) => {
    for (const name of ['BETA', 'constructor']) {
      const messages = await told(type, `N1*OW*${name}`)
      const refused = { code: 'edi.advice_unreadable', facts: { code: 'advice.owner_unknown' } }
      expect(messages).toMatchObject([{ unreadable: refused }])
      expect(messages[0]!.message).toBeUndefined()
      const again = await restoreWarehouse(messages[0]!, indexGuides([GUIDE]), find)
      expect(again.message).toBeUndefined()
    }
  },
)

test('a 945 of another owner ships nothing of ours', async () => {
  expect(await told(945, ...ACME)).toMatchObject([
    { unreadable: { facts: { code: 'advice.owner_of_others' } } },
  ])
})

test.each([
  ['in its head', ['N1*OW*ACME FOODS', 'LIN**VN*A', 'QTY*33*10*EA'], 'advice.owner_of_others'],
  ['at a line', ['LIN**VN*A', 'QTY*33*10*EA', 'N1*OW*ACME FOODS'], 'advice.owner_of_others'],
  ['whom nobody knows', ['LIN**VN*A', 'QTY*33*10*EA', 'N1*OW*BETA'], 'advice.owner_unknown'],
])('an 846 that names another owner %s counts nothing', async (_, lines, code) => {
  const { root, errors } = await validate(INVENTORY_ADVICE, ['BIA*00*DD*S-1*20261121*2350', ...lines], '846')
  expect(errors).toEqual([])
  const { message, findings } = toStockCounted(root, {
    guide: GUIDE,
    crosswalk: () => undefined,
    unitsOf: () => units,
    group: { date: '20261121', time: '2355' },
    at: { byte: 0, line: 1 },
  })
  expect(message).toBeUndefined()
  expect(findings).toMatchObject([{ code }])
})
