/** The purchase order: validation in the terms of a 997, and what is read from it. */
import { expect, test } from 'vitest'
import { parsePurchaseOrder, PURCHASE_ORDER } from '#systems/edi/documents/850.ts'
import { ORDER, validate } from './x12-text.ts'

const orderWith = (index: number, ...segments: string[]) => ORDER.toSpliced(index, 1, ...segments)

test('a good order has no fault', async () => {
  expect((await validate(PURCHASE_ORDER, ORDER, '850')).errors).toEqual([])
})

test.each([
  ['BEG', 2, orderWith(0, 'BEG*00*SA**Q*20261117'), { element: 3, reference: '324', code: '1' }],
  ['N1', 3, orderWith(1, 'N1*ST*Store*92'), { element: 4, reference: '67', code: '2' }],
  ['N3', 4, orderWith(2, 'N3*a*b*c'), { element: 3, code: '3', value: 'c' }],
  ['N4', 5, orderWith(3, 'N4*P*OR'), { element: 1, reference: '19', code: '4', value: 'P' }],
  ['N4', 5, orderWith(3, 'N4*Portland*Oregon'), { element: 2, reference: '156', code: '5', value: 'Oregon' }],
  ['PO1', 6, orderWith(4, 'PO1*1*ten*CA**'), { element: 2, reference: '330', code: '6', value: 'ten' }],
  ['BEG', 2, orderWith(0, 'BEG*99*SA*1**20261117'), { element: 1, reference: '353', code: '7', value: '99' }],
  [
    'BEG',
    2,
    orderWith(0, 'BEG*00*SA*1**20260231'),
    { element: 5, reference: '373', code: '8', value: '20260231' },
  ],
  [
    'DTM',
    3,
    orderWith(1, 'DTM*002*20261124*2460'),
    { element: 3, reference: '337', code: '9', value: '2460' },
  ],
  ['MEA', 7, orderWith(5, 'MEA*PD**1**1***4', 'CTT*1'), { element: 3, reference: '739', code: '10' }],
])(
  'an element fault names segment, position, element and code: %s at %i',
  async (segmentId, position, inside, element) => {
    const { errors } = await validate(PURCHASE_ORDER, inside, '850')
    const fault = errors.find((error) => error.segmentId === segmentId)
    expect(fault).toMatchObject({ position, code: '8' })
    expect(fault?.elements).toContainEqual(element)
  },
)

test('a fault inside of a composite names the component', async () => {
  const { errors } = await validate(PURCHASE_ORDER, orderWith(5, 'MEA*PD*WD*1*INCHES>1', 'CTT*1'), '850')
  expect(errors[0]?.elements).toEqual([
    { element: 4, component: 1, reference: '355', code: '5', value: 'INCHES' },
  ])
})

test.each([
  ['1', 'XYZ', 3, orderWith(0, ORDER[0] ?? '', 'XYZ*1')],
  ['6', 'BAK', 3, orderWith(1, 'BAK*00*AC*1*20261117', 'N1*ST*Store')],
  ['3', 'BEG', 2, ORDER.slice(1)],
  ['5', 'BEG', 3, [ORDER[0] ?? '', ...ORDER]],
  ['7', 'CUR', 8, orderWith(5, 'CTT*1', 'CUR*BY*USD')],
])(
  'a segment fault names code, segment and position: %s for %s at %i',
  async (code, segmentId, position, inside) => {
    const { errors } = await validate(PURCHASE_ORDER, inside, '850')
    expect(errors).toContainEqual({ segmentId, position, code, elements: [] })
  },
)

test('a loop that occurs too often and a missing PO1 are named', async () => {
  const parties = Array.from({ length: 201 }, (_, index) => `N1*ST*Store ${index}`)
  const many = await validate(PURCHASE_ORDER, [ORDER[0] ?? '', ...parties, ...ORDER.slice(4)], '850')
  expect(many.errors).toEqual([{ segmentId: 'N1', position: 203, loop: 'N1', code: '4', elements: [] }])
  const none = await validate(PURCHASE_ORDER, ORDER.slice(0, 4), '850')
  expect(none.errors).toMatchObject([{ segmentId: 'PO1', code: '3' }])
})

