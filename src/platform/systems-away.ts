/**
 * Systems that fail for long. What waits for one loses nothing and counts nothing, so nobody hears of it by its documents:
 * the system itself is an exception, which closes when its breaker does.
 */
import { type Database, type Queries, sql, type Transaction } from './database.ts'
import { type Cause, closeExceptions, type Occurrence } from './exceptions.ts'

export type AwayWatch = {
  readonly database: Database
  /** Under which exceptions of systems are opened. */
  readonly company: string
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
  /** A system that has failed for less is left to come back by itself. */
  readonly afterMs: number
}

type AwayRow = {
  readonly instance: string
  readonly since: Date | null
  readonly isAway: boolean
  readonly isKnown: boolean
  readonly waiting: number
}

const PREFIX = 'system away '

// A system is known as away by its open exception; only what differs from that is written.
const lookAtSystems = sql(
  'policies.away',
  `select s.instance, s.failing_since as since, coalesce(s.failing_since < now() - $3 * interval '1 millisecond', false)
     as "isAway", e.id is not null as "isKnown",
     (select count(*)::int from effects.held h where h.system = s.instance) as waiting
   from policies.system s
   left join exceptions.exception e on e.company = $1 and e.cause = $2 || s.instance and e.closed_at is null
   where s.failing_since is not null or e.id is not null order by s.instance`,
)

/** One round: opens an exception for each system that has failed for so long, and closes those of systems that are back. */
export async function watchSystems({ database, company, openExceptions, afterMs }: AwayWatch): Promise<void> {
  const rows = await lookAt(database, { company, afterMs })
  const gone = rows.filter(({ isAway, isKnown }) => isAway && !isKnown)
  const back = rows.filter(({ since, isKnown }) => since === null && isKnown)
  if (gone.length + back.length === 0) return
  await database.transaction(async (tx) => {
    await openExceptions(
      tx,
      gone.map(({ instance, since, waiting }) => ({
        ...causeOf(company, instance),
        code: 'systems.away',
        title: `${instance} has failed since ${since!.toISOString()}`,
        suggestedAction: `See whether ${instance} is there and whether its address and credentials are right: crossdock doctor. What waits for it goes on by itself.`,
        owner: 'integration',
        severity: 'high',
        facts: { system: instance, since: since!.toISOString(), documentsWaiting: waiting },
      })),
    )
    await closeExceptions(
      tx,
      back.map(({ instance }) => causeOf(company, instance)),
      'it works again',
    )
  })
}

const lookAt = (
  queries: Queries,
  { company, afterMs }: Pick<AwayWatch, 'company' | 'afterMs'>,
): Promise<AwayRow[]> => queries.query<AwayRow>(lookAtSystems, [company, PREFIX, afterMs])

const causeOf = (company: string, instance: string): Cause => ({ company, cause: `${PREFIX}${instance}` })
