/** The HTTP door of who waits for stock. */
import { z } from 'zod'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { WaitingItem, WaitingQueue } from '../contract/waiting.ts'

export type WaitingAsked = {
  readonly company: string
  readonly queue?: WaitingQueue | undefined
  /** The item behind which the page begins. */
  readonly after: number
  readonly items: number
}

export type WaitingPorts = {
  readonly pages: Pages
  readonly companies: () => readonly string[]
  /** Of so many items; `last` is the one behind which there may be more. */
  readonly read: (asked: WaitingAsked) => Promise<{ items: WaitingItem[]; last: number | undefined }>
}

const Listed = PageQuery.extend({ company: z.string().min(1).max(12), queue: WaitingQueue.optional() })

export const waitingRoutes = (ports: WaitingPorts): Route[] => [
  route({
    method: 'GET',
    path: '/process/inventory/v1/waiting',
    operationId: 'waiting.list',
    summary: 'Who waits for stock: how much, worth what, since when, until when',
    description:
      'By item and queue. The queue "unfillable" has what no supply reaches. A page is of so many items; with a queue ' +
      'it may be empty and have a next one.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page of items', body: pageOf(WaitingItem) } },
    refusals: ['http.cursor_invalid', 'inventory.company_unknown'],
    example: { query: { company: 'NWF', queue: 'unfillable', limit: 50 }, answer: { items: [EXAMPLE] } },
    async handler(request) {
      const { company, queue, limit } = request.query
      if (!ports.companies().includes(company)) {
        const message = `there is no company ${company}; there are ${ports.companies().join(', ')}`
        throw new Refusal('inventory.company_unknown', message, {}, '/query/company')
      }
      const [after = 0] = ports.pages.after(request) ?? []
      const { items, last } = await ports.read({ company, queue, after: Number(after), items: limit })
      return ports.pages.answer(request, items, last === undefined ? undefined : [last])
    },
  }),
]

const EXAMPLE = {
  company: 'NWF',
  sku: '10012',
  queue: 'unfillable',
  lines: 3,
  orders: 2,
  quantity: '144',
  unit: 'EA',
  value: [{ amount: '298.80', currency: 'USD' }],
  since: '2026-11-18T10:02:11.000Z',
  ageSeconds: 253_669,
  slipped: 1,
  shelfLife: 0,
} satisfies z.input<typeof WaitingItem>
