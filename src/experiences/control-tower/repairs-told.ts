/** Selections, jobs and items as they are told over HTTP and by the command line. */
import { formatAmount } from '#platform/money.ts'
import type { Repair, RepairItem, RepairStory } from '#platform/repair-views.ts'
import type { ItemView, JobSummary, JobView, SelectionView } from './repairs-contract.ts'

const selectedOf = (row: Repair) => ({
  id: String(row.id),
  action: row.action,
  asked: { ...row.asked },
  selectedBy: row.selectedBy,
  selectedAt: row.selectedAt.toISOString(),
  count: row.total,
  atStake: row.stake.map(({ amountMinor, currency }) => ({
    amount: formatAmount(amountMinor, currency),
    currency,
  })),
})

const causeOf = (code: string | null, message: string | null) =>
  code === null ? undefined : { code, message: message ?? '' }

export function toldSelection(row: RepairStory, now: Date): SelectionView {
  return {
    ...selectedOf(row),
    state: selectionState(row, now),
    expiresAt: row.expiresAt.toISOString(),
    rehearsal: rehearsalOf(row),
  }
}

function selectionState({ state, expiresAt }: Repair, now: Date): SelectionView['state'] {
  if (state !== 'previewing' && state !== 'ready') return 'started'
  return expiresAt < now ? 'expired' : state
}

function rehearsalOf({ rehearsed, total, expectations, samples }: RepairStory): SelectionView['rehearsal'] {
  const sum = (of: (row: RepairStory['expectations'][number]) => number): number =>
    expectations.reduce((so, row) => so + of(row), 0)
  const those = (expected: string): number => sum((row) => (row.expected === expected ? row.count : 0))
  return {
    done: rehearsed,
    total,
    wouldChange: those('change'),
    wouldDoNothing: those('nothing'),
    wouldBeRejected: those('rejection'),
    callsSent: sum(({ sends }) => sends),
    callsSuppressed: sum(({ suppresses }) => suppresses),
    reasons: expectations.flatMap(({ expected, code, count }) =>
      expected === 'unknown' || code === null ? [] : [{ expected, code, count }],
    ),
    samples: samples.map(sampleOf),
  }
}

function sampleOf(row: RepairStory['samples'][number]): SelectionView['rehearsal']['samples'][number] {
  const { changes, events, calls } = row.sample
  const cause = causeOf(row.expectedCode, row.expectedMessage)
  return {
    item: row.id,
    ...(row.key === null ? {} : { key: row.key }),
    expected: row.expected!,
    ...(cause ? { cause } : {}),
    changes: changes.map((change) => ({ ...change })),
    events: [...events],
    calls: calls.map((call) => ({ ...call })),
  }
}

export function toldSummary(row: Repair, now: Date): JobSummary {
  const { done, failed, total, startedAt, endedAt, perSecond, state } = row
  const ended = done + failed
  const tookS = ((endedAt ?? now).getTime() - startedAt!.getTime()) / 1_000
  return {
    ...selectedOf(row),
    name: row.name!,
    reason: row.reason!,
    startedBy: row.startedBy!,
    startedAt: startedAt!.toISOString(),
    state: state === 'ended' && failed > 0 ? 'ended_with_failures' : (state as 'running' | 'ended'),
    perSecond: perSecond!,
    progress: {
      done: ended,
      total,
      failed,
      rate: tookS > 0 ? Math.round((10 * ended) / tookS) / 10 : 0,
      ...(state === 'running' ? { secondsLeft: Math.ceil((total - ended) / perSecond!) } : {}),
    },
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
  }
}

export function toldJob(row: RepairStory, now: Date): JobView {
  const underWay = row.outcomes.reduce(
    (sum, { state, count }) => sum + (state === 'replaying' ? count : 0),
    0,
  )
  return {
    ...toldSummary(row, now),
    underWay,
    outcomes: row.outcomes.flatMap(({ state, outcome, code, count }) =>
      state === 'done' || state === 'failed'
        ? [{ outcome: outcome ?? 'refused', ...(code === null ? {} : { code }), count }]
        : [],
    ),
  }
}

export function toldItem(row: RepairItem): ItemView {
  const [expectedCause, cause] = [
    causeOf(row.expectedCode, row.expectedMessage),
    causeOf(row.code, row.message),
  ]
  return {
    item: row.id,
    ...(row.kind === null ? {} : { kind: row.kind }),
    ...(row.system === null ? {} : { system: row.system }),
    ...(row.key === null ? {} : { key: row.key }),
    ...(row.expected === null ? {} : { expected: row.expected }),
    ...(expectedCause ? { expectedCause } : {}),
    state: row.state,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(cause ? { cause } : {}),
    ...(row.settledAt === null ? {} : { settledAt: row.settledAt.toISOString() }),
  }
}
