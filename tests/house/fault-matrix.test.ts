/** The fault matrix keeps up with the repository: each row names tests and faults that are there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RATES } from '#tests/simulation/fault-script.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Bad days of the counterparts: the keys of the tables, and those that are drawn by name. */
function boardFaults(text: string): string[] {
  const keys = [...text.matchAll(/^ {2}'?([a-z-]+)'?: \{ kind: |^ {2}'([a-z-]+)': \{$/gm)]
  const named = [...text.matchAll(/strikes\(\w+, '([a-z-]+)'\)/g)]
  return [...keys, ...named].map(([, key, other]) => (key ?? other)!)
}

const faults = new Set([...Object.keys(RATES), ...boardFaults(read('tests/simulation/board-faults.ts'))])

type Row = { readonly failure: string; readonly proof: string }

const rowsIn = (text: string): Row[] =>
  [...text.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | '))
    .filter((cells) => cells.at(-1) !== 'Proof')
    .map((cells) => ({ failure: cells[0]!, proof: cells.at(-1)! }))

/** What a row names that is not so, or that it names nothing at all. */
function unproven({ failure, proof }: Row): string[] {
  const code = [...proof.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  const files = code.filter((name) => name.startsWith('tests/'))
  const texts = files.filter((name) => existsSync(join(root, name))).map(read)
  const titles = [...proof.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title)
  const missing = [
    ...files.filter((name) => !existsSync(join(root, name))),
    ...code.filter((name) => !files.includes(name) && !faults.has(name)),
    ...titles.filter((title) => !texts.some((text) => text.includes(title))),
  ]
  if (code.length === 0) missing.push('no proof')
  if (files.length > 0 && titles.length === 0) missing.push('no title')
  return missing.map((name) => `${failure}: ${name}`)
}

describe('docs/fault-matrix.md', () => {
  const rows = rowsIn(read('docs/fault-matrix.md'))

  test('proves each row by tests and faults that are there', () => {
    expect(rows.length).toBeGreaterThan(50)
    expect(rows.flatMap(unproven)).toEqual([])
  })

  test('has each crash point of the design, in its order', () => {
    const points = rows.flatMap(({ failure }) => /^(K\d+) /.exec(failure)?.[1] ?? [])
    expect(points).toEqual(Array.from({ length: 16 }, (_, at) => `K${at + 1}`))
  })

  test('names each fault of the simulation', () => {
    const page = read('docs/fault-matrix.md')
    expect([...faults].filter((fault) => !page.includes(`\`${fault}\``))).toEqual([])
  })

  test.each([
    ['nothing at all', 'good will', 'no proof'],
    ['a fault that is gone', '`no-such-fault`', 'no-such-fault'],
    ['a file that is gone', '“x” in `tests/none.test.ts`', 'tests/none.test.ts'],
    ['a test that is gone', '“no such title” in `tests/house/install.test.ts`', 'no such title'],
    ['a file without a title', '`tests/house/install.test.ts`', 'no title'],
  ])('would not get away with %s', (failure, proof, missing) =>
    expect(unproven({ failure, proof })).toContain(`${failure}: ${missing}`),
  )
})
