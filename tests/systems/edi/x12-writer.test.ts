/** The writer, and reader and writer together. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from '#platform/faults.ts'
import { ELEMENTS } from '#systems/edi/documents/elements.ts'
import { SEGMENTS } from '#systems/edi/documents/segments.ts'
import {
  DEFAULT_DELIMITERS,
  type OutboundInterchange,
  type SegmentData,
  writeInterchange,
  writeSegment,
} from '#systems/edi/x12-writer.ts'
import { eventsOf, findingsOf, setsOf } from './x12-text.ts'

const interchange = (
  segments: readonly SegmentData[],
  overrides: Partial<OutboundInterchange> = {},
): OutboundInterchange => ({
  sender: { qualifier: 'ZZ', id: 'SELLER' },
  receiver: { qualifier: '01', id: '114208775' },
  date: '2026-11-18',
  time: '0915',
  controlNumber: 42,
  usage: 'P',
  acknowledgmentRequested: true,
  groups: [
    {
      functionalId: 'PR',
      sender: 'SELLER',
      receiver: '114208775',
      controlNumber: 43,
      version: '004010',
      sets: [{ type: '855', controlNumber: '0001', segments }],
    },
  ],
  ...overrides,
})

const refusalOf = (work: () => unknown): Refusal => {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('an interchange is written with padded header, control numbers and counts', () => {
  expect(
    writeInterchange(
      interchange([
        ['REF', 'ZZ', '1'],
        ['N3', 'a', ''],
      ]),
    ),
  ).toBe(
    'ISA*00*          *00*          *ZZ*SELLER         *01*114208775      *261118*0915*U*00401*000000042*1*P*>~' +
      'GS*PR*SELLER*114208775*20261118*0915*43*X*004010~ST*855*0001~REF*ZZ*1~N3*a~SE*4*0001~GE*1*43~IEA*1*000000042~',
  )
})

test('what is written is read back without any finding, with every delimiter set', async () => {
  for (const delimiters of [
    DEFAULT_DELIMITERS,
    { ...DEFAULT_DELIMITERS, lineBreak: true },
    { element: '|', component: '^', terminator: '\n' },
    { element: '\u001d', component: '\u001f', terminator: '\u001c' },
  ]) {
    const events = await eventsOf([writeInterchange(interchange([['REF', 'ZZ', '1']]), delimiters)])
    expect(findingsOf(events).filter((code) => code !== 'segment.line_breaks')).toEqual([])
    expect(setsOf(events)[0]?.segments[1]?.elements).toEqual(['REF', 'ZZ', '1'])
  }
})

test.each([
  ['edi.delimiter_in_data', ['N3', '5*5 Street'], '/N3/1'],
  ['edi.delimiter_in_data', ['N3', 'here', 'a~b'], '/N3/2'],
  ['edi.delimiter_in_data', ['REF', 'ZZ', 'a>b'], '/REF/2'],
  ['edi.character_not_allowed', ['N3', 'two\nlines'], '/N3/1'],
  ['edi.element_invalid', ['N3', 'x'.repeat(56)], '/N3/1'],
  ['edi.element_invalid', ['N4', 'Portland', 'Oregon'], '/N4/2'],
  ['edi.element_invalid', ['BAK', '00'], '/BAK/2'],
] as const)('%s is refused with segment and element: %j', (code, segment, pointer) => {
  const refusal = refusalOf(() => writeInterchange(interchange([segment])))
  expect(refusal).toMatchObject({ code, pointer })
  expect(refusal.facts).toMatchObject({ segment: segment[0] })
})

test.each([
  [0, 'ISA'],
  [1_000_000_000, 'ISA'],
  [1.5, 'ISA'],
])('control number %d is refused', (controlNumber, segment) => {
  const refusal = refusalOf(() => writeInterchange(interchange([], { controlNumber })))
  expect(refusal).toMatchObject({ code: 'edi.control_number_invalid', facts: { segment } })
})

test('an identifier that does not fit the header is refused', () => {
  const sender = { qualifier: 'ZZ', id: 'SIXTEENLETTERS16' }
  expect(refusalOf(() => writeInterchange(interchange([], { sender })))).toMatchObject({ pointer: '/ISA/6' })
})

test('every element that a segment uses is in the dictionary', () => {
  for (const [id, { elements }] of SEGMENTS) {
    for (const use of elements.flatMap((element) => element.components ?? [element])) {
      expect(ELEMENTS.has(use.number), `${id} uses ${use.number}`).toBe(true)
    }
  }
})

/** Anything but delimiters, control characters, lone surrogates and spaces at the end. */
const plain = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 30 })
  .map((text) => text.replace(/[*>~\u0000-\u001f\u007f\ud800-\udfff]/g, '').replace(/ +$/, ''))

test('reading what was written gives the same data, whatever it is', async () => {
  const text = plain.filter((value) => value.length > 0)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 20 }), async (pairs) => {
      const segments = pairs.map(([one, other]): SegmentData => ['N2', one, other])
      const [set] = setsOf(await eventsOf([Buffer.from(writeInterchange(interchange(segments)))]))
      expect(set?.segments.slice(1, -1).map(({ elements }) => elements)).toEqual(segments)
      expect(set?.errors).toEqual([])
    }),
    { numRuns: 200 },
  )
})

test('spaces and empty elements at the end are left out, as the standard wants', () => {
  expect(writeSegment(['N4', 'Portland  ', '', '', ''], DEFAULT_DELIMITERS)).toBe('N4*Portland')
})
