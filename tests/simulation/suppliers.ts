/** Suppliers who answer purchase orders and tell what is under way by EDI, and change their minds. */
import { join } from 'node:path'
import { mkdirSync, writeFileSync } from 'node:fs'
import { PartnerGuide } from '../../src/systems/edi/partner-guide.ts'
import { type SegmentData, writeInterchange } from '../../src/systems/edi/x12-writer.ts'
import { draw, drawInteger } from '#landscape/random.ts'
import { type CompanyCode, purchaseOrderOf, type Receipt, type World } from '#landscape/world/world.ts'
import type { WholeDay } from './day.ts'
import type { FaultScript } from './fault-script.ts'
import type { MemoryFiles } from './memory-files.ts'
import { EDI_FOLDERS, groupOf, readFor } from './partners.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { BEGIN } from './virtual-clock.ts'

/** So many of a line on a day; null: nobody knows when. */
export type Part = { readonly quantity: number; readonly day: string | null }

/** What the supplier said last of a line, or of a notice. */
export type Answer = { readonly parts: readonly Part[]; readonly refused: number }
export type Notice = Part & { readonly number: string }

export type Suppliers = {
  /** By purchase order, and by the number of the notice. */
  readonly answers: ReadonlyMap<string, Answer>
  readonly notices: ReadonlyMap<string, Notice>
  /** All that they said is acknowledged. */
  isIdle(): boolean
}

type SupplierParts = {
  readonly seed: string
  readonly world: World
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly outside: Actor
  readonly files: MemoryFiles
  readonly day: WholeDay
}

/** As the ERPs of the landscape call whom they buy from. */
const SUPPLIER = 'V10001'
const COMPANIES = ['NWF', 'NWI'] as const
const partnerOf = (company: CompanyCode): string => `supplier-${company.toLowerCase()}`
const idOf = (company: CompanyCode): string => `GROWER${company}`

const guideOf = (company: CompanyCode): PartnerGuide =>
  PartnerGuide.parse({
    partner: partnerOf(company),
    name: `Grower of ${company}`,
    role: 'supplier',
    company,
    supplier: SUPPLIER,
    currency: company === 'NWF' ? 'USD' : 'EUR',
    theirs: { qualifier: 'ZZ', id: idOf(company), groupId: idOf(company) },
    ours: { qualifier: 'ZZ', id: `BUYER${company}`, groupId: `BUYER${company}` },
    usage: 'P',
    receives: ['855', '856', '997'],
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
  })

export function writeSupplierGuides(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const company of COMPANIES)
    writeFileSync(join(folder, `${partnerOf(company)}.json`), JSON.stringify(guideOf(company)))
}

const LOOK_MS = 1_000
const AGAIN_MS = 9_000
const LATE_MS: [number, number] = [1_000, 6_000]
const SPEAKS_FROM_MS = 200
const TIMES: [number, number] = [0, 2]
const DAYS: [number, number] = [0, 40]
const NOTICE_SHARE = 0.5
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

export const dayAhead = (days: number): string =>
  new Date(BEGIN.getTime() + days * DAY_MS).toISOString().slice(0, 10)

type Said = { readonly company: CompanyCode; readonly control: number }
type Words = { readonly type: '855' | '856'; readonly segments: readonly SegmentData[] }

export function openSuppliers(parts: SupplierParts): Suppliers {
  const work = new SupplierWork(parts)
  for (const receipt of parts.world.receipts) work.follow(receipt)
  work.look()
  return work
}

class SupplierWork implements Suppliers {
  readonly answers = new Map<string, Answer>()
  readonly notices = new Map<string, Notice>()
  readonly #parts: SupplierParts
  readonly #said: Said[] = []
  readonly #acknowledged = new Set<string>()
  #drops = 0
  #underWay = 0

  constructor(parts: SupplierParts) {
    this.#parts = parts
  }

  isIdle = (): boolean => this.#underWay === 0 && this.#said.every((said) => this.#isAcknowledged(said))

