/** Gathers what the history checker compares: our tables, and what each counterpart believes. */
import { Client, types } from 'pg'
import { DOCUMENTS, type Query } from '#tests/support/books-rules.ts'
import {
  type Books,
  ourInvoices,
  ourOpenLines,
  ourStock,
  theirInvoices,
  theirOpenLines,
  theirStock,
  warehousesOf,
} from '#tests/support/house-books.ts'
import { shopBooks, type ShopBooks } from './shop-evidence.ts'
import type { Book, Evidence, KnownOrder, Said, Versions } from './history.ts'

export type AllBooks = Books & ShopBooks

/** The oids of bigint and numeric. */
const NUMBERS: readonly number[] = [20, 1700]

/** A connection of the checker's own, past every proxy; quantities and amounts of a run are small enough for a number. */
export async function openQuery(url: string): Promise<{ query: Query; end(): Promise<void> }> {
  const client = new Client({
    connectionString: url,
    application_name: 'torture',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        NUMBERS.includes(oid) ? Number : types.getTypeParser(oid, format),
    },
  })
  // The server is stopped under it; the next query tells.
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: async (text, values = []) => (await client.query(text, values)).rows,
    end: () => client.end(),
  }
}

type Witnesses = {
  readonly books: AllBooks
  readonly log: Evidence['log']
  /** What partners were answered that none of it is taken. */
  readonly rejected: readonly string[]
}

export async function gatherEvidence(query: Query, { books, log, rejected }: Witnesses): Promise<Evidence> {
  return {
    log,
    orders: await ourOrders(query),
    refused: [...(await ourRefusals(query)), ...rejected],
    versions: await ourVersions(query),
    books: await bothBooks(query, books),
  }
}

const ourOrders = (query: Query): Promise<KnownOrder[]> =>
  query<KnownOrder>(`
    select 'O-' || o.id as id, o.company || ' ' || o.customer || ' ' || o.customer_order as subject,
      case when o.closed_at is not null then 'closed'
        when exists (select from orders.hold h where h.order_id = o.id and h.status = 'open') then 'held'
        when exists (select from inventory.backorder b where b.doc = o.id) then 'waiting'
        when exists (select from exceptions.affected a join exceptions.exception e on e.id = a.exception
          where a.doc = o.id and a.cleared_at is null and e.closed_at is null and e.owner <> '' and e.due_at is not null)
          then 'owned'
        else 'stuck' end as state,
      exists (select from log.event v where v.key = o.id and v.type = 'order.cancel_requested') as "cancelRequested"
    from orders.sales_order o`)

/** As the message that told of it says. */
const ourRefusals = async (query: Query): Promise<string[]> =>
  (
    await query<{ subject: string }>(`
      select concat_ws(' ', m.company, m.body::json -> 'customer' ->> 'external_id', m.body::json ->> 'po_number') as subject
      from inbox.message m join exceptions.exception e on e.cause like '%' || m.message_id
      where m.type = 'orders/create' and e.closed_at is null and e.owner <> '' and e.due_at is not null`)
  ).map(({ subject }) => subject)

const ourVersions = (query: Query): Promise<Versions[]> =>
  query<Versions>(`
    select d.kind || ' ' || d.doc as document, d.version, coalesce(e.events, 0) as events, e.first, e.last
    from (${DOCUMENTS}) d
    left join (select key, count(*) as events, min(key_version) as first, max(key_version) as last from log.event group by 1) e
      on e.key = d.doc`)

const saidOf = (query: Query, text: string): Promise<Said[]> => query<Said>(text)

async function bothBooks(query: Query, books: AllBooks): Promise<Book[]> {
  const { legacyErp, cloudErp, tax } = books
  const warehouses = warehousesOf(books)
  const erps = [
    ['NWF', legacyErp.truth()],
    ['NWI', cloudErp.truth()],
  ] as const
  return [
    {
      documents: 'orders at the ERPs',
      ours: await saidOf(
        query,
        `select 'O-' || id as reference, concat_ws(' ', company, erp_number, customer, customer_order, currency) as says
         from orders.sales_order where erp_number is not null`,
      ),
      theirs: erps.flatMap(([company, { orders }]) =>
        orders.map(({ reference, number, customer, customerReference, currency }) => ({
          reference,
          says: [company, number, customer, customerReference, currency].join(' '),
        })),
      ),
    },
    {
      documents: 'open lines',
      ours: asSaid(await ourOpenLines(query)),
      theirs: asSaid(theirOpenLines(books)),
    },
    {
      documents: 'releases at the warehouses',
      ours: await saidOf(
        query,
        `select 'F-' || id as reference, wms_number as says from shipments.fulfillment where wms_number is not null`,
      ),
      theirs: warehouses.flatMap(({ orders }) =>
        orders.map(({ external_ref, wms_order_id }) => ({ reference: external_ref, says: wms_order_id })),
      ),
    },
    {
      documents: 'shipments',
      ours: asSaid(
        (
          await query<{ key: string }>(`select source || ' ' || source_key as key from shipments.shipment`)
        ).map(({ key }) => key),
      ),
      theirs: asSaid(
        warehouses.flatMap(({ source, events }) =>
          events.flatMap((event) =>
            event.type === 'shipment.confirmed' ? [`${source} ${String(event['shipment_id'])}`] : [],
          ),
        ),
      ),
    },
    {
      documents: 'invoices',
      ours: (await ourInvoices(query)).map(({ document, ...says }) => saidAs(document, says)),
      theirs: theirInvoices(books).map(({ document, ...says }) => saidAs(document, says)),
    },
    {
      documents: 'tax',
      ours: await saidOf(
        query,
        `select 'I-' || id as reference, tax_minor::text as says from billing.invoice where number is not null`,
      ),
      theirs: tax.truth().transactions.map(({ code, total_tax }) => ({
        reference: code,
        says: String(Math.round(Number(total_tax) * 100)),
      })),
    },
    {
      documents: 'stock',
      ours: (await ourStock(query)).map(({ place, quantity }) => saidAs(place, { quantity })),
      theirs: theirStock(books).map(({ place, quantity }) => saidAs(place, { quantity })),
    },
    ...(await shopBooks(query, books)),
  ]
}

const asSaid = (references: readonly string[]): Said[] =>
  references.map((reference) => ({ reference, says: '' }))
const saidAs = (reference: string, says: object): Said => ({ reference, says: Object.values(says).join(' ') })
