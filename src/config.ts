/**
 * Configuration: defaults, then the file, then the environment, then flags, as one typed and frozen value. The only
 * reader of the environment.
 */
import { resolve } from 'node:path'
import { ConfigError, type Problem, problemsOf, referenceProblems } from './config-problems.ts'
import { Config, type ConfigInput } from './config-schema.ts'
import { freshnessProblems } from './config-freshness.ts'
import { publishingProblems } from './config-publishing.ts'
import { stockProblems } from './config-stock.ts'
import { formatPath, isMap, mapTexts, type Path } from './config-shape.ts'
import {
  type Assignment,
  type Environment,
  type File,
  readEnvironment,
  readFile,
  readFlags,
  resolveSecrets,
  sourceOf,
} from './config-sources.ts'

export type ConfigSources = {
  /** By dotted path: `{ 'http.port': 7400 }`. Undefined values were not given. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** The file of `--config`; otherwise `CROSSDOCK_CONFIG`, otherwise `crossdock.yaml` if it is there. */
  readonly file?: string | undefined
  readonly environment?: Environment
  /** What relative paths start from; the folder the program is started in. */
  readonly directory?: string
  /** Beneath the file: the companies, systems and locations of the demo. */
  readonly defaults?: Partial<ConfigInput>
}

const DEFAULT_FILE = 'crossdock.yaml'

/** Throws one `ConfigError` with every problem there is. */
export function loadConfig(sources: ConfigSources = {}): Config {
  const environment = sources.environment ?? process.env
  const directory = resolve(sources.directory ?? '.')
  const file = findFile(sources.file ?? environment['CROSSDOCK_CONFIG'], directory)
  const base = merge(sources.defaults ?? {}, file.values)
  const found = [readEnvironment(environment, base, directory), readFlags(sources.flags ?? {})]
  const assignments = found.flatMap((each) => each.assignments)
  const { values, problems } = resolveSecrets(assignments.reduce(assign, base), environment, directory)
  const unread = [...found.flatMap((each) => each.problems), ...problems]
  const config = check(values, unread, (path) => sourceOf(path, assignments) ?? file.placeOf(path))
  return freeze(mapTexts(config, (text, { path }) => (path ? resolve(directory, text) : text))) as Config
}

/** An empty name, which compose files make of an unset variable, names no file. */
function findFile(named: string | undefined, directory: string): File {
  return readFile(named || DEFAULT_FILE, { directory, mayMiss: !named })
}

function check(
  values: unknown,
  unread: readonly Problem[],
  placeOf: (path: Path) => string | undefined,
): unknown {
  const parsed = Config.safeParse(values)
  // What could not be read at all needs no second complaint about what it is not.
  const known = new Set(unread.map(({ path }) => formatPath(path)))
  const wrong = [
    ...problemsOf(parsed.error?.issues ?? [], values),
    ...referenceProblems(values),
    ...(parsed.data ? stockProblems(parsed.data) : []),
    ...(parsed.data ? freshnessProblems(parsed.data) : []),
    ...(parsed.data ? publishingProblems(parsed.data) : []),
  ]
  const problems = [...unread, ...wrong.filter(({ path }) => !known.has(formatPath(path)))]
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(problems.map((problem): Problem => ({ source: placeOf(problem.path), ...problem })))
  }
  return parsed.data
}

/** Maps are merged name by name; anything else is replaced as a whole. */
function merge(below: unknown, above: unknown): unknown {
  if (!isMap(below) || !isMap(above)) return above
  const names = new Set([...Object.keys(below), ...Object.keys(above)])
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      Object.hasOwn(above, name) ? merge(below[name], above[name]) : below[name],
    ]),
  )
}

function assign(values: unknown, { path, value }: Assignment): unknown {
  return assignAt(values, path, value)
}

function assignAt(values: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return merge(values, value)
  if (typeof step === 'number') {
    const list = Array.isArray(values) ? [...(values as unknown[])] : []
    list[step] = assignAt(list[step], rest, value)
    return list
  }
  const map = isMap(values) ? values : {}
  return { ...map, [step]: assignAt(map[step], rest, value) }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}
