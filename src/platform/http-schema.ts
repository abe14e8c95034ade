/** From a zod schema to what the door checks: the published JSON Schema itself, compiled, with errors a person can act on. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'
import { z } from 'zod'
import type { FieldError } from './http-problem.ts'
import type { Schema } from './http.ts'
import { chooseBranches } from './http-schema-unions.ts'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** Answers the wrong fields; fills in defaults, and with `coerce` reads numbers and booleans out of text. */
export type Check = (value: unknown) => FieldError[]

const MAX_ERRORS = 100
/** Formats whose pattern zod publishes beside them need no check of their own. */
const FORMATS = {
  uri: (text: string) => URL.canParse(text),
  ...Object.fromEntries(
    ['date', 'date-time', 'time', 'duration', 'email', 'uuid', 'ipv4', 'ipv6', 'base64'].map((name) => [
      name,
      true,
    ]),
  ),
} as const

/**
 * The JSON Schema that is published and checked. Transforms and custom refinements cannot be published, so a
 * schema that has one fails the boot: a rule of that kind belongs into the domain's rules.
 */
export function jsonSchemaOf(schema: Schema): JsonSchema {
  const known = published.get(schema)
  if (known) return known
  const made = publish(schema)
  published.set(schema, made)
  return made
}

/** Schemas are constants of their modules; each is published once, however many houses stand in this process. */
const published = new WeakMap<Schema, JsonSchema>()

function publish(schema: Schema): JsonSchema {
  z.toJSONSchema(schema, { io: 'output' })
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, path }) {
      const checks = zodSchema._zod.def.checks ?? []
      if (checks.some((check) => check._zod.def.check === 'custom')) {
        throw new Error(`a custom refinement cannot be published (at ${path.join('.') || 'the root'})`)
      }
    },
  })
  return json
}

/** The same schema with its root spelled out, also where the root has a name. */
export function withPlainRoot(schema: JsonSchema): JsonSchema {
  const { $ref, ...rest } = schema
  if (typeof $ref !== 'string') return schema
  const definitions = schema['$defs'] as Readonly<Record<string, JsonSchema>>
  return { ...definitions[$ref.split('/').at(-1)!], ...rest }
}

const validator = (coerce: boolean) =>
  new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    logger: false,
    useDefaults: true,
    coerceTypes: coerce ? 'array' : false,
    formats: FORMATS,
  })
/** Making a validator costs more than compiling with it, so all doors share these two. */
const reading = validator(true)
const exact = validator(false)

/** By text: equal schemas of several houses in this process are compiled once. */
const compiled = new Map<string, ValidateFunction>()
/** And found again without their text, where the schema itself is known. */
const found = {
  reading: new WeakMap<JsonSchema, ValidateFunction>(),
  exact: new WeakMap<JsonSchema, ValidateFunction>(),
}

function compile(schema: JsonSchema, coerce: boolean): ValidateFunction {
  const known = coerce ? found.reading : found.exact
  const validate = known.get(schema) ?? compileByText(schema, coerce)
  known.set(schema, validate)
  return validate
}

function compileByText(schema: JsonSchema, coerce: boolean): ValidateFunction {
  const text = `${coerce} ${JSON.stringify(schema)}`
  const validate = compiled.get(text) ?? (coerce ? reading : exact).compile(schema)
  compiled.set(text, validate)
  return validate
}

/** Compiled for its first value: a program that starts does not wait for doors at which nobody knocks. */
export function compileCheck(schema: JsonSchema, options: { coerce: boolean; root: string }): Check {
  let validate: ValidateFunction | undefined
  return (value) => {
    validate ??= compile(schema, options.coerce)
    if (validate(value)) return []
    const errors = chooseBranches(validate.errors ?? []).slice(0, MAX_ERRORS)
    return errors.map((error) => fieldErrorOf(error, options.root))
  }
}

function fieldErrorOf(error: ErrorObject, root: string): FieldError {
  const extra = propertyOf(error)
  const path = extra === undefined ? error.instancePath : `${error.instancePath}/${escaped(extra)}`
  const name = path === '' ? 'the value' : path.slice(1).replaceAll('/', '.')
  return { pointer: `${root}${path}`, code: `http.${codeOf(error)}`, message: `${name} ${reasonOf(error)}` }
}

