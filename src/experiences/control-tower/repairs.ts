/** The doors to repairs: select parked work, see what would become of it, start a job, steer it, read what became of it. */
import { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { actOnRepair, type JobAct, paceRepair, startRepair } from '#platform/repair-jobs.ts'
import { type Asked, type RepairFilter as PlatformFilter, select } from '#platform/repair-selection.ts'
import { itemsOfRepair, listRepairs, type RepairStory, showRepair } from '#platform/repair-views.ts'
import { parseNumber } from '#processes/ports.ts'
import { documentsOfOrder, stakeOf } from '#processes/repair-pictures.ts'
import {
  ActRequest,
  examples,
  ItemView,
  itemQuery,
  JobSummary,
  JobView,
  PaceRequest,
  type RepairFilter,
  SelectFailedRequest,
  SelectionView,
  SelectRequest,
  StartRequest,
} from './repairs-contract.ts'
import { Id } from './identifiers.ts'
import { toldItem, toldJob, toldSelection, toldSummary } from './repairs-told.ts'

export type RepairPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
  readonly clock: Clock
}

const SELECTIONS = '/experience/control-tower/v1/repair-selections'
const JOBS = '/experience/control-tower/v1/repair-jobs'
const READ = 'experience.repairs:read'
const WRITE = 'experience.repairs:write'
const BODY_MAX = 128 * 1024

export const repairRoutes = (ports: RepairPorts): Route[] => [
  selectRoute(ports),
  readSelectionRoute(ports),
  startRoute(ports),
  listRoute(ports),
  readJobRoute(ports),
  itemsRoute(ports),
  ...STEERED.map((steered) => actRoute(ports, steered)),
  paceRoute(ports),
  selectFailedRoute(ports),
]

type Asking<Params, Body = unknown> = Request<Params, unknown, Body, Claim>

/** Parked work is the distributor's own; a partner finds none. */
function requireStaff({ partner }: Principal, id: number): void {
  if (partner !== undefined) throw unknown(id)
}

const unknown = (id: number): Refusal =>
  new Refusal('repairs.not_found', `there is no selection or job ${id}`, { id })

async function storyOf(queries: Queries, id: number): Promise<RepairStory> {
  const story = await showRepair(queries, id)
  if (!story) throw unknown(id)
  return story
}

async function jobOf(queries: Queries, id: number): Promise<RepairStory> {
  const story = await storyOf(queries, id)
  if (story.startedAt === null) throw unknown(id)
  return story
}

/** What a request means, in the words of the platform. */
async function askedOf(queries: Queries, request: SelectRequest): Promise<Asked> {
  if ('ids' in request) return { ids: request.ids }
  return { filter: await filterOf(queries, request.filter) }
}

export async function filterOf(queries: Queries, filter: RepairFilter): Promise<PlatformFilter> {
  const { order, failedAfter, failedBefore, ...conditions } = filter
  const doc = order === undefined ? undefined : parseNumber(order, 'O')
  return {
    ...conditions,
    failedAfter: failedAfter === undefined ? undefined : new Date(failedAfter),
    failedBefore: failedBefore === undefined ? undefined : new Date(failedBefore),
    docs: doc === undefined ? undefined : await documentsOfOrder(queries, doc),
  }
}

const selectRoute = ({ database, clock }: RepairPorts): Route =>
  route({
    method: 'POST',
    path: SELECTIONS,
    operationId: 'repairs.select',
    summary: 'Freeze parked work that is to be replayed or discarded together',
    description:
      'By ids or by a filter, not both. Its rehearsal begins at once and changes nothing: read the selection until it is ready.',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: BODY_MAX,
    body: SelectRequest,
    idempotent: true,
    answers: { 201: { description: 'The selection, whose rehearsal has begun', body: SelectionView } },
    refusals: ['repairs.filter_empty', 'repairs.nothing_selected', 'repairs.too_many', 'repairs.not_found'],
    example: { body: examples.select, answer: examples.selection },
    handler: oncePerKey(database, async (tx, { body, principal }: Asking<unknown, SelectRequest>) => {
      requireStaff(principal, 0)
      const asked = await askedOf(tx, body)
      const id = await select(tx, { action: body.action, asked, actor: principal.client, stakeOf })
      const view = toldSelection(await storyOf(tx, id), clock.now())
      return { status: 201 as const, body: view, headers: { location: `${SELECTIONS}/${id}` } }
    }),
  })

