/** The verbs of sources that fall silent: keep their state, mark what is promised meanwhile, check it afterwards. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { FreshnessRule, SourceState } from '../contract/freshness.ts'
import {
  checkDoubts,
  type CheckedDoubt,
  countSellRates,
  forgetDoubts,
  increaseDoubts,
  insertDoubts,
  lockSources,
  type NewDoubt,
  saveSources,
} from '../store/freshness.ts'
import { deleteWithheld, insertWithheld, type WithheldLine } from '../store/withheld.ts'

export type { CheckedDoubt, NewDoubt, WithheldLine }
export const lockSourceStates = lockSources
/** Writes how sources are for which no rule is left. */
export const saveSourceStates = saveSources

/** Marks promises that are made of places whose source is silent. */
export const markDoubts = insertDoubts
/** As `markDoubts`, of what is promised beside what is marked already. */
export const markMore = increaseDoubts

/** Remembers which lines wait for what is withheld while a source is silent. */
export const withhold = insertWithheld

/** Forgets lines that these sources withheld, as many as a transaction can wake; answers whose they were. */
export const endWithholding = deleteWithheld

export type Turn = {
  readonly state: SourceState
  readonly rule: FreshnessRule
  readonly change: 'fell silent' | 'heard again' | 'none'
}

/** Writes how sources are now; those that changed tell it, by an event of their own. */
export async function saveTurns(
  tx: Transaction,
  turns: readonly Turn[],
  company: string,
  cause: Cause,
): Promise<void> {
  const rated = turns.filter(({ change, rule }) => change === 'fell silent' && rule.rule.kind === 'buffer')
  const places = [...new Set(rated.flatMap(({ rule }) => rule.locations))]
  if (places.length > 0) await countSellRates(tx, places)
  saveSources(
    tx,
    turns.map(({ state }) => state),
  )
  appendEvents(
    tx,
    turns.flatMap(({ state, rule, change }) =>
      change === 'none'
        ? []
        : [
            {
              type: change === 'fell silent' ? 'source.silent' : 'source.heard',
              key: state.doc,
              keyVersion: state.version,
              company,
              correlationId: state.doc,
              data: {
                source: state.source,
                flow: state.flow,
                rule: rule.rule.kind,
                locations: rule.locations,
                heardAt: state.heardAt.toISOString(),
              },
            },
          ],
    ),
    cause,
  )
}

/** Checks what was promised of all places but the silent ones; old results are forgotten. */
export function checkPromises(tx: Transaction, silent: readonly string[]): Promise<CheckedDoubt[]> {
  forgetDoubts(tx)
  return checkDoubts(tx, silent)
}
