/**
 * Adds to package-lock.json the native binaries of other platforms that the registry at hand does not carry. npm
 * leaves them out when it cannot see them, and `npm ci` then refuses the lock on every platform. Run it after
 * `npm install` from a partial mirror: `node scripts/complete-lock.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32']
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']
const LIBC = { gnu: 'glibc', musl: 'musl', gnueabihf: 'glibc', musleabihf: 'musl' }

/** The optional packages that some package names and the lock does not have: path → entry. */
export function missingEntries(packages) {
  const missing = {}
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const found = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((place) => packages[place])
      if (!found) missing[`node_modules/${name}`] = binaryEntry(name, version, entry)
    }
  }
  return missing
}

/** Packages of binaries say their platform in their name: binding-linux-arm64-musl. */
function binaryEntry(name, version, parent) {
  const words = name.split(/[/-]/)
  const libc = words.map((word) => LIBC[word]).find(Boolean)
  return {
    version,
    cpu: words.filter((word) => CPU.includes(word)),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    os: words.filter((word) => OS.includes(word)),
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const missing = missingEntries(lock.packages)
  const all = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, null, 2)}\n`)
  process.stderr.write(`${Object.keys(missing).length} entries added\n`)
}
