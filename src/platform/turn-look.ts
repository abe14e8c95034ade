/** Looking at documents: facts, open intents and step rows as they are now, under the lock of the document's row. */
import { sql, type Transaction } from './database.ts'
import { stepRowsOf } from './desk.ts'
import { effectKey, intentsOf } from './effects.ts'
import { type Entry, stepKey } from './turn-entry.ts'

const versions = sql(
  'turn.versions',
  `select doc, version from desk.document where doc = any($1::bigint[]) and owner = $2`,
)

/** Set-based for all of them; kinds in the order in which they are locked. */
export async function lookAt(tx: Transaction, epoch: number, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
  const byDoc = new Map(entries.map((entry) => [entry.doc, entry]))
  const docs = [...byDoc.keys()].toSorted((a, b) => a - b)
  // The desk version is read before the facts: who changes the document later raises it, and sleep is refused.
  const [seen] = await Promise.all([
    tx.query<{ doc: number; version: number }>(versions, [docs, epoch]),
    eachProcess(entries, (process, mine, group) => lookAtKind(tx, { process, docs: mine, group })),
  ])
  for (const { doc, version } of seen) byDoc.get(doc)!.seen = version
}

type Kind = {
  readonly process: Entry['process']
  readonly docs: readonly number[]
  readonly group: readonly Entry[]
}

async function lookAtKind(tx: Transaction, { process, docs, group }: Kind): Promise<void> {
  tx.locking('document', docs)
  // The facts lock the documents first: what a person decides on their calls and steps, holding the same locks, is
  // either seen here or decided on what becomes of this look.
  const [facts, intents, steps] = await Promise.all([
    process.facts(tx, docs),
    intentsOf(tx, docs),
    stepRowsOf(tx, docs),
  ])
  const byDoc = new Map(group.map((entry) => [entry.doc, entry]))
  for (const entry of group) {
    entry.facts = facts.get(entry.doc)
    if (!entry.facts)
      throw new Error(`document ${entry.doc} is on the desk but has no facts for ${process.name}`)
    entry.current = true
    // What a person settled by hand is open no longer.
    entry.intents.clear()
  }
  for (const intent of intents) byDoc.get(intent.doc)!.intents.set(effectKey(intent), intent)
  for (const step of steps) byDoc.get(step.doc)!.steps.set(stepKey(step.step, step.subject), step)
}

/** One process after the other, in the order in which their documents are locked. */
async function eachProcess(
  entries: readonly Entry[],
  work: (process: Entry['process'], docs: readonly number[], group: readonly Entry[]) => Promise<void>,
): Promise<void> {
  const byProcess = [...Map.groupBy(entries, (entry) => entry.process)]
  for (const [process, group] of byProcess.toSorted(([a], [b]) => a.rank - b.rank)) {
    const docs = group.map((entry) => entry.doc).toSorted((a, b) => a - b)
    await work(process, docs, group)
  }
}

/**
 * Holds the facts that memory carries against those that a look finds; they must be the same unless somebody has woken
 * the document since, for whose sake it is looked at again anyway.
 */
export async function verifyCarried(
  tx: Transaction,
  epoch: number,
  entries: readonly Entry[],
): Promise<void> {
  await eachProcess(entries, async (process, docs, group) => {
    const found = await process.facts(tx, docs)
    // After the facts: a wake-up between the two must excuse the difference it made.
    const rows = await tx.query<{ doc: number; version: number }>(versions, [docs, epoch])
    const versionOf = new Map(rows.map(({ doc, version }) => [doc, version]))
    for (const { doc, facts, seen } of group) {
      const [carried, looked] = [canonicalFacts(facts), canonicalFacts(found.get(doc))]
      if (carried !== looked && (versionOf.get(doc) ?? seen) === seen) {
        throw new Error(`facts of ${process.name} ${doc} differ:\ncarried ${carried}\nlooked  ${looked}`)
      }
    }
  })
}

/** JSON with sorted keys and maps, so that equal facts are equal text. */
function canonicalFacts(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map) return Object.fromEntries([...(inner as Map<string, unknown>)].toSorted(byKey))
    if (inner && typeof inner === 'object' && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).toSorted(byKey))
    }
    return inner
  })
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
