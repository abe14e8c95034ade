/** Each room's statements stay with its own tables; what imports cannot show is read from the SQL. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const src = join(import.meta.dirname, '..', '..', 'src')

const STATEMENT = /\b(?:sql|invariant|relation)\(\s*'([\w.]+)',\s*(?:`([^`]*)`|'([^']*)')/g
const TABLE = /\b(from|join|using|into|update)\s+(?:only\s+)?([a-z_]+)\.[a-z_]+/gi

/** Which statements of a file reach into a schema that is not theirs, as "statement: schema". */
function trespasses(file: string, text: string, domains: readonly string[]): string[] {
  const owner = /^(?:domains|systems)\/([^/]+)\//.exec(file)?.[1]
  const inPlatform = file.startsWith('platform/')
  const found: string[] = []
  for (const [, name, template, plain] of text.matchAll(STATEMENT)) {
    for (const [, verb = '', schema = ''] of (template ?? plain ?? '').matchAll(TABLE)) {
      const writes = /into|update/i.test(verb)
      const isForeign = domains.includes(schema)
        ? schema !== owner
        : writes && !inPlatform && schema !== owner
      if (isForeign) found.push(`${file} ${name}: ${schema}`)
    }
  }
  return found
}

describe('a statement trespasses', () => {
  const domains = ['orders', 'inventory']
  const store = 'domains/orders/store.ts'

  test.each([
    [
      store,
      "sql('orders.find', `select * from orders.line join inventory.position using (item)`)",
      'inventory',
    ],
    [store, "sql('orders.take', `update inventory.position set quantity = 0`)", 'inventory'],
    [store, "invariant('orders.sound', `select 1 from inventory.position`, 'it holds')", 'inventory'],
    [store, "sql('orders.tell', 'insert into log.event (id) values ($1)')", 'log'],
    ['platform/desk.ts', "sql('desk.look', `select * from orders.line`)", 'orders'],
    ['processes/accept.ts', "sql('accept.look', `with a as (select 1) select * from orders.line`)", 'orders'],
  ])('in %s: %s', (file, text, schema) => {
    expect(trespasses(file, text, domains)).toEqual([expect.stringMatching(new RegExp(`: ${schema}$`))])
  })

  test('but not at home', () => {
    const home =
      "sql('orders.write', `insert into orders.line (id) select id from unnest($1::int[]) on conflict do update set id = 1`)"
    expect(trespasses(store, home, domains)).toEqual([])
    expect(
      trespasses('platform/log.ts', "sql('log.append', `insert into log.event values ($1)`)", domains),
    ).toEqual([])
  })
})

test('no statement of this house trespasses', async () => {
  const domains = await readdir(join(src, 'domains'))
  const entries = await readdir(src, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.filter((each) => each.isFile() && each.name.endsWith('.ts'))) {
    const path = join(entry.parentPath, entry.name)
    found.push(...trespasses(relative(src, path), await readFile(path, 'utf8'), domains))
  }
  expect(found).toEqual([])
})
