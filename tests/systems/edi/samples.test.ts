/** Whole files with the dirt that partners send: our own, and those of the sample collection where it is at hand. */
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkFile, type FileCheck } from '#systems/edi/check-file.ts'
import { DEMO_PARTNERS, loadPartnerGuides } from '#systems/edi/partner-guide-files.ts'
import { guide } from './x12-text.ts'

const OWN = new URL('./samples/', import.meta.url)
const COLLECTION = new URL('../../../../shared/samples/x12/', import.meta.url)

const checkOwn = async (name: string): Promise<FileCheck> =>
  checkFile(createReadStream(new URL(name, OWN)), loadPartnerGuides(DEMO_PARTNERS))

const setsOf = (report: FileCheck) =>
  report.interchanges.flatMap(({ groups }) => groups.flatMap(({ sets }) => sets))
const codesOf = (report: FileCheck) => [
  ...report.findings.map(({ code }) => code),
  ...setsOf(report).flatMap(({ findings }) => findings.map(({ code }) => code)),
]

test('a clean order is an order with both of its lines', async () => {
  const report = await checkOwn('clean-order.edi')
  expect(setsOf(report)[0]?.verdict).toMatchObject({
    becomes: 'order',
    customerOrder: 'HF-70012',
    lines: 2,
    held: false,
  })
  expect(codesOf(report)).toEqual(['segment.line_breaks'])
})

test('a byte-order mark, indentation, no-break spaces, small letters and numbers that disagree cost nothing but findings', async () => {
  const report = await checkOwn('dirty-order.edi')
  expect(setsOf(report)[0]?.verdict).toMatchObject({ becomes: 'order', customerOrder: 'HF-70013', lines: 2 })
  expect(codesOf(report)).toEqual(
    expect.arrayContaining([
      'file.byte_order_mark',
      'header.no_break_space',
      'segment.line_breaks',
      'segment.indented',
      'segment.lower_case',
      'segment.trailing_separators',
      'segment.trailing_whitespace',
      'interchange.control_number_mismatch',
    ]),
  )
})

test('a missing component separator, a missing terminator and a repeated control number leave both orders whole', async () => {
  const report = await checkOwn('missing-separators.edi')
  expect(setsOf(report).map(({ verdict }) => verdict)).toMatchObject([
    { becomes: 'order', purpose: 'replacement', customerOrder: 'HF-70014', lines: 2 },
    { becomes: 'order', purpose: 'original', customerOrder: 'HF-70015', lines: 2 },
  ])
  expect(setsOf(report).map(({ acknowledged }) => acknowledged)).toEqual(['A', 'E'])
  expect(codesOf(report)).toEqual(
    expect.arrayContaining([
      'header.component_separator_missing',
      'segment.terminator_missing',
      'set.control_number_repeated',
      'po.line_currency',
    ]),
  )
})

test('a state that is too long is rejected at N4 element 2 while the neighbour is ordered', async () => {
  const report = await checkOwn('rejected-neighbour.edi')
  expect(setsOf(report).map(({ verdict }) => verdict)).toMatchObject([
    { becomes: 'rejection', places: ['N4 at 15, element 2'] },
    { becomes: 'order', customerOrder: 'HF-70017' },
  ])
  expect(report.interchanges[0]?.groups[0]?.acknowledged).toBe('P')
})

test('lines as terminators, pipes, and a price for a hundred are read by the guide of that partner', async () => {
  const report = await checkOwn('line-terminated.edi')
  expect(report.interchanges[0]?.partner).toBe('keystone-industrial')
  expect(setsOf(report)[0]?.verdict).toMatchObject({
    becomes: 'order',
    customerOrder: '8841-R7',
    naturalKey: 'keystone-industrial|850|8841|R7|2026-11-18',
    lines: 2,
  })
  expect(codesOf(report)).toEqual([])
})

