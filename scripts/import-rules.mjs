/** Checks the import rules of .dependency-cruiser.mjs; run by itself it reports and fails. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import config from '../.dependency-cruiser.mjs'

/** Tests, benchmarks and scripts may import everything, so they are not read. */
const ROOMS = ['src', 'landscape', 'web/src']

/**
 * The modules found below `root`, and where they break a rule.
 * @param {string} root
 * @returns {Promise<{modules: string[], violations: {rule: string, from: string, to: string}[]}>}
 */
export async function checkImports(root) {
  const { options, ...ruleSet } = config
  const rooms = ROOMS.filter((room) => existsSync(join(root, room)))
  const { output } = await cruise(
    rooms,
    { ...options, baseDir: root, ruleSet, validate: true },
    options.enhancedResolveOptions,
  )
  const sources = output.modules.map((module) => module.source)
  return {
    modules: sources.filter((source) => rooms.some((room) => source.startsWith(`${room}/`))),
    violations: output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  }
}

if (process.argv[1] === import.meta.filename) {
  const { modules, violations } = await checkImports(process.cwd())
  for (const { rule, from, to } of violations) process.stdout.write(`${rule}: ${from} → ${to}\n`)
  process.stdout.write(`${modules.length} modules, ${violations.length} violations\n`)
  process.exitCode = violations.length > 0 || modules.length === 0 ? 1 : 0
}
