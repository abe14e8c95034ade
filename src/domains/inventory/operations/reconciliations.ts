/** The verbs of agreement: ask for it, and write what was found. */
import {
  enterReconciliation,
  failReconciliation,
  finishReconciliation,
  insertMissed,
  insertReconciliation,
  nextAsked,
  reconciliationNumber,
} from '../store/reconciliations.ts'
import { writeStanding } from '../store/standing-differences.ts'
import { type CountRead, writeUnread } from '../store/unread-counts.ts'

export const askReconciliation = insertReconciliation
export const nextReconciliation = nextAsked
export const numberReconciliation = reconciliationNumber
export const beginReconciliation = enterReconciliation
export const endReconciliation = finishReconciliation
export const giveUpReconciliation = failReconciliation
export const noteMissedCounts = insertMissed
export const keepStanding = writeStanding
export const keepUnread = writeUnread
export type { CountRead }
