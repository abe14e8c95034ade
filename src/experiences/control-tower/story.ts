/** An order's story with what only its page shows: the customer's name and what of each line is invoiced. */
import type { Queries } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { invoicesOfOrders, linesOfInvoices } from '#domains/billing/views.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { findCustomers } from '#domains/customers/operations.ts'
import { headersOf, isPartners, linesOf } from '#domains/orders/views.ts'
import { storyOf } from '#processes/story.ts'
import type { StoryPage } from './story-page.ts'

/** Undefined when there is no such order, or it is not this partner's. */
export async function readStory(
  queries: Queries,
  doc: number,
  partner: string | undefined,
): Promise<StoryPage | undefined> {
  const [header] = await headersOf(queries, [doc])
  if (!header || !isPartners(header, partner)) return undefined
  const { company, customer: number } = header
  const [story, customers, invoiced] = await Promise.all([
    storyOf(queries, doc),
    findCustomers(queries, [{ company, number }]),
    invoicedQuantities(queries, doc),
  ])
  const customerName = customers.get(customerKey(company, number))?.name ?? ''
  return story && { story, customerName, invoiced }
}

/** Line by line; in the price unit, which is named where it is not the base unit. */
async function invoicedQuantities(queries: Queries, doc: number): Promise<string[]> {
  const [lines, invoices] = await Promise.all([linesOf(queries, [doc]), invoicesOfOrders(queries, [doc])])
  const posted = invoices.filter((invoice) => invoice.postedAt !== null && invoice.state !== 'void')
  const billed = await linesOfInvoices(
    queries,
    posted.map((invoice) => invoice.doc),
  )
  return lines.map(({ n, baseUnit }) => {
    const mine = billed.filter((line) => line.orderLine === n)
    const sum = formatQuantity(mine.reduce((total, line) => total + line.quantity, 0))
    const unit = mine[0]?.unit ?? baseUnit
    return unit === baseUnit ? sum : `${sum} ${unit}`
  })
}
