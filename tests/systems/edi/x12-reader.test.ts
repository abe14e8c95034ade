/** The reader: what it finds, what it tolerates, what it says about what it does not tolerate. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHeader } from '#systems/edi/x12-header.ts'
import { readX12 } from '#systems/edi/x12-reader.ts'
import { eventsOf, fileText, findingsOf, HEADER, ORDER, setsOf, setText } from './x12-text.ts'
import { heldBytes } from '#tests/support/held-memory.ts'

const good = fileText([setText(ORDER)])

test('a well-formed file gives its interchange, group and set, and no finding', async () => {
  const events = await eventsOf([good])
  expect(events.map(({ kind }) => kind)).toEqual([
    'interchange',
    'group',
    'set',
    'group-end',
    'interchange-end',
  ])
  expect(events[0]).toMatchObject({
    interchange: {
      sender: { qualifier: 'ZZ', id: 'BUYER' },
      receiver: { id: 'SELLER' },
      controlNumber: '000000007',
      usage: 'P',
      delimiters: { element: '*', component: '>', terminator: '~' },
    },
  })
  expect(setsOf(events)[0]).toMatchObject({ type: '850', controlNumber: '0001', errors: [] })
  expect(setsOf(events)[0]?.segments).toHaveLength(8)
})

test('the same events come out however the bytes are cut into chunks', async () => {
  const dirty = `\uFEFFjunk\n${good.replaceAll('~', '~\r\n  ')}${good.replace('Quay', 'Façade')}`
  const bytes = Buffer.from(dirty)
  const whole = await eventsOf([bytes])
  for (const size of [1, 2, 3, 7, 64, 105, 106, 107]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    expect(await eventsOf(chunks)).toEqual(whole)
  }
})

test.each([
  ['pipes, carets and line feeds', '|', '^', '\n'],
  ['carriage returns and line feeds', '*', ':', '\r\n'],
  ['carriage returns alone', '*', ':', '\r'],
  ['control characters', '\u001d', '\u001f', '\u001c'],
])('delimiters are found by counting: %s', async (_name, element, component, terminator) => {
  const text = good.replaceAll('*', element).replaceAll('>', component).replaceAll('~', terminator)
  const events = await eventsOf([text])
  expect(setsOf(events)[0]?.segments.at(1)?.elements).toEqual(['BEG', '00', 'SA', 'PO-1', '', '20261117'])
  expect(findingsOf(events)).toEqual([])
})

test.each([
  ['header.unpadded', good.replace('*00*          *00*          *', '*00**00**')],
  [
    'header.no_break_space',
    good.replace('BUYER          ', 'BUYER\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0'),
  ],
  ['header.element_too_long', good.replace('BUYER          ', 'BUYERWITHAVERYLONGNAME')],
  ['header.line_break', good.replace('*ZZ*SELLER', '\n*ZZ*SELLER')],
  ['header.component_separator_missing', good.replace('*P*>~', '*P*~')],
  ['file.byte_order_mark', `\uFEFF${good}`],
  ['file.junk', `From: someone\n${good}`],
  ['file.final_terminator_missing', good.slice(0, -1)],
  ['segment.line_breaks', good.replaceAll('~', '~\r\n')],
  ['segment.indented', good.replaceAll('~', '~\n\t')],
  ['segment.trailing_whitespace', good.replace('Street~', 'Street  ~')],
  ['segment.trailing_separators', good.replace('Street~', 'Street**~')],
  ['segment.lower_case', good.replace('N3*', 'n3*')],
  ['segment.line_break_inside', good.replace('Quay Street', 'Quay\n Street')],
  ['segment.terminator_missing', good.replaceAll('~', '~\n').replace('Street~', 'Street')],
  ['element.trailing_spaces', good.replace('Store 12*', 'Store 12  *')],
])('%s is tolerated and reported', async (code, text) => {
  const events = await eventsOf([text])
  expect(findingsOf(events)).toContain(code)
  expect(setsOf(events)[0]?.errors).toEqual([])
  expect(setsOf(events)[0]?.segments.map(({ id }) => id)).toEqual([
    'ST',
    'BEG',
    'N1',
    'N3',
    'N4',
    'PO1',
    'CTT',
    'SE',
  ])
})

test('a header without ISA16 is recognised when its segments end in the character that should be ISA16', async () => {
  const events = await eventsOf([good.replace('*P*>~', '*P*~').replaceAll('~', '~\n')])
  expect(events[0]).toMatchObject({ interchange: { delimiters: { component: '', terminator: '~' } } })
  expect(setsOf(events)[0]?.segments).toHaveLength(8)
})

test('a file wrapped at a fixed column reads as if it were not', async () => {
  for (const width of [61, 80, 105, 106]) {
    const wrapped = good.match(new RegExp(`[^]{1,${width}}`, 'g'))?.join('\n') ?? ''
    const segments = setsOf(await eventsOf([wrapped]))[0]?.segments.map(({ elements }) => elements)
    expect(segments).toEqual(setsOf(await eventsOf([good]))[0]?.segments.map(({ elements }) => elements))
  }
})

test.each([
  ['set.segment_count_mismatch', '4', good.replace('SE*8*', 'SE*9*')],
  ['set.control_number_mismatch', '3', good.replace('SE*8*0001', 'SE*8*0002')],
  ['set.trailer_missing', '2', good.replace('SE*8*0001~', '')],
  ['set.identifier_malformed', '6', good.replace('ST*850', 'ST*85')],
  ['set.control_number_malformed', '7', good.replaceAll('*0001~', '*01~')],
  ['set.control_number_repeated', '23', fileText([setText(ORDER), setText(ORDER)])],
])('%s is reported with code %s of the 997', async (code, error, text) => {
  const events = await eventsOf([text])
  expect(findingsOf(events)).toContain(code)
  expect(setsOf(events).at(-1)?.errors).toEqual([error])
})

test.each([
  ['group.control_number_mismatch', '4', good.replace('GE*1*7', 'GE*1*8')],
  ['group.set_count_mismatch', '5', good.replace('GE*1*7', 'GE*2*7')],
  ['group.trailer_missing', '3', good.replace('GE*1*7~', '')],
])('%s is reported with code %s of the 997', async (code, error, text) => {
  const events = await eventsOf([text])
  expect(findingsOf(events)).toContain(code)
  expect(events.find(({ kind }) => kind === 'group-end')).toMatchObject({ errors: [error] })
})

test.each([
  ['interchange.control_number_mismatch', good.replace('IEA*1*000000007', 'IEA*1*000000001')],
  ['interchange.group_count_mismatch', good.replace('IEA*1', 'IEA*3')],
  ['interchange.trailer_missing', good.replace('IEA*1*000000007~', '')],
  ['interchange.acknowledgment_received', good.replace('~GS', '~TA1*000000001*261118*0900*A*000~GS')],
  ['envelope.segment_outside', good.replace('~GE', '~REF*ZZ*1~GE')],
])('%s is reported and the set is read all the same', async (code, text) => {
  const events = await eventsOf([text])
  expect(findingsOf(events)).toContain(code)
  expect(setsOf(events)).toHaveLength(1)
  expect(setsOf(events)[0]?.errors).toEqual([])
})

test('a set without a group is read and named as a stray', async () => {
  const events = await eventsOf([`${HEADER}${setText(ORDER)}IEA*0*000000007~`])
  expect(findingsOf(events)).toContain('set.outside_group')
})

test('one broken set leaves its neighbours whole', async () => {
  const broken = setText(ORDER, '850', '0002').replace('SE*8*0002~', '')
  const events = await eventsOf([fileText([setText(ORDER), broken, setText(ORDER, '850', '0003')])])
  expect(setsOf(events).map(({ errors }) => errors)).toEqual([[], ['2'], []])
})

test('a new header inside of an unfinished interchange begins a new one', async () => {
  const cut = good.slice(0, good.indexOf('CTT'))
  const events = await eventsOf([cut, good])
  expect(events.filter(({ kind }) => kind === 'interchange')).toHaveLength(2)
  expect(setsOf(events).map(({ errors }) => errors)).toEqual([['2'], []])
})

test('interchanges with other delimiters follow each other in one file', async () => {
  const other = good.replaceAll('*', '|').replaceAll('~', "'")
  expect(setsOf(await eventsOf([good, other, good]))).toHaveLength(3)
})

test.each([
  ['', 'file.empty', 'nothing'],
  ['   \n', 'file.empty', 'nothing'],
  ["UNA:+.? 'UNB+UNOC:3+1234567890123:14'", 'file.not_x12', 'EDIFACT'],
  ['<?xml version="1.0"?><Order/>', 'file.not_x12', 'XML'],
  ['{"order":1}', 'file.not_x12', 'JSON'],
  ['PO,Line\n1,2', 'file.not_x12', 'begins with'],
])('what is no X12 is refused with a hint: %j', async (text, code, hint) => {
  const events = await eventsOf([text])
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({ finding: { code, message: expect.stringContaining(hint) } })
})

test('UTF-16 and EBCDIC are named as what they are', async () => {
  const utf16 = await eventsOf([Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')])])
  expect(utf16[0]).toMatchObject({ finding: { message: expect.stringContaining('UTF-16') } })
  const ebcdic = await eventsOf([Buffer.from([0xc9, 0xe2, 0xc1, 0x5c, 0xf0, 0xf0])])
  expect(ebcdic[0]).toMatchObject({ finding: { message: expect.stringContaining('EBCDIC') } })
})

test('a header with too few elements is refused with their number', () => {
  expect(readHeader('ISA*00*x~GS*PO~', true)).toEqual({
    kind: 'malformed',
    reason: 'ISA has 3 elements instead of 16.',
  })
})

test('positions name byte, line and segment, also behind a byte-order mark and multi-byte text', async () => {
  const text = `\uFEFF${good.replace('Quay', 'Façade').replaceAll('~', '~\n')}`
  const events = await eventsOf([text])
  const po1 = setsOf(events)[0]?.segments.find(({ id }) => id === 'PO1')
  expect(po1?.at).toEqual({
    byte: Buffer.from(text).indexOf('PO1*'),
    line: text.slice(0, text.indexOf('PO1*')).split('\n').length,
    segment: 6,
    segmentId: 'PO1',
  })
})

test('UTF-8 and Windows-1252 text are both read, and mixed encodings reported', async () => {
  const utf8 = setsOf(await eventsOf([Buffer.from(good.replace('Quay', 'Façade'))]))[0]
  expect(utf8?.segments[3]?.elements[1]).toBe('18 Façade Street')
  const events = await eventsOf([Buffer.from(good.replace('Quay', 'Façade à'), 'latin1')])
  expect(setsOf(events)[0]?.segments[3]?.elements[1]).toBe('18 Façade à Street')
  expect(findingsOf(events)).toContain('file.encoding_mixed')
})

test.each([
  ['limit.segment_length', { segmentBytes: 64 }, good.replace('Quay', 'Q'.repeat(100))],
  ['limit.elements', { elementsPerSegment: 20 }, good.replace('Street~', `Street${'*1'.repeat(30)}~`)],
  ['limit.set_size', { segmentsPerSet: 4 }, good],
  ['limit.set_size', { bytesPerSet: 40 }, good],
])('%s breaks the set it belongs to and nothing else', async (code, limits, text) => {
  const events = await eventsOf([text, text], limits)
  expect(findingsOf(events)).toContain(code)
  expect(setsOf(events)).toHaveLength(2)
  expect(setsOf(events)[0]?.errors).toContain('5')
})

test('a file beyond its limit ends with a finding and without a complaint about the source', async () => {
  const events = await eventsOf([good, good, good], { fileBytes: good.length * 2 })
  expect(findingsOf(events)).toContain('limit.file_size')
  expect(setsOf(events)).toHaveLength(2)
})

test('a file of many groups is read in the memory of one', async () => {
  const lines = Array.from({ length: 200 }, (_, place) => `PO1*${place + 1}*10*CA*24.9*PE*VN*NWF-1001`)
  const set = setText([...ORDER.slice(0, 4), ...lines, 'CTT*200'])
  function* file(): Generator<string> {
    yield HEADER
    for (let group = 1; group <= GROUPS; group++)
      yield `GS*PO*BUYER*SELLER*20261118*0915*${group}*X*004010~${set}GE*1*${group}~`
    yield `IEA*${GROUPS}*000000007~`
  }
  let [sets, early, late] = [0, 0, 0]
  for await (const event of readX12(file())) {
    if (event.kind !== 'set') continue
    sets++
    if (sets === GROUPS / 10) early = heldBytes()
    if (sets === GROUPS) late = heldBytes()
  }
  expect(sets).toBe(GROUPS)
  expect(late - early).toBeLessThan(1_000_000)
})
const GROUPS = 400

test('a segment that never ends is forgotten as it is read', async () => {
  const early = heldBytes()
  let late = 0
  async function* endless() {
    yield good.slice(0, good.indexOf('N3*'))
    for (let count = 0; count < 2_000; count++) yield 'x'.repeat(16_384)
    late = heldBytes()
    yield '~CTT*1~SE*8*0001~GE*1*7~IEA*1*000000007~'
  }
  const events = await eventsOf(endless())
  expect(findingsOf(events)).toContain('limit.segment_length')
  expect(late - early).toBeLessThan(8_000_000)
})

test('any bytes give events or findings, never an exception', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, behindHeader) => {
      const events = await eventsOf(behindHeader ? [HEADER, bytes] : [bytes])
      expect(events.length).toBeGreaterThan(0)
    }),
    { numRuns: 300 },
  )
})
