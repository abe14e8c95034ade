/** The purchase orders of one company: what suppliers are to deliver, and what changed of it when. */
import type { Clock } from '#platform/clock.ts'
import {
  type CompanyCode,
  purchaseOrderOf,
  type PurchaseReference,
  type Receipt,
  type World,
} from '../world/world.ts'

export type PurchaseLine = PurchaseReference &
  Pick<Receipt, 'id' | 'item' | 'site' | 'quantity' | 'expectedOn'> & {
    supplier: string
    /** As the ERP counts it; the warehouse's receipts come to it in its own time. */
    received: number
    cancelled: number
    changedAt: string
  }

export type PurchaseChange = Partial<Pick<PurchaseLine, 'quantity' | 'expectedOn' | 'received' | 'cancelled'>>

/** Worlds that name no suppliers buy from this one. */
const ANY_SUPPLIER = 'V10001'

export class PurchaseOrders {
  private readonly clock: Clock
  private readonly byId: Map<string, PurchaseLine>

  constructor(clock: Clock, world: World, company: CompanyCode) {
    this.clock = clock
    const mine = world.receipts.filter((receipt) => receipt.company === company)
    const lineOf = (receipt: Receipt, nth: number): PurchaseLine => ({
      ...purchaseOrderOf(receipt),
      id: receipt.id,
      item: receipt.item,
      site: receipt.site,
      quantity: receipt.quantity,
      expectedOn: receipt.expectedOn,
      supplier: world.suppliers[nth % Math.max(1, world.suppliers.length)]?.number ?? ANY_SUPPLIER,
      received: 0,
      cancelled: 0,
      changedAt: `${world.today}T00:00:00.000Z`,
    })
    this.byId = new Map(mine.map((receipt, nth) => [receipt.id, lineOf(receipt, nth)]))
  }

  lines = (): PurchaseLine[] => [...this.byId.values()]

  /** By the id of the world's receipt: the supplier moves it, delivers a part, or does not deliver at all. */
  change(id: string, change: PurchaseChange): void {
    const line = this.byId.get(id)
    if (!line) throw new Error(`no purchase order of receipt ${id}`)
    Object.assign(line, change, { changedAt: this.clock.now().toISOString() })
  }

  recall(lines: readonly PurchaseLine[]): void {
    for (const line of lines) this.byId.set(line.id, line)
  }
}
