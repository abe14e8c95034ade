/** The lint rules that keep time, chance and the network behind ports see a planted violation each. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')

/** A line of code, and the rule that must catch it. */
const forbidden: [line: string, rule: string][] = [
  ['export const a = Date.now()', 'no-restricted-properties'],
  ['export const { now } = Date', 'no-restricted-properties'],
  ['export const a = globalThis.Date', 'no-restricted-properties'],
  ['export const a = new Date()', 'house(no-present-time)'],
  ['export const a = Date()', 'house(no-present-time)'],
  ['export const a = performance.now()', 'no-restricted-globals'],
  ['export const a = process.hrtime.bigint()', 'no-restricted-properties'],
  ['export const a = Math.random()', 'no-restricted-properties'],
  ['export const a = crypto.randomUUID()', 'no-restricted-properties'],
  ["import { randomUUID } from 'node:crypto'; export const a = randomUUID()", 'no-restricted-imports'],
  ['setTimeout(() => undefined, 5)', 'no-restricted-globals'],
  ['setInterval(() => undefined, 5)', 'no-restricted-globals'],
  ['setImmediate(() => undefined)', 'no-restricted-globals'],
  [
    "import { setTimeout as sleep } from 'node:timers/promises'; export const a = sleep",
    'no-restricted-imports',
  ],
  ['export const a = AbortSignal.timeout(5)', 'no-restricted-properties'],
  ["export const a = await fetch('http://127.0.0.1')", 'no-restricted-globals'],
  ["export const a = globalThis.fetch('http://127.0.0.1')", 'no-restricted-properties'],
  ["export const a = process.env['HOME']", 'no-process-env'],
  ["import { env } from 'node:process'; export const a = env", 'no-restricted-imports'],
  ['export default 1', 'no-default-export'],
  ["export { join } from 'node:path'", 'house(no-reexport)'],
  ["export * from 'node:path'", 'house(no-reexport)'],
  ['export const a = (b: any): unknown => b', 'no-explicit-any'],
  ["import { Stats } from 'node:fs'; export type A = Stats", 'consistent-type'],
  ['Promise.resolve(1)', 'no-floating-promises'],
  ['export const a = (b: 1, c: 2, d: 3, e: 4, f: 5): unknown => [b, c, d, e, f]', 'max-params'],
  ['export function a(b: boolean): void { if (b) { if (b) { if (b) { while (b) a(b) } } } }', 'max-depth'],
  [`export function a(): void {${'\n  a()'.repeat(70)}\n}`, 'max-lines-per-function'],
  [`export const a = 1${'\n'.repeat(400)}`, 'max-lines'],
]

const permitted = [
  'export const a = new Date(5)',
  "import { createHash } from 'node:crypto'; export const a = createHash",
  "import type { Stats } from 'node:fs'; export type A = Stats",
]

describe('the lint rules', () => {
  let tree: string
  let complaints: string

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'lint-rules-'))
    await symlink(join(root, 'node_modules'), join(tree, 'node_modules'))
    for (const shared of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/house-lint.mjs']) {
      await cp(join(root, shared), join(tree, shared))
    }
    for (const [n, [line]] of forbidden.entries()) {
      await write(join(tree, 'src', `forbidden-${n}.ts`), line)
      await write(join(tree, 'landscape', `forbidden-${n}.ts`), line)
    }
    for (const [n, line] of permitted.entries()) await write(join(tree, 'src', `permitted-${n}.ts`), line)
    await write(join(tree, 'src/platform/clock.ts'), 'export const a = [new Date(), setTimeout, Date.now()]')
    await write(join(tree, 'src/config.ts'), "export const a = process.env['HOME']")
    complaints = await lint(tree)
  })
  afterAll(() => rm(tree, { recursive: true, force: true }))

  test.each(forbidden.map(([line, rule], n) => ({ rule, line: line.trim().slice(0, 90), n })))(
    '$rule forbids: $line',
    ({ n, rule }) => {
      for (const room of ['src', 'landscape']) {
        const about = complaints
          .split('\n')
          .filter((complaint) => complaint.startsWith(`${room}/forbidden-${n}.ts:`))
        expect(about.join('\n')).toContain(rule)
      }
    },
  )

  test.each(permitted.map((line, n) => ({ line, n })))('nothing forbids: $line', ({ n }) => {
    expect(complaints).not.toContain(`src/permitted-${n}.ts`)
  })

  test('the ports themselves may touch what they wrap', () => {
    expect(complaints).not.toMatch(/^src\/(platform\/clock|config)\.ts/m)
  })
})

test('no file of ours switches a rule off', async () => {
  const switches = /(oxlint|eslint)-disable|@ts-(ignore|nocheck|expect-error)|oxfmt-ignore|prettier-ignore/
  const guilty: string[] = []
  for (const room of ['src', 'landscape', 'bench', 'scripts', 'tests']) {
    const entries = await readdir(join(root, room), { recursive: true }).catch(() => [])
    for (const entry of entries.filter((name) => /\.(ts|mjs)$/.test(name))) {
      if (join(room, entry) === 'tests/house/lint-rules.test.ts') continue
      if (switches.test(await readFile(join(root, room, entry), 'utf8'))) guilty.push(join(room, entry))
    }
  }
  expect(guilty).toEqual([])
})

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${text}\n`)
}

/** oxlint ends with 1 where it complains, so its words are taken either way. */
async function lint(tree: string): Promise<string> {
  const run = promisify(execFile)(process.execPath, [oxlint, '--format', 'unix'], { cwd: tree })
  const { stdout } = await run.catch((failed: { stdout: string }) => failed)
  return stdout
}
