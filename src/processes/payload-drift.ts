/** Payloads that depart from what their connector has recorded: told before something fails, over when they fit again. */
import type { Database } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import {
  accepts,
  type DriftName,
  driftKey,
  type DriftWatch,
  forgetDrift,
  type Looked,
  recordDrift,
  type SeenDrift,
  type StandingDrift,
  standingDrift,
} from '#platform/inbox-drift.ts'
import { NO_COMPANY } from './message-trouble.ts'
import type { ProcessPorts } from './ports.ts'

export type DriftPorts = Pick<ProcessPorts, 'openExceptions'> & {
  readonly database: Database
  /** By the name of the system. */
  readonly watches: ReadonlyMap<string, DriftWatch>
  /** Where only some messages have the field, their drift must not end with each one that has not. */
  readonly quietAfterMs: number
  readonly onDrift: (system: string, type: string, times: number) => void
  readonly onNewDrift: (words: string, facts: object) => void
}

type LookedAt = Looked & { readonly source: string }

/** Tells what was noticed since the last time, and ends what is over. */
export async function reportDrift(ports: DriftPorts): Promise<void> {
  const { database, watches, onDrift, onNewDrift } = ports
  const looked = [...watches].flatMap(([source, watch]) =>
    watch.take().map((one): LookedAt => ({ ...one, source })),
  )
  if (looked.length === 0) return
  const seen = looked.flatMap(({ source, type, drifts }) =>
    [...drifts.values()].map((sighting): SeenDrift => ({ source, type, sighting })),
  )
  for (const { source, type, sighting } of seen) onDrift(source, type, sighting.times)
  const begun = await database.transaction(async (tx) => {
    const fresh = await recordDrift(tx, seen)
    await ports.openExceptions(tx, seen.map(telling))
    const standing = await standingDrift(tx, [...watches.keys()], ports.quietAfterMs)
    const over = standing.filter((drift) => isOver(drift, looked))
    forgetDrift(tx, over)
    const left = new Set(standing.filter((drift) => !over.includes(drift)).map(causeOf))
    await closeExceptions(
      tx,
      over
        .map((drift) => ({ company: NO_COMPANY, cause: causeOf(drift) }))
        .filter(({ cause }) => !left.has(cause)),
      'messages are as recorded',
    )
    return fresh
  })
  const isNew = new Set(begun.map(nameOf))
  for (const one of seen) {
    const { source, type, sighting } = one
    if (isNew.has(nameOf({ ...sighting, source, type })))
      onNewDrift(wordsOf(one), { source, type, ...sighting })
  }
}

/** Of a type that was not looked at nothing is known. */
function isOver(drift: StandingDrift, looked: readonly LookedAt[]): boolean {
  const now = looked.find(({ source, type }) => source === drift.source && type === drift.type)
  if (!now) return false
  if (now.drifts.has(driftKey(drift))) return false
  const { path, kind, found } = drift
  return drift.isQuiet || accepts(now.shape, { path, kind, ...(found === null ? {} : { found }) })
}

const nameOf = ({ source, type, path, kind }: DriftName): string =>
  `${source}/${type}/${driftKey({ path, kind })}`

const causeOf = ({ source, type, path }: Omit<DriftName, 'kind'>): string =>
  `inbound.payload_drift:${source}:${type}:${path}`

function wordsOf({ source, type, sighting }: SeenDrift): string {
  const { kind, path, expected, found } = sighting
  const field = path === '' ? 'the whole message' : `"${path}"`
  if (kind === 'new') return `${source} sends ${type} with a new field, ${field} (${found})`
  if (kind === 'missing') return `${source} sends ${type} without ${field}`
  return `${source} sends ${type} with ${field} as ${found}, not as ${expected}`
}

function telling(seen: SeenDrift): Occurrence {
  const { source, type, sighting } = seen
  const { path, kind, expected, found, messageId } = sighting
  return {
    company: NO_COMPANY,
    cause: causeOf({ source, type, path }),
    code: 'inbound.payload_drift',
    title: wordsOf(seen),
    severity: kind === 'new' ? 'low' : 'normal',
    suggestedAction: `Ask the owner of ${source} what changed. If it is meant, record a new sample for its connector, and read the field where it matters; if it is harmless, close this for good.`,
    facts: { source, type, path, kind, expected, found, messageId },
  }
}
