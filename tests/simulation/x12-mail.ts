/** Files between us and a warehouse that speaks X12: late, lost, twice or cut; each is sent until it is acknowledged. */
import { join } from 'node:path'
import { type SegmentData, writeInterchange } from '../../src/systems/edi/x12-writer.ts'
import type { PartnerGuide } from '../../src/systems/edi/partner-guide.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { FaultScript } from './fault-script.ts'
import type { MemoryFiles } from './memory-files.ts'
import { EDI_FOLDERS, elementOf, groupOf, type Heard, readFor } from './partners.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { timeAt } from './virtual-clock.ts'

const DAMAGED = `select from exceptions.exception where cause = $1 and closed_at is null`

export type MailType = '944' | '945' | '947' | '846' | '997'

export type MailParts = {
  readonly seed: string
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly outside: Actor
  readonly files: MemoryFiles
  readonly guide: PartnerGuide
  /** Into the database, as an action of its own. */
  readonly look: Query
  /** A request of ours has come. */
  readonly asked: (document: Heard) => void
}

/** X12 479. */
const FUNCTIONAL_IDS: Readonly<Record<MailType, string>> = {
  944: 'RE',
  945: 'SW',
  947: 'AW',
  846: 'IB',
  997: 'FA',
}
/** X12 715. */
export const REJECTED = 'R'
const LOOK_MS = 1_000
const AGAIN_MS = 9_000
const LATE_MS: [number, number] = [1_000, 6_000]
/** Whoever finds out that a file was cut sends the whole one under its name, and again where somebody asks for it. */
const MENDS_MS: [number, number] = [1_500, 6_000]
const SAME_SHARE = 0.5
/** The warehouse keeps the time of New York. */
const BEHIND_MS = 5 * 3_600_000

const UNACKNOWLEDGED = `
  select from edi.outbound where partner = $1 and control_number = $2 and acknowledgment = 'waiting'`

/** By the clock on its wall: an ISO date, and HHMMSS. */
export function onTheWall(ms: number): { readonly date: string; readonly time: string } {
  const local = timeAt(ms - BEHIND_MS).toISOString()
  return { date: local.slice(0, 10), time: local.slice(11, 19).replaceAll(':', '') }
}

export class X12Mail {
  /** Documents of ours. */
  readonly heard: Heard[] = []
  /** Control numbers of what has come to us whole, by type; and of what has come in part. */
  readonly arrived = new Map<string, MailType>()
  readonly cut = new Set<string>()
  /** Of counts of what is another's, which we do not take. */
  readonly notTaken = new Set<string>()
  readonly #parts: MailParts
  readonly #acknowledged = new Set<string>()
  #control = 0
  #files = 0
  #open = 0

  constructor(parts: MailParts) {
    this.#parts = parts
    this.#lookAgain()
  }

