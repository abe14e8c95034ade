/** The only source of identity and chance; a simulation hands in another one. */
import { randomBytes } from 'node:crypto'
import type { Database } from './database.ts'
import { sql } from './database.ts'

/** Documents of every kind share one number range, so a number alone names a document. */
export interface Ids {
  /** The next `count` document numbers. Gaps are normal: what is left of two blocks of 1,000 dies with its process. */
  documents(count: number): Promise<number[]>
  /** `bytes` of randomness in hexadecimal, for tokens, trace ids and keys. */
  token(bytes: number): string
  /** A number in [0, 1), for jitter. */
  random(): number
}

export type Chance = Pick<Ids, 'token' | 'random'>

export const systemChance: Chance = {
  token: (bytes) => randomBytes(bytes).toString('hex'),
  random: () => Math.random(),
}

/** Randomness in hexadecimal for what must be made before there is a database: its own password. */
export const firstSecret = (bytes: number): string => randomBytes(bytes).toString('hex')

const BLOCK = 1_000
/** With fewer left the next block is asked for: who needs it in a transaction need not wait for a second connection. */
const LOW = BLOCK / 2
const nextBlock = sql('ids.next_block', `select nextval('desk.document_block')::int8 as block`)

/** Numbers in blocks: one `nextval` gives a thousand, so that documents are numbered without the database. */
export function databaseIds(database: Database, chance: Chance = systemChance): Ids {
  let next = 0
  let end = 0
  /** Where the block after this one begins, once it is there. */
  let spare: number | undefined
  let fetching: Promise<void> | undefined

  async function fetchBlock(): Promise<void> {
    const [row] = await database.query<{ block: number }>(nextBlock)
    if (!row) throw new Error('the document sequence gave no number')
    spare = row.block * BLOCK
  }

  const fetched = (): Promise<void> => (fetching ??= fetchBlock().finally(() => (fetching = undefined)))

  return {
    async documents(count) {
      const numbers: number[] = []
      while (numbers.length < count) {
        if (next < end) numbers.push(next++)
        else if (spare === undefined) await fetched()
        else [next, end, spare] = [spare, spare + BLOCK, undefined]
      }
      // its failure is for who will be left without a number
      if (count > 0 && end - next < LOW && spare === undefined) fetched().catch(() => undefined)
      return numbers
    },
    ...chance,
  }
}
