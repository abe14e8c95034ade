/** The shop's shapes: one order document for API and webhook, amounts as strings, item and unit in one sku. */
import type { Fields } from '../fields.ts'
import { decimalText } from '../erp/amounts.ts'
import type { CompanyCode, Customer, WorldOrder } from '../world/world.ts'

export class ShopRefusal extends Error {
  readonly status: number
  readonly errors: unknown
  constructor(status: number, errors: unknown) {
    super(JSON.stringify(errors))
    this.status = status
    this.errors = errors
  }
}

export type LineItem = {
  id: number
  sku: string
  title: string
  quantity: number
  price: string
  price_unit: string
  fulfillable_quantity: number
}

export type ShopOrder = {
  id: number
  name: string
  created_at: string
  updated_at: string
  cancelled_at: string | null
  currency: string
  email: string
  po_number: string
  customer: { id: number; external_id: string }
  financial_status: 'pending'
  fulfillment_status: null | 'partial' | 'fulfilled'
  note: string
  tags: string
  requested_delivery_date: string
  shipping_address: Fields
  line_items: LineItem[]
}

export type Fulfillment = {
  id: number
  order_id: number
  status: 'success'
  external_id: string
  created_at: string
  tracking_info: Fields
  line_items: { id: number; quantity: number }[]
}

export type Shop = { company: CompanyCode; domain: string; token: string; secret: string }

type Written = {
  id: number
  firstLineId: number
  at: string
  customer: Customer | undefined
  titles: ReadonlyMap<string, string>
}

export function shopOrder(order: WorldOrder, { id, firstLineId, at, customer, titles }: Written): ShopOrder {
  const address = customer?.addresses.find((one) => one.code === order.shipTo) ?? customer?.addresses[0]
  return {
    id,
    name: `#${1_000 + (id % 1_000_000)}`,
    created_at: at,
    updated_at: at,
    cancelled_at: null,
    currency: order.currency,
    email: `buyer-${order.customer}@example.com`,
    po_number: order.poNumber,
    customer: { id: customer?.shopId ?? 0, external_id: order.customer },
    financial_status: 'pending',
    fulfillment_status: null,
    note: '',
    tags: '',
    requested_delivery_date: order.requestedOn,
    shipping_address: {
      code: order.shipTo,
      name: address?.name ?? '',
      address1: address?.street ?? '',
      city: address?.city ?? '',
      province_code: address?.region ?? '',
      zip: address?.postalCode ?? '',
      country_code: address?.country ?? '',
    },
    line_items: order.lines.map((line, nth) => ({
      id: firstLineId + nth,
      sku: `${line.item}-${line.unit}`,
      title: titles.get(line.item) ?? line.item,
      quantity: line.quantity,
      price: decimalText(line.priceMinor, 2),
      price_unit: line.priceUnit,
      fulfillable_quantity: line.quantity,
    })),
  }
}
