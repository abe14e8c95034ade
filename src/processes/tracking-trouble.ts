/** Parcels in trouble, each shipment's with an owner until a later scan says that they move on; and messages that stop. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import type { MessageName, Settlement } from '#platform/inbox.ts'
import { headersOf, type OrderHeader } from '#domains/orders/views.ts'
import type { Parcel, ParcelMissed, ParcelTrouble } from '#domains/shipments/contract/tracking.ts'
import { type Moved, parcelTrouble } from '#domains/shipments/operations/tracking.ts'
import { conflicting, NO_COMPANY, troubleOf } from './message-trouble.ts'
import { orderNumber, type ProcessPorts, shipmentNumber } from './ports.ts'

type Kind = ParcelTrouble | ParcelMissed

const WORDS: Readonly<Record<Kind, { readonly says: string; readonly action: string }>> = {
  delayed: {
    says: 'is delayed',
    action: 'Tell the customer when it is to be expected; it goes on by itself.',
  },
  exception: {
    says: 'cannot be delivered as it is',
    action: 'Ask the carrier what is wrong and what it needs of us, then tell the customer.',
  },
  damaged: {
    says: 'is damaged',
    action: 'Agree with the customer on a replacement or a credit, and file a claim with the carrier.',
  },
  lost: {
    says: 'is lost',
    action: 'Have the carrier search for it; send a replacement or credit the customer, and file a claim.',
  },
  refused: {
    says: 'was refused by the customer',
    action: 'Ask the customer why; have it delivered again, or expect it back at the warehouse.',
  },
  unknown: {
    says: 'has a scan whose code nobody knows',
    action: 'Ask the carrier what the code means, and have it added to the connector.',
  },
  silent: {
    says: 'has not been heard of for long',
    action: 'Have the carrier find out where it is, and tell the customer. Its next scan closes this.',
  },
  not_known: {
    says: 'is not known to its carrier',
    action:
      'Ask the warehouse whether it was handed over and under which number, and the carrier for that number. Its first scan closes this.',
  },
  unanswered: {
    says: 'gets no answer from its carrier',
    action:
      'Ask the carrier by other means where it is and why looking it up fails, and tell the customer. An answer, or its next scan, closes this.',
  },
}

/** Why it is over, where that is not the word of the carrier that it moves on. */
const OVER: Readonly<Partial<Record<Kind, string>>> = { unanswered: 'its carrier answers again' }

type Trouble = {
  readonly cause: string
  readonly kind: Kind
  readonly moved: Moved
  readonly parcels: readonly Parcel[]
}

/** A code that nobody knows is one cause, whatever shipments have it. */
function causeOf({ shipment: { doc } }: Moved, { carrier, unknown }: Parcel, kind: Kind): string {
  const code = codeOf(kind)
  return kind === 'unknown' ? `${code}:${carrier}:${unknown!.code}` : `${code}:${doc}`
}
const codeOf = (kind: Kind): string =>
  kind === 'unknown' ? 'shipments.scan_code_unknown' : `shipments.parcel_${kind}`

function troublesOf(moved: Moved, parcels: readonly Parcel[]): Map<string, Trouble> {
  const troubled = parcels.flatMap((parcel) =>
    [parcelTrouble(parcel), parcel.missed].flatMap((kind) =>
      kind ? [{ parcel, kind, cause: causeOf(moved, parcel, kind) }] : [],
    ),
  )
  return new Map(
    [...Map.groupBy(troubled, ({ cause }) => cause)].map(([cause, group]) => [
      cause,
      { cause, kind: group[0]!.kind, moved, parcels: group.map(({ parcel }) => parcel) },
    ]),
  )
}