test('junk between interchanges, an unknown sender and a missing last terminator are each named', async () => {
  const report = await checkOwn('junk-between.edi')
  expect(setsOf(report).map(({ verdict }) => verdict)).toMatchObject([
    { becomes: 'order', customerOrder: 'HF-70018' },
    { becomes: 'quarantine', reason: 'unknown_sender', owner: 'edi' },
  ])
  expect(codesOf(report)).toEqual(expect.arrayContaining(['file.junk', 'file.final_terminator_missing']))
})

test('a file wrapped at column 80 is an order like any other', async () => {
  const report = await checkOwn('wrapped-lines.edi')
  expect(setsOf(report)[0]?.verdict).toMatchObject({
    becomes: 'order',
    customerOrder: 'HF-70019',
    lines: 2,
    held: false,
  })
})

test('of a truncated file the whole set is ordered and the cut one rejected', async () => {
  const report = await checkOwn('truncated.edi')
  expect(setsOf(report).map(({ verdict }) => verdict.becomes)).toEqual(['order', 'rejection'])
  expect(codesOf(report)).toEqual(
    expect.arrayContaining(['set.trailer_missing', 'group.trailer_missing', 'interchange.trailer_missing']),
  )
})

test("a partner's rejection of our invoice is read as bookkeeping", async () => {
  const report = await checkOwn('their-acknowledgment.edi')
  expect(setsOf(report)[0]).toMatchObject({ verdict: { becomes: 'acknowledgment', group: 77, status: 'R' } })
  expect(setsOf(report)[0]).not.toHaveProperty('acknowledged')
})

test('Latin-1 letters are read and reported', async () => {
  const report = await checkOwn('legacy-encoding.edi')
  expect(setsOf(report)[0]?.verdict).toMatchObject({ becomes: 'order' })
  expect(codesOf(report)).toContain('file.encoding_mixed')
})

const collected = existsSync(COLLECTION) ? readdirSync(COLLECTION) : []
const absent = collected.length === 0
if (absent) console.info(`The sample collection is not at ${COLLECTION.pathname}; its tests are skipped.`)

test.skipIf(absent)(
  'every set of the sample collection ends visibly: without a guide in quarantine with an owner',
  async () => {
    for (const name of collected) {
      const report = await checkFile(createReadStream(new URL(name, COLLECTION)), [])
      expect({ name, empty: setsOf(report).length === 0 }).toEqual({ name, empty: false })
      for (const { verdict } of setsOf(report)) {
        expect({ name, verdict }).toEqual({
          name,
          verdict: { becomes: 'quarantine', reason: 'unknown_sender', owner: 'edi' },
        })
      }
    }
  },
)

/** A guide for whoever sent the sample, so that its content is looked at. */
const guideFor = (id: string, receiver: string) =>
  guide({
    theirs: { qualifier: '01', id, groupId: id },
    ours: { qualifier: 'ZZ', id: receiver, groupId: receiver },
    usage: 'T',
    items: [
      { qualifier: 'VN', is: 'sku' },
      { qualifier: 'ST', is: 'sku' },
      { qualifier: 'BP', is: 'customer-item' },
    ],
  })

test.skipIf(absent).each([
  ['x12.850.edi', '000123456', 'PARTNERID', ['A: order 1000012']],
  ['x12.850a.edi', '000123456', 'TEST2', ['R: rejection N4 at 22, element 2']],
  ['x12.850.issue135.edi', '049351117', 'BARSAN', ['A: order 740150', 'E: order 740151']],
])(
  'the purchase orders of %s end as orders or as rejections with segment and element',
  async (name, id, receiver, ends) => {
    const report = await checkFile(createReadStream(new URL(name, COLLECTION)), [guideFor(id, receiver)])
    const told = setsOf(report).map(({ verdict, acknowledged }) => {
      if (verdict.becomes === 'order') return `${acknowledged}: order ${verdict.customerOrder}`
      return `${acknowledged}: ${verdict.becomes} ${verdict.becomes === 'rejection' ? verdict.places.join() : ''}`
    })
    expect(told).toEqual(ends)
  },
)
