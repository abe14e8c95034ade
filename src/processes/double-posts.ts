/** What an ERP has twice under one reference of ours, by its own fault: told with both numbers until one of them is gone. */
import type { ErpBooks, PostedKind, StandingDocument } from '#capabilities/erp.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import { cursorText, positionAtTime, readCursor } from '#platform/log-batches.ts'
import { eventsOfKinds } from '#platform/log-kinds.ts'
import type { Money } from '#platform/money.ts'
import { readingProgress, saveProgress } from '#platform/readings.ts'
import { invoicesNamed } from '#domains/billing/views.ts'
import { headersOf } from '#domains/orders/views.ts'
import { invoiceNumber, orderNumber } from './ports.ts'

export type DoublePostPorts = {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly openExceptions: OpenExceptions
}

type Kind = {
  readonly name: PostedKind
  readonly event: string
  readonly code: string
  readonly document: string
  readonly numberOf: (doc: number) => string
}
const KINDS: readonly Kind[] = [
  {
    name: 'orders',
    event: 'order.posted_to_erp',
    code: 'orders.posted_twice',
    document: 'order',
    numberOf: orderNumber,
  },
  {
    name: 'invoices',
    event: 'invoice.posted',
    code: 'billing.posted_twice',
    document: 'invoice',
    numberOf: invoiceNumber,
  },
]

/** A second one may come a while after the first. */
const SETTLES_MS = 10 * 60_000
/** At its first look. */
const BACK_MS = 24 * 3_600_000
const LOOK_LIMIT = 500

/** One look at what was posted since the last one, and at what was there twice then; answers whether there is more. */
export async function lookForDoublePosts(
  ports: DoublePostPorts,
  { company, books }: { readonly company: string; readonly books: ErpBooks },
): Promise<boolean> {
  const { database, clock } = ports
  const place = { company, source: books.instance, resource: 'double-posts' }
  const nowMs = clock.now().getTime()
  const [progress, until, known] = await Promise.all([
    readingProgress(database, place),
    positionAtTime(database, new Date(nowMs - SETTLES_MS)),
    openCausesOf(
      database,
      [company],
      KINDS.map(({ code }) => code),
    ),
  ])
  const after =
    readCursor(progress.cursor ?? undefined) ?? (await positionAtTime(database, new Date(nowMs - BACK_MS)))
  const types = KINDS.map(({ event }) => event)
  const events = await eventsOfKinds(database, { company, types, after, until }, LOOK_LIMIT)
  const standing = await Promise.all(
    KINDS.map(async (kind) => {
      const posted = events.flatMap(({ type, key }) => (type === kind.event ? [key] : []))
      const told = known.flatMap(({ code, cause }) => (code === kind.code ? [docOf(cause)] : []))
      return twiceAt(books, kind, [...new Set([...posted, ...told])])
    }),
  )
  const isAll = events.length < LOOK_LIMIT
  const cursor = cursorText(isAll ? until : events.at(-1)!.cursor)
  await database.transaction(async (tx) => {
    const twice = standing.flat()
    await ports.openExceptions(tx, await occurrencesOf(tx, { company, erp: books.instance }, twice))
    const causes = new Set(twice.map(causeOf))
    const gone = known.filter(({ cause }) => !causes.has(cause))
    await closeExceptions(tx, gone, `${books.instance} has it once`)
    await saveProgress(tx, place, { since: null, cursor, begunAsOf: clock.now(), complete: true })
  })
  return !isAll
}

type Twice = { readonly kind: Kind; readonly doc: number; readonly numbers: readonly string[] }

const causeOf = ({ kind, doc }: Pick<Twice, 'kind' | 'doc'>): string => `${kind.code}:${doc}`
const docOf = (cause: string): number => Number(cause.slice(cause.indexOf(':') + 1))

/** In as many calls as the references take, one after the other: it is our look, not the ERP's turn. */
async function twiceAt(books: ErpBooks, kind: Kind, docs: readonly number[]): Promise<Twice[]> {
  const found: StandingDocument[] = []
  const size = books.referencesMax
  for (let from = 0; from < docs.length; from += size)
    found.push(...(await books.standing(kind.name, docs.slice(from, from + size).map(kind.numberOf))))
  const numbers = Map.groupBy(found, ({ reference }) => reference)
  return docs.flatMap((doc) => {
    const here = numbers.get(kind.numberOf(doc)) ?? []
    return here.length > 1 ? [{ kind, doc, numbers: here.map(({ number }) => number) }] : []
  })
}

type Ours = { readonly number: string | null; readonly value: Money }

async function occurrencesOf(
  tx: Transaction,
  { company, erp }: { readonly company: string; readonly erp: string },
  twice: readonly Twice[],
): Promise<Occurrence[]> {
  const docsOf = (name: PostedKind) => twice.flatMap(({ kind, doc }) => (kind.name === name ? [doc] : []))
  const [orders, invoices] = await Promise.all([
    headersOf(tx, docsOf('orders')),
    invoicesNamed(tx, docsOf('invoices')),
  ])
  const ours = new Map<number, Ours>([
    ...orders.map(({ doc, erpNumber, totalMinor, currency }): [number, Ours] => [
      doc,
      { number: erpNumber, value: { amountMinor: totalMinor, currency } },
    ]),
    ...invoices.map(({ doc, number, totalMinor, netMinor, currency }): [number, Ours] => [
      doc,
      { number, value: { amountMinor: totalMinor ?? netMinor, currency } },
    ]),
  ])
  return twice.map(({ kind, doc, numbers }) => {
    const { number, value } = ours.get(doc)!
    const document = kind.numberOf(doc)
    const others = numbers.filter((one) => one !== number)
    return {
      company,
      cause: causeOf({ kind, doc }),
      code: kind.code,
      title: `${erp} has ${document} ${numbers.length} times: ${numbers.join(', ')}`,
      suggestedAction: `Have ${others.join(', ')} taken back at ${erp}: we go by ${number ?? 'none of them'}. It closes by itself within minutes of that.`,
      facts: { system: erp, document, ours: number ?? '', theirs: [...numbers] },
      affects: { doc, kind: kind.document, value },
    }
  })
}
