/** Which lines of a purchase order a receipt counts on; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { SupplyReceipt } from './contract.ts'

/** What a receipt needs to know of a line. */
export type ReceivingLine = {
  readonly company: string
  readonly number: string
  readonly line: number
  readonly itemId: number
  readonly location: string
  readonly expectedOn: string
  readonly open: Quantity
  /** The sum of its receipts. */
  readonly received: Quantity
}

/** A receipt, or a part of one, on a line; on line 0 where no line is of its order and item. */
export type Share = { readonly receipt: SupplyReceipt; readonly line: number; readonly quantity: Quantity }

export const orderKey = (company: string, number: string): string => `${company} ${number}`

/**
 * Puts each receipt on the line that it names, else on the lines of its item: those of its place first, then by date, as
 * much as is open of each; what is more than all of them are open for stands on the last. What is taken back comes off
 * the lines in the other direction, as much as each has received; the rest stands on no line. Receipts of one list see
 * each other, and come before what is taken back.
 */
export function shareOut(receipts: readonly SupplyReceipt[], lines: readonly ReceivingLine[]): Share[] {
  const orders = Map.groupBy(lines, ({ company, number }) => orderKey(company, number))
  const counted = new Map(lines.map((line) => [line, { open: line.open, received: line.received }]))
  return [...receipts.filter(comesIn), ...receipts.filter((receipt) => !comesIn(receipt))].flatMap(
    (receipt) => {
      const { company, purchaseOrder } = receipt
      const order = purchaseOrder ? (orders.get(orderKey(company, purchaseOrder.number)) ?? []) : []
      const candidates = candidatesOf(receipt, order)
      if (!comesIn(receipt)) return takeBack(receipt, candidates.toReversed(), counted)
      if (candidates.length === 0) return [{ receipt, line: 0, quantity: receipt.quantity }]
      return fill(receipt, candidates, counted)
    },
  )
}

const comesIn = ({ quantity }: SupplyReceipt): boolean => quantity > 0

function candidatesOf(
  { itemId, location, purchaseOrder }: SupplyReceipt,
  order: readonly ReceivingLine[],
): ReceivingLine[] {
  const mine = order.filter((line) => line.itemId === itemId)
  const named = mine.find(({ line }) => line === purchaseOrder?.line)
  if (named) return [named]
  const away = (line: ReceivingLine): number => (line.location === location ? 0 : 1)
  return mine.toSorted(
    (a, b) => away(a) - away(b) || compareText(a.expectedOn, b.expectedOn) || a.line - b.line,
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

type Counted = ReadonlyMap<ReceivingLine, { open: Quantity; received: Quantity }>

function takeBack(receipt: SupplyReceipt, candidates: readonly ReceivingLine[], counted: Counted): Share[] {
  const shares: Share[] = []
  let left = -receipt.quantity
  for (const line of candidates) {
    const count = counted.get(line)!
    const quantity = Math.min(left, count.received)
    if (quantity === 0) continue
    count.received -= quantity
    shares.push({ receipt, line: line.line, quantity: -quantity })
    left -= quantity
  }
  return left > 0 ? [...shares, { receipt, line: 0, quantity: -left }] : shares
}

function fill(receipt: SupplyReceipt, candidates: readonly ReceivingLine[], counted: Counted): Share[] {
  const last = candidates.at(-1)
  const shares: Share[] = []
  let left = receipt.quantity
  for (const line of candidates) {
    const count = counted.get(line)!
    const quantity = line === last ? left : Math.min(left, count.open)
    if (quantity === 0) continue
    count.open = Math.max(0, count.open - quantity)
    count.received += quantity
    shares.push({ receipt, line: line.line, quantity })
    left -= quantity
  }
  return shares
}
