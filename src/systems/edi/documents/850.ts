/** The purchase order (850): what a customer wants from us, in neutral words but with the sender's own codes. */
import type { Finding, FindingCode } from '../findings.ts'
import { finding } from '../findings.ts'
import type { Segment } from '../x12-segments.ts'
import {
  allowances,
  contacts,
  isoDate,
  optional,
  party,
  present,
  productIds,
  qualifiedDates,
  references,
} from './parts.ts'
import { verifyTotals } from './purchase-order-totals.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './purchase-order.ts'
import { ORDER_PURPOSES } from './purchase-order.ts'
import type { Loop } from './structure.ts'
import { all, element, first, loopsOf, structure } from './structure.ts'

export const PURCHASE_ORDER = structure(`
  ST M 1; BEG M 1; CUR O 1; REF O >1; PER O 3; TAX O >1; FOB O >1; CTP O >1; PAM O 10; CSH O 5; TC2 O >1
  SAC O 25 (; CUR O 1; )
  ITD O >1; DIS O 20; INC O 1; DTM O 10; LDT O 12; LIN O 5; SI O >1; PID O 200; MEA O 40; PWK O 25; PKG O 200
  TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; MAN O 10; PCT O >1; CTB O 5; TXI O >1
  AMT O >1 (; REF O >1; DTM O 1; PCT O >1; )
  N9 O 1000 (; DTM O >1; MSG O 1000; )
  N1 O 200 (; N2 O 2; N3 O 2; N4 O >1; NX2 O >1; REF O 12; PER O >1; SI O >1; FOB O 1; TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; PKG O 200; MSG O >1; )
  LM O >1 (; LQ O >1; )
  SPI O >1 (; REF O 5; DTM O 5; MSG O 50; )
  ADV O >1 (; DTM O >1; MTX O >1; )
  PO1 M 100000 (
    LIN O >1; SI O >1; CUR O 1; CN1 O 1; PO3 O 25; CTP O >1 (; CUR O 1; )
    PAM O 10; MEA O 40; PID O 1000 (; MEA O 10; )
    PWK O 25; PO4 O >1; REF O >1; PER O 3; SAC O 25 (; CUR O 1; CTP O 1; )
    IT8 O >1; CSH O >1; ITD O 2; DIS O 20; INC O 1; TAX O >1; FOB O >1; SDQ O 500; IT3 O 5; DTM O 10; TC2 O >1
    TD1 O 1; TD5 O 12; TD3 O 12; TD4 O 5; PCT O >1; MAN O 10; MSG O >1; SPI O >1; TXI O >1; CTB O >1
    QTY O >1 (; SI O >1; )
    SCH O 200 (; TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; REF O >1; )
    PKG O 200 (; MEA O >1; )
    LS O 1; LDT O >1 (; QTY O >1; MSG O 1; REF O 3; LM O >1; LQ O >1; ); LE O 1
    N9 O 1000 (; DTM O >1; MEA O 40; PWK O 25; EFI O >1; MSG O 1000; )
    N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; QTY O >1; NX2 O >1; REF O 12; PER O 3; SI O >1; DTM O 1; FOB O 1; SCH O 200; TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; PKG O 200; )
    SLN O 1000 (; MSG O >1; SI O >1; PID O 1000; PO3 O 104; TC2 O >1; ADV O >1; DTM O 10; CTP O 25; PAM O 10; PO4 O 1; TAX O 3; QTY O >1; SAC O 25; N9 O >1; N1 O 10; N2 O 2; N3 O 2; N4 O 1; )
    AMT O >1 (; REF O 1; PCT O >1; )
    LM O >1 (; LQ O >1; )
  )
  CTT O 1 (; AMT O 1; )
  SE O 1
`)

/** Reads a matched set that passed validation; surprises in the business are findings and never thrown. */
export function parsePurchaseOrder(root: Loop): { document: PurchaseOrderDocument; findings: Finding[] } {
  const findings: Finding[] = []
  const beg = first(root, 'BEG')
  const at = beg?.at ?? { byte: 0, line: 1 }
  const lines = parseLines(root, findings)
  const parties = loopsOf(root, 'N1').map(party)
  if (parties.length === 0) findings.push(finding('po.no_parties', at))
  const document: PurchaseOrderDocument = {
    purpose: ORDER_PURPOSES[element(beg, 1) as keyof typeof ORDER_PURPOSES] ?? 'original',
    type: element(beg, 2),
    number: element(beg, 3),
    date: isoDate(element(beg, 5)),
    ...present({
      release: optional(beg, 4),
      contract: optional(beg, 6),
      currency: optional(first(root, 'CUR'), 2),
    }),
    references: references(root),
    contacts: contacts(root),
    ...freight(first(root, 'FOB')),
    terms: all(root, 'ITD').map(terms),
    dates: qualifiedDates(root),
    routing: all(root, 'TD5').map((td5) =>
      present({ carrier: optional(td5, 3), method: optional(td5, 4), routing: optional(td5, 5) }),
    ),
    allowances: allowances(root),
    notes: notes(root),
    parties,
    lines,
    ...present({ totalAmount: totalAmount(root) }),
    at,
  }
  verifyTotals(document, loopsOf(root, 'CTT')[0], findings)
  return { document, findings }
}