const RepairId = z.object({
  id: Id.meta({ example: '41' }),
})

const readSelectionRoute = ({ queries, clock }: RepairPorts): Route =>
  route({
    method: 'GET',
    path: `${SELECTIONS}/:id`,
    operationId: 'repairs.read_selection',
    summary: 'Read what is selected, what it is worth and what would become of it',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: RepairId,
    answers: { 200: { description: 'The selection, as far as it is rehearsed', body: SelectionView } },
    refusals: ['repairs.not_found'],
    example: { params: { id: '41' }, answer: examples.selection },
    async handler({ params, principal }) {
      const id = Number(params.id)
      requireStaff(principal, id)
      return { status: 200, body: toldSelection(await storyOf(queries, id), clock.now()) }
    },
  })

const startRoute = ({ database, clock }: RepairPorts): Route =>
  route({
    method: 'POST',
    path: JOBS,
    operationId: 'repairs.start',
    summary: 'Start a selection whose rehearsal has ended',
    description: 'A selection is one job: started again, the same job is answered as it stands.',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    body: StartRequest,
    idempotent: true,
    answers: { 201: { description: 'The job', body: JobView } },
    refusals: [
      'repairs.not_found',
      'repairs.not_rehearsed',
      'repairs.selection_expired',
      'repairs.count_differs',
    ],
    example: { body: examples.start, answer: examples.job },
    handler: oncePerKey(database, async (tx, { body, principal, trace }: Asking<unknown, StartRequest>) => {
      const { selectionId, ...start } = body
      const id = Number(selectionId)
      requireStaff(principal, id)
      await startRepair(tx, id, { ...start, actor: principal.client, traceId: trace.traceId })
      const view = toldJob(await jobOf(tx, id), clock.now())
      return { status: 201 as const, body: view, headers: { location: `${JOBS}/${id}` } }
    }),
  })

const JobsQuery = PageQuery.extend({ state: z.enum(['running', 'paused', 'aborted', 'ended']).optional() })

