/** The HTTP doors to serials: what a place has of an item, and where one of them is and has been. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { SERIAL_BUCKETS, Serial, SerialStory, SerialView } from '../contract/serials.ts'
import { OwnerFilter } from '../contract/owners.ts'
import { itemsOf, locationsOf, type AvailabilityPorts } from '../routes.ts'
import { listSerials, type SerialNumbers, tellSerial } from '../views/serials.ts'
import { assertStaff } from './adjustments.ts'

export type SerialAsked = {
  readonly company: string
  readonly serial: string
  readonly sku?: string | undefined
}

export type SerialVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly numbers: SerialNumbers
  /** Refuses what nobody has told of, and what several items are named by. */
  readonly story: (asked: SerialAsked) => Promise<SerialStory>
}

const SERIALS = '/process/inventory/v1/serials'

export const serialRoutes = (verbs: SerialVerbs): Route[] => [list(verbs), one(verbs)]

const example = {
  serial: 'SN-20431',
  sku: '10012',
  state: 'here',
  location: 'CHI-1',
  owner: 'own',
  status: 'available',
  toldAt: '2026-11-20T16:10:00.000Z',
} as const

const ListedSerials = PageQuery.extend({
  company: z.string().min(1).max(12),
  sku: z.string().min(1).max(40),
  location: z.string().min(1).max(32).optional(),
  status: z.enum(SERIAL_BUCKETS).optional(),
  lot: z.string().min(1).max(40).optional(),
  owner: OwnerFilter,
})

const list = (verbs: SerialVerbs): Route =>
  route({
    method: 'GET',
    path: SERIALS,
    operationId: 'serials.list',
    summary: 'Units of an item that are with us, of all owners, by location and serial',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListedSerials,
    answers: { 200: { description: 'A page', body: pageOf(SerialView) } },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'http.cursor_invalid',
    ],
    example: { query: { company: 'NWF', sku: '10012', limit: 50 }, answer: { items: [example] } },
    async handler(request) {
      const { company, sku, location, status, lot, owner, limit } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company, location })
      const itemId = (await itemsOf(verbs, { company, sku: [sku] })).get(sku)!.id
      const [from, serial] = (verbs.pages.after(request) ?? []) as readonly string[]
      const after = from === undefined ? undefined : { location: from, serial: serial! }
      const filter = { company, itemId, location, bucket: status, lot, owner }
      const found = await listSerials(verbs.queries, filter, after, limit + 1)
      const page = found.slice(0, limit)
      const last = found.length > limit ? page.at(-1)! : undefined
      return verbs.pages.answer(
        request,
        page.map((row) => tellSerial(row, sku, verbs.numbers)),
        last && [last.location!, last.serial],
      )
    },
  })

const ReadSerial = z.object({
  company: z.string().min(1).max(12),
  sku: z.string().min(1).max(40).optional().describe('Where several items have this serial'),
})

const SerialNumber = z.object({ serial: Serial })

const one = (verbs: SerialVerbs): Route =>
  route({
    method: 'GET',
    path: `${SERIALS}/:serial`,
    operationId: 'serials.get',
    summary: 'Where a unit is, what was told of it, and with what it was shipped to whom',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: SerialNumber,
    query: ReadSerial,
    answers: { 200: { description: 'As it is known now', body: SerialStory } },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.serial_unknown',
      'inventory.serial_of_several',
    ],
    example: {
      params: { serial: 'SN-20431' },
      query: { company: 'NWF' },
      answer: {
        company: 'NWF',
        serial: 'SN-20431',
        sku: '10012',
        state: 'shipped',
        shipment: 'S-1000031',
        order: 'O-1000017',
        customer: '500001',
        customerOrder: 'PO-88123',
        shippedAt: '2026-11-20T16:10:00.000Z',
        carrier: 'SWIFT',
        number: 'SH-20418',
        toldAt: '2026-11-20T16:10:00.000Z',
        history: [
          {
            from: 'available',
            fromLocation: 'CHI-1',
            fromOwner: 'own',
            to: 'shipped',
            toOwner: 'own',
            reason: 'ship',
            source: 'wms',
            sourceKey: 'SH-20418',
            document: 'S-1000031',
            at: '2026-11-20T16:10:00.000Z',
            recordedAt: '2026-11-20T16:10:02.000Z',
            moved: true,
          },
        ],
      },
    },
    async handler({ params: { serial }, query: { company, sku }, principal }) {
      assertStaff(principal, company)
      locationsOf(verbs, { company })
      if (sku !== undefined) await itemsOf(verbs, { company, sku: [sku] })
      return { status: 200, body: await verbs.story({ company, serial, sku }) }
    },
  })
