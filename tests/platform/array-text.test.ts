import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrayText } from '#platform/array-text.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'

let testing: TestDatabase
let client: Client
beforeAll(async () => {
  testing = await testDatabase('empty')
  client = new Client({ connectionString: testing.url })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await testing.end()
})

async function readBack(type: string, values: readonly unknown[]): Promise<unknown> {
  const { rows } = await client.query(`select $1::${type}[] as list`, [arrayText(values)])
  return rows[0].list
}

test('PostgreSQL reads every list of texts as it was, whatever they hold', async () => {
  const text = fc
    .string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ' ', '\n', "'", 'NULL', 'ä', '漢', 'a') })
    .filter((value) => !value.includes('\0'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text)), async (list) => {
      expect(await readBack('text', list)).toEqual(list)
    }),
    { numRuns: 200 },
  )
})

test('PostgreSQL reads numbers, truths, moments and lists of lists as they were', async () => {
  const moment = new Date('2026-11-02T12:34:56.789Z')
  expect(await readBack('int', [1, -2, null, undefined])).toEqual([1, -2, null, null])
  expect(await readBack('float8', [0.1, 1e300, Number.NaN])).toEqual([0.1, 1e300, Number.NaN])
  expect(await readBack('boolean', [true, false])).toEqual([true, false])
  expect(await readBack('timestamptz', [moment])).toEqual([moment])
  expect(
    await readBack('text', [
      ['a', null],
      ['b,', 'c'],
    ]),
  ).toEqual([
    ['a', null],
    ['b,', 'c'],
  ])
  expect(await readBack('text', [])).toEqual([])
})

test('a list with anything else in it is left to the driver', () => {
  expect(arrayText([Buffer.from('a')])).toBeUndefined()
  expect(arrayText(['a', { b: 1 }])).toBeUndefined()
  expect(arrayText([['a'], [new Uint8Array(1)]])).toBeUndefined()
})
