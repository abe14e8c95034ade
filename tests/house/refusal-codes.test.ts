/** Every refusal that the catalogue explains is raised by the house, and some test has seen it raised. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { houseCatalogue } from '../../src/app-catalogue.ts'

const root = join(import.meta.dirname, '..', '..')

async function textsUnder(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== import.meta.filename)
  return Promise.all(paths.map((path) => readFile(path, 'utf8')))
}

const escaped = (code: string): string => code.replaceAll('.', String.raw`\.`)

/** Where a source names the code other than to declare or to explain it. */
const raises = (text: string, code: string): boolean =>
  new RegExp(`['\`]${escaped(code)}['\`](?!: \\{)`).test(text)

/** A whole code, not the beginning of a longer one. */
const mentions = (text: string, code: string): boolean => new RegExp(`${escaped(code)}(?![\\w.])`).test(text)

const codes = [...houseCatalogue.keys()].toSorted()

test('there are codes to look for', () => expect(codes.length).toBeGreaterThan(80))

describe('a code counts', () => {
  test('as raised where it stands as a value, not where it is declared', () => {
    expect(raises("new Refusal('orders.unknown', message)", 'orders.unknown')).toBe(true)
    expect(raises("  'orders.unknown': {", 'orders.unknown')).toBe(false)
    expect(raises("new Refusal('orders.unknown_line', message)", 'orders.unknown')).toBe(false)
  })

  test('as seen where a test names it whole', () => {
    expect(mentions("toMatchObject({ code: 'orders.unknown' })", 'orders.unknown')).toBe(true)
    expect(mentions("['422,orders.unknown']", 'orders.unknown')).toBe(true)
    expect(mentions("'orders.unknown_line'", 'orders.unknown')).toBe(false)
  })
})

test('every code is raised somewhere', async () => {
  const sources = await textsUnder('src')
  expect(codes.filter((code) => !sources.some((text) => raises(text, code)))).toEqual([])
})

test('every code is seen raised by some test', async () => {
  const tests = await textsUnder('tests')
  expect(codes.filter((code) => !tests.some((text) => mentions(text, code)))).toEqual([])
})
