/** Each import rule sees a planted violation, and the real tree is read whole. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import config from '../../.dependency-cruiser.mjs'
import { checkImports } from '../../scripts/import-rules.mjs'

type Found = Awaited<ReturnType<typeof checkImports>>

const root = join(import.meta.dirname, '..', '..')
const names = config.forbidden.map((rule) => String(rule.name))

/** What each rule must catch: the file with the violation, its import, and where that leads. */
const planted: Record<string, [from: string, specifier: string, to: string][]> = {
  'everything-resolves': [['src/platform/lost.ts', '#platform/nowhere.ts', '#platform/nowhere.ts']],
  'no-cycles': [['src/platform/egg.ts', '#platform/hen.ts', 'src/platform/hen.ts']],
  'no-barrels': [['src/platform/log.ts', './index.ts', 'src/platform/index.ts']],
  'platform-knows-no-business': [
    ['src/platform/desk.ts', '#domains/orders/contract.ts', 'src/domains/orders/contract.ts'],
    ['src/platform/lanes.ts', '#config', 'src/config.ts'],
  ],
  'rooms-are-wired-from-above': [['src/domains/orders/views.ts', '#config', 'src/config.ts']],
  'app-is-for-starters': [['src/config.ts', './app.ts', 'src/app.ts']],
  'app-alone-binds': [
    ['src/cli.ts', '#systems/edi/connector.ts', 'src/systems/edi/connector.ts'],
    ['src/demo.ts', '#processes/accept.ts', 'src/processes/accept.ts'],
    ['src/main.ts', '#domains/orders/operations.ts', 'src/domains/orders/operations.ts'],
  ],
  'capabilities-are-words': [
    ['src/capabilities/erp.ts', '#domains/orders/views.ts', 'src/domains/orders/views.ts'],
  ],
  'domains-meet-at-contracts': [
    [
      'src/domains/billing/operations.ts',
      '#domains/orders/operations.ts',
      'src/domains/orders/operations.ts',
    ],
  ],
  'domains-look-down': [
    ['src/domains/billing/operations.ts', '#processes/accept.ts', 'src/processes/accept.ts'],
    ['src/domains/billing/store.ts', '#capabilities/tax.ts', 'src/capabilities/tax.ts'],
  ],
  'rules-are-pure': [
    ['src/domains/billing/rules.ts', '#platform/clock.ts', 'src/platform/clock.ts'],
    ['src/domains/billing/rules.ts', './views.ts', 'src/domains/billing/views.ts'],
    ['src/domains/billing/rules.ts', 'node:fs', 'fs'],
  ],
  'contracts-are-words': [['src/domains/billing/contract.ts', './views.ts', 'src/domains/billing/views.ts']],
  'doors-lead-to-operations': [
    ['src/domains/billing/routes.ts', './store.ts', 'src/domains/billing/store.ts'],
  ],
  'only-stores-speak-sql': [
    ['src/domains/billing/operations.ts', '#platform/database.ts', 'src/platform/database.ts'],
    ['src/processes/inbound.ts', '#platform/database.ts', 'src/platform/database.ts'],
  ],
  'processes-use-verbs': [
    ['src/processes/inbound.ts', '#domains/orders/store.ts', 'src/domains/orders/store.ts'],
    ['src/processes/inbound.ts', '#systems/edi/map.ts', 'src/systems/edi/map.ts'],
  ],
  'systems-speak-contracts': [
    ['src/systems/edi/connector.ts', '#domains/orders/operations.ts', 'src/domains/orders/operations.ts'],
    ['src/systems/edi/connector.ts', '#processes/accept.ts', 'src/processes/accept.ts'],
  ],
  'systems-are-strangers': [
    ['src/systems/erp-ledger/connector.ts', '#systems/edi/map.ts', 'src/systems/edi/map.ts'],
  ],
  'experiences-use-verbs': [
    ['src/experiences/portal/routes.ts', '#domains/orders/store.ts', 'src/domains/orders/store.ts'],
    ['src/experiences/portal/routes.ts', '#capabilities/tax.ts', 'src/capabilities/tax.ts'],
  ],
  'web-framework-in-one-room': [
    ['src/domains/orders/routes.ts', 'fastify', 'node_modules/fastify/fastify.js'],
  ],
  'database-driver-in-one-place': [['src/domains/orders/store.ts', 'pg', 'node_modules/pg/esm/index.mjs']],
  'network-in-one-place': [
    ['src/systems/edi/wire.ts', 'node:https', 'https'],
    ['src/systems/edi/wire.ts', 'undici', 'node_modules/undici/index.js'],
  ],
  'landscape-is-another-company': [
    ['landscape/erp.ts', '#capabilities/tax.ts', 'src/capabilities/tax.ts'],
    ['landscape/erp.ts', '#platform/http.ts', 'src/platform/http.ts'],
  ],
  'landscape-is-started-by-the-demo': [['src/main.ts', '#landscape/wms.ts', 'landscape/wms.ts']],
  'tests-are-leaves': [['landscape/wms.ts', '#tests/support/clock.ts', 'tests/support/clock.ts']],
  'web-is-a-client': [
    ['web/src/orders.ts', '../../src/domains/orders/contract.ts', 'src/domains/orders/contract.ts'],
  ],
}

