/** The only source of identity and chance; a simulation hands in another one. */
import { randomBytes } from 'node:crypto'
import type { Database } from './database.ts'
import { sql } from './database.ts'

/** Documents of every kind share one number range, so a number alone names a document. */
export interface Ids {
  /** The next `count` document numbers. Gaps are normal: a block of 1,000 dies with its process. */
  documents(count: number): Promise<number[]>
  /** `bytes` of randomness in hexadecimal, for tokens, trace ids and keys. */
  token(bytes: number): string
  /** A number in [0, 1), for jitter. */
  random(): number
}

/** Randomness in hexadecimal for what must be made before there is a database: its own password. */
export const firstSecret = (bytes: number): string => randomBytes(bytes).toString('hex')

const BLOCK = 1_000
const nextBlock = sql('ids.next_block', `select nextval('desk.document_block')::int8 as block`)

/** Numbers in blocks: one `nextval` gives a thousand, so that documents are numbered without the database. */
export function databaseIds(database: Database): Ids {
  let next = 0
  let end = 0
  let refill: Promise<void> | undefined

  async function takeBlock(): Promise<void> {
    const [row] = await database.query<{ block: number }>(nextBlock)
    if (!row) throw new Error('the document sequence gave no number')
    next = row.block * BLOCK
    end = next + BLOCK
  }

  return {
    async documents(count) {
      const numbers: number[] = []
      while (numbers.length < count) {
        while (next === end) await (refill ??= takeBlock().finally(() => (refill = undefined)))
        while (next < end && numbers.length < count) numbers.push(next++)
      }
      return numbers
    },
    token: (bytes) => randomBytes(bytes).toString('hex'),
    random: () => Math.random(),
  }
}
