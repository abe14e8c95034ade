/** Events as they are told outside: CloudEvents 1.0.2, whole or thin. */
import type { RecordedEvent } from './log.ts'

/** What the business calls the objects of its events; the engine does not know. */
export type EventWords = {
  /** Reverse DNS, before every type: `org.crossdock`. */
  readonly typePrefix: string
  /** Domain by the object that event types begin with: `order` is told by `orders`. */
  readonly domains: Readonly<Record<string, string>>
  /** The object at the root of every journey that is not its own. */
  readonly root: string
  /** The number under which people know a document. */
  readonly numberOf: (object: string, doc: number) => string
}

/** `thin` names what changed and leaves reading it to the receiver. */
export type Payload = 'full' | 'thin'

export type CloudEvent = {
  readonly specversion: '1.0'
  /** With `source` unique, and the same however often the event is told. */
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  /** The document, all of whose events have this key. */
  readonly partitionkey: string
  /** The version that the event made of its document: orders the events of one `partitionkey` as text. */
  readonly sequence: string
  readonly company: string
  /** The number at the root of the journey. */
  readonly correlationid: string
  readonly causationid?: string
  readonly traceparent?: string
  readonly dataversion: string
  readonly data: Readonly<Record<string, unknown>>
}

const SEQUENCE_DIGITS = 10

const objectOf = (type: string): string => type.slice(0, type.indexOf('.'))

export const domainOf = (words: EventWords, type: string): string =>
  words.domains[objectOf(type)] ?? objectOf(type)

export const eventId = ({ key, keyVersion }: Pick<RecordedEvent, 'key' | 'keyVersion'>): string =>
  `evt_${key}_${keyVersion}`

/** `order.accepted` as the world knows it: `org.crossdock.orders.order.accepted.v1`. */
const outerType = (words: EventWords, { type, schemaVersion }: RecordedEvent): string =>
  `${words.typePrefix}.${domainOf(words, type)}.${type}.v${schemaVersion}`

export function toCloudEvent(words: EventWords, event: RecordedEvent, payload: Payload): CloudEvent {
  const object = objectOf(event.type)
  const number = words.numberOf(object, event.key)
  const { causationId, traceId, correlationId } = event
  const root = correlationId === event.key ? object : words.root
  return {
    specversion: '1.0',
    id: eventId(event),
    source: `/systems/crossdock/${encodeURIComponent(event.source)}`,
    type: outerType(words, event),
    subject: number,
    time: event.occurredAt.toISOString(),
    datacontenttype: 'application/json',
    partitionkey: number,
    sequence: String(event.keyVersion).padStart(SEQUENCE_DIGITS, '0'),
    company: event.company,
    correlationid: words.numberOf(root, correlationId),
    ...(causationId === null ? {} : { causationid: causationId }),
    ...(traceId === null ? {} : { traceparent: traceparentOf(traceId, event) }),
    dataversion: String(event.schemaVersion),
    data: payload === 'full' ? { ...event.data } : { document: number, version: event.keyVersion },
  }
}

/** The span is the event itself: receivers link to it. */
function traceparentOf(traceId: string, { key, keyVersion }: RecordedEvent): string {
  const span = key.toString(16).padStart(12, '0') + (keyVersion % 0x10000).toString(16).padStart(4, '0')
  return `00-${traceId.replaceAll('-', '')}-${span}-01`
}
