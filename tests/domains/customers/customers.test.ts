/** Customers on a real database: looking up, credit accounts, loading. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addressKey, customerKey, type GivenCustomer } from '#domains/customers/contract.ts'
import {
  changeExposure,
  decideCredits,
  findAddresses,
  findCustomers,
  lockCreditAccounts,
  refreshCredit,
  upsertCustomers,
} from '#domains/customers/operations.ts'
import type { Reading } from '#platform/copies.ts'
import { sql } from '#platform/database.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const MONDAY = new Date('2026-03-02T09:00:00Z')
const TUESDAY = new Date('2026-03-03T09:00:00Z')

const reading = (company: string, asOf = MONDAY): Reading => ({ company, source: 'erp-main', asOf })

const customer = (overrides: Partial<GivenCustomer> = {}): GivenCustomer => ({
  number: 'C-1',
  name: 'Harbor Diner',
  status: 'active',
  currency: 'USD',
  termsDays: 30,
  priceList: 'wholesale',
  creditLimitMinor: 100_000,
  receivablesMinor: 25_000,
  creditHold: false,
  taxExempt: false,
  shippingRule: 'ship-available',
  addresses: [{ code: 'MAIN', name: 'Harbor Diner', lines: ['1 Pier'], city: 'Portland', country: 'US' }],
  defaultShipTo: 'MAIN',
  ...overrides,
})

const load = (company: string, given: readonly GivenCustomer[], asOf = MONDAY) =>
  db.database.transaction((tx) => upsertCustomers(tx, reading(company, asOf), given))

const find = async (company: string, number: string) =>
  (await findCustomers(db.database, [{ company, number }])).get(customerKey(company, number))

const account = async (id: number) =>
  (await db.database.transaction((tx) => lockCreditAccounts(tx, [id]))).get(id)

describe('loading customers', () => {
  test('takes them with their addresses and credit figures', async () => {
    const counts = await load('L1', [customer()])
    expect(counts).toEqual({ inserted: 1, updated: 0, unchanged: 0, superseded: 0, rejected: [] })
    const found = await find('L1', 'C-1')
    expect(found).toEqual({
      id: expect.any(Number),
      company: 'L1',
      number: 'C-1',
      name: 'Harbor Diner',
      status: 'active',
      currency: 'USD',
      termsDays: 30,
      priceList: 'wholesale',
      shippingRule: 'ship-available',
      creditHold: false,
      countsOpenOrders: true,
      taxId: null,
      taxExempt: false,
      defaultShipTo: 'MAIN',
      minimumShelfLifeDays: null,
      asOf: MONDAY,
    })
    expect(await account(found!.id)).toMatchObject({
      creditLimitMinor: 100_000,
      receivablesMinor: 25_000,
      receivablesAsOf: MONDAY,
      openMinor: 0,
    })
    const key = { customerId: found!.id, code: 'MAIN' }
    const addresses = await findAddresses(db.database, [key, { ...key, code: 'ELSEWHERE' }])
    expect([...addresses.keys()]).toEqual([addressKey(found!.id, 'MAIN')])
    expect(addresses.get(addressKey(found!.id, 'MAIN'))).toMatchObject({ lines: ['1 Pier'], region: null })
  })

  test('the same reading twice changes nothing, a later one only how fresh the copy is', async () => {
    await load('L2', [customer()])
    expect(await load('L2', [customer()])).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 })
    expect(await load('L2', [customer()], TUESDAY)).toMatchObject({ updated: 0, unchanged: 1 })
    const found = await find('L2', 'C-1')
    expect(found?.asOf).toEqual(TUESDAY)
    expect((await account(found!.id))?.receivablesAsOf).toEqual(TUESDAY)
  })

  test('an older reading never overwrites a newer one', async () => {
    await load('L3', [customer({ name: 'New name', receivablesMinor: 10 })], TUESDAY)
    expect(await load('L3', [customer({ name: 'Old name' })], MONDAY)).toMatchObject({
      updated: 0,
      superseded: 1,
    })
    const found = await find('L3', 'C-1')
    expect(found).toMatchObject({ name: 'New name', asOf: TUESDAY })
    expect((await account(found!.id))?.receivablesMinor).toBe(10)
  })

  test('how long goods must live is taken, changed and given up as the source says', async () => {
    const days = async () => (await find('L16', 'C-1'))?.minimumShelfLifeDays
    await load('L16', [customer({ minimumShelfLifeDays: 60 })])
    expect(await days()).toBe(60)
    expect(await load('L16', [customer({ minimumShelfLifeDays: 60 })])).toMatchObject({ unchanged: 1 })
    await load('L16', [customer({ minimumShelfLifeDays: 0 })], TUESDAY)
    expect(await days()).toBe(0)
    await load('L16', [customer()], TUESDAY)
    expect(await days()).toBe(null)
  })

  test('addresses that are gone at the source are gone here', async () => {
    await load('L4', [customer()])
    const id = (await find('L4', 'C-1'))!.id
    const moved = customer({ addresses: [{ code: 'DOCK' }], defaultShipTo: 'DOCK' })
    expect(await load('L4', [moved], TUESDAY)).toMatchObject({ updated: 1 })
    const keys = ['MAIN', 'DOCK'].map((code) => ({ customerId: id, code }))
    expect([...(await findAddresses(db.database, keys)).keys()]).toEqual([addressKey(id, 'DOCK')])
  })

  test('a bad record is listed with its reason and its neighbors are taken', async () => {
    const { inserted, rejected } = await load('L5', [
      customer({ number: 'C-1', defaultShipTo: 'NOWHERE' }),
      customer({ number: 'C-2', currency: 'usd' }),
      customer({ number: 'C-3', creditLimitMinor: 10.5 }),
      customer({ number: 'C-4' }),
      customer({ number: 'C-6', minimumShelfLifeDays: -1 }),
      customer({ number: 'C-5', addresses: [{ code: 'MAIN' }, { code: 'MAIN' }] }),
    ])
    expect(inserted).toBe(1)
    expect(rejected.map(({ key, code, reason }) => [key, code, reason.split(':')[0]])).toEqual([
      ['C-1', 'customers.record_invalid', 'defaultShipTo'],
      ['C-2', 'customers.record_invalid', 'currency'],
      ['C-3', 'customers.record_invalid', 'creditLimitMinor'],
      ['C-6', 'customers.record_invalid', 'minimumShelfLifeDays'],
      ['C-5', 'customers.record_invalid', 'addresses'],
    ])
    expect(await find('L5', 'C-4')).toBeDefined()
  })

  test('of a number that comes twice the last record counts', async () => {
    const twice = [customer({ name: 'First' }), customer({ name: 'Second' })]
    expect(await load('L6', twice)).toMatchObject({ inserted: 1, superseded: 1 })
    expect((await find('L6', 'C-1'))?.name).toBe('Second')
  })

  test('two companies have customers of the same number', async () => {
    await load('L7', [customer({ name: 'Seven' })])
    await load('L8', [customer({ name: 'Eight' })])
    expect((await find('L7', 'C-1'))?.name).toBe('Seven')
    expect((await find('L8', 'C-1'))?.name).toBe('Eight')
  })

  test('new receivables come with what the caller counts as open beside them', async () => {
    await load('L9', [customer()])
    const { id } = (await find('L9', 'C-1'))!
    await db.database.transaction(async (tx) => changeExposure(tx, [{ customerId: id, amountMinor: 700 }]))
    const newer = reading('L9', TUESDAY)
    await db.database.transaction((tx) =>
      upsertCustomers(tx, newer, [customer({ receivablesMinor: 25_700 })], async (_tx, ids) => {
        expect(ids).toEqual([id])
        return new Map([[id, 0]])
      }),
    )
    expect(await account(id)).toMatchObject({ receivablesMinor: 25_700, openMinor: 0 })
  })
})

describe('a credit account', () => {
  test('sums the changes of one list', async () => {
    await load('A1', [customer({ number: 'C-1' }), customer({ number: 'C-2' })])
    const [first, second] = [(await find('A1', 'C-1'))!.id, (await find('A1', 'C-2'))!.id]
    await db.database.transaction(async (tx) => {
      changeExposure(tx, [
        { customerId: second, amountMinor: 500 },
        { customerId: first, amountMinor: 100 },
        { customerId: first, amountMinor: 20 },
        { customerId: second, amountMinor: -500 },
      ])
    })
    expect((await account(first))?.openMinor).toBe(120)
    expect((await account(second))?.openMinor).toBe(0)
  })

  test('is locked until the transaction ends, so that two orders cannot both use the last cent', async () => {
    await load('A2', [customer({ creditLimitMinor: 26_000 })])
    const { id } = (await find('A2', 'C-1'))!
    const spend = (amountMinor: number) =>
      db.database.transaction(async (tx) => {
        const accounts = await lockCreditAccounts(tx, [id])
        const order = {
          key: 'o',
          customer: { id, currency: 'USD', creditHold: false, countsOpenOrders: true },
          orderMinor: amountMinor,
        }
        const policy = { staleAfterMs: 1_000, now: MONDAY, fallback: 'hold' as const }
        const kind = decideCredits(accounts, [order], policy).get('o')?.kind
        if (kind === 'ok') changeExposure(tx, [{ customerId: id, amountMinor }])
        return kind
      })
    const outcomes = await Promise.all([spend(1_000), spend(1_000), spend(1_000)])
    expect(outcomes.filter((kind) => kind === 'ok')).toHaveLength(1)
    expect((await account(id))?.openMinor).toBe(1_000)
  })

  test('takes fresh figures from the ERP and ignores late ones', async () => {
    await load('A3', [customer()])
    const { id } = (await find('A3', 'C-1'))!
    const figures = {
      customerId: id,
      creditLimitMinor: null,
      receivablesMinor: 7,
      asOf: TUESDAY,
      openMinor: 3,
    }
    const refresh = (changes: Partial<typeof figures>) =>
      db.database.transaction((tx) => refreshCredit(tx, [{ ...figures, ...changes }]))
    expect(await refresh({})).toEqual(new Set([id]))
    expect(await refresh({ asOf: MONDAY, receivablesMinor: 999 })).toEqual(new Set())
    expect(await account(id)).toMatchObject({ creditLimitMinor: null, receivablesMinor: 7, openMinor: 3 })
  })
})

test('decisions on a list let each order see what those before it have used', () => {
  const accounts = new Map([
    [1, { creditLimitMinor: 100, receivablesMinor: 0, receivablesAsOf: MONDAY, openMinor: 0 }],
  ])
  const who = { id: 1, currency: 'USD', creditHold: false, countsOpenOrders: true }
  const order = (key: string, orderMinor: number) => ({ key, customer: who, orderMinor })
  const orders = [order('a', 60), order('too much', 41), order('b', 40), order('c', 1)]
  const decisions = decideCredits(accounts, orders, { staleAfterMs: 1, now: MONDAY, fallback: 'hold' })
  expect([...decisions].map(([key, { kind }]) => [key, kind])).toEqual([
    ['a', 'ok'],
    ['too much', 'hold'],
    ['b', 'ok'],
    ['c', 'hold'],
  ])
})

test('no list at all asks nothing', async () => {
  await db.database.transaction(async (tx) => {
    expect(await findCustomers(tx, [])).toEqual(new Map())
    expect(await findAddresses(tx, [])).toEqual(new Map())
    expect(await lockCreditAccounts(tx, [])).toEqual(new Map())
    expect(await refreshCredit(tx, [])).toEqual(new Set())
    changeExposure(tx, [])
  })
  expect(await load('EMPTY', [])).toMatchObject({ inserted: 0, rejected: [] })
})

test('every statement that an order waits for goes by index, also on tables analyzed while empty', async () => {
  const empty = await openTestDatabase()
  try {
    await empty.run('analyze')
    await empty.database.transaction(async (tx) => {
      await findCustomers(tx, [{ company: 'X', number: 'C-1' }])
      await findAddresses(tx, [{ customerId: 1, code: 'MAIN' }])
      await lockCreditAccounts(tx, [1, 2])
      changeExposure(tx, [{ customerId: 1, amountMinor: 1 }])
      const figures = { creditLimitMinor: null, receivablesMinor: 0, asOf: MONDAY }
      await refreshCredit(tx, [{ customerId: 1, ...figures }])
      await upsertCustomers(tx, reading('X'), [customer()])
    })
    const reads = await Promise.all([...empty.statements().values()].map((each) => empty.fullReads(each)))
    expect(reads.length).toBe(10)
    expect(reads.flat()).toEqual([])
    // The shape that was measured to read a whole table is caught.
    const joined = 'from customers.customer c join unnest($1::int[]) as k(id) on c.id + 0 = k.id'
    expect(await empty.fullReads(sql('test.joined', `select c.name ${joined}`))).toHaveLength(1)
  } finally {
    await empty.end()
  }
})
