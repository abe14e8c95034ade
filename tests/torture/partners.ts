/** EDI partners: each leaves its purchase orders as files where the programs watch, and reads what is left for it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import { elementOf, groupOf, type Heard, readFor, type Sent } from '#tests/simulation/partners.ts'
import { demoGuides, dropFile, partnerOf, toInterchange, writeDemoGuides } from '../../src/demo-edi.ts'
import type { Hear, Teller } from './client.ts'
import { keyOf, subjectOf } from './world.ts'

export type Partners = Teller & {
  readonly sent: readonly Sent[]
  readonly heard: readonly Heard[]
  /** Business documents of which no line is taken, as our answer says. */
  refused(): string[]
  end(): void
}

type PurchaseOrder = Sent & Pick<WorldOrder, 'nth'> & { readonly subject: string }

const LOOK_MS = 500

export const ediIn = (folder: string) => ({
  enabled: true as const,
  inboxDirectory: join(folder, 'inbox'),
  outboxDirectory: join(folder, 'outbox'),
  archiveDirectory: join(folder, 'archive'),
  rejectDirectory: join(folder, 'reject'),
  partnersDirectory: join(folder, 'partners'),
})

export function openPartners(world: World, folder: string): Partners {
  const { inboxDirectory, outboxDirectory, partnersDirectory } = ediIn(folder)
  const guides = new Map(demoGuides(world).map((guide) => [guide.partner, guide]))
  const sent: PurchaseOrder[] = []
  const heard: Heard[] = []
  const read = new Set<string>()
  let tell: Hear = () => undefined
  writeDemoGuides(world, partnersDirectory)

  const entryOf = (order: PurchaseOrder) =>
    ({ call: order.nth, operation: 'tell', key: keyOf(order), subject: order.subject }) as const

  function hear(document: Heard): void {
    heard.push(document)
    if (document.type !== '997') return
    const order = sent.find(
      ({ partner, control }) => partner === document.partner && control === groupOf(document),
    )
    if (order) tell({ ...entryOf(order), kind: elementOf(document, 'AK9', 1) === 'A' ? 'ok' : 'fail' })
  }

  function look(): void {
    for (const partner of guides.keys()) {
      const names = namesIn(join(outboxDirectory, partner))
      for (const path of names.map((name) => join(outboxDirectory, partner, name))) {
        if (read.has(path)) continue
        read.add(path)
        hear(readFor(partner, readFileSync(path, 'utf8')))
      }
    }
  }

  const looking = setInterval(look, LOOK_MS)
  return {
    sent,
    heard,
    onTold: (told) => void (tell = told),
    place(nth) {
      const order = world.orders(1, nth)[0]!
      const partner = partnerOf({ number: order.customer })
      const { poNumber } = order
      const purchase = { partner, control: String(nth + 1), poNumber, nth, subject: subjectOf(order) }
      sent.push(purchase)
      tell({ ...entryOf(purchase), kind: 'invoke' })
      dropFile(inboxDirectory, `${nth}.edi`, toInterchange(order, guides.get(partner)!))
    },
    refused() {
      const rejected = new Set(heard.filter(isRejection).map(purchaseOf))
      return sent
        .filter((order) => rejected.has(`${order.partner} ${order.poNumber}`))
        .map((order) => order.subject)
    },
    end: () => clearInterval(looking),
  }
}

const isRejection = (document: Heard): boolean =>
  document.type === '855' && elementOf(document, 'BAK', 2) === 'RD'
const purchaseOf = (answer: Heard): string => `${answer.partner} ${elementOf(answer, 'BAK', 3)}`

/** Whole files alone; a folder is there once there is something in it. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
