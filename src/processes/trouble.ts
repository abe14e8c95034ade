/** Who owns which exception, and what becomes of work that cannot go on: parked, with somebody who must look. */
import type { Transaction } from '#platform/database.ts'
import type { Ownership } from '#platform/exception-ownership.ts'
import { effectKey } from '#platform/effects.ts'
import { park } from '#platform/parking.ts'
import { callCause } from '#platform/parking-replay.ts'
import type { Poisoned } from '#platform/runner.ts'
import type { ParkedEffect } from '#platform/turn-context.ts'
import { tellWhoWaits } from './payment-waits.ts'
import type { ProcessPorts } from './ports.ts'

export const OWNERSHIP: Omit<Ownership, 'calendarOf'> = {
  rules: [
    { prefix: 'orders.hold.credit', owner: 'credit', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'orders.hold.price_review', owner: 'pricing', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'orders.hold.inventory', owner: 'inventory', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'orders.hold.edi_mismatch', owner: 'edi', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'orders', owner: 'customer-service', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'inventory', owner: 'inventory', severity: 'high', dueBusinessHours: 8 },
    { prefix: 'supply', owner: 'purchasing', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'shipments.held_lot_shipped', owner: 'inventory', severity: 'critical', dueBusinessHours: 1 },
    { prefix: 'shipments.label_refused', owner: 'integration', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'shipments.label_in_doubt', owner: 'billing', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'shipments.label_not_void', owner: 'billing', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'shipments.parcel_refused', owner: 'customer-service', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'shipments.parcel_damaged', owner: 'customer-service', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'shipments.parcel_lost', owner: 'customer-service', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'shipments.scan_code_unknown', owner: 'integration', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'shipments', owner: 'customer-service', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'billing', owner: 'billing', severity: 'high', dueBusinessHours: 8 },
    { prefix: 'edi', owner: 'edi', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'inbound.message_missing', owner: 'integration', severity: 'high', dueBusinessHours: 2 },
    { prefix: 'inbound', owner: 'integration', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'sla.order_to_erp_posting', owner: 'integration', severity: 'normal', dueBusinessHours: 2 },
    {
      prefix: 'sla.order_to_erp_posting.breached',
      owner: 'integration',
      severity: 'high',
      dueBusinessHours: 1,
    },
    { prefix: 'sla.order_to_invoice_posting', owner: 'billing', severity: 'normal', dueBusinessHours: 4 },
    {
      prefix: 'sla.order_to_invoice_posting.breached',
      owner: 'billing',
      severity: 'high',
      dueBusinessHours: 2,
    },
    { prefix: 'subscriptions.stopped', owner: 'integration', severity: 'high', dueBusinessHours: 4 },
    { prefix: 'subscriptions', owner: 'integration', severity: 'normal', dueBusinessHours: 8 },
    { prefix: 'work', owner: 'integration', severity: 'high', dueBusinessHours: 2 },
    { prefix: 'invariants', owner: 'integration', severity: 'critical', dueBusinessHours: 1 },
  ],
  otherwise: { owner: 'operations', severity: 'normal', dueBusinessHours: 8 },
}

/** The queues of the house; partners' guides may name others. */
export const QUEUES: ReadonlySet<string> = new Set(
  [...OWNERSHIP.rules, OWNERSHIP.otherwise].map(({ owner }) => owner),
)

export const documentCause = (doc: number): string => `work.document_parked:${doc}`

/** Calls that a person must decide on: nobody knows whether they were done, or they failed too often. */
export async function parkEffects(
  tx: Transaction,
  ports: ProcessPorts,
  effects: readonly ParkedEffect[],
): Promise<void> {
  await park(
    tx,
    effects.map(({ facts, intent, kind, reason }) => ({
      kind: 'effect',
      key: effectKey(intent),
      company: facts.company,
      system: intent.system,
      step: intent.step,
      doc: facts.doc,
      cause: { code: 'work.effect_parked', message: reason },
      context: {
        kind,
        operation: intent.operation,
        businessKey: intent.businessKey,
        attempts: intent.attempts,
      },
    })),
  )
  await ports.openExceptions(
    tx,
    effects.map(({ facts, intent, kind, reason }) => ({
      company: facts.company,
      cause: callCause(intent.system, intent.operation),
      code: 'work.effect_parked',
      title: `${intent.operation} at ${intent.system} needs a decision`,
      suggestedAction: `Search ${intent.businessKey} at ${intent.system}: ${reason}. Then say what became of it, or replay the parked call.`,
      affects: { doc: facts.doc, kind },
    })),
  )
  const payments = effects.filter(({ kind }) => kind === 'payment')
  await tellWhoWaits(
    tx,
    ports,
    payments.map(({ facts }) => facts),
  )
}

/** A document that failed again and again is parked alone; its neighbours go on. */
export async function parkPoison(
  tx: Transaction,
  ports: ProcessPorts,
  { doc, kind, company, error }: Poisoned,
): Promise<void> {
  const message = error instanceof Error ? error.message : String(error)
  await park(tx, [
    {
      kind: 'document',
      key: String(doc),
      company,
      doc,
      cause: { code: 'work.document_parked', message },
      context: { kind },
    },
  ])
  await ports.openExceptions(tx, [
    {
      company,
      cause: documentCause(doc),
      code: 'work.document_parked',
      title: `A document of kind ${kind} cannot be worked on`,
      suggestedAction: 'Read the cause, mend it, then replay the parked document.',
      facts: { message },
      affects: { doc, kind },
    },
  ])
}
