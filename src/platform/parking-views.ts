/** Parked work as people see it: lists, one item with its edits, how much there is. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'
import type { MessageName } from './inbox.ts'
import { type WaitingMessage, waitingBehind } from './inbox-stops.ts'
import { PARKED_COLUMNS } from './parking.ts'
import type { ParkedItem, ParkedKind, ParkedState } from './parking.ts'
import type { PayloadChange } from './payload-changes.ts'

const PAGE = 100

const listItems = sql(
  'parking.list',
  `select ${PARKED_COLUMNS.replace('i.payload,', 'null as payload,')}, octet_length(i.payload) as "sizeBytes",
     (select count(*)::int from inbox.stream s join inbox.held h using (source, stream)
      where i.kind = 'message' and s.source = i.system and s.stopped_by = i.context->>'messageId'
        and i.context->'conflict' is null) as waiting
   from parking.item i
   where i.id < coalesce($1::bigint, 9223372036854775807)
     and (case when $2::text is null then i.state in ('parked', 'replaying') else i.state = $2 end)
     and ($3::text is null or i.company = $3) and ($4::text is null or i.kind = $4)
     and ($5::text is null or i.system = $5) and ($6::text is null or i.cause_code = $6)
     and ($7::bigint is null or i.doc = $7) and ($8::text is null or i.step = $8)
     and ($9::boolean is null or i.poison = $9)
     and ($10::timestamptz is null or i.last_failed_at >= $10) and ($11::timestamptz is null or i.last_failed_at < $11)
   order by i.id desc limit $12`,
)
const showItem = sql('parking.show', `select ${PARKED_COLUMNS} from parking.item i where i.id = $1`)
const editsOf = sql(
  'parking.edits',
  `select number, edited_at as "editedAt", editor, reason, payload_before as "payloadBefore", changes
   from parking.edit where item = $1 order by number`,
)
const depths = sql(
  'parking.depths',
  `select kind, cause_code as "causeCode", count(*)::int as count, min(first_failed_at) as "oldestAt",
     count(*) filter (where poison)::int as poison
   from parking.item where state in ('parked', 'replaying') group by kind, cause_code order by kind, cause_code`,
)
export type ParkingFilter = {
  /** Left out: what still waits, parked or replaying. */
  readonly state?: ParkedState | undefined
  readonly company?: string | undefined
  readonly kind?: ParkedKind | undefined
  readonly system?: string | undefined
  readonly causeCode?: string | undefined
  readonly doc?: number | undefined
  readonly step?: string | undefined
  readonly poison?: boolean | undefined
  /** When it failed last: from the one on, up to before the other. */
  readonly failedFrom?: Date | undefined
  readonly failedBefore?: Date | undefined
  /** The id of the last item of the page before. */
  readonly before?: number | undefined
  readonly limit?: number | undefined
}

export type ListedItem = ParkedItem & {
  readonly sizeBytes: number | null
  /** How many later messages of its stream wait for it. */
  readonly waiting: number
}

/** Newest first, without payloads. */
export function listParked(queries: Queries, filter: ParkingFilter = {}): Promise<ListedItem[]> {
  const { before, state, company, kind, system, causeCode, doc, step, poison, limit = PAGE } = filter
  const { failedFrom, failedBefore } = filter
  const names = [before, state, company, kind, system, causeCode, doc, step]
  const values = [...names, poison, failedFrom, failedBefore].map((value) => value ?? null)
  return queries.query(listItems, [...values, limit])
}

export type PayloadEdit = {
  readonly number: number
  readonly editedAt: Date
  readonly editor: string
  readonly reason: string
  readonly payloadBefore: string
  readonly changes: readonly PayloadChange[]
}

export type ShownItem = ParkedItem & {
  readonly edits: readonly PayloadEdit[]
  /** Later messages of its stream, in order. */
  readonly waiting: readonly WaitingMessage[]
}

export async function showParked(queries: Queries, id: number): Promise<ShownItem | undefined> {
  const [[item], edits] = await Promise.all([
    queries.query<ParkedItem>(showItem, [id]),
    queries.query<PayloadEdit>(editsOf, [id]),
  ])
  if (!item) return undefined
  const { messageId, conflict } = item.context as Partial<MessageName> & { conflict?: true }
  const isAwaited = item.kind === 'message' && messageId !== undefined && !conflict
  const waiting = isAwaited ? await waitingBehind(queries, { source: item.system ?? '', messageId }) : []
  return { ...item, edits, waiting }
}

export type ParkingDepth = {
  readonly kind: ParkedKind
  readonly causeCode: string
  readonly count: number
  readonly oldestAt: Date
  readonly poison: number
}

/** How much waits, by kind and cause. */
export function parkingDepth(queries: Queries): Promise<ParkingDepth[]> {
  return queries.query<ParkingDepth>(depths)
}
