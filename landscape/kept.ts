/** A store's memory: all documents, or only the latest so many when a benchmark must stay flat. */

export type Keep = 'all' | number

export interface Kept<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  values(): IterableIterator<V>
  entries(): IterableIterator<[string, V]>
  readonly size: number
  /** True when older documents may have been forgotten, so that absence proves nothing. */
  readonly forgetful: boolean
}

/** Puts back what was remembered, in the order in which it was kept. */
export function refill<V>(
  store: { set(key: string, value: V): unknown },
  entries: Iterable<[string, V]>,
): void {
  for (const [key, value] of entries) store.set(key, value)
}

export function kept<V>(keep: Keep): Kept<V> {
  const map = new Map<string, V>()
  const limit = keep === 'all' ? Infinity : keep
  return {
    get: (key) => map.get(key),
    set(key, value) {
      map.set(key, value)
      if (map.size <= limit) return
      for (const oldest of map.keys()) {
        map.delete(oldest)
        break
      }
    },
    values: () => map.values(),
    entries: () => map.entries(),
    get size() {
      return map.size
    },
    forgetful: keep !== 'all',
  }
}
