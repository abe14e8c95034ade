/** Every refusal of the house, and how many requests of a class a client may send. */
import { billingRefusals } from '#domains/billing/contract.ts'
import { customerRefusals } from '#domains/customers/contract.ts'
import { inventoryRefusals } from '#domains/inventory/contract.ts'
import { feedRefusals } from '#domains/inventory/contract/feeds.ts'
import { freshnessRefusals } from '#domains/inventory/contract/freshness-rules.ts'
import { ownerRefusals } from '#domains/inventory/contract/owners.ts'
import { reconciliationRefusals } from '#domains/inventory/contract/reconciliations.ts'
import { backorderRunRefusals } from '#domains/inventory/contract/backorder-runs.ts'
import { sourcingRefusals } from '#domains/inventory/contract/sourcing.ts'
import { handRefusals } from '#domains/inventory/contract/by-hand.ts'
import { adjustmentRefusals } from '#domains/inventory/contract/adjustments.ts'
import { serialRefusals } from '#domains/inventory/contract/serials.ts'
import { itemRefusals } from '#domains/items/contract.ts'
import { orderRefusals } from '#domains/orders/contract.ts'
import { pricingRefusals } from '#domains/pricing/contract.ts'
import { shipmentRefusals } from '#domains/shipments/contract.ts'
import { supplyRefusals } from '#domains/supply/contract.ts'
import { accessRefusals } from '#platform/access.ts'
import { CONNECTOR_REFUSALS } from '#platform/connector-codes.ts'
import { backlogRefusals } from '#platform/backlog.ts'
import { effectRefusals } from '#platform/effects-repair.ts'
import { exceptionRefusals } from '#platform/exceptions-work.ts'
import { catalogue } from '#platform/http-catalogue.ts'
import { httpFaults, httpRefusals } from '#platform/http-refusals.ts'
import { INBOUND_REFUSALS } from '#platform/inbound.ts'
import { numberRefusals } from '#platform/number-refusals.ts'
import { parkingRefusals } from '#platform/parking.ts'
import { jobRefusals } from '#platform/repair-jobs.ts'
import { selectionRefusals } from '#platform/repair-selection.ts'
import { subscriptionRefusals } from '#platform/subscriptions.ts'
import { answerRefusals } from './processes/answers-by-hand.ts'
import { masterDataRefusals } from './processes/master-data-sync.ts'
import { overrideRefusals } from './processes/override-refusals.ts'
import { retryRefusals } from './processes/refusals.ts'
import { EDI_REFUSALS } from './systems/edi/refusals.ts'

export const RATES = {
  orders: { perSecond: 100_000, burst: 100_000 },
  reads: { perSecond: 2_000, burst: 4_000 },
  // answered from memory
  availability: { perSecond: 20_000, burst: 40_000 },
  commands: { perSecond: 500, burst: 1_000 },
  webhooks: { perSecond: 100_000, burst: 100_000 },
  page: { perSecond: 200, burst: 400 },
  probe: { perSecond: 200, burst: 400 },
} as const

export const houseCatalogue = catalogue(
  httpRefusals,
  httpFaults,
  accessRefusals,
  backlogRefusals,
  exceptionRefusals,
  retryRefusals,
  overrideRefusals,
  parkingRefusals,
  selectionRefusals,
  jobRefusals,
  effectRefusals,
  answerRefusals,
  subscriptionRefusals,
  INBOUND_REFUSALS,
  CONNECTOR_REFUSALS,
  masterDataRefusals,
  inventoryRefusals,
  feedRefusals,
  freshnessRefusals,
  ownerRefusals,
  reconciliationRefusals,
  sourcingRefusals,
  backorderRunRefusals,
  adjustmentRefusals,
  serialRefusals,
  handRefusals,
  numberRefusals,
  orderRefusals,
  shipmentRefusals,
  billingRefusals,
  customerRefusals,
  itemRefusals,
  pricingRefusals,
  supplyRefusals,
  EDI_REFUSALS,
)
