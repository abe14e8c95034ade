/** The words in which it is said how fresh sources of stock must be, and what holds while one is silent. */
import { z } from 'zod'
import type { Quantity } from '#platform/quantity.ts'

export const RULES = ['buffer', 'cap', 'zero', 'ask'] as const

/** What it tells by itself, and what is read of it. */
export const FLOWS = ['messages', 'readings'] as const
export type Flow = (typeof FLOWS)[number]

/** What is promised of places whose source is silent; quantities in base units. */
export type CarefulRule =
  /** Less by `least` and by what `factor` times the hours of silence would have sold. */
  | { readonly kind: 'buffer'; readonly least: Quantity; readonly factor: number }
  /** No more than that in all until it is heard again. */
  | { readonly kind: 'cap'; readonly quantity: Quantity }
  | { readonly kind: 'zero' }
  /** Nothing without a person who has looked. */
  | { readonly kind: 'ask' }

export type FreshnessRule = {
  readonly source: string
  readonly flow: Flow
  /** How long it may be silent. */
  readonly budgetMs: number
  readonly locations: readonly string[]
  readonly rule: CarefulRule
}

/** What a person set in place of the configuration. */
export type SetRule = Pick<FreshnessRule, 'budgetMs' | 'locations' | 'rule'>

export type SourceState = {
  readonly source: string
  readonly flow: Flow
  readonly doc: number
  readonly version: number
  readonly heardAt: Date
  readonly silentSince: Date | null
  readonly markedUntil: Date | null
}

/** With what people said of it. */
export type KnownSource = SourceState & {
  /** Of the last change by a person; 0 where there was none. */
  readonly ruleVersion: number
  readonly ruleSetAt: Date | null
  /** Null where the configuration holds. */
  readonly rule: SetRule | null
}

/** What the careful figure of an item at a location is reckoned from. */
export type CareFacts = {
  readonly location: string
  readonly perHour: Quantity
  /** Promised since its source fell silent. */
  readonly promised: Quantity
}

export const Careful = z
  .object({
    source: z.string(),
    flow: z.enum(FLOWS),
    rule: z.enum(RULES),
    since: z.iso.datetime().describe('When it had told nothing for too long'),
    heldBack: z.string().describe('How much less is promised for that; decimal as text'),
  })
  .describe('By which rule the figure is lower, while the source of the stock here is silent')
export type Careful = z.infer<typeof Careful>

/** A rule in the words of the configuration. */
export const RuleWords = z.object({
  rule: z.enum(RULES).describe('What holds at these locations while it is silent'),
  least: z
    .string()
    .optional()
    .describe('Of a buffer: at least so much less is promised; decimal as text, in base units'),
  factor: z
    .number()
    .optional()
    .describe('Of a buffer: besides, so many times what the hours of silence would have sold'),
  most: z
    .string()
    .optional()
    .describe('Of a cap: of an item at a place no more than that in all; decimal as text, in base units'),
})
export type RuleWords = z.infer<typeof RuleWords>

export const RuleOrigin = z
  .enum(['configured', 'set'])
  .describe('set: by a person, in place of what the configuration says')

export const HeardState = z
  .enum(['heard', 'silent', 'unknown'])
  .describe('silent: the rule holds now. unknown: nobody has heard of it yet')

export const Sources = z
  .object({
    items: z.array(
      z.object({
        source: z.string(),
        flow: z.enum(FLOWS),
        locations: z.array(z.string()),
        budgetSeconds: z.int(),
        ...RuleWords.shape,
        origin: RuleOrigin,
        heardAt: z.iso.datetime().optional(),
        ageSeconds: z.int().optional(),
        state: HeardState,
        silentSince: z.iso.datetime().optional(),
      }),
    ),
    openDoubts: z.int().describe('Promises made while a source was silent that are not checked yet'),
  })
  .meta({
    id: 'StockSources',
    description: 'How fresh what sources tell of stock is, and what holds otherwise.',
  })
export type Sources = z.infer<typeof Sources>