test('an order is read with its parties, dates, terms and lines', async () => {
  const { root, errors } = await validate(
    PURCHASE_ORDER,
    [
      'BEG*05*RL*PO-1*R7*20261117*K9',
      'CUR*BY*USD',
      'REF*DP*0412*Produce',
      'PER*BD*Ana*TE*503*EM*a@b.example',
      'FOB*PP*OR*Portland',
      'SAC*A*C310***1250',
      'ITD*08*3*2**10**30*****Net 30',
      'DTM*002*20261124',
      'TD5*O*2*UPSN*M*Ground',
      'N9*ZZ*1',
      'MSG*Dock 4',
      'N1*ST*Store*92*S12',
      'N2*Back door',
      'N3*18 Quay*Unit 2',
      'N4*Portland*OR*97201*US',
      'REF*ST*77',
      'PO1*1*10*CA*24.9*PE*VN*A-1*UP*0360',
      'PID*F****Olives',
      'PO4*12*1*EA',
      'SDQ*CA*92*S1*4*S2*6',
      'DTM*010*20261120',
      'SCH*10*CA***002*20261124',
      'PO1**5*EA***BP*X',
      'CTT*2*15',
    ],
    '850',
  )
  expect(errors).toEqual([])
  const { document, findings } = parsePurchaseOrder(root)
  expect(document).toMatchObject({
    purpose: 'replacement',
    type: 'RL',
    number: 'PO-1',
    release: 'R7',
    date: '2026-11-17',
    contract: 'K9',
    currency: 'USD',
    references: [{ qualifier: 'DP', value: '0412', description: 'Produce' }],
    contacts: [
      {
        role: 'BD',
        name: 'Ana',
        numbers: [
          { qualifier: 'TE', value: '503' },
          { qualifier: 'EM', value: 'a@b.example' },
        ],
      },
    ],
    freight: { payment: 'PP', location: 'Portland' },
    terms: [{ type: '08', discountPercent: '2', discountDays: '10', netDays: '30', description: 'Net 30' }],
    dates: [{ qualifier: '002', date: '2026-11-24' }],
    routing: [{ carrier: 'UPSN', method: 'M', routing: 'Ground' }],
    allowances: [{ kind: 'allowance', code: 'C310', amount: '12.50' }],
    notes: ['Dock 4'],
    parties: [
      {
        role: 'ST',
        name: 'Store',
        id: { qualifier: '92', value: 'S12' },
        lines: ['Back door', '18 Quay', 'Unit 2'],
        city: 'Portland',
        region: 'OR',
        postalCode: '97201',
        country: 'US',
        references: [{ qualifier: 'ST', value: '77' }],
      },
    ],
    lines: [
      {
        line: '1',
        assignedId: '1',
        quantity: '10',
        unit: 'CA',
        price: '24.9',
        priceBasis: 'PE',
        description: 'Olives',
        pack: '12',
        productIds: [
          { qualifier: 'VN', value: 'A-1' },
          { qualifier: 'UP', value: '0360' },
        ],
        destinations: [
          { location: 'S1', quantity: '4', unit: 'CA' },
          { location: 'S2', quantity: '6', unit: 'CA' },
        ],
        schedules: [{ quantity: '10', unit: 'CA', date: '2026-11-24' }],
        dates: [{ qualifier: '010', date: '2026-11-20' }],
      },
      { line: '2', quantity: '5', unit: 'EA' },
    ],
  })
  expect(findings.map(({ code }) => code)).toEqual(['po.schedule_not_kept', 'po.line_number_missing'])
})

test.each([
  ['po.line_count_mismatch', orderWith(5, 'CTT*2')],
  ['po.hash_total_mismatch', orderWith(5, 'CTT*1*11')],
  ['po.amount_mismatch', [...orderWith(4, 'PO1*1*10*CA*24.9**VN*A'), 'AMT*TT*250']],
  ['po.line_currency', orderWith(4, 'PO1*1*10*CA*1**VN*A', 'CUR*BY*USD')],
  ['po.no_parties', [ORDER[0] ?? '', ...ORDER.slice(4)]],
  ['po.line_number_repeated', orderWith(5, 'PO1*1*1*CA*1**VN*A', 'CTT*2')],
])('%s is a finding and no fault', async (code, inside) => {
  const { root, errors } = await validate(PURCHASE_ORDER, inside, '850')
  expect(errors).toEqual([])
  expect(parsePurchaseOrder(root).findings.map((finding) => finding.code)).toContain(code)
})

test('totals that match are no finding, in decimals that doubles would miss', async () => {
  const inside = [...ORDER.slice(0, 4), 'PO1*1*.1*KG*1**VN*A', 'PO1*2*.2*KG*1**VN*B', 'CTT*2*.3', 'AMT*TT*.3']
  const { root } = await validate(PURCHASE_ORDER, inside, '850')
  expect(parsePurchaseOrder(root).findings).toEqual([])
})
