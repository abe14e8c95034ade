/**
 * Values as PostgreSQL reads them in text. The driver's own writer takes a tenth of a busy program, most of it for lists,
 * whose elements mostly need no care.
 */

const NEEDS_ESCAPE = /["\\]/
const ESCAPED = /["\\]/g

/** What travels for a value: bytes as they are, everything else as text, nothing for null. */
export function wireText(value: unknown): string | Uint8Array | null {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  return Array.isArray(value) ? arrayText(value) : scalarText(value)
}

function arrayText(values: readonly unknown[]): string {
  let text = '{'
  for (let at = 0; at < values.length; at++)
    text += at === 0 ? elementText(values[at]) : `,${elementText(values[at])}`
  return `${text}}`
}

function elementText(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return arrayText(value)
  if (value instanceof Uint8Array) return `"\\\\x${Buffer.from(value).toString('hex')}"`
  return typeof value === 'object' ? quoted(scalarText(value)) : scalarText(value)
}

function scalarText(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | bigint | boolean}`
}

const quoted = (text: string): string =>
  NEEDS_ESCAPE.test(text) ? `"${text.replace(ESCAPED, '\\$&')}"` : `"${text}"`