function freight(fob: Segment | undefined): Pick<PurchaseOrderDocument, 'freight'> {
  if (!fob) return {}
  const location = optional(fob, 3) ?? optional(fob, 7)
  return { freight: { payment: element(fob, 1), ...present({ terms: optional(fob, 5), location }) } }
}

const terms = (itd: Segment): PurchaseOrderDocument['terms'][number] =>
  present({
    type: optional(itd, 1),
    discountPercent: optional(itd, 3),
    discountDays: optional(itd, 5),
    netDays: optional(itd, 7),
    description: optional(itd, 12),
  })

const notes = (loop: Loop): string[] => [
  ...all(loop, 'MSG').map((msg) => element(msg, 1)),
  ...loopsOf(loop, 'N9').flatMap((n9) => all(n9, 'MSG').map((msg) => element(msg, 1))),
]

function totalAmount(root: Loop): string | undefined {
  const amounts = [
    ...loopsOf(root, 'AMT').map((loop) => first(loop, 'AMT')),
    ...loopsOf(root, 'CTT').map((loop) => first(loop, 'AMT')),
  ]
  return optional(
    amounts.find((amt) => element(amt, 1) === 'TT'),
    2,
  )
}

function parseLines(root: Loop, findings: Finding[]): PurchaseOrderLine[] {
  const used = new Set<string>()
  return loopsOf(root, 'PO1').map((loop, index) => {
    const po1 = first(loop, 'PO1') as Segment
    const note = (code: FindingCode, detail?: string): void =>
      void findings.push(finding(code, po1.at, detail))
    return parseLine(loop, po1, lineNumber(optional(po1, 1), index + 1, { used, note }), note)
  })
}

type Naming = { readonly used: Set<string>; readonly note: (code: FindingCode, detail?: string) => void }

function lineNumber(assigned: string | undefined, position: number, { used, note }: Naming): string {
  const wanted = assigned ?? String(position)
  let line = wanted
  for (let suffix = 2; used.has(line); suffix++) line = `${wanted.slice(0, 16)}.${suffix}`
  if (!assigned) note('po.line_number_missing', `(line ${line})`)
  else if (line !== wanted) note('po.line_number_repeated', `(${wanted})`)
  used.add(line)
  return line
}

function parseLine(
  loop: Loop,
  po1: Segment,
  line: string,
  note: (code: FindingCode, detail?: string) => void,
): PurchaseOrderLine {
  const currency = optional(first(loop, 'CUR'), 2)
  if (currency) note('po.line_currency', `(line ${line}: ${currency})`)
  const schedules = loopsOf(loop, 'SCH').map(({ segments: [sch] }) => ({
    quantity: element(sch, 1),
    unit: element(sch, 2),
    date: isoDate(element(sch, 6)),
  }))
  const destinations = all(loop, 'SDQ').flatMap(readDestinations)
  if (schedules.length + destinations.length > 0) note('po.schedule_not_kept', `(line ${line})`)
  const description = loopsOf(loop, 'PID')
    .map(({ segments: [pid] }) => element(pid, 5))
    .filter((text) => text !== '')
    .join(' ')
  return {
    line,
    ...present({
      assignedId: optional(po1, 1),
      quantity: optional(po1, 2),
      unit: optional(po1, 3),
      price: optional(po1, 4),
      priceBasis: optional(po1, 5),
      currency,
      description,
      pack: optional(first(loop, 'PO4'), 1),
    }),
    productIds: [...productIds(po1, 6), ...all(loop, 'LIN').flatMap((lin) => productIds(lin, 2))],
    dates: qualifiedDates(loop),
    references: references(loop),
    allowances: allowances(loop),
    notes: notes(loop),
    schedules,
    destinations,
    parties: loopsOf(loop, 'N1').map(party),
    at: po1.at,
  }
}

/** SDQ: a unit, an identifier qualifier, then pairs of location and quantity. */
function readDestinations(sdq: Segment): PurchaseOrderLine['destinations'][number][] {
  const pairs = []
  for (let number = 3; number + 1 < sdq.elements.length; number += 2) {
    pairs.push({ location: element(sdq, number), quantity: element(sdq, number + 1), unit: element(sdq, 1) })
  }
  return pairs
}
