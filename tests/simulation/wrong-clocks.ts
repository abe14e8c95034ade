/** Clocks that are wrong: those of programs, which may be set while they run, and those of ERPs. */
import { drawInteger } from '#landscape/random.ts'
import type { FaultScript } from './fault-script.ts'

const SKEW_MS: [number, number] = [-120_000, 120_000]
const BEHIND_MS: [number, number] = [500, 180_000]

/** How far the clock of a program is off when it starts. */
export const skewAtStart = (seed: string, faults: FaultScript, program: string): number =>
  faults.strikes('clock-skew', program) ? drawInteger(seed, 'skew', program, SKEW_MS) : 0

/** By how much somebody sets it. */
export const jumpAt = (seed: string, step: number): number => drawInteger(seed, 'jump', step, SKEW_MS)

/** How far the clocks of both ERPs are off. */
export const skewOfErps = (seed: string, faults: FaultScript): number =>
  faults.strikes('erp-behind', 'erps') ? -drawInteger(seed, 'behind', 'erps', BEHIND_MS) : 0
