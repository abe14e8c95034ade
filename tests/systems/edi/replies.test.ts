/** The answers that are owed as soon as a message is decided, each by itself. */
import { expect, test } from 'vitest'
import type { ChannelDecision } from '#capabilities/channel-messages.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { toInbound } from '#systems/edi/inbound.ts'
import { type Draft } from '#systems/edi/outbox.ts'
import { indexGuides, type PartnerGuide } from '#systems/edi/partner-guide.ts'
import { receiveX12 } from '#systems/edi/receive.ts'
import { repliesOf, type Settled } from '#systems/edi/replies.ts'
import { DEFAULT_DELIMITERS, writeSegment } from '#systems/edi/x12-writer.ts'
import { fileText, guide, ORDER, setText } from './x12-text.ts'

/** None of these answers needs to be looked up. */
const NOTHING_STORED = undefined as unknown as Transaction

async function settledBy(
  segments: readonly string[],
  decision: Partial<ChannelDecision>,
  by: PartnerGuide = guide(),
): Promise<Settled> {
  const receiving = {
    guides: indexGuides([by]),
    lookups: () =>
      Promise.resolve({
        crosswalk: (_identity: string, value: string) => value,
        unitsOf: () => undefined,
      }),
  }
  for await (const event of receiveX12([fileText([setText(segments)])], receiving)) {
    if (event.kind !== 'set') continue
    const inbound = toInbound(event, 'ZZ:BUYER/7/7/0001')
    return { inbound, outcome: 'applied', guide: by, context: { reading: event.reading }, ...decision }
  }
  throw new Error('there is no set')
}

const check = ({ segments }: Draft): void => {
  for (const segment of segments) writeSegment(segment, DEFAULT_DELIMITERS)
}
const replies = (...settled: Settled[]) =>
  repliesOf(NOTHING_STORED, settled, { now: new Date('2026-11-18T09:00:00Z'), check })
const changed = (purpose: string, id = 'NWF-1001'): string[] =>
  ORDER.map((segment) => segment.replace('BEG*00', `BEG*${purpose}`).replace('NWF-1001', id))

test('an answer that cannot be written is named and keeps its neighbours from nothing', async () => {
  const held = await settledBy(changed('05'), { doc: 1 })
  const [line] =
    held.context.reading.outcome.kind === 'order' ? held.context.reading.outcome.document.lines : []
  const document = {
    ...documentOf(held),
    lines: [{ ...line!, productIds: [{ qualifier: 'VN', value: 'A*B' }] }],
  }
  const unwritable: Settled = withDocument(held, document)
  const { drafts, unwritten } = await replies(unwritable, held)
  expect(drafts).toHaveLength(1)
  expect(unwritten).toMatchObject([{ to: unwritable, refusal: { code: 'edi.delimiter_in_data' } }])
})

type Order = Extract<Settled['context']['reading']['outcome'], { kind: 'order' }>

const documentOf = ({ context }: Settled): Order['document'] => (context.reading.outcome as Order).document

const withDocument = (settled: Settled, document: Order['document']): Settled => ({
  ...settled,
  context: {
    reading: {
      ...settled.context.reading,
      outcome: { ...(settled.context.reading.outcome as Order), document },
    },
  },
})

test('an original that is taken is answered by its process, not at once', async () => {
  expect((await replies(await settledBy(ORDER, { doc: 1 }))).drafts).toEqual([])
})

test('a partner who takes no 855 gets none', async () => {
  const quiet = guide({ sends: ['856'] })
  const refusal = new Refusal('orders.unknown', 'it is not here')
  const settled = await settledBy(changed('01'), { outcome: 'parked', refusal }, quiet)
  expect(await replies(settled)).toEqual({ drafts: [], unwritten: [] })
})

test('what a person settles is answered only where the partner can do something about it', async () => {
  const told = async (code: string) => {
    const refusal = new Refusal(code, 'no')
    const { drafts } = await replies(await settledBy(ORDER, { outcome: 'parked', refusal }))
    return drafts.map(({ segments: [bak] }) => bak?.slice(0, 3).join('*'))
  }
  expect(await told('orders.same_number_other_content')).toEqual(['BAK*11*RD'])
  expect(await told('orders.customer_unknown')).toEqual([])
})
