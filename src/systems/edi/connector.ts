/** EDI as a channel: its partners' files become messages of the house, and its answers become files for them. */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import type { ChannelDoor, ChannelInbound } from '#capabilities/channel-messages.ts'
import type { Clock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import { ediOperations } from './answers.ts'
import { ediBooks, reportOverdue } from './books.ts'
import { checkFile, type FileCheck } from './check-file.ts'
import type { FindItems } from './crosswalk.ts'
import { openFolder } from './folder.ts'
import { createOutbox } from './outbox.ts'
import { loadPartnerGuides } from './partner-guide-files.ts'
import { indexGuides, type PartnerGuide } from './partner-guide.ts'
import { type FileReport, receiveFile } from './reception.ts'
import { watchFolder } from './watch.ts'

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
  readonly database: Database
  readonly clock: Clock
  /** Names this process among those that watch the same folder. */
  readonly reader: string
  readonly findItems: FindItems
  readonly openExceptions: OpenExceptions
  readonly onError: (error: unknown) => void
}

/** What takes the messages: bound late, since the house that hears needs this connector first. */
export type Listener = {
  hear(inbound: ChannelInbound): Promise<string>
  park(inbound: ChannelInbound, error: unknown): Promise<void>
}

export type EdiConnector = Connector & {
  readonly door: ChannelDoor
  /** By partner: whose orders come and go through this connector. */
  readonly partners: ReadonlyMap<string, PartnerGuide>
  /** Watches the inbox until stopped. */
  watch(listener: Listener): void
  /** Reads a file that somebody hands over; it stays where it is. */
  ingest(path: string, listener: Listener): Promise<FileReport>
  /** Says what would happen to a file and does none of it. */
  check(path: string): Promise<FileCheck>
  stop(): Promise<void>
}

/** Who posted a document writes it at once, unless he was killed. */
const FORGOTTEN_AFTER_MS = 5_000

/** A file names no company that could be trusted. */
const NO_COMPANY = '*'

export function createEdiConnector(options: EdiOptions): EdiConnector {
  const { instance, settings, database, clock, openExceptions, findItems } = options
  const index = indexGuides(loadPartnerGuides(settings.partnersDirectory))
  const partners = new Map(index.all.map((guide) => [guide.partner, guide]))
  const outbox = createOutbox({ directory: settings.outboxDirectory, database, clock, writer: options.reader })
  let stop = (): Promise<void> => Promise.resolve()

  const receive = async (path: string, name: string, listener: Listener): Promise<FileReport> => {
    const { maxFileBytes } = settings
    const report = await receiveFile(path, name, { database, outbox, guides: index, findItems, maxFileBytes, ...listener })
    await outbox.flush(0)
    return report
  }

  const damaged = async ({ name, state, findings }: FileReport): Promise<void> => {
    const [first] = findings.filter(({ severity }) => severity === 'error')
    await database.transaction((tx) =>
      openExceptions(tx, [
        {
          company: NO_COMPANY,
          cause: `edi.file_damaged:${name}`,
          code: 'edi.file_damaged',
          title: state === 'rejected' ? `${name} cannot be read at all` : `${name} is damaged and was read in part`,
          suggestedAction: 'Check the file, find out who sent it, and ask for a whole one.',
          facts: { file: name, finding: first?.message ?? 'there is no interchange in it', at: first?.at },
        },
      ]),
    )
  }

  return {
    instance,
    operations: ediOperations({ database, outbox, clock, guides: partners }),
    door: { instance, order: {}, ...ediBooks({ outbox, clock, openExceptions }) },
    partners,
    watch(listener) {
      const watch = watchFolder({
        folder: openFolder({ ...settings, clock, reader: options.reader }),
        clock,
        pollMs: settings.pollMs,
        read: ({ path, name }) => receive(path, name, listener),
        damaged,
        async rest() {
          await outbox.flush(FORGOTTEN_AFTER_MS)
          await database.transaction((tx) => reportOverdue(tx, { clock, openExceptions }, index.all))
        },
        onError: options.onError,
      })
      watch.start()
      stop = () => watch.stop()
    },
    async ingest(path, listener) {
      const report = await receive(path, basename(path), listener)
      if (report.state === 'rejected' || report.findings.some(({ severity }) => severity === 'error')) await damaged(report)
      return report
    },
    check: (path) => checkFile(createReadStream(path), index.all),
    stop: () => stop(),
  }
}
