import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wireText } from '#platform/wire-text.ts'
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
  const { rows } = await client.query(`select $1::${type}[] as list`, [wireText(values)])
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

test('PostgreSQL reads bytes and JSON as they were, by themselves and in lists', async () => {
  const bytes = Buffer.from([0, 1, 34, 92, 255])
  expect(await readBack('bytea', [bytes, null, new Uint8Array([7])])).toEqual([bytes, null, Buffer.from([7])])
  const content = { text: 'a "quoted" \\ word', list: [1, null, 'ä'], of: { more: true } }
  expect(await readBack('jsonb', [content, null])).toEqual([content, null])
  const alone = [bytes, content, new Date('2026-11-02T12:34:56.789Z'), 12n, true, null]
  const { rows } = await client.query(
    'select $1::bytea a, $2::jsonb b, $3::timestamptz c, $4::int d, $5::boolean e, $6::text f',
    alone.map(wireText),
  )
  expect(Object.values(rows[0])).toEqual([bytes, content, alone[2], 12, true, null])
})

test('what cannot be written is refused', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  expect(() => wireText(circular)).toThrow(/circular/i)
  expect(() => wireText([1, [circular]])).toThrow(/circular/i)
})
