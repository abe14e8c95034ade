/** A house with EDI: folders of its own, the guides of the world's partners, and what lies in a partner's outbox. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import { type OutboundType } from '#systems/edi/outbox.ts'
import type { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { readX12 } from '#systems/edi/x12-reader.ts'
import type { TransactionSet } from '#systems/edi/x12-envelopes.ts'
import { demoGuides, partnerOf } from '../../src/demo-edi.ts'
import { fleetingPlace } from './fleeting-place.ts'

export type EdiFolders = {
  readonly root: string
  readonly config: Readonly<
    Record<`${'inbox' | 'outbox' | 'archive' | 'reject' | 'partners'}Directory`, string>
  > & {
    readonly enabled: true
    readonly pollMs: number
  }
  remove(): void
}

export function ediFolders(guides: readonly PartnerGuide[]): EdiFolders {
  const root = mkdtempSync(join(fleetingPlace(), 'crossdock-edi-'))
  const folder = (name: string): string => join(root, name)
  const partners = mkdtempSync(folder('partners-'))
  for (const guide of guides) writeFileSync(join(partners, `${guide.partner}.json`), JSON.stringify(guide))
  return {
    root,
    config: {
      enabled: true,
      inboxDirectory: folder('inbox'),
      outboxDirectory: folder('outbox'),
      archiveDirectory: folder('archive'),
      rejectDirectory: folder('reject'),
      partnersDirectory: partners,
      pollMs: 20,
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

export const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

export type Sent = {
  readonly type: string
  readonly group: string
  readonly control: string
  readonly set: TransactionSet
  readonly component: string
}

/** What a partner finds in its folder, of one type or of all, in the order of control numbers. */
export async function sentTo(folders: EdiFolders, partner: string, type?: OutboundType): Promise<Sent[]> {
  const folder = join(folders.config.outboxDirectory, partner)
  const sent: Sent[] = []
  for (const name of namesIn(folder).filter((each) => !each.startsWith('.'))) {
    for await (const event of readX12([readFileSync(join(folder, name))])) {
      if (event.kind === 'finding' && event.finding.severity !== 'note')
        throw new Error(`${name}: ${event.finding.message}`)
      if (event.kind !== 'set' || (type !== undefined && event.set.type !== type)) continue
      const { interchange, group, set } = event
      const { component } = interchange.delimiters
      sent.push({
        type: set.type,
        group: group?.functionalId ?? '',
        control: interchange.controlNumber,
        set,
        component,
      })
    }
  }
  return sent.sort((a, b) => (a.control < b.control ? -1 : 1))
}

export const guideOf = (world: World, order: WorldOrder): PartnerGuide => {
  const customer = world.customers.find(({ number }) => number === order.customer)!
  return demoGuides(world).find(({ partner }) => partner === partnerOf(customer))!
}
