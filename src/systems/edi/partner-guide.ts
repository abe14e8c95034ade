/** A trading partner's implementation guide as data: who they are, which codes they use, what they want from us. */
import { z } from 'zod'
import { Owner } from '#domains/inventory/contract/owners.ts'
import { Refusal } from '#platform/faults.ts'
import { TimeZoneName } from '#platform/time-zone.ts'
import { parse as parseYaml } from 'yaml'

const InterchangeId = z.strictObject({
  qualifier: z
    .string()
    .regex(/^[A-Z0-9]{2}$/)
    .describe('ISA05 or ISA07: 01 DUNS, 08 UCC, 12 telephone, ZZ mutual'),
  id: z.string().min(1).max(15).describe('ISA06 or ISA08 without its padding'),
  groupId: z.string().min(2).max(15).describe('GS02 or GS03'),
})

const Delimiter = z
  .string()
  .length(1)
  .regex(/[^A-Za-z0-9 ]/)
const X12Unit = z.string().regex(/^[A-Z0-9]{2}$/)
const Code2 = z.string().regex(/^[A-Z0-9]{2}$/)
const SetType = z.string().regex(/^\d{3}$/)

/** What each kind of partner sends us. */
const RECEIVED = {
  customer: ['850', '997'],
  supplier: ['855', '856', '846', '997'],
  warehouse: ['944', '945', '947', '846', '997'],
} as const satisfies Record<string, readonly string[]>

export const ItemIdentity = z.enum(['sku', 'customer-item', 'gtin'])
export type ItemIdentity = z.infer<typeof ItemIdentity>

