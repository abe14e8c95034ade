/** A bug that can be planted, and the smallest world that shows it. */
import type { Day } from './day.ts'

export type Bug = {
  readonly name: string
  readonly file: string
  /** Must occur exactly once in the file. */
  readonly find: string
  readonly replace: string
  readonly world?: Day
}
