/** A portion of a file of stock, taken once: whole in one transaction, under the content of its file. */
import type { Transaction } from '#platform/database.ts'
import { receiveMessages } from '#platform/inbox.ts'
import type { Docket } from '#platform/process.ts'
import { type NamedPlace, watched } from './stock-file-changes.ts'
import type { FilePorts, Loading } from './stock-file-lines.ts'

type Waking = Pick<Docket, 'wakeAfterwards'>

type Portion = { readonly nth: number | string; readonly places: readonly NamedPlace[] }

/** Files the portion under the content of its file: one that was taken before is known. */
export async function once(
  { transaction, isUndone }: FilePorts,
  { source, hash, counted, changes }: Loading,
  { nth, places }: Portion,
  work: (tx: Transaction, turn: Waking) => Promise<() => void>,
): Promise<void> {
  const lines = places.length
  if (lines === 0) return
  const note = await transaction(source, async (tx, turn) => {
    const messageId = `${hash}#${nth}`
    const body = JSON.stringify({ portion: nth, lines })
    const message = { source, messageId, type: 'stock-file', contentHash: hash, body }
    const verdicts = await receiveMessages(tx, [message], 'applied')
    if (verdicts.get(message) !== 'new') return undefined
    if (isUndone !== true) return work(tx, turn)
    const seen = await watched(tx, places, () => work(tx, turn))
    return () => {
      changes.push(...seen.changes)
      seen.answer()
    }
  })
  if (note) note()
  else counted.repeated += lines
}
