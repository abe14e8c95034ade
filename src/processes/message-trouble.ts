/** How what stops a message is named, so that the same trouble is one exception and its end closes it. */
import type { Cause, Occurrence } from '#platform/exceptions.ts'
import type { Facts } from '#platform/faults.ts'
import type { MessageName } from '#platform/inbox.ts'
import type { ParkedItem } from '#platform/parking.ts'

/** Exceptions are a company's; what names none is everybody's. */
export const NO_COMPANY = '*'

const CONFLICT = 'inbound.content_conflict'

type PutAside = 'parked' | 'quarantined'

/** One for each message that a person must see to; what cannot be understood is one for its sender and reason. */
export function troubleOf(
  { source, messageId }: MessageName,
  outcome: PutAside,
  { code, facts = {} }: { readonly code: string; readonly facts?: Facts | undefined },
): string {
  const about = facts['about']
  const subject = outcome === 'parked' ? messageId : typeof about === 'string' ? about : ''
  return [code, source, subject].filter((part) => part !== '').join(':')
}

const conflictOf = ({ source, messageId }: MessageName): string => `${CONFLICT}:${source}:${messageId}`

type Conflicting = MessageName & { readonly company?: string | undefined }

/** A known id with other content. */
export const conflicting = (
  { source, messageId, company = NO_COMPANY }: Conflicting,
  suggestedAction: string,
): Occurrence => ({
  company,
  cause: conflictOf({ source, messageId }),
  code: CONFLICT,
  title: `${source} sent message ${messageId} again with other content`,
  suggestedAction,
})

/** What stood open while a message was put aside. Without a state of its own it was a conflict with another. */
export function causeOf({ key, company, system, cause, context }: ParkedItem, was?: PutAside): Cause {
  const source = system ?? ''
  const { messageId = key.slice(source.length + 1) } = context as Partial<MessageName>
  const name = { source, messageId }
  const isConflict = context['conflict'] === true && was === undefined
  return {
    company: company ?? NO_COMPANY,
    cause: isConflict ? conflictOf(name) : troubleOf(name, was ?? 'parked', cause),
  }
}
