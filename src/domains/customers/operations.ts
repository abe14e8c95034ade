/** The verbs of customers: find them, decide on their credit, keep our copies of them. */
import { checkRecords, compareCopies, type Loaded, type Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import {
  addressKey,
  type CreditAccount,
  type CustomerAddress,
  customerKey,
  CustomerRecord,
  type GivenCustomer,
  type SellingCustomer,
  type StaleCreditFallback,
} from './contract.ts'
import { type CreditDecision, decideCredit, exposureMinor } from './rules.ts'
import * as store from './store.ts'

/** By `customerKey`; who is unknown is absent. */
export async function findCustomers(
  queries: Queries,
  keys: readonly store.CustomerKey[],
): Promise<ReadonlyMap<string, SellingCustomer>> {
  const distinct = new Map(keys.map((key) => [customerKey(key.company, key.number), key]))
  const found = distinct.size > 0 ? await store.selectCustomers(queries, [...distinct.values()]) : []
  return new Map(found.map((customer) => [customerKey(customer.company, customer.number), customer]))
}

/** By `addressKey`. */
export async function findAddresses(
  queries: Queries,
  keys: readonly store.AddressKey[],
): Promise<ReadonlyMap<string, CustomerAddress>> {
  const found = keys.length > 0 ? await store.selectAddresses(queries, keys) : []
  return new Map(found.map((address) => [addressKey(address.customerId, address.code), address]))
}

/** Locks the accounts until the transaction ends. Comes first in every transaction that decides on credit. */
export async function lockCreditAccounts(
  tx: Transaction,
  customerIds: readonly number[],
): Promise<ReadonlyMap<number, CreditAccount>> {
  const ids = sorted(customerIds)
  if (ids.length === 0) return new Map()
  tx.locking('credit account', ids)
  const accounts = await store.selectAccountsForUpdate(tx, ids)
  return new Map(accounts.map((account) => [account.customerId, account]))
}

export type CreditStanding = store.CreditStanding

/** How customers stand, read without a lock: for who grants nothing. */
export async function creditStandings(
  queries: Queries,
  customerIds: readonly number[],
): Promise<ReadonlyMap<number, CreditStanding>> {
  const found = await store.selectStandings(queries, customerIds)
  return new Map(found.map((standing) => [standing.customerId, standing]))
}

/** What a customer owes or is about to owe. */
export const exposureOf = exposureMinor

export type OrderOnCredit = {
  readonly key: string
  readonly customer: Pick<SellingCustomer, 'id' | 'currency' | 'creditHold' | 'countsOpenOrders'>
  readonly orderMinor: number
}

export type CreditPolicy = {
  readonly staleAfterMs: number
  readonly now: Date
  readonly fallback: StaleCreditFallback
}

/**
 * Decides orders in the order they are given, each on what those before it have left: an order that is held or refused
 * uses up nothing. Answers by the order's key. Every customer must have a locked account.
 */
export function decideCredits(
  accounts: ReadonlyMap<number, CreditAccount>,
  orders: readonly OrderOnCredit[],
  policy: CreditPolicy,
): ReadonlyMap<string, CreditDecision> {
  const granted = new Map<number, number>()
  const decisions = new Map<string, CreditDecision>()
  for (const { key, customer, orderMinor } of orders) {
    const account = accounts.get(customer.id)
    if (!account) throw new Error(`customer ${customer.id} has no locked credit account`)
    const before = granted.get(customer.id) ?? 0
    const decision = decideCredit({
      ...policy,
      account: { ...account, openMinor: account.openMinor + before },
      orderMinor,
      currency: customer.currency,
      creditHold: customer.creditHold,
    })
    if (decision.kind === 'ok' && customer.countsOpenOrders) granted.set(customer.id, before + orderMinor)
    decisions.set(key, decision)
  }
  return decisions
}

export type ExposureChange = { readonly customerId: number; readonly amountMinor: number }

/** Adds to (or with negative amounts takes from) what the ERP cannot know yet. */
export function changeExposure(tx: Transaction, changes: readonly ExposureChange[]): void {
  const sums = new Map<number, number>()
  for (const { customerId, amountMinor } of changes) {
    sums.set(customerId, (sums.get(customerId) ?? 0) + amountMinor)
  }
  const ids = sorted([...sums.keys()].filter((id) => sums.get(id) !== 0))
  if (ids.length === 0) return
  tx.locking('credit account', ids)
  store.updateOpen(
    tx,
    ids,
    ids.map((id) => sums.get(id) ?? 0),
  )
}

/** Takes the ERP's figures unless we hold newer ones. Answers whose were taken. */
export async function refreshCredit(
  tx: Transaction,
  figures: readonly store.CreditFigures[],
): Promise<ReadonlySet<number>> {
  if (figures.length === 0) return new Set()
  await lockCreditAccounts(
    tx,
    figures.map((each) => each.customerId),
  )
  return new Set(await store.updateAccounts(tx, figures))
}

/** As of when the ERP gave the oldest of a company's credit figures; undefined without customers. */
export const oldestFigures = (queries: Queries, company: string): Promise<Date | undefined> =>
  store.selectOldestFigures(queries, company)

/** Counts anew what the ERP did not know of these customers as of the reading. */
export type RecountOpen = (
  tx: Transaction,
  customerIds: readonly number[],
  reading: Reading,
) => Promise<ReadonlyMap<number, number>>

/** Loading the same reading again changes nothing; an older one never overwrites a newer one. */
export async function upsertCustomers(
  tx: Transaction,
  reading: Reading,
  given: readonly GivenCustomer[],
  recountOpen?: RecountOpen,
): Promise<Loaded> {
  const { records, repeated, rejected } = checkRecords(
    { schema: CustomerRecord, key: numberOf, label: numberOf, code: 'customers.record_invalid' },
    given,
  )
  const rows = new Map([...records].map(([number, record]) => [number, comparable(record)]))
  const heldRows = await store.selectHeld(tx, reading.company, [...rows.keys()])
  const held = new Map(heldRows.map((copy) => [copy.record.number, copy]))
  const { inserted, updated, unchanged, superseded } = compareCopies(reading.asOf, rows, held)
  const idsOf = (some: readonly store.CustomerRow[]) =>
    some.flatMap(({ number }) => held.get(number)?.id ?? [])

  await refreshFigures(tx, reading, { rows: [...updated, ...unchanged], held }, recountOpen)
  store.confirmRows(tx, reading, idsOf(unchanged))
  const changed = [...inserted, ...updated]
  const written = await write(tx, reading, changed)
  const count = (some: readonly store.CustomerRow[]) =>
    some.filter(({ number }) => written.has(number)).length
  return {
    inserted: count(inserted),
    updated: count(updated),
    unchanged: unchanged.length,
    superseded: superseded + repeated + changed.length - written.size,
    rejected,
  }
}

/** Answers the numbers that were written. */
async function write(
  tx: Transaction,
  reading: Reading,
  rows: readonly store.CustomerRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const written = await store.upsertRows(tx, reading, rows)
  const ids = new Map(written.map(({ id, number }) => [number, id]))
  const writtenRows = rows.flatMap((row) => {
    const id = ids.get(row.number)
    return id === undefined ? [] : [{ ...row, id }]
  })
  if (writtenRows.length > 0) {
    store.insertAccounts(tx, reading, writtenRows)
    store.replaceAddresses(tx, writtenRows)
  }
  return new Set(ids.keys())
}

type HeldRows = {
  readonly rows: readonly store.CustomerRow[]
  readonly held: ReadonlyMap<string, store.HeldCustomer>
}

/** Credit accounts are locked before anything else is written: they come first in the lock order. */
async function refreshFigures(
  tx: Transaction,
  reading: Reading,
  { rows, held }: HeldRows,
  recountOpen: RecountOpen | undefined,
): Promise<void> {
  const ids = sorted(rows.flatMap(({ number }) => held.get(number)?.id ?? []))
  if (ids.length === 0) return
  await lockCreditAccounts(tx, ids)
  const open = await recountOpen?.(tx, ids, reading)
  const figures = rows.flatMap((row) => {
    const id = held.get(row.number)?.id
    if (id === undefined) return []
    const { creditLimitMinor, receivablesMinor } = row
    return {
      customerId: id,
      creditLimitMinor,
      receivablesMinor,
      asOf: reading.asOf,
      openMinor: open?.get(id),
    }
  })
  await store.updateAccounts(tx, figures)
}

function comparable(record: CustomerRecord): store.CustomerRow {
  const { taxId, minimumShelfLifeDays, addresses, ...rest } = record
  const rows = addresses.map((address) => ({
    code: address.code,
    name: address.name ?? null,
    lines: address.lines ?? [],
    city: address.city ?? null,
    region: address.region ?? null,
    postalCode: address.postalCode ?? null,
    country: address.country ?? null,
  }))
  const byCode = (a: store.AddressRow, b: store.AddressRow) => (a.code < b.code ? -1 : 1)
  const absent = { taxId: taxId ?? null, minimumShelfLifeDays: minimumShelfLifeDays ?? null }
  return { ...rest, ...absent, addresses: rows.sort(byCode) }
}

const numberOf = (record: { readonly number: string }): string => record.number
const sorted = (ids: readonly number[]): number[] => [...new Set(ids)].sort((a, b) => a - b)
