/** EDI partners: each sends its orders as files, takes ours away, answers them, and remembers what it was told. */
import { join } from 'node:path'
import { demoGuides, toInterchange } from '../../src/demo-edi.ts'
import type { PartnerGuide } from '../../src/systems/edi/partner-guide.ts'
import { writeInterchange } from '../../src/systems/edi/x12-writer.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import type { FaultScript } from './fault-script.ts'
import type { MemoryFiles } from './memory-files.ts'
import type { Actor, Scheduler } from './scheduler.ts'

export const EDI_FOLDERS = {
  inboxDirectory: '/edi/inbox',
  outboxDirectory: '/edi/outbox',
  archiveDirectory: '/edi/archive',
  rejectDirectory: '/edi/reject',
} as const

/** A purchase order that was sent, however often. */
export type Sent = {
  readonly partner: string
  readonly control: string
  readonly poNumber: string
}

/** A document that we left for a partner. */
export type Heard = {
  readonly partner: string
  readonly control: string
  readonly type: string
  readonly text: string
  readonly segments: readonly (readonly string[])[]
}

export type Partners = {
  readonly sent: readonly Sent[]
  readonly heard: readonly Heard[]
  /** Whether the order goes by EDI now: its customer does it that way, and has not sent this number before. */
  takes(order: WorldOrder, place: number): boolean
  order(order: WorldOrder): void
  /** Nothing is on its way, lies in a folder, or waits for its acknowledgment. */
  isIdle(): boolean
}

type PartnerParts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly outside: Actor
  readonly files: MemoryFiles
}

const SHARE = 0.7
const LOOK_MS = 1_000
/** Whoever heard nothing of an order for so long sends it again. */
const AGAIN_MS = 9_000
const LATE_MS: [number, number] = [1_000, 6_000]
/** Control numbers of acknowledgments, beyond those of orders. */
const FIRST_ANSWER = 500_000

export function openPartners(parts: PartnerParts): Partners {
  const { seed, world, scheduler, faults, outside, files } = parts
  const guides = new Map(demoGuides(world).map((guide) => [guide.customer, guide]))
  const sent: Sent[] = []
  const heard: Heard[] = []
  let [drops, answers, underWay] = [0, 0, 0]
  const later = (ms: number, label: string, run: () => void): void =>
    void scheduler.after(ms, { actor: outside, label, run })

  const isAcknowledged = ({ partner, control }: Sent): boolean =>
    heard.some((one) => one.partner === partner && one.type === '997' && groupOf(one) === control)

  function arrive(content: string, afterMs: number): void {
    underWay++
    const path = join(EDI_FOLDERS.inboxDirectory, `${++drops}.edi`)
    later(afterMs, 'file', () => {
      underWay--
      files.put(path, content)
    })
  }

  function send(content: string, site: string): void {
    const lateMs = (): number => drawInteger(seed, 'file-late', `${site} ${drops}`, LATE_MS)
    if (faults.strikes('file-twice', site)) arrive(content, lateMs())
    if (faults.strikes('file-lost', site)) return
    arrive(content, faults.strikes('file-late', site) ? lateMs() : 0)
  }

  function sendUntilHeard(order: Sent, content: string): void {
    if (isAcknowledged(order)) return
    send(content, order.poNumber)
    later(AGAIN_MS, 'partner waits', () => sendUntilHeard(order, content))
  }

  function look(): void {
    for (const guide of guides.values()) {
      for (const path of files.below(join(EDI_FOLDERS.outboxDirectory, guide.partner))) {
        const document = readFor(guide.partner, files.take(path))
        // Who died after he had written a file writes it again.
        if (heard.some(({ text }) => text === document.text)) continue
        heard.push(document)
        if (document.type !== '997')
          send(answerTo(document, guide, FIRST_ANSWER + answers++), `${document.type} ${document.control}`)
      }
    }
    later(LOOK_MS, 'partner looks', look)
  }
  later(LOOK_MS, 'partner looks', look)

  return {
    sent,
    heard,
    takes: (order, place) =>
      order.door === 'edi' &&
      order.repeats === undefined &&
      !sent.some(({ poNumber }) => poNumber === order.poNumber) &&
      draw(seed, 'by-edi', place) < SHARE,
    order(order) {
      const guide = guides.get(order.customer)!
      const one = { partner: guide.partner, control: String(order.nth + 1), poNumber: order.poNumber }
      sent.push(one)
      sendUntilHeard(one, toInterchange(order, guide))
    },
    isIdle() {
      const { inboxDirectory, outboxDirectory } = EDI_FOLDERS
      const lying = files.below(inboxDirectory).length + files.below(outboxDirectory).length
      return underWay === 0 && lying === 0 && sent.every(isAcknowledged)
    },
  }
}

/** Read as a partner would who has never seen our code: the delimiters stand at fixed places of the ISA. */
export function readFor(partner: string, text: string): Heard {
  const [element, terminator] = [text[3]!, text[105]!]
  const segments = text
    .split(terminator)
    .map((segment) => segment.trim().split(element))
    .filter(([name]) => name !== '')
  const valueOf = (name: string, place: number): string =>
    segments.find(([first]) => first === name)?.[place] ?? ''
  return { partner, text, segments, control: valueOf('ISA', 13), type: valueOf('ST', 1) }
}

export const elementOf = ({ segments }: Heard, name: string, place: number): string =>
  segments.find(([first]) => first === name)?.[place] ?? ''

/** The control number of the group that a 997 answers. */
export const groupOf = (acknowledgment: Heard): string => elementOf(acknowledgment, 'AK1', 2)

function answerTo(
  document: Heard,
  { theirs, ours, usage, version, delimiters }: PartnerGuide,
  number: number,
): string {
  return writeInterchange(
    {
      sender: { qualifier: theirs.qualifier, id: theirs.id },
      receiver: { qualifier: ours.qualifier, id: ours.id },
      date: '2026-11-02',
      time: '0915',
      controlNumber: number,
      usage,
      acknowledgmentRequested: false,
      groups: [
        {
          functionalId: 'FA',
          sender: theirs.groupId,
          receiver: ours.groupId,
          controlNumber: number,
          version,
          sets: [
            {
              type: '997',
              controlNumber: '0001',
              segments: [
                ['AK1', elementOf(document, 'GS', 1), elementOf(document, 'GS', 6)],
                ['AK2', document.type, elementOf(document, 'ST', 2)],
                ['AK5', 'A'],
                ['AK9', 'A', '1', '1', '1'],
              ],
            },
          ],
        },
      ],
    },
    delimiters,
  )
}
