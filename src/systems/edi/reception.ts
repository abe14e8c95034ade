/** Reads one file: each transaction set is told to the house and awaited, each group is answered by our 997. */
import { createHash } from 'node:crypto'
import type { ChannelInbound, ChannelMessage } from '#capabilities/channel-messages.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { isBusy, isOutage } from '#platform/outage.ts'
import { type Find, lookupsFor } from './crosswalk.ts'
import { buildAcknowledgment } from './documents/997.ts'
import type { Files } from './files.ts'
import { type Finding, finding } from './findings.ts'
import { messageIdOf, type ReceivedSet, toInbound } from './inbound.ts'
import type { Outbox } from './outbox.ts'
import type { PartnerGuides } from './partner-guide.ts'
import { type ReceivedEvent, receiveX12 } from './receive.ts'
import { warehouseMessages } from './warehouse-inbound.ts'
import { addInterchange, finishFile, startFile } from './store.ts'
import { X12_LIMITS } from './x12-limits.ts'
import type { Chunks } from './x12-reader.ts'

export type SetReport = { readonly messageId: string; readonly type: string; readonly outcome: string }

export type FileReport = {
  readonly name: string
  /** `known`: its content was read before; nothing was done. */
  readonly state: 'read' | 'rejected' | 'known'
  readonly interchanges: number
  readonly sets: readonly SetReport[]
  readonly findings: readonly Finding[]
}

export type ReceptionPorts = {
  readonly files: Files
  readonly database: Database
  readonly outbox: Outbox
  readonly guides: PartnerGuides
  readonly find: Find
  readonly maxFileBytes: number
  /** Decides on a message, in a transaction with what it causes. */
  readonly hear: (inbound: ChannelInbound) => Promise<string>
  /** In the transaction that ends the file: says what of it could not be used. */
  readonly report: (tx: Transaction, report: FileReport) => Promise<void>
  /** Keeps a message that could not be decided for a person, so that its neighbours go on. */
  readonly park: (inbound: ChannelInbound, error: unknown) => Promise<void>
  /** What a warehouse tells, by the partner that runs it; and what could not be decided of it. */
  readonly hearWarehouse: (partner: string, inbound: InboundMessage<WarehouseMessage>) => Promise<string>
  readonly parkWarehouse: (
    partner: string,
    inbound: InboundMessage<WarehouseMessage>,
    error: unknown,
  ) => Promise<void>
}

/** So many sets are under way at once; the file is read on when they are decided. */
const SETS_UNDER_WAY = 100
const FINDINGS_KEPT = 100

/** Reads a file to its end however often it is cut short: what was decided before is a duplicate then. */
export async function receiveFile(path: string, name: string, ports: ReceptionPorts): Promise<FileReport> {
  const { files } = ports
  const size = await files.bytesOf(path)
  if (size > ports.maxFileBytes) return refuseLarge(name, size, ports)
  const hash = await hashOf(files.read(path))
  const known = await startFile(ports.database, { hash, name, bytes: size })
  if (known.state !== 'reading') {
    const again: FileReport = { name, state: 'known', interchanges: 0, sets: [], findings: [] }
    if (!known.damaged) await ports.database.transaction((tx) => ports.report(tx, again))
    return again
  }
  const reading = new FileReading(hash, ports)
  await reading.take(files.read(path))
  const { interchanges, sets, findings } = reading
  const report: FileReport = {
    name,
    state: interchanges === 0 ? 'rejected' : 'read',
    interchanges,
    sets,
    findings,
  }
  await ports.database.transaction(async (tx) => {
    await ports.report(tx, report)
    finishFile(tx, hash, report)
  })
  return report
}

/** Nothing of it is read, not even to know it again. */
async function refuseLarge(
  name: string,
  size: number,
  { database, maxFileBytes, report }: ReceptionPorts,
): Promise<FileReport> {
  const why = finding('limit.file_size', { byte: 0, line: 1 }, `(${size} of at most ${maxFileBytes} bytes)`)
  const refused: FileReport = { name, state: 'rejected', interchanges: 0, sets: [], findings: [why] }
  await database.transaction((tx) => report(tx, refused))
  return refused
}

async function hashOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** A database that is away or busy stops the file, which is then read again; any other failure is the message's own. */
async function orParked(
  hear: () => Promise<string>,
  park: (error: unknown) => Promise<void>,
): Promise<string> {
  try {
    return await hear()
  } catch (error) {
    if (isOutage(error) || isBusy(error)) throw error
    await park(error)
    return 'parked'
  }
}

