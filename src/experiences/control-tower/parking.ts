/** The doors to parked work: the list, one item whole, and what people decide on it, each with its dry run. */
import { z } from 'zod'
import { grants, type Principal } from '#platform/access.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { exceptionsOf } from '#platform/exceptions-views.ts'
import { Refusal } from '#platform/faults.ts'
import { type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { assertVersion, contentTag } from '#platform/http-preconditions.ts'
import { type Decision, lockParked, type ParkedItem } from '#platform/parking.ts'
import { replayWithin } from '#platform/parking-replay.ts'
import { listParked, showParked } from '#platform/parking-views.ts'
import { payloadChanges } from '#platform/payload-changes.ts'
import type { Rehearse } from '#platform/repair-rehearsal.ts'
import { causesOfParked, correctPayload, giveUp, type ReadAs, type Reading } from '#processes/parked-work.ts'
import { documentNamed } from '#processes/ports.ts'
import {
  DecisionRequest,
  EditRequest,
  examples,
  PARKED_KINDS,
  PARKED_STATES,
  ParkedActed,
  ParkedSummary,
  ParkedView,
} from './parking-contract.ts'
import { DocumentNumber, Id } from './identifiers.ts'
import { readingOf, summaryOf, viewOf } from './parking-words.ts'

export type ParkingPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
  /** What the door of a message makes of a payload. */
  readonly readAs: ReadAs
  /** What would become of an item. */
  readonly rehearse: Rehearse
}

const BASE = '/experience/control-tower/v1/parked-items'
const READ = 'experience.parking:read'
const WRITE = 'experience.parking:write'
const PAYLOADS = 'experience.payloads:read'
const HOW =
  'If-Match is optional: with it the item is changed only as the caller has seen it. A dry run answers the same and does nothing.'

export function parkingRoutes(ports: ParkingPorts): Route[] {
  return [
    listRoute(ports),
    readRoute(ports),
    actRoute(ports, {
      verb: 'edit',
      summary: 'Correct the payload of a parked message',
      body: EditRequest,
      example: { payload: examples.view.payload, reason: 'The shop confirmed the item' },
      bodyLimitBytes: 4 * 1024 * 1024,
      refusals: ['parking.nothing_to_edit', 'parking.payload_unreadable'],
      act: (tx, id, { payload, reading, said }) =>
        correctPayload(tx, { id, payload: payload ?? '', reading }, said),
    }),
    actRoute(ports, {
      verb: 'replay',
      summary: 'Have parked work worked on again',
      body: DecisionRequest,
      example: { reason: 'The item is in the master data now' },
      act: async (tx, id, { said }) => unlessRefused(await replayWithin(tx, [id], said)),
    }),
    actRoute(ports, {
      verb: 'discard',
      summary: 'Give a parked message up',
      body: DecisionRequest,
      example: { reason: 'The customer sent it by mistake' },
      refusals: ['parking.not_discardable'],
      act: async (tx, id, { said }) => unlessRefused(await giveUp(tx, [id], said)),
    }),
  ]
}

const ListQuery = PageQuery.extend({
  state: z.enum(PARKED_STATES).optional().describe('Left out: what still waits, parked or replaying'),
  kind: z.enum(PARKED_KINDS).optional(),
  company: z.string().min(1).max(12).optional(),
  system: z.string().min(1).max(40).optional(),
  causeCode: z.string().min(1).max(80).optional(),
  document: DocumentNumber.optional().describe('Its number, such as O-1000017'),
  step: z.string().min(1).max(80).optional(),
  poison: z.enum(['true', 'false']).optional().describe('Failed again after a replay, or not'),
  failedFrom: z.iso.datetime().optional().describe('Failed last at this time or later'),
  failedBefore: z.iso.datetime().optional(),
})

const listRoute = ({ queries, pages }: ParkingPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'parkedItems.list',
    summary: 'What ended neither well nor refused, the newest first',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListQuery,
    answers: { 200: { description: 'A page of parked work', body: pageOf(ParkedSummary) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { system: 'shop', limit: 50 }, answer: { items: [examples.summary] } },
    async handler(request) {
      const { document, poison, failedFrom, failedBefore, cursor: _, limit, ...filter } = request.query
      const [before] = pages.after(request) ?? []
      const rows = isStaff(request.principal)
        ? await listParked(queries, {
            ...filter,
            doc: document === undefined ? undefined : documentNamed(document),
            poison: poison && poison === 'true',
            failedFrom: failedFrom === undefined ? undefined : new Date(failedFrom),
            failedBefore: failedBefore === undefined ? undefined : new Date(failedBefore),
            before: before === undefined ? undefined : Number(before),
            limit: limit + 1,
          })
        : []
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(request, page.map(summaryOf), last && [last.id])
    },
  })

const ItemId = z.object({
  id: Id.meta({ example: '4711' }),
})

const readRoute = ({ queries }: ParkingPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'parkedItems.read',
    summary: 'Read one with its cause, its edits, what waits behind it and who looks after it',
    description: `The ETag is what to send as If-Match. The payload and what edits changed are shown to who has the scope ${PAYLOADS}.`,
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: ItemId,
    answers: {
      200: { description: 'The item as it stands', body: ParkedView },
      304: { description: 'Not changed since' },
    },
    refusals: ['parking.not_found'],
    example: { params: { id: '4711' }, answer: examples.view },
    async handler({ params, principal }) {
      const body = await shownTo(queries, Number(params.id), principal)
      return { status: 200, body, headers: { etag: contentTag(body) } }
    },
  })

