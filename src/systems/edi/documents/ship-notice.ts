/** A shipment as an advance ship notice tells it: orders, packages by SSCC, items with their lots. */
import type { DocumentParty, ProductId, QualifiedDate, Reference } from './parts.ts'

export type ShipNoticeItem = {
  /** PO101 of the order, where it had one. */
  readonly assignedId?: string
  readonly productIds: readonly ProductId[]
  readonly quantity: string
  readonly unit: string
  readonly description?: string
  readonly lots: readonly string[]
  /** Of single units. */
  readonly serials?: readonly string[]
}

export type ShipNoticePackage = {
  /** 18 digits without the application identifier. */
  readonly sscc: string
  readonly tracking?: string
  readonly weight?: { readonly value: string; readonly unit: string }
  readonly items: readonly ShipNoticeItem[]
}

export type ShipNoticeOrder = {
  readonly number: string
  readonly release?: string
  readonly date?: string
  readonly packages: readonly ShipNoticePackage[]
}

export type ShipNotice = {
  readonly number: string
  /** ISO date and HHMM of this notice. */
  readonly date: string
  readonly time: string
  readonly shipment: {
    readonly carrier?: { readonly scac?: string; readonly method?: string; readonly routing?: string }
    readonly weight?: { readonly value: string; readonly unit: string }
    readonly freightPayment?: string
    readonly references: readonly Reference[]
    /** 011 shipped, 017 estimated delivery. */
    readonly dates: readonly QualifiedDate[]
    readonly parties: readonly DocumentParty[]
  }
  readonly orders: readonly ShipNoticeOrder[]
}

/** Levels from the top: S shipment, O order, P packaging, I item. */
export type Hierarchy = 'SOPI' | 'SOIP' | 'SPOI' | 'SOI'

/** X12 1005. */
export const STRUCTURE_CODES: Readonly<Record<Hierarchy, string>> = {
  SOPI: '0001',
  SOIP: '0002',
  SPOI: '0003',
  SOI: '0004',
}

/** One level of the notice with what it says; the writer numbers the levels in this order. */
export type HierarchyLevel =
  | { readonly level: 'S'; readonly children: readonly HierarchyLevel[] }
  | { readonly level: 'O'; readonly order: ShipNoticeOrder; readonly children: readonly HierarchyLevel[] }
  | { readonly level: 'P'; readonly package: ShipNoticePackage; readonly children: readonly HierarchyLevel[] }
  | {
      readonly level: 'I'
      readonly item: ShipNoticeItem
      /** The packages to mark at the item, where there is no level for them. */
      readonly marks: readonly string[]
      readonly children: readonly HierarchyLevel[]
    }

/** The levels below the shipment. Packages keep their order, and so do items inside of a package. */
export function arrange(orders: readonly ShipNoticeOrder[], hierarchy: Hierarchy): HierarchyLevel[] {
  switch (hierarchy) {
    case 'SOPI':
      return orders.map((order) => ({ level: 'O', order, children: order.packages.map(packageWithItems) }))
    case 'SPOI':
      return orders.flatMap((order) =>
        order.packages.map((pack) => ({
          level: 'P' as const,
          package: pack,
          children: [{ level: 'O' as const, order, children: pack.items.map((item) => itemLevel(item)) }],
        })),
      )
    case 'SOI':
      return orders.map((order) => ({
        level: 'O',
        order,
        children: itemsAcross(order).map(({ item, packages }) => ({
          level: 'I',
          item,
          marks: packages.map(({ sscc }) => sscc),
          children: [],
        })),
      }))
    case 'SOIP':
      return orders.map((order) => ({
        level: 'O',
        order,
        children: itemsAcross(order).map(({ item, packages }) => ({
          ...itemLevel(item),
          children: packages.map((pack) => ({ level: 'P' as const, package: pack, children: [] })),
        })),
      }))
  }
}

const itemLevel = (item: ShipNoticeItem) => ({ level: 'I' as const, item, marks: [], children: [] })

const packageWithItems = (pack: ShipNoticePackage): HierarchyLevel => ({
  level: 'P',
  package: pack,
  children: pack.items.map(itemLevel),
})

/** Where items stand above packages, each item in each package is a level of its own: quantities stay per package. */
function itemsAcross(order: ShipNoticeOrder): { item: ShipNoticeItem; packages: ShipNoticePackage[] }[] {
  return order.packages.flatMap((pack) => pack.items.map((item) => ({ item, packages: [pack] })))
}
