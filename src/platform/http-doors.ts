/** Boot checks: every route is complete, unambiguous and explainable, or nothing starts. */
import type { Catalogue } from './http-catalogue.ts'
import type { Route, Schema } from './http.ts'
import { compileCheck, jsonSchemaOf, withPlainRoot } from './http-schema.ts'
import type { Check, JsonSchema } from './http-schema.ts'
import type { Rates } from './http-rate.ts'

/** A route made ready: its schemas are published, and compiled at their first value. */
export type Door = {
  readonly route: Route
  /** The path as the web framework writes it. */
  readonly pattern: string
  readonly matches: RegExp
  readonly checks: { readonly params?: Check; readonly query: Check; readonly body?: Check }
  /** By status, for tests that hold answers to their schema. */
  readonly answerChecks: ReadonlyMap<number, Check>
}

export type DoorRules = {
  readonly catalogue: Catalogue
  readonly rates: Rates
  readonly checkAnswers: boolean
}

/** Checks all routes and reports everything that is wrong at once. */
export function prepareDoors(routes: readonly Route[], rules: DoorRules): Door[] {
  const faults: string[] = []
  const places = new Set<string>()
  const names = new Set<string>()
  const doors: Door[] = []
  for (const route of routes) {
    const title = `${route.method} ${route.path}`
    const place = `${route.method} ${route.path.replaceAll(/(?<=\/):\w+/g, ':')}`
    const found = faultsOf(route, rules)
    if (places.has(place)) found.push('is declared twice')
    if (names.has(route.operationId)) found.push(`repeats the operation id ${route.operationId}`)
    places.add(place)
    names.add(route.operationId)
    try {
      if (found.length === 0) doors.push(prepare(route, rules))
    } catch (error) {
      found.push((error as Error).message)
    }
    faults.push(...found.map((fault) => `${title} ${fault}`))
  }
  if (faults.length > 0) throw new Error(`these routes cannot be served:\n  ${faults.join('\n  ')}`)
  return doors
}

function faultsOf(route: Route, { catalogue, rates }: DoorRules): string[] {
  const { method, body, consumes, idempotent, refusals = [] } = route
  const takesBody = body !== undefined || consumes === 'bytes'
  const rules: [broken: boolean, fault: string][] = [
    [!route.path?.startsWith('/') || /\/\/|[?#*(]/.test(route.path), 'has a malformed path'],
    [!route.operationId || !route.summary, 'lacks an operation id or a summary'],
    [!route.scope, 'lacks a scope'],
    [!Number.isSafeInteger(route.bodyLimitBytes) || route.bodyLimitBytes < 0, 'lacks a body limit'],
    [takesBody && route.bodyLimitBytes === 0, 'takes a body of 0 bytes'],
    [!route.rateClass, 'lacks a rate class'],
    [
      Boolean(route.rateClass) && !Object.hasOwn(rates, route.rateClass),
      `has the unknown rate class ${route.rateClass}`,
    ],
    [(method === 'POST' || method === 'PATCH') && !idempotent, 'does not say whether it is idempotent'],
    [idempotent === true && (method === 'GET' || consumes === 'bytes'), 'cannot take an Idempotency-Key'],
    [method === 'GET' && takesBody, 'takes a body with GET'],
    [Object.keys(route.answers ?? {}).length === 0, 'declares no answer'],
    [
      /:[A-Za-z]/.test(route.path.replaceAll(/(?<!\/):/g, '')) && !route.params,
      'has parameters without a schema',
    ],
  ]
  const unknown = refusals
    .filter((code) => !catalogue.has(code))
    .map((code) => `refuses with the unknown code ${code}`)
  return [...rules.filter(([broken]) => broken).map(([, fault]) => fault), ...unknown]
}

function prepare(route: Route, rules: DoorRules): Door {
  const check = (root: string, schema: JsonSchema, coerce: boolean) => compileCheck(schema, { coerce, root })
  const answerChecks = new Map<number, Check>()
  for (const [status, { body }] of Object.entries(rules.checkAnswers ? route.answers : {})) {
    if (body) answerChecks.set(Number(status), check('', jsonSchemaOf(body), false))
  }
  return {
    route,
    ...patternsOf(route.path),
    checks: {
      query: check('/query', querySchemaOf(route), true),
      ...(route.params ? { params: check('/params', jsonSchemaOf(route.params), true) } : {}),
      ...(route.body ? { body: check('', jsonSchemaOf(route.body), false) } : {}),
    },
    answerChecks,
  }
}

/** A misspelt filter would silently list everything, so unknown query members are refused. */
function querySchemaOf({ query }: Route): JsonSchema {
  if (!query) return NO_QUERY
  const known = querySchemas.get(query) ?? {
    ...withPlainRoot(jsonSchemaOf(query)),
    additionalProperties: false,
  }
  querySchemas.set(query, known)
  return known
}

const NO_QUERY: JsonSchema = { type: 'object', properties: {}, additionalProperties: false }
const querySchemas = new WeakMap<Schema, JsonSchema>()

/** `/orders/:id:cancel` is a parameter followed by a custom method; the framework wants its colon doubled. */
function patternsOf(path: string): Patterns {
  const known = patterns.get(path) ?? readPath(path)
  patterns.set(path, known)
  return known
}

type Patterns = Pick<Door, 'pattern' | 'matches'>
const patterns = new Map<string, Patterns>()

function readPath(path: string): Patterns {
  const segments = path.split('/').map((segment) => {
    const [, name, verb] = /^:(\w+)(?::([\w-]+))?$/.exec(segment) ?? []
    if (name && verb) return { pattern: `:${name}(^[^:/]+)::${verb}`, source: `[^:/]+:${verb}` }
    if (name) return { pattern: segment, source: '[^/]+' }
    return { pattern: segment.replaceAll(':', '::'), source: segment.replaceAll(/[.+]/g, '\\$&') }
  })
  return {
    pattern: segments.map(({ pattern }) => pattern).join('/'),
    matches: new RegExp(`^${segments.map(({ source }) => source).join('/')}$`),
  }
}