/** Errors about a property that is missing or too many belong to that property, not to its object. */
function propertyOf({ keyword, params }: ErrorObject): string | undefined {
  if (keyword === 'required') return String(params['missingProperty'])
  if (keyword === 'additionalProperties') return String(params['additionalProperty'])
  if (keyword === 'propertyNames') return String(params['propertyName'])
  return undefined
}

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

const CODES: Readonly<Record<string, string>> = {
  required: 'field_missing',
  additionalProperties: 'field_unknown',
  type: 'field_type',
}
const codeOf = ({ keyword }: ErrorObject) => CODES[keyword] ?? 'field_invalid'

type Reason = (limit: unknown, error: ErrorObject) => string
const REASONS: Readonly<Record<string, Reason>> = {
  required: (_, error) => `is missing: send ${describe(propertySchema(error))}`,
  additionalProperties: (_, error) =>
    `is not known here: use ${listed(knownProperties(error))}, or leave it out`,
  type: (_, error) => `is ${kindOf(error.data)}: send ${describe(error.parentSchema)}`,
  const: (_, error) => `must be ${JSON.stringify(error.params['allowedValue'])}: send exactly that`,
  enum: (_, error) =>
    `is not one of the known values: send ${listed(error.params['allowedValues'] as unknown[])}`,
  pattern: (_, error) => `does not have the right form: send ${describe(error.parentSchema)}`,
  format: (_, error) => `does not have the right form: send ${describe(error.parentSchema)}`,
  minLength: (limit) =>
    limit === 1 ? 'is empty: send some text' : `is too short: send at least ${limit} characters`,
  maxLength: (limit) => `is too long: send at most ${limit} characters`,
  minimum: (limit) => `is too small: send ${limit} or more`,
  exclusiveMinimum: (limit) => `is too small: send more than ${limit}`,
  maximum: (limit) => `is too large: send ${limit} or less`,
  exclusiveMaximum: (limit) => `is too large: send less than ${limit}`,
  multipleOf: (_, error) => `must be a multiple of ${error.params['multipleOf']}: round it yourself`,
  minItems: (limit) => `has too few items: send at least ${limit}`,
  maxItems: (limit) => `has too many items: send at most ${limit}`,
  minProperties: (limit) => `has too few members: send at least ${limit}`,
  maxProperties: (limit) => `has too many members: send at most ${limit}`,
  uniqueItems: () => 'has an item twice: send each once',
  propertyNames: () => 'is not an allowed name: rename it',
  oneOf: () => 'fits none of the allowed forms: compare it with the published schema',
  anyOf: () => 'fits none of the allowed forms: compare it with the published schema',
}

function reasonOf(error: ErrorObject): string {
  const reason = REASONS[error.keyword]
  return reason
    ? reason(error.params['limit'], error)
    : `${error.message}: compare it with the published schema`
}

function propertySchema(error: ErrorObject): unknown {
  const properties = error.parentSchema?.['properties'] as Record<string, unknown> | undefined
  return properties?.[String(error.params['missingProperty'])]
}

const knownProperties = (error: ErrorObject) =>
  Object.keys((error.parentSchema?.['properties'] as object) ?? {})

const FORMS: Readonly<Record<string, string>> = {
  date: 'a date like 2026-11-21',
  'date-time': 'a time like 2026-11-21T08:30:00Z',
  email: 'an e-mail address',
  uri: 'an absolute URL',
  uuid: 'a UUID',
}
const KINDS: Readonly<Record<string, string>> = {
  string: 'text (a JSON string)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** What to send, in words: the schema's own description, its form, or its type. */
function describe(schema: unknown): string {
  const { description, format, pattern, type, enum: values, const: only, $ref } = (schema ?? {}) as JsonSchema
  if (Array.isArray(values)) return listed(values)
  if (only !== undefined) return JSON.stringify(only)
  if (typeof format === 'string' && FORMS[format]) return FORMS[format]
  if (typeof description === 'string') return description
  if (typeof pattern === 'string') return `text of the form ${pattern}`
  if (typeof $ref === 'string') return `an object as in ${$ref.split('/').at(-1)}`
  const types = Array.isArray(type) ? type : [type]
  return types.map((one) => KINDS[String(one)] ?? 'a value as in the published schema').join(' or ')
}

function listed(values: readonly unknown[]): string {
  const shown = values
    .slice(0, 20)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  return `${shown.join(', ') || 'nothing'}${values.length > 20 ? ', …' : ''}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return KINDS['array']!
  return KINDS[typeof value] ?? typeof value
}
