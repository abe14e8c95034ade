/** The contract in OpenAPI 3.1, generated from the routes that the server runs. */
import type { AnswerSpec, Route, Schema } from './http.ts'
import type { Catalogue } from './http-catalogue.ts'
import { jsonSchemaOf } from './http-schema.ts'
import type { JsonSchema } from './http-schema.ts'

export type ApiInfo = { readonly title: string; readonly version: string; readonly description: string }

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly example?: unknown
}
type Media = { readonly schema?: JsonSchema; readonly example?: unknown }
type Content = Readonly<Record<string, Media>>
export type Response = {
  readonly description: string
  readonly headers?: Readonly<Record<string, { description: string; schema: JsonSchema }>>
  readonly content?: Content
}
export type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, Response>>
  readonly 'x-rate-class': string
  readonly 'x-body-limit-bytes': number
  readonly 'x-refusals': readonly string[]
}
export type OpenApi = {
  readonly openapi: '3.1.0'
  readonly info: ApiInfo
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>
  }
}

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'A refusal or a fault as RFC 9457 has it; "type" leads to its title, cause and fix.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'traceId', 'retryable'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: { pointer: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
    facts: { type: 'object' },
    traceId: { type: 'string' },
    retryable: { type: 'boolean' },
    retryAfterMs: { type: 'integer' },
    owner: { type: 'string' },
  },
}

/** Named schemas (`.meta({ id })`) become components; one name for two schemas fails the boot. */
class Components {
  readonly schemas: Record<string, JsonSchema> = { Problem: PROBLEM }

  schemaOf(schema: Schema): JsonSchema {
    const { $defs = {}, ...rest } = referringOf(schema)
    for (const [name, definition] of Object.entries($defs)) {
      const known = this.schemas[name]
      if (known && known !== definition && JSON.stringify(known) !== JSON.stringify(definition)) {
        throw new Error(`two different schemas are named ${name}`)
      }
      this.schemas[name] = definition
    }
    return rest
  }
}

type Referring = JsonSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> }

const referring = new WeakMap<Schema, Referring>()

/** A published schema whose references lead to components; made once, as the schema is. */
function referringOf(schema: Schema): Referring {
  const known = referring.get(schema) ?? (rewritten(jsonSchemaOf(schema)) as Referring)
  referring.set(schema, known)
  return known
}

/** Inside a component `#` would mean the whole document, so a schema that contains itself needs a name. */
function componentOf(reference: string): string {
  if (reference === '#') throw new Error('a recursive schema needs .meta({ id })')
  return reference.replace(/^#\/\$defs\//, '#/components/schemas/')
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === '$ref' && typeof item === 'string' ? componentOf(item) : rewritten(item),
  ])
  return Object.fromEntries(entries) as unknown
}

/** The same routes give the same document, byte by byte: it is committed and compared. */
export function openapi(routes: readonly Route[], info: ApiInfo, catalogue: Catalogue): OpenApi {
  const components = new Components()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    if (route.page) continue
    const path = route.path.replaceAll(/(?<=\/):(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, components, catalogue) }
  }
  return {
    openapi: '3.1.0',
    info,
    paths: sorted(paths),
    components: {
      schemas: sorted(components.schemas),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (xdk_…) or an access token (JWT).',
        },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  }
}

const sorted = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

