/** Every dependency has its reason written down, and everything installed has a permissive licence. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

type Installed = { readonly license?: string; readonly dev?: boolean; readonly hasInstallScript?: boolean }
type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}

const root = join(import.meta.dirname, '..', '..')

const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
]
/** Copyleft by file, in tools that are never shipped: the CSS parser that vitest's bundler brings along. */
const TOOLS_ONLY = ['MPL-2.0']

const json = async <T>(path: string): Promise<T> => JSON.parse(await readFile(join(root, path), 'utf8')) as T

test('every dependency has a line with its reason and its licence, and no line lacks its package', async () => {
  const { dependencies, devDependencies } = await json<Manifest>('package.json')
  const page = await readFile(join(root, 'docs/dependencies.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\S+) \| (.{10,}) \| (\S+) \|$/gm)]
  const written = Object.fromEntries(rows.map(([, name, , licence]) => [name, licence]))
  const actual: Record<string, string> = {}
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    actual[name] = (await json<{ license: string }>(`node_modules/${name}/package.json`)).license
  }
  expect(written).toEqual(actual)
})

test('every installed package, ours or of others, has a permissive licence', async () => {
  const installed = await packages('node_modules/.package-lock.json')
  const doubtful: string[] = []
  for (const [path, { dev }] of installed) {
    const { license = 'none' } = await json<Installed>(join(path, 'package.json'))
    const accepted = dev ? [...PERMISSIVE, ...TOOLS_ONLY] : PERMISSIVE
    if (!satisfies(license, accepted)) doubtful.push(`${path}: ${license}`)
  }
  expect(doubtful).toEqual([])
  expect(installed.length).toBeGreaterThan(100)
})

test('every package that runs a script while it installs has been answered for', async () => {
  const { allowScripts } = await json<Manifest>('package.json')
  const lock = await packages('package-lock.json')
  const scripted = lock
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  const unanswered = scripted.filter((name) => allowScripts[name] === undefined)
  expect(unanswered).toEqual([])
  expect(Object.keys(allowScripts).filter((name) => !scripted.includes(name))).toEqual([])
})

async function packages(path: string): Promise<[string, Installed][]> {
  const { packages: all } = await json<{ packages: Record<string, Installed> }>(path)
  return Object.entries(all).filter(([place]) => place !== '')
}

/** SPDX expressions as packages write them: "(MIT OR GPL-3.0)", "Apache-2.0 AND MIT". */
function satisfies(licence: string, accepted: readonly string[]): boolean {
  const terms = licence.replaceAll(/[()]/g, '').split(' OR ')
  return terms.some((term) => term.split(' AND ').every((name) => accepted.includes(name)))
}
