/** The guide of a warehouse of a third party that speaks X12 alone; each test says what it exchanges. */
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