/** Imports that stand beside the violations and are right; the hen may need the egg as long as the egg needs no hen. */
const allowed: [from: string, statement: string][] = [
  ['src/platform/hen.ts', "import './egg.ts'"],
  ['src/app.ts', "import '#systems/edi/connector.ts'; import '#processes/accept.ts'"],
  ['src/demo.ts', "import '#landscape/wms.ts'; import './app.ts'"],
  ['src/processes/accept.ts', "import '#domains/orders/operations.ts'; import '#capabilities/tax.ts'"],
  ['src/processes/accept.ts', "import type { Transaction } from '#platform/database.ts'"],
  ['src/domains/orders/store.ts', "import '#platform/database.ts'; import './rules.ts'"],
  ['src/domains/orders/rules.ts', "import './contract.ts'; import '#platform/money.ts'"],
  ['src/domains/orders/contract.ts', "import { z } from 'zod'; import '#domains/items/contract.ts'"],
  ['src/systems/edi/connector.ts', "import './map.ts'; import '#capabilities/tax.ts'"],
  ['src/platform/http.ts', "import 'fastify'"],
  ['src/platform/database.ts', "import 'pg'; export type Transaction = unknown"],
  ['src/platform/http-client.ts', "import 'undici'"],
  ['landscape/wms.ts', "import 'node:http'; import '#platform/quantity.ts'"],
]

describe('a tree with planted violations', () => {
  let tree: string
  let found: Found

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'import-rules-'))
    await writeTree(tree)
    found = await checkImports(tree)
  })
  afterAll(() => rm(tree, { recursive: true, force: true }))

  test.each(names)('%s is caught', (rule) => {
    const caught = found.violations
      .filter((violation) => violation.rule === rule)
      .map((violation) => ({
        ...violation,
        to: violation.to.replace(/^.*\bnode_modules\//, 'node_modules/'),
      }))
    const expected = planted[rule]?.map(([from, , to]) => ({ rule, from, to }))
    expect(caught.toSorted(byPlace)).toEqual(expected?.toSorted(byPlace))
  })

  test('nothing is planted for a rule that does not exist', () => {
    expect(Object.keys(planted).toSorted()).toEqual(names.toSorted())
  })
})

describe('this repository', () => {
  test('is read whole: every TypeScript file of src and landscape is checked, and no rule is broken', async () => {
    const [found, files] = await Promise.all([
      checkImports(root),
      typescriptFiles(root, ['src', 'landscape']),
    ])
    const read = found.modules.filter((module) => module.endsWith('.ts'))
    expect(read.toSorted()).toEqual(files.toSorted())
    expect(read.length).toBeGreaterThan(50)
    expect(found.violations).toEqual([])
  })
})

const byPlace = (a: { from: string; to: string }, b: { from: string; to: string }): number =>
  `${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1

async function writeTree(tree: string): Promise<void> {
  const imports = Object.values(planted).flat()
  const sources = new Map<string, string[]>()
  const add = (file: string, line: string): unknown => sources.set(file, [...(sources.get(file) ?? []), line])
  for (const [from, specifier, to] of imports) {
    add(from, `import '${specifier}'`)
    if (/^(src|landscape|tests)\//.test(to)) add(to, 'export const here = true')
  }
  for (const [from, statement] of allowed) add(from, statement)
  for (const file of ['money', 'quantity', 'clock'].map((name) => `src/platform/${name}.ts`)) add(file, '')
  for (const file of ['items/contract.ts', 'orders/rules.ts', 'orders/views.ts'])
    add(`src/domains/${file}`, '')

  for (const [file, lines] of sources) {
    await mkdir(dirname(join(tree, file)), { recursive: true })
    await writeFile(join(tree, file), [...new Set(lines)].join('\n'))
  }
  for (const shared of ['package.json', 'tsconfig.json', 'node_modules']) {
    await symlink(join(root, shared), join(tree, shared))
  }
}

async function typescriptFiles(from: string, rooms: string[]): Promise<string[]> {
  const files: string[] = []
  for (const room of rooms) {
    const entries = await readdir(join(from, room), { recursive: true }).catch(() => [])
    files.push(...entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(room, entry)))
  }
  return files
}
