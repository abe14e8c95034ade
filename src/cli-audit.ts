/** Whether the audit trail is as it was sealed, and the seals as they were signed; for `crossdock doctor`. */
import { type AuditSettings, verifyHeads } from './platform/audit-heads.ts'
import { type Verification, verifySeals } from './platform/audit-seals.ts'
import type { Queries } from './platform/database.ts'

type AuditCheck = {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly next: string
}

/** Reads the trail from its newest signed head on, or all of it. */
export async function auditChecks(
  queries: Queries,
  settings: AuditSettings,
  { full }: { readonly full: boolean },
): Promise<AuditCheck[]> {
  const { heads, faults } = await verifyHeads(settings)
  const trail = await verifySeals(queries, heads, full ? 'whole' : 'since the newest head')
  const newest = heads.at(-1)
  const [fault] = faults
  return [
    {
      check: 'audit trail is as it was sealed',
      ok: trail.intact,
      detail: trail.intact
        ? rangeOf(trail)
        : `seal ${trail.broken.number} does not verify: ${trail.broken.reason}`,
      next: 'Somebody changed the trail, or it was restored. Compare it with a backup of that time.',
    },
    {
      check: 'audit heads are signed',
      ok: fault === undefined,
      detail: fault
        ? `line ${fault.line}: ${fault.reason}`
        : newest
          ? `${heads.length}, the newest of ${newest.signedAt} over seal ${newest.number}`
          : `none in ${settings.headsDirectory} yet`,
      next: 'After a change of the key, name the former one in audit.formerKeys; otherwise compare the file with its copy.',
    },
  ]
}

/** Which part of the trail was recomputed. */
function rangeOf({ after, seals, entries }: Extract<Verification, { readonly intact: true }>): string {
  const some = seals === after ? 'nothing' : `${entries} entries under seals ${after + 1} to ${seals}`
  if (after === 0) return `${some}, the whole trail`
  return `${some} after seal ${after}, which is signed; --full recomputes the trail before it`
}
