/** How the doors of the control tower name what they lead to. */
import { z } from 'zod'

/** Of an exception, parked work, a selection or a job. */
export const Id = z.string().regex(/^\d{1,15}$/)

/** The number by which people call a document. */
export const DocumentNumber = z.string().regex(/^[A-Z]-\d{1,15}$/)
