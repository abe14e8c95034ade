/** What a system was asked: how often each operation, and how often each of our references, repeats included. */
import { kept, type Keep, type Kept } from './kept.ts'

type Tally = { requests: number; items: number; keys: Kept<number> }

export type ReceivedReport = {
  operations: Record<
    string,
    { requests: number; items: number; distinctKeys: number; repeats: Record<string, number> }
  >
}

export interface Received {
  count(operation: string, keys: readonly string[]): void
  /** Calls of the operation. */
  requests(operation: string): number
  /** Items in those calls: a batch of 50 is one request and 50 items. */
  items(operation: string): number
  /** How often one of our keys arrived in that operation. */
  times(operation: string, key: string): number
  /** Keys that arrived more than once in that operation. */
  repeats(operation: string): Map<string, number>
  report(): ReceivedReport
}

export function receivedCounter(keep: Keep): Received {
  const tallies = new Map<string, Tally>()
  const repeats = (operation: string): Map<string, number> => {
    const found = new Map<string, number>()
    for (const [key, times] of tallies.get(operation)?.keys.entries() ?? [])
      if (times > 1) found.set(key, times)
    return found
  }

  return {
    count(operation, keys) {
      let tally = tallies.get(operation)
      if (!tally) tallies.set(operation, (tally = { requests: 0, items: 0, keys: kept(keep) }))
      tally.requests += 1
      tally.items += keys.length
      for (const key of keys) tally.keys.set(key, (tally.keys.get(key) ?? 0) + 1)
    },
    requests: (operation) => tallies.get(operation)?.requests ?? 0,
    items: (operation) => tallies.get(operation)?.items ?? 0,
    times: (operation, key) => tallies.get(operation)?.keys.get(key) ?? 0,
    repeats,
    report() {
      const operations: ReceivedReport['operations'] = {}
      for (const [name, tally] of tallies) {
        const { requests, items, keys } = tally
        operations[name] = {
          requests,
          items,
          distinctKeys: keys.size,
          repeats: Object.fromEntries(repeats(name)),
        }
      }
      return { operations }
    },
  }
}
