/** What warehouses told and nobody can act on by himself: each has an owner who is told why. */
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import type { MessageName, Settlement } from '#platform/inbox.ts'
import { shipmentRefusals } from '#domains/shipments/contract.ts'
import { conflicting, NO_COMPANY, troubleOf } from './message-trouble.ts'
import type { ProcessPorts } from './ports.ts'

type Told = MessageName & { readonly company?: string | undefined }
type Stopped = Extract<Settlement, { readonly outcome: 'parked' | 'quarantined' }>

export type WarehouseTrouble = {
  readonly settlements: readonly (readonly [Told, Settlement])[]
  /** Known by their id, with other content. */
  readonly conflicts: readonly Told[]
}

export async function openWarehouseExceptions(
  tx: Transaction,
  ports: ProcessPorts,
  { settlements, conflicts }: WarehouseTrouble,
): Promise<void> {
  const occurrences = conflicts.map((message) =>
    conflicting(message, 'Ask the warehouse which of the two counts; it should never use a number twice.'),
  )
  for (const [message, settlement] of settlements) {
    if ('cause' in settlement) occurrences.push(stoppedBy(message, settlement))
  }
  if (occurrences.length > 0) await ports.openExceptions(tx, occurrences)
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  'shipments.shipped_after_end': shipmentRefusals['shipments.shipped_after_end'].fix,
}

function stoppedBy(message: Told, { outcome, cause }: Stopped): Occurrence {
  const { source, messageId, company = NO_COMPANY } = message
  return {
    company,
    cause: troubleOf(message, outcome, cause),
    code: cause.code,
    title: `${source}: ${cause.message}`,
    suggestedAction:
      outcome === 'parked'
        ? (WHAT_TO_DO[cause.code] ??
          'Settle it with the warehouse; mend the cause, then replay the message, or discard it.')
        : 'Read the message and find out what the warehouse means; mend the cause, then replay it, or discard it.',
    facts: { ...cause.facts, source, messageId },
  }
}
