/** Where the labels of a location come from. */
import type { Address } from '#capabilities/erp.ts'

export type LabelRules = {
  readonly carrier: string
  readonly service: string
  readonly shipFrom: Address
}
