/** What suppliers answer and ship, from a file that a person hands over: all of it or nothing. */
import { createHash } from 'node:crypto'
import type { Database } from '#platform/database.ts'
import { takeSupplierWords } from './processes/supplier-messages.ts'
import { type BadLine, readSupplyFile } from './systems/supply-files/read.ts'

export type SupplyLoaded = {
  readonly messages: number
  /** Lines of orders that were answered anew, and notices; what is known already, or older than that, is not among them. */
  readonly written: number
  readonly refused: readonly BadLine[]
}

const SOURCE = 'file'
const HASH_SHOWN = 16

/** Undoes what was written before a line was refused. */
class Unusable extends Error {
  readonly refused: readonly BadLine[]

  constructor(refused: readonly BadLine[]) {
    super('lines of the file cannot be used')
    this.refused = refused
  }
}

/** The same file again writes nothing. Refuses a file that has no header of ours. */
export async function loadSupplyFile(database: Database, text: string): Promise<SupplyLoaded> {
  const { told, bad } = readSupplyFile(text)
  if (bad.length > 0) return { messages: 0, written: 0, refused: bad }
  const document = createHash('sha256').update(text).digest('hex').slice(0, HASH_SHOWN)
  const words = told.map(({ message, lines }) => ({ source: SOURCE, document, message, lines }))
  try {
    const written = await database.transaction(async (tx) => {
      const taken = await takeSupplierWords(tx, words)
      const refused = words.flatMap((word): BadLine[] => {
        const refusal = taken.unusable.get(word)
        const [line = 0] = word.lines
        return refusal ? [{ line, field: FIELDS[refusal.code] ?? 'item', message: refusal.message }] : []
      })
      if (refused.length > 0) throw new Unusable(refused)
      return taken.written
    })
    return { messages: words.length, written, refused: [] }
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    return { messages: 0, written: 0, refused: error.refused }
  }
}

const FIELDS: Readonly<Record<string, string>> = {
  'supply.told_item_unknown': 'item',
  'supply.told_quantity_unusable': 'unit',
}
