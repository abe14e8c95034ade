/** Lists as PostgreSQL reads them. The driver's own writer takes a tenth of a busy program; most elements need no care. */

const NEEDS_ESCAPE = /["\\]/
const ESCAPED = /["\\]/g

/** The text of an array, or undefined when it holds something that the driver has to write. */
export function arrayText(values: readonly unknown[]): string | undefined {
  let text = '{'
  for (let at = 0; at < values.length; at++) {
    const element = elementText(values[at])
    if (element === undefined) return undefined
    text += at === 0 ? element : `,${element}`
  }
  return `${text}}`
}

function elementText(value: unknown): string | undefined {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'NULL'
  if (value instanceof Date) return quoted(value.toISOString())
  return Array.isArray(value) ? arrayText(value) : undefined
}

const quoted = (text: string): string =>
  NEEDS_ESCAPE.test(text) ? `"${text.replace(ESCAPED, '\\$&')}"` : `"${text}"`