const listRoute = ({ queries, pages, clock }: RepairPorts): Route =>
  route({
    method: 'GET',
    path: JOBS,
    operationId: 'repairs.list',
    summary: 'Repair jobs, the newest first',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: JobsQuery,
    answers: { 200: { description: 'A page of jobs', body: pageOf(JobSummary) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { state: 'running', limit: 50 }, answer: { items: [examples.summary] } },
    async handler(request) {
      const { state, limit } = request.query
      const before = Number(pages.after(request)?.[0] ?? Number.NaN)
      const rows =
        request.principal.partner === undefined
          ? await listRepairs(queries, { state, before: before || undefined, limit: limit + 1 })
          : []
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(
        request,
        page.map((row) => toldSummary(row, clock.now())),
        last && [last.id],
      )
    },
  })

const readJobRoute = ({ queries, clock }: RepairPorts): Route =>
  route({
    method: 'GET',
    path: `${JOBS}/:id`,
    operationId: 'repairs.read',
    summary: 'Read how far a job is, and what became of its items',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: RepairId,
    answers: { 200: { description: 'The job as it stands', body: JobView } },
    refusals: ['repairs.not_found'],
    example: { params: { id: '41' }, answer: examples.job },
    async handler({ params, principal }) {
      const id = Number(params.id)
      requireStaff(principal, id)
      return { status: 200, body: toldJob(await jobOf(queries, id), clock.now()) }
    },
  })

const ItemsQuery = PageQuery.extend(itemQuery)

const itemsRoute = ({ queries, pages }: RepairPorts): Route =>
  route({
    method: 'GET',
    path: `${JOBS}/:id/items`,
    operationId: 'repairs.items',
    summary: 'The items of a selection or job: what would become of each, and what did',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: RepairId,
    query: ItemsQuery,
    answers: { 200: { description: 'A page of items, in the order of work', body: pageOf(ItemView) } },
    refusals: ['http.cursor_invalid', 'repairs.not_found'],
    example: { params: { id: '41' }, query: { state: 'failed' }, answer: { items: [examples.item] } },
    async handler(request) {
      const { state, expected, limit } = request.query
      const id = Number(request.params.id)
      requireStaff(request.principal, id)
      const after = Number(pages.after(request)?.[0] ?? 0)
      await storyOf(queries, id)
      const rows = await itemsOfRepair(queries, id, { state, expected, after, limit: limit + 1 })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(request, page.map(toldItem), last && [last.id])
    },
  })

const STEERED = [
  { act: 'pause', summary: 'Let a job hand over nothing more until it is resumed' },
  { act: 'resume', summary: 'Let a job go on exactly where it was paused or aborted' },
  { act: 'abort', summary: 'End a job where it is; what is under way is not called back' },
] as const satisfies readonly { act: JobAct; summary: string }[]

/** What a person does with one job: once per key. */
function steerRoute<Body extends z.ZodType>(
  { database, clock }: RepairPorts,
  { verb, summary, body, example, work }: SteerRoute<Body>,
): Route {
  type Steering = Asking<{ readonly id: string }, z.output<Body>>
  async function steer(tx: Transaction, { params, body: said, principal, trace }: Steering) {
    const id = Number(params.id)
    requireStaff(principal, id)
    await work(tx, id, said, { actor: principal.client, traceId: trace.traceId })
    return { status: 200 as const, body: toldJob(await jobOf(tx, id), clock.now()) }
  }
  return route({
    method: 'POST',
    path: `${JOBS}/:id:${verb}`,
    operationId: `repairs.${verb}`,
    summary,
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 1_024,
    params: RepairId,
    body,
    idempotent: true,
    answers: { 200: { description: 'The job as it is now', body: JobView } },
    refusals: ['repairs.not_found', 'repairs.not_possible_now'],
    example: { params: { id: '41' }, body: example, answer: examples.job },
    handler: oncePerKey(database, steer),
  })
}

type SteerRoute<Body extends z.ZodType> = {
  readonly verb: JobAct | 'pace'
  readonly summary: string
  readonly body: Body
  readonly example: z.input<Body>
  work(
    tx: Transaction,
    id: number,
    body: z.output<Body>,
    actor: { readonly actor: string; readonly traceId: string },
  ): Promise<void>
}

const actRoute = (ports: RepairPorts, { act, summary }: (typeof STEERED)[number]): Route =>
  steerRoute(ports, {
    verb: act,
    summary,
    body: ActRequest,
    example: {},
    work: (tx, id, _, actor) => actOnRepair(tx, id, act, actor),
  })

const paceRoute = (ports: RepairPorts): Route =>
  steerRoute(ports, {
    verb: 'pace',
    summary: 'Change how many items a second a job hands over at most',
    body: PaceRequest,
    example: { perSecond: 50 },
    work: (tx, id, { perSecond }, actor) => paceRepair(tx, id, perSecond, actor),
  })

const selectFailedRoute = ({ database, clock }: RepairPorts): Route =>
  route({
    method: 'POST',
    path: `${JOBS}/:id:select-failed`,
    operationId: 'repairs.select_failed',
    summary: 'Select anew what failed of a job and is still parked',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 1_024,
    params: RepairId,
    body: SelectFailedRequest,
    idempotent: true,
    answers: { 201: { description: 'A selection with its own rehearsal', body: SelectionView } },
    refusals: ['repairs.not_found', 'repairs.nothing_failed'],
    example: { params: { id: '41' }, body: {}, answer: examples.selection },
    handler: oncePerKey(database, async (tx, { params, principal }: Asking<{ id: string }>) => {
      const failedOf = Number(params.id)
      requireStaff(principal, failedOf)
      const { action } = await jobOf(tx, failedOf)
      const id = await select(tx, { action, asked: { failedOf }, actor: principal.client, stakeOf })
      const view = toldSelection(await storyOf(tx, id), clock.now())
      return { status: 201 as const, body: view, headers: { location: `${SELECTIONS}/${id}` } }
    }),
  })
