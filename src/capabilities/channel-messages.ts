/** What a channel tells the house: a shop's order, and that its buyer took it back. */
import type { OrderRequest } from '#domains/orders/contract.ts'

export type OrderPlaced = {
  readonly type: 'order-placed'
  readonly company: string
  /** The channel's own number of the order, by which it is told what becomes of it. */
  readonly externalId: string
  readonly order: OrderRequest
}

export type OrderWithdrawn = {
  readonly type: 'order-withdrawn'
  readonly company: string
  readonly externalId: string
  readonly at: Date
}

export type ChannelMessage = OrderPlaced | OrderWithdrawn
