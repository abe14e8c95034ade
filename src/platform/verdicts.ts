/** What a process says of calls that it does not make. */
import type { Verdict } from './effects.ts'

export const letGo = (inDoubt: boolean, absentAfter: Date | null, now: Date): Verdict => ({
  kind: 'deferred',
  state: inDoubt ? 'unknown' : 'retry',
  reason: 'this process is about to stop',
  at: now,
  absentAfter,
  counts: false,
})

export const parkInDoubt = (absentAfter: Date): Verdict => ({
  kind: 'deferred',
  state: 'parked',
  reason: 'it may have been sent, and this system can neither be asked nor be trusted with a repetition',
  at: null,
  absentAfter,
  counts: false,
})
