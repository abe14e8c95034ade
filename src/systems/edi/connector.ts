/** EDI as a channel: its partners' files become messages of the house, and its answers become files for them. */
import { basename } from 'node:path'
import type { ChannelDoor, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import type { Database } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { FiledMessage, InboundDoor } from '#platform/inbound.ts'
import { toInbound } from './inbound.ts'
import { ediOperations } from './answers.ts'
import { shippingOrderOperations } from './shipping-orders.ts'
import { ediBooks, reportOverdue } from './books.ts'
import { checkFile, type FileCheck } from './check-file.ts'
import { buildInventoryAdvice } from './documents/846.ts'
import { type Availability, toInventoryAdvice } from './map-stock.ts'
import { type Find, type FindItems, type FindUnits, lookupsFor } from './crosswalk.ts'
import type { Files } from './files.ts'
import { firstNameOf, openFolder } from './folder.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { loadPartnerGuides } from './partner-guide-files.ts'
import { indexGuides, type PartnerGuide, type PartnerGuides } from './partner-guide.ts'
import { receiveX12 } from './receive.ts'
import { type FileReport, receiveFile, type ReceptionPorts } from './reception.ts'
import { restoreWarehouse } from './warehouse-inbound.ts'
import { watchFolder, type WatchOptions } from './watch.ts'
import type { TransactionSet } from './x12-envelopes.ts'

export type EdiOptions = {
  readonly instance: string
  readonly settings: {
    readonly inboxDirectory: string
    readonly outboxDirectory: string
    readonly archiveDirectory: string
    readonly rejectDirectory: string
    readonly partnersDirectory: string
    readonly pollMs: number
    readonly maxFileBytes: number
  }
  readonly files: Files
  readonly database: Database
  readonly clock: Clock
  /** Names this process among those that watch the same folder. */
  readonly reader: string
  readonly findItems: FindItems
  readonly findUnits: FindUnits
  readonly openExceptions: OpenExceptions
  readonly onError: (error: unknown) => void
}

/** What takes the messages: bound late, since the house that hears needs this connector first. */
export type Listener = Pick<ReceptionPorts, 'hear' | 'park' | 'hearWarehouse' | 'parkWarehouse'>

export type EdiWarehouse = Pick<InboundDoor<WarehouseMessage>, 'instance' | 'order' | 'restore'>

export type EdiConnector = Connector & {
  readonly door: ChannelDoor
  /** By partner: whose orders come and go through this connector. */
  readonly partners: ReadonlyMap<string, PartnerGuide>
  /**
   * Leaves an 846 for the partner and answers the file's name; under the same number it is the same document, left once.
   * Refuses a partner that takes none.
   */
  tellAvailability(partner: string, availability: Availability): Promise<string>
  /** By partner: warehouses, each a source of its own. */
  readonly warehouses: ReadonlyMap<string, EdiWarehouse>
  /** Watches the inbox until stopped. */
  watch(listener: Listener): void
  /** Reads a file that somebody hands over; it stays where it is. */
  ingest(path: string, listener: Listener): Promise<FileReport>
  /** Says what would happen to a file and does none of it. */
  check(path: string): Promise<FileCheck>
  stop(): Promise<void>
}

/** A reader shows that it lives at every look; one that is busy may be late, but not so late. */
const DEAD_AFTER_POLLS = 10
const DEAD_AFTER_MS = 2_000

/** Who posted a document writes it at once, unless he was killed. */
const FORGOTTEN_AFTER_MS = 5_000

/** A file names no company that could be trusted. */
const NO_COMPANY = '*'

export function createEdiConnector(options: EdiOptions): EdiConnector {
  const { instance, settings, files, database, clock, openExceptions } = options
  const find: Find = { items: options.findItems, units: options.findUnits }
  const index = indexGuides(loadPartnerGuides(settings.partnersDirectory))
  const partners = new Map(index.all.map((guide) => [guide.partner, guide]))
  const outbox = createOutbox({
    directory: settings.outboxDirectory,
    files,
    database,
    clock,
    writer: options.reader,
  })
  const answering = { database, outbox, clock, guides: partners }
  let stop = (): Promise<void> => Promise.resolve()

  const receive = async (path: string, name: string, listener: Listener): Promise<FileReport> => {
    const report = await receiveFile(path, name, {
      ...listener,
      files,
      database,
      outbox,
      guides: index,
      find,
      maxFileBytes: settings.maxFileBytes,
      async report(tx, end) {
        if (isDamaged(end)) await openExceptions(tx, [damage(end)])
        else await closeExceptions(tx, [damageOf(end)], 'a whole file of this name came')
      },
    })
    await outbox.flush(0)
    return report
  }

  return {
    instance,
    operations: { ...ediOperations(answering), ...shippingOrderOperations(answering) },
    door: {
      instance,
      order: {},
      restore: (filed) => restore(filed, index, find),
      ...ediBooks({ outbox, clock, openExceptions }),
    },
    partners,
    warehouses: warehousesOf(index, find),
    tellAvailability: (partner, availability) =>
      leaveAvailability({ database, outbox }, partners.get(partner), availability),
    watch(listener) {
      const watch = partnersFolder(options, {
        read: ({ path, name }) => receive(path, name, listener),
        async rest() {
          await outbox.flush(FORGOTTEN_AFTER_MS)
          await database.transaction((tx) => reportOverdue(tx, { clock, openExceptions }, index.all))
        },
      })
      watch.start()
      stop = () => watch.stop()
    },
    ingest: (path, listener) => receive(path, basename(path), listener),
    check: (path) => checkFile(files.read(path), index.all),
    stop: () => stop(),
  }
}

function partnersFolder(options: EdiOptions, { read, rest }: Pick<WatchOptions, 'read' | 'rest'>) {
  const { settings, files, clock, reader, onError } = options
  const abandonedAfterMs = Math.max(settings.pollMs * DEAD_AFTER_POLLS, DEAD_AFTER_MS)
  const folder = openFolder({ ...settings, files, clock, reader, abandonedAfterMs })
  return watchFolder({ folder, clock, pollMs: settings.pollMs, read, rest, onError })
}

async function leaveAvailability(
  { database, outbox }: { readonly database: Database; readonly outbox: Outbox },
  guide: PartnerGuide | undefined,
  availability: Availability,
): Promise<string> {
  if (!guide?.sends.includes('846'))
    throw new Refusal('edi.document_not_agreed', `${guide?.partner ?? 'the partner'} takes no 846`, {})
  const key = `846/${guide.partner}/${availability.number}`
  const segments = buildInventoryAdvice(toInventoryAdvice(availability, guide))
  await database.transaction((tx) => outbox.post(tx, [{ key, guide, type: '846', segments }]))
  return (await outbox.write([key])).get(key)!
}

/** By partner. */
const warehousesOf = (guides: PartnerGuides, find: Find): ReadonlyMap<string, EdiWarehouse> =>
  new Map(
    guides.all
      .filter(({ role }) => role === 'warehouse')
      .map(({ partner: instance }) => [
        instance,
        { instance, order: {}, restore: (filed) => restoreWarehouse(filed, guides, find) },
      ]),
  )

const isDamaged = ({ state, findings }: FileReport): boolean =>
  state === 'rejected' || findings.some(({ severity }) => severity === 'error')

const damageOf = ({ name }: Pick<FileReport, 'name'>): Cause => ({
  company: NO_COMPANY,
  cause: `edi.file_damaged:${firstNameOf(name)}`,
})

/** A file of which nothing, or not everything, could be used. */
function damage({ name, state, findings }: FileReport): Occurrence {
  const first = findings.find(({ severity }) => severity === 'error')
  return {
    ...damageOf({ name }),
    code: 'edi.file_damaged',
    title: state === 'rejected' ? `${name} cannot be read at all` : `${name} is damaged and was read in part`,
    suggestedAction: 'Check the file, find out who sent it, and ask for a whole one.',
    facts: { file: name, finding: first?.message ?? 'there is no interchange in it', at: first?.at },
  }
}

/** A message's body is an interchange of its own with that one set in it; the guides of now count. */
async function restore(
  { messageId, body }: FiledMessage,
  guides: PartnerGuides,
  find: Find,
): Promise<ChannelInbound> {
  const lookups = (set: TransactionSet, guide: PartnerGuide | undefined) => lookupsFor(set, guide, find)
  for await (const event of receiveX12([body], { guides, lookups })) {
    if (event.kind === 'set') return toInbound(event, messageId)
  }
  throw new Refusal('edi.quarantined', `message ${messageId} holds no transaction set`, { messageId })
}
