/** The world is the same for the same seed, and its expected counts are those of an independent count. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectations } from '#landscape/world/expectations.ts'
import { loadCsvWorld } from '#landscape/world/csv.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import { checkDigit, gln13, gtin14, sscc18 } from '#landscape/world/gs1.ts'
import { factorOf, type World, type WorldOrder } from '#landscape/world/world.ts'

const world = generateWorld({ seed: 'demo', today: '2026-11-02' })
const count = <T>(list: T[], one: (item: T) => boolean): number => list.filter(one).length

describe('the generated world', () => {
  it('is the same for the same seed and another for another', () => {
    const again = generateWorld({ seed: 'demo', today: '2026-11-02' })
    const other = generateWorld({ seed: 'else', today: '2026-11-02' })
    expect(JSON.stringify([again, again.orders(300)])).toBe(JSON.stringify([world, world.orders(300)]))
    expect(JSON.stringify(other.orders(300))).not.toBe(JSON.stringify(world.orders(300)))
  })

  it('gives the same order at a place however it is asked for', () => {
    expect(world.orders(7, 390)).toEqual(world.orders(400).slice(390, 397))
  })

  it('holds the stated number of each planted case in every block of 100', () => {
    for (const from of [0, 100, 700]) {
      const cases = world.orders(100, from).map((order) => order.case)
      const per = (name: string): number => count(cases, (one) => one === name)
      expect(per('regular')).toBe(84)
      expect([
        per('credit_blocked'),
        per('over_limit'),
        per('price_mismatch'),
        per('price_tolerated'),
      ]).toEqual([2, 2, 2, 3])
      expect([per('discontinued'), per('unknown_item'), per('unknown_customer'), per('bad_unit')]).toEqual([
        1, 1, 1, 1,
      ])
      expect([per('duplicate_same'), per('duplicate_changed')]).toEqual([2, 1])
    }
  })

  it('expects of 830 orders exactly what the orders say of themselves', () => {
    const { outcomes } = expectations(world, 830)
    const said = Map.groupBy(world.orders(830), (order) => order.expected)
    for (const [outcome, expected] of Object.entries(outcomes)) {
      expect([outcome, said.get(outcome as WorldOrder['expected'])?.length ?? 0]).toEqual([outcome, expected])
    }
    expect(outcomes.stays_backordered).toBe(0)
  })

  it('ships about 85 % of the lines at once and fills all others', () => {
    const { lines } = expectations(world, 830)
    expect(lines.shipAtOnce / lines.total).toBeGreaterThan(0.81)
    expect(lines.shipAtOnce / lines.total).toBeLessThan(0.89)
    expect(lines.filled).toBe(lines.backordered)
    expect(lines.shipAtOnce + lines.backordered).toBe(lines.total)
  })

  it('plants shelves that nobody may sell from, in a known number, beside some that everybody may', () => {
    const { shelves } = expectations(world, 830)
    expect([shelves.hold, shelves.damaged]).toEqual([21, 16])
    const unsaleable = world.stock.filter(({ status }) => status !== 'available')
    for (const { item, site, lot } of unsaleable) {
      const beside = world.stock.filter((row) => row.item === item && row.site === site && row.lot === lot)
      expect(beside.some(({ status }) => status === 'available')).toBe(true)
    }
  })

  it('counts the same outcomes and lines in whatever order the orders arrive', () => {
    const backwards: World = { ...world, orders: (n) => world.orders(n).toReversed() }
    expect(expectations(backwards, 830)).toEqual(expectations(world, 830))
  })

  it('plants orders of who wants goods to live for long, some of which wait while others are sold what is there', () => {
    const long = generateWorld({ seed: 'demo', today: '2026-11-02', longLifeCustomers: 6 })
    const wanting = new Set(
      long.customers.filter((one) => one.shelfLifeDays !== undefined).map((one) => one.number),
    )
    expect(wanting.size).toBe(6)
    const orders = long.orders(100, 300)
    const per = (name: string): number => count(orders, (order) => order.case === name)
    expect([per('regular'), per('long_life'), per('too_old')]).toEqual([80, 2, 2])
    expect(count(long.orders(830), (order) => wanting.has(order.customer))).toBe(33)
    const { outcomes, lines } = expectations(long, 830)
    expect([outcomes.ships_later_lots, outcomes.fills_with_later_lots]).toEqual([17, 16])
    expect(outcomes.stays_backordered).toBe(0)
    expect([lines.filled, lines.shipLaterLots > 17]).toEqual([lines.backordered, true])
    const backwards: World = { ...long, orders: (n) => long.orders(n).toReversed() }
    expect(expectations(backwards, 830)).toEqual(expectations(long, 830))
    const aging = new Set(long.items.filter((one) => one.supply === 'aging').map((one) => one.number))
    const soldAtOnce = long
      .orders(830)
      .filter((order) => order.expected === 'ships_at_once')
      .flatMap((order) => order.lines)
    expect(count(soldAtOnce, (line) => aging.has(line.item))).toBeGreaterThan(50)
    expect([expectations(world, 830).outcomes.ships_later_lots, per('credit_blocked')]).toEqual([0, 2])
  })

  it('repeats in a duplicate an earlier order of the same customer and number', () => {
    const orders = world.orders(830)
    const duplicates = orders.filter((order) => order.case.startsWith('duplicate'))
    expect(duplicates.length).toBe(24)
    expect(new Set(duplicates.map((order) => order.repeats)).size).toBe(24)
    for (const order of duplicates) {
      const earlier = orders[order.repeats ?? -1]
      expect([order.customer, order.poNumber]).toEqual([earlier?.customer, earlier?.poNumber])
      if (order.case === 'duplicate_same') expect(order.lines).toEqual(earlier?.lines)
      else expect(order.lines).not.toEqual(earlier?.lines)
    }
  })

  it('stays below the limit of every customer that is not over it, three times over', () => {
    const net = new Map<string, number>()
    for (const order of world.orders(830)) {
      for (const line of order.lines) {
        const item = world.items.find((one) => one.number === line.item)
        const unit = item && factorOf(item, line.unit)
        const priced = item && factorOf(item, line.priceUnit)
        const value =
          unit && priced
            ? (line.quantity * unit.numerator * priced.denominator * line.priceMinor) /
              (unit.denominator * priced.numerator)
            : 0
        net.set(order.customer, (net.get(order.customer) ?? 0) + value)
      }
    }
    for (const customer of world.customers) {
      const exposure = customer.receivablesMinor + 2.9 * (net.get(customer.number) ?? 0)
      if (!customer.overLimit) expect(exposure).toBeLessThan(customer.creditLimitMinor)
      else expect(customer.creditLimitMinor - customer.receivablesMinor).toBeLessThan(100)
    }
  })

  it('sells by catch weight with a unit factor that is an exact fraction, and some items by lot', () => {
    const weighed = world.items.filter((item) => item.catchWeight)
    expect(weighed.length).toBeGreaterThan(5)
    for (const item of weighed)
      expect(factorOf(item, 'KG')).toMatchObject({ numerator: 1000, denominator: item.nominalGrams })
    expect(count(world.items, (item) => item.lotControlled)).toBeGreaterThan(20)
  })
})

describe('GS1 keys', () => {
  it('carry the check digit of the published examples', () => {
    expect(checkDigit('0950600013435')).toBe('2')
    expect(checkDigit('401234500000')).toBe('9')
  })
  it('have their full length', () => {
    expect([gtin14(1, 7).length, gln13(7).length, sscc18(7).length]).toEqual([14, 13, 18])
  })
})

async function folder(files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'world-'))
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, `${name}.csv`), text)))
  return dir
}

const FILES = {
  carriers: 'ShipperID,CompanyName,Phone\n1,Fast,1\n',
  suppliers: 'SupplierID,CompanyName\n1,Farm\n',
  customers:
    'CustomerID,CompanyName,Address,City,Region,PostalCode,Country\nABCDE,"Corner, Ltd",1 Rd,Paris,,75001,France\n',
  items: `ProductID,ProductName,QuantityPerUnit,UnitPrice,Discontinued\n${[1, 2, 3, 4, 5, 6, 7].map((n) => `${n},Item ${n},1 box,1${n}.50,0`).join('\n')}\n`,
  orders:
    'OrderID,CustomerID,ShipName,ShipAddress,ShipCity,ShipRegion,ShipPostalCode,ShipCountry\n1,ABCDE,Dock,2 Rd,Lyon,,69001,France\n2,ABCDE,Corner,1 Rd,Paris,,75001,France\n3,GONE,X,1 Rd,Rome,,1,Italy\n',
  'order-lines':
    'OrderID,ProductID,UnitPrice,Quantity,Discount\n1,1,11.50,3,0.1\n2,7,17.50,2,0\n3,1,11.50,1,0\n',
}

describe('a folder of CSV files', () => {
  it('becomes a world whose orders state current prices and name the unknown customer', async () => {
    const dir = await folder(FILES)
    const csv = await loadCsvWorld(dir, { seed: 's', today: '2026-11-02' })
    await rm(dir, { recursive: true })
    expect(csv.orders(9).map((order) => order.expected)).toEqual([
      'ships_at_once',
      'fills_later',
      'rejected_unknown_customer',
    ])
    expect(csv.orders(1)[0]).toMatchObject({
      poNumber: 'NW-1',
      shipTo: '02',
      lines: [{ item: '1', quantity: 3, priceMinor: 1150 }],
    })
    expect(csv.customers[0]).toMatchObject({
      name: 'Corner, Ltd',
      addresses: [{ country: 'FR' }, { code: '02', city: 'Lyon' }],
    })
    expect([csv.carriers, csv.suppliers]).toEqual([['Fast'], [{ number: '1', name: 'Farm' }]])
  })

  it('says which items have lots and how long they must live for a customer', async () => {
    const dir = await folder({
      ...FILES,
      customers: 'CustomerID,CompanyName,ShelfLifeDays\nABCDE,Corner,60\nFGHIJ,Other,\n',
      items: 'ProductID,ProductName,UnitPrice,LotControlled\n1,Milk,1.50,1\n2,Mop,2.50,0\n',
    })
    const csv = await loadCsvWorld(dir, { seed: 's', today: '2026-11-02' })
    await rm(dir, { recursive: true })
    expect(csv.customers.map(({ shelfLifeDays }) => shelfLifeDays)).toEqual([60, undefined])
    expect(csv.items.map(({ lotControlled }) => lotControlled)).toEqual([true, false])
  })

  it('states the prices of the file on demand, and then expects the discounted order to be held', async () => {
    const dir = await folder(FILES)
    const csv = await loadCsvWorld(dir, { seed: 's', today: '2026-11-02', prices: 'as_ordered' })
    await rm(dir, { recursive: true })
    expect(csv.orders(1)[0]).toMatchObject({ expected: 'held_price', lines: [{ priceMinor: 1035 }] })
  })

  const northwind = new URL('../../../shared/samples/northwind', import.meta.url).pathname
  it.skipIf(!existsSync(northwind))(
    'of Northwind gives 830 orders with 2,155 lines that all ship in the end',
    async () => {
      const csv = await loadCsvWorld(northwind, { seed: 's', today: '2026-11-02' })
      const { orders, outcomes, lines } = expectations(csv, 830)
      expect([orders, lines.total, lines.filled]).toEqual([830, 2155, lines.backordered])
      expect(outcomes.ships_at_once + outcomes.fills_later).toBe(830)
    },
  )
})
