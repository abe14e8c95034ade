/** The door through which one decision on a step comes: once per key, or only to see what it would do. */
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Runner } from '#platform/runner.ts'
import type { Override, Overridden } from './override-decision.ts'
import { causeOf } from './override-writing.ts'
import { type Decision, overrideSteps, type OverrideWires } from './overrides.ts'

export type OverrideCommand = Decision & {
  readonly override: Override
  /** Nothing is kept: the answer says what would be. */
  readonly dryRun: boolean
  /** Absent where the caller does not repeat. */
  readonly claim?: Claim | undefined
}

export type OverrideGiven = { readonly status: 200; readonly body: Overridden & { readonly dryRun: boolean } }

/** Ends a dry run: the transaction that it is thrown in is rolled back. */
class Rehearsed extends Error {
  readonly given: OverrideGiven
  constructor(given: OverrideGiven) {
    super('a dry run is undone')
    this.given = given
  }
}

export async function overrideStep(
  runner: Pick<Runner, 'transaction'>,
  wires: OverrideWires,
  command: OverrideCommand,
): Promise<OverrideGiven | Replay> {
  try {
    return await given(runner, wires, command)
  } catch (error) {
    if (error instanceof Rehearsed) return error.given
    throw error
  }
}

const given = (
  runner: Pick<Runner, 'transaction'>,
  wires: OverrideWires,
  { override, dryRun, claim: wanted, ...by }: OverrideCommand,
): Promise<OverrideGiven | Replay> =>
  runner.transaction(causeOf(by), async (tx, turn) => {
    const key = dryRun ? undefined : wanted
    const earlier = key && settle((await claim(tx, [key])).get(key)!)
    if (earlier) return earlier
    const answer = (await overrideSteps(tx, turn, wires, { ...by, overrides: [override] })).get(override)!
    if (answer instanceof Refusal) throw answer
    const result = { status: 200, body: { ...answer, dryRun } } as const
    if (dryRun) throw new Rehearsed(result)
    if (key) record(tx, [{ ...key, ...result }])
    return result
  })
