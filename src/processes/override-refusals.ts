/** Why a person's decision on a step is not taken. */
import type { RefusalCode } from '#platform/faults.ts'

export const overrideRefusals = {
  'overrides.step_unknown': {
    status: 422,
    title: 'There is no such step',
    cause: 'No step of an order that asks another system has this name.',
    fix: 'Use a name that the detail lists.',
  },
  'overrides.not_open': {
    status: 409,
    title: 'The step is not open',
    cause: 'It is done or skipped already, its turn has not come, or the document is not one of this order.',
    fix: 'Read the story of the order: it tells what is done, and what its documents wait for.',
  },
  'overrides.ambiguous': {
    status: 422,
    title: 'The step is open more than once',
    cause: 'Several documents of the order, or several of its lines, have this step open.',
    fix: 'Name the document, and the subject, from those that the detail lists.',
  },
  'overrides.facts_missing': {
    status: 422,
    title: 'More has to be known to say that the step is done',
    cause: 'What follows goes on with facts that only the system, or whoever did it there, can tell.',
    fix: 'Enter what the detail asks for by name, as it stands in the system.',
  },
  'overrides.fact_invalid': {
    status: 422,
    title: 'What was entered makes no sense',
    cause: 'It is not asked for by this step, or it is no amount or time.',
    fix: 'Enter amounts as decimal text in the currency of the document, times with their offset.',
  },
  'overrides.reference_taken': {
    status: 409,
    title: 'Another document has this reference',
    cause: 'A number at the ERP stands for one document of a company.',
    fix: 'Check the number in the ERP; the detail names the document that has it.',
  },
  'overrides.skip_not_allowed': {
    status: 409,
    title: 'The step cannot be left out',
    cause: 'What comes after it needs what it does, or the books of two systems would differ.',
    fix: 'Do what the detail says, then complete the step; or cancel the order.',
  },
  'overrides.not_stuck': {
    status: 409,
    title: 'The step is not stuck',
    cause: 'It has not failed: its call is on its way at this moment, or it comes by itself.',
    fix: 'Wait for its outcome; complete it with its reference if you know that it was done.',
  },
  'overrides.held': {
    status: 409,
    title: 'A hold blocks the step',
    cause: 'Somebody has to decide on the hold first; trying again would not get past it.',
    fix: 'Release the hold that the detail names: what it stopped goes on by itself.',
  },
  'overrides.in_doubt': {
    status: 409,
    title: 'Nobody knows whether the step was done',
    cause: 'It was skipped while its call was in doubt, so trying again might do it twice.',
    fix: 'Look in the system; complete it by telling the customer yourself if it was not done.',
  },
} as const satisfies Record<string, RefusalCode>