function operationOf(route: Route, components: Components, catalogue: Catalogue): Operation {
  const parameters = parametersOf(route, components)
  const codes = codesOf(route)
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    tags: [route.operationId.split('.')[0]!],
    security: route.scope === 'public' ? [] : [{ bearer: [route.scope] }, { apiKey: [route.scope] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(route, components),
    responses: sorted({ ...answersOf(route, components), ...problemsOf(codes, route, catalogue) }),
    'x-rate-class': route.rateClass,
    'x-body-limit-bytes': route.bodyLimitBytes,
    'x-refusals': codes,
  }
}

function bodyOf(route: Route, components: Components): Pick<Operation, 'requestBody'> {
  if (route.consumes === 'bytes') return { requestBody: { required: true, content: { '*/*': {} } } }
  if (!route.body) return {}
  const media = { schema: components.schemaOf(route.body), ...exampleOf(route.example?.body) }
  return { requestBody: { required: true, content: { 'application/json': media } } }
}

const exampleOf = (example: unknown) => (example === undefined ? {} : { example })

function parametersOf(route: Route, components: Components): Parameter[] {
  const parameters = [
    ...membersOf('path', route.params, route.example?.params, components),
    ...membersOf('query', route.query, route.example?.query, components),
  ]
  const header = (name: string, description: string): Parameter => {
    return { name, in: 'header', required: true, description, schema: { type: 'string' } }
  }
  if (route.idempotent === true) {
    parameters.push(
      header('Idempotency-Key', 'New for each intent, the same for each retry; kept for 72 hours.'),
    )
  }
  if (route.precondition)
    parameters.push(header('If-Match', 'The ETag of the version that the change was decided on.'))
  return parameters
}

function membersOf(
  place: 'path' | 'query',
  schema: Schema | undefined,
  examples: unknown,
  components: Components,
): Parameter[] {
  if (!schema) return []
  const { $ref, ...inline } = components.schemaOf(schema)
  const named = typeof $ref === 'string' ? components.schemas[$ref.split('/').at(-1)!] : inline
  const { properties = {}, required = [] } = named as {
    properties?: Record<string, JsonSchema>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...member }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof description === 'string' ? { description } : {}),
    schema: member,
    ...exampleOf((examples as Record<string, unknown> | undefined)?.[name]),
  }))
}

function answersOf(route: Route, components: Components): Record<string, Response> {
  const statuses = Object.entries(route.answers)
  return Object.fromEntries(
    statuses.map(([status, spec], index) => {
      const example = index === 0 ? route.example?.answer : undefined
      return [status, { description: spec.description, ...contentOf(spec, example, components) }]
    }),
  )
}

function contentOf(spec: AnswerSpec, example: unknown, components: Components): Pick<Response, 'content'> {
  if (spec.contentType) return { content: { [spec.contentType]: {} } }
  if (!spec.body) return {}
  return {
    content: { 'application/json': { schema: components.schemaOf(spec.body), ...exampleOf(example) } },
  }
}

/** All codes that a route can answer: the handler's own, and those that its shape implies. */
function codesOf(route: Route): string[] {
  const traits: [applies: boolean, codes: string[]][] = [
    [true, ['http.url_malformed', 'http.rate_limited', 'http.invalid']],
    [
      route.scope !== 'public',
      [
        'access.credentials_missing',
        'access.credentials_invalid',
        'access.credentials_ambiguous',
        'access.scope_missing',
        'access.token_unbound',
      ],
    ],
    [
      route.body !== undefined,
      ['http.body_malformed', 'http.body_unsafe', 'http.body_too_large', 'http.media_type_unsupported'],
    ],
    [route.consumes === 'bytes', ['http.body_too_large']],
    [
      route.idempotent === true,
      [
        'http.idempotency_key_missing',
        'http.idempotency_key_malformed',
        'http.idempotency_key_reused',
        'http.idempotency_key_in_flight',
      ],
    ],
    [route.precondition === 'if-match', ['http.precondition_missing', 'http.precondition_failed']],
  ]
  return [...traits.flatMap(([applies, codes]) => (applies ? codes : [])), ...(route.refusals ?? [])]
}

function problemsOf(codes: readonly string[], route: Route, catalogue: Catalogue): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => catalogue.get(code)?.status ?? 500)
  const problem = (description: string): Response => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  const refused = [...byStatus].map(([status, of]) => [status, problem(of.join(', '))] as const)
  const faults = [
    [500, problem('http.bug')],
    [503, problem('http.unavailable, http.timeout, http.closing')],
  ] as const
  return Object.fromEntries([...refused, ...faults].filter(([status]) => !route.answers[status]))
}
