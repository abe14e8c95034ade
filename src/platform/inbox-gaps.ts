/** Streams that miss a message and have missed it for long: what to ask for, what to tell people, what is over. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'
import type { Cause } from './exceptions.ts'
import type { StoredMessage } from './inbox.ts'
import type { Gap } from './inbox-order.ts'

export type StreamName = { readonly source: string; readonly stream: string }
export type StreamGap = StreamName & { readonly missing: Gap }

export const MISSING = 'inbound.message_missing'

/** The longest first; whatever is beyond has its turn when they are closed. */
const LIMIT = 2_000

const lasting = sql(
  'inbox.lasting_gaps',
  `select source, stream, jsonb_build_object('from', missing_from, 'to', missing_to) as missing
   from inbox.stream where blocked_since <= now() - make_interval(secs => $1::float8 / 1000)
   order by blocked_since, source, stream limit ${LIMIT}`,
)
const untold = sql(
  'inbox.untold_gaps',
  `select s.source, s.stream, jsonb_build_object('from', s.missing_from, 'to', s.missing_to) as missing,
     s.blocked_since as since, w.waiting, w.company, c.cause,
     case when m.source is not null then jsonb_build_object('messageId', m.message_id, 'type', m.type, 'body', m.body,
       'company', m.company) end as first
   from inbox.stream s
   cross join lateral (
     select count(*)::int as waiting, min(h.sequence) as first,
       coalesce(min(m.company), '*') as company
     from inbox.held h join inbox.message m using (source, message_id)
     where h.source = s.source and h.stream = s.stream) w
   cross join lateral (select '${MISSING}:' || s.source || ':' || s.stream || ':' || s.missing_from as cause) c
   left join inbox.held h on h.source = s.source and h.stream = s.stream and h.sequence = w.first
   left join inbox.message m on m.source = h.source and m.message_id = h.message_id
   where s.blocked_since <= now() - make_interval(secs => $1::float8 / 1000)
     and not exists (
       select from exceptions.exception e
       where e.company = w.company and e.cause = c.cause and e.closed_at is null)
   order by s.blocked_since, s.source, s.stream limit ${LIMIT}`,
)
const over = sql(
  'inbox.gaps_that_are_over',
  `select e.company, e.cause, e.facts->>'source' as source from exceptions.exception e
   left join inbox.stream s on s.source = e.facts->>'source' and s.stream = e.facts->>'stream'
   where e.closed_at is null and e.code = '${MISSING}'
     and s.missing_from is distinct from (e.facts->>'from')::bigint`,
)

/** Streams that have missed a message for at least `forMs`. */
export const lastingGaps = (queries: Queries, forMs: number): Promise<StreamGap[]> =>
  queries.query<StreamGap>(lasting, [forMs])

export type UntoldGap = StreamGap &
  Cause & {
    readonly since: Date
    /** How many messages wait for the missing one. */
    readonly waiting: number
    /** The next in line; none in a stream that goes on without the missing one. */
    readonly first: Pick<StoredMessage, 'messageId' | 'type' | 'body' | 'company'> | null
  }

/** Those of which no open exception tells. */
export const untoldGaps = (queries: Queries, forMs: number): Promise<UntoldGap[]> =>
  queries.query<UntoldGap>(untold, [forMs])

/** Exceptions that tell of a gap which is closed. */
export const gapsThatAreOver = (queries: Queries): Promise<(Cause & Pick<StreamName, 'source'>)[]> =>
  queries.query<Cause & Pick<StreamName, 'source'>>(over)
