/** What arrives in a body, before anyone knows what it is. */

export type Fields = Record<string, unknown>

/** A string or a number as text; anything else is not given. */
export const text = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : otherwise

export const records = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : [])

/** The body as an object; undefined when it is not one. An empty body is an empty object. */
export function parsed(body: string): Fields | undefined {
  try {
    const value: unknown = body === '' ? {} : JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}
