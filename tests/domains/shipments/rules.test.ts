/** How far what a warehouse holds has come, whatever it told and in whatever order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atWarehouse, leftOf } from '#domains/shipments/rules.ts'

const line = (given: Partial<Parameters<typeof atWarehouse>[0]>) => ({
  quantity: 10,
  shipped: 0,
  short: 0,
  picked: 0,
  packed: 0,
  ...given,
})

test.each([
  ['nothing told', {}, [10, 0, 0]],
  ['some picked', { picked: 4 }, [6, 4, 0]],
  ['some of that packed', { picked: 6, packed: 4 }, [4, 2, 4]],
  ['packed and never picked', { packed: 4 }, [6, 0, 4]],
  ['the first part of what was packed has shipped', { picked: 10, packed: 8, shipped: 4 }, [0, 2, 4]],
  ['more has shipped than was ever told', { picked: 4, packed: 2, shipped: 6 }, [4, 0, 0]],
  ['the rest was short', { picked: 6, short: 4 }, [0, 6, 0]],
  ['what was picked turned out short', { picked: 10, packed: 4, short: 5 }, [0, 1, 4]],
  ['all has shipped', { picked: 10, packed: 10, shipped: 10 }, [0, 0, 0]],
] as const)('%s', (_, given, [released, picked, packed]) => {
  expect(atWarehouse(line(given))).toEqual({ released, picked, packed })
})

test('released, picked and packed are together what is left, and none of them is less than nothing', () => {
  const told = fc.nat({ max: 10 })
  const any = fc.record({ shipped: told, short: told, picked: told, packed: told })
  fc.assert(
    fc.property(any, (given) => {
      fc.pre(given.shipped + given.short <= 10)
      const held = atWarehouse(line(given))
      expect(held.released + held.picked + held.packed).toBe(leftOf(line(given)))
      expect(Math.min(held.released, held.picked, held.packed)).toBeGreaterThanOrEqual(0)
    }),
  )
})
