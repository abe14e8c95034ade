/** Settings of which channels are told what can be promised to them. */
import { z } from 'zod'

const code = (meaning: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"')
    .describe(meaning)

/** Of the systems the one that takes levels of stock. */
const SHOP_CONNECTOR = 'shop-hosted'

const Advised = z.strictObject({
  partner: code('An EDI partner whose guide sends the 846'),
  company: code('Whose stock it is told of'),
  channel: code('The channel whose figures it is told; one of channels'),
  minutes: z.number().gt(0).max(10_080).describe('How often at most').default(60),
})

const Shop = z.strictObject({
  system: code('The shop, by its name in systems'),
  company: code('Whose stock it is told of'),
  channel: code('The channel whose figures it is told; one of channels'),
})

const FeedFile = z.strictObject({
  name: code('Begins the names of its files'),
  company: code('Whose stock it tells of'),
  channel: code('The channel whose figures it tells; one of channels'),
  directory: z
    .string()
    .min(1)
    .meta({ description: 'Folder in which the files are left', examples: ['/srv/feeds/shop'], path: true }),
  format: z.enum(['csv', 'jsonl']).describe('CSV, or a JSON object a line').default('csv'),
  minutes: z.number().gt(0).max(10_080).describe('There is a new one at the latest after').default(60),
  seconds: z
    .number()
    .gt(0)
    .max(86_400)
    .describe('After a change there is one at the soonest after')
    .default(1),
  keep: z.int().min(1).max(10_000).describe('So many are kept, the newest').default(24),
})

export const Publishing = z
  .strictObject({
    channels: z
      .array(code('A channel'))
      .max(20)
      .describe('Channels for which an event tells each change of what can be promised of an item')
      .meta({ example: ['shop'] })
      .default([]),
    partners: z
      .array(Advised)
      .max(200)
      .describe('Partners that are left an inventory advice, 846, of what has changed')
      .default([]),
    shops: z
      .array(Shop)
      .max(50)
      .describe('Shops whose API is told each change, and everything once a day')
      .default([]),
    files: z.array(FeedFile).max(100).describe('Feed files of all items').default([]),
  })
  .prefault({})
  .describe('Telling channels what can be promised to them')

type Configured = {
  readonly publishing: z.output<typeof Publishing>
  readonly systems: Readonly<Record<string, { readonly connector: string }>>
  readonly companies: readonly { readonly code: string }[]
}
type Found = { readonly path: (string | number)[]; readonly message: string }

/** Who is told is there, is told of a channel that is reckoned, and is told of a company by one entry. */
export function publishingProblems({ publishing, systems, companies }: Configured): Found[] {
  const { channels, partners, shops, files } = publishing
  const codes = companies.map((company) => company.code)
  const audience = (list: string) => (entry: { company: string; channel: string }, at: number) => {
    const path = ['publishing', list, at]
    const strange = `"${entry.channel}" is not among publishing.channels: ${channels.join(', ') || 'none'}`
    return [
      ...(codes.includes(entry.company)
        ? []
        : [{ path: [...path, 'company'], message: `names "${entry.company}", which is not configured` }]),
      ...(channels.includes(entry.channel) ? [] : [{ path: [...path, 'channel'], message: strange }]),
    ]
  }
  return [
    ...partners.flatMap(audience('partners')),
    ...shops.flatMap(audience('shops')),
    ...files.flatMap(audience('files')),
    ...files.flatMap(({ name }, at): Found[] =>
      files.findIndex((one) => one.name === name) < at
        ? [{ path: ['publishing', 'files', at, 'name'], message: `"${name}" is given twice` }]
        : [],
    ),
    ...shops.flatMap(({ system, company }, at): Found[] => {
      const path = ['publishing', 'shops', at, 'system']
      const connector = systems[system]?.connector
      if (connector === undefined) return [{ path, message: `names "${system}", which is not configured` }]
      if (connector !== SHOP_CONNECTOR)
        return [{ path, message: `names "${system}", which is no shop but ${connector}` }]
      const isTwice = shops.findIndex((one) => one.system === system && one.company === company) < at
      return isTwice ? [{ path, message: `tells ${system} of ${company} a second time` }] : []
    }),
  ]
}
