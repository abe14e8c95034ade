/** The verbs of promises to those who wait. */
import { moved, promiseDates } from '../rules/promise-dates.ts'
import { deleteShortPicks, selectRest } from '../store/queue.ts'
import {
  type NewPromise,
  type PromisedLine,
  selectQueues,
  selectWaitedItems,
  updatePromises,
} from '../store/promises.ts'

export type { NewPromise, PromisedLine }

export const waitedItems = selectWaitedItems
export const queuesOf = selectQueues
export const restOf = selectRest
export const promise = updatePromises
export const datesOf = promiseDates
export const afterMove = moved
export const endAvoiding = deleteShortPicks
