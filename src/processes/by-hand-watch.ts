/** What people entered for a warehouse and its system has not told of for long: somebody asks the warehouse. */
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { Occurrence, OpenExceptions } from '#platform/exceptions.ts'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import { untoldByHand } from '#domains/inventory/operations/by-hand.ts'
import { handDocument, UNTOLD, untoldCause } from './hand-telling.ts'

export type HandWatch = {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly openExceptions: OpenExceptions
}

/** A day's work of a warehouse that has come back. */
const UNTOLD_AFTER_MS = 24 * 3_600_000
const ROWS_PER_LOOK = 1_000

export async function watchByHand({ database, clock, openExceptions }: HandWatch): Promise<void> {
  const before = new Date(clock.now().getTime() - UNTOLD_AFTER_MS)
  const rows = await untoldByHand(database, before, ROWS_PER_LOOK)
  if (rows.length === 0) return
  const papers = [...new Map(rows.map((row) => [untoldCause(row), row])).values()]
  await database.transaction((tx) => openExceptions(tx, papers.map(occurrenceOf)))
}

const occurrenceOf = (row: HandRow): Occurrence => {
  const document = handDocument(row)
  return {
    company: row.company,
    cause: untoldCause(row),
    code: UNTOLD,
    title: `${row.location} has not told of ${document}, which ${row.actor} entered from ${row.reference}`,
    suggestedAction: `Have the warehouse enter it in its own system; if it never will, settle it: POST /process/inventory/v1/by-hand/${document}:settle`,
    facts: { document, reference: row.reference, actor: row.actor },
  }
}
