/** What channels told and nobody can act on by himself: each has an owner who is told why. */
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { contentHash, messageKey, receiveMessages, settleMessages } from '#platform/inbox.ts'
import { park } from '#platform/parking.ts'
import type { Decided, Filed } from './channel-words.ts'
import type { AnyTelling } from './message-filing.ts'
import { conflicting, NO_COMPANY, troubleOf } from './message-trouble.ts'
import type { ProcessPorts } from './ports.ts'

type Trouble = {
  readonly decisions: ReadonlyMap<Filed, Decided>
  /** Known by their id, with other content. */
  readonly conflicts: readonly Filed[]
}

export async function openChannelExceptions(
  tx: Transaction,
  ports: ProcessPorts,
  { decisions, conflicts }: Trouble,
): Promise<void> {
  const stopped = [...decisions].filter(([, { outcome }]) => outcome !== 'applied')
  const occurrences = [
    ...stopped.map(([message, decision]) => stoppedBy(message, decision)),
    ...conflicts.map((message) => ({
      ...conflicting(message, 'Ask the sender which of the two counts; it should never use a number twice.'),
      owner: message.told.inbound.owner,
    })),
  ]
  if (occurrences.length > 0) await ports.openExceptions(tx, occurrences)
}

const senderOf = ({ told: { door, inbound } }: Filed): string =>
  (inbound.message && 'sender' in inbound.message ? inbound.message.sender : undefined) ?? door.instance

function stoppedBy(message: Filed, { outcome, doc, refusal }: Decided): Occurrence {
  const { source, messageId, company = NO_COMPANY, told } = message
  const { code, message: reason, facts } = refusal!
  const isQuarantined = outcome === 'quarantined'
  return {
    company,
    cause: troubleOf(message, isQuarantined ? 'quarantined' : 'parked', { code, facts }),
    code,
    title: `${senderOf(message)}: ${reason}`,
    suggestedAction: isQuarantined
      ? 'Read the message and find out whose it is; mend the cause, then replay it, or discard it.'
      : 'Settle it with the customer; correct the message and replay it, or discard it.',
    facts: { ...facts, source, messageId },
    owner: told.inbound.owner,
    ...(doc === undefined ? {} : { affects: { doc, kind: 'order' } }),
  }
}

/** A message that no attempt could take: filed and parked, so that its neighbours go on and somebody looks. */
export async function parkMessage(
  tx: Transaction,
  ports: ProcessPorts,
  { door, inbound, traceId }: AnyTelling & { readonly inbound: { readonly owner?: string | undefined } },
  error: unknown,
): Promise<void> {
  const { messageId, type, company = NO_COMPANY, body } = inbound
  const source = door.instance
  const message = error instanceof Error ? error.message : String(error)
  const cause = { code: 'work.message_parked', message }
  const filed = {
    source,
    messageId,
    type,
    company,
    contentHash: contentHash(body),
    body,
    receivedTrace: traceId,
  }
  const [verdict] = (await receiveMessages(tx, [filed], 'received')).values()
  if (verdict === 'new') await settleMessages(tx, [{ source, messageId, outcome: 'parked', cause }])
  else
    await park(tx, [
      {
        kind: 'message',
        key: messageKey(filed),
        company,
        system: source,
        payload: body,
        cause,
        context: { source, messageId, type },
      },
    ])
  await ports.openExceptions(tx, [
    {
      company,
      cause: `work.message_parked:${source}:${messageId}`,
      code: 'work.message_parked',
      title: `A message of ${source} cannot be worked on`,
      suggestedAction: 'Read the cause, mend it, then replay the parked message.',
      facts: { message, messageId },
      owner: inbound.owner,
    },
  ])
}
