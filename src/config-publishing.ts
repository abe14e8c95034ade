/** Settings of which channels are told what can be promised to them. */
import { z } from 'zod'

const code = (meaning: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"')
    .describe(meaning)

const Advised = z.strictObject({
  partner: code('An EDI partner whose guide sends the 846'),
  company: code('Whose stock it is told of'),
  channel: code('The channel whose figures it is told; one of channels'),
  minutes: z.number().gt(0).max(10_080).describe('How often at most').default(60),
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
  })
  .refine(({ channels, partners }) => partners.every(({ channel }) => channels.includes(channel)), {
    path: ['partners'],
    message: 'names a channel that is not among channels',
  })
  .prefault({})
  .describe('Telling channels what can be promised to them')
