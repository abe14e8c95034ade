/** What an ERP has twice under one reference of ours: found, told with both numbers, and closed when one is gone. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import type { ErpBooks, PostedKind, StandingDocument } from '#capabilities/erp.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { lookForDoublePosts } from '#processes/double-posts.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '47101'
const WITHIN = { timeout: 10_000 }
const HOUR_MS = 3_600_000

let house: Wholesaler
let placed: Placed
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 100 } }], [{ number: '500001' }], {
    landscape: { pace: { pickAfterMs: 0, shipAfterMs: 0 } },
  })
  placed = await house.order({ lines: [[SKU, 6]] })
  const posted = () => house.query('select 1 from billing.invoice where posted_at is not null')
  await vi.waitUntil(async () => (await posted()).length === 1, WITHIN)
}, 60_000)
afterAll(() => house.end())

const asked: (readonly string[])[] = []
/** What its clerks or its own fault added to what it was sent. */
const besides: Record<PostedKind, StandingDocument[]> = { orders: [], invoices: [] }
const books: ErpBooks = {
  instance: 'erp-foods',
  referencesMax: 50,
  async standing(kind, references) {
    asked.push(references)
    const own = house.landscape.legacyErp.truth()[kind]
    return [...own, ...besides[kind]].filter(({ reference }) => references.includes(reference))
  },
}
/** An hour later, when all of it has settled. */
const look = () =>
  lookForDoublePosts(
    {
      database: house.app.database,
      clock: { now: () => new Date(Date.now() + HOUR_MS) },
      openExceptions: exceptionsOf(loadConfig({ environment: {}, file: undefined, defaults: {} })),
    },
    { company: 'NWF', books },
  )
const told = async () =>
  (await listExceptions(house.app.database)).filter(({ code }) => code.endsWith('posted_twice'))

test('what the ERP has once is nobody’s trouble, and is asked for once', async () => {
  expect(await look()).toBe(false)
  expect(asked.flat().toSorted()).toEqual([expect.stringMatching(/^I-/), placed.body.id])
  expect(await told()).toEqual([])
  asked.length = 0
  await look()
  expect(asked).toEqual([])
})

describe('what it has twice', () => {
  const again = async (): Promise<void> => {
    await house.query(`delete from reading.progress where resource = 'double-posts'`)
    await look()
  }

  test('is told with both numbers, at what it is worth, with what to do', async () => {
    const { orders, invoices } = house.landscape.legacyErp.truth()
    besides.orders.push({ reference: orders[0]!.reference, number: '0000459999' })
    besides.invoices.push({ reference: invoices[0]!.reference, number: '0090019999' })
    await again()
    expect(await told()).toMatchObject([
      {
        code: 'orders.posted_twice',
        owner: 'customer-service',
        title: `erp-foods has ${placed.body.id} 2 times: ${orders[0]!.number}, 0000459999`,
        suggestedAction: expect.stringMatching(
          new RegExp(`Have 0000459999 taken back at erp-foods: we go by ${orders[0]!.number}`),
        ),
      },
      {
        code: 'billing.posted_twice',
        owner: 'billing',
        title: `erp-foods has ${invoices[0]!.reference} 2 times: ${invoices[0]!.number}, 0090019999`,
      },
    ])
    const affected = await house.query<{ doc: number; value: number }>(
      `select doc, value_minor as value from exceptions.affected order by doc`,
    )
    expect(affected).toMatchObject([{ doc: placed.doc, value: 6_000 }, {}])
  })

  test('stays until one of them is gone, and closes then, each by itself', async () => {
    await look()
    expect(await told()).toHaveLength(2)
    besides.orders.length = 0
    await look()
    expect(await told()).toMatchObject([{ code: 'billing.posted_twice' }])
    besides.invoices.length = 0
    await look()
    expect(await told()).toEqual([])
  })
})

test('as many references are asked for at once as the ERP takes, page by page of what was posted', async () => {
  await look()
  asked.length = 0
  await house.query(
    `insert into log.event (type, key, key_version, company, source, actor, correlation_id, data)
     select 'order.posted_to_erp', 9000000 + n, 1, 'NWF', 'test', 'test', 9000000 + n, '{}' from generate_series(1, 620) n`,
  )
  expect(await look()).toBe(true)
  expect(await look()).toBe(false)
  expect(Math.max(...asked.map(({ length }) => length))).toBe(50)
  expect(new Set(asked.flat()).size).toBe(620)
  expect(asked.flat()).toHaveLength(620)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