class FileReading {
  interchanges = 0
  readonly sets: SetReport[] = []
  readonly findings: Finding[] = []
  readonly #hash: string
  readonly #ports: ReceptionPorts
  readonly #ids = new Map<string, number>()
  #underWay: Promise<{ error: unknown } | undefined>[] = []

  constructor(hash: string, ports: ReceptionPorts) {
    this.#hash = hash
    this.#ports = ports
  }

  async take(chunks: Chunks): Promise<void> {
    const { guides, find, maxFileBytes } = this.#ports
    const limits = { ...X12_LIMITS, fileBytes: maxFileBytes }
    const lookups = (set: ReceivedSet['set'], guide: Parameters<typeof lookupsFor>[1]) =>
      lookupsFor(set, guide, find)
    for await (const event of receiveX12(chunks, { guides, lookups, limits })) await this.#take(event)
    await this.#allDecided()
  }

  async #take(event: ReceivedEvent): Promise<void> {
    switch (event.kind) {
      case 'interchange':
        return this.#begin(event)
      case 'set':
        this.#tell(event)
        if (this.#underWay.length >= SETS_UNDER_WAY) await this.#allDecided()
        return
      case 'group-end':
        await this.#allDecided()
        return this.#acknowledge(event)
      case 'finding':
        if (this.findings.length < FINDINGS_KEPT) this.findings.push(event.finding)
        return
      case 'interchange-end':
    }
  }

  async #begin({ interchange, guide }: Extract<ReceivedEvent, { kind: 'interchange' }>): Promise<void> {
    this.interchanges++
    this.#ids.clear()
    const { sender, controlNumber } = interchange
    await addInterchange(this.#ports.database, {
      sender: `${sender.qualifier}:${sender.id}`,
      controlNumber,
      hash: this.#hash,
      partner: guide?.partner,
    })
  }

  #tell(event: ReceivedSet): void {
    const id = messageIdOf(event, 0)
    const repeated = this.#ids.get(id) ?? 0
    this.#ids.set(id, repeated + 1)
    const inbound = toInbound(event, messageIdOf(event, repeated))
    const place =
      this.sets.push({ messageId: inbound.messageId, type: inbound.type, outcome: 'received' }) - 1
    this.#underWay.push(this.#settle(event, inbound, place))
  }

  /** Answers a failure instead of throwing it, since nobody waits for it yet. */
  async #settle(
    event: ReceivedSet,
    inbound: ChannelInbound,
    place: number,
  ): Promise<{ error: unknown } | undefined> {
    try {
      const heard = await this.#tellWarehouse(event)
      const told = heard ? { ...inbound, message: heard, unreadable: undefined } : inbound
      const outcome = await this.#decide(told)
      this.sets[place] = { ...this.sets[place]!, outcome }
      return undefined
    } catch (error) {
      return { error }
    }
  }

  /** What the warehouse tells by a set comes before the set itself, which says what became of it. */
  async #tellWarehouse(event: ReceivedSet): Promise<ChannelMessage | undefined> {
    const messages = warehouseMessages(event)
    if (messages.length === 0) return undefined
    const { partner } = event.reading.guide!
    const heard = await Promise.all(
      messages.map((inbound) =>
        orParked(
          () => this.#ports.hearWarehouse(partner, inbound),
          (error) => this.#ports.parkWarehouse(partner, inbound, error),
        ),
      ),
    )
    const counts = Object.fromEntries(
      [...Map.groupBy(heard, (each) => each)].map(([outcome, { length }]) => [outcome, length]),
    )
    return { type: 'remark', detail: { becomes: 'warehouse', ...counts } }
  }

  #decide(inbound: ChannelInbound): Promise<string> {
    return orParked(
      () => this.#ports.hear(inbound),
      (error) => this.#ports.park(inbound, error),
    )
  }

  async #allDecided(): Promise<void> {
    const failures = await Promise.all(this.#underWay)
    this.#underWay = []
    const failure = failures.find((each) => each !== undefined)
    if (failure) throw failure.error
  }

  /** The place in the file is the key: read again, the same group gets the same 997. */
  async #acknowledge({
    group,
    guide,
    acknowledgment,
  }: Extract<ReceivedEvent, { kind: 'group-end' }>): Promise<void> {
    if (!acknowledgment || !guide) return
    const key = `997/${this.#hash.slice(0, 32)}/${group.at.byte}`
    const segments = buildAcknowledgment(acknowledgment)
    const { database, outbox } = this.#ports
    await database.transaction((tx) => outbox.post(tx, [{ key, guide, type: '997', segments }]))
  }
}
