/** What is wrong with a configuration, all at once: where, why, what was given, and what would be right. */
import { z } from 'zod'
import { formatPath, isMap, type Path, type Shape, shapeAt } from './config-shape.ts'
import { Misconfiguration } from './platform/misconfiguration.ts'

export type Problem = {
  readonly path: Path
  readonly message: string
  /** Where the value comes from: a line of the file, a variable, a flag. */
  readonly source?: string | undefined
}

/** All problems of a configuration in one error. */
export class ConfigError extends Misconfiguration {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const many = problems.length > 1 ? `${problems.length} settings are wrong` : 'A setting is wrong'
    super({
      problem: `${many}:`,
      reason: problems.map(describe).join('\n  '),
      cure: 'Every setting is explained in docs/configuration.md.',
    })
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function describe({ path, message, source }: Problem): string {
  const where = source ? ` (${source})` : ''
  const example = message.endsWith('?') ? undefined : exampleOf(shapeAt(path))
  return `${formatPath(path) || 'configuration'}${where}: ${message}${example ? `. Example: ${example}` : ''}`
}

export function exampleOf(shape: Shape | undefined): string | undefined {
  const value = shape?.examples?.[0] ?? shape?.enum?.[0] ?? shape?.default
  return value === undefined || (isMap(value) && Object.keys(value).length === 0)
    ? undefined
    : JSON.stringify(value)
}

/** Turns what the schema found into problems; a secret that is wrong is not repeated. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], given: unknown): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownSetting([...path, key]))
    const value = path.reduce<unknown>(
      (at, step) => (at as Record<string, unknown> | undefined)?.[step],
      given,
    )
    if (value === undefined) return [{ path, message: 'is missing' }]
    if (issue.code === 'invalid_key')
      return [{ path, message: issue.issues.map(({ message }) => message).join(', ') }]
    const shown =
      shapeAt(path)?.secret || typeof value === 'object' ? '' : `, but is ${JSON.stringify(value)}`
    return [
      {
        path,
        message: `${issue.message.replace(/^(Invalid input|Too small|Too big): /, '').replace(/, received .*/, '')}${shown}`,
      },
    ]
  })
}

export function unknownSetting(path: Path): Problem {
  const name = String(path.at(-1))
  const known = Object.keys(shapeAt(path.slice(0, -1))?.properties ?? {})
  const meant = closest(name, known)
  const hint = meant
    ? `did you mean ${formatPath([...path.slice(0, -1), meant])}?`
    : `known here: ${known.join(', ')}`
  return { path, message: `is no setting; ${hint}` }
}

/** The known name that differs least, if it differs little. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(name), plain(candidate)) }))
    .toSorted((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best &&
    best.distance <= Math.max(2, Math.floor(name.length / 3)) &&
    best.distance < best.candidate.length - 1
    ? best.candidate
    : undefined
}

const plain = (text: string) => text.toLowerCase().replaceAll(/[_-]/g, '')

/** Levenshtein: insertions, deletions and replacements of one letter. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split('').entries()) {
      next.push(
        Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1),
      )
    }
    row = next
  }
  return row[b.length] ?? 0
}

const Role = z.object({
  role: z.enum(['api', 'worker']).optional().catch(undefined),
  database: z.object({ url: z.unknown() }).partial().catch({}),
})

/** Only the names, read forgivingly, so that broken references are reported beside every other problem. */
const Names = z.object({
  companies: z
    .array(z.looseObject({ code: z.string(), erp: z.string(), tax: z.string() }).partial().catch({}))
    .catch([]),
  systems: z.record(z.string(), z.unknown()).catch({}),
  locations: z
    .array(z.looseObject({ code: z.string(), company: z.string(), wms: z.string() }).partial().catch({}))
    .catch([]),
  edi: z.looseObject({ enabled: z.boolean() }).partial().catch({}),
})

/** Names that refer to nothing, and names given twice. */
export function referenceProblems(given: unknown): Problem[] {
  const { companies, systems, locations, edi } = Names.parse(
    isMap(given) ? { edi: {}, ...given } : { edi: {} },
  )
  const systemNames = Object.keys(systems)
  const companyCodes = companies.flatMap(({ code }) => code ?? [])
  return [
    ...roleProblems(given),
    ...companies.flatMap(({ erp, tax }, i) => [
      ...missing(['companies', i, 'erp'], erp, systemNames),
      ...missing(['companies', i, 'tax'], tax === 'erp' ? undefined : tax, systemNames),
    ]),
    ...locations.flatMap(({ wms, company }, i) => [
      // whoever is no system may be an EDI partner, whose guides are read at the start
      ...missing(['locations', i, 'wms'], edi.enabled ? undefined : wms, systemNames),
      ...missing(['locations', i, 'company'], company, companyCodes),
    ]),
    ...repeated('companies', companies),
    ...repeated('locations', locations),
  ]
}

/** An embedded database serves one process. */
function roleProblems(given: unknown): Problem[] {
  const { role, database } = Role.parse(isMap(given) ? given : {})
  if (role === undefined || database.url !== undefined) return []
  const message = `"${role}" shares a database with other processes; name it in database.url`
  return [{ path: ['role'], message }]
}

function missing(path: Path, name: string | undefined, known: readonly string[]): Problem[] {
  if (name === undefined || known.includes(name)) return []
  const meant = closest(name, known)
  const hint = meant ? `did you mean "${meant}"?` : `known: ${known.join(', ') || 'none'}`
  return [{ path, message: `names "${name}", which is not configured; ${hint}` }]
}

function repeated(list: string, entries: readonly { code?: string | undefined }[]): Problem[] {
  return entries.flatMap(({ code }, i) =>
    code !== undefined && entries.findIndex((entry) => entry.code === code) < i
      ? [{ path: [list, i, 'code'], message: `"${code}" is given twice` }]
      : [],
  )
}