  /** Some answers to the line, each in place of the one before, and perhaps a notice that is corrected. */
  follow(receipt: Receipt): void {
    const { seed } = this.#parts
    const { id } = receipt
    const times = drawInteger(seed, 'answers', id, TIMES)
    for (let nth = 0; nth < times; nth++)
      this.#later(this.#sometime('answers-at', `${id} ${nth}`), 'supplier answers', () =>
        this.#answer(receipt, `${id} ${nth}`),
      )
    if (draw(seed, 'notice', id) >= NOTICE_SHARE) return
    for (const site of [`${id} first`, `${id} corrected`].slice(
      0,
      1 + Number(draw(seed, 'corrects', id) < 0.5),
    ))
      this.#later(this.#sometime('notice-at', site), 'supplier ships', () => this.#ship(receipt, site))
  }

  /** Before faults end. */
  #sometime(what: string, site: string): number {
    const { seed, day } = this.#parts
    return drawInteger(seed, what, site, [SPEAKS_FROM_MS, day.peaceAfterMs])
  }

  #later(ms: number, label: string, run: () => void): void {
    this.#underWay++
    this.#parts.scheduler.after(ms, {
      actor: this.#parts.outside,
      label,
      run: () => {
        this.#underWay--
        run()
      },
    })
  }

  #answer(receipt: Receipt, site: string): void {
    const { seed } = this.#parts
    const { item, quantity } = receipt
    const { number, line } = purchaseOrderOf(receipt)
    const day = dayAhead(drawInteger(seed, 'answer-day', site, DAYS))
    const first = Math.floor(quantity * draw(seed, 'answer-part', site))
    const rest = quantity - first
    const answers: readonly Answer[] = [
      { parts: [{ quantity, day }], refused: 0 },
      {
        parts: [
          { quantity: first, day },
          { quantity: rest, day: null },
        ],
        refused: 0,
      },
      { parts: [{ quantity: first, day }], refused: rest },
      { parts: [], refused: quantity },
    ]
    const said = answers[first === 0 ? 0 : Math.floor(draw(seed, 'answer', site) * answers.length)]!
    this.answers.set(number, said)
    const unit = unitOf(this.#parts.world, item)
    const acks = [
      ...said.parts.map(({ quantity: much, day: on }): SegmentData =>
        on === null
          ? ['ACK', 'IB', String(much), unit]
          : ['ACK', 'IA', String(much), unit, '067', on.replaceAll('-', '')],
      ),
      ...(said.refused > 0 ? [['ACK', 'IR', String(said.refused), unit] as const] : []),
    ]
    this.#say(receipt.company, {
      type: '855',
      segments: [
        ['BAK', '00', 'AC', number, '20261102'],
        ['PO1', String(line), String(quantity), unit, '', '', 'VN', item],
        ...acks,
        ['CTT', '1'],
      ],
    })
  }

  #ship(receipt: Receipt, site: string): void {
    const { seed, world } = this.#parts
    const { number, line } = purchaseOrderOf(receipt)
    const quantity = 1 + Math.floor(receipt.quantity * draw(seed, 'ships', site) * 0.9)
    const day = dayAhead(drawInteger(seed, 'arrives-on', site, DAYS))
    const notice = `N-${receipt.id}`
    this.notices.set(notice, { number, quantity, day })
    this.#say(receipt.company, {
      type: '856',
      segments: [
        ['BSN', '00', notice, '20261102', '0915', '0001'],
        ['HL', '1', '', 'S', '1'],
        ['DTM', '017', day.replaceAll('-', '')],
        ['HL', '2', '1', 'O', '1'],
        ['PRF', number],
        ['HL', '3', '2', 'I', '0'],
        ['LIN', String(line), 'VN', receipt.item],
        ['SN1', '', String(quantity), unitOf(world, receipt.item)],
        ['CTT', '3'],
      ],
    })
  }

  /** Until it is acknowledged; each document is of a minute of its own. */
  #say(company: CompanyCode, words: Words): void {
    const said = { company, control: this.#said.length + 1 }
    this.#said.push(said)
    const content = interchangeOf(said, words)
    const again = (): void => {
      if (this.#isAcknowledged(said)) return
      this.#send(content, `${words.type} ${said.control}`)
      this.#parts.scheduler.after(AGAIN_MS, {
        actor: this.#parts.outside,
        label: 'supplier waits',
        run: again,
      })
    }
    again()
  }

  #send(content: string, site: string): void {
    const { seed, faults } = this.#parts
    const lateMs = (): number => drawInteger(seed, 'file-late', `${site} ${this.#drops}`, LATE_MS)
    if (faults.strikes('file-twice', site)) this.#arrive(content, lateMs())
    if (faults.strikes('file-lost', site)) return
    this.#arrive(content, faults.strikes('file-late', site) ? lateMs() : 0)
  }

  #arrive(content: string, afterMs: number): void {
    const path = join(EDI_FOLDERS.inboxDirectory, `supplier-${++this.#drops}.edi`)
    this.#later(afterMs, 'file', () => this.#parts.files.put(path, content))
  }

  #isAcknowledged = ({ company, control }: Said): boolean => this.#acknowledged.has(`${company} ${control}`)

  look(): void {
    const { files, scheduler, outside } = this.#parts
    for (const company of COMPANIES) {
      for (const path of files.below(join(EDI_FOLDERS.outboxDirectory, partnerOf(company)))) {
        const document = readFor(partnerOf(company), files.take(path))
        this.#acknowledged.add(`${company} ${groupOf(document)}`)
      }
    }
    scheduler.after(LOOK_MS, { actor: outside, label: 'supplier looks', run: () => this.look() })
  }
}

const unitOf = (world: World, item: string): string =>
  world.items.find(({ number }) => number === item)!.baseUnit

function interchangeOf({ company, control }: Said, { type, segments }: Words): string {
  const { theirs, ours, usage, version, delimiters } = guideOf(company)
  const [date, time] = new Date(BEGIN.getTime() + control * MINUTE_MS).toISOString().split('T')
  return writeInterchange(
    {
      sender: { qualifier: theirs.qualifier, id: theirs.id },
      receiver: { qualifier: ours.qualifier, id: ours.id },
      date: date!,
      time: time!.slice(0, 5).replace(':', ''),
      controlNumber: control,
      usage,
      acknowledgmentRequested: false,
      groups: [
        {
          functionalId: type === '855' ? 'PR' : 'SH',
          sender: theirs.groupId,
          receiver: ours.groupId,
          controlNumber: control,
          version,
          sets: [{ type, controlNumber: '0001', segments }],
        },
      ],
    },
    delimiters,
  )
}
