/** The verbs of agreement: ask for it, and write what was found. */
import {
  failReconciliation,
  finishReconciliation,
  insertReconciliation,
  nextAsked,
} from '../store/reconciliations.ts'

export const askReconciliation = insertReconciliation
export const nextReconciliation = nextAsked
export const endReconciliation = finishReconciliation
export const giveUpReconciliation = failReconciliation
