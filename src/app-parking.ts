/** For who decides on parked work and calls beside the running program. */
import { exceptionsOf } from '#platform/exceptions-views.ts'
import { findingOf } from './processes/answers-by-hand.ts'
import { causesOfParked, correctPayload, giveUp } from './processes/parked-work.ts'
import { documentNamed, numberOf, numberOfProcess } from './processes/ports.ts'

export const parkingDesk = {
  causesOfParked,
  correctPayload,
  documentNamed,
  exceptionsOf,
  findingOf,
  giveUp,
  numberOf,
  numberOfProcess,
}
