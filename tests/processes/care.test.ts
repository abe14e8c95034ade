/** Who grants stock asks who is silent only where somebody may be. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FreshnessRule } from '#domains/inventory/contract/freshness.ts'
import { lockSourceStates, saveTurns } from '#domains/inventory/operations/freshness.ts'
import { changeRule } from '#domains/inventory/operations/freshness-rules.ts'
import { units } from '#platform/quantity.ts'
import { systemClock } from '#platform/clock.ts'
import { newItem, NORTH, receive, SOUTH } from '#tests/domains/inventory/stock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { Care } from '../../src/processes/care.ts'

const common = { flow: 'messages' as const, budgetMs: 60_000, locations: [NORTH] }
const CAP: FreshnessRule = { ...common, source: 'depot', rule: { kind: 'cap', quantity: units(5) } }
const ASK: FreshnessRule = { ...common, source: 'count', locations: [SOUTH], rule: { kind: 'ask' } }
const NOBODY = { source: 'test', actor: 'tester' }

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const careOf = (...rules: readonly FreshnessRule[]) => new Care(rules, systemClock)
const hasAsked = () => db.statements().has('inventory.source_states')
let docs = 0
const writeDown = (rule: FreshnessRule, silentSince: Date | null) =>
  db.database.transaction(async (tx) => {
    await lockSourceStates(tx)
    const { source, flow } = rule
    const seen = { doc: ++docs, version: 1, heardAt: new Date('2026-11-02T06:00:00Z'), markedUntil: null }
    const state = { source, flow, ...seen, silentSince }
    await saveTurns(tx, [{ state, rule, change: 'none' }], 'NWF', NOBODY)
    return state
  })

test('without a rule, and as long as nobody is silent, an order asks nothing', async () => {
  for (const care of [careOf(), careOf(CAP)]) {
    care.learn([])
    expect(await care.ifAny(db.database, [1])).toBeUndefined()
  }
  const unruled = careOf()
  unruled.learn([])
  expect(await unruled.now(db.database, [1])).toBeUndefined()
  expect(hasAsked()).toBe(false)
})

test('a process that has not heard yet asks, and so does one that hears of a silence later', async () => {
  await writeDown(CAP, null)
  expect(await careOf(CAP).ifAny(db.database, [1])).toBeUndefined()
  expect(hasAsked()).toBe(true)
  const care = careOf(CAP)
  care.learn([])
  await writeDown(CAP, new Date())
  expect(await care.ifAny(db.database, [1])).toBeUndefined()
  await care.reread(db.database)
  expect(await care.ifAny(db.database, [1])).toBeDefined()
})

test('what was read before somebody fell silent does not hide it', async () => {
  await writeDown(CAP, null)
  const care = careOf(CAP)
  const reading = care.reread(db.database)
  care.expect()
  await reading
  await writeDown(CAP, new Date())
  expect(await care.ifAny(db.database, [1])).toBeDefined()
})

test('what a person sets counts for a process without a rule of its own, in place of one that it has, until withdrawn', async () => {
  const item = newItem()
  await receive(db, item, units(20))
  await writeDown(CAP, new Date())
  const setTo = (quantity: number | null) =>
    db.database.transaction(async (tx) => {
      const [source] = (await lockSourceStates(tx)).filter((one) => one.source === CAP.source)
      const { flow: _, source: __, ...holding } = CAP
      const set = quantity && { ...holding, rule: { kind: 'cap' as const, quantity: units(quantity) } }
      const change = { source: source!, set: set || null, inForce: set || CAP, reason: 'test', setBy: 'ann' }
      await changeRule(tx, change, 'NWF', NOBODY)
    })
  const figureOf = async (care: Care) =>
    (await care.now(db.database, [item]))?.figure(
      { itemId: item, location: NORTH },
      { available: units(20), given: 0 },
    )
  const [unruled, ruled] = [careOf(), careOf(CAP)]
  expect([await figureOf(unruled), await figureOf(ruled)]).toEqual([undefined, units(5)])
  await setTo(8)
  expect([await figureOf(unruled), await figureOf(ruled)]).toEqual([units(8), units(8)])
  await setTo(3)
  expect([await figureOf(unruled), await figureOf(ruled)]).toEqual([units(3), units(3)])
  await setTo(null)
  expect([await figureOf(unruled), await figureOf(ruled)]).toEqual([undefined, units(5)])
  await expect(db.run('update inventory.freshness_rule set reason = $1', ['another'])).rejects.toThrow(
    'version 1 of the rule for depot is immutable',
  )
})

test('orders are given what a cap leaves and what a person must be asked for, who waits is not given that', async () => {
  const item = newItem()
  await receive(db, item, units(20))
  await writeDown(CAP, new Date())
  await writeDown(ASK, new Date())
  const care = (await careOf(CAP, ASK).now(db.database, [item]))!
  const at = (location: string) => ({ itemId: item, location })
  const free = { available: units(20), given: units(2) }
  expect(care.figureForOrders(at(NORTH), free)).toBe(units(3))
  expect(care.figureForOrders(at(SOUTH), free)).toBe(units(20))
  expect(care.figure(at(SOUTH), free)).toBe(0)
  expect([care.askerAt(NORTH), care.askerAt(SOUTH)?.source]).toEqual([undefined, 'count'])
  expect(care.withholdersOf(item, [NORTH]).map(({ source }) => source)).toEqual(['depot'])
  expect(care.withholdersOf(item + 1, [NORTH, SOUTH])).toEqual([])
  expect([care.figure(at(NORTH), free), care.figure(at('elsewhere'), free)]).toEqual([units(3), units(20)])
})
