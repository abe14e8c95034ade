/** What one place sends to another: what each message of it moves; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Bucket, StockStatus } from '../contract.ts'

/** How much of a transfer is where. */
export type TransferState = {
  readonly sent: Quantity
  readonly arrived: Quantity
  /** Sent, and known never to arrive. */
  readonly missing: Quantity
  /** Arrived beyond what was sent, as far as anybody has told. */
  readonly ahead: Quantity
}

/** It left one place, it came to the other, or it is known never to come. */
export type TransferAct = 'sent' | 'arrived' | 'missing'

export type TransferMove = {
  /** At which of the two places. */
  readonly at: 'from' | 'to'
  readonly from: Bucket
  readonly to: Bucket
  readonly quantity: Quantity
}

type Told = {
  readonly act: TransferAct
  readonly quantity: Quantity
  /** Out of which status it was taken, or into which it was put. */
  readonly status: StockStatus
}

/**
 * What is sent is in transit to the other place until it arrives, in parts or whole. What arrives beyond what was sent is
 * in doubt until its sending is told or somebody counts; what is missing is so of what has not arrived only.
 */
export function stepTransfer(
  before: TransferState,
  { act, quantity, status }: Told,
): { readonly after: TransferState; readonly moves: readonly TransferMove[] } {
  const open = before.sent - before.arrived - before.missing
  if (act === 'sent') {
    const late = Math.min(quantity, before.ahead)
    return {
      after: {
        ...before,
        sent: before.sent + quantity,
        arrived: before.arrived + late,
        ahead: before.ahead - late,
      },
      moves: some(
        { at: 'from', from: status, to: 'transfer', quantity },
        { at: 'to', from: 'transfer', to: 'in_transit', quantity: quantity - late },
        { at: 'to', from: 'transfer', to: 'unreconciled', quantity: late },
      ),
    }
  }
  const part = Math.min(quantity, open)
  if (act === 'missing') {
    return {
      after: { ...before, missing: before.missing + part },
      moves: some({ at: 'to', from: 'in_transit', to: 'adjustment', quantity: part }),
    }
  }
  return {
    after: { ...before, arrived: before.arrived + part, ahead: before.ahead + quantity - part },
    moves: some(
      { at: 'to', from: 'in_transit', to: status, quantity: part },
      { at: 'to', from: 'unreconciled', to: status, quantity: quantity - part },
    ),
  }
}

const some = (...moves: readonly TransferMove[]): TransferMove[] =>
  moves.filter(({ quantity }) => quantity > 0)
