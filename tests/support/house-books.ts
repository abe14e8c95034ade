/** Our books beside those of the landscape: what each side says of the same documents, in the same words. */
import { type BookOrder, openMilli } from '#landscape/erp/documents.ts'
import type { Landscape } from '#landscape/landscape.ts'
import { factorOf } from '#landscape/world/world.ts'
import type { Query } from './books-rules.ts'

/** What the counterparts believe: a landscape, or what was read of one that runs elsewhere. */
export type Books = Pick<Landscape, 'world'> & {
  readonly [System in 'legacyErp' | 'cloudErp' | 'wms' | 'tax']: Pick<Landscape[System], 'truth'>
} & {
  /** Warehouse systems beside the first, by their names in the configuration. */
  readonly otherWarehouses?: Readonly<Record<string, Pick<Landscape['wms'], 'truth'>>>
}

/** Each by its name in the configuration. */
export const warehousesOf = ({ wms, otherWarehouses }: Pick<Books, 'wms' | 'otherWarehouses'>) =>
  Object.entries({ wms, ...otherWarehouses }).map(([source, { truth }]) => ({ source, ...truth() }))

export type BookedInvoice = {
  readonly company: string
  readonly number: string
  readonly document: string
  readonly currency: string
  readonly netMinor: number
  readonly taxMinor: number
}

const byNumber = (a: BookedInvoice, b: BookedInvoice): number =>
  a.company === b.company ? (a.number < b.number ? -1 : 1) : a.company < b.company ? -1 : 1

export async function ourInvoices(query: Query): Promise<BookedInvoice[]> {
  const rows = await query<BookedInvoice>(`
    select company, number, 'I-' || id as document, currency, net_minor as "netMinor", tax_minor as "taxMinor"
    from billing.invoice where number is not null`)
  return rows.toSorted(byNumber)
}

export function theirInvoices({ legacyErp, cloudErp }: Books): BookedInvoice[] {
  const books = [
    ['NWF', legacyErp.truth().invoices],
    ['NWI', cloudErp.truth().invoices],
  ] as const
  return books
    .flatMap(([company, invoices]) =>
      invoices.map(({ number, reference: document, currency, netMinor, taxMinor }) => ({
        company,
        number,
        document,
        currency,
        netMinor,
        taxMinor,
      })),
    )
    .toSorted(byNumber)
}

/** References under which a system holds more than one document, and documents that only one side knows. */
export type Difference = {
  readonly twice: string[]
  readonly onlyOurs: string[]
  readonly onlyTheirs: string[]
}

export const NO_DIFFERENCE: Difference = { twice: [], onlyOurs: [], onlyTheirs: [] }

function compare(ours: readonly string[], theirs: readonly string[]): Difference {
  const [known, held] = [new Set(ours), new Set(theirs)]
  return {
    twice: theirs.filter((reference, place) => theirs.indexOf(reference) !== place),
    onlyOurs: ours.filter((reference) => !held.has(reference)),
    onlyTheirs: theirs.filter((reference) => !known.has(reference)),
  }
}

const numbersOf = async (query: Query, text: string): Promise<string[]> =>
  (await query<{ number: string }>(text)).map(({ number }) => number)

/**
 * Orders at the ERPs, releases and shipments at the WMS, invoices at the ERPs, tax at the engine: each once on both
 * sides; and what the ERPs still expect of each line is what we do.
 */
