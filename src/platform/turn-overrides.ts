/** What becomes of calls whose step a person has decided: their outcome is taken in, and nothing more is sent for them. Pure. */
import type { OperationBinding } from './connector.ts'
import type { Attempt, Intent, IntentState } from './effects.ts'
import { type Entry, stepKey } from './turn-entry.ts'

/** A person has completed or skipped the step: the call is not what it waits for any more. */
export function isDecided({ steps }: Pick<Entry, 'steps'>, { step, subject }: Intent): boolean {
  const state = steps.get(stepKey(step, subject))?.state
  return state === 'done' || state === 'skipped'
}

/** Calls that surely did nothing, or that nobody can ask about: they are withdrawn. */
export const withdrawable = (entry: Entry): Intent[] =>
  [...entry.intents].flatMap(([key, intent]) =>
    !entry.inFlight.has(key) && isLeft(intent.state) && isDecided(entry, intent) ? [intent] : [],
  )

/** Nothing is under way, and nothing of it is found out by asking. */
export const isLeft = (state: IntentState): boolean => state === 'retry' || state === 'parked'

/** One in doubt may only be asked about: sent again, it could be done beside what was done by hand. */
export const askOnly = ({ lookUp }: OperationBinding): Attempt | 'park' => (lookUp ? 'look up' : 'park')
