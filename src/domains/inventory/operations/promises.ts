/** The verbs of promises to those who wait. */
import { datesOf, moved } from '../rules/promise-dates.ts'
import { deleteShortPicks } from '../store/queue.ts'
import { readStock } from './queue.ts'
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
export const stockFor = readStock
export const promise = updatePromises
export const datesFor = datesOf
export const afterMove = moved
export const endAvoiding = deleteShortPicks
