/** What the EDI room has to say about a file: every deviation has a code, a severity and a place. */

/** note: tolerated, nothing is lost. warning: tolerated, a person may want to know. error: something is not used. */
export type Severity = 'note' | 'warning' | 'error'

/** Where in the file; bytes count from 0, lines, segments and elements from 1, the segment within its transaction set. */
export type Position = {
  readonly byte: number
  readonly line: number
  readonly segment?: number
  readonly segmentId?: string
  readonly element?: number
  readonly component?: number
}

export type Finding = {
  readonly code: FindingCode
  readonly severity: Severity
  readonly message: string
  readonly at: Position
}

export const FINDINGS = {
  'file.empty': ['error', 'The file holds nothing.'],
  'file.not_x12': ['error', 'No interchange header (ISA with 16 elements) was found.'],
  'file.byte_order_mark': ['note', 'A UTF-8 byte-order mark stands before the first interchange.'],
  'file.junk': ['warning', 'Text outside of any interchange was passed over.'],
  'file.final_terminator_missing': ['warning', 'The last segment has no terminator.'],
  'file.encoding_mixed': [
    'note',
    'Some text is not UTF-8 and was read as Windows-1252 (a superset of Latin-1).',
  ],
  'limit.file_size': ['error', 'The file is larger than the limit; the rest was not read.'],
  'limit.segment_length': ['error', 'A segment is longer than the limit and was dropped.'],
  'limit.elements': ['error', 'A segment has more elements than the limit and was dropped.'],
  'limit.set_size': ['error', 'A transaction set is larger than the limit; its rest was dropped.'],
  'limit.headers': ['error', 'Too many malformed headers; the rest of the file was not read.'],
  'limit.findings': ['warning', 'There are more findings than the limit; the rest is left out.'],
  'header.malformed': ['error', 'Something that begins like an interchange header is none.'],
  'header.unpadded': ['note', 'Interchange header elements are not padded to their fixed width.'],
  'header.element_too_long': ['warning', 'An interchange header element is longer than its fixed width.'],
  'header.no_break_space': ['note', 'The interchange header is padded with no-break spaces.'],
  'header.line_break': ['note', 'A line break stands inside the interchange header.'],
  'header.component_separator_missing': ['warning', 'The header names no component separator (ISA16).'],
  'segment.line_breaks': ['note', 'Segments are separated by line breaks besides their terminator.'],
  'segment.indented': ['note', 'Segments are indented.'],
  'segment.trailing_whitespace': ['note', 'White space stands between the last element and the terminator.'],
  'segment.trailing_separators': ['note', 'Segments end in empty elements.'],
  'segment.lower_case': ['note', 'Segment identifiers are written in lower case.'],
  'segment.line_break_inside': ['note', 'Line breaks stand inside of segments and were taken out.'],
  'segment.terminator_missing': ['warning', 'A segment ends with its line, without a terminator.'],
  'segment.identifier_malformed': ['error', 'A segment has no proper identifier.'],
  'element.trailing_spaces': ['note', 'Elements end in spaces, which were taken off.'],
  'interchange.trailer_missing': ['error', 'The interchange has no trailer (IEA).'],
  'interchange.control_number_mismatch': ['warning', 'ISA13 and IEA02 differ.'],
  'interchange.group_count_mismatch': ['warning', 'IEA01 does not match the groups that were read.'],
  'interchange.acknowledgment_received': [
    'note',
    'The interchange carries an interchange acknowledgment (TA1).',
  ],
  'group.trailer_missing': ['error', 'The functional group has no trailer (GE).'],
  'group.control_number_mismatch': ['warning', 'GS06 and GE02 differ.'],
  'group.set_count_mismatch': ['warning', 'GE01 does not match the transaction sets that were read.'],
  'envelope.segment_outside': [
    'warning',
    'A segment stands outside of any transaction set and was passed over.',
  ],
  'set.outside_group': ['error', 'A transaction set stands outside of any functional group.'],
  'set.trailer_missing': ['error', 'The transaction set has no trailer (SE).'],
  'set.identifier_malformed': ['error', 'The transaction set has no proper identifier (ST01).'],
  'set.control_number_malformed': ['error', 'The transaction set has no proper control number (ST02).'],
  'set.control_number_mismatch': ['error', 'ST02 and SE02 differ.'],
  'set.control_number_repeated': ['warning', 'The control number was used before in this functional group.'],
  'set.segment_count_mismatch': ['error', 'SE01 does not match the segments that were read.'],
  'set.syntax': ['error', 'The transaction set breaks the standard or the guide; see segment and element.'],
  'set.syntax_tolerated': [
    'warning',
    'The transaction set breaks the standard in a way that the guide tolerates.',
  ],
  'po.line_count_mismatch': ['warning', 'CTT01 does not match the lines of the order.'],
  'po.hash_total_mismatch': ['warning', 'CTT02 does not match the sum of the ordered quantities.'],
  'po.amount_mismatch': ['warning', 'The total amount (AMT) does not match quantity times price.'],
  'po.line_number_missing': ['note', 'A line has no number of its own and got its position.'],
  'po.line_number_repeated': ['warning', 'Two lines have the same number; the later one got a suffix.'],
  'po.line_currency': ['note', 'The currency stands at the line.'],
  'po.currency_mixed': ['error', 'The order names more than one currency.'],
  'po.no_parties': ['note', 'The order names no party; the sender is the buyer.'],
  'po.ship_to_missing': ['note', "The order names no ship-to; the customer's default address applies."],
  'po.country_unknown': ['warning', 'The ship-to country is no ISO 3166-1 code and was left out.'],
  'po.no_lines': ['error', 'The order has no line that can be ordered.'],
  'po.item_unidentified': ['error', 'No product id of the line leads to one of our items.'],
  'po.unit_unknown': ['error', 'The unit of the line is not in the guide.'],
  'po.quantity_unusable': ['error', 'The quantity of the line is missing, not positive or not exact.'],
  'po.price_unusable': ['warning', 'The price of the line cannot be compared with ours.'],
  'po.requested_before_order': ['warning', "The requested date lies before the order's own date."],
  'po.allowance_unknown': ['warning', 'An allowance or charge is not in the guide.'],
  'po.schedule_not_kept': [
    'note',
    'Schedules or destinations at the line are shown, not split into deliveries.',
  ],
  'advice.order_missing': ['error', 'It does not say to which of our documents it belongs.'],
  'advice.number_missing': ['error', 'It has no number of its own, by which it would be known again.'],
  'advice.code_unknown': ['error', 'A code that says what was done is not in the guide.'],
  'advice.owner_unknown': ['error', "It names an owner of the goods who is not among the guide's owners."],
  'advice.owner_of_others': [
    'error',
    "It tells of another owner's goods, which we take by 944 and 947 alone.",
  ],
  'advice.no_lines': ['error', 'It has no line.'],
  'advice.item_unidentified': ['error', 'No product id of the line leads to one of our items.'],
  'advice.unit_unknown': ['error', 'The unit of the line is not in the guide.'],
  'advice.quantity_unusable': ['error', 'The quantity of the line is missing, negative or not exact.'],
  'advice.date_unusable': ['error', 'The time of the document cannot be read.'],
  'po.too_many_lines': ['error', 'The order has more lines than one order can hold.'],
} as const satisfies Record<string, readonly [Severity, string]>

export type FindingCode = keyof typeof FINDINGS

/** A finding at its catalogued severity; `detail` says what is special about this one. */
export function finding(code: FindingCode, at: Position, detail?: string): Finding {
  const [severity, says] = FINDINGS[code]
  return { code, severity, message: detail ? `${says} ${detail}` : says, at }
}