export const PartnerGuide = z
  .strictObject({
    partner: z
      .string()
      .regex(/^[a-z0-9-]{2,40}$/)
      .describe('Our name for the partner; part of every natural key'),
    name: z.string().min(1).max(80),
    owner: z.string().min(1).max(60).default('edi').describe('Queue that gets what cannot be processed'),
    company: z.string().min(1).max(12).describe('The legal entity that sells'),
    role: z
      .enum(['customer', 'supplier', 'warehouse'])
      .default('customer')
      .describe('What the partner is to us; it says which documents it may send'),
    customer: z.string().max(35).default('').describe("The sold-to's number, of a customer"),
    supplier: z.string().max(40).default('').describe("The supplier's number at our ERP, of a supplier"),
    location: z
      .string()
      .max(20)
      .default('')
      .describe(
        'Our location that the partner runs, of a warehouse; where it keeps our goods, of a supplier',
      ),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .describe('Where the order names none'),
    theirs: InterchangeId,
    ours: InterchangeId,
    usage: z.enum(['P', 'T']).describe('The ISA15 that is processed; the other is quarantined'),
    version: z.literal('004010').default('004010'),
    delimiters: z
      .strictObject({
        element: Delimiter.default('*'),
        component: Delimiter.default('>'),
        terminator: Delimiter.default('~'),
        lineBreak: z.boolean().default(false).describe('A line feed behind each terminator'),
      })
      .prefault({})
      .describe('What we write with; what they write with is found in their files'),
    receives: z.array(SetType).default(['850', '997']).describe('Documents that they send and we process'),
    sends: z
      .array(z.enum(['855', '856', '810', '846', '940']))
      .default(['855', '856', '810'])
      .describe('Documents that they want'),
    purposes: z.array(z.enum(['00', '01', '05', '06', '07'])).default(['00', '01', '05', '06', '07']),
    responsePurpose: z
      .enum(['00', '06', '11'])
      .default('11')
      .describe('BAK01 of an 855 that tells of a cancellation or a change instead of an order'),
    naturalKey: z
      .enum(['number', 'number-and-year', 'number-and-date'])
      .default('number-and-year')
      .describe('What makes a purchase order the same one: their numbers may recur'),
    units: z
      .record(X12Unit, z.string().regex(/^[A-Z0-9]{2,3}$/))
      .default({})
      .describe('X12 355 to UN/ECE, beyond the usual'),
    priceBasis: z
      .record(z.string().regex(/^[A-Z0-9]{2}$/), z.int().min(1))
      .default({ PE: 1, WE: 1, CT: 1, HP: 100, TP: 1000 })
      .describe('X12 639 to the number of units that the price is for; PK and PP are always by weight'),
    allowances: z
      .record(z.string().regex(/^[A-Z]\d{3}$/), z.enum(['discount', 'freight', 'handling', 'tax', 'ignore']))
      .default({})
      .describe('X12 1300 to what it means; a code that is not here is a warning'),
    items: z
      .array(z.strictObject({ qualifier: z.string().regex(/^[A-Z0-9]{2}$/), is: ItemIdentity }))
      .min(1)
      .default([
        { qualifier: 'VN', is: 'sku' },
        { qualifier: 'BP', is: 'customer-item' },
        { qualifier: 'UP', is: 'gtin' },
      ])
      .describe('Product ids in the order in which they are tried'),
    shipTo: z
      .strictObject({
        role: z
          .string()
          .regex(/^[A-Z0-9]{2,3}$/)
          .default('ST'),
        codeQualifiers: z.array(z.string()).default(['92', '91', '9', '1', 'UL']),
      })
      .prefault({})
      .describe('Which party is the ship-to, and which of its identifiers is an address code'),
    carriers: z
      .record(z.string(), z.string().regex(/^[A-Z]{2,4}$/))
      .default({})
      .describe('Our carrier codes to SCAC, where they differ'),
    tolerances: z
      .strictObject({
        pricePercent: z
          .number()
          .min(0)
          .max(100)
          .default(0)
          .describe("How far a price may be from ours, where that is more than the company's own tolerance"),
        pastDays: z
          .int()
          .min(0)
          .default(0)
          .describe("How many days before the order's own date it may be requested"),
      })
      .prefault({})
      .describe('How far prices and dates may be off before the order is held'),
    tolerated: z
      .array(
        z.strictObject({
          segment: z.string().regex(/^[A-Z][A-Z0-9]{1,2}$/),
          element: z.int().min(1).optional(),
          code: z
            .string()
            .regex(/^([1-9]|10)$/)
            .optional(),
        }),
      )
      .default([])
      .describe('Breaks of the standard that are accepted with errors noted instead of rejected'),
    timeZone: TimeZoneName.default('UTC').describe('Of dates and times in what we send'),
    weightUnit: z.enum(['KG', 'LB']).default('KG').describe('X12 355 of weights in what we send'),
    invoice: z
      .strictObject({
        priceDecimals: z.int().min(2).max(10).default(6).describe('So many places of a unit price are taken'),
        rounding: z
          .string()
          .regex(/^[A-Z]\d{3}$/)
          .default('F050')
          .describe('X12 1300 of what quantity times price leaves over'),
      })
      .prefault({})
      .describe('How the 810 says an amount that no short unit price comes to'),
    hierarchy: z.enum(['SOPI', 'SOIP', 'SPOI', 'SOI']).default('SOPI').describe('Levels of the 856'),
    supply: z
      .strictObject({
        days: z.int().min(0).max(365).default(0).describe('How far a day may be from the ordered one'),
        quantityPercent: z.number().min(0).max(100).default(0).describe('How far a quantity may be off'),
        transitDays: z
          .int()
          .min(0)
          .max(365)
          .default(0)
          .describe('From the day of shipment to that of arrival'),
      })
      .prefault({})
      .describe('What a supplier may tell before purchasing is told, and how long its goods travel'),
    warehouse: z
      .strictObject({
        conditions: z
          .record(Code2, z.enum(['damage', 'quality-hold']))
          .default({ '01': 'damage' })
          .describe('X12 412, of a part of what was received, to what it is'),
        adjustments: z
          .record(Code2, z.enum(['count', 'damage', 'quality-hold', 'quality-release']))
          .default({})
          .describe('X12 894 to what moves stock; each warehouse has its own'),
        moreFollows: z
          .array(Code2)
          .default(['BP', 'BK', 'BO', 'SS'])
          .describe('X12 368 of a shipped line that leave the request open'),
        owners: z
          .record(z.string().trim().min(1).max(80), Owner)
          .default({})
          .describe('N104, or N102, of the N1*OW of its documents to the owner of stock; own for ours'),
        cancellations: z
          .boolean()
          .default(false)
          .describe('Whether it ships nothing of what a 940 takes back before it was picked'),
        shipping: z
          .strictObject({
            payment: Code2.default('PP').describe('X12 146: who pays the carrier'),
            method: z
              .string()
              .regex(/^[A-Z0-9]{1,2}$/)
              .default('M')
              .describe('X12 91'),
          })
          .prefault({})
          .describe('What a 940 says of the carrier'),
      })
      .prefault({})
      .describe('Which codes of a warehouse mean what'),
    stock: z
      .record(Code2, z.enum(['available', 'qualityHold', 'damaged', 'ignore']))
      .default({ 33: 'available' })
      .describe('X12 673 of an 846 to what may be done with it'),
    wholeCounts: z
      .boolean()
      .default(false)
      .describe('Whether an 846 names all that is there, so that what it leaves out is not'),
    acknowledgment: z
      .strictObject({
        deadlineHours: z
          .number()
          .positive()
          .default(24)
          .describe('A 997 for our documents later than this is an exception'),
        ours: z.boolean().default(true).describe('Whether we send a 997 for theirs'),
      })
      .prefault({}),
  })
  .superRefine(({ role, receives, sends, ...guide }, problems) => {
    const problem = (path: string, message: string): void =>
      problems.addIssue({ code: 'custom', path: [path], message })
    const place = role === 'warehouse' ? 'location' : role
    if (guide[place] === '') problem(place, `a ${role} has a number here`)
    if (receives.includes('846') && guide.location === '')
      problem('location', 'an 846 is about a location of ours')
    if (sends.includes('940') && role !== 'warehouse') problem('sends', `a ${role} takes no 940`)
    const strange = receives.filter((type) => !(RECEIVED[role] as readonly string[]).includes(type))
    if (strange.length > 0)
      problem('receives', `${strange.join(', ')}: a ${role} sends ${RECEIVED[role].join(', ')}`)
  })
  .describe('Implementation guide of one trading partner')