export async function differences(query: Query, landscape: Books): Promise<Record<string, Difference>> {
  const { legacyErp, cloudErp, tax } = landscape
  const orders = await numbersOf(
    query,
    `select 'O-' || id as number from orders.sales_order where erp_number is not null`,
  )
  const releases = await numbersOf(
    query,
    `select 'F-' || id as number from shipments.fulfillment where wms_number is not null`,
  )
  const shipments = await numbersOf(
    query,
    `select source || ' ' || source_key as number from shipments.shipment where source <> 'by-hand'
     union all select source || ' ' || source_key from shipments.known_by_hand`,
  )
  const invoices = await numbersOf(
    query,
    `select 'I-' || id as number from billing.invoice where number is not null`,
  )
  const booked = [legacyErp.truth(), cloudErp.truth()]
  const warehouses = warehousesOf(landscape)
  const references = (documents: readonly { reference: string }[]): string[] =>
    documents.map(({ reference }) => reference)
  return {
    orders: compare(
      orders,
      booked.flatMap((books) => references(books.orders)),
    ),
    releases: compare(
      releases,
      warehouses.flatMap(({ orders: held }) => held.map(({ external_ref }) => external_ref)),
    ),
    shipments: compare(
      shipments,
      warehouses.flatMap(({ source, events }) =>
        events.flatMap((event) =>
          event.type === 'shipment.confirmed' ? [`${source} ${String(event['shipment_id'])}`] : [],
        ),
      ),
    ),
    invoices: compare(
      invoices,
      booked.flatMap((books) => references(books.invoices)),
    ),
    tax: compare(
      invoices,
      tax.truth().transactions.map(({ code }) => code),
    ),
    open: compare(await ourOpenLines(query), theirOpenLines(landscape)),
  }
}

/** `O-1000017 2: 24`: so many pieces of line 2 are neither shipped nor cancelled, of orders that the ERP has. */
export const ourOpenLines = (query: Query): Promise<string[]> =>
  numbersOf(
    query,
    `select 'O-' || id || ' ' || n || ': ' || trim_scale(ordered - cancelled - shipped) as number
     from orders.sales_order o join orders.line on order_id = id
     where erp_number is not null and erp_cancelled_at is null and ordered > cancelled + shipped`,
  )

/** The ERPs number lines in steps; what they call invoiced has been shipped. */
export function theirOpenLines({ legacyErp, cloudErp, world }: Books): string[] {
  const items = new Map(world.items.map((item) => [item.number, item]))
  const openOf = (orders: readonly BookOrder[], step: number): string[] =>
    orders.flatMap(({ reference, lines }) =>
      lines.flatMap((line) => {
        const open = openMilli(line)
        if (open === 0) return []
        const { numerator, denominator } = factorOf(items.get(line.item)!, line.unit)!
        const pieces = Math.round((open * numerator) / denominator) / 1_000
        return [`${reference} ${Number(line.line) / step}: ${pieces}`]
      }),
    )
  return [...openOf(legacyErp.truth().orders, 10), ...openOf(cloudErp.truth().orders, 10_000)]
}

export const EVERYTHING_ONCE: Readonly<Record<string, Difference>> = {
  orders: NO_DIFFERENCE,
  releases: NO_DIFFERENCE,
  shipments: NO_DIFFERENCE,
  invoices: NO_DIFFERENCE,
  tax: NO_DIFFERENCE,
  open: NO_DIFFERENCE,
}

/** `DC1 NWF 10012 AVAIL`, and how much. */
type Shelf = { readonly place: string; readonly quantity: number }

/** What our books say is in the building, by status, where there is anything; without papers of which its warehouse knows nothing. */
export async function ourStock(query: Query): Promise<Shelf[]> {
  return query<Shelf>(`
    select (location || ' ' || p.company || ' ' || sku || ' ' || held.status) collate "C" as place, held.quantity::float8 as quantity
    from inventory.position p join items.item i on i.id = p.item_id
    left join (select item_id, location, sum(case kind when 'ship' then open else -open end) as quantity
      from inventory.by_hand where kind in ('ship', 'count') and booked group by 1, 2) untold using (item_id, location)
    cross join lateral (values ('AVAIL', available + unreconciled + coalesce(untold.quantity, 0)), ('HOLD', quality_hold),
      ('DAMAGED', damaged)) as held(status, quantity)
    where lot = '' and owner = 'own' and held.quantity <> 0 order by 1`)
}

/** What lies on the shelves. */
export function theirStock(books: Books): Shelf[] {
  const shelves = new Map<string, number>()
  for (const { site, owner, sku, status, qty } of warehousesOf(books).flatMap(({ stock }) => stock)) {
    if (qty === 0) continue
    const place = `${site} ${owner} ${sku} ${status}`
    shelves.set(place, (shelves.get(place) ?? 0) + qty)
  }
  return [...shelves]
    .map(([place, quantity]) => ({ place, quantity }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
}
