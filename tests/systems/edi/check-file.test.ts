/** What would happen to a file: each set is an order, an answer, a rejection, bookkeeping or quarantine, and nothing else. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkFile, type SetVerdict } from '#systems/edi/check-file.ts'
import type { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { receiveX12 } from '#systems/edi/receive.ts'
import { fileText, guide, ORDER, setText } from './x12-text.ts'

const good = fileText([setText(ORDER)])
const check = (text: string | Uint8Array, partner: PartnerGuide = guide()) =>
  checkFile([text], [partner], () => undefined)

async function verdictOf(text: string, partner?: PartnerGuide): Promise<SetVerdict | undefined> {
  const [interchange] = (await check(text, partner)).interchanges
  return [...(interchange?.groups.flatMap(({ sets }) => sets) ?? []), ...(interchange?.strays ?? [])][0]
    ?.verdict
}

async function acknowledgmentOf(text: string, partner: PartnerGuide = guide()) {
  const receiving = {
    guides: indexGuides([partner]),
    lookups: () => Promise.resolve({ crosswalk: () => undefined, unitsOf: () => undefined }),
  }
  for await (const event of receiveX12([text], receiving))
    if (event.kind === 'group-end') return event.acknowledgment
  return undefined
}

test('a good order is an order, is acknowledged, and the file is clean', async () => {
  const report = await check(good)
  expect(report).toMatchObject({ counts: { order: 1 }, clean: true, findings: [] })
  expect(report.interchanges[0]).toMatchObject({ partner: 'buyer', groups: [{ acknowledged: 'A' }] })
  expect(await verdictOf(good)).toEqual({
    becomes: 'order',
    purpose: 'original',
    customerOrder: 'PO-1',
    naturalKey: 'buyer|850|PO-1||2026',
    lines: 1,
    refusedLines: 0,
    held: false,
  })
})

test.each([
  ['00', 'original'],
  ['05', 'replacement'],
  ['06', 'confirmation'],
  ['07', 'duplicate'],
])('purpose %s is a %s', async (code, purpose) => {
  expect(await verdictOf(good.replace('BEG*00', `BEG*${code}`))).toMatchObject({ becomes: 'order', purpose })
})

test('a purpose that is not agreed is rejected at BEG01', async () => {
  const partner = guide({ purposes: ['00'] })
  expect(await verdictOf(good.replace('BEG*00', 'BEG*05'), partner)).toEqual({
    becomes: 'rejection',
    places: ['BEG at 2, element 1'],
  })
})

test.each([
  ['unknown_sender', good.replace('*ZZ*BUYER ', '*ZZ*OTHER ')],
  ['unknown_sender', good.replace('GS*PO*BUYER', 'GS*PO*OTHER')],
  ['not_for_us', good.replace('*ZZ*SELLER ', '*ZZ*OTHERS ')],
  ['not_for_us', good.replace('*SELLER*2026', '*OTHERS*2026')],
  ['usage_indicator', good.replace('*0*P*', '*0*T*')],
  ['outside_group', good.replace(/GS\*[^~]*~/, '').replace('GE*1*7~', '')],
])('%s goes to quarantine with an owner, and is not acknowledged', async (reason, text) => {
  expect(await verdictOf(text)).toMatchObject({
    becomes: 'quarantine',
    reason,
    owner: expect.stringMatching(/^edi/),
  })
  expect(await acknowledgmentOf(text)).toBeUndefined()
})

test('a document that is not agreed, and another version, are rejected by the 997', async () => {
  const invoice = fileText([setText(['BIG*20261117*1', 'TDS*1'], '810')], 'IN')
  expect(await verdictOf(invoice)).toMatchObject({ becomes: 'rejection' })
  expect(await acknowledgmentOf(invoice)).toMatchObject({
    status: 'R',
    sets: [{ status: 'R', errors: ['1'] }],
  })
  const newer = fileText([setText(ORDER)], 'PO', '005010')
  expect(await acknowledgmentOf(newer)).toMatchObject({ status: 'R', errors: ['2'], accepted: 0 })
})

test('a rejected set says segment and element, and its neighbour is an order', async () => {
  const bad = setText(
    ORDER.map((segment) => segment.replace('*OR*', '*Oregon*')),
    '850',
    '0002',
  )
  const text = fileText([setText(ORDER), bad])
  expect((await check(text)).counts).toMatchObject({ order: 1, rejection: 1 })
  expect(await acknowledgmentOf(text)).toMatchObject({
    status: 'P',
    included: 2,
    received: 2,
    accepted: 1,
    sets: [
      { status: 'A' },
      {
        status: 'R',
        segments: [
          {
            segmentId: 'N4',
            position: 5,
            elements: [{ element: 2, reference: '156', code: '5', value: 'Oregon' }],
          },
        ],
      },
    ],
  })
})

test('what the guide tolerates is accepted with errors noted', async () => {
  const text = good.replace('*OR*', '*Oregon*')
  const partner = guide({ tolerated: [{ segment: 'N4', element: 2, code: '5' }] })
  expect(await verdictOf(text, partner)).toMatchObject({ becomes: 'order' })
  expect(await acknowledgmentOf(text, partner)).toMatchObject({ status: 'E', accepted: 1 })
})

test.each([
  ['a segment out of sequence', good.replace('CTT*1~SE*8', 'CTT*1~CUR*BY*USD~SE*9')],
  ['a broken dependency', good.replace('N1*ST*Store 12*92*S12', 'N1*ST*Store 12*92')],
  ['a repeated control number', fileText([setText(ORDER), setText(ORDER)])],
])('%s is accepted with errors noted', async (_name, text) => {
  expect((await check(text)).counts.rejection).toBe(0)
  expect(await acknowledgmentOf(text)).toMatchObject({ status: 'E' })
})

test('an order of which nothing can be ordered is answered, or quarantined where no 855 is agreed', async () => {
  const text = good.replace('VN*NWF-1001', 'BP*X')
  expect(await verdictOf(text)).toMatchObject({ becomes: 'answer', customerOrder: 'PO-1' })
  const silent = guide({ sends: ['810'] })
  expect(await verdictOf(text, silent)).toMatchObject({
    becomes: 'quarantine',
    reason: 'answer_not_agreed',
    owner: 'edi-desk',
  })
})

test('a cancellation is about a number, whatever its lines say', async () => {
  const text = good.replace('BEG*00', 'BEG*01').replace('*10*CA*24.9*', '*0*QQ*x*')
  const report = await check(text.replace('*x*', '*1*'))
  expect(report.interchanges[0]?.groups[0]?.sets[0]?.verdict).toEqual({
    becomes: 'cancellation',
    customerOrder: 'PO-1',
    naturalKey: 'buyer|850|PO-1||2026',
  })
  expect(report.clean).toBe(true)
})

test('a total that does not match holds the order', async () => {
  expect(await verdictOf(good.replace('CTT*1', 'CTT*2'))).toMatchObject({ becomes: 'order', held: true })
})

test('an order with more lines than an order can hold goes to a person', async () => {
  const lines = Array.from({ length: 1001 }, (_, index) => `PO1*${index + 1}*1*CA*1**VN*A`)
  const text = fileText([setText([...ORDER.slice(0, 4), ...lines, 'CTT*1001'])])
  expect(await verdictOf(text)).toMatchObject({ becomes: 'quarantine', reason: 'order_too_large' })
})

test('a 997 is bookkeeping and is never acknowledged, even when it is broken', async () => {
  const inside = ['AK1*IN*77', 'AK2*810*0077', 'AK5*R*5', 'AK9*R*1*1*0']
  const text = fileText([setText(inside, '997')], 'FA')
  expect(await verdictOf(text)).toEqual({ becomes: 'acknowledgment', group: 77, status: 'R' })
  expect(await acknowledgmentOf(text)).toBeUndefined()
  const broken = fileText([setText(inside.slice(0, 2), '997')], 'FA')
  expect(await verdictOf(broken)).toMatchObject({
    becomes: 'quarantine',
    reason: 'acknowledgment_unreadable',
  })
  expect(await acknowledgmentOf(broken)).toBeUndefined()
})

test('a partner who wants no 997 gets none', async () => {
  expect(await acknowledgmentOf(good, guide({ acknowledgment: { ours: false } }))).toBeUndefined()
})

test('a file of nothing but false headers is given up, with a finding', async () => {
  const report = await check(`${good}${'ISA*x~ '.repeat(5_000)}${good}`)
  expect(report.findings.map(({ code }) => code)).toContain('limit.headers')
  expect(report.counts.order).toBe(1)
})

test('a set of nothing but faults is rejected with as many as anybody reads', async () => {
  const text = fileText([
    setText([...ORDER.slice(0, 5), ...Array.from({ length: 20_000 }, () => 'N4*Portland*Oregon')]),
  ])
  const report = await check(text)
  expect(report.counts.rejection).toBe(1)
  expect(report.interchanges[0]?.groups[0]?.sets[0]?.findings.length).toBeLessThanOrEqual(201)
})

test('the findings of a hostile file are bounded', async () => {
  const report = await check(`${good}${good.replace('IEA', 'IEB')}`.repeat(2_000))
  expect(report.findings.length).toBeGreaterThan(1_000)
  expect(report.findings.length).toBeLessThanOrEqual(1_001)
})

test('any damage gives a report that accounts for every set it saw, never an exception', async () => {
  const text = Buffer.from(fileText([setText(ORDER), setText(ORDER, '850', '0002')]))
  const damage = fc.record({
    at: fc.nat(text.length - 1),
    byte: fc.integer({ min: 0, max: 255 }),
    remove: fc.nat(3),
    insert: fc.uint8Array({ maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 12 }), async (damages) => {
      let bytes = Buffer.from(text)
      for (const { at, byte, remove, insert } of damages) {
        bytes[at % bytes.length] = byte
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
      }
      const report = await check(bytes)
      const sets = report.interchanges.flatMap(({ groups, strays }) => [
        ...groups.flatMap((group) => group.sets),
        ...strays,
      ])
      const counted = Object.values(report.counts).reduce((total, count) => total + count, 0)
      expect(sets).toHaveLength(counted)
      expect(report.interchanges.length + report.findings.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})
