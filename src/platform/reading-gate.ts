/** Reading a system under the policy that its calls are under: readings give way to calls, and heed what calls were told. */
import type { Clock } from './clock.ts'
import { Outage } from './faults.ts'
import type { CallReport, Gate } from './lanes.ts'

export type ReadingGate = {
  readonly system: string
  readonly gate: Pick<Gate, 'enter' | 'report'>
  readonly clock: Clock
}

/** Calls ask for a place sooner than this, so that a system that is busy with orders is read last. */
const GIVE_WAY_MS = 100
/** What opens later than this is left for another time. */
const PATIENCE_MS = 10_000

/**
 * Takes a place and a token as a call does. While the system is closed (maintenance, open breaker, a silence that it asked
 * for) it is not asked: an `Outage` that says until when. A silence that it asks of a reading is kept by all calls.
 */
export async function readUnderGate<T>(
  { system, gate, clock }: ReadingGate,
  read: () => Promise<T>,
): Promise<T> {
  await enter({ system, gate, clock })
  let report: CallReport = { outcome: 'success', tookMs: 0 }
  try {
    return await read()
  } catch (error) {
    if (error instanceof Outage) report = reportOf(error)
    throw error
  } finally {
    // A page of a thousand rows takes its time; that says nothing of how calls fare.
    gate.report(report)
  }
}

async function enter({ system, gate, clock }: ReadingGate): Promise<void> {
  const patientUntilMs = clock.monotonicMs() + PATIENCE_MS
  for (let permission = gate.enter(); !permission.go; permission = gate.enter()) {
    const { until, reason } = permission
    const waitMs = Math.max(GIVE_WAY_MS, until.getTime() - clock.now().getTime())
    if (clock.monotonicMs() + waitMs > patientUntilMs)
      throw new Outage(system, `${system} is not read now: ${reason}`, { retryAt: until })
    await clock.sleep(waitMs)
  }
}

const reportOf = ({ retryAt }: Outage): CallReport =>
  retryAt ? { outcome: 'throttled', tookMs: 0, retryAt } : { outcome: 'failure', tookMs: 0 }