/** Opens what has begun with these scans, or with the answer of a carrier that was asked, and closes what is over. */
export async function tellParcelTroubles(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  moved: readonly Moved[],
): Promise<void> {
  const turned = moved.map((one) => ({
    before: troublesOf(one, one.before),
    after: troublesOf(one, one.after),
  }))
  const begun = turned.flatMap(({ before, after }) =>
    [...after.values()].filter(({ cause }) => !before.has(cause)),
  )
  const over = turned.flatMap(({ before, after }) =>
    [...before.values()].filter(({ cause }) => !after.has(cause)),
  )
  if (begun.length > 0) {
    const orders = await headersOf(tx, [...new Set(begun.map(({ moved: { shipment } }) => shipment.orderId))])
    const orderOf = new Map(orders.map((order) => [order.doc, order]))
    await ports.openExceptions(
      tx,
      begun.map((one) => occurrenceOf(one, orderOf.get(one.moved.shipment.orderId)!)),
    )
  }
  for (const [reason, ended] of Map.groupBy(
    over,
    ({ kind }) => OVER[kind] ?? 'its carrier says that it moves on',
  ))
    await closeExceptions(
      tx,
      ended.map(({ cause, moved: { shipment } }) => ({
        company: shipment.company,
        cause,
        doc: shipment.doc,
      })),
      reason,
    )
}

function occurrenceOf(
  { cause, kind, moved: { shipment }, parcels }: Trouble,
  { totalMinor, currency }: OrderHeader,
): Occurrence {
  const { doc, company, orderId, carrier } = shipment
  const { says, action } = WORDS[kind]
  const [{ carrier: system, unknown }] = parcels as readonly [Parcel]
  return {
    company,
    cause,
    code: codeOf(kind),
    title:
      kind === 'unknown'
        ? `${system} tells of parcels in a code that nobody knows: ${unknown!.code}`
        : `${shipmentNumber(doc)} with ${carrier}: a parcel ${says}`,
    suggestedAction: action,
    facts: {
      order: orderNumber(orderId),
      parcels: parcels.map(({ tracking, last, unknown: odd, asking }) => ({
        tracking,
        code: (kind === 'unknown' ? odd!.code : last?.code) ?? null,
        reason: kind === 'unknown' ? null : (last?.reason ?? null),
        at: (kind === 'unknown' ? odd!.at : last?.at)?.toISOString() ?? null,
        ...(kind === 'unanswered' && { unansweredSince: asking?.unanswered?.since.toISOString() }),
      })),
    },
    affects: { doc, kind: 'shipment', value: { amountMinor: totalMinor, currency } },
  }
}

type Stopped = readonly [MessageName, Extract<Settlement, { readonly outcome: 'parked' | 'quarantined' }>]

/** Messages that say nothing we understand, or two things under one id. */
export async function openCarrierExceptions(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  {
    stopped,
    conflicts,
  }: { readonly stopped: readonly Stopped[]; readonly conflicts: readonly MessageName[] },
): Promise<void> {
  const occurrences: Occurrence[] = [
    ...conflicts.map((message) =>
      conflicting(message, 'Ask the carrier which of the two counts; it should never use a number twice.'),
    ),
    ...stopped.map(([message, { outcome, cause }]) => ({
      company: NO_COMPANY,
      cause: troubleOf(message, outcome, cause),
      code: cause.code,
      title: `${message.source}: ${cause.message}`,
      suggestedAction:
        'Read the message and find out what the carrier means; mend the cause, then replay it, or discard it.',
      facts: { source: message.source, messageId: message.messageId },
    })),
  ]
  if (occurrences.length > 0) await ports.openExceptions(tx, occurrences)
}

const UNCLAIMED = 'shipments.parcel_unclaimed'
const unclaimedCause = (source: string) => ({ company: NO_COMPANY, cause: `${UNCLAIMED}:${source}` })

/** A carrier tells of parcels that have had no shipment for long: once for each carrier. */
export async function openUnclaimed(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  { source, tracking }: { readonly source: string; readonly tracking: readonly string[] },
): Promise<void> {
  await ports.openExceptions(tx, [
    {
      ...unclaimedCause(source),
      code: UNCLAIMED,
      title: `${source} tells of parcels that no shipment has`,
      suggestedAction:
        'Find out whose they are. What left must be confirmed by its warehouse or entered by hand; then they are booked by themselves.',
      facts: { tracking },
    },
  ])
}

export const closeUnclaimed = (tx: Transaction, source: string): Promise<number[]> =>
  closeExceptions(tx, [unclaimedCause(source)], 'every parcel has its shipment')
