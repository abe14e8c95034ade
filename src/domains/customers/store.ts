/** The SQL of customers; the only file that writes its tables. */
import type { HeldCopy, Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { CreditAccount, CustomerAddress, SellingCustomer } from './contract.ts'

// A lateral with a limit cannot be flattened, so the keys drive and the table is always met by its index, even when
// it was analyzed while empty.
const findByNumber = sql(
  'customers.find',
  `select c.* from unnest($1::text[], $2::text[]) as k(company, number)
   cross join lateral (
     select id, company, number, name, status, currency, terms_days as "termsDays", price_list as "priceList",
       shipping_rule as "shippingRule", credit_hold as "creditHold", counts_open_orders as "countsOpenOrders", tax_id as "taxId",
       tax_exempt as "taxExempt", default_ship_to as "defaultShipTo",
       minimum_shelf_life_days as "minimumShelfLifeDays", as_of as "asOf"
     from customers.customer where company = k.company and number = k.number limit 1) c`,
)

export type CustomerKey = { readonly company: string; readonly number: string }

export function selectCustomers(queries: Queries, keys: readonly CustomerKey[]): Promise<SellingCustomer[]> {
  return queries.query(findByNumber, [keys.map(({ company }) => company), keys.map(({ number }) => number)])
}

const findAddressByCode = sql(
  'customers.find_addresses',
  `select a.* from unnest($1::int[], $2::text[]) as k(customer_id, code)
   cross join lateral (
     select customer_id as "customerId", code, name, lines, city, region, postal_code as "postalCode", country
     from customers.address where customer_id = k.customer_id and code = k.code limit 1) a`,
)

export type AddressKey = { readonly customerId: number; readonly code: string }

export function selectAddresses(queries: Queries, keys: readonly AddressKey[]): Promise<CustomerAddress[]> {
  return queries.query(findAddressByCode, [keys.map((key) => key.customerId), keys.map((key) => key.code)])
}

// Locked one by one in the order of the array, whatever plan is chosen.
const lockAccounts = sql(
  'customers.lock_credit_accounts',
  `select a.* from unnest($1::int[]) as k(id)
   cross join lateral (
     select customer_id as "customerId", credit_limit_minor as "creditLimitMinor",
       receivables_minor as "receivablesMinor", receivables_as_of as "receivablesAsOf", open_minor as "openMinor"
     from customers.credit_account where customer_id = k.id for no key update) a`,
)

export type AccountRow = CreditAccount & { readonly customerId: number }

/** `ids` must be sorted. */
export function selectAccountsForUpdate(tx: Transaction, ids: readonly number[]): Promise<AccountRow[]> {
  return tx.query(lockAccounts, [ids])
}

// `= any` beside the join keeps to the index whichever side the planner starts from.
const addOpen = sql(
  'customers.change_exposure',
  `update customers.credit_account a set open_minor = a.open_minor + c.amount
   from unnest($1::int[], $2::bigint[]) as c(id, amount)
   where a.customer_id = any($1::int[]) and a.customer_id = c.id`,
)

export function updateOpen(tx: Transaction, ids: readonly number[], amountsMinor: readonly number[]): void {
  tx.send(addOpen, [ids, amountsMinor])
}

const refreshAccounts = sql(
  'customers.refresh_credit',
  `update customers.credit_account a set credit_limit_minor = f.credit_limit, receivables_minor = f.receivables,
     receivables_as_of = f.as_of, open_minor = coalesce(f.open, a.open_minor)
   from unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[])
     as f(id, credit_limit, receivables, as_of, open)
   where a.customer_id = any($1::int[]) and a.customer_id = f.id and a.receivables_as_of <= f.as_of
   returning a.customer_id as "customerId"`,
)

export type CreditFigures = {
  readonly customerId: number
  readonly creditLimitMinor: number | null
  readonly receivablesMinor: number
  readonly asOf: Date
  /** What the ERP did not know as of then; what we hold stays when absent. */
  readonly openMinor?: number | undefined
}

export async function updateAccounts(tx: Transaction, figures: readonly CreditFigures[]): Promise<number[]> {
  const rows = await tx.query<{ customerId: number }>(refreshAccounts, [
    figures.map((each) => each.customerId),
    figures.map((each) => each.creditLimitMinor),
    figures.map((each) => each.receivablesMinor),
    figures.map((each) => each.asOf),
    figures.map((each) => each.openMinor ?? null),
  ])
  return rows.map((row) => row.customerId)
}

const standings = sql(
  'customers.credit_standings',
  `select s.* from unnest($1::int[]) as k(id)
   cross join lateral (
     select c.id as "customerId", c.currency, c.credit_hold as "creditHold", c.counts_open_orders as "countsOpenOrders",
       a.credit_limit_minor as "creditLimitMinor",
       a.receivables_minor as "receivablesMinor", a.open_minor as "openMinor"
     from customers.customer c join customers.credit_account a on a.customer_id = c.id
     where c.id = k.id and a.customer_id = k.id limit 1) s`,
)

/** How a customer stands with its credit at the moment of reading. */
export type CreditStanding = Pick<CreditAccount, 'creditLimitMinor' | 'receivablesMinor' | 'openMinor'> & {
  readonly customerId: number
  readonly currency: string
  readonly creditHold: boolean
  readonly countsOpenOrders: boolean
}

export function selectStandings(queries: Queries, ids: readonly number[]): Promise<CreditStanding[]> {
  return queries.query<CreditStanding>(standings, [ids])
}

// Loading ---------------------------------------------------------------------------------------------------------------

/** A customer as it is compared with what we hold: everything present, addresses in the order of their codes. */
export type CustomerRow = {
  readonly number: string
  readonly name: string
  readonly status: string
  readonly currency: string
  readonly termsDays: number
  readonly priceList: string
  readonly creditHold: boolean
  readonly countsOpenOrders: boolean
  readonly taxId: string | null
  readonly taxExempt: boolean
  readonly shippingRule: string
  readonly defaultShipTo: string
  readonly minimumShelfLifeDays: number | null
  readonly creditLimitMinor: number | null
  readonly receivablesMinor: number
  readonly addresses: readonly AddressRow[]
}
export type AddressRow = Omit<CustomerAddress, 'customerId'>

const held = sql(
  'customers.held',
  `select c.id, c.as_of as "asOf", json_build_object(
     'number', c.number, 'name', c.name, 'status', c.status, 'currency', c.currency, 'termsDays', c.terms_days,
     'priceList', c.price_list, 'creditHold', c.credit_hold, 'countsOpenOrders', c.counts_open_orders, 'taxId', c.tax_id, 'taxExempt', c.tax_exempt,
     'shippingRule', c.shipping_rule, 'defaultShipTo', c.default_ship_to,
     'minimumShelfLifeDays', c.minimum_shelf_life_days,
     'creditLimitMinor', a.credit_limit_minor, 'receivablesMinor', a.receivables_minor,
     'addresses', d.addresses) as record
   from unnest($2::text[]) as k(number)
   cross join lateral (select * from customers.customer where company = $1 and number = k.number limit 1) c
   cross join lateral (select * from customers.credit_account where customer_id = c.id limit 1) a
   cross join lateral (
     select coalesce(json_agg(json_build_object('code', code, 'name', name, 'lines', lines, 'city', city,
       'region', region, 'postalCode', postal_code, 'country', country) order by code collate "C"), '[]') as addresses
     from customers.address where customer_id = c.id) d`,
)

export type HeldCustomer = HeldCopy<CustomerRow> & { readonly id: number }

export function selectHeld(
  tx: Transaction,
  company: string,
  numbers: readonly string[],
): Promise<HeldCustomer[]> {
  return tx.query(held, [company, numbers])
}

const upsert = sql(
  'customers.upsert',
  `insert into customers.customer as c (company, number, name, status, currency, terms_days, price_list, credit_hold,
     counts_open_orders, tax_id, tax_exempt, shipping_rule, default_ship_to, minimum_shelf_life_days, source, as_of)
   select $1, number, name, status, currency, "termsDays", "priceList", "creditHold", "countsOpenOrders", "taxId", "taxExempt",
     "shippingRule", "defaultShipTo", "minimumShelfLifeDays", $2, $3
   from jsonb_to_recordset($4::jsonb) as r(number text, name text, status text, currency text, "termsDays" int,
     "priceList" text, "creditHold" boolean, "countsOpenOrders" boolean, "taxId" text, "taxExempt" boolean, "shippingRule" text,
     "defaultShipTo" text, "minimumShelfLifeDays" int)
   on conflict (company, number) do update set name = excluded.name, status = excluded.status,
     currency = excluded.currency, terms_days = excluded.terms_days, price_list = excluded.price_list,
     credit_hold = excluded.credit_hold, counts_open_orders = excluded.counts_open_orders, tax_id = excluded.tax_id, tax_exempt = excluded.tax_exempt,
     shipping_rule = excluded.shipping_rule, default_ship_to = excluded.default_ship_to,
     minimum_shelf_life_days = excluded.minimum_shelf_life_days,
     source = excluded.source, as_of = excluded.as_of
   where c.as_of <= excluded.as_of
   returning c.id, c.number`,
)

/** Answers those that were written: a newer copy that came in between stays. */
export function upsertRows(
  tx: Transaction,
  { company, source, asOf }: Reading,
  rows: readonly CustomerRow[],
): Promise<{ id: number; number: string }[]> {
  return tx.query(upsert, [company, source, asOf, JSON.stringify(rows)])
}

const confirm = sql(
  'customers.confirm',
  `update customers.customer set source = $2, as_of = $3 where id = any($1::int[]) and as_of < $3`,
)

/** Nothing has changed as of then. */
export function confirmRows(tx: Transaction, { source, asOf }: Reading, ids: readonly number[]): void {
  if (ids.length > 0) tx.send(confirm, [ids, source, asOf])
}

const oldestFigures = sql(
  'customers.oldest_figures',
  `select min(receivables_as_of) as "asOf" from customers.credit_account where company = $1`,
)

export async function selectOldestFigures(queries: Queries, company: string): Promise<Date | undefined> {
  const [row] = await queries.query<{ asOf: Date | null }>(oldestFigures, [company])
  return row?.asOf ?? undefined
}

const openAccounts = sql(
  'customers.open_credit_accounts',
  `insert into customers.credit_account (customer_id, company, credit_limit_minor, receivables_minor, receivables_as_of)
   select id, $1, credit_limit, receivables, $2
   from unnest($3::int[], $4::bigint[], $5::bigint[]) as n(id, credit_limit, receivables)
   on conflict (customer_id) do nothing`,
)

export type NewAccount = CustomerRow & { readonly id: number }

export function insertAccounts(
  tx: Transaction,
  { company, asOf }: Reading,
  rows: readonly NewAccount[],
): void {
  tx.send(openAccounts, [
    company,
    asOf,
    rows.map((row) => row.id),
    rows.map((row) => row.creditLimitMinor),
    rows.map((row) => row.receivablesMinor),
  ])
}

const clearAddresses = sql(
  'customers.clear_addresses',
  `delete from customers.address where customer_id = any($1::int[])`,
)
const insertAddresses = sql(
  'customers.insert_addresses',
  `insert into customers.address (customer_id, code, name, lines, city, region, postal_code, country)
   select "customerId", code, name, lines, city, region, "postalCode", country
   from jsonb_to_recordset($1::jsonb) as r("customerId" int, code text, name text, lines text[], city text, region text,
     "postalCode" text, country text)
   on conflict (customer_id, code) do nothing`,
)

/** Each customer's addresses become the given ones. */
export function replaceAddresses(tx: Transaction, rows: readonly NewAccount[]): void {
  tx.send(clearAddresses, [rows.map((row) => row.id)])
  const addresses = rows.flatMap(({ id, addresses }) => addresses.map((row) => ({ ...row, customerId: id })))
  tx.send(insertAddresses, [JSON.stringify(addresses)])
}
