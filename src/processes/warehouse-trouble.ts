/** What warehouses told and nobody can act on by himself: each has an owner who is told why. */
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import type { MessageName, Settlement } from '#platform/inbox.ts'
import type { ProcessPorts } from './ports.ts'

/** Exceptions are a company's; what names none is everybody's. */
const NO_COMPANY = '*'

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
  const occurrences = conflicts.map(conflicting)
  for (const [message, settlement] of settlements) {
    if ('cause' in settlement) occurrences.push(stoppedBy(message, settlement))
  }
  if (occurrences.length > 0) await ports.openExceptions(tx, occurrences)
}

/** One for each message that a person must see to; what cannot be understood is one for its sender and reason. */
function stoppedBy(
  { source, messageId, company = NO_COMPANY }: Told,
  { outcome, cause }: Stopped,
): Occurrence {
  const isUnderstood = outcome === 'parked'
  return {
    company,
    cause: isUnderstood ? `${cause.code}:${source}:${messageId}` : `${cause.code}:${source}`,
    code: cause.code,
    title: `${source}: ${cause.message}`,
    suggestedAction: isUnderstood
      ? 'Settle it with the warehouse; mend the cause and have the message sent again, or discard it.'
      : 'Read the message and find out what the warehouse means; mend the cause and have it sent again, or discard it.',
    facts: { ...cause.facts, source, messageId },
  }
}

const conflicting = ({ source, messageId, company = NO_COMPANY }: Told): Occurrence => ({
  company,
  cause: `inbound.content_conflict:${source}:${messageId}`,
  code: 'inbound.content_conflict',
  title: `${source} sent message ${messageId} again with other content`,
  suggestedAction: 'Ask the warehouse which of the two counts; it should never use a number twice.',
})
