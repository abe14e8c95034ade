/** Schemas of routes are constants: one that is made with its route is published and compiled anew for each house. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const src = join(import.meta.dirname, '..', '..', 'src')

const MADE_IN_PLACE =
  /\b(?:query|params|body): (?:z\.(?!output|infer)\w|\w+\.(?:extend|pick|omit|partial)\(|pageOf\(\w+\)\.)/g

const madeInPlace = (text: string): string[] => text.match(MADE_IN_PLACE) ?? []

test('a schema that is made in a route is seen', () => {
  const text =
    'query: PageQuery.extend({}), params: z.object({}), answers: { 200: { body: pageOf(A).extend({}) } }'
  expect(madeInPlace(text)).toHaveLength(3)
  expect(madeInPlace('query: Listed, answers: { 200: { body: pageOf(A) } }, act(body: z.output<B>)')).toEqual(
    [],
  )
})

test('no route makes a schema', async () => {
  const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith('.ts'))
  const texts = await Promise.all(files.map((file) => readFile(join(src, file), 'utf8')))
  expect(texts.filter((text) => text.includes('route({')).length).toBeGreaterThan(20)
  const found = files.flatMap((file, at) => madeInPlace(texts[at]!).map((schema) => `${file}: ${schema}`))
  expect(found).toEqual([])
})
