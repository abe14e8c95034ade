/** The HTTP doors to positions and movements. Which items and documents there are is handed in. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { formatQuantity } from '#platform/quantity.ts'
import * as example from '../contract/adjustment-examples.ts'
import { OWN, OwnerFilter } from '../contract/owners.ts'
import { MovementView, PositionView } from '../contract/ledger.ts'
import { itemsOf, locationsOf, type AvailabilityPorts } from '../routes.ts'
import {
  listMovements,
  listPositions,
  type MovementRow,
  type PositionPlace,
  type PositionRow,
} from '../views/ledger.ts'
import { assertStaff } from './adjustments.ts'

export type NamedItem = { readonly sku: string; readonly baseUnit: string }
type MovedPlace = { readonly itemId: number; readonly location: string }

export type LedgerVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly itemsById: (ids: readonly number[]) => Promise<ReadonlyMap<number, NamedItem>>
  /** A document of the company by its number, and where it moved stock; undefined where there is none. */
  readonly movedBy: (
    company: string,
    number: string,
  ) => Promise<{ readonly doc: number; readonly places: readonly MovedPlace[] } | undefined>
  /** The number under which people know what moved stock. */
  readonly documentNumber: (source: string, doc: number) => string
}

export const ledgerRoutes = (verbs: LedgerVerbs): Route[] => [positions(verbs), movements(verbs)]

const Company = z.string().min(1).max(12)
const Sku = z.string().min(1).max(40)
const Lot = z.string().min(1).max(40)
const Location = z.string().min(1).max(32)

const ListedPositions = PageQuery.extend({
  company: Company,
  sku: Sku.optional(),
  location: Location.optional(),
  lot: Lot.optional(),
  owner: OwnerFilter,
})

const positions = (verbs: LedgerVerbs): Route =>
  route({
    method: 'GET',
    path: '/process/inventory/v1/positions',
    operationId: 'positions.list',
    summary: 'What is where, by status',
    description:
      'By item, location, lot and owner, or at one location by item, lot and owner. A position without a lot is the ' +
      'whole of which lots are the breakdown. What can be promised of it is another question.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListedPositions,
    answers: { 200: { description: 'A page', body: pageOf(PositionView) } },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'http.cursor_invalid',
    ],
    example: { query: { company: 'NWF', limit: 50 }, answer: { items: [example.position] } },
    async handler(request) {
      const { company, sku, location, lot, owner, limit } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company, location })
      const itemId = await itemNamed(verbs, company, sku)
      const after = verbs.pages.after(request)
      const from = after && placeOf(after as readonly [number, string, string, string?])
      const found = await listPositions(
        verbs.queries,
        { company, itemId, location, lot, owner },
        from,
        limit + 1,
      )
      const page = found.slice(0, limit)
      const items = await verbs.itemsById([...new Set(page.map((row) => row.itemId))])
      const last = found.length > limit ? page.at(-1)! : undefined
      return verbs.pages.answer(
        request,
        page.map((row) => tellPosition(row, items.get(row.itemId)!)),
        last && [last.itemId, last.location, last.lot, last.owner],
      )
    },
  })

/** A page that was given before owners were told ended at ours. */
const placeOf = ([itemId, location, lot, owner = OWN]: readonly [
  number,
  string,
  string,
  string?,
]): PositionPlace => ({ itemId, location, lot, owner })

async function itemNamed(
  verbs: LedgerVerbs,
  company: string,
  sku: string | undefined,
): Promise<number | undefined> {
  if (sku === undefined) return undefined
  const found = await itemsOf(verbs, { company, sku: [sku] })
  return found.get(sku)!.id
}

const tellPosition = (row: PositionRow, { sku, baseUnit }: NamedItem): PositionView => ({
  sku,
  location: row.location,
  owner: row.owner,
  ...(row.lot !== '' && { lot: row.lot }),
  available: formatQuantity(row.available),
  reserved: formatQuantity(row.reserved),
  qualityHold: formatQuantity(row.qualityHold),
  quarantine: formatQuantity(row.quarantine),
  damaged: formatQuantity(row.damaged),
  blocked: formatQuantity(row.blocked),
  inTransit: formatQuantity(row.inTransit),
  unreconciled: formatQuantity(row.unreconciled),
  unit: baseUnit,
  toldAt: row.toldAt.toISOString(),
})

const ListedMovements = PageQuery.extend({
  company: Company,
  sku: Sku.optional(),
  location: Location.optional(),
  lot: Lot.optional(),
  owner: OwnerFilter,
  source: z.string().min(1).max(40).optional().describe('Who told it, such as a warehouse by its name'),
  document: z.string().min(1).max(40).optional().describe('Such as S-1000031 or A-1000071'),
})

const movements = (verbs: LedgerVerbs): Route =>
  route({
    method: 'GET',
    path: '/process/inventory/v1/movements',
    operationId: 'movements.list',
    summary: 'What moved, the newest first',
    description: 'Of an item, or of one document: a shipment or an adjustment.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListedMovements,
    answers: { 200: { description: 'A page', body: pageOf(MovementView) } },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'inventory.movements_of_nothing',
      'inventory.document_unknown',
      'http.cursor_invalid',
    ],
    example: { query: { company: 'NWF', sku: '10012', limit: 50 }, answer: { items: [example.movement] } },
    async handler(request) {
      const { company, sku, location, lot, owner, source, document, limit } = request.query
      assertStaff(request.principal, company)
      const locations = locationsOf(verbs, { company, location })
      const itemId = await itemNamed(verbs, company, sku)
      const moved = document === undefined ? undefined : await documentNamed(verbs, company, document)
      const places = (moved?.places ?? everywhere(itemId, locations)).filter(
        (place) =>
          (itemId === undefined || place.itemId === itemId) &&
          (location === undefined || place.location === location),
      )
      const before = verbs.pages.after(request)?.[0] as number | undefined
      const filter = { company, places, lot, owner, source, doc: moved?.doc }
      const found = await listMovements(verbs.queries, filter, before, limit + 1)
      const page = found.slice(0, limit)
      const items = await verbs.itemsById([...new Set(page.map((row) => row.itemId))])
      return verbs.pages.answer(
        request,
        page.map((row) => tellMovement(row, items.get(row.itemId)!, verbs.documentNumber)),
        found.length > limit ? [page.at(-1)!.id] : undefined,
      )
    },
  })

function everywhere(itemId: number | undefined, locations: readonly string[]): MovedPlace[] {
  if (itemId !== undefined) return locations.map((location) => ({ itemId, location }))
  throw new Refusal('inventory.movements_of_nothing', 'send sku or document', {}, '/query/sku')
}

async function documentNamed(verbs: LedgerVerbs, company: string, document: string) {
  const moved = await verbs.movedBy(company, document)
  if (moved) return moved
  const message = `${company} has no shipment or adjustment ${document}`
  throw new Refusal('inventory.document_unknown', message, {}, '/query/document')
}

const tellMovement = (
  row: MovementRow,
  { sku, baseUnit }: NamedItem,
  numberOf: LedgerVerbs['documentNumber'],
): MovementView => ({
  id: String(row.id),
  sku,
  location: row.location,
  owner: row.owner,
  ...(row.lot !== '' && { lot: row.lot }),
  from: row.from,
  to: row.to,
  quantity: formatQuantity(row.quantity),
  unit: baseUnit,
  reason: row.reason,
  source: row.source,
  sourceKey: row.sourceKey,
  ...(row.doc !== null && { document: numberOf(row.source, row.doc) }),
  at: row.at.toISOString(),
  recordedAt: row.recordedAt.toISOString(),
})
