/** What was typed, read as the door over HTTP reads it: each wrong field with what to type instead. */
import type { z } from 'zod'
import { CommandFailure, EXIT } from './cli-context.ts'
import type { FieldError } from './platform/http-problem.ts'
import { compileCheck, jsonSchemaOf } from './platform/http-schema.ts'

/** Refuses what the schema does; the cure is what shows how to type it. */
export function readTyped<T>(
  schema: z.ZodType<T>,
  given: unknown,
  cure: string,
  saying = ({ message }: FieldError): string => message,
): T {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  const errors = told(schema, given, read.error)
  throw new CommandFailure({ problem: saying(errors[0]!), cure, errors }, EXIT.usage)
}

/** In the words of the door; what a schema refuses beyond what it publishes, in its own. */
function told(schema: z.ZodType, given: unknown, { issues }: z.ZodError): readonly FieldError[] {
  const check = compileCheck(jsonSchemaOf(schema), { coerce: false, root: '' })
  const errors = check(structuredClone(given))
  if (errors.length > 0) return errors
  return issues.map(({ path, message }) => ({
    pointer: path.map((part) => `/${String(part)}`).join(''),
    code: 'http.field_invalid',
    message: `${path.join('.') || 'the value'}: ${message}`,
  }))
}
