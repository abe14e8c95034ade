/** A warehouse of a third party that speaks X12 alone: its guide, of which each test says what it exchanges, and its files. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PartnerGuide } from '#systems/edi/partner-guide.ts'

export const thirdPartyGuide = (more: Readonly<Record<string, unknown>>): PartnerGuide =>
  PartnerGuide.parse({
    partner: 'threepl',
    name: 'Third Party',
    owner: 'edi-desk',
    role: 'warehouse',
    company: 'NWF',
    location: 'DC1',
    currency: 'USD',
    theirs: { qualifier: 'ZZ', id: 'THREEPL', groupId: 'THREEPL' },
    ours: { qualifier: 'ZZ', id: 'US', groupId: 'US' },
    usage: 'P',
    sends: ['940'],
    items: [{ qualifier: 'VN', is: 'sku' }],
    ...more,
  })

type Enveloped = {
  /** Which of its files; its control number. */
  readonly nth: number
  readonly group: string
  /** When it was written, by its clock. */
  readonly day?: string
  readonly time?: string
}

/** Writes a file with one transaction set, and says where. */
export function thirdPartyFile(
  folder: string,
  { nth, group, day = '20261120', time = '0915' }: Enveloped,
  set: string,
): string {
  const control = String(nth).padStart(9, '0')
  const path = join(folder, `${control}.edi`)
  const isa = `ISA*00*          *00*          *ZZ*${'THREEPL'.padEnd(15)}*ZZ*${'US'.padEnd(15)}*${day.slice(2)}*${time.slice(0, 4)}*U*00401*${control}*0*P*>~`
  const gs = `GS*${group}*THREEPL*US*${day}*${time}*${nth}*X*004010~`
  writeFileSync(path, [isa, gs, set, `GE*1*${nth}~IEA*1*${control}~`].join(''))
  return path
}
