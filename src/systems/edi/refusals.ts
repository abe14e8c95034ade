/** The refusals of the EDI room: what we cannot write, and files about partners that cannot be used. */
import type { RefusalCode } from '#platform/faults.ts'

export const EDI_REFUSALS = {
  'edi.delimiter_in_data': {
    status: 422,
    title: 'A delimiter stands in the data',
    cause:
      "The text holds a character that separates elements, components or segments in this partner's files.",
    fix: "Change the text at its source, or agree on other delimiters and enter them in the partner's guide.",
  },
  'edi.character_not_allowed': {
    status: 422,
    title: 'A control character stands in the data',
    cause: 'X12 elements carry printable text; line breaks and tabs cannot be sent.',
    fix: 'Remove the control character at its source.',
  },
  'edi.element_invalid': {
    status: 422,
    title: 'An element does not fit its definition',
    cause: 'The value is too long, too short, of another type or missing for the segment of version 004010.',
    fix: 'Correct the value at the segment and element that the refusal names.',
  },
  'edi.control_number_invalid': {
    status: 422,
    title: 'A control number is out of range',
    cause: 'Interchange and group numbers have 1 to 9 digits, transaction set numbers 4 to 9 characters.',
    fix: 'Correct the number range of the partner.',
  },
  'edi.line_unanswered': {
    status: 422,
    title: 'A line of the purchase order has no answer',
    cause: 'An 855 answers every line of its 850.',
    fix: 'Give each line at least one acknowledgment, a rejection if nothing else.',
  },
  'edi.sscc_invalid': {
    status: 422,
    title: 'A package has no valid SSCC',
    cause: 'An SSCC has 18 digits, the last being the check digit.',
    fix: 'Correct the SSCC that the warehouse reported.',
  },
  'edi.invoice_total_mismatch': {
    status: 422,
    title: 'The total of the invoice is not the sum of its parts',
    cause: 'Lines, charges, allowances and taxes do not add up to the stated total.',
    fix: 'Correct the invoice; an 810 is never sent with a total of its own making.',
  },
  'edi.amount_unrepresentable': {
    status: 422,
    title: 'An amount has no representation in hundredths',
    cause: 'X12 amounts of type N2 carry two decimals; the amount needs more.',
    fix: 'Round the amount where it is made.',
  },
  'edi.unit_unmapped': {
    status: 422,
    title: 'A unit has no code that the partner understands',
    cause: "Neither the partner's guide nor the table of usual units has an X12 code for the unit.",
    fix: "Add the unit to the partner's guide.",
  },
  'edi.acknowledgment_of_acknowledgment': {
    status: 422,
    title: 'A 997 is never acknowledged',
    cause: 'The functional group holds functional acknowledgments (FA).',
    fix: 'Do not ask for an acknowledgment of this group.',
  },
  'edi.partner_guide_invalid': {
    status: 422,
    title: 'A partner guide is not valid',
    cause: 'The file is no YAML or JSON, or its content does not fit the schema of partner guides.',
    fix: 'Correct the place that the refusal names; docs/edi.md explains every entry.',
  },
  'edi.partner_guide_repeated': {
    status: 422,
    title: 'Two partner guides claim the same identifiers',
    cause: 'A sender must lead to one guide.',
    fix: 'Remove one of the two guides, or change its identifiers.',
  },
  'edi.partner_unknown': {
    status: 422,
    title: 'The partner has no guide any more',
    cause: 'The order came from a partner whose guide was removed since.',
    fix: "Put the partner's guide back, then have it tried again.",
  },
  'edi.advice_unreadable': {
    status: 422,
    title: 'What a warehouse tells cannot be read',
    cause: "Its item, unit, quantity, date, number or code leads to nothing under the warehouse's guide.",
    fix: "Correct the partner's guide or the item's units, or the message itself; then replay it, or discard it.",
  },
  'edi.document_not_agreed': {
    status: 422,
    title: 'The partner takes no such document',
    cause: 'There is no guide of the partner, or its guide does not list the document under what it wants.',
    fix: "Add the document to `sends` of the partner's guide once it is agreed.",
  },
  'edi.cancellation_not_agreed': {
    status: 422,
    title: 'The warehouse takes no request back',
    cause: 'Its guide does not say that it ships nothing of what a 940 takes back.',
    fix: 'Have it stopped by other means, or take the goods back when they return. Once it is agreed, set `warehouse.cancellations` of its guide.',
  },
  'edi.quarantined': {
    status: 422,
    title: 'A transaction set waits for a person',
    cause: 'We cannot or must not act on it: the facts say why.',
    fix: "Correct the partner's guide or ask the sender; then replay the message, or discard it.",
  },
} as const satisfies Record<string, RefusalCode>
