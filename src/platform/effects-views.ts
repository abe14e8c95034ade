/** Open calls to other systems as people see them: lists, and one with what is known of it. */
import { sql, type Queries } from './database.ts'
import { effectKey, type IntentKey, type IntentState, parseEffectKey } from './effects.ts'

const PAGE = 100

export const CALL_STATES = [
  'intended',
  'retry',
  'unknown',
  'parked',
  'resolved',
] as const satisfies IntentState[]

const COLUMNS = `i.doc, i.step, i.subject, i.generation, i.system, i.operation, i.business_key as "businessKey", i.state,
  i.attempts, i.intended_at as "intendedAt", i.due_at as "dueAt", i.absent_after as "absentAfter", i.detail,
  d.process, d.company, d.owner is not null as "underWay"`

const list = sql(
  'effects.list',
  `select ${COLUMNS} from effects.intent i left join desk.document d using (doc)
   where (i.doc, i.step, i.subject, i.generation) > ($1::bigint, $2::text, $3::text, $4::smallint)
     and ($5::text is null or i.state = $5) and ($6::text is null or i.system = $6)
     and ($7::text is null or i.operation = $7) and ($8::text is null or i.step = $8)
     and ($9::bigint is null or i.doc = $9) and ($10::text is null or d.company = $10)
     and ($11::timestamptz is null or i.intended_at < $11)
   order by i.doc, i.step, i.subject, i.generation limit $12`,
)
const show = sql(
  'effects.show',
  `select ${COLUMNS}, (select p.id from parking.item p where p.kind = 'effect' and p.state = 'parked'
     and p.key = $1 || '/' || $2 || '/' || $3 || '/' || $4) as parked
   from effects.intent i left join desk.document d using (doc)
   where i.doc = $1::bigint and i.step = $2 and i.subject = $3 and i.generation = $4::smallint`,
)

export type CallView = IntentKey & {
  readonly key: string
  readonly system: string
  readonly operation: string
  readonly businessKey: string
  readonly state: IntentState
  readonly attempts: number
  readonly intendedAt: Date
  readonly dueAt: Date | null
  /** Before this moment a call in doubt may still show up at its target. */
  readonly absentAfter: Date | null
  /** What the last try came to. */
  readonly detail: string | null
  /** Of its document; both absent where that is not at the desk. */
  readonly process: string | null
  readonly company: string | null
  /** A process has its document in hands, and may be making the call at this moment. */
  readonly underWay: boolean
}

export type CallFilter = {
  readonly state?: IntentState | undefined
  readonly system?: string | undefined
  readonly operation?: string | undefined
  readonly step?: string | undefined
  readonly doc?: number | undefined
  readonly company?: string | undefined
  /** Intended before then. */
  readonly before?: Date | undefined
  /** The last call of the page before. */
  readonly after?: IntentKey | undefined
  readonly limit?: number | undefined
}

/** By document, and so about by age. */
export async function listCalls(queries: Queries, filter: CallFilter = {}): Promise<CallView[]> {
  const { state, system, operation, step, doc, company, before, after, limit = PAGE } = filter
  const values = [state, system, operation, step, doc, company, before].map((value) => value ?? null)
  const place = [after?.doc ?? 0, after?.step ?? '', after?.subject ?? '', after?.generation ?? 0]
  const rows = await queries.query<Omit<CallView, 'key'>>(list, [...place, ...values, limit])
  return rows.map((row) => ({ ...row, key: effectKey(row) }))
}

export type ShownCall = CallView & {
  /** The id of its parked work. */
  readonly parked: number | null
}

export async function showCall(queries: Queries, key: string): Promise<ShownCall | undefined> {
  const name = parseEffectKey(key)
  if (!name) return undefined
  const { doc, step, subject, generation } = name
  const [row] = await queries.query<Omit<ShownCall, 'key'>>(show, [doc, step, subject, generation])
  return row && { ...row, key }
}
