/** Requests of which people have entered something by hand, and shipments of warehouses that are known by that. */
import { insertKnownByHand, markByHand, selectKnownByHand } from '../store/by-hand.ts'

export const noteByHand = markByHand
export const noteKnownShipments = insertKnownByHand
export const knownShipmentsOf = selectKnownByHand
