/** What a channel tells the house: an order, and that its buyer took it back; and what the channel hears in return. */
import type { OrderAcknowledgement } from './channel.ts'
import type { StockSnapshot } from './stock.ts'
import type { SupplierMessage } from './supplier-messages.ts'
import type { UnreadItem } from '#domains/inventory/contract/reconciliations.ts'
import type { OrderRequest } from '#domains/orders/contract.ts'
import type { Transaction } from '#platform/database.ts'
import type { Facts, Refusal } from '#platform/faults.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'

export type OrderPlaced = {
  readonly type: 'order-placed'
  readonly company: string
  /** The channel's own number of the order, by which it is told what becomes of it. */
  readonly externalId: string
  readonly order: OrderRequest
  /** The partner behind the door, where many share one; the channel itself when absent. */
  readonly sender?: string | undefined
  /** What tells recurring purchase order numbers apart, where the partner's profile says; else the year. */
  readonly period?: string | undefined
  /** How far its prices may be from ours, in millionths, where that is more than the company's own tolerance. */
  readonly priceTolerancePpm?: number | undefined
  /** Why a person must look before it is worked on. */
  readonly mismatch?: string | undefined
}

export type OrderWithdrawn = {
  readonly type: 'order-withdrawn'
  readonly company: string
  readonly externalId: string
  readonly at: Date
}

/** A partner cancels by the number of its purchase order. */
export type PurchaseOrderWithdrawn = {
  readonly type: 'purchase-order-withdrawn'
  readonly company: string
  readonly sender: string
  readonly customerOrder: string
  /** The start of the order's date that must agree: nothing, the year, or the whole date. */
  readonly period: string
}

/** Between the channel and its connector alone: it is filed, and its connector does the rest. */
export type Remark = { readonly type: 'remark'; readonly detail: Facts }

/** Who keeps our goods says what is there. */
export type StockCounted = {
  readonly type: 'stock-counted'
  readonly company: string
  readonly sender: string
  readonly snapshot: StockSnapshot
  /** Each of its lines as it was sent. */
  readonly sent: readonly SentCount[]
  /** Lines that are not taken; of an item of which one cannot be read none is. */
  readonly unread: readonly UnreadCounted[]
}

export type UnreadCounted = UnreadItem & { readonly lot: string | undefined }

export type SentCount = Pick<UnreadItem, 'line' | 'text'> & {
  /** What it calls its item, as an unread line would be named by it. */
  readonly ids: string
}

/** Where suppliers and warehouses come by the same door as those who order, they are heard there too. */
export type ChannelMessage =
  | OrderPlaced
  | OrderWithdrawn
  | PurchaseOrderWithdrawn
  | SupplierMessage
  | StockCounted
  | Remark

export type ChannelInbound = InboundMessage<ChannelMessage> & {
  /** The queue of people who see to it when it cannot be applied; by its code when absent. */
  readonly owner?: string | undefined
  /** What the connector wants back when the message is decided. */
  readonly context?: unknown
}

/** What became of a message. */
export type ChannelDecision = {
  readonly inbound: ChannelInbound
  readonly outcome: 'applied' | 'parked' | 'quarantined'
  /** The order, where there is one. */
  readonly doc?: number | undefined
  /** The order's own number at the channel, of the message that began it. */
  readonly externalId?: string | undefined
  /** The same business document was here before. */
  readonly known?: boolean
  readonly refusal?: Refusal | undefined
  /** The order as it stands, where what was asked of it comes too late to change anything. */
  readonly stands?: OrderAcknowledgement | undefined
}

export type ChannelDoor = Pick<InboundDoor<ChannelMessage>, 'instance' | 'order' | 'restore' | 'askAgain'> & {
  /** Whether the channel is told of this refusal by `decided`; else a person is. */
  answers?(inbound: ChannelInbound, refusal: Refusal): boolean
  /** In the transaction that decided: what the connector keeps of it, and what it owes its partner. */
  decided?(tx: Transaction, decisions: readonly ChannelDecision[]): Promise<void>
}
