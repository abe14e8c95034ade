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
/** Authorities renew a certificate of 90 days when a third of it is left. */
const WARN_MS = 30 * DAY_MS
const URGENT_MS = 7 * DAY_MS

/** One round over the systems behind https; one that cannot be looked at now is left as it was known. */
export async function watchCertificates(watch: CertificatesWatch): Promise<void> {
  const { database, clock, company, openExceptions } = watch
  const ends = await endsOf(watch)
  if (ends.length === 0) return
  const leftMs = ({ end }: SystemEnd): number => end.getTime() - clock.now().getTime()
  await database.transaction(async (tx) => {
    await openExceptions(
      tx,
      ends.filter((one) => leftMs(one) < WARN_MS).map((one) => warning(company, one, leftMs(one))),
    )
    await closeExceptions(
      tx,
      ends.filter((one) => leftMs(one) >= WARN_MS).map(({ instance }) => causeOf(company, instance)),
      'it has a certificate that lasts',
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

const warning = (company: string, { instance, end }: SystemEnd, leftMs: number): Occurrence => ({
  ...causeOf(company, instance),
  code: 'systems.certificate_ending',
  title: `The certificate of ${instance} ${leftMs < 0 ? 'ended' : 'ends'} at ${end.toISOString()}`,
  suggestedAction: `Ask whoever operates ${instance} to renew it: afterwards no call reaches it. This closes within an hour of the renewal.`,
  owner: 'integration',
  severity: leftMs < URGENT_MS ? 'high' : 'normal',
  facts: { system: instance, endsAt: end.toISOString() },
})

const causeOf = (company: string, instance: string): Cause => ({
  company,
  cause: `system certificate ${instance}`,
})
