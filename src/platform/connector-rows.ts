/** Rows of another system's master data: one that cannot be read is reported and left out, its neighbours go on. */
import { type Fields, fieldsOf, Unexpected } from './fields.ts'

/** A row of theirs that we could not make sense of. */
export type UnreadableRow = {
  readonly instance: string
  /** What it is a row of: `customers`, `items`. */
  readonly kind: string
  /** The row as it came. */
  readonly row: unknown
  readonly reason: string
}

export type ReportRow = (row: UnreadableRow) => void

export type RowSource = { readonly instance: string; readonly kind: string; readonly report: ReportRow }

export function readRows<T>(rows: readonly unknown[], source: RowSource, read: (row: Fields) => T): T[] {
  const { instance, kind, report } = source
  return rows.flatMap((row) => {
    try {
      return [read(fieldsOf(row, 'the row'))]
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error
      report({ instance, kind, row, reason: error.message })
      return []
    }
  })
}
