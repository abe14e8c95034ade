/** The webhook door of the Swift carrier: one scan of one parcel in each call. */
import type { TrackingMessage } from '#capabilities/carrier.ts'
import { Refusal } from '#platform/faults.ts'
import { type Fields, fieldsOf, filledText, listOf, optionalText } from '#platform/fields.ts'
import { parseStrictJson } from '#platform/http-json.ts'
import { contentHash } from '#platform/inbox.ts'
import {
  type InboundDoor,
  type InboundMessage,
  proveSignature,
  readAgain,
  splitting,
  understood,
} from '#platform/inbound.ts'
import { toTracking } from './map.ts'
import scans from './samples/tracking.json' with { type: 'json' }
import type { SwiftSettings } from './settings.ts'
import { signatureOf } from './wire.ts'

export function swiftDoor(instance: string, { credentials }: SwiftSettings): InboundDoor<TrackingMessage> {
  const { webhookSecret, previousWebhookSecret } = credentials
  const secrets =
    previousWebhookSecret === undefined ? [webhookSecret] : [webhookSecret, previousWebhookSecret]
  return {
    instance,
    // Each scan is a fact of its own; a parcel's sequence tells which is the latest.
    order: {},
    samples: { 'tracking.updated': scans },
    read(headers, rawBody) {
      const signature = signatureOf(headers['x-swift-signature'])
      if (signature === undefined) {
        throw new Refusal('inbound.signature_missing', 'X-Swift-Signature must be "sha256=<hex>".')
      }
      proveSignature({ signed: rawBody, signature, algorithm: 'sha256', encoding: 'hex' }, secrets)
      const event = splitting(() => parseStrictJson(rawBody))
      return [splitting(() => readScan(event, rawBody.toString('utf8')))]
    },
    restore: (filed) => readAgain(filed, (event) => readScan(event, filed.body)),
  }
}

/**
 * The way of a parcel as the messages that told of it, or should have. The carrier names only what it tells by itself, so
 * each is named by its content: the same however often it is read.
 */
export function readWay(way: Fields): InboundMessage<TrackingMessage>[] {
  const parcel = {
    type: 'tracking.updated',
    tracking_number: filledText(way, 'tracking_number'),
    reference: optionalText(way, 'reference'),
  }
  return listOf(way, 'events', (scan) => {
    const event = { ...parcel, ...scan }
    const named = { ...event, id: `read-${contentHash(JSON.stringify(event))}` }
    return readScan(named, JSON.stringify(named))
  })
}

function readScan(value: unknown, body: string): InboundMessage<TrackingMessage> {
  const event = fieldsOf(value)
  const named = {
    messageId: optionalText(event, 'id'),
    type: optionalText(event, 'type') ?? 'unreadable',
    body,
  }
  return understood(named, () => {
    const message = toTracking(event)
    const stream = `parcel/${message.tracking}`
    return { stream, sequence: message.sequence, takenAt: message.at, message }
  })
}
