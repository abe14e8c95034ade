/** The documents keep up with the repository: links lead somewhere, files that are named exist, invariants are held. */
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { invariantsOfHouse } from '../../src/app-invariants.ts'
import { createMetrics, declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (page: string): string => readFileSync(join(root, page), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md'], { cwd: root }).toSorted()

/** What is between fences is an example, not a reference. */
const prose = (text: string): string => text.replaceAll(/^ *```[^]*?^ *```/gm, '')

/** Anchors of headings as GitHub makes them; the second of a name ends in -1. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of prose(text).matchAll(/^#{1,6} +(.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
    let anchor = slug
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** Links of a page that lead nowhere: no such file, or no such heading in it. */
function deadLinks(page: string, text: string): string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    if (path === '') return !anchorsOf(text).has(anchor ?? '')
    const target = join(root, dirname(page), path)
    if (relative(root, target).startsWith('..') || !existsSync(target)) return true
    if (anchor === undefined) return false
    return statSync(target).isDirectory() || !anchorsOf(readFileSync(target, 'utf8')).has(anchor)
  })
}

const PLACE = /^(?:src|tests|landscape|docs|scripts|migrations|bench)\/[\w./*{},-]*$/

/** Files that a page names in backticks; a pattern names all that it finds. */
const placesIn = (text: string): string[] =>
  [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code).filter((code) => PLACE.test(code))

const isThere = (place: string): boolean =>
  /[*{]/.test(place) ? globSync(place, { cwd: root }).length > 0 : existsSync(join(root, place))

describe.each(pages)('%s', (page) => {
  const text = read(page)
  test('has no link that leads nowhere', () => expect(deadLinks(page, text)).toEqual([]))
  test('names no file that is not there', () =>
    expect(placesIn(text).filter((place) => !isThere(place))).toEqual([]))
})

test.each([
  ['[a](nowhere.md)', ['nowhere.md']],
  ['[a](CONTRIBUTING.md#no-such-heading)', ['CONTRIBUTING.md#no-such-heading']],
  ['# Here\n[a](#here) [b](#there)', ['#there']],
  ['[a](../outside.md)', ['../outside.md']],
  ['[a](https://example.com/) [b](CONTRIBUTING.md#tests) [c](docs)\n```\n[d](no.md)\n```', []],
])('of %j the dead links are %j', (text, dead) => expect(deadLinks('README.md', text)).toEqual(dead))

test('a file that is not there is seen, alone or behind a pattern', () => {
  const text = '`src/app.ts` `src/none.ts` `src/platform/none*.ts` `npm start` `tests/systems/<folder>`'
  expect(placesIn(text).filter((place) => !isThere(place))).toEqual(['src/none.ts', 'src/platform/none*.ts'])
})

type Invariant = { readonly what: string; readonly heldBy: string }

/** Rows of the tables under "Invariants": the first cell says what holds, the last what holds it. */
function invariantsIn(text: string): Invariant[] {
  const rows = text.slice(text.indexOf('\n## Invariants')).matchAll(/^\| (.+) \|$/gm)
  const cells = [...rows].map(([, row = '']) => row.split(' | '))
  return cells
    .filter((row) => row.at(-1) !== 'Held by')
    .map((row) => ({ what: row[0]!, heldBy: row.at(-1)! }))
}

/** What a row names that is not so: no file at all, or a constraint, rule or test that none of its files has. */
function unheld({ what, heldBy }: Invariant): string[] {
  const code = [...heldBy.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  const files = code.filter((name) => existsSync(join(root, name)))
  if (files.length === 0) return [`${what}: no file`]
  const text = files.map(read).join('\n').replaceAll(/\s+/g, ' ')
  const titles = [...heldBy.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title)
  const named = [...code.filter((name) => !files.includes(name)), ...titles]
  return named.filter((name) => !text.includes(name)).map((name) => `${what}: ${name}`)
}

describe('ARCHITECTURE.md', () => {
  const invariants = invariantsIn(read('ARCHITECTURE.md'))

  test('names for every invariant a file, and only rules, constraints and tests that this file has', () => {
    expect(invariants.length).toBeGreaterThan(50)
    expect(invariants.flatMap(unheld)).toEqual([])
  })

  test('has every room and every file of the platform on its map', () => {
    const named = placesIn(read('ARCHITECTURE.md')).flatMap((place) => globSync(place, { cwd: root }))
    const platform = globSync('src/platform/*.ts', { cwd: root })
    const rooms = globSync('src/*', { cwd: root, exclude: ['src/*.*'] })
    expect([...rooms, ...platform].filter((place) => !named.some((one) => join(one) === place))).toEqual([])
  })

  test('names every import rule', async () => {
    const { default: config } = await import('../../.dependency-cruiser.mjs')
    const named = invariants.map(({ heldBy }) => heldBy).join(' ')
    const missing = config.forbidden.filter((rule) => !named.includes(`\`${rule.name}\``))
    expect(missing.map((rule) => rule.name)).toEqual([])
  })

  test.each([
    ['nothing at all', 'good will', 'no file'],
    ['a file that is gone', '`src/none.ts`', 'no file'],
    ['a rule that is gone', '`no-such-rule` in `.dependency-cruiser.mjs`', 'no-such-rule'],
    ['a test that is gone', '“no such title” in `tests/house/install.test.ts`', 'no such title'],
  ])('would not get away with %s', (what, heldBy, missing) =>
    expect(unheld({ what, heldBy })).toEqual([`${what}: ${missing}`]),
  )
})

describe('docs/invariants.md', () => {
  test('names every invariant that is looked at, and no other', () => {
    const names = read('docs/invariants.md').matchAll(/`([a-z]+\.[a-z]+(?:_[a-z]+){2,})`/g)
    const known = invariantsOfHouse().map(({ name }) => name)
    expect(new Set([...names].map(([, name]) => name))).toEqual(new Set(known))
  })
})

describe('docs/decisions', () => {
  const decisions = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md')

  test('are all in the index, in their order and under their titles', () => {
    const rows = [...read('docs/decisions/README.md').matchAll(/^\| \[(\d{4})\]\((.+?)\) \|/gm)]
    expect(rows.map(([, , file]) => file)).toEqual(decisions.toSorted())
    expect(rows.map(([, number, file]) => file!.startsWith(number!))).not.toContain(false)
  })

  test.each(decisions)('%s says context, decision, what was measured and what follows', (name) => {
    const text = read(`docs/decisions/${name}`)
    expect(text).toMatch(new RegExp(`^# ${name.slice(0, 4)} `))
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Measured',
      'Consequences',
    ])
  })
})

describe('docs/operations.md', () => {
  const text = read('docs/operations.md')
  let house: OpenDatabase
  beforeAll(async () => {
    house = await openTestDatabase()
  })
  afterAll(() => house.end())

  /** The examples in SQL, statement by statement. */
  const statements = [...text.matchAll(/^ *```sql\n([^]*?)^ *```/gm)].flatMap(([, block = '']) =>
    block.split(/;\s*$/m).filter((statement) => statement.replaceAll(/--.*$/gm, '').trim() !== ''),
  )

  test('names every metric of the house', async () => {
    const metrics = createMetrics({ process: false })
    declareHouseMetrics(metrics)
    const names = [...(await metrics.scrape()).text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(4)
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  })

  test('has no statement that the database does not understand', async () => {
    expect(statements.length).toBeGreaterThan(8)
    for (const statement of statements) await house.run(statement)
  })
})
