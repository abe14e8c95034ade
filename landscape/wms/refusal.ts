/** What the WMS turns away, in its own words. */
import type { OutboundOrder } from './shapes.ts'

export class WmsRefusal extends Error {
  readonly status: number
  readonly code: string
  readonly field: string | undefined
  readonly order: OutboundOrder | undefined
  constructor(status: number, code: string, about: { field?: string; order?: OutboundOrder } = {}) {
    super(code)
    this.status = status
    this.code = code
    this.field = about.field
    this.order = about.order
  }
}
