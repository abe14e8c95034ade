/** One page of a list of master data, from a cursor that is a place in it. */
export type Page<T> = { rows: T[]; next: number | undefined }

export function pageOf<T>(rows: readonly T[], from: number, limit: number): Page<T> {
  const end = from + limit
  return { rows: rows.slice(from, end), next: end < rows.length ? end : undefined }
}
