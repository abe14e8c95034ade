import { expect, test } from 'vitest'
import { percentile } from '../../bench/load.ts'
import { benchWorld, orderMaker } from '../../bench/world.ts'

test('a percentile is the value below which that share of the values lies', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
  expect(percentile(hundred, 0.5)).toBe(51)
  expect(percentile(hundred, 0.99)).toBe(100)
  expect(percentile([7], 0.99)).toBe(7)
  expect(percentile([], 0.5)).toBe(0)
})

test('the same run of orders comes out the same each time, every order once, and of customers and items that exist', () => {
  const world = benchWorld()
  const make = (run: string) =>
    Array.from(
      { length: 300 },
      (
        (orders) => (_: unknown, nth: number) =>
          orders(nth)
      )(orderMaker(world, run)),
    )
  const first = make('a')
  expect(make('a')).toEqual(first)
  expect(new Set([...first, ...make('b')].map(({ key }) => key)).size).toBe(600)
  const customers = new Map(world.customers.map((customer) => [customer.number, customer.company]))
  const items = new Set(world.items.map((item) => `${item.company} ${item.number}`))
  for (const { body } of first) {
    const order = JSON.parse(body) as {
      company: string
      customer: string
      lines: { sku: string; quantity: string }[]
    }
    expect(customers.get(order.customer)).toBe(order.company)
    expect(order.lines).toHaveLength(3)
    for (const { sku, quantity } of order.lines) {
      expect(items).toContain(`${order.company} ${sku}`)
      expect(Number(quantity)).toBeGreaterThan(0)
    }
  }
})
