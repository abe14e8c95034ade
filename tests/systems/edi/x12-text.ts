/** X12 files for tests: a good order by default, with whatever a test wants to change about it. */
import type { StructureNode } from '#systems/edi/documents/structure.ts'
import { type Validation, validateSet } from '#systems/edi/documents/validate.ts'
import { type PartnerGuide, PartnerGuide as Guide } from '#systems/edi/partner-guide.ts'
import type { X12Event } from '#systems/edi/x12-envelopes.ts'
import { type X12Limits, X12_LIMITS } from '#systems/edi/x12-limits.ts'
import { type Chunks, readX12 } from '#systems/edi/x12-reader.ts'

export const HEADER =
  'ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261118*0915*U*00401*000000007*0*P*>~'

/** The segments of an order between ST and SE. */
export const ORDER = [
  'BEG*00*SA*PO-1**20261117',
  'N1*ST*Store 12*92*S12',
  'N3*18 Quay Street',
  'N4*Portland*OR*97201*US',
  'PO1*1*10*CA*24.9*PE*VN*NWF-1001',
  'CTT*1',
]

/** One set: ST, what is inside, and an SE that counts right. */
export function setText(inside: readonly string[], type = '850', controlNumber = '0001'): string {
  const segments = [`ST*${type}*${controlNumber}`, ...inside, `SE*${inside.length + 2}*${controlNumber}`]
  return segments.map((segment) => `${segment}~`).join('')
}

/** An interchange with one group around the given sets. */
export function fileText(sets: readonly string[], functionalId = 'PO', version = '004010'): string {
  return [
    HEADER,
    `GS*${functionalId}*BUYER*SELLER*20261118*0915*7*X*${version}~`,
    ...sets,
    `GE*${sets.length}*7~`,
    'IEA*1*000000007~',
  ].join('')
}

export const guide = (overrides: Record<string, unknown> = {}): PartnerGuide =>
  Guide.parse({
    partner: 'buyer',
    name: 'Buyer',
    owner: 'edi-desk',
    company: 'NWF',
    customer: 'C-1',
    currency: 'USD',
    theirs: { qualifier: 'ZZ', id: 'BUYER', groupId: 'BUYER' },
    ours: { qualifier: 'ZZ', id: 'SELLER', groupId: 'SELLER' },
    usage: 'P',
    ...overrides,
  })

export async function eventsOf(chunks: Chunks, limits: Partial<X12Limits> = {}): Promise<X12Event[]> {
  const events: X12Event[] = []
  for await (const event of readX12(chunks, { ...X12_LIMITS, ...limits })) events.push(event)
  return events
}

export const findingsOf = (events: readonly X12Event[]): string[] =>
  events.flatMap((event) =>
    event.kind === 'finding'
      ? [event.finding.code]
      : event.kind === 'set'
        ? event.set.findings.map(({ code }) => code)
        : [],
  )

export const setsOf = (events: readonly X12Event[]) =>
  events.flatMap((event) => (event.kind === 'set' ? [event.set] : []))

/** Validates the segments of one set between ST and SE. */
export async function validate(
  nodes: readonly StructureNode[],
  inside: readonly string[],
  type: string,
): Promise<Validation> {
  const [set] = setsOf(await eventsOf([fileText([setText(inside, type)])]))
  return validateSet(nodes, set?.segments ?? [], { component: '>' })
}