/** What is decided, and what is known before. */
type Deciding = {
  readonly payload: string | undefined
  readonly reading: Reading | undefined
  readonly said: Decision
}

type ActRoute<Body extends z.ZodType> = {
  readonly verb: 'edit' | 'replay' | 'discard'
  readonly summary: string
  readonly body: Body
  readonly example: z.input<Body>
  readonly bodyLimitBytes?: number
  readonly refusals?: readonly string[]
  act(tx: Transaction, id: number, deciding: Deciding): Promise<unknown>
}

type Acting = Pick<
  Request<{ readonly id: string }, unknown, { readonly reason: string; readonly payload?: string }>,
  'params' | 'body' | 'principal' | 'ifMatch'
>

const ActQuery = z.object({ dryRun: z.enum(['true', 'false']).optional() })

/** What a person decides on one item: once per key, at the version he has seen, with his reason in the audit trail. */
function actRoute<Body extends z.ZodType<{ readonly reason: string; readonly payload?: string }>>(
  ports: ParkingPorts,
  { verb, summary, body, example, bodyLimitBytes = 16 * 1024, refusals = [], act }: ActRoute<Body>,
): Route {
  const { queries, database } = ports

  async function work(
    tx: Transaction,
    { params, body: { reason, payload }, principal, ifMatch }: Acting,
    reading: Reading | undefined,
  ) {
    const id = Number(params.id)
    const said = { actor: principal.client, reason }
    assertVersion(ifMatch, (await parkedAs(tx, id, said)).version)
    await act(tx, id, { payload, reading, said })
    return { status: 200 as const, body: { ...(await shownTo(tx, id, principal)), dryRun: false } }
  }

  return route({
    method: 'POST',
    path: `${BASE}/:id:${verb}`,
    operationId: `parkedItems.${verb}`,
    summary,
    description: HOW,
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes,
    params: ItemId,
    query: ActQuery,
    body,
    idempotent: true,
    answers: { 200: { description: 'The item as it is now', body: ParkedActed } },
    refusals: [
      'parking.not_found',
      'parking.not_parked',
      'parking.reason_missing',
      'http.precondition_failed',
      ...refusals,
    ],
    example: { params: { id: '4711' }, body: example, answer: examples.acted },
    async handler(request) {
      const id = Number(request.params.id)
      if (!isStaff(request.principal)) throw unknown(id)
      if (request.query.dryRun === 'true') return { status: 200, body: await foreseen(ports, verb, request) }
      const { payload } = request.body
      const item = payload === undefined ? undefined : await showParked(queries, id)
      const reading = item && payload !== undefined ? await ports.readAs(item, payload) : undefined
      return oncePerKey(database, (tx) => work(tx, request, reading))(request as never)
    },
  })
}

/** The item as it is, what its door makes of the payload, and what would become of it. */
async function foreseen(
  { queries, database, readAs, rehearse }: ParkingPorts,
  verb: 'edit' | 'replay' | 'discard',
  { params, body: { payload, reason }, principal, ifMatch }: Acting,
) {
  const id = Number(params.id)
  const said = { actor: principal.client, reason }
  const item = await database.transaction((tx) => parkedAs(tx, id, said))
  assertVersion(ifMatch, item.version)
  if (payload !== undefined && item.payload === null)
    throw new Refusal('parking.nothing_to_edit', `parked item ${id} has no payload`, { id })
  const changed = payload === undefined ? item : { ...item, payload, edited: true }
  const reading = await readAs(changed, changed.payload ?? '')
  const expectation = await rehearse(changed, verb === 'discard' ? 'discard' : 'replay')
  return {
    ...(await shownTo(queries, id, principal)),
    dryRun: true,
    ...(payload === undefined ? {} : { payloadChanges: payloadChanges(item.payload ?? '', payload) }),
    ...(reading ? { reading: readingOf(reading) } : {}),
    ...(expectation ? { expectation } : {}),
  }
}

/** The item, locked as a person has to find it. */
async function parkedAs(tx: Transaction, id: number, said: Decision): Promise<ParkedItem> {
  const item = (await lockParked(tx, [id], said)).get(id)!
  if (item instanceof Refusal) throw item
  return item
}

function unlessRefused(answers: ReadonlyMap<number, ParkedItem | Refusal>): void {
  for (const answer of answers.values()) if (answer instanceof Refusal) throw answer
}

/** Parked work is the distributor's own; a partner sees none. */
const isStaff = ({ partner }: Principal): boolean => partner === undefined

async function shownTo(queries: Queries, id: number, principal: Principal): Promise<ParkedView> {
  const item = isStaff(principal) ? await showParked(queries, id) : undefined
  if (!item) throw unknown(id)
  const exceptions = await exceptionsOf(queries, causesOfParked(item))
  return viewOf(item, exceptions, { withPayload: grants(principal, PAYLOADS) })
}

const unknown = (id: number): Refusal =>
  new Refusal('parking.not_found', `nothing is parked as ${id}`, { id })
