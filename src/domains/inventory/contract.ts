/** The public words of inventory: positions, allocations, movements. */
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'

/** What may be done with stock that is in the building. */
export const STATUSES = ['available', 'quality_hold', 'quarantine', 'damaged', 'blocked'] as const
export type StockStatus = (typeof STATUSES)[number]

/** The buckets of a position between which movements run; the last six stand outside it. */
export type Bucket =
  | StockStatus
  | 'in_transit'
  | 'unreconciled'
  | 'supplier'
  | 'shipped'
  | 'adjustment'
  | 'opening'
  | 'transfer'
  | 'owner'

/** Where a line's quantity is taken from. */
export type Allocation = {
  readonly location: string
  readonly quantity: Quantity
  /** How much of it was kept for its channel, the innermost allocation first. */
  readonly from?: readonly Portion[] | undefined
}

/** A part of what an allocation keeps. */
export type Portion = { readonly id: number; readonly quantity: Quantity }

/**
 * Safety stock is for nobody. A wall is one channel's, which gets nothing beyond it; a minimum is one channel's, a pool
 * several channels' together, beside what is kept for nobody.
 */
export type KeptKind = 'safety' | 'wall' | 'minimum' | 'pool'

export type Kept = {
  readonly id: number
  readonly itemId: number
  readonly location: string
  readonly name: string
  readonly kind: KeptKind
  readonly channels: readonly string[]
  /** What its channels have not taken of it, without what is kept within it. */
  readonly left: Quantity
}

export type Reservation = {
  readonly doc: number
  readonly line: number
  readonly location: string
  readonly company: string
  readonly itemId: number
  readonly quantity: Quantity
  /** For how long what it is served by must live; any lot will do when absent. */
  readonly minimumShelfLifeDays?: number | null | undefined
}

/** Under this reason the ledger moves what of a lot we hold ourselves, and lets it go. */
export const LOT_HOLD = 'lot hold'
/** And what takes the place of a hold whose release was told first. */
export const RELEASED_AHEAD = 'released before held'

export type Movement = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
  /** Absent: ours. */
  readonly owner?: string | undefined
  readonly from: Bucket
  readonly to: Bucket
  readonly quantity: Quantity
  readonly reason: string
  readonly source: string
  readonly sourceKey: string
  readonly doc: number | null
  readonly at: Date
  /** Its number among all that its source tells, where there is one. */
  readonly mark?: number | undefined
}

export const inventoryRefusals = {
  'inventory.movement_incomplete': {
    status: 422,
    title: 'A movement of stock does not say enough to be booked',
    cause:
      'A change of status does not name two statuses, or a transfer not its number and the place at its other end.',
    fix: 'Have the system that tells it say what the message of the refusal asks for, then replay it.',
  },
  'inventory.movements_of_nothing': {
    status: 422,
    title: 'Neither an item nor a document is named',
    cause: 'Movements are kept by item; all of a house at once is more than anybody reads.',
    fix: 'Send sku, or document with the number of a shipment or an adjustment.',
  },
  'inventory.document_unknown': {
    status: 404,
    title: 'There is no such document',
    cause: 'No shipment and no adjustment of the company has this number.',
    fix: 'Send a number such as S-1000031 or A-1000071.',
  },
  'inventory.company_unknown': {
    status: 422,
    title: 'There is no such company',
    cause: 'No legal entity of this house has this code.',
    fix: 'Send one of the companies that the message lists.',
  },
  'inventory.item_unknown': {
    status: 422,
    title: 'An item is not known',
    cause: 'The company has no item with this number.',
    fix: 'Send item numbers as the ERP knows them; the errors name those that are wrong.',
  },
  'inventory.location_unknown': {
    status: 422,
    title: 'There is no such location',
    cause: 'The company sells from no location with this code.',
    fix: 'Send one of the locations that the message lists, or leave it out for all of them.',
  },
  'inventory.too_many_items': {
    status: 422,
    title: 'Too many items are asked about at once',
    cause: 'One question is answered for 500 items at most.',
    fix: 'Ask about the rest in another request.',
  },
  'inventory.date_past': {
    status: 422,
    title: 'The date has passed',
    cause: "It lies before today, by the company's clock.",
    fix: 'Ask about today or a later day, or leave the date out for what can be promised now.',
  },
  'inventory.allocation_contradicts': {
    status: 422,
    title: 'What is to be kept back contradicts itself',
    cause:
      'Safety stock names channels, a wall or a minimum not exactly one, a channel stands in two allocations of a place, ' +
      'or a name stands twice.',
    fix: 'Name each allocation of a place once, and each channel in one of them; the message says which is wrong.',
  },
  'inventory.location_group_unknown': {
    status: 422,
    title: 'There is no such group of locations',
    cause: 'No location that the company sells from belongs to a group of this name.',
    fix: 'Send one of the groups that the message lists, or a single location.',
  },
  'inventory.places_contradict': {
    status: 422,
    title: 'A location and a group of locations are named',
    cause: 'Only one of the two can say where stock may be taken from.',
    fix: 'Leave one of them out.',
  },
  'inventory.line_repeated': {
    status: 422,
    title: 'A line number stands twice',
    cause: "Two lines of the request carry the same caller's line number.",
    fix: 'Number the lines so that each is unique inside the request.',
  },
  'inventory.expiry_not_ahead': {
    status: 422,
    title: 'The time of expiry has passed',
    cause: 'A reservation would end before it began.',
    fix: 'Send a time that lies ahead, with its offset from UTC.',
  },
  'inventory.expiry_too_far': {
    status: 422,
    title: 'The time of expiry is too far ahead',
    cause: 'The company keeps stock for a soft reservation only for so long.',
    fix: 'Send a time within the limit that the message names, extend it later, or reserve firmly.',
  },
  'inventory.firm_does_not_expire': {
    status: 422,
    title: 'A firm reservation has no time of expiry',
    cause: 'It lasts until it is released or an order takes it over.',
    fix: 'Leave the time out, or ask for a soft reservation.',
  },
  'inventory.not_available': {
    status: 409,
    title: 'There is not enough to promise',
    cause: 'Less is free than was asked for; the errors name what there is of each line.',
    fix: 'Ask for less, for another location, or with the mode "what_is_available".',
  },
  'inventory.reservation_unknown': {
    status: 404,
    title: 'There is no such reservation',
    cause: 'No reservation has this number, or it belongs to somebody else.',
    fix: 'List the reservations of your channel.',
  },
  'inventory.reservation_ended': {
    status: 409,
    title: 'The reservation has ended',
    cause: 'It has expired, was released, or orders took all of it.',
    fix: 'Reserve anew: what it kept may be gone by now.',
  },
  'inventory.line_unknown': {
    status: 422,
    title: 'The reservation has no such line',
    cause: "None of its lines carries this caller's line number.",
    fix: 'Read the reservation; its lines are listed there.',
  },
  'inventory.open_order_invalid': {
    status: 422,
    title: 'A line of an open order cannot be kept',
    cause: 'The line that another system has open breaks a rule that the reason names.',
    fix: 'Correct the line in that system; the next reading takes it.',
  },
  'inventory.more_than_open': {
    status: 409,
    title: 'So much of the line is not open',
    cause: 'Part of it was taken over by an order or given back before.',
    fix: 'Read the reservation and send at most what is open of the line.',
  },
} as const satisfies Record<string, RefusalCode>
