/** Looks into the database of a house beside the house itself. */
import { hash } from 'node:crypto'
import { Client, types } from 'pg'
import { expect, vi } from 'vitest'
import { type Query, underWay } from './books-rules.ts'

/** Quantities and amounts of a test are small enough for a number. */
types.setTypeParser(types.builtins.INT8, Number)
types.setTypeParser(types.builtins.NUMERIC, Number)

/**
 * A connection beside the house's own, which looks where no view looks. It looks at the same again and again, so each
 * text is planned once: the plan of all invariants takes many times as long as their look.
 */
export async function openQuery(url: string): Promise<{ query: Query; end(): Promise<void> }> {
  const client = new Client({ connectionString: url, options: '-c plan_cache_mode=force_generic_plan' })
  // The server may be taken away under it; the next query tells.
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: async (text, values = []) => (await client.query({ name: hash('md5', text), text, values })).rows,
    end: () => client.end(),
  }
}

/** Waits until nothing is owned, due, open or awaited. */
export const atRest = (query: Query, withinMs = 60_000): Promise<void> =>
  vi.waitFor(async () => expect(await underWay(query)).toBe(0), { timeout: withinMs, interval: 50 })