export type PartnerGuide = z.infer<typeof PartnerGuide>

/** Reads a guide from YAML or JSON text. Refuses with the place of every fault. */
export function parsePartnerGuide(text: string, source: string): PartnerGuide {
  let content: unknown
  try {
    content = parseYaml(text, { maxAliasCount: 0 })
  } catch (cause) {
    throw new Refusal('edi.partner_guide_invalid', `${source} is no YAML: ${String(cause)}`, { source })
  }
  const result = PartnerGuide.safeParse(content)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'guide'}: ${message}`)
  throw new Refusal('edi.partner_guide_invalid', `${source}: ${problems.join('; ')}`, { source, problems })
}

export type PartnerGuides = {
  /** The guide of a sender, by ISA05 and ISA06. */
  bySender(qualifier: string, id: string): PartnerGuide | undefined
  readonly all: readonly PartnerGuide[]
}

/** An index over guides. Refuses two guides for one sender, and two with one name. */
export function indexGuides(guides: readonly PartnerGuide[]): PartnerGuides {
  const senders = new Map<string, PartnerGuide>()
  const names = new Set<string>()
  for (const guide of guides) {
    const key = `${guide.theirs.qualifier} ${guide.theirs.id}`
    if (senders.has(key) || names.has(guide.partner)) {
      throw new Refusal('edi.partner_guide_repeated', `${guide.partner} (${key}) has more than one guide`, {
        partner: guide.partner,
        sender: key,
      })
    }
    senders.set(key, guide)
    names.add(guide.partner)
  }
  return { bySender: (qualifier, id) => senders.get(`${qualifier} ${id}`), all: [...senders.values()] }
}
