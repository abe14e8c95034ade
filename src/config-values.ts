/** Kinds of values that settings of several sections have. */
import { z } from 'zod'

const HOUR_MS = 3_600_000

export const milliseconds = (meaning: string, byDefault: number, most = HOUR_MS) =>
  z.int().min(1).max(most).describe(meaning).default(byDefault)
