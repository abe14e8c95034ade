/** An order line as it is told to whoever reads it, in the words of the published contract. */
import { formatAmount } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { StoryAnswer } from '#domains/orders/contract/answers.ts'
import type { OrderLine } from '#domains/orders/views.ts'

export type ToldLine = StoryAnswer['lines'][number]

export const toldLine = (line: OrderLine, currency: string): ToldLine => ({
  line: line.customerLine,
  sku: line.sku,
  quantity: formatQuantity(line.quantity),
  unit: line.unit,
  price: formatAmount(line.priceMinor, currency),
  priceUnit: line.priceUnit,
  net: formatAmount(line.netMinor, currency),
  ...(line.requestedDate === null ? {} : { requestedDate: line.requestedDate }),
  ...(line.minimumShelfLifeDays === null ? {} : { minimumShelfLifeDays: line.minimumShelfLifeDays }),
  rejection: line.rejection,
  baseUnit: line.baseUnit,
  ordered: formatQuantity(line.ordered),
  cancelled: formatQuantity(line.cancelled),
  open: formatQuantity(line.open),
  backordered: formatQuantity(line.backordered),
  reserved: formatQuantity(line.reserved),
  released: formatQuantity(line.released),
  picked: formatQuantity(line.picked),
  packed: formatQuantity(line.packed),
  shipped: formatQuantity(line.shipped),
})
