/** The first page: the list of orders, one order's story, the search that leads there, and the stream that keeps them live. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { type Route, route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import { html, type Html } from '#platform/http-html.ts'
import { headersOf, isPartners } from '#domains/orders/views.ts'
import type { OrderCursor } from '#domains/orders/views/lists.ts'
import { orderNumber, parseNumber } from '#processes/ports.ts'
import { findOrders } from '#processes/story.ts'
import type { Summary } from '#processes/summary.ts'
import { layout, STYLES } from './layout.ts'
import { PAGE, readRows } from './list.ts'
import { addressOf, listPage } from './list-page.ts'
import { readStory } from './story.ts'
import { storyPage } from './story-page.ts'
import { follow } from './stream.ts'

export type TowerPorts = {
  readonly queries: Queries
  readonly clock: Clock
  readonly pages: Pages
  readonly companies: readonly string[]
  readonly summary: () => Promise<Summary>
}

const READ = 'experience.control-tower:read'
const PAGE_HEADERS = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
const common = { method: 'GET', scope: READ, rateClass: 'page', bodyLimitBytes: 0, page: true } as const
const HTML = 'text/html'

export function controlTowerRoutes(ports: TowerPorts): Route[] {
  return [
    listRoute(ports),
    storyRoute(ports),
    findRoute(ports),
    streamRoute(ports),
    ...STYLES.map((file) => asset(file, 'text/css')),
    asset('tower.js', 'text/javascript'),
    asset('tower.svg', 'image/svg+xml'),
  ]
}

const Filter = z.object({
  state: z.enum(['', 'open', 'held', 'closed']).default(''),
  company: z.string().max(12).default(''),
  text: z.string().max(80).default(''),
  cursor: z.string().max(1_000).optional(),
})

const listRoute = ({ queries, clock, pages, companies, summary }: TowerPorts): Route =>
  route({
    ...common,
    path: '/',
    operationId: 'control-tower.orders',
    summary: 'The orders as a page',
    query: Filter,
    answers: { 200: { description: 'The page', contentType: HTML } },
    async handler({ path, principal, query }) {
      const { cursor, ...chosen } = query
      const listing = { path, principal, query: { ...query, limit: PAGE } }
      const after = pages.after(listing)
      const filter = {
        state: chosen.state || undefined,
        company: chosen.company || undefined,
        text: chosen.text || undefined,
        partner: principal.partner,
      }
      const [{ rows, next }, figures] = await Promise.all([
        readRows(queries, filter, cursorOf(after)),
        // How the whole house fares is not a partner's to know.
        principal.partner === undefined ? summary() : undefined,
      ])
      const { body } = pages.answer(listing, [], next && [next.createdAt, next.id])
      const older = body.nextCursor === undefined ? undefined : addressOf(chosen, body.nextCursor)
      const main = listPage({
        rows,
        summary: figures,
        companies,
        chosen,
        older,
        paged: cursor !== undefined,
        now: clock.now(),
      })
      return { status: 200, headers: PAGE_HEADERS, content: layout({ title: 'Orders', kind: 'list', main }) }
    },
  })

const cursorOf = (position: readonly (string | number)[] | undefined): OrderCursor | undefined =>
  position && { createdAt: String(position[0]), id: Number(position[1]) }

const AnyNumber = z.string().min(1).max(80)

const StoryId = z.object({ id: AnyNumber })

const storyRoute = ({ queries }: TowerPorts): Route =>
  route({
    ...common,
    path: '/orders/:id',
    operationId: 'control-tower.story',
    summary: "One order's story as a page",
    params: StoryId,
    answers: {
      200: { description: 'The page', contentType: HTML },
      404: { description: 'No such order, with a search', contentType: HTML },
    },
    async handler({ params: { id }, principal }) {
      const doc = parseNumber(id, 'O')
      const page = doc === undefined ? undefined : await readStory(queries, doc, principal.partner)
      if (!page) return notFound(id)
      const content = layout({ title: id, kind: 'story', order: id, main: storyPage(page) })
      return { status: 200, headers: PAGE_HEADERS, content }
    },
  })

const Search = z.object({ number: AnyNumber })

const findRoute = ({ queries }: TowerPorts): Route =>
  route({
    ...common,
    path: '/find',
    operationId: 'control-tower.find',
    summary: 'Leads from any number to its order',
    query: Search,
    answers: {
      303: { description: 'To the order, or to the list of those that share the number' },
      404: { description: 'Nobody knows the number', contentType: HTML },
    },
    async handler({ query, principal }) {
      const number = query.number.trim()
      const docs = await findOrders(queries, number)
      const visible = (await headersOf(queries, docs)).filter((order) => isPartners(order, principal.partner))
      const [first, second] = visible
      if (!first) return notFound(number)
      const location = second
        ? addressOf({ state: '', company: '', text: number })
        : `/orders/${orderNumber(first.doc)}`
      return { status: 303, headers: { location } }
    },
  })

function notFound(number: string) {
  const main: Html = html`<div class="empty">
    <h1>No order is known as ${number}</h1>
    <p>
      Search takes whole numbers: ours (O-, F-, S-, I-, P-), the purchase order, the ERP order, an invoice, a
      package or a tracking number.
    </p>
    <p><a href="/">All orders</a></p>
  </div>`
  const content = layout({ title: 'Not found', kind: 'plain', searched: number, main })
  return { status: 404 as const, headers: PAGE_HEADERS, content }
}

const streamRoute = ({ queries, clock }: TowerPorts): Route =>
  route({
    method: 'GET',
    path: '/experience/control-tower/v1/stream',
    operationId: 'control-tower.stream',
    summary: 'What changes, as it changes',
    description:
      'Server-sent events. "change" names the orders that changed in the last half second, or says that they are many; ' +
      '"tick" comes when nothing did. Send the id of the last event as Last-Event-ID to go on exactly behind it.',
    scope: READ,
    rateClass: 'page',
    bodyLimitBytes: 0,
    answers: { 200: { description: 'The stream', contentType: 'text/event-stream' } },
    handler: ({ principal, lastEventId, signal }) => ({
      status: 200,
      events: follow({ queries, clock, partner: principal.partner, lastEventId, signal }),
    }),
  })

/** A file beside this one, read once; a browser asks again each time and is told when nothing changed. */
function asset(file: string, contentType: string): Route {
  const content = readFileSync(join(import.meta.dirname, 'browser', file))
  const headers = {
    'content-type': `${contentType}; charset=utf-8`,
    'cache-control': 'no-cache',
    etag: `"${hash('sha256', content, 'hex').slice(0, 16)}"`,
  }
  return route({
    ...common,
    scope: 'public',
    path: `/control-tower/${file}`,
    operationId: `control-tower.${file}`,
    summary: `The page's ${file}`,
    answers: { 200: { description: file, contentType } },
    handler: () => ({ status: 200, headers, content }),
  })
}
