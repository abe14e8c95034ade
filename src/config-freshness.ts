/** Settings of how fresh sources of stock must be, and what is promised of their places while one is silent. */
import { z } from 'zod'
import { FLOWS } from './domains/inventory/contract/freshness.ts'

const MINUTES_OF_A_WEEK = 10_080
const code = (meaning: string, example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"')
    .describe(meaning)
    .meta({ example })
const count = (meaning: string) => z.number().min(0).max(1_000_000_000).describe(meaning)

const FreshnessSetting = z
  .strictObject({
    source: code('The system, the EDI partner that runs a location, or the feed of files', 'wms-chicago'),
    flow: z.enum(FLOWS).describe('What it tells by itself, or what is read of it').default('messages'),
    minutes: z.number().gt(0).max(MINUTES_OF_A_WEEK).describe('How long it may be silent'),
    locations: z
      .array(code('A location', 'CHI-1'))
      .describe(
        'Where the rule holds; where its messages or files tell of, or the companies of an ERP sell from, when empty',
      )
      .default([]),
    rule: z
      .enum(['buffer', 'cap', 'zero', 'ask'])
      .describe(
        'buffer: less is promised, the longer the less. cap: no more than so many until it is heard. zero: nothing. ' +
          'ask: nothing without a person',
      ),
    least: count('Of a buffer: so much less at once, in base units').default(0),
    factor: count('Of a buffer: less by what so many times the hours of silence would have sold').default(1),
    most: count('Of a cap: so many in all of an item at a place, in base units').optional(),
  })
  .refine((set) => (set.rule === 'cap') === (set.most !== undefined), {
    path: ['most'],
    message: 'belongs to a cap, which needs it',
  })

export const Freshness = z
  .array(FreshnessSetting)
  .describe('How long sources of stock may be silent, and what is promised otherwise')
  .default([])

/** What of a configuration is about freshness, as far as it is read. */
type Configured = {
  readonly freshness: z.output<typeof Freshness>
  readonly systems: Readonly<Record<string, unknown>>
  readonly feeds: Readonly<Record<string, unknown>>
  readonly locations: readonly { readonly code: string; readonly wms?: string | undefined }[]
}

/** Rules are for systems, partners, feeds and locations that there are, and one for each source and flow. */
export function freshnessProblems({ freshness, systems, feeds, locations }: Configured) {
  const codes = new Set(locations.map((place) => place.code))
  const seen = new Set<string>()
  return freshness.flatMap(({ source, flow, locations: named }, at) => {
    const path = ['freshness', at]
    const problems: { path: (string | number)[]; message: string }[] = []
    const tells = source in feeds || locations.some(({ wms }) => wms === source)
    if (!(source in systems) && !tells)
      problems.push({
        path: [...path, 'source'],
        message: 'must be one of the systems or feeds, or run a location',
      })
    else if (!(source in systems) && flow === 'readings')
      problems.push({
        path: [...path, 'flow'],
        message: `must be "messages": nothing is read of ${source}, which tells by itself`,
      })
    if (seen.has(`${source} ${flow}`))
      problems.push({ path: [...path, 'flow'], message: 'must be said once for a source' })
    seen.add(`${source} ${flow}`)
    for (const [place, one] of named.entries()) {
      if (!codes.has(one))
        problems.push({ path: [...path, 'locations', place], message: 'must be one of the locations' })
    }
    return problems
  })
}
