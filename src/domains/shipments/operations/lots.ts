/** The verbs of the lots that requests are for. */
import {
  replaceRequestedLots,
  selectRequestedLives,
  selectRequestedLots,
  selectRequestsOfItem,
  sumRequestedLots,
} from '../store/lots.ts'
import { lotsLeft } from '../rules.ts'

export const lotsOfRequests = selectRequestedLots
export const requestedOfLots = sumRequestedLots
export const requestedLives = selectRequestedLives
export const requestsOfItem = selectRequestsOfItem
export const changeRequestedLots = replaceRequestedLots

/** What a line is still for when so much of it is open. */
export const stillRequested = lotsLeft
