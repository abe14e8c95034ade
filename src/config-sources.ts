/** Where settings come from: the file, the environment and flags, each value with the place that gave it. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isNode, LineCounter, parse, parseDocument } from 'yaml'
import { closest, type Problem, unknownSetting } from './config-problems.ts'
import {
  constantCase,
  isMap,
  mapTexts,
  type Path,
  recordOf,
  type Shape,
  SHAPE,
  shapeAt,
} from './config-shape.ts'
import { Misconfiguration } from './platform/misconfiguration.ts'

export type Environment = Readonly<Record<string, string | undefined>>
export type Assignment = { readonly path: Path; readonly value: unknown; readonly source: string }
export type Found = { readonly assignments: Assignment[]; readonly problems: Problem[] }
export type File = { readonly values: Record<string, unknown>; placeOf(path: Path): string | undefined }

const PREFIX = 'CROSSDOCK__'
/** Names that other programs read as well; ours are more specific and win. */
const ALIASES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'CROSSDOCK__DATABASE__URL',
  DATABASE_URL_FILE: 'CROSSDOCK__DATABASE__URL_FILE',
}

/** Reads a YAML (or JSON) file; `mayMiss` for the one that is read only if it is there. */
export function readFile(name: string, options: { directory: string; mayMiss: boolean }): File {
  const text = readText(name, options)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (error) throw unreadable(name, error.message)
  const values: unknown = document.toJS() ?? {}
  if (!isMap(values)) throw unreadable(name, 'It holds no settings but a list or a text.')
  return {
    values,
    placeOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node: unknown = document.getIn(path.slice(0, length), true)
        if (isNode(node) && node.range) return `${name}:${lines.linePos(node.range[0]).line}`
      }
      return undefined
    },
  }
}

function readText(name: string, { directory, mayMiss }: { directory: string; mayMiss: boolean }): string {
  try {
    return readFileSync(resolve(directory, name), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (mayMiss && code === 'ENOENT') return ''
    throw unreadable(name, code === 'ENOENT' ? 'There is no such file.' : message)
  }
}

function unreadable(name: string, reason: string): Misconfiguration {
  return new Misconfiguration({
    problem: `The configuration file ${name} cannot be read.`,
    reason,
    cure: 'Correct it, or name another one with --config FILE or CROSSDOCK_CONFIG.',
  })
}

/** `CROSSDOCK__SECTION__KEY`, and `DATABASE_URL`. Empty variables count as not set, as compose files make them. */
export function readEnvironment(environment: Environment, given: unknown, directory: string): Found {
  const found: Found = { assignments: [], problems: [] }
  const names = Object.keys(environment).filter((name) => environment[name])
  const ours = names.filter((name) => name.startsWith(PREFIX)).toSorted()
  for (const name of [...Object.keys(ALIASES), ...ours]) {
    const text = environment[name]
    if (!text) continue
    const segments = (ALIASES[name] ?? name).slice(PREFIX.length).split('__')
    if (
      name.endsWith('_FILE') &&
      addSecretFile(found, { name, text, segments, given, directory, environment })
    )
      continue
    const path = locate(segments, given)
    if ('problem' in path) found.problems.push({ ...path.problem, source: name })
    else found.assignments.push({ path: path.path, value: convert(text, path.shape), source: name })
  }
  return found
}

type SecretFile = {
  readonly name: string
  readonly text: string
  readonly segments: readonly string[]
  readonly given: unknown
  readonly directory: string
  readonly environment: Environment
}

/** False when the variable is no secret's `_FILE`: then it may be a setting whose own name ends so. */
function addSecretFile(found: Found, file: SecretFile): boolean {
  const plain = file.name.slice(0, -'_FILE'.length)
  const last = file.segments.at(-1) ?? ''
  const at = locate([...file.segments.slice(0, -1), last.slice(0, -'_FILE'.length)], file.given)
  if ('problem' in at || !at.shape.secret) return false
  const { path } = at
  if (file.environment[plain]) {
    found.problems.push({
      path,
      message: `is given by both ${plain} and ${file.name}; set one`,
      source: file.name,
    })
    return true
  }
  const content = readSecret(resolve(file.directory, file.text))
  if ('reason' in content) found.problems.push({ path, message: content.reason, source: file.name })
  else found.assignments.push({ path, value: content.secret, source: file.name })
  return true
}

function readSecret(file: string): { secret: string } | { reason: string } {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return { secret: readFileSync(file, 'utf8').replace(/\r?\n$/, '') }
  } catch (error) {
    return { reason: `its file cannot be read: ${(error as Error).message}` }
  }
}

