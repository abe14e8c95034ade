/** Certificates of other systems that are about to end: a person hears of each in time to have it renewed. */
import type { CertificateEnd } from './http-certificates.ts'
import type { Clock } from './clock.ts'
import type { Database, Transaction } from './database.ts'
import { type Cause, closeExceptions, type Occurrence } from './exceptions.ts'

export type CertificatesWatch = {
  readonly database: Database
  readonly clock: Clock
  readonly endOf: CertificateEnd
  /** The address of each system. */
  readonly systems: ReadonlyMap<string, string>
  /** Under which exceptions of systems are opened. */
  readonly company: string
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
}

const DAY_MS = 24 * 3_600_000
/** So many days before its end a person hears of it, each time anew and more urgently. */
const STAGES = [
  { days: 30, severity: 'normal' },
  { days: 14, severity: 'high' },
  { days: 3, severity: 'critical' },
] as const
type Stage = (typeof STAGES)[number]

/** One round over the systems behind https; one that cannot be looked at now is left as it was known. */
export async function watchCertificates(watch: CertificatesWatch): Promise<void> {
  const { database, clock, company, openExceptions } = watch
  const ends = await endsOf(watch)
  if (ends.length === 0) return
  const now = clock.now()
  await database.transaction(async (tx) => {
    const warnings = ends.flatMap((one) => warning(company, one, now))
    await openExceptions(tx, warnings)
    const stands = new Set(warnings.map(({ cause }) => cause))
    const causes = ends.flatMap(({ instance }) => STAGES.map((stage) => causeOf(company, instance, stage)))
    const over = causes.filter(({ cause }) => !stands.has(cause))
    await closeExceptions(
      tx,
      over,
      'its certificate was renewed, or ends so soon that it is told more urgently',
    )
  })
}

type SystemEnd = { readonly instance: string; readonly end: Date }

async function endsOf({ systems, endOf }: CertificatesWatch): Promise<SystemEnd[]> {
  const looks = [...systems]
    .filter(([, url]) => url.startsWith('https:'))
    .map(async ([instance, url]): Promise<SystemEnd[]> => {
      try {
        return [{ instance, end: await endOf(url) }]
      } catch {
        // that it cannot be reached is told where it is called
        return []
      }
    })
  return (await Promise.all(looks)).flat()
}

function warning(company: string, { instance, end }: SystemEnd, now: Date): Occurrence[] {
  const leftMs = end.getTime() - now.getTime()
  const stage = STAGES.findLast(({ days }) => leftMs < days * DAY_MS)
  if (!stage) return []
  return [
    {
      ...causeOf(company, instance, stage),
      code: 'systems.certificate_ending',
      title: `The certificate of ${instance} ${leftMs < 0 ? 'ended' : 'ends'} at ${end.toISOString()}`,
      suggestedAction: `Ask whoever operates ${instance} to renew it: afterwards no call reaches it. This closes within an hour of the renewal.`,
      owner: 'integration',
      severity: stage.severity,
      facts: { system: instance, endsAt: end.toISOString() },
    },
  ]
}

const causeOf = (company: string, instance: string, { days }: Stage): Cause => ({
  company,
  cause: `system certificate ${instance}${days === STAGES[0].days ? '' : `, ${days} days`}`,
})
