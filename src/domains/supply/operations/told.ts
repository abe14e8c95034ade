/** The verbs of what suppliers tell: keep answers and ship notices, the latest of each. */
import type { Transaction } from '#platform/database.ts'
import type { ShipNotice, SupplierAnswer } from '../contract/told.ts'
import * as store from '../store/told.ts'

/**
 * Keeps the latest answer to each line; told again it changes nothing, and an older one never takes the place of a
 * newer. Nothing is refused: an answer to a line that nobody has read waits for it. Answers how many were written.
 */
export async function takeAnswers(tx: Transaction, told: readonly SupplierAnswer[]): Promise<number> {
  const latest = latestOf(told, ({ company, number, itemId, line }) => [company, number, itemId, line ?? 0])
  return latest.length === 0 ? 0 : store.upsertAnswers(tx, latest)
}

/** Keeps the latest state of each notice, by its supplier's number. Answers how many were written. */
export async function takeNotices(tx: Transaction, told: readonly ShipNotice[]): Promise<number> {
  const keyOf = ({ company, supplier, notice }: store.NoticeKey) => [company, supplier, notice]
  const latest = latestOf(told, keyOf)
  if (latest.length === 0) return 0
  const newer = new Set((await store.upsertNotices(tx, latest)).map((key) => nameOf(keyOf(key))))
  const written = latest.filter((notice) => newer.has(nameOf(keyOf(notice))))
  if (written.length > 0) store.replaceShipped(tx, written)
  return written.length
}

const nameOf = (key: readonly unknown[]): string => key.join('\0')

/** In the order of their keys, so that two transactions that write the same ones wait for each other. */
function latestOf<T extends { readonly at: Date }>(
  told: readonly T[],
  keyOf: (one: T) => readonly unknown[],
): T[] {
  const latest = new Map<string, T>()
  for (const one of told) {
    const key = nameOf(keyOf(one))
    const known = latest.get(key)
    if (!known || known.at <= one.at) latest.set(key, one)
  }
  return [...latest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

/** Counts what was told of lines before they were read. */
export const placeTold = store.placeTold