/** Flags by dotted path, such as `http.port`; those left undefined were not given. */
export function readFlags(flags: Readonly<Record<string, unknown>>): Found {
  const found: Found = { assignments: [], problems: [] }
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const path = name.split('.')
    const shape = shapeAt(path)
    const source = `flag ${name}`
    if (!shape) found.problems.push({ ...unknownSetting(path), source })
    else
      found.assignments.push({
        path,
        value: typeof value === 'string' ? convert(value, shape) : value,
        source,
      })
  }
  return found
}

type Located = { readonly path: Path; readonly shape: Shape } | { readonly problem: Problem }

/** The setting that the words of a variable mean; names of records are looked for in what is given so far. */
function locate(segments: readonly string[], given: unknown): Located {
  const path: (string | number)[] = []
  let shape = SHAPE
  let value = given
  for (const segment of segments) {
    const step = stepFor(segment, shape, value)
    const next = step === undefined ? undefined : shapeAt([step], shape)
    if (step === undefined || !next) return { problem: unknownVariable(path, segment, shape) }
    path.push(step)
    shape = next
    value = isMap(value) || Array.isArray(value) ? (value as Record<string, unknown>)[step] : undefined
  }
  return { path, shape }
}

function stepFor(segment: string, shape: Shape, value: unknown): string | number | undefined {
  if (shape.items) return /^\d+$/.test(segment) ? Number(segment) : undefined
  const sameWord = (name: string) =>
    constantCase(name).replaceAll('_', '') === segment.toUpperCase().replaceAll('_', '')
  const known = Object.keys(shape.properties ?? {}).find(sameWord)
  if (known !== undefined || !recordOf(shape)) return known
  const present = isMap(value) ? Object.keys(value).find(sameWord) : undefined
  if (present !== undefined) return present
  const words = segment.toLowerCase()
  return shape.names === 'camelCase'
    ? words.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : words.replaceAll('_', '-')
}

function unknownVariable(path: Path, segment: string, shape: Shape): Problem {
  const known = Object.keys(shape.properties ?? {})
  const meant = closest(segment, known)
  const variable = (name: string) => `${PREFIX}${[...path.map(String), name].map(constantCase).join('__')}`
  const hint = meant
    ? `did you mean ${variable(meant)}?`
    : `known here: ${known.map(variable).join(', ') || 'nothing'}`
  return { path: [...path, segment.toLowerCase()], message: `is no setting; ${hint}` }
}

/** Text becomes what the setting is; what does not fit stays text, and the schema says what is wrong with it. */
function convert(text: string, shape: Shape): unknown {
  if (shape.type === 'string') return text
  if (shape.type === 'number' || shape.type === 'integer')
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  if (shape.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  try {
    return parse(text)
  } catch {
    return text
  }
}

/** Replaces `env:NAME` and `file:PATH` in secrets by what they refer to. */
export function resolveSecrets(
  values: unknown,
  environment: Environment,
  directory: string,
): { values: unknown; problems: Problem[] } {
  const problems: Problem[] = []
  const resolved = mapTexts(values, (text, shape, path) => {
    const [, kind, rest = ''] = (shape.secret && /^(env|file):(.+)$/.exec(text)) || []
    if (!kind) return text
    const content = kind === 'file' ? readSecret(resolve(directory, rest)) : readVariable(rest, environment)
    if ('secret' in content) return content.secret
    problems.push({ path, message: content.reason })
    return text
  })
  return { values: resolved, problems }
}

function readVariable(name: string, environment: Environment): { secret: string } | { reason: string } {
  const secret = environment[name]
  return secret ? { secret } : { reason: `refers to the environment variable ${name}, which is not set` }
}

/** For messages about a value: the flag or variable that gave it, or a part of it. */
export function sourceOf(path: Path, assignments: readonly Assignment[]): string | undefined {
  return assignments.findLast((given) => given.path.every((step, i) => step === path[i]))?.source
}
