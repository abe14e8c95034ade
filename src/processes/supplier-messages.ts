/** What suppliers tell of purchase orders, brought to our items and units and kept; each message whole or not at all. */
import type { SupplierMessage, SupplyAnswered, SupplyShipped } from '#capabilities/supplier-messages.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { AnsweredPart, ShipNotice, SupplierAnswer } from '#domains/supply/contract/told.ts'
import { takeAnswers, takeNotices } from '#domains/supply/operations/told.ts'
import { linesOfOrders, type OrderedLine } from '#domains/supply/views/coming.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { convertQuantity, formatQuantity, type Quantity } from '#platform/quantity.ts'

/** A message with who told it, under its own id. */
export type SupplierWord = {
  readonly source: string
  readonly document: string
  readonly message: SupplierMessage
}

/** Why a message cannot be taken; absent where it was, or where a later one was here before. */
export type Unusable = ReadonlyMap<SupplierWord, Refusal>

type Known = {
  readonly orders: ReadonlyMap<string, readonly OrderedLine[]>
  readonly items: ReadonlyMap<string, SellingItem>
}
type Word<Message extends SupplierMessage> = SupplierWord & { readonly message: Message }

export async function takeSupplierWords(
  tx: Transaction,
  words: readonly SupplierWord[],
): Promise<{ unusable: Unusable; written: number }> {
  const known = await knownOf(tx, words)
  const unusable = new Map<SupplierWord, Refusal>()
  const answers: SupplierAnswer[] = []
  const notices: ShipNotice[] = []
  for (const word of words) {
    try {
      if (isAnswer(word)) answers.push(...answersOf(word, known))
      else notices.push(noticeOf(word as Word<SupplyShipped>, known))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      unusable.set(word, error)
    }
  }
  const written = (await takeAnswers(tx, answers)) + (await takeNotices(tx, notices))
  return { unusable, written }
}

const isAnswer = (word: SupplierWord): word is Word<SupplyAnswered> => word.message.type === 'supply-answered'

const orderKey = (company: string, number: string): string => `${company}\0${number}`

/** What we have of the orders and items that are named. */
async function knownOf(tx: Transaction, words: readonly SupplierWord[]): Promise<Known> {
  const named = words.flatMap(({ message }) => {
    const { company } = message
    if (message.type === 'supply-answered') return [{ company, number: message.purchaseOrder }]
    return message.lines.map(({ purchaseOrder }) => ({ company, number: purchaseOrder }))
  })
  const orders = [...new Map(named.map((one) => [orderKey(one.company, one.number), one])).values()]
  const lines = await linesOfOrders(tx, orders)
  const skus = [
    ...lines,
    ...words.flatMap(({ message: { company, lines: told } }) =>
      told.flatMap(({ sku }) => (sku === undefined ? [] : [{ company, sku }])),
    ),
  ]
  return {
    orders: Map.groupBy(lines, ({ company, number }) => orderKey(company, number)),
    items: await findItems(tx, skus),
  }
}

type Named = {
  readonly line?: number | undefined
  readonly sku?: string | undefined
  readonly unit?: string | undefined
}
type Place = { readonly company: string; readonly number: string }

/** The item that is named, else that of the named line. */
function itemOf({ line, sku }: Named, { company, number }: Place, known: Known): SellingItem {
  const named = sku ?? known.orders.get(orderKey(company, number))?.find((one) => one.line === line)?.sku
  const item = named === undefined ? undefined : known.items.get(itemKey(company, named))
  if (item) return item
  const what = named === undefined ? `line ${line} of ${number}` : `item ${named}`
  throw new Refusal('supply.told_item_unknown', `${company} has no ${what}`, { number, line, sku })
}

function inBase(quantity: Quantity, { unit }: Named, item: SellingItem): Quantity {
  const factor = unit === undefined ? { numerator: 1, denominator: 1 } : item.units.get(unit)
  const base = factor && convertQuantity(quantity, factor)
  if (base !== undefined) return base
  const message = `${formatQuantity(quantity)} ${unit} of ${item.sku} is no quantity of ${item.baseUnit}`
  throw new Refusal('supply.told_quantity_unusable', message, { sku: item.sku, unit })
}

function answersOf(word: Word<SupplyAnswered>, known: Known): SupplierAnswer[] {
  const { source, document, message } = word
  const { company, supplier, at, tolerance, purchaseOrder: number } = message
  const told = { company, supplier, source, document, at, tolerance, number }
  if (message.lines.length === 0) return wholeOf(message, known).map((one) => ({ ...told, ...one }))
  const answers = message.lines.map((line): SupplierAnswer => {
    const item = itemOf(line, { company, number }, known)
    const parts = line.parts.map((part) => ({ ...part, quantity: inBase(part.quantity, line, item) }))
    return {
      ...told,
      itemId: item.id,
      line: line.line,
      parts,
      refused: inBase(line.refused, line, item),
    }
  })
  return [...Map.groupBy(answers, ({ itemId, line }) => `${itemId} ${line ?? 0}`).values()].map(together)
}

/** One line that is answered in several places. */
const together = ([first, ...rest]: readonly SupplierAnswer[]): SupplierAnswer => ({
  ...first!,
  parts: [first!, ...rest].flatMap(({ parts }): readonly AnsweredPart[] => parts),
  refused: [first!, ...rest].reduce((sum, { refused }) => sum + refused, 0),
})

/** Without lines it is about all lines of the order, which must be known for that. */
function wholeOf({ company, purchaseOrder, whole }: SupplyAnswered, { orders }: Known) {
  const lines = orders.get(orderKey(company, purchaseOrder)) ?? []
  if (lines.length === 0)
    throw new Refusal('supply.told_order_unknown', `${company} has no purchase order ${purchaseOrder}`)
  return lines.map(({ itemId, line, ordered, cancelled }) => {
    const wanted = ordered - cancelled
    const accepted = whole !== 'refused' && wanted > 0
    return {
      itemId,
      line,
      parts: accepted ? [{ quantity: wanted }] : [],
      refused: accepted ? 0 : wanted,
    }
  })
}

function noticeOf({ source, document, message }: Word<SupplyShipped>, known: Known): ShipNotice {
  const { company, supplier, at, tolerance, notice, expectedOn } = message
  const lines = message.lines.map(({ purchaseOrder: number, ...line }) => {
    const item = itemOf(line, { company, number }, known)
    const { lot, expiresOn, sscc } = line
    const quantity = inBase(line.quantity, line, item)
    return { number, line: line.line, itemId: item.id, quantity, expectedOn, lot, expiresOn, sscc }
  })
  return { company, supplier, source, document, at, tolerance, notice, lines }
}
