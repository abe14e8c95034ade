/** The verbs of backorder runs. */
import { type Demand, redistribute, shiftAll } from '../rules/redistribute.ts'
import {
  endBackorderRun,
  insertBackorderRun,
  lockRunning,
  type NewMove,
  type PlannedMove,
  selectClaimsOfItems,
  selectNextMoves,
  settleMovesOf,
  startPlanned,
} from '../store/backorder-runs.ts'

export type { Demand, NewMove, PlannedMove }

/** Whom what there is of an item goes to. */
export const shiftsOf = redistribute
/** What that makes of the stock. */
export const shifted = shiftAll
export const planRun = insertBackorderRun
export const startRun = startPlanned
export const runningRun = lockRunning
export const nextMovesOf = selectNextMoves
export const settleRunMoves = settleMovesOf
export const endRun = endBackorderRun
export const claimsOfItems = selectClaimsOfItems