  /** What is on its way, lies in a folder, or waits for its acknowledgment. */
  open(): number {
    const { files, guide } = this.#parts
    const folders = [EDI_FOLDERS.inboxDirectory, join(EDI_FOLDERS.outboxDirectory, guide.partner)]
    return folders.reduce((sum, folder) => sum + files.below(folder).length, this.#open)
  }

  /** Until it is acknowledged: the same file again, or the same words under another control number. */
  say(type: MailType, segments: readonly SegmentData[], acknowledged = (): void => undefined): void {
    const { seed } = this.#parts
    const tried: { readonly control: string; readonly content: string }[] = []
    const again = (): void => {
      if (tried.some(({ control }) => this.#acknowledged.has(control))) return acknowledged()
      const repeats = tried.length > 0 && draw(seed, 'same file', tried[0]!.control) < SAME_SHARE
      if (!repeats || tried.length > 1) tried.push(this.#envelope(type, segments))
      else tried.push(tried[0]!)
      this.#send(type, tried.at(-1)!)
      this.#later(AGAIN_MS, again)
    }
    again()
  }

  #later(ms: number, run: () => unknown): void {
    const { scheduler, outside } = this.#parts
    this.#open++
    scheduler.after(ms, {
      actor: outside,
      label: 'mail of a warehouse',
      run: () => void Promise.resolve(run()).finally(() => this.#open--),
    })
  }

  #lookAgain(): void {
    const { scheduler, outside, files, guide } = this.#parts
    for (const path of files.below(join(EDI_FOLDERS.outboxDirectory, guide.partner)))
      this.#read(readFor(guide.partner, files.take(path)))
    scheduler.after(LOOK_MS, { actor: outside, label: 'warehouse looks', run: () => this.#lookAgain() })
  }

  /** Who died after he had written a file writes it again. */
  #read(document: Heard): void {
    const { faults, asked } = this.#parts
    if (this.heard.some(({ text }) => text === document.text)) return
    this.heard.push(document)
    if (document.type === '997') {
      const control = groupOf(document)
      const isLost = faults.strikes('file-lost', `997 of ${control}`)
      if (!isLost && elementOf(document, 'AK9', 1) !== REJECTED) this.#acknowledged.add(control)
      return
    }
    asked(document)
    this.#acknowledge(document)
  }

  /** Once, and again where we ask for it because we have not heard of it. */
  #acknowledge(document: Heard): void {
    const { look, guide } = this.#parts
    this.#send('997', this.#envelope('997', answerTo(document)))
    this.#later(AGAIN_MS, async () => {
      const waiting = await look(UNACKNOWLEDGED, [guide.partner, Number(document.control)])
      if (waiting.length > 0) this.#acknowledge(document)
    })
  }

  #send(type: MailType, { control, content }: { readonly control: string; readonly content: string }): void {
    const { seed, faults } = this.#parts
    const site = `${type} ${control}`
    const name = `warehouse-${++this.#files}.edi`
    const lateMs = (): number => drawInteger(seed, 'file-late', `warehouse ${name}`, LATE_MS)
    const arrive = (ms: number, path: string, text = content): void =>
      this.#later(ms, () => {
        if (text === content) this.arrived.set(control, type)
        else this.cut.add(control)
        this.#parts.files.put(join(EDI_FOLDERS.inboxDirectory, path), text)
      })
    if (faults.strikes('file-twice', site)) arrive(lateMs(), `again-${name}`)
    if (faults.strikes('file-lost', site)) return
    const ms = faults.strikes('file-late', site) ? lateMs() : 0
    if (!faults.strikes('file-cut', site)) return arrive(ms, name)
    arrive(ms, name, content.slice(0, drawInteger(seed, 'cut-at', name, [1, content.length - 1])))
    arrive(ms + drawInteger(seed, 'mended', name, MENDS_MS), name)
    this.#whileDamaged(name, () => arrive(0, name))
  }

  /** Who was stopped while he read the cut one may tell of it long after the whole one came. */
  #whileDamaged(name: string, send: () => void): void {
    const { scheduler, outside, look } = this.#parts
    const ask = async (): Promise<void> => {
      if ((await look(DAMAGED, [`edi.file_damaged:${name}`])).length > 0) send()
      this.#whileDamaged(name, send)
    }
    scheduler.after(AGAIN_MS, { actor: outside, label: 'warehouse is asked', run: () => void ask() })
  }

  #envelope(type: MailType, segments: readonly SegmentData[]) {
    const { scheduler, guide } = this.#parts
    const { theirs, ours, usage, version, delimiters } = guide
    const number = ++this.#control
    const { date, time } = onTheWall(scheduler.nowMs)
    const group = {
      functionalId: FUNCTIONAL_IDS[type],
      sender: theirs.groupId,
      receiver: ours.groupId,
      controlNumber: number,
      version,
      sets: [{ type, controlNumber: '0001', segments }],
    }
    const content = writeInterchange(
      {
        sender: { qualifier: theirs.qualifier, id: theirs.id },
        receiver: { qualifier: ours.qualifier, id: ours.id },
        date,
        time: time.slice(0, 4),
        controlNumber: number,
        usage,
        acknowledgmentRequested: false,
        groups: [group],
      },
      delimiters,
    )
    if (type === '846' && segments.some(([id]) => id === 'N1')) this.notTaken.add(String(number))
    return { control: String(number), content }
  }
}

const answerTo = (document: Heard): SegmentData[] => [
  ['AK1', elementOf(document, 'GS', 1), elementOf(document, 'GS', 6)],
  ['AK2', document.type, elementOf(document, 'ST', 2)],
  ['AK5', 'A'],
  ['AK9', 'A', '1', '1', '1'],
]
