/** What a connector makes of a call from its system: proven to be theirs, split, translated, ready for the inbox. */
import { type HmacClaim, verifyHmac } from './access-signatures.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import { Unexpected } from './fields.ts'
import type { Discipline } from './inbox-order.ts'
import type { StreamGap } from './inbox-gaps.ts'
import { contentHash } from './inbox.ts'

/** One thing that the system told; a call may tell several. */
export type InboundMessage<T> = {
  /** The sender's own name of it, the same at every delivery. */
  readonly messageId: string
  readonly type: string
  readonly company?: string | undefined
  readonly stream?: string | undefined
  readonly sequence?: number | undefined
  readonly takenAt?: Date | undefined
  /** Their words for this one message, from which `restore` reads it again. */
  readonly body: string
} & (
  | { readonly message: T; readonly unreadable?: undefined }
  /** It is theirs, but says nothing we understand: for quarantine, while its neighbours go on. */
  | { readonly message?: undefined; readonly unreadable: Refusal }
)

/** What the inbox keeps of a message. */
export type FiledMessage = {
  readonly messageId: string
  readonly type: string
  readonly company?: string | null | undefined
  readonly body: string
}

/** As a Node server gives them: names in lower case. */
export type InboundHeaders = Readonly<Record<string, string | undefined>>

export type InboundDoor<T> = {
  readonly instance: string
  /** In which order messages of a type count; a type that is not named here stands for itself. */
  readonly order: Readonly<Record<string, Discipline>>
  /** Recorded bodies of each type: what a message is expected to look like. */
  readonly samples: Readonly<Record<string, readonly unknown[]>>
  /** Refuses a call that is not proven to be theirs, or that cannot be split into messages. */
  read(headers: InboundHeaders, rawBody: Buffer): readonly InboundMessage<T>[]
  /** A message that was filed earlier, perhaps corrected by a person since. */
  restore(filed: FiledMessage): InboundMessage<T> | Promise<InboundMessage<T>>
  /** Asks the system for what its streams miss; answers what it has of that. Absent where the system keeps no history. */
  askAgain?(gaps: readonly StreamGap[]): Promise<readonly InboundMessage<T>[]>
  /** The stream in which the system tells of what it was asked under this number of ours. */
  streamOf?(reference: string): string
  /**
   * What happened at the system since then, a page at a time, by its own lists: what was told is among it, under another
   * name, and `takenAt` is when it happened. Absent where the system keeps no list.
   */
  changedSince?(since: Date): AsyncIterable<readonly InboundMessage<T>[]>
}

export const INBOUND_REFUSALS = {
  'inbound.signature_missing': {
    status: 401,
    title: 'The call is not signed',
    cause: 'The header that carries the signature is absent or has another form.',
    fix: 'Send the signature as the documentation of the connector says.',
  },
  'inbound.signature_invalid': {
    status: 401,
    title: 'The signature does not fit the body',
    cause: 'The body was changed on its way, or it was signed with another secret.',
    fix: 'Configure the same secret on both sides; the raw body must be signed.',
  },
  'inbound.signature_expired': {
    status: 401,
    title: 'The signature is too old or from the future',
    cause: 'The time inside the signature is further from now than the connector tolerates.',
    fix: 'Sign each attempt anew, and keep the clocks of both sides right.',
  },
  'inbound.sender_unknown': {
    status: 401,
    title: 'The sender is not known',
    cause: 'The call names a shop, an account or a company that is not configured here.',
    fix: 'Add the sender to the options of the connector.',
  },
  'inbound.system_unknown': {
    status: 404,
    title: 'There is no such system',
    cause: 'The address names a system that is not configured here, or that sends no events.',
    fix: 'Use the name under which the system stands in the configuration.',
  },
  'inbound.malformed': {
    status: 400,
    title: 'The call cannot be split into messages',
    cause: 'The body is JSON, but not of the shape that this system sends.',
    fix: 'Check that the right system calls this address, and in the right version.',
  },
  'inbound.message_unreadable': {
    status: 422,
    title: 'A message says nothing we understand',
    cause: 'A field that is needed is missing, has another type, or holds a code that is not on our list.',
    fix: 'Compare the message with the samples of the connector; then replay it.',
  },
} as const satisfies Record<string, RefusalCode>

/** Refuses a body that none of the secrets signed. */
export function proveSignature(claim: HmacClaim, secrets: readonly string[]): void {
  if (!verifyHmac(claim, secrets)) {
    throw new Refusal('inbound.signature_invalid', 'The signature does not fit the body.')
  }
}

/** What holds the messages of a call; anything else there is no message of theirs. */
export function splitting<T>(read: () => T): T {
  return reading('inbound.malformed', read)
}

/** Reads one message; what it lacks becomes a refusal that names the place. */
export function understanding<T>(read: () => T): T {
  return reading('inbound.message_unreadable', read)
}

function reading<T>(code: 'inbound.malformed' | 'inbound.message_unreadable', read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof Unexpected ? new Refusal(code, error.message) : error
  }
}

/** What is known of a message before it is understood. */
export type Named = {
  readonly messageId: string | undefined
  readonly type: string
  /** Where the call itself says it. */
  readonly company?: string | undefined
  readonly body: string
}

/** The message, or why it cannot be understood. One without a name of its own is named by its content. */
export function understood<T>(
  named: Named,
  read: () => Omit<InboundMessage<T>, 'messageId' | 'type' | 'body' | 'unreadable'> & { readonly message: T },
): InboundMessage<T> {
  const { type, company, body, messageId } = named
  try {
    if (messageId === undefined) throw new Refusal('inbound.message_unreadable', 'The message has no name.')
    return { messageId, type, company, body, ...understanding(read) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { messageId: messageId ?? contentHash(body), type, company, body, unreadable: error }
  }
}

/** Reads a filed message again, as `read` reads it from a call; one that is no JSON any more says nothing. */
export function readAgain<T>(
  { messageId, type, body }: FiledMessage,
  read: (content: unknown) => InboundMessage<T>,
): InboundMessage<T> {
  try {
    return { ...read(JSON.parse(body)), messageId, body }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const unreadable = new Refusal('inbound.message_unreadable', `The message is no JSON: ${error.message}`)
    return { messageId, type, body, unreadable }
  }
}
