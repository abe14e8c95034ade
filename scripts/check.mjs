/** `npm run check [NAME…]`: everything a machine can say about the code without running it. */
import { spawn } from 'node:child_process'

const CHECKS = {
  types: ['tsc'],
  lint: ['oxlint'],
  format: ['oxfmt', '--check', '.'],
  imports: ['node', 'scripts/import-rules.mjs'],
  'dead code': ['knip'],
}

/** The checkers of types and lint are short-lived: to collect their garbage seldom saves a quarter of what they take. */
const env = { GOGC: '400', ...process.env }

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in CHECKS))
if (unknown.length > 0) {
  process.stderr.write(
    `no check is called ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}\n`,
  )
  process.exit(2)
}

const failed = []
const left = Object.entries(CHECKS)
  .filter(([name]) => wanted.length === 0 || wanted.includes(name))
  .values()
// Two at a time: some of them keep one core busy, some several.
await Promise.all([checkOn(), checkOn()])
if (failed.length > 0) {
  process.stdout.write(`failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}

async function checkOn() {
  for (const [name, command] of left) {
    const started = performance.now()
    const { code, output } = await run(command)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)\n`)
    if (code === 0) continue
    process.stdout.write(`${output.trim()}\n\n`)
    failed.push(name)
  }
}

/** Programs are found in node_modules/.bin, which scripts/project-node.mjs puts on the path. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
      shell: process.platform === 'win32',
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }))
    child.on('close', (code) => resolve({ code, output }))
  })
}
